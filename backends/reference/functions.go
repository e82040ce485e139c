package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// The vocabulary of bodies (core/body.go) for integers and floats. Results are in the wide
// types; the caller names their dtype and rounds.

func unknown(name string, of string) value { panic("reference: no " + name + " of " + of) }

func callUnsigned(name string, x, y value) value {
	a, b, width := x.u, y.u, uint64(8*x.d.Size())
	switch name {
	case "sign":
		return unsigned(min(a, 1))
	case "min":
		return unsigned(min(a, b))
	case "max":
		return unsigned(max(a, b))
	case "floordiv":
		if b == 0 {
			return unsigned(0)
		}
		return unsigned(a / b)
	case "mod":
		if b == 0 {
			return unsigned(0)
		}
		return unsigned(a % b)
	case "pow":
		return unsigned(power(a, b))
	case "shl":
		if b >= width {
			return unsigned(0)
		}
		return unsigned(a << b)
	case "shr":
		if b >= width {
			return unsigned(0)
		}
		return unsigned(a >> b)
	}
	return unknown(name, "unsigned integers")
}

// power is a^n modulo 2^64, of which every narrower integer is a part.
func power(a, n uint64) uint64 {
	y := uint64(1)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			y *= a
		}
		a *= a
	}
	return y
}

func callSigned(name string, x, y value) value {
	a, b, width := x.i, y.i, int64(8*x.d.Size())
	switch name {
	case "abs":
		return signed(max(a, -a))
	case "sign":
		return signed(min(max(a, -1), 1))
	case "min":
		return signed(min(a, b))
	case "max":
		return signed(max(a, b))
	case "floordiv":
		return signed(floorDiv(a, b))
	case "mod":
		if b == 0 {
			return signed(0)
		}
		return signed(a - floorDiv(a, b)*b)
	case "pow":
		switch {
		case b >= 0:
			return signed(int64(power(uint64(a), uint64(b))))
		case a == 1 || a == -1 && b%2 == 0:
			return signed(1)
		case a == -1:
			return signed(-1)
		}
		return signed(0)
	case "shl":
		if b < 0 || b >= width {
			return signed(0)
		}
		return signed(a << b)
	case "shr":
		if b < 0 || b >= width {
			b = width - 1
		}
		return signed(a >> b)
	}
	return unknown(name, "signed integers")
}

func floorDiv(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func callFloat(name string, a, b float64) value {
	if f, ok := floatFunctions[name]; ok {
		return float(f(a))
	}
	switch name {
	case "isinf":
		return value{d: dtype.Bool, u: truth(math.IsInf(a, 0)).u}
	case "isfinite":
		return value{d: dtype.Bool, u: truth(!math.IsInf(a, 0) && a == a).u}
	case "min":
		return minimum(float(a), float(b))
	case "max":
		return maximum(float(a), float(b))
	case "mod":
		return float(floatMod(a, b))
	case "pow":
		return float(floatPow(a, b))
	case "logaddexp":
		return logAddExp(float(a), float(b))
	case "atan2":
		return float(floatAtan2(a, b))
	case "cplx":
		return complexed(complex(a, b))
	}
	return unknown(name, "floats")
}

var floatFunctions = map[string]func(float64) float64{
	"abs": math.Abs, "sign": floatSign,
	"floor": math.Floor, "ceil": math.Ceil, "trunc": math.Trunc, "rint": math.RoundToEven,
	"sqrt": math.Sqrt, "exp": math.Exp, "expm1": math.Expm1, "log": floatLog, "log2": floatLog2, "log10": floatLog10,
	"log1p": math.Log1p, "sigmoid": floatSigmoid, "erf": math.Erf, "erfinv": math.Erfinv,
	"sin": floatSin, "cos": floatCos, "tan": floatTan, "asin": floatAsin, "acos": floatAcos, "atan": math.Atan,
	"sinh": floatSinh, "cosh": floatCosh, "tanh": math.Tanh, "asinh": math.Asinh, "acosh": math.Acosh,
	"atanh": math.Atanh,
}

func floatSign(a float64) float64 {
	switch {
	case a > 0:
		return 1
	case a < 0:
		return -1
	case a == 0: // of either sign
		return 0
	}
	return a
}

// floatLog keeps subnormal numbers away from math.Log, whose assembly takes them for normal ones.
func floatLog(a float64) float64 {
	if a > 0 && a < 0x1p-1000 {
		return math.Log(a*0x1p100) - 100*math.Ln2
	}
	return math.Log(a)
}

// floatLog2 is not math.Log2, which adds exponent and fraction and so cancels below 1.
func floatLog2(a float64) float64 {
	if frac, exp := math.Frexp(a); frac == 0.5 { // a power of two
		return float64(exp - 1)
	}
	return floatLog(a) * math.Log2E
}

func floatLog10(a float64) float64 { return floatLog(a) * math.Log10E }

// For large arguments the sum is one exponential, squared from its root so that half of it need not
// be finite.
func floatSinh(a float64) float64 {
	if math.Abs(a) < 700 {
		return math.Sinh(a)
	}
	return math.Copysign(floatCosh(a), a)
}

func floatCosh(a float64) float64 {
	if math.Abs(a) < 700 {
		return math.Cosh(a)
	}
	root := math.Exp(math.Abs(a) / 2)
	return root / 2 * root
}

// floatSigmoid keeps the argument of exp negative, so that small results lose nothing.
func floatSigmoid(a float64) float64 {
	if a >= 0 {
		return 1 / (1 + math.Exp(-a))
	}
	e := math.Exp(a)
	return e / (1 + e)
}

// floatMod has the sign of b, also where it is zero.
func floatMod(a, b float64) float64 {
	r := math.Mod(a, b)
	switch {
	case r == 0:
		return math.Copysign(0, b)
	case (r < 0) != (b < 0):
		return r + b
	}
	return r
}
