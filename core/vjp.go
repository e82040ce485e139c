package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Transforms work from graph to graph: the function has run once on stand-ins for its
// arguments, and derivatives are new nodes built from the nodes it left. They can therefore
// be differentiated, batched or compiled again, to any depth.

// standIn is the attr of a stand-in: the number of the transform that differentiates with respect to it.
type standIn uint64

// Tracers makes stand-ins with the same value, by which a transform knows its arguments.
func Tracers(ins []*Array) []*Array { return TracersOf(0, ins) }

// TracersOf is Tracers for the transform that BeginTrace gave that number.
func TracersOf(began uint64, ins []*Array) []*Array {
	out := make([]*Array, len(ins))
	for i, x := range ins {
		out[i] = newArray(&identityOp, x.dtype, x.shape, standIn(began), x)
		out[i].derivesFrom(began)
	}
	return out
}

// Differentiated reports whether derivatives flow from a to a stand-in of a transform that runs: what is computed from
// a's values elsewhere would lose them.
func (a *Array) Differentiated() bool {
	graph.epoch++
	for stack := []*Array{a}; len(stack) > 0; {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if x.mark == graph.epoch || !x.traced() || !x.dtype.IsInexact() && x.op.Several == nil {
			continue
		}
		x.mark = graph.epoch
		if began, ok := x.attr.(standIn); ok && running(uint64(began)) != nil {
			return true
		}
		if x.op.VJP != nil || x.op.JVP != nil || x.op.Several != nil {
			stack = append(stack, x.inputs()...)
		}
	}
	return false
}

// VJP pulls cotangents of outs back to ins: for each input the sum over outputs of cotangent
// times Jacobian, zeros where no output depends on it.
func VJP(outs, ins, cotangents []*Array) []*Array { return WalkVJP(outs, ins, cotangents).finish() }

// WalkGrad is WalkVJP for cotangents of one.
func WalkGrad(outs, ins []*Array) *Walk {
	defer UseStream(graph.stream)
	cts := make([]*Array, len(outs))
	for i, y := range outs {
		graph.stream = y.stream
		cts[i] = AsType(intScalar(dtype.Int32, 1), y.dtype)
	}
	return WalkVJP(outs, ins, cts)
}

// WalkVJP is VJP where rules may be Python's.
func WalkVJP(outs, ins, cotangents []*Array) *Walk {
	w := &Walk{}
	w.pull(outs, ins, cotangents, func(grads []*Array) {
		for i, x := range ins {
			if grads[i] == nil {
				graph.stream = x.stream
				grads[i] = zerosLike(x)
			}
		}
		w.outs = grads
	})
	return w
}

// pulling is the stage that goes backwards through a flow.
type pulling struct {
	f     *flow
	ins   []*Array
	cts   []*Array   // the cotangent of each node so far
	parts [][]result // those of nodes with several results
	at    int        // the next node
	want  []bool
	then  func(grads []*Array)
}

// result is one of several: its pick, and the cotangent. The zero result has no cotangent.
type result struct{ pick, ct *Array }

// pull hands the gradients of ins to then, nil for zeros.
func (w *Walk) pull(outs, ins, cotangents []*Array, then func(grads []*Array)) {
	defer UseStream(graph.stream)
	f := follow(outs, ins, func(a *Array) bool {
		return a.op.NoGrad == "" && (a.op.Several != nil || a.dtype.IsInexact())
	}, hasVJP)
	p := &pulling{f: f, ins: ins, cts: make([]*Array, len(f.order)), at: len(f.order) - 1, want: make([]bool, 0, 8),
		then: then}
	for i, out := range outs {
		if slot := f.outs[i]; slot >= 0 && out.dtype.IsInexact() {
			graph.stream = out.stream
			p.add(slot, AsType(cotangents[i], out.dtype))
		}
	}
	w.push(p)
}

func hasVJP(s *Several) bool { return s.VJP != nil }
func hasJVP(s *Several) bool { return s.JVP != nil }

func (p *pulling) add(slot int32, g *Array) {
	if sum := p.cts[slot]; sum != nil {
		g = add(sum, g)
	}
	p.cts[slot] = g
}

func (p *pulling) step(w *Walk) bool {
	for p.at >= p.f.heads {
		i := p.at
		p.at--
		y, ct := p.f.order[i], p.cts[i]
		graph.stream = y.stream
		switch {
		case y.op.Several != nil:
			if p.parts != nil && p.parts[i] != nil {
				p.several(w, i)
				return true
			}
		case ct == nil:
		case y.op == &pickOp && p.pick(i):
		case y.op.VJP == nil:
			noGradient(y)
		default:
			p.want = p.wanted(i, p.want[:0])
			p.take(i, y.op.VJP(y, ct, p.want))
		}
		p.cts[i] = nil
	}
	grads := make([]*Array, len(p.ins))
	for i, x := range p.ins {
		if x.dtype.IsInexact() {
			grads[i] = p.cts[p.f.ins[i]]
		}
	}
	p.then(grads)
	return false
}

// pick gives the cotangent of node i, a pick, to the node of which it is a result; false if its value's rules hold.
func (p *pulling) pick(i int) bool {
	y := p.f.order[i]
	of, place := y.picked(hasVJP)
	if of == nil {
		return false
	}
	if slot := p.f.inputs(i)[place]; slot >= 0 {
		if p.parts == nil {
			p.parts = make([][]result, len(p.f.order))
		}
		k, list := y.attr.(int), p.parts[slot]
		for len(list) <= k {
			list = append(list, result{})
		}
		ct := p.cts[i]
		if sum := list[k].ct; sum != nil { // two picks of one result
			ct = add(sum, ct)
		}
		list[k], p.parts[slot] = result{y, ct}, list
	}
	return true
}

