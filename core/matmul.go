package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

var matMulOp, addMMOp Def

func init() {
	cost := func(y *Array) int { return max(y.in[0].shape[len(y.in[0].shape)-1]/4, 1) }
	define(&matMulOp, Def{Name: "matmul", Specs: specsOfMatMul, Kind: device.KindMatMul, Cost: cost,
		VJP: func(y, ct *Array, want []bool) []*Array {
			a, b := y.in[0], y.in[1]
			out := make([]*Array, 2)
			if want[0] {
				out[0] = matMul(ct, swapLast(conj(b)))
			}
			if want[1] {
				out[1] = matMul(swapLast(conj(a)), ct)
			}
			return out
		},
		JVP: func(y *Array, t []*Array) *Array {
			var sum *Array
			if t[0] != nil {
				sum = matMul(t[0], y.in[1])
			}
			if t[1] != nil {
				if g := matMul(y.in[0], t[1]); sum != nil {
					sum = add(sum, g)
				} else {
					sum = g
				}
			}
			return sum
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			if mapped[0] && !mapped[1] && len(ins[1].shape) == 2 {
				// One matrix for all examples: their rows are simply more rows.
				a := ins[0]
				rows := Reshape(a, []int{a.Size() / max(a.shape[len(a.shape)-1], 1), a.shape[len(a.shape)-1]})
				if a.Size() > 0 {
					return Reshape(matMul(rows, ins[1]), withBatch(n, y.shape))
				}
			}
			xs := batchAll(ins, mapped, n)
			return matMul(xs[0], xs[1])
		},
	})
	define(&addMMOp, Def{Name: "addmm", Specs: specsOfMatMul, Kind: device.KindMatMul, Cost: cost,
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			at := y.attr.(device.MatMulAttr)
			xs := batchAll(ins, mapped, n)
			return newArray(&addMMOp, y.dtype, withBatch(n, y.shape), at, xs...)
		},
	})
	addMMOp.VJP, addMMOp.JVP = expanded(func(y *Array, xs []*Array) *Array {
		at := y.attr.(device.MatMulAttr)
		return add(mul(matMul(xs[0], xs[1]), like(y, float64(at.Alpha))), mul(xs[2], like(y, float64(at.Beta))))
	})
}

func init() {
	const two = "(a: array, b: array, /) -> array"
	register(
		Func{Name: "matmul", Sig: two,
			Call: callN(func(a *Args) *Array { x, y := a.pair(by.a, by.b); return MatMul("matmul", x, y) })},
		Func{Name: "addmm", Sig: "(c: array, a: array, b: array, /, alpha: float = 1.0, beta: float = 1.0) -> array",
			Call: callN(func(a *Args) *Array {
				return addMM(a.array(by.c), a.array(by.a), a.array(by.b), a.float(by.alpha), a.float(by.beta))
			})},
		Func{Name: "inner", Sig: two,
			Call: callN(func(a *Args) *Array {
				x, y := a.pair(by.a, by.b)
				if x.NDim() == 0 || y.NDim() == 0 {
					return mul(x, y)
				}
				return tensorDot("inner", x, y, []int{x.NDim() - 1}, []int{y.NDim() - 1})
			})},
		Func{Name: "outer", Sig: two,
			Call: callN(func(a *Args) *Array {
				x, y := a.pair(by.a, by.b)
				return mul(Reshape(x, []int{-1, 1}), Reshape(y, []int{1, -1}))
			})},
		Func{Name: "tensordot", Sig: "(a: array, b: array, /, axes: int | list[Sequence[int]] = 2) -> array",
			Call: callN(tensorDotCall)},
		Func{Name: "vecdot", Sig: "(a: array, b: array, /, axis: int = -1) -> array",
			Call: callN(func(a *Args) *Array {
				x, y := a.pair(by.a, by.b)
				p := mul(wide(conj(x)), wide(y))
				return narrowed(reduce(device.ReduceSum, p, []int{a.axis(by.axis, p.NDim())}), x)
			})},
		Func{Name: "kron", Sig: "(a: array, b: array) -> array",
			Call: callN(func(a *Args) *Array {
				x, y := a.pair(by.a, by.b)
				rank := max(x.NDim(), y.NDim())
				grow := func(z *Array) []int {
					return append(slices.Repeat([]int{1}, rank-z.NDim()), z.shape...)
				}
				sx, sy := grow(x), grow(y)
				var ax, ay, out []int
				for i := range rank {
					ax, ay = append(ax, sx[i], 1), append(ay, 1, sy[i])
					out = append(out, sx[i]*sy[i])
				}
				return Reshape(mul(Reshape(x, ax), Reshape(y, ay)), out)
			})},
	)
}

