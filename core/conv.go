package core

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

var convOp Def

func init() {
	define(&convOp, Def{Name: "conv", Kind: device.KindConv, VJP: vjpConv, VMap: vmapConv,
		Specs: specsOfConv,
		Cost: func(y *Array) int {
			w := y.in[1].shape
			return max(layout.Size(w)/max(w[0], 1)/4, 1)
		},
		JVP: func(y *Array, t []*Array) *Array {
			at := y.attr.(device.ConvAttr)
			var sum *Array
			if t[0] != nil {
				sum = conv(t[0], y.in[1], at)
			}
			if t[1] != nil {
				if g := conv(y.in[0], t[1], at); sum != nil {
					sum = add(sum, g)
				} else {
					sum = g
				}
			}
			return sum
		},
	})
	for n := 1; n <= 3; n++ {
		num := []string{1: "int", 2: "int | tuple[int, int]", 3: "int | tuple[int, int, int]"}[n]
		sig := func(more string) string {
			return strings.ReplaceAll("(input: array, weight: array, /, stride: INT = 1, padding: INT = 0, "+
				"dilation: INT = 1, "+more+"groups: int = 1) -> array", "INT", num)
		}
		register(
			Func{Name: fmt.Sprintf("conv%dd", n),
				Sig: sig(""),
				Call: callN(func(a *Args) *Array {
					pad := a.spatial(by.padding, n)
					return checkedConv(a, n, device.ConvAttr{Stride: a.spatial(by.stride, n), PadLo: pad, PadHi: pad,
						KernelDilation: a.spatial(by.dilation, n), InputDilation: slices.Repeat([]int{1}, n),
						Groups: a.int(by.groups)})
				})},
			Func{Name: fmt.Sprintf("conv_transpose%dd", n),
				Sig: sig("output_padding: INT = 0, "),
				Call: callN(func(a *Args) *Array {
					pad, extra := a.spatial(by.padding, n), a.spatial(by.outputPadding, n)
					stride, dil := a.spatial(by.stride, n), a.spatial(by.dilation, n)
					w := a.array(by.weight)
					lo, hi := make([]int, n), make([]int, n)
					for i := range n {
						if w.NDim() == n+2 {
							lo[i] = dil[i]*(w.shape[i+1]-1) - pad[i]
							hi[i] = lo[i] + extra[i]
						}
					}
					return checkedConv(a, n,
						device.ConvAttr{Stride: slices.Repeat([]int{1}, n), PadLo: lo, PadHi: hi, KernelDilation: dil,
							InputDilation: stride, Groups: a.int(by.groups), Flip: true})
				})},
		)
	}
	register(Func{Name: "conv_general",
		Sig: "(input: array, weight: array, /, stride: int | Sequence[int] = 1, " +
			"padding: int | Sequence[int] | tuple[Sequence[int], Sequence[int]] = 0, " +
			"kernel_dilation: int | Sequence[int] = 1, input_dilation: int | Sequence[int] = 1, groups: int = 1, " +
			"flip: bool = False) -> array",
		Call: callN(convGeneral)})
}

func convGeneral(a *Args) *Array {
	n := a.array(by.input).NDim() - 2
	if n < 1 {
		errs.Throw(errs.ValueError,
			"[conv_general] the input must have at least one spatial axis, not shape %s",
			layout.Format(a.array(by.input).shape))
	}
	var lo, hi []int
	if p := a.arg(by.padding); p.Kind == ArgList && len(p.List) == 2 && p.List[0].Kind == ArgList {
		lo, hi = a.spatialOf(&p.List[0], by.padding, n), a.spatialOf(&p.List[1], by.padding, n)
	} else {
		lo = a.spatial(by.padding, n)
		hi = lo
	}
	return checkedConv(a, n, device.ConvAttr{Stride: a.spatial(by.stride, n), PadLo: lo, PadHi: hi,
		KernelDilation: a.spatial(by.kernelDilation, n), InputDilation: a.spatial(by.inputDilation, n),
		Groups: a.int(by.groups), Flip: a.bool(by.flip)})
}

// spatial is an option of a convolution: a number for each of n spatial axes, or one for all of them.
func (a *Args) spatial(p param, n int) []int { return a.spatialOf(a.value(p), p, n) }

