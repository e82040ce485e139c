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
		if x.mark == graph.epoch || !x.traced() || !x.dtype.IsInexact() {
			continue
		}
		x.mark = graph.epoch
		if began, ok := x.attr.(standIn); ok && running(uint64(began)) != nil {
			return true
		}
		if x.op.VJP != nil || x.op.JVP != nil {
			stack = append(stack, x.inputs()...)
		}
	}
	return false
}

// VJP pulls cotangents of outs back to ins: for each input the sum over outputs of cotangent
// times Jacobian, zeros where no output depends on it.
func VJP(outs, ins, cotangents []*Array) []*Array {
	defer UseStream(graph.stream)
	grads := pull(outs, ins, cotangents)
	for i, x := range ins {
		if grads[i] == nil {
			graph.stream = x.stream
			grads[i] = zerosLike(x)
		}
	}
	return grads
}

// Grad is VJP for cotangents of one.
func Grad(outs, ins []*Array) []*Array {
	defer UseStream(graph.stream)
	cts := make([]*Array, len(outs))
	for i, y := range outs {
		graph.stream = y.stream
		cts[i] = AsType(intScalar(dtype.Int32, 1), y.dtype)
	}
	return VJP(outs, ins, cts)
}

// pull is VJP with nil for zeros.
func pull(outs, ins, cotangents []*Array) []*Array {
	defer UseStream(graph.stream)
	f := follow(outs, ins, func(a *Array) bool {
		if a.op.VJP == nil && a.op.NoGrad == "" {
			errs.Throw(errs.ValueError, "[vjp] the gradient of %s is not defined", a.opName())
		}
		return a.op.VJP != nil && a.dtype.IsInexact()
	})
	cts := make([]*Array, len(f.order))
	add := func(slot int32, g *Array) {
		if sum := cts[slot]; sum != nil {
			g = plus(sum, g)
		}
		cts[slot] = g
	}
	for i, out := range outs {
		if slot := f.outs[i]; slot >= 0 && out.dtype.IsInexact() {
			graph.stream = out.stream
			add(slot, AsType(cotangents[i], out.dtype))
		}
	}
	want := make([]bool, 0, 8)
	for i := len(f.order) - 1; i >= f.heads; i-- {
		y, ct := f.order[i], cts[i]
		if ct == nil {
			continue
		}
		from := f.inputs(i)
		want = want[:0]
		for k, x := range y.inputs() {
			want = append(want, from[k] >= 0 && x.dtype.IsInexact())
		}
		graph.stream = y.stream
		for k, g := range y.op.VJP(y, ct, want) {
			if g != nil && want[k] {
				mustFit("gradient", y, g, y.inputs()[k])
				add(from[k], g)
			}
		}
		cts[i] = nil
	}
	out := make([]*Array, len(ins))
	for i, x := range ins {
		if x.dtype.IsInexact() {
			out[i] = cts[f.ins[i]]
		}
	}
	return out
}

// mustFit holds the rules of y's op to what whoever uses derivatives relies on: a gradient has the shape and dtype of the
// input it belongs to, a tangent those of y. An optimizer would take over another shape without a word.
func mustFit(what string, y, d, like *Array) {
	if (d.dtype != like.dtype || !slices.Equal(d.shape, like.shape)) && d.op != &bundleOp {
		errs.Throw(errs.RuntimeError, "[%s] internal error: the %s has shape %s and dtype %s where %s and %s are due",
			y.opName(), what, layout.Format(d.shape), d.dtype, layout.Format(like.shape), like.dtype)
	}
}

// plus adds cotangents of one array.
func plus(x, y *Array) *Array {
	if x.op == &bundleOp {
		return newArray(&bundleOp, x.dtype, x.shape, nil, slices.Concat(x.inputs(), y.inputs())...)
	}
	return add(x, y)
}

// JVP pushes tangents of ins forward to outs.
func JVP(outs, ins, tangents []*Array) []*Array {
	defer UseStream(graph.stream)
	f := follow(outs, ins, func(a *Array) bool { return a.dtype.IsInexact() })
	ts := make([]*Array, len(f.order))
	for i, x := range ins {
		if x.dtype.IsInexact() {
			ts[f.ins[i]] = AsType(tangents[i], x.dtype)
		}
	}
	for i := f.heads; i < len(f.order); i++ {
		y := f.order[i]
		xs := y.inputs()
		txs := make([]*Array, len(xs))
		some := false
		for k, slot := range f.inputs(i) {
			if slot >= 0 {
				txs[k] = ts[slot]
				some = some || txs[k] != nil
			}
		}
		if !some {
			continue
		}
		graph.stream = y.stream
		switch {
		case y.op.JVP != nil:
			ts[i] = y.op.JVP(y, txs)
		case y.op.Linear:
			for k, x := range xs {
				switch {
				case txs[k] != nil:
				case x.dtype.IsInexact():
					txs[k] = zerosLike(x)
				default:
					txs[k] = x
				}
			}
			ts[i] = remake(y, txs)
		case y.op.NoGrad == "":
			errs.Throw(errs.ValueError, "[jvp] the tangent of %s is not defined", y.opName())
		}
		if ts[i] != nil {
			mustFit("tangent", y, ts[i], y)
		}
	}
	out := make([]*Array, len(outs))
	for i, y := range outs {
		if slot := f.outs[i]; slot >= 0 && ts[slot] != nil {
			out[i] = ts[slot]
		} else {
			graph.stream = y.stream
			out[i] = zerosLike(y)
		}
	}
	return out
}

// zeros is an array of zeros without memory of its own.
func zeros(d dtype.Dtype, shape layout.Shape) *Array {
	return BroadcastTo(scalarOf(d, 0), shape)
}
