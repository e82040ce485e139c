package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Quantized matrices: groups of elements along the last axis share a scale, in the affine mode a bias too, and each
// element is a code of few bits in a stream of uint32 words. What primitives do with them is in quantize_rules.go.

// quantizeModes are the modes by number: their names, and what group_size and bits are if not given. Those of all but
// the affine mode are fixed.
var quantizeModes = [device.QuantizeModeCount]struct {
	name            string
	groupSize, bits int
}{{"affine", 64, 4}, {"mxfp4", 32, 4}, {"mxfp8", 32, 8}, {"nvfp4", 16, 4}}

func init() {
	const words = "(x: array, w: array, /, scales: array, biases: array | None = None, "
	const how = "group_size: int | None = None, bits: int | None = None, mode: str = 'affine'"
	const indices = "lhs_indices: array | None = None, rhs_indices: array | None = None, "
	register(
		Func{Name: "quantize", Sig: "(w: array, /, " + how + ", *, global_scale: array | None = None) -> " +
			"tuple[array, ...]", Call: quantizeCall},
		Func{Name: "dequantize", Sig: "(w: array, /, scales: array, biases: array | None = None, " + how +
			", global_scale: array | None = None, dtype: Dtype | None = None) -> array", Call: callN(dequantizeCall)},
		Func{Name: "quantized_matmul", Sig: words + "transpose: bool = True, " + how + ") -> array",
			Call: callN(quantizedMatMulCall)},
		Func{Name: "gather_qmm", Sig: words + indices + "transpose: bool = True, " + how +
			", global_scale: array | None = None, *, sorted_indices: bool = False) -> array", Call: callN(gatherQMM)},
	)
}

// quantizeAttr reads mode, group_size and bits.
func (a *Args) quantizeAttr() device.QuantizeAttr {
	name := a.string(by.mode)
	mode := slices.IndexFunc(quantizeModes[:], func(m struct {
		name            string
		groupSize, bits int
	}) bool {
		return m.name == name
	})
	if mode < 0 {
		errs.Throw(errs.ValueError, "[%s] mode must be 'affine', 'mxfp4', 'mxfp8' or 'nvfp4', not '%s'", a.name(), name)
	}
	m := quantizeModes[mode]
	at := device.QuantizeAttr{Mode: device.QuantizeMode(mode), GroupSize: a.intOr(by.groupSize, m.groupSize),
		Bits: a.intOr(by.bits, m.bits)}
	switch {
	case at.Mode != device.QuantizeAffine:
		if at.GroupSize != m.groupSize || at.Bits != m.bits {
			errs.Throw(errs.ValueError, "[%s] mode '%s' has groups of %d and %d bits, not groups of %d and %d bits",
				a.name(), name, m.groupSize, m.bits, at.GroupSize, at.Bits)
		}
	case !slices.Contains([]int{32, 64, 128}, at.GroupSize):
		errs.Throw(errs.ValueError, "[%s] group_size must be 32, 64 or 128, not %d", a.name(), at.GroupSize)
	case !slices.Contains([]int{1, 2, 3, 4, 5, 6, 8}, at.Bits):
		errs.Throw(errs.ValueError, "[%s] bits must be 1, 2, 3, 4, 5, 6 or 8, not %d", a.name(), at.Bits)
	}
	return at
}

// globalScale is the argument of that name as a float32 scalar, or nil.
func (a *Args) globalScale(p param, at device.QuantizeAttr) *Array {
	g := a.optional(p)
	switch {
	case g == nil:
		return nil
	case at.Mode != device.QuantizeNVFP4:
		errs.Throw(errs.ValueError, "[%s] %s is for mode 'nvfp4' only, not '%s'", a.name(), parameterNames[p],
			quantizeModes[at.Mode].name)
	case g.Size() != 1 || !(g.dtype.IsFloat() || g.dtype.IsInteger()):
		errs.Throw(errs.ValueError, "[%s] %s must be one real number, not %s of shape %s", a.name(), parameterNames[p],
			g.dtype, layout.Format(g.shape))
	}
	return AsType(Reshape(g, nil), dtype.Float32)
}

// quantizable reports whether kernels quantize and multiply d.
func quantizable(d dtype.Dtype) bool { return d == dtype.Float32 || d.IsHalf() }

func quantizeCall(a *Args) []*Array {
	at, x := a.quantizeAttr(), a.array(by.w)
	checkQuantizable(a.name(), x, at)
	return quantize(x, a.globalScale(by.globalScale, at), at)
}

func checkQuantizable(op string, x *Array, at device.QuantizeAttr) {
	n := len(x.shape)
	switch {
	case !quantizable(x.dtype):
		errs.Throw(errs.ValueError, "[%s] only float32, float16 and bfloat16 are quantized, not %s", op, x.dtype)
	case n < 2:
		errs.Throw(errs.ValueError, "[%s] a matrix must have at least two axes, not shape %s", op,
			layout.Format(x.shape))
	case x.shape[n-1]%at.GroupSize != 0:
		errs.Throw(errs.ValueError, "[%s] the last axis of shape %s must be a multiple of group_size %d", op,
			layout.Format(x.shape), at.GroupSize)
	}
}

