package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// The primitives of quantized matrices. Words have no derivatives, nor have scales of eight bits: of these modes only
// the other factor of a product does.

var quantizeOp, dequantizeOp, quantizedMatMulOp Def

func init() {
	define(&quantizeOp, Def{Name: "quantize", Kind: device.KindQuantize, Specs: specsOfQuantize, Launch: launchQuantize,
		Cost: func(*Array) int { return 16 },
		Several: &Several{VJP: vjpQuantize, JVP: jvpQuantize,
			VMap: func(_ *Walk, y *Array, ins []*Array, mapped []bool, n int, then func([]*Array)) {
				xs := batchAll(ins, mapped, n)
				then(quantize(xs[0], optionalInput(xs, 1), y.attr.(device.QuantizeAttr)))
			},
		},
	})
	define(&dequantizeOp, Def{Name: "dequantize", Kind: device.KindDequantize,
		Cost:  func(*Array) int { return 2 },
		Specs: func(y *Array, ins []*Array) []Spec { return oneSpec(y.dtype, dequantizedShape(y, ins)) },
		VJP: func(y, ct *Array, want []bool) []*Array {
			at, out := y.attr.(device.QuantizeAttr), make([]*Array, len(y.inputs()))
			if at.Mode != device.QuantizeAffine {
				return out
			}
			copy(out[1:], byGroup(wide(ct), y.in[0], at, y.in[1], want[1:]))
			return out
		},
		JVP: func(y *Array, t []*Array) *Array {
			at := y.attr.(device.QuantizeAttr)
			if at.Mode != device.QuantizeAffine {
				return nil
			}
			p := &packed{y.in[0], orZeros(t[1], y.in[1]), orZeros(t[2], y.in[2]), at}
			return dequantize(p, nil, y.dtype)
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			return newArray(&dequantizeOp, y.dtype, withBatch(n, y.shape), y.attr, batchAll(ins, mapped, n)...)
		},
	})
	define(&quantizedMatMulOp, Def{Name: "quantized_matmul", Kind: device.KindQuantizedMatMul,
		NameOf: func(at any) string {
			if at.(device.QuantizedMatMulAttr).Gathered {
				return "gather_qmm"
			}
			return "quantized_matmul"
		},
		Cost: func(y *Array) int {
			x := y.inputs()[0].shape
			return max(x[len(x)-1]/4, 1)
		},
		Specs: func(y *Array, ins []*Array) []Spec {
			at, x := y.attr.(device.QuantizedMatMulAttr), ins[0]
			return oneSpec(x.dtype, quantizedShape(at, x, ins[1]))
		},
		VJP:  vjpQuantizedMatMul,
		JVP:  jvpQuantizedMatMul,
		VMap: vmapQuantizedMatMul,
	})
}

// optionalInput is input i, or nil.
func optionalInput(ins []*Array, i int) *Array {
	if i < len(ins) {
		return ins[i]
	}
	return nil
}

// present are the arrays that are not nil.
func present(xs ...*Array) []*Array {
	return slices.DeleteFunc(xs, func(x *Array) bool { return x == nil })
}

// quantize gives words, scales, and in the affine mode biases. A global scale has an element for each example along the
// first axes of x, which are as many as it has itself.
func quantize(x, global *Array, at device.QuantizeAttr) []*Array {
	return several(&quantizeOp, at, quantizeSpecs(x, at), present(x, global)...)
}

func quantizeSpecs(x *Array, at device.QuantizeAttr) []Spec {
	n := len(x.shape) - 1
	of := func(d dtype.Dtype, extent int) Spec { return Spec{d, append(slices.Clone(x.shape[:n]), extent)} }
	words, groups := x.shape[n]*at.Bits/32, x.shape[n]/at.GroupSize
	if at.Mode != device.QuantizeAffine {
		return []Spec{of(dtype.Uint32, words), of(dtype.Uint8, groups)}
	}
	return []Spec{of(dtype.Uint32, words), of(x.dtype, groups), of(x.dtype, groups)}
}

func specsOfQuantize(y *Array, ins []*Array) []Spec {
	return quantizeSpecs(ins[0], y.attr.(device.QuantizeAttr))
}

