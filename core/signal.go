package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() {
	register(
		Func{Name: "convolve", Sig: "(a: array, v: array, /, mode: str = 'full') -> array", Call: callN(convolve)},
		Func{Name: "hadamard_transform", Sig: "(a: array, scale: float | None = None) -> array", Stream: byPosition,
			Call: callN(hadamardTransform)},
	)
}

func convolve(a *Args) *Array {
	x, v := a.pair(by.a, by.v)
	if x.NDim() != 1 || v.NDim() != 1 {
		errs.Throw(errs.ValueError, "[convolve] the arrays must be 1-D, not of shapes %s and %s",
			layout.Format(x.shape), layout.Format(v.shape))
	}
	if x.Size() == 0 || v.Size() == 0 {
		errs.Throw(errs.ValueError, "[convolve] the arrays must not be empty, as shapes %s and %s",
			layout.Format(x.shape), layout.Format(v.shape))
	}
	if !x.dtype.IsInexact() {
		errs.Throw(errs.ValueError, "[convolve] the dtype must be floating point, not %s", x.dtype)
	}
	if x.Size() < v.Size() {
		x, v = v, x
	}
	k := v.Size()
	var lo, hi int
	switch mode := a.string(by.mode); mode {
	case "full":
		lo, hi = k-1, k-1
	case "same":
		lo, hi = k/2, (k-1)/2
	case "valid":
	default:
		errs.Throw(errs.ValueError, "[convolve] mode must be 'full', 'same' or 'valid', not '%s'", mode)
	}
	ones := []int{1}
	y := conv(Reshape(x, []int{1, -1, 1}), Reshape(v, []int{1, -1, 1}),
		device.ConvAttr{Stride: ones, PadLo: []int{lo}, PadHi: []int{hi}, KernelDilation: ones, InputDilation: ones,
			Groups: 1, Flip: true})
	return Reshape(y, []int{-1})
}

// hadamardTransform writes the matrix as a Kronecker product of small ones: each multiplies one
// axis of the reshaped input.
func hadamardTransform(a *Args) *Array {
	x := a.array(by.a)
	n := 1 // a number is transformed as a vector of one is
	if len(x.shape) > 0 {
		n = x.shape[len(x.shape)-1]
	}
	scale := a.floatOr(by.scale, 1/math.Sqrt(float64(max(n, 1))))
	if len(x.shape) == 0 && scale == 1 {
		return x
	}
	d := x.dtype.ToFloat()
	m := n
	for m > 0 && m%2 == 0 && !slices.Contains([]int{12, 20, 28}, m) {
		m /= 2
	}
	if !slices.Contains([]int{1, 12, 20, 28}, m) {
		errs.Throw(errs.ValueError,
			"[hadamard_transform] the last axis of shape %s must have extent m * 2^k with m one of 1, 12, 20, 28",
			layout.Format(x.shape))
	}
	var factors []int
	if m > 1 {
		factors = append(factors, m)
	}
	for rest := n / m; rest > 1; {
		f := min(rest, 64)
		factors = append(factors, f)
		rest /= f
	}
	y := Reshape(wide(AsType(x, d)), append([]int{x.Size() / n}, factors...))
	last := len(factors)
	for i := last - 1; i >= 0; i-- {
		// The last axis is multiplied and becomes the first of the factors; after all have had
		// their turn they stand as before.
		f := factors[i]
		rows := Reshape(y, []int{y.Size() / f, f})
		y = moveAxis(Reshape(matMul(rows, swapLast(AsType(hadamard(f), y.dtype))), y.shape), last, 1)
	}
	y = Reshape(mul(y, like(y, scale)), x.shape)
	return AsType(y, d)
}

// hadamard is a Hadamard matrix of order n: a power of two by Sylvester's construction, 12 by
// Paley's second one from the quadratic residues modulo 5, and 20 and 28 by Williamson's
// array of circulant matrices.
func hadamard(n int) *Array {
	h, p := Empty(dtype.Float32, []int{n, n})
	at := elementsAt[float32](p, n*n)
	var entry func(i, j int) float32
	switch n {
	case 12:
		entry = paley12
	case 20:
		entry = williamson("+----", "+----", "++--+", "+-++-")
	case 28:
		entry = williamson("+------", "++----+", "+-+--+-", "+--++--")
	default:
		entry = sylvester
	}
	for i := range n {
		for j := range n {
			at[i*n+j] = entry(i, j)
		}
	}
	return h
}

func sylvester(i, j int) float32 {
	sign := float32(1)
	for common := i & j; common > 0; common &= common - 1 {
		sign = -sign
	}
	return sign
}

// paley12 replaces the entries of a symmetric conference matrix of order 6 by 2x2 blocks.
func paley12(i, j int) float32 {
	r, s, lower := i/2, j/2, i%2 == 1 && j%2 == 1
	residue := [5]float32{0, 1, -1, -1, 1}
	var c float32 = 1
	switch {
	case r == s:
		if i%2 == 0 && j%2 == 0 {
			return 1
		}
		return -1
	case r > 0 && s > 0:
		c = residue[(s-r+5)%5]
	}
	if lower {
		return -c
	}
	return c
}

// williamson arranges four symmetric circulant matrices, given by their first rows, as
// A B C D / -B A -D C / -C D A -B / -D -C B A.
func williamson(rows ...string) func(i, j int) float32 {
	m := len(rows[0])
	block := [4][4]int{{1, 2, 3, 4}, {-2, 1, -4, 3}, {-3, 4, 1, -2}, {-4, -3, 2, 1}}
	return func(i, j int) float32 {
		b := block[i/m][j/m]
		sign := float32(1)
		if b < 0 {
			b, sign = -b, -1
		}
		if rows[b-1][(j%m-i%m+m)%m] == '-' {
			return -sign
		}
		return sign
	}
}
