package core

import (
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Transforms work from graph to graph: the function has run once on stand-ins for its
// arguments, and derivatives are new nodes built from the nodes it left. They can therefore
// be differentiated, batched or compiled again, to any depth.

// BeginTrace and EndTrace bracket a function that a transform follows: arrays evaluated in
// between keep what they were computed from.
func BeginTrace() { graph.tracing++ }

// EndTrace is the other bracket.
func EndTrace() { graph.tracing-- }

// Tracers makes stand-ins with the same value, by which a transform knows its arguments.
func Tracers(ins []*Array) []*Array {
	out := make([]*Array, len(ins))
	for i, x := range ins {
		out[i] = newArray(&identityOp, x.dtype, x.shape, nil, x)
		out[i].tracer = true
	}
	return out
}

// walk lists, inputs first, the nodes from which outs are computed and that depend on ins. ins
// come first in the list. Each node's slot is its position. through says whether dependence
// passes a node.
func walk(outs, ins []*Array, through func(*Array) bool) []*Array {
	graph.epoch += 2 // epoch-1: met, does not depend; epoch: depends, slot is valid
	yes, no := graph.epoch, graph.epoch-1
	var order []*Array
	for _, x := range ins {
		if x.mark != yes {
			x.mark, x.slot = yes, int32(len(order))
			order = append(order, x)
		}
	}
	type frame struct {
		a    *Array
		next int
		dep  bool
	}
	var stack []frame
	for _, out := range outs {
		if out.mark == yes || out.mark == no {
			continue
		}
		out.mark = no
		stack = append(stack, frame{a: out})
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if xs := f.a.inputs(); f.next < len(xs) {
				x := xs[f.next]
				f.next++
				switch x.mark {
				case yes:
					f.dep = true
				case no:
				default:
					x.mark = no
					stack = append(stack, frame{a: x})
				}
				continue
			}
			a, dep := f.a, f.dep && through(f.a)
			stack = stack[:len(stack)-1]
			if dep {
				a.mark, a.slot = yes, int32(len(order))
				order = append(order, a)
				if len(stack) > 0 {
					stack[len(stack)-1].dep = true
				}
			}
		}
	}
	return order
}

// marked reports whether the last walk found that x depends on its inputs.
func marked(x *Array, epoch uint32) bool { return x.mark == epoch }

// VJP pulls cotangents of outs back to ins: for each input the sum over outputs of cotangent
// times Jacobian, zeros where no output depends on it.
func VJP(outs, ins, cotangents []*Array) []*Array {
	order := walk(outs, ins, func(a *Array) bool {
		if a.op.VJP == nil && a.op.NoGrad == "" {
			Throw(ValueError, "[vjp] the gradient of %s is not defined", a.opName())
		}
		return a.op.VJP != nil && a.dtype.IsInexact()
	})
	epoch := graph.epoch
	cts := make([]*Array, len(order))
	add := func(x, g *Array) {
		if sum := cts[x.slot]; sum != nil {
			g = applyRow(rowByName["add"], sum, g)
		}
		cts[x.slot] = g
	}
	for i, out := range outs {
		if marked(out, epoch) && out.dtype.IsInexact() {
			add(out, AsType(cotangents[i], out.dtype))
		}
	}
	// Rules build nodes, but walk nothing: marks and slots stay valid.
	want := make([]bool, 0, 8)
	for i := len(order) - 1; i >= 0; i-- {
		y, ct := order[i], cts[i]
		if ct == nil || isInput(y, ins) {
			continue
		}
		xs := y.inputs()
		want = want[:0]
		for _, x := range xs {
			want = append(want, marked(x, epoch) && x.dtype.IsInexact())
		}
		for k, g := range y.op.VJP(y, ct, want) {
			if g != nil && want[k] {
				add(xs[k], g)
			}
		}
		cts[i] = nil
	}
	out := make([]*Array, len(ins))
	for i, x := range ins {
		if g := cts[x.slot]; g != nil && x.dtype.IsInexact() {
			out[i] = g
		} else {
			out[i] = BroadcastTo(scalarOf(x.dtype, 0), x.shape)
		}
	}
	return out
}

// isInput tells the arguments, at which pulling back ends, from nodes; they are first in the order.
func isInput(y *Array, ins []*Array) bool {
	if int(y.slot) >= len(ins) {
		return false
	}
	for _, x := range ins {
		if x == y {
			return true
		}
	}
	return false
}

// JVP pushes tangents of ins forward to outs.
func JVP(outs, ins, tangents []*Array) []*Array {
	order := walk(outs, ins, func(a *Array) bool { return a.dtype.IsInexact() })
	epoch := graph.epoch
	ts := make([]*Array, len(order))
	for i, x := range ins {
		if x.dtype.IsInexact() {
			ts[x.slot] = AsType(tangents[i], x.dtype)
		}
	}
	for i, y := range order {
		if isInput(y, ins) {
			continue
		}
		xs := y.inputs()
		txs := make([]*Array, len(xs))
		any := false
		for k, x := range xs {
			if marked(x, epoch) {
				txs[k] = ts[x.slot]
				any = any || txs[k] != nil
			}
		}
		if !any {
			continue
		}
		switch {
		case y.op.JVP != nil:
			ts[i] = y.op.JVP(y, txs)
		case y.op.Linear:
			for k, x := range xs {
				switch {
				case txs[k] != nil:
				case x.dtype.IsInexact():
					txs[k] = BroadcastTo(scalarOf(x.dtype, 0), x.shape)
				default:
					txs[k] = x
				}
			}
			ts[i] = remake(y, txs)
		case y.op.NoGrad == "":
			Throw(ValueError, "[jvp] the tangent of %s is not defined", y.opName())
		}
	}
	out := make([]*Array, len(outs))
	for i, y := range outs {
		if marked(y, epoch) && ts[y.slot] != nil {
			out[i] = ts[y.slot]
		} else {
			out[i] = BroadcastTo(scalarOf(y.dtype, 0), y.shape)
		}
	}
	return out
}

// remake is y's op with other inputs of the same shapes and dtypes.
func remake(y *Array, ins []*Array) *Array {
	z := newArray(y.op, y.dtype, y.shape, y.attr, ins...)
	z.bits = y.bits
	return z
}

// zeros is an array of zeros without memory of its own.
func zeros(d dtype.Dtype, shape layout.Shape) *Array {
	return BroadcastTo(scalarOf(d, 0), shape)
}
