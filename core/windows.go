package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() {
	const sig = "(M: int) -> array"
	register(
		Func{Name: "bartlett", Sig: sig,
			Call: window(func(u *Array) *Array { return mul(u, like(u, 2)) })},
		Func{Name: "hanning", Sig: sig,
			Call: window(hann)},
		Func{Name: "hamming", Sig: sig,
			Call: window(func(u *Array) *Array {
				s := hann(u)
				return add(like(s, 0.08), mul(s, like(s, 0.92)))
			})},
		Func{Name: "blackman", Sig: sig,
			Call: window(func(u *Array) *Array {
				s := hann(u)
				return mul(s, add(like(s, 0.36), mul(s, like(s, 0.64))))
			})},
	)
}

// window evaluates f at u = i/(M-1), i counting from the nearer end, so that windows come out
// exactly symmetric and u is at most a half.
func window(f func(u *Array) *Array) func(*Args) []*Array {
	return callN(func(a *Args) *Array {
		m := a.int(by.M)
		if m <= 1 {
			return fill(scalarOf(dtype.Float32, 1), []int{max(m, 0)})
		}
		near := apply("minimum", arange(dtype.Int32, m), progression(dtype.Int32, int64(m-1), -1, m))
		return f(div(AsType(near, dtype.Float32), scalarOf(dtype.Float32, complex(float64(m-1), 0))))
	})
}

// hann is sin(pi u) squared. The other raised-cosine windows are polynomials in it, by
// cos 2x = 1 - 2 sin^2 x, which keeps their zeros exact.
func hann(u *Array) *Array { return apply("square", apply("sin", mul(u, like(u, math.Pi)))) }
