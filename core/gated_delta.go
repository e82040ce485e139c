package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// The gated delta rule (S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks", 2024): a linear attention whose
// state forgets by gamma and is corrected towards the value of each key by beta.

var gatedDeltaOp Def

func init() {
	define(&gatedDeltaOp, Def{Name: "gated_delta_update", Kind: device.KindGatedDelta, Launch: launchGatedDelta,
		Specs: gatedDeltaSpecs,
		Cost:  func(y *Array) int { return 4 * max(y.inputs()[0].shape[3], 1) },
		Several: &Several{
			VJP: func(_ *Walk, y *Array, results []result, want []bool, then func([]*Array)) {
				cts := make([]*Array, 2)
				for i, r := range results {
					cts[i] = r.ct
				}
				then(gatedDeltaVJP(y.attr.(device.GatedDeltaAttr), y.inputs(), cts))
			},
			JVP: func(_ *Walk, y *Array, tangents []*Array, then func([]*Array)) {
				xs := Tracers(y.inputs())
				var moved, by []*Array
				for i, t := range tangents {
					if t != nil {
						moved, by = append(moved, xs[i]), append(by, t)
					}
				}
				then(JVP(gatedSteps(y.attr.(device.GatedDeltaAttr), xs), moved, by))
			},
			VMap: func(_ *Walk, y *Array, ins []*Array, mapped []bool, n int, then func([]*Array)) {
				xs := batchAll(ins, mapped, n)
				for i, x := range xs { // every input has the examples as its first axis
					xs[i] = Reshape(x, append(layout.Shape{n * x.shape[1]}, x.shape[2:]...))
				}
				zs := gatedDelta(y.attr.(device.GatedDeltaAttr), xs)
				for i, z := range zs {
					zs[i] = Reshape(z, append(layout.Shape{n, y.inputs()[0].shape[0]}, z.shape[1:]...))
				}
				then(zs)
			},
		},
	})
	register(Func{Name: "fast.gated_delta_update", Sig: "(q: array, k: array, v: array, gamma: array, beta: array, " +
		"initial_state: array | None = None, mask: array | None = None) -> list[array]", Stream: byPosition,
		Call: gatedDeltaUpdate})
}

// gatedDeltaSpecs are the outputs and the state for inputs of a node.
func gatedDeltaSpecs(_ *Array, ins []*Array) []Spec {
	q, v := ins[0], ins[2]
	d := dtype.Promote(q.dtype, ins[1].dtype)
	return []Spec{{d, v.shape}, {d.Compute(), layout.Shape{v.shape[0], v.shape[2], v.shape[3], q.shape[3]}}}
}

func gatedDelta(at device.GatedDeltaAttr, ins []*Array) []*Array {
	return several(&gatedDeltaOp, at, gatedDeltaSpecs(nil, ins), ins...)
}

func launchGatedDelta(e *exec, y *Array) *errs.Error {
	specs := gatedDeltaSpecs(y, y.inputs())
	if err := e.allocateResults(y, specs); err != nil {
		return err
	}
	ins, outs := make([]device.Tensor, len(y.inputs())), make([]device.Tensor, len(specs))
	for i, x := range y.inputs() {
		ins[i] = e.tensor(x)
	}
	for i, s := range specs {
		outs[i] = e.outputIn(y.buf.parts[i], s.Dtype, s.Shape, layout.Strides(s.Shape), 0)
	}
	e.k = device.Kernel{Kind: device.KindGatedDelta, Op: y.op.Name, Out: outs, In: ins, Attr: y.attr}
	return e.launch(&e.k)
}