// packed is a quantized matrix: words, scales, and the biases that the affine mode has.
type packed struct {
	w, scales, biases *Array
	at                device.QuantizeAttr
}

// packed reads and checks the arguments w, scales and biases.
func (a *Args) packed() *packed {
	p := &packed{a.array(by.w), a.array(by.scales), a.optional(by.biases), a.quantizeAttr()}
	p.check(a.name())
	return p
}

func (p *packed) check(op string) {
	mode, affine := quantizeModes[p.at.Mode].name, p.at.Mode == device.QuantizeAffine
	n := len(p.w.shape)
	switch {
	case affine && p.biases == nil:
		errs.Throw(errs.ValueError, "[%s] mode 'affine' needs biases", op)
	case !affine && p.biases != nil:
		errs.Throw(errs.ValueError, "[%s] mode '%s' has no biases", op, mode)
	case affine && !(p.scales.dtype.IsFloat() && p.biases.dtype.IsFloat()):
		errs.Throw(errs.ValueError, "[%s] scales and biases must be real floating point numbers, not %s and %s", op,
			p.scales.dtype, p.biases.dtype)
	case !affine && p.scales.dtype != dtype.Uint8:
		errs.Throw(errs.ValueError, "[%s] scales of mode '%s' must be uint8, not %s", op, mode, p.scales.dtype)
	case p.w.dtype != dtype.Uint32:
		errs.Throw(errs.ValueError, "[%s] a quantized matrix must be uint32 words, not %s", op, p.w.dtype)
	case n < 2:
		errs.Throw(errs.ValueError, "[%s] a quantized matrix must have at least two axes, not shape %s", op,
			layout.Format(p.w.shape))
	}
	s := p.scales.shape
	if len(s) != n || !layout.Equal(s[:n-1], p.w.shape[:n-1]) || p.w.shape[n-1]*32 != s[n-1]*p.at.GroupSize*p.at.Bits {
		errs.Throw(errs.ValueError, "[%s] words of shape %s and scales of shape %s do not fit together for group_size "+
			"%d and bits %d", op, layout.Format(p.w.shape), layout.Format(s), p.at.GroupSize, p.at.Bits)
	}
	if affine && !layout.Equal(p.biases.shape, s) {
		errs.Throw(errs.ValueError, "[%s] biases of shape %s must have the shape %s of scales", op,
			layout.Format(p.biases.shape), layout.Format(s))
	}
}

// params are scales and biases as inputs of a kernel for results of dtype d.
func (p *packed) params(d dtype.Dtype) []*Array {
	if p.biases == nil {
		return []*Array{p.scales}
	}
	return []*Array{AsType(p.scales, d), AsType(p.biases, d)}
}

// each applies f to all arrays of p.
func (p *packed) each(f func(x *Array) *Array) *packed {
	q := &packed{f(p.w), f(p.scales), nil, p.at}
	if p.biases != nil {
		q.biases = f(p.biases)
	}
	return q
}

func dequantizeCall(a *Args) *Array {
	const op = "dequantize"
	p := a.packed()
	global := a.globalScale(by.globalScale, p.at)
	d := dtype.BFloat16
	switch {
	case p.biases != nil:
		d = dtype.Promote(p.scales.dtype, p.biases.dtype)
	case global != nil:
		d = dtype.Float32
	}
	to := a.dtypeOr(by.dtype, d)
	if !to.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] results are real floating point numbers, not %s", op, to)
	}
	if p.biases == nil {
		d = to
	}
	return AsType(dequantize(p, global, d), to)
}

func quantizedMatMulCall(a *Args) *Array {
	const op = "quantized_matmul"
	x, p, transpose := a.array(by.x), a.packed(), a.bool(by.transpose)
	x, vector := quantizedOperand(op, x, p, transpose)
	y := quantizedProduct(op, x, p, transpose)
	if vector {
		n := len(y.shape)
		return Reshape(y, append(slices.Clone(y.shape[:n-2]), y.shape[n-1]))
	}
	return y
}

