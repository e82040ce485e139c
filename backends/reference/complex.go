package reference

import (
	"math"
	"math/cmplx"
)

// The vocabulary of bodies for complex numbers. The inverse functions are W. Kahan's
// (Branch cuts for complex elementary functions, 1987): they stay accurate near the cuts and for large arguments,
// where the textbook formulas of math/cmplx cancel.

func callComplex(name string, a, b complex128) value {
	if f, ok := complexFunctions[name]; ok {
		return complexed(f(a))
	}
	switch name {
	case "abs":
		return float(cmplx.Abs(a))
	case "re":
		return float(real(a))
	case "im":
		return float(imag(a))
	case "min":
		return minimum(complexed(a), complexed(b))
	case "max":
		return maximum(complexed(a), complexed(b))
	case "pow":
		return complexed(complexPow(a, b))
	case "logaddexp":
		return complexed(complexLogAddExp(a, b))
	}
	return unknown(name, "complex numbers")
}

var complexFunctions = map[string]func(complex128) complex128{
	"sign": complexSign,
	"sqrt": cmplx.Sqrt, "exp": cmplx.Exp, "log": cmplx.Log, "log1p": complexLog1p,
	"log2":  func(z complex128) complex128 { return scaled(cmplx.Log(z), math.Log2E) },
	"log10": func(z complex128) complex128 { return scaled(cmplx.Log(z), math.Log10E) },
	"sin":   cmplx.Sin, "cos": cmplx.Cos, "sinh": cmplx.Sinh, "cosh": cmplx.Cosh,
	"tanh":  complexTanh,
	"tan":   func(z complex128) complex128 { return clockwise(complexTanh(counter(z))) },
	"asin":  complexAsin,
	"asinh": func(z complex128) complex128 { return clockwise(complexAsin(counter(z))) },
	"acos": func(z complex128) complex128 {
		p, q := cmplx.Sqrt(complex(1-real(z), -imag(z))), cmplx.Sqrt(complex(1+real(z), imag(z)))
		return complex(2*floatAtan2(real(p), real(q)), math.Asinh(real(q)*imag(p)-imag(q)*real(p)))
	},
	"acosh": func(z complex128) complex128 {
		p, q := cmplx.Sqrt(complex(real(z)-1, imag(z))), cmplx.Sqrt(complex(real(z)+1, imag(z)))
		return complex(math.Asinh(real(p)*real(q)+imag(p)*imag(q)), 2*floatAtan2(imag(p), real(q)))
	},
	"atanh": complexAtanh,
	"atan":  func(z complex128) complex128 { return clockwise(complexAtanh(counter(z))) },
}

// counter is iz and clockwise -iz, part by part so that no infinity turns into NaN.
func counter(z complex128) complex128   { return complex(-imag(z), real(z)) }
func clockwise(z complex128) complex128 { return complex(imag(z), -real(z)) }

func scaled(z complex128, s float64) complex128 { return complex(real(z)*s, imag(z)*s) }

func complexSign(z complex128) complex128 {
	if z == 0 {
		return 0
	}
	return scaled(z, 1/cmplx.Abs(z))
}

// complexTanh is (sinh 2x + i sin 2y) / (cosh 2x + cos 2y).
func complexTanh(z complex128) complex128 {
	x, y := 2*real(z), 2*imag(z)
	if math.Abs(x) > 700 {
		return complex(math.Copysign(1, x), math.Copysign(0, math.Sin(y)))
	}
	// cosh x + cos y = 2 (sinh(x/2)^2 + cos(y/2)^2) does not cancel.
	s, c := math.Sinh(x/2), math.Cos(y/2)
	d := 2 * (s*s + c*c)
	return complex(math.Sinh(x)/d, math.Sin(y)/d)
}

func complexAsin(z complex128) complex128 {
	p, q := cmplx.Sqrt(complex(1-real(z), -imag(z))), cmplx.Sqrt(complex(1+real(z), imag(z)))
	return complex(floatAtan2(real(z), real(p)*real(q)-imag(p)*imag(q)), math.Asinh(real(p)*imag(q)-imag(p)*real(q)))
}

func complexAtanh(z complex128) complex128 {
	x, y := real(z), imag(z)
	return complex(math.Log1p(4*x/((1-x)*(1-x)+y*y))/4, floatAtan2(2*y, (1-x)*(1+x)-y*y)/2)
}

// complexLog1p has log|1+z| = log1p(x (2+x) + y^2) / 2, which does not cancel near zero.
func complexLog1p(z complex128) complex128 {
	x, y := real(z), imag(z)
	q := x*(2+x) + y*y
	if q <= -0.5 {
		return cmplx.Log(1 + z)
	}
	return complex(math.Log1p(q)/2, floatAtan2(y, 1+x))
}

// complexLogAddExp takes the larger factor out.
func complexLogAddExp(a, b complex128) complex128 {
	if real(a) < real(b) {
		a, b = b, a
	}
	if math.IsInf(real(b), -1) {
		return a
	}
	return a + complexLog1p(cmplx.Exp(b-a))
}

// complexPow is exp(b log(a)); the zeroth power is 1, and powers of 0 are 0 where that is continuous.
func complexPow(a, b complex128) complex128 {
	switch {
	case b == 0:
		return 1
	case a == 0 && real(b) > 0:
		return 0
	case a == 0:
		return cmplx.NaN()
	}
	return cmplx.Exp(b * cmplx.Log(a))
}