func (a *Args) spatialOf(x *Arg, p param, n int) []int {
	v, _ := a.integers(x, p)
	for _, k := range v {
		if k > math.MaxInt32 || k < -math.MaxInt32 {
			errs.Throw(errs.ValueError, "[%s] %s %d is too large", a.name(), parameterNames[p], k)
		}
	}
	switch {
	case len(v) == 1:
		return slices.Repeat(v, n)
	case len(v) != n:
		errs.Throw(errs.ValueError, "[%s] %s must have 1 or %d values, not %d", a.name(), parameterNames[p], n, len(v))
	}
	return v
}

// checkedConv convolves input and weight over n spatial axes, or says what does not fit.
func checkedConv(a *Args, n int, at device.ConvAttr) *Array {
	x, w := a.array(by.input), a.array(by.weight)
	d := dtype.Promote(x.dtype, w.dtype)
	sx, sw := layout.Format(x.shape), layout.Format(w.shape)
	switch {
	case !d.IsInexact():
		errs.Throw(errs.ValueError, "[%s] the dtype must be floating point, not %s", a.name(), d)
	case x.NDim() != n+2:
		errs.Throw(errs.ValueError, "[%s] the input must have %d axes (N, spatial..., C), not shape %s", a.name(), n+2,
			sx)
	case w.NDim() != n+2:
		errs.Throw(errs.ValueError, "[%s] the weight must have %d axes (O, spatial..., C / groups), not shape %s",
			a.name(), n+2, sw)
	case at.Groups < 1 || x.shape[n+1]%at.Groups != 0 || w.shape[0]%at.Groups != 0:
		errs.Throw(errs.ValueError, "[%s] groups %d must divide the channels of input %s and weight %s", a.name(),
			at.Groups, sx, sw)
	case x.shape[n+1]/at.Groups != w.shape[n+1]:
		errs.Throw(errs.ValueError, "[%s] the weight %s must have %d input channels to match input %s in %d groups",
			a.name(), sw, x.shape[n+1]/at.Groups, sx, at.Groups)
	}
	for i := range n {
		if at.Stride[i] < 1 || at.KernelDilation[i] < 1 || at.InputDilation[i] < 1 {
			errs.Throw(errs.ValueError, "[%s] strides and dilations must be positive", a.name())
		}
		if w.shape[i+1] < 1 || convExtent(x, w, at, i) < 0 {
			errs.Throw(errs.ValueError,
				"[%s] the kernel of shape %s does not fit the padded input of shape %s along spatial axis %d", a.name(),
				sw, sx, i)
		}
	}
	return conv(AsType(x, d), AsType(w, d), at)
}

// spread is the extent of n elements with step between them.
func spread(n, step int) int { return max((n-1)*step+1, 0) }

// convExtent is the result's extent along spatial axis i; negative if the kernel does not fit.
func convExtent(x, w *Array, at device.ConvAttr, i int) int {
	padded := spread(x.shape[i+1], at.InputDilation[i]) + at.PadLo[i] + at.PadHi[i]
	room := padded - spread(w.shape[i+1], at.KernelDilation[i])
	if room < 0 {
		return -1
	}
	return room/at.Stride[i] + 1
}

func convShape(x, w *Array, at device.ConvAttr) layout.Shape {
	shape := slices.Clone(x.shape)
	for i := range at.Stride {
		shape[i+1] = max(convExtent(x, w, at, i), 0)
	}
	shape[len(shape)-1] = w.shape[0]
	return shape
}

func conv(x, w *Array, at device.ConvAttr) *Array {
	return newArray(&convOp, x.dtype, convShape(x, w, at), at, x, w)
}

// vjpConv: both gradients are convolutions. With respect to the input, the cotangent spread by the
// stride meets the kernel backwards; with respect to the kernel, the input meets the cotangent
// as kernel, batch and channels changing places. The paddings make the extents come out.
func vjpConv(y, ct *Array, want []bool) []*Array {
	x, w, at := y.in[0], y.in[1], y.attr.(device.ConvAttr)
	n, g := len(at.Stride), at.Groups
	out := make([]*Array, 2)
	lo, hi := make([]int, n), make([]int, n)
	if want[0] {
		for i := range n {
			k, s := spread(w.shape[i+1], at.KernelDilation[i]), spread(y.shape[i+1], at.Stride[i])
			lo[i] = k - 1 - at.PadLo[i]
			hi[i] = spread(x.shape[i+1], at.InputDilation[i]) - s - lo[i] + k - 1
		}
		back := device.ConvAttr{Stride: at.InputDilation, PadLo: slices.Clone(lo), PadHi: slices.Clone(hi),
			KernelDilation: at.KernelDilation, InputDilation: at.Stride, Groups: g, Flip: !at.Flip}
		out[0] = conv(ct, conj(swapChannels(w, g)), back)
	}
	if want[1] {
		for i := range n {
			hi[i] = at.KernelDilation[i]*(w.shape[i+1]-1) + spread(y.shape[i+1], at.Stride[i]) -
				spread(x.shape[i+1], at.InputDilation[i]) - at.PadLo[i]
		}
		if g > 1 && n < 3 && w.shape[0] == g && x.shape[n+1] == g && !at.Flip {
			out[1] = depthwiseSide(x, ct, w, at, hi)
			return out
		}
		side := device.ConvAttr{Stride: at.KernelDilation, PadLo: at.PadLo, PadHi: hi, KernelDilation: at.Stride,
			InputDilation: at.InputDilation, Groups: g, Flip: false}
		dw := conv(conj(batchToChannels(x, g, false)), batchToChannels(ct, g, true), side)
		dw = moveAxis(dw, n+1, 0)
		dw = moveAxis(dw, 1, n+1)
		if at.Flip {
			for i := range n {
				dw = flipAxis(dw, i+1)
			}
		}
		out[1] = dw
	}
	return out
}

