package core

import "github.com/mlx-go/mlx_go/core/layout"

// Elementwise nodes whose only consumer is elementwise too are computed as part of it: the
// consumer's program takes over their steps, and their values never reach memory. This runs on
// every evaluation, not just under compile, because it saves whole passes over memory.

// fused replaces a row's one-step program: prog over ins.
type fused struct {
	prog *Program
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

// absorbable reports whether x can become part of the program that computes an array of the
// given shape: nothing else wants its value. Two holds remain: its consumer's and the tape's; what
// was just made may still be wanted by the code that made it. Halves
// are left alone, as each of their ops rounds to 16 bits.
func absorbable(x *Array, shape layout.Shape) bool {
	return x.state == scheduled && x.job == nil && x.refs == 2 && !x.fresh && isElementwise(x) &&
		!x.dtype.IsHalf() && !(x.tracer && graph.tracing > 0) && layout.Equal(x.shape, shape)
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
		g := group{root: y}
		g.budget(y)
		if len(g.nodes) == 0 {
			continue
		}
		y.attr = g.program()
		for _, x := range g.nodes {
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

// group is a root and the nodes it takes over.
type group struct {
	root  *Array
	nodes []*Array // inputs before consumers
	ins   []*Array
	regs  map[*Array]uint8
	prog  *Program
}

// budget picks nodes breadth first, consumers before their inputs, while they fit.
func (g *group) budget(y *Array) {
	inputs := len(y.inputs())
	queue := []*Array{y}
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for _, x := range a.inputs() {
			if !absorbable(x, g.root.shape) || len(g.nodes)+2 > maxFusedSteps || inputs-1+len(x.inputs()) > maxFusedInputs {
				continue
			}
			inputs += len(x.inputs()) - 1
			g.nodes = append(g.nodes, x)
			queue = append(queue, x)
		}
	}
}

// program numbers the registers: inputs first, then one per step.
func (g *group) program() *fused {
	taken := map[*Array]bool{}
	for _, x := range g.nodes {
		taken[x] = true
	}
	g.regs = map[*Array]uint8{}
	g.prog = &Program{}
	// Children come behind their consumers in nodes: backwards is an evaluation order only
	// within a path, so order by depth first from the root instead.
	var order []*Array
	var visit func(a *Array)
	visit = func(a *Array) {
		for _, x := range a.inputs() {
			if taken[x] {
				visit(x)
			} else if _, ok := g.regs[x]; !ok {
				g.regs[x] = uint8(len(g.ins))
				g.ins = append(g.ins, x)
				g.prog.Load = append(g.prog.Load, x.dtype.Compute())
			}
		}
		order = append(order, a)
	}
	visit(g.root)
	next := uint8(len(g.ins))
	for _, a := range order {
		xs := a.inputs()
		s := Step{Row: a.op.Row, Dst: next}
		if s.Row != nil {
			s.In = rowInput(a).Compute()
			s.Out = s.Row.Types.Result(s.In)
		} else {
			s.In, s.Out = xs[0].dtype.Compute(), a.dtype.Compute()
		}
		for k, x := range xs {
			s.Src[k] = g.regs[x]
		}
		g.regs[a] = next
		next++
		g.prog.Steps = append(g.prog.Steps, s)
	}
	g.prog.Store = []uint8{next - 1}
	g.prog.Regs = int(next)
	return &fused{g.prog, g.ins}
}
