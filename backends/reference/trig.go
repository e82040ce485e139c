package reference

import (
	"math"
	"math/big"
	"sync"
)

// piBits are enough for the largest float64, of 1024 bits before the point, and 128 behind it.
const piBits = 1300

// halfPi is pi/2 by Machin's formula, pi/4 = 4 atan(1/5) - atan(1/239).
var halfPi = sync.OnceValue(func() *big.Float {
	atanOf := func(n int64) *big.Int { // atan(1/n) as a multiple of 2^-piBits
		term := new(big.Int).Lsh(big.NewInt(1), piBits)
		term.Div(term, big.NewInt(n))
		sum := new(big.Int)
		for k := int64(1); term.Sign() != 0; k += 2 {
			part := new(big.Int).Div(term, big.NewInt(k))
			if k%4 == 1 {
				sum.Add(sum, part)
			} else {
				sum.Sub(sum, part)
			}
			term.Div(term, big.NewInt(n*n))
		}
		return sum
	}
	pi4 := atanOf(5)
	pi4.Sub(pi4.Lsh(pi4, 2), atanOf(239))
	return new(big.Float).SetMantExp(new(big.Float).SetPrec(piBits).SetInt(pi4), 1-piBits)
})

// quarter gives x = q pi/2 + r with |r| <= pi/4; of q only the last two bits matter. Library functions
// lose digits near multiples of pi/2, and of large arguments.
func quarter(x float64) (q int, r float64) {
	n := new(big.Float).SetPrec(piBits).SetFloat64(x)
	turns := new(big.Float).SetPrec(piBits).Quo(n, halfPi())
	half := big.NewFloat(math.Copysign(0.5, x))
	whole, _ := turns.Add(turns, half).Int(nil)
	n.Sub(n, new(big.Float).SetPrec(2*piBits).Mul(new(big.Float).SetPrec(piBits).SetInt(whole), halfPi()))
	r, _ = n.Float64()
	return int(new(big.Int).And(whole, big.NewInt(3)).Int64()), r
}

func reducible(x float64) bool { return math.Abs(x) > math.Pi/4 && !math.IsInf(x, 0) }

func floatSin(x float64) float64 {
	if !reducible(x) {
		return math.Sin(x)
	}
	switch q, r := quarter(x); q {
	case 0:
		return math.Sin(r)
	case 1:
		return math.Cos(r)
	case 2:
		return -math.Sin(r)
	default:
		return -math.Cos(r)
	}
}

func floatCos(x float64) float64 {
	if !reducible(x) {
		return math.Cos(x)
	}
	switch q, r := quarter(x); q {
	case 0:
		return math.Cos(r)
	case 1:
		return -math.Sin(r)
	case 2:
		return -math.Cos(r)
	default:
		return math.Sin(r)
	}
}

func floatTan(x float64) float64 { return floatSin(x) / floatCos(x) }

// Near 1 the factors of 1 - x^2 are exact where the square is not.
func floatAsin(x float64) float64 { return floatAtan2(x, math.Sqrt((1-x)*(1+x))) }
func floatAcos(x float64) float64 { return 2 * floatAtan2(math.Sqrt(1-x), math.Sqrt(1+x)) }

// floatAtan2 takes the sign of y from outside: math.Atan2 loses it where y/x underflows.
func floatAtan2(y, x float64) float64 { return math.Copysign(math.Atan2(math.Abs(y), x), y) }