func gatedDeltaUpdate(a *Args) []*Array {
	const op = "gated_delta_update"
	ins := []*Array{a.array(by.q), a.array(by.k), a.array(by.v), a.array(by.gamma), a.array(by.beta)}
	state, mask := a.optional(by.initialState), a.optional(by.mask)
	checkGatedDelta(op, ins)
	q, v := ins[0], ins[2]
	batch, steps, heads, depth := q.shape[0], q.shape[1], v.shape[2], q.shape[3]
	d := dtype.Promote(q.dtype, ins[1].dtype)
	if !d.IsFloat() {
		d = dtype.Float32
	}
	compute := d.Compute()
	number := func(x *Array) *Array { // halves are read as they are
		if x.dtype.IsHalf() && compute == dtype.Float32 {
			return x
		}
		return AsType(x, compute)
	}
	spread := func(name string, x *Array, shape layout.Shape) *Array {
		if !layout.CanBroadcastTo(x.shape, shape) {
			errs.Throw(errs.ValueError, "[%s] %s of shape %s cannot be broadcast to %s", op, name,
				layout.Format(x.shape), layout.Format(shape))
		}
		return BroadcastTo(x, shape)
	}
	for i, x := range ins {
		ins[i] = number(x)
	}
	if d.IsHalf() { // y has the dtype to which q and k promote
		ins[0], ins[1] = AsType(ins[0], d), AsType(ins[1], d)
	}
	if len(ins[3].shape) == 3 {
		ins[3] = unsqueeze(ins[3], 3)
	}
	ins[3] = spread("gamma", ins[3], layout.Shape{batch, steps, heads, depth})
	ins[4] = spread("beta", ins[4], layout.Shape{batch, steps, heads})
	at := device.GatedDeltaAttr{HasState: state != nil, HasMask: mask != nil}
	begin := layout.Shape{batch, heads, v.shape[3], depth}
	if at.HasState {
		ins = append(ins, spread("initial_state", number(state), begin))
	}
	if at.HasMask {
		ins = append(ins, spread("mask", AsType(mask, dtype.Bool), layout.Shape{batch, steps}))
	}
	if layout.Size(v.shape) == 0 || depth == 0 { // a node has elements in all of its results, or in none
		if !at.HasState {
			return []*Array{zeros(d, v.shape), zeros(compute, begin)}
		}
		return []*Array{zeros(d, v.shape), AsType(ins[5], compute)}
	}
	return gatedDelta(at, ins)
}

func checkGatedDelta(op string, ins []*Array) {
	for i, rank := range []int{4, 4, 4, 0, 3} {
		name, n := []string{"q", "k", "v", "gamma", "beta"}[i], len(ins[i].shape)
		if rank != 0 && n != rank || rank == 0 && n != 3 && n != 4 {
			errs.Throw(errs.ValueError, "[%s] q and k must have shape (B, T, Hk, Dk), v (B, T, Hv, Dv), gamma "+
				"(B, T, Hv) or (B, T, Hv, Dk) and beta (B, T, Hv), but %s has shape %s", op, name,
				layout.Format(ins[i].shape))
		}
		if ins[i].dtype == dtype.Complex64 {
			errs.Throw(errs.ValueError, "[%s] %s must be real, not %s", op, name, ins[i].dtype)
		}
	}
	q, k, v := ins[0].shape, ins[1].shape, ins[2].shape
	if !layout.Equal(q, k) || q[0] != v[0] || q[1] != v[1] || q[2] == 0 && v[2] != 0 || q[2] != 0 && v[2]%q[2] != 0 {
		errs.Throw(errs.ValueError, "[%s] q and k must have one shape (B, T, Hk, Dk), and v (B, T, Hv, Dv) with Hv a "+
			"multiple of Hk, not %s, %s and %s", op, layout.Format(q), layout.Format(k), layout.Format(v))
	}
}

// gatedStepsAtOnce is how many steps are differentiated in their composed form, which keeps a state for each.
const gatedStepsAtOnce = 8