func launchQuantize(e *exec, y *Array) *errs.Error {
	specs := specsOfQuantize(y, y.inputs())
	if err := e.allocateResults(y, specs); err != nil {
		return err
	}
	k := &device.Kernel{Kind: device.KindQuantize, Op: y.opName(), Attr: y.attr}
	for i, s := range specs {
		k.Out = append(k.Out, e.outputIn(y.buf.parts[i], s.Dtype, s.Shape, layout.Strides(s.Shape), 0))
	}
	for _, x := range y.inputs() {
		k.In = append(k.In, e.tensor(x))
	}
	return e.launch(k)
}

// affineParams are the scales and biases of x as functions of it, in float32: see quantizeAffine in
// backends/reference, which says it for numbers. Rounding has no derivative.
func affineParams(x *Array, at device.QuantizeAttr) (scales, biases *Array) {
	n := len(x.shape)
	g := Reshape(wide(x), append(slices.Clone(x.shape[:n-1]), x.shape[n-1]/at.GroupSize, at.GroupSize))
	low, high := reduce(device.ReduceMin, g, []int{n}), reduce(device.ReduceMax, g, []int{n})
	span := apply("maximum", div(sub(high, low), like(g, float64(int(1)<<at.Bits-1))), like(g, 1e-7))
	if at.Bits == 1 {
		return span, low
	}
	fromLow := apply("greater", apply("abs", low), apply("abs", high))
	step := where(fromLow, span, apply("negative", span))
	edge := where(fromLow, low, high)
	steps := apply("rint", div(edge, step))
	off := apply("not_equal", steps, like(steps, 0))
	return where(off, div(edge, where(off, steps, like(steps, 1))), step), where(off, edge, like(edge, 0))
}

func vjpQuantize(_ *Walk, y *Array, results []result, want []bool, then func([]*Array)) {
	at, grads := y.attr.(device.QuantizeAttr), make([]*Array, len(y.inputs()))
	if at.Mode == device.QuantizeAffine && want[0] && len(results) > 1 {
		x := Tracers(y.inputs()[:1])
		scales, biases := affineParams(x[0], at)
		var outs, cts []*Array
		for i, z := range []*Array{scales, biases} {
			if i+1 < len(results) && results[i+1].ct != nil {
				outs, cts = append(outs, z), append(cts, wide(results[i+1].ct))
			}
		}
		if len(outs) > 0 {
			grads[0] = AsType(VJP(outs, x, cts)[0], y.inputs()[0].dtype)
		}
	}
	then(grads)
}

func jvpQuantize(_ *Walk, y *Array, tangents []*Array, then func([]*Array)) {
	at := y.attr.(device.QuantizeAttr)
	out := make([]*Array, len(specsOfQuantize(y, y.inputs())))
	if at.Mode == device.QuantizeAffine && tangents[0] != nil {
		x := Tracers(y.inputs()[:1])
		scales, biases := affineParams(x[0], at)
		for i, t := range JVP([]*Array{scales, biases}, x, tangents[:1]) {
			if t != nil {
				out[i+1] = AsType(t, y.inputs()[0].dtype)
			}
		}
	}
	then(out)
}

// dequantize gives the values of p in dtype d, that of scales and biases in the affine mode.
func dequantize(p *packed, global *Array, d dtype.Dtype) *Array {
	ins := append(append([]*Array{p.w}, p.params(d)...), present(global)...)
	n := len(p.w.shape) - 1
	shape := append(slices.Clone(p.w.shape[:n]), p.w.shape[n]*32/p.at.Bits)
	return newArray(&dequantizeOp, d, shape, p.at, ins...)
}

func dequantizedShape(y *Array, ins []*Array) layout.Shape {
	n := len(ins[0].shape) - 1
	return append(slices.Clone(ins[0].shape[:n]), ins[0].shape[n]*32/y.attr.(device.QuantizeAttr).Bits)
}

// byGroup are the gradients of scales and biases for the gradient ct, of float32, of the values that they stand for:
// each of its elements moves its bias by as much, and its scale by its code.
func byGroup(ct, words *Array, at device.QuantizeAttr, scales *Array, want []bool) []*Array {
	n := len(ct.shape)
	shape := append(slices.Clone(ct.shape[:n-1]), ct.shape[n-1]/at.GroupSize, at.GroupSize)
	out := make([]*Array, 2)
	sum := func(x *Array) *Array {
		return AsType(reduce(device.ReduceSum, Reshape(x, shape), []int{n}), scales.dtype)
	}
	if want[0] {
		one := BroadcastTo(scalarOf(dtype.Float32, 1), scales.shape)
		codes := dequantize(&packed{words, one, zerosLike(one), at}, nil, dtype.Float32)
		out[0] = sum(mul(ct, codes))
	}
	if want[1] {
		out[1] = sum(ct)
	}
	return out
}