// swapLast transposes the last two axes.
func swapLast(x *Array) *Array {
	n := len(x.shape)
	perm := allAxes(n)
	perm[n-1], perm[n-2] = n-2, n-1
	return Transpose(x, perm)
}

// matMul multiplies (batch..., M, K) with (batch..., K, N); batch axes are equal, dtypes too.
func matMul(a, b *Array) *Array {
	n := len(a.shape)
	shape := slices.Clone(a.shape)
	shape[n-1] = b.shape[n-1]
	return newArray(&matMulOp, a.dtype, shape, device.MatMulAttr{Alpha: 1, Beta: 0}, a, b)
}

// matOperands checks and prepares the factors of op: inexact, at least 2-D, batch axes equal.
func matOperands(op string, a, b *Array) (*Array, *Array) {
	if !a.dtype.IsInexact() {
		errs.Throw(errs.ValueError, "[%s] only inexact dtypes are supported, not %s", op, a.dtype)
	}
	if len(a.shape) == 0 || len(b.shape) == 0 {
		errs.Throw(errs.ValueError, "[%s] arguments must have at least one axis, not shapes %s and %s", op,
			layout.Format(a.shape), layout.Format(b.shape))
	}
	x, y := a, b
	if len(a.shape) == 1 {
		x = Reshape(a, []int{1, a.shape[0]})
	}
	if len(b.shape) == 1 {
		y = Reshape(b, []int{b.shape[0], 1})
	}
	p, q := len(x.shape), len(y.shape)
	if x.shape[p-1] != y.shape[q-2] {
		errs.Throw(errs.ValueError, "[%s] the last axis of shape %s must match the second to last axis of shape %s", op,
			layout.Format(a.shape), layout.Format(b.shape))
	}
	if p > 2 || q > 2 {
		batch, ok := layout.Broadcast(x.shape[:p-2], y.shape[:q-2])
		if !ok {
			errs.Throw(errs.ValueError, "[%s] the leading axes of shapes %s and %s cannot be broadcast", op,
				layout.Format(a.shape), layout.Format(b.shape))
		}
		x = BroadcastTo(x, append(slices.Clone(batch), x.shape[p-2:]...))
		y = BroadcastTo(y, append(slices.Clone(batch), y.shape[q-2:]...))
	}
	return x, y
}

// matShape drops from a product's shape the axes that 1-D factors were given.
func matShape(out, a, b layout.Shape) layout.Shape {
	n := len(out)
	switch {
	case len(a) == 1 && len(b) == 1:
		return out[: n-2 : n-2]
	case len(a) == 1:
		return append(slices.Clone(out[:n-2]), out[n-1])
	case len(b) == 1:
		return out[: n-1 : n-1]
	}
	return out
}