// gatedDeltaVJP maps the cotangents of y and the state to those of the inputs. It halves the steps until they are few,
// and runs the first half anew for the state between: so few states are in memory at once.
func gatedDeltaVJP(at device.GatedDeltaAttr, ins, cts []*Array) []*Array {
	steps := ins[0].shape[1]
	if steps <= gatedStepsAtOnce {
		xs, specs := Tracers(ins), gatedDeltaSpecs(nil, ins)
		for i, s := range specs {
			if cts[i] == nil {
				cts[i] = zeros(s.Dtype, s.Shape)
			}
		}
		var moved []*Array
		for _, x := range xs {
			if x.dtype.IsInexact() {
				moved = append(moved, x)
			}
		}
		grads := VJP(gatedSteps(at, xs), moved, cts)
		return append(grads, make([]*Array, len(xs)-len(moved))...)
	}
	half := steps / 2
	part := func(lo, hi int, state *Array) []*Array {
		xs := make([]*Array, 0, len(ins)+1)
		for _, x := range ins[:5] {
			xs = append(xs, sliceAxis(x, 1, lo, hi))
		}
		if state != nil {
			xs = append(xs, state)
		}
		if at.HasMask {
			xs = append(xs, sliceAxis(ins[len(ins)-1], 1, lo, hi))
		}
		return xs
	}
	var begin *Array
	if at.HasState {
		begin = ins[5]
	}
	first := part(0, half, begin)
	between := device.GatedDeltaAttr{HasState: true, HasMask: at.HasMask}
	second := part(half, steps, gatedDelta(at, first)[1])
	ctOf := func(lo, hi int) *Array {
		if cts[0] == nil {
			return nil
		}
		return sliceAxis(cts[0], 1, lo, hi)
	}
	after := gatedDeltaVJP(between, second, []*Array{ctOf(half, steps), cts[1]})
	before := gatedDeltaVJP(at, first, []*Array{ctOf(0, half), after[5]})
	grads := make([]*Array, len(ins))
	for i := range 5 {
		grads[i] = joined("gated_delta_update", []*Array{before[i], after[i]}, 1)
	}
	if at.HasState {
		grads[5] = before[5]
	}
	return grads
}

// gatedSteps is the composed form of the op: y and the last state.
func gatedSteps(at device.GatedDeltaAttr, xs []*Array) []*Array {
	specs := gatedDeltaSpecs(nil, xs)
	compute := specs[1].Dtype
	v := xs[2]
	steps, heads := v.shape[1], v.shape[2]
	group := heads / xs[0].shape[2]
	state := zeros(compute, specs[1].Shape)
	if at.HasState {
		state = AsType(xs[5], compute)
	}
	step := func(x *Array, t int) *Array { // without the axis of steps
		x = AsType(sliceAxis(x, 1, t, t+1), compute)
		return Reshape(x, slices.Delete(slices.Clone(x.shape), 1, 2))
	}
	shared := func(x *Array, t int) *Array { // (B, Hv, Dk, 1) of q or k
		x = unsqueeze(step(x, t), 2)
		shape := slices.Clone(x.shape)
		shape[2] = group
		return Reshape(BroadcastTo(x, shape), layout.Shape{x.shape[0], heads, x.shape[3], 1})
	}
	ys := make([]*Array, steps)
	for t := range steps {
		q, k := shared(xs[0], t), shared(xs[1], t)
		next := mul(state, unsqueeze(step(xs[3], t), 2))
		delta := mul(sub(unsqueeze(step(v, t), 3), matMul(next, k)), unsqueeze(unsqueeze(step(xs[4], t), 2), 3))
		next = add(next, mul(delta, swapLast(k)))
		y := Reshape(matMul(next, q), layout.Shape{v.shape[0], 1, heads, v.shape[3]})
		if at.HasMask {
			mask := sliceAxis(xs[len(xs)-1], 1, t, t+1)
			mask = unsqueeze(unsqueeze(mask, 2), 3)
			next, y = where(mask, next, state), where(mask, y, like(y, 0))
		}
		state, ys[t] = next, AsType(y, specs[0].Dtype)
	}
	return []*Array{joined("gated_delta_update", ys, 1), state}
}
