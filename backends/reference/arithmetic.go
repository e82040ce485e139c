package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// What folds and bodies share. Operands have one dtype, which the result keeps; results are
// in the wide type, for the caller to round. Fields of other kinds are zero on both sides.

func add(a, b value) value {
	a.u, a.i, a.f, a.c = a.u+b.u, a.i+b.i, a.f+b.f, a.c+b.c
	if a.d == dtype.Bool {
		a.u = min(a.u, 1)
	}
	return a
}

func mul(a, b value) value {
	a.u, a.i, a.f, a.c = a.u*b.u, a.i*b.i, a.f*b.f, a.c*b.c
	return a
}

func equal(a, b value) bool { return a.u == b.u && a.i == b.i && a.f == b.f && a.c == b.c }

// less orders complex numbers by real, then imaginary part. Nothing is less than NaN, but the imaginary
// part counts only where the real parts are equal.
func less(a, b value) bool {
	switch a.d.Group() {
	case dtype.GroupSigned:
		return a.i < b.i
	case dtype.GroupFloat:
		return a.f < b.f
	case dtype.GroupComplex:
		return real(a.c) < real(b.c) || real(a.c) == real(b.c) && imag(a.c) < imag(b.c)
	}
	return a.u < b.u
}

func isNaN(a value) bool { return math.IsNaN(a.f) || math.IsNaN(real(a.c)) || math.IsNaN(imag(a.c)) }

// minimum and maximum propagate NaN.
func minimum(a, b value) value {
	if isNaN(a) || !isNaN(b) && less(a, b) {
		return a
	}
	return b
}

func maximum(a, b value) value {
	if isNaN(a) || !isNaN(b) && less(b, a) {
		return a
	}
	return b
}

// logAddExp is log(exp(a) + exp(b)) without overflow.
func logAddExp(a, b value) value {
	if a.d == dtype.Complex64 {
		a.c = complexLogAddExp(a.c, b.c)
		return a
	}
	if a.f == b.f { // equal infinities have no difference
		a.f += math.Ln2
	} else {
		a.f = math.Max(a.f, b.f) + math.Log1p(math.Exp(-math.Abs(a.f-b.f)))
	}
	return a
}

// lowest and highest are the identities of maximum and minimum in d.
func lowest(d dtype.Dtype) value {
	v := value{d: d}
	switch d.Group() {
	case dtype.GroupSigned:
		v.i = -1 << (8*d.Size() - 1)
	case dtype.GroupFloat:
		v.f = math.Inf(-1)
	case dtype.GroupComplex:
		v.c = complex(math.Inf(-1), math.Inf(-1))
	}
	return v
}

func highest(d dtype.Dtype) value {
	v := value{d: d}
	switch d.Group() {
	case dtype.GroupBool, dtype.GroupUnsigned:
		v.u = math.MaxUint64
	case dtype.GroupSigned:
		v.i = 1<<(8*d.Size()-1) - 1
	case dtype.GroupFloat:
		v.f = math.Inf(1)
	case dtype.GroupComplex:
		v.c = complex(math.Inf(1), math.Inf(1))
	}
	return rounded(v)
}
