package reference

import "math"

// double is the unevaluated sum hi + lo, |lo| <= ulp(hi)/2: about 106 bits (T. J. Dekker, A
// floating-point technique for extending the available precision, 1971). Powers need it: an
// error of half an ulp in b*log(a) is one of hundreds in exp(b*log(a)).
type double struct{ hi, lo float64 }

func quickSum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

func twoSum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

func (x double) add(y double) double {
	s := twoSum(x.hi, y.hi)
	return quickSum(s.hi, s.lo+x.lo+y.lo)
}

func (x double) mul(y double) double {
	p := x.hi * y.hi
	return quickSum(p, math.FMA(x.hi, y.hi, -p)+x.hi*y.lo+x.lo*y.hi)
}

func (x double) div(y double) double {
	q := x.hi / y.hi
	r := x.add(y.mul(double{-q, 0}))
	return quickSum(q, r.hi/y.hi)
}

var ln2 = double{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}

// logarithm of a positive finite a: with a = 2^n m and s = (m-1)/(m+1), it is
// n log(2) + 2 (s + s^3/3 + s^5/5 + ...).
func logarithm(a float64) double {
	m, n := math.Frexp(a)
	if m < math.Sqrt2/2 {
		m, n = 2*m, n-1
	}
	s := twoSum(m, -1).div(twoSum(m, 1))
	z, sum := s.mul(s), double{}
	for k := 45; k >= 1; k -= 2 {
		sum = sum.mul(z).add(double{1, 0}.div(double{float64(k), 0}))
	}
	return ln2.mul(double{float64(n), 0}).add(sum.mul(s).mul(double{2, 0}))
}

// exponential of t, rounded once: with t = n log(2) + 64 r, it is 2^n (e^r)^64.
func exponential(t double) float64 {
	n := math.Round(t.hi / math.Ln2)
	r := t.add(ln2.mul(double{-n, 0})).mul(double{1.0 / 64, 0})
	sum := double{1, 0}
	for k := 14; k >= 1; k-- {
		sum = sum.mul(r).mul(double{1, 0}.div(double{float64(k), 0})).add(double{1, 0})
	}
	for range 6 {
		sum = sum.mul(sum)
	}
	return math.Ldexp(sum.hi, int(n))
}

// floatPow is a^b by C99's rules for the special cases, which math.Pow follows too.
func floatPow(a, b float64) float64 {
	y := math.Pow(a, b)
	if y != y || a == 0 || b == 0 || b != b || math.IsInf(a, 0) || math.IsInf(b, 0) {
		return y
	}
	l := logarithm(math.Abs(a))
	if big := l.hi * b; math.Abs(big) > 800 { // beyond every exponent
		return math.Copysign(math.Exp(big), y)
	}
	return math.Copysign(exponential(l.mul(double{b, 0})), y)
}
