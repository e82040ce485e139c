package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// The frequencies of Fourier transforms, and orders in which they are shown.

func init() {
	const freqSig = "(n: int, d: float = 1.0) -> array"
	const shiftSig = "(a: array, axes: int | Sequence[int] | None = None) -> array"
	register(
		Func{Name: "fft.fftfreq", Sig: freqSig, Stream: byPosition, Call: frequencies(func(n int) *Array {
			half := (n + 1) / 2
			negative := progression(dtype.Int64, int64(-(n / 2)), 1, n-half)
			return Concatenate([]*Array{arange(dtype.Int64, half), negative}, 0)
		})},
		Func{Name: "fft.rfftfreq", Sig: freqSig, Stream: byPosition, Call: frequencies(func(n int) *Array {
			return arange(dtype.Int64, n/2+1)
		})},
		Func{Name: "fft.fftshift", Sig: shiftSig, Stream: byPosition,
			Call: centered(func(n int) int { return n / 2 })},
		Func{Name: "fft.ifftshift", Sig: shiftSig, Stream: byPosition,
			Call: centered(func(n int) int { return -(n / 2) })},
	)
}

// frequencies divides the numbers of the bins by the length of the signal.
func frequencies(bins func(n int) *Array) func(*Args) []*Array {
	return callN(func(a *Args) *Array {
		n, d := a.int(by.n), a.float(by.d)
		switch {
		case n <= 0:
			errs.Throw(errs.ValueError, "[%s] n must be positive, not %d", a.name(), n)
		case d == 0:
			errs.Throw(errs.ValueError, "[%s] the sample spacing d must not be 0", a.name())
		}
		return div(AsType(bins(n), dtype.Float32), scalarOf(dtype.Float32, complex(float64(n)*d, 0)))
	})
}

// centered rolls every one of the axes by a part of its extent, an axis that is named twice twice.
func centered(part func(n int) int) func(*Args) []*Array {
	return callN(func(a *Args) *Array {
		x := a.array(by.a)
		axes, ok := a.ints(by.axes)
		if !ok {
			axes = allAxes(x.NDim())
		}
		for _, axis := range slices.Clone(axes) {
			axis = normAxis(a.name(), axis, x.NDim())
			x = rollAxis(x, axis, part(x.shape[axis]))
		}
		return x
	})
}