// quantizedOperand checks the first factor against the quantized one and gives it the dtype of the product. A vector
// becomes a row.
func quantizedOperand(op string, x *Array, p *packed, transpose bool) (row *Array, vector bool) {
	d := x.dtype
	if p.biases != nil {
		d = dtype.Promote(d, dtype.Promote(p.scales.dtype, p.biases.dtype))
	}
	if !quantizable(d) {
		errs.Throw(errs.ValueError, "[%s] only products of float32, float16 and bfloat16 are computed, not of %s", op,
			d)
	}
	if len(x.shape) == 0 {
		errs.Throw(errs.ValueError, "[%s] the first factor must have at least one axis", op)
	}
	if inner, _ := p.matrix(transpose); x.shape[len(x.shape)-1] != inner {
		errs.Throw(errs.ValueError, "[%s] the last axis of shape %s must be %d long for words of shape %s, group_size "+
			"%d, bits %d and transpose=%t", op, layout.Format(x.shape), inner, layout.Format(p.w.shape), p.at.GroupSize,
			p.at.Bits, transpose)
	}
	x = AsType(x, d)
	if len(x.shape) == 1 {
		return unsqueeze(x, 0), true
	}
	return x, false
}

// matrix is how many rows and columns the second factor has.
func (p *packed) matrix(transpose bool) (inner, outer int) {
	n := len(p.w.shape)
	inner, outer = p.w.shape[n-2], p.w.shape[n-1]*32/p.at.Bits
	if transpose {
		return outer, inner
	}
	return inner, outer
}

// quantizedProduct multiplies x (batch..., M, K) with the matrices p, whose batch axes broadcast with those of x.
func quantizedProduct(op string, x *Array, p *packed, transpose bool) *Array {
	n, m := len(x.shape), len(p.w.shape)
	at := device.QuantizedMatMulAttr{QuantizeAttr: p.at, Transpose: transpose}
	if m == 2 {
		// A batch of rows against one matrix is one product.
		rows := layout.Size(x.shape[:n-1])
		y := quantizedMatMul(at, Reshape(x, []int{rows, x.shape[n-1]}), p, nil)
		return Reshape(y, append(slices.Clone(x.shape[:n-1]), y.shape[1]))
	}
	batch, ok := layout.Broadcast(x.shape[:n-2], p.w.shape[:m-2])
	if !ok {
		errs.Throw(errs.ValueError, "[%s] the leading axes of shapes %s and %s cannot be broadcast", op,
			layout.Format(x.shape), layout.Format(p.w.shape))
	}
	spread := func(x *Array) *Array {
		return BroadcastTo(x, slices.Concat(batch, x.shape[len(x.shape)-2:]))
	}
	return quantizedMatMul(at, spread(x), p.each(spread), nil)
}

func gatherQMM(args *Args) *Array {
	const op = "gather_qmm"
	x, p, transpose := args.array(by.x), args.packed(), args.bool(by.transpose)
	if len(x.shape) < 2 {
		errs.Throw(errs.ValueError, "[%s] x must have at least two axes, not shape %s", op, layout.Format(x.shape))
	}
	x, _ = quantizedOperand(op, x, p, transpose)
	y := gatherQuantized(op, x, p, transpose, args.optional(by.lhsIndices), args.optional(by.rhsIndices))
	if g := args.globalScale(by.globalScale, p.at); g != nil {
		y = AsType(mul(wide(y), div(g, like(g, nvfp4Range))), y.dtype)
	}
	return y
}

// nvfp4Range is what a global scale of 1 makes of the largest code with the largest scale.
const nvfp4Range = 448 * 6

// gatherQuantized multiplies the matrices of x with those of p that indices name, as gather_mm does.
func gatherQuantized(op string, x *Array, p *packed, transpose bool, left, right *Array) *Array {
	for _, index := range []*Array{left, right} {
		if index != nil {
			checkIndices(op, []*Array{index})
		}
	}
	if left == nil && right == nil {
		return quantizedProduct(op, x, p, transpose)
	}
	list := func(z *Array) *Array {
		n := len(z.shape) - 2
		return Reshape(z, withBatch(layout.Size(z.shape[:n]), z.shape[n:]))
	}
	matrices := p.w.shape[:len(p.w.shape)-2]
	q := p.each(list)
	if right == nil {
		right = Reshape(arange(dtype.Int32, layout.Size(matrices)), matrices)
	}
	if left != nil {
		m := x.shape[len(x.shape)-2:]
		checkNonempty(op, list(x), []*Array{left}, []int{0})
		x = Reshape(gather(list(x), []*Array{left}, []int{0}, withBatch(1, m)), slices.Concat(left.shape, m))
	}
	batch, ok := layout.Broadcast(x.shape[:len(x.shape)-2], right.shape)
	if !ok {
		errs.Throw(errs.ValueError, "[%s] batch or index shapes %s and %s cannot be broadcast", op,
			layout.Format(x.shape[:len(x.shape)-2]), layout.Format(right.shape))
	}
	checkNonempty(op, q.w, []*Array{right}, []int{0})
	x = BroadcastTo(x, slices.Concat(batch, x.shape[len(x.shape)-2:]))
	at := device.QuantizedMatMulAttr{QuantizeAttr: p.at, Transpose: transpose, Gathered: true}
	return quantizedMatMul(at, x, q, BroadcastTo(right, batch))
}