// depthwiseSide is the gradient with respect to a kernel of one channel a group. Examples are one more spatial
// axis, over which a kernel that is the cotangent reaches wholly: channels stay where they lie. hi pads the others.
func depthwiseSide(x, ct, w *Array, at device.ConvAttr, hi []int) *Array {
	n, c := len(at.Stride), w.shape[0]
	one := []int{1}
	side := device.ConvAttr{Stride: append(one, at.KernelDilation...), PadLo: append([]int{0}, at.PadLo...),
		PadHi:          append([]int{0}, hi...),
		KernelDilation: append(one, at.Stride...), InputDilation: append(one, at.InputDilation...), Groups: c,
		Flip: false}
	kernel := moveAxis(Reshape(ct, append(slices.Clone(ct.shape), 1)), n+1, 0)
	dw := conv(conj(Reshape(x, append(slices.Clone(one), x.shape...))), kernel, side)
	return Reshape(moveAxis(Reshape(dw, append(slices.Clone(w.shape[1:n+1]), c)), n, 0), w.shape)
}

// swapChannels turns a kernel (g*O, spatial..., C) into (g*C, spatial..., O), group by group.
func swapChannels(w *Array, g int) *Array {
	rank := len(w.shape)
	split := append([]int{g, w.shape[0] / g}, w.shape[1:]...)
	perm := allAxes(rank + 1)
	perm[1], perm[rank] = rank, 1
	t := Transpose(Reshape(w, split), perm)
	return Reshape(t, append([]int{g * t.shape[1]}, t.shape[2:]...))
}

// batchToChannels turns (N, spatial..., g*C) into (C, spatial..., g*N), or, as a kernel, into
// (g*C, spatial..., N).
func batchToChannels(x *Array, g int, kernel bool) *Array {
	rank := len(x.shape)
	c := x.shape[rank-1] / g
	t := Reshape(x, append(slices.Clone(x.shape[:rank-1]), g, c)) // N, spatial..., g, C
	mid := allAxes(rank - 1)[1:]
	if kernel {
		t = Transpose(t, append(append([]int{rank - 1, rank}, mid...), 0))
		return Reshape(t, append([]int{g * c}, t.shape[2:]...))
	}
	t = Transpose(t, append(append([]int{rank}, mid...), rank-1, 0))
	return Reshape(t, append(slices.Clone(t.shape[:rank-1]), g*x.shape[0]))
}

func vmapConv(y *Array, ins []*Array, mapped []bool, n int) *Array {
	at := y.attr.(device.ConvAttr)
	if !mapped[1] {
		// One kernel: examples are more of the batch.
		x := ins[0]
		x = Reshape(x, append([]int{n * x.shape[1]}, x.shape[2:]...))
		return Reshape(conv(x, ins[1], at), withBatch(n, y.shape))
	}
	// A kernel per example: examples are groups of channels.
	xs := batchAll(ins, mapped, n)
	rank := len(y.shape)
	x := moveAxis(xs[0], 0, rank-1)
	x = Reshape(x, append(slices.Clone(x.shape[:rank-1]), -1))
	w := xs[1]
	w = Reshape(w, append([]int{n * w.shape[1]}, w.shape[2:]...))
	at.Groups *= n
	z := conv(x, w, at)
	z = Reshape(z, append(slices.Clone(y.shape[:rank-1]), n, y.shape[rank-1]))
	return moveAxis(z, rank-1, 0)
}