// quantizedMatMul is a product of one dtype; index is nil unless at says that it is gathered.
func quantizedMatMul(at device.QuantizedMatMulAttr, x *Array, p *packed, index *Array) *Array {
	ins := append(append([]*Array{x, p.w}, p.params(x.dtype)...), present(index)...)
	return newArray(&quantizedMatMulOp, x.dtype, quantizedShape(at, x, p.w), at, ins...)
}

func quantizedShape(at device.QuantizedMatMulAttr, x, w *Array) layout.Shape {
	n, columns := len(w.shape), w.shape[len(w.shape)-2]
	if !at.Transpose {
		columns = w.shape[n-1] * 32 / at.Bits
	}
	return append(slices.Clone(x.shape[:len(x.shape)-1]), columns)
}

// quantizedFactors are the second factor of y and the index.
func quantizedFactors(y *Array) (p *packed, index *Array) {
	at, ins := y.attr.(device.QuantizedMatMulAttr), y.inputs()
	p = &packed{ins[1], ins[2], nil, at.QuantizeAttr}
	if at.Mode == device.QuantizeAffine {
		p.biases = ins[3]
	}
	if at.Gathered {
		index = ins[len(ins)-1]
	}
	return p, index
}

func vjpQuantizedMatMul(y, ct *Array, want []bool) []*Array {
	at, x := y.attr.(device.QuantizedMatMulAttr), y.inputs()[0]
	p, index := quantizedFactors(y)
	out := make([]*Array, len(y.inputs()))
	if want[0] {
		back := at
		back.Transpose = !at.Transpose
		out[0] = quantizedMatMul(back, ct, p, index)
	}
	if at.Mode != device.QuantizeAffine || !want[2] && !want[3] {
		return out
	}
	var g *Array // of the second factor: inner axis, columns
	if wx, wct := wide(x), wide(ct); at.Gathered {
		g = sumByIndex(wx, wct, index, p.w)
	} else {
		g = matMul(swapLast(wx), wct)
	}
	if at.Transpose {
		g = swapLast(g)
	}
	copy(out[2:], byGroup(g, p.w, at.QuantizeAttr, p.scales, want[2:4]))
	return out
}

func jvpQuantizedMatMul(y *Array, t []*Array) *Array {
	at := y.attr.(device.QuantizedMatMulAttr)
	p, index := quantizedFactors(y)
	var sum *Array
	if t[0] != nil {
		sum = quantizedMatMul(at, t[0], p, index)
	}
	if at.Mode == device.QuantizeAffine && (t[2] != nil || t[3] != nil) {
		moved := &packed{p.w, orZeros(t[2], p.scales), orZeros(t[3], p.biases), p.at}
		if z := quantizedMatMul(at, y.inputs()[0], moved, index); sum == nil {
			sum = z
		} else {
			sum = add(sum, z)
		}
	}
	return sum
}

func vmapQuantizedMatMul(y *Array, ins []*Array, mapped []bool, n int) *Array {
	at := y.attr.(device.QuantizedMatMulAttr)
	again := func(shape layout.Shape, ins []*Array) *Array {
		return newArray(&quantizedMatMulOp, y.dtype, shape, at, ins...)
	}
	last := len(ins)
	if at.Gathered {
		last--
	}
	if slices.Contains(mapped[1:last], true) || len(ins[1].shape) > 2 && !at.Gathered || len(ins[1].shape) > 3 {
		return again(withBatch(n, y.shape), batchAll(ins, mapped, n))
	}
	if at.Gathered { // the same matrices for all examples: their indices are simply more indices
		xs := batchAll([]*Array{ins[0], ins[last]}, []bool{mapped[0], mapped[last]}, n)
		return again(withBatch(n, y.shape), slices.Concat(xs[:1], ins[1:last], xs[1:]))
	}
	rows := y.shape[0] * n
	x := Reshape(ins[0], []int{rows, ins[0].shape[2]})
	return Reshape(again([]int{rows, y.shape[1]}, slices.Concat([]*Array{x}, ins[1:])), withBatch(n, y.shape))
}