// MatMul is the matrix product of arrays of one dtype.
func MatMul(op string, a, b *Array) *Array {
	if len(b.shape) == 2 && len(a.shape) > 2 && a.dtype.IsInexact() && a.shape[len(a.shape)-1] == b.shape[0] &&
		a.Size() > 0 {
		// A batch of rows against one matrix is one product.
		rows := Reshape(a, []int{-1, b.shape[0]})
		shape := append(slices.Clone(a.shape[:len(a.shape)-1]), b.shape[1])
		return Reshape(matMul(rows, b), shape)
	}
	x, y := matOperands(op, a, b)
	z := matMul(x, y)
	if len(a.shape) == 1 || len(b.shape) == 1 {
		z = Reshape(z, matShape(z.shape, a.shape, b.shape))
	}
	return z
}

func addMM(c, a, b *Array, alpha, beta float64) *Array {
	d := dtype.Promote(dtype.Promote(a.dtype, b.dtype), c.dtype)
	a, b, c = AsType(a, d), AsType(b, d), AsType(c, d)
	x, y := matOperands("addmm", a, b)
	out := append(slices.Clone(x.shape[:len(x.shape)-1]), y.shape[len(y.shape)-1])
	want := matShape(out, a.shape, b.shape)
	if !layout.CanBroadcastTo(c.shape, want) {
		errs.Throw(errs.ValueError, "[addmm] c of shape %s cannot be broadcast to the shape %s of the product",
			layout.Format(c.shape), layout.Format(want))
	}
	z := newArray(&addMMOp, d, out, device.MatMulAttr{Alpha: float32(alpha), Beta: float32(beta)}, x, y,
		Reshape(BroadcastTo(c, want), out))
	return Reshape(z, want)
}

func tensorDotCall(a *Args) *Array {
	x, y := a.pair(by.a, by.b)
	if arg := a.arg(by.axes); arg.Kind == ArgList {
		if len(arg.List) != 2 {
			errs.Throw(errs.ValueError, "[tensordot] axes must be an integer or a pair of lists")
		}
		ax, _ := a.integers(&arg.List[0], by.axes)
		ay, _ := a.integers(&arg.List[1], by.axes)
		for i := range ax {
			ax[i] = normAxis("tensordot", ax[i], x.NDim())
		}
		for i := range ay {
			ay[i] = normAxis("tensordot", ay[i], y.NDim())
		}
		return tensorDot("tensordot", x, y, ax, ay)
	}
	n := a.int(by.axes)
	if n < 0 || n > x.NDim() || n > y.NDim() {
		errs.Throw(errs.ValueError, "[tensordot] cannot contract %d axes of shapes %s and %s", n,
			layout.Format(x.shape), layout.Format(y.shape))
	}
	var ax []int
	for i := range n {
		ax = append(ax, x.NDim()-n+i)
	}
	return tensorDot("tensordot", x, y, ax, allAxes(n))
}

// tensorDot contracts axes ax of x with axes ay of y.
func tensorDot(op string, x, y *Array, ax, ay []int) *Array {
	if len(ax) != len(ay) {
		errs.Throw(errs.ValueError, "[%s] axes must come in pairs, not %d and %d", op, len(ax), len(ay))
	}
	var restX, restY, shape []int
	k := 1
	for i := range ax {
		if x.shape[ax[i]] != y.shape[ay[i]] {
			errs.Throw(errs.ValueError, "[%s] axis %d of shape %s does not match axis %d of shape %s", op, ax[i],
				layout.Format(x.shape), ay[i], layout.Format(y.shape))
		}
		k *= x.shape[ax[i]]
	}
	m, n := 1, 1
	for i, d := range x.shape {
		if !slices.Contains(ax, i) {
			restX, shape, m = append(restX, i), append(shape, d), m*d
		}
	}
	for i, d := range y.shape {
		if !slices.Contains(ay, i) {
			restY, shape, n = append(restY, i), append(shape, d), n*d
		}
	}
	left := Reshape(Transpose(x, append(restX, ax...)), []int{m, k})
	right := Reshape(Transpose(y, append(slices.Clone(ay), restY...)), []int{k, n})
	return Reshape(MatMul(op, left, right), shape)
}
