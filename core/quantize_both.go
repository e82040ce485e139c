package core

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Products of which both factors are quantized: what is multiplied are the values that the codes stand for. Numbers of
// eight bits (E4M3) by themselves.

// straightOp gives its first input, and its derivative is that of its second: for values rounded from it.
var straightOp Def

func init() {
	define(&straightOp, Def{Name: "straight_through", Specs: shapedAs(0), View: sameMemory,
		VJP: func(y, ct *Array, _ []bool) []*Array { return []*Array{nil, ct} },
		JVP: func(y *Array, t []*Array) *Array { return t[1] },
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			return newArray(&straightOp, y.dtype, withBatch(n, y.shape), nil, batchAll(ins, mapped, n)...)
		},
	})
	const how = "group_size: int | None = None, bits: int | None = None, mode: str = 'nvfp4', " +
		"global_scale_x: array | None = None, global_scale_w: array | None = None"
	register(
		Func{Name: "qqmm", Sig: "(x: array, w: array, scales: array | None = None, " + how + ") -> array",
			Call: callN(func(a *Args) *Array { return bothQuantized(a, nil, nil) })},
		Func{Name: "gather_qqmm", Sig: "(x: array, w: array, /, scales: array | None = None, " +
			"lhs_indices: array | None = None, rhs_indices: array | None = None, " + how +
			", *, sorted_indices: bool = False) -> array",
			Call: callN(func(a *Args) *Array {
				return bothQuantized(a, a.optional(by.lhsIndices), a.optional(by.rhsIndices))
			})},
		Func{Name: "to_fp8", Sig: "(x: array) -> array",
			Call: callN(func(a *Args) *Array { return toFP8(a.array(by.x)) })},
		Func{Name: "from_fp8", Sig: "(x: array, dtype: Dtype = bfloat16) -> array",
			Call: callN(func(a *Args) *Array { return fromFP8(a.array(by.x), a.dtype(by.dtype)) })},
	)
}

// roundTrip is x, quantized and given back in float32. Its gradient is passed on as if nothing had been rounded.
func roundTrip(x, global *Array, at device.QuantizeAttr) *Array {
	parts := quantize(x, global, at)
	y := dequantize(&packed{parts[0], parts[1], nil, at}, global, dtype.Float32)
	return newArray(&straightOp, y.dtype, y.shape, nil, y, wide(x))
}

func bothQuantized(a *Args, left, right *Array) *Array {
	op, at := a.name(), a.quantizeAttr()
	if at.Mode == device.QuantizeAffine {
		errs.Throw(errs.ValueError, "[%s] mode must be 'nvfp4', 'mxfp8' or 'mxfp4', not 'affine'", op)
	}
	gx, gw := a.globalScale(by.globalScaleX, at), a.globalScale(by.globalScaleW, at)
	if (gx == nil) != (gw == nil) {
		errs.Throw(errs.ValueError, "[%s] global_scale_x and global_scale_w must be given together", op)
	}
	x, w := a.array(by.x), a.array(by.w)
	vector := len(x.shape) == 1
	if vector {
		x = unsqueeze(x, 0)
	}
	checkQuantizable(op, x, at)
	rounded := roundTrip(x, gx, at)
	var y *Array
	if scales := a.optional(by.scales); scales != nil {
		p := &packed{w, scales, nil, at}
		p.check(op)
		quantizedOperand(op, x, p, true)
		if y = gatherQuantized(op, rounded, p, true, left, right); gw != nil {
			y = mul(y, div(gw, like(gw, nvfp4Range)))
		}
	} else {
		checkQuantizable(op, w, at)
		if n := len(x.shape) - 1; x.shape[n] != w.shape[len(w.shape)-1] {
			errs.Throw(errs.ValueError, "[%s] the last axes of shapes %s and %s must be equal", op,
				layout.Format(x.shape), layout.Format(w.shape))
		}
		y = gatherProduct(op, rounded, swapLast(roundTrip(w, gw, at)), left, right)
	}
	y = AsType(y, x.dtype)
	if vector {
		n := len(y.shape)
		y = Reshape(y, dropAxes(y.shape, n-2))
	}
	return y
}

// fromFP8 gives the numbers of E4M3 codes. As a float16 the bits stand for 2^-8 times as much.
func fromFP8(x *Array, d dtype.Dtype) *Array {
	switch {
	case x.dtype != dtype.Uint8:
		errs.Throw(errs.ValueError, "[from_fp8] codes must be uint8, not %s", x.dtype)
	case !d.IsFloat():
		errs.Throw(errs.ValueError, "[from_fp8] results are real floating point numbers, not %s", d)
	}
	u := func(v int64) *Array { return intScalar(dtype.Uint16, v) }
	code := AsType(x, dtype.Uint16)
	magnitude := apply("bitwise_and", code, u(127))
	sign := apply("left_shift", apply("bitwise_and", code, u(128)), u(8))
	number := apply("bitwise_or", sign, apply("left_shift", magnitude, u(7)))
	number = where(apply("equal", magnitude, u(127)), u(0x7e00), number) // NaN
	y := AsType(Bitcast(number, dtype.Float16), dtype.Float32)
	return AsType(mul(y, like(y, 256)), d)
}

// toFP8 rounds to E4M3, ties to even. What is larger than its largest number, 448, becomes that, and so do NaNs.
func toFP8(x *Array) *Array {
	if !x.dtype.IsFloat() {
		errs.Throw(errs.ValueError, "[to_fp8] only real floating point numbers are converted, not %s", x.dtype)
	}
	u := func(v int64) *Array { return intScalar(dtype.Uint32, v) }
	f := StopGradient(AsType(x, dtype.Float32))
	bits, magnitude := Bitcast(f, dtype.Uint32), apply("abs", f)
	sign := apply("bitwise_and", apply("right_shift", bits, u(24)), u(128))
	b := apply("bitwise_and", bits, u(0x7fffffff))
	odd := apply("bitwise_and", apply("right_shift", b, u(20)), u(1))
	rounded := apply("right_shift", add(add(b, u(0x7ffff)), odd), u(20))
	normal := sub(rounded, u(120<<3))
	least := AsType(apply("rint", mul(apply("minimum", magnitude, like(f, 1)), like(f, 512))), dtype.Uint32)
	code := where(apply("less", magnitude, like(f, 1.0/64)), least, normal)
	code = where(apply("less", magnitude, like(f, 448)), code, u(126))
	return AsType(apply("bitwise_or", code, sign), dtype.Uint8)
}