// several asks node i for the cotangents of its inputs.
func (p *pulling) several(w *Walk, i int) {
	y := p.f.order[i]
	if y.op.Several.VJP == nil {
		noGradient(y)
	}
	parts := p.parts[i]
	p.parts[i] = nil
	y.op.Several.VJP(w, y, parts, p.wanted(i, nil), func(grads []*Array) { p.take(i, grads) })
}

func noGradient(y *Array) {
	errs.Throw(errs.ValueError, "[vjp] the gradient of %s is not defined", y.opName())
}

// wanted appends for each input of node i whether its cotangent matters.
func (p *pulling) wanted(i int, want []bool) []bool {
	from := p.f.inputs(i)
	for k, x := range p.f.order[i].inputs() {
		want = append(want, from[k] >= 0 && (x.dtype.IsInexact() || x.op.Several != nil))
	}
	return want
}

// take adds up what the rule of node i gave for its inputs.
func (p *pulling) take(i int, grads []*Array) {
	y, from := p.f.order[i], p.f.inputs(i)
	graph.stream = y.stream
	for k, g := range grads {
		if x := y.inputs()[k]; g != nil && from[k] >= 0 && x.dtype.IsInexact() {
			mustFit("gradient", y, g, x)
			p.add(from[k], g)
		}
	}
}

// mustFit holds the rules of y's op to what whoever uses derivatives relies on: a gradient has the shape and dtype of
// the input it belongs to, a tangent those of y. An optimizer would take over another shape without a word.
func mustFit(what string, y, d, like *Array) {
	if d.dtype != like.dtype || !slices.Equal(d.shape, like.shape) {
		errs.Throw(errs.RuntimeError, "[%s] internal error: the %s has shape %s and dtype %s where %s and %s are due",
			y.opName(), what, layout.Format(d.shape), d.dtype, layout.Format(like.shape), like.dtype)
	}
}

// JVP pushes tangents of ins forward to outs.
func JVP(outs, ins, tangents []*Array) []*Array { return WalkJVP(outs, ins, tangents).finish() }

// pushing is the stage that goes forwards through a flow with tangents.
type pushing struct {
	f     *flow
	outs  []*Array
	ts    []*Array   // the tangent of each node so far
	parts [][]*Array // those of nodes with several results
	at    int        // the next node
}

// WalkJVP is JVP where rules may be Python's.
func WalkJVP(outs, ins, tangents []*Array) *Walk {
	f := follow(outs, ins, func(a *Array) bool { return a.op.Several != nil || a.dtype.IsInexact() }, hasJVP)
	p := &pushing{f: f, outs: outs, ts: make([]*Array, len(f.order)), at: f.heads}
	for i, x := range ins {
		if x.dtype.IsInexact() {
			p.ts[f.ins[i]] = AsType(tangents[i], x.dtype)
		}
	}
	w := &Walk{}
	w.push(p)
	return w
}

func (p *pushing) step(w *Walk) bool {
	for p.at < len(p.f.order) {
		i := p.at
		p.at++
		y, from := p.f.order[i], p.f.inputs(i)
		if of, place := y.picked(hasJVP); of != nil {
			p.pick(i, of, from[place])
			continue
		}
		txs := make([]*Array, len(from))
		some := false
		for k, slot := range from {
			if slot >= 0 {
				txs[k] = p.ts[slot]
				some = some || txs[k] != nil
			}
		}
		if !some {
			continue
		}
		graph.stream = y.stream
		switch {
		case y.op.Several == nil:
			p.ts[i] = tangent(y, txs)
		case y.op.Several.JVP != nil:
			if p.parts == nil {
				p.parts = make([][]*Array, len(p.f.order))
			}
			y.op.Several.JVP(w, y, txs, func(ts []*Array) { p.parts[i] = ts })
			return true
		}
	}
	w.outs = make([]*Array, len(p.outs))
	for i, y := range p.outs {
		if slot := p.f.outs[i]; slot >= 0 && p.ts[slot] != nil {
			w.outs[i] = p.ts[slot]
		} else {
			graph.stream = y.stream
			w.outs[i] = zerosLike(y)
		}
	}
	return false
}

// pick takes the tangent of node i, a pick, from what the node of which it is a result gave.
func (p *pushing) pick(i int, of *Array, slot int32) {
	y := p.f.order[i]
	switch {
	case of.op.Several.JVP == nil && of.op.NoGrad == "":
		errs.Throw(errs.ValueError, "[jvp] the tangent of %s is not defined", of.opName())
	case slot < 0 || p.parts == nil || p.parts[slot] == nil:
	default:
		if t := p.parts[slot][y.attr.(int)]; t != nil {
			mustFit("tangent", of, t, y)
			p.ts[i] = t
		}
	}
}

// tangent is y's tangent for those of its inputs, of which nil is zero.
func tangent(y *Array, txs []*Array) (t *Array) {
	switch {
	case y.op.JVP != nil:
		t = y.op.JVP(y, txs)
	case y.op.Linear:
		for k, x := range y.inputs() {
			switch {
			case txs[k] != nil:
			case x.dtype.IsInexact():
				txs[k] = zerosLike(x)
			default:
				txs[k] = x
			}
		}
		t = remake(y, txs)
	case y.op.NoGrad == "":
		errs.Throw(errs.ValueError, "[jvp] the tangent of %s is not defined", y.opName())
	}
	if t != nil {
		mustFit("tangent", y, t, y)
	}
	return t
}

// zeros is an array of zeros without memory of its own.
func zeros(d dtype.Dtype, shape layout.Shape) *Array {
	return BroadcastTo(scalarOf(d, 0), shape)
}
