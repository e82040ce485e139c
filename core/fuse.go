package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Elementwise nodes whose only consumer is elementwise too are computed as part of it: the
// consumer's program takes over their steps, and their values never reach memory. This runs on
// every evaluation, not just under compile, because it saves whole passes over memory.

// fused replaces a row's one-step program: prog over ins.
type fused struct {
	prog *device.Program
	ins  []*Array
}

// operands are the arrays a's kernel reads.
func (a *Array) operands() []*Array {
	if f, ok := a.attr.(*fused); ok {
		return f.ins
	}
	return a.inputs()
}

// unfuse forgets the program that took over a's inputs.
func (a *Array) unfuse() {
	if _, ok := a.attr.(*fused); ok {
		a.attr = nil
	}
}

// Bounds of a fused program. More registers would not stay in the innermost cache.
const (
	maxFusedInputs = 6
	maxFusedSteps  = 10
)

// isElementwise reports whether a's value is a step of a program.
func isElementwise(a *Array) bool { return a.op.Row != nil || a.op == &asTypeOp }

// absorbable reports whether x can become part of the program that computes root: nothing else wants its value. Two
// holds remain: its consumer's and the tape's; what was just made may still be wanted by the code that made it.
func absorbable(x, root *Array) bool {
	return x.state == scheduled && x.job == nil && x.refs == 2 && !x.fresh && isElementwise(x) &&
		!x.traced() && x.stream == root.stream && layout.Equal(x.shape, root.shape)
}

// fuse merges nodes of a tape, whose nodes are all scheduled and held once by it. The nodes that
// were taken over leave the tape.
func fuse(tape []*Array) []*Array {
	gone := 0
	for i := len(tape) - 1; i >= 0; i-- {
		y := tape[i]
		if y.state != scheduled || !isElementwise(y) || y.Size() < 2 {
			continue
		}
		g := &fusing
		if g.collect(y); len(g.nodes) == 1 {
			continue
		}
		y.attr = g.program()
		for _, x := range g.nodes[1:] {
			x.state = lazy
			gone++
		}
	}
	if gone == 0 {
		return tape
	}
	kept := tape[:0]
	for _, a := range tape {
		if a.state == scheduled {
			kept = append(kept, a)
		} else {
			a.refs-- // the tape's hold; its consumer holds it
		}
	}
	clear(tape[len(kept):])
	return kept
}

// group is a node and those it takes over.
type group struct {
	nodes []*Array // the root first, consumers before what they are computed from
	steps []*Array // the same in an order of evaluation
	ins   []*Array // what the program reads
}

// fusing is the group at work; guarded by the graph lock, and kept for its memory.
var fusing group

// collect picks nodes breadth first, consumers before their inputs, while they fit.
func (g *group) collect(root *Array) {
	inputs, maxInputs := len(root.inputs()), maxFusedInputs
	steps, maxSteps, rounding := 1, maxFusedSteps, 0
	if s := streams[root.stream]; root.stream != 0 && s.onDevice() {
		maxInputs, maxSteps = s.fusedLimits()
		rounding = 2 // a half is rounded by two casts, which count where a device bounds them
	}
	g.nodes = append(g.nodes[:0], root)
	for at := 0; at < len(g.nodes); at++ {
		for _, x := range g.nodes[at].inputs() {
			n := 1
			if x.dtype.IsHalf() {
				n += rounding
			}
			if absorbable(x, root) && steps+n <= maxSteps && inputs-1+len(x.inputs()) <= maxInputs {
				inputs += len(x.inputs()) - 1
				steps += n
				g.nodes = append(g.nodes, x)
			}
		}
	}
}

// program numbers the registers: inputs first, then one per node.
func (g *group) program() *fused {
	graph.epoch += 2 // epoch-1: taken over; epoch: has a register, which slot tells
	halves := 0
	for _, x := range g.nodes[1:] {
		x.mark = graph.epoch - 1
		if x.dtype.IsHalf() {
			halves++
		}
	}
	g.ins, g.steps = g.ins[:0], g.steps[:0]
	g.order(g.nodes[0])
	next := len(g.ins)
	p := &device.Program{Load: make([]dtype.Dtype, next), Steps: make([]device.Step, 0, len(g.steps)+2*halves)}
	for i, x := range g.ins {
		p.Load[i] = x.dtype.Compute()
	}
	for _, a := range g.steps {
		s := device.Step{Row: a.op.Row, Dst: uint8(next)}
		xs := a.inputs()
		if s.Row != nil {
			s.In = rowInput(a).Compute()
			s.Out = s.Row.Types.Result(s.In)
		} else {
			s.In, s.Out = xs[0].dtype.Compute(), a.dtype.Compute()
		}
		for k, x := range xs {
			s.Src[k] = uint8(x.slot)
		}
		if a.dtype.IsHalf() && a != g.nodes[0] {
			p.Steps = inHalf(p.Steps, s, a.dtype)
		} else {
			p.Steps = append(p.Steps, s)
		}
		a.mark, a.slot = graph.epoch, int32(next)
		next++
	}
	p.Store, p.Regs = []uint8{uint8(next - 1)}, next
	return &fused{p, slices.Clone(g.ins)}
}

// order lists a and what it takes over, depth first, and numbers the inputs as they turn up.
func (g *group) order(a *Array) {
	for _, x := range a.inputs() {
		switch x.mark {
		case graph.epoch:
		case graph.epoch - 1:
			g.order(x)
		default:
			x.mark, x.slot = graph.epoch, int32(len(g.ins))
			g.ins = append(g.ins, x)
		}
	}
	g.steps = append(g.steps, a)
}

// inHalf adds a step whose result is rounded to 16 bits and widened again, so that it is what memory would hold.
func inHalf(steps []device.Step, s device.Step, d dtype.Dtype) []device.Step {
	wide, own := s.Out, [3]uint8{s.Dst}
	if s.Row == nil {
		s.Out = d // a cast rounds once
		steps = append(steps, s)
	} else {
		steps = append(steps, s, device.Step{In: wide, Out: d, Dst: s.Dst, Src: own})
	}
	return append(steps, device.Step{In: d, Out: wide, Dst: s.Dst, Src: own})
}
