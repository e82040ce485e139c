package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// constant is the op of scalars that came with the program: no memory until a kernel
// wants it.
var constant = define(new(Def), Def{Name: "constant", Specs: noInputs, NoGrad: "it has no inputs"})

func init() {
	constant.Launch = func(e *exec, y *Array) *errs.Error {
		if err := e.allocate(y); err != nil {
			return err
		}
		*(*uint64)(y.buf.ptr) = y.bits // buffers are at least 64 bytes
		return nil
	}
}

var scalarShape = layout.Shape{}

func newConstant(d dtype.Dtype, bits uint64) *Array {
	a := newArray(constant, d, scalarShape, nil)
	a.bits = bits
	return a
}

// scalarOf makes v an array of shape () and dtype d.
func scalarOf(d dtype.Dtype, v complex128) *Array { return newConstant(d, elementBits(d, v)) }

// intScalar keeps all 64 bits of v where d has them.
func intScalar(d dtype.Dtype, v int64) *Array {
	if d.IsInteger() {
		return newConstant(d, uint64(v))
	}
	return scalarOf(d, complex(float64(v), 0))
}

// elementBits is the memory of one element of value v; integers are truncated.
func elementBits(d dtype.Dtype, v complex128) uint64 {
	f := real(v)
	switch d {
	case dtype.Bool:
		if v != 0 {
			return 1
		}
		return 0
	case dtype.Float16:
		return uint64(dtype.Float16From(float32(f)))
	case dtype.BFloat16:
		return uint64(dtype.BFloat16From(float32(f)))
	case dtype.Float32:
		return uint64(math.Float32bits(float32(f)))
	case dtype.Float64:
		return math.Float64bits(f)
	case dtype.Complex64:
		return uint64(math.Float32bits(float32(f))) | uint64(math.Float32bits(float32(imag(v))))<<32
	case dtype.Uint64:
		if f >= 1<<63 {
			return uint64(f)
		}
	}
	return uint64(int64(f))
}

// weakDtype is what a Python scalar is when nothing else decides: bool, int32 (int64 where
// int32 is too small), float32 or complex64.
func weakDtype(arg *Arg) dtype.Dtype {
	switch arg.Kind {
	case ArgBool:
		return dtype.Bool
	case ArgInt:
		if arg.Int < math.MinInt32 || arg.Int > math.MaxInt32 {
			return dtype.Int64
		}
		return dtype.Int32
	case ArgBigUint:
		return dtype.Uint64
	case ArgFloat:
		return dtype.Float32
	}
	return dtype.Complex64
}

// resultDtype promotes arrays among themselves, then raises the result where a
// scalar is of a higher kind: bool < integer < float < complex.
func resultDtype(op string, args []Arg) dtype.Dtype {
	var d, weak dtype.Dtype
	arrays, scalars := false, false
	for i := range args {
		a := &args[i]
		switch {
		case a.Array != nil && arrays:
			d = dtype.Promote(d, a.Array.dtype)
		case a.Array != nil:
			d, arrays = a.Array.dtype, true
		default:
			switch a.Kind {
			case ArgBool, ArgInt, ArgFloat, ArgComplex, ArgBigUint:
			default:
				errs.Throw(errs.TypeError, "[%s] arguments must be arrays or scalars", op)
			}
			if w := weakDtype(a); scalars {
				weak = dtype.Promote(weak, w)
			} else {
				weak, scalars = w, true
			}
		}
	}
	switch {
	case !scalars:
		return d
	case !arrays:
		return weak
	}
	switch weak.Group() {
	case dtype.GroupBool:
		return d
	case dtype.GroupSigned, dtype.GroupUnsigned:
		if d == dtype.Bool {
			return weak
		}
		return d
	case dtype.GroupFloat:
		return d.ToFloat()
	}
	return dtype.Complex64
}

// scalarArg is a Python scalar as an array of shape () and dtype d. An integer that d, an
// integer type, cannot hold is an error.
func scalarArg(op string, arg *Arg, d dtype.Dtype) *Array {
	switch arg.Kind {
	case ArgBool:
		return intScalar(d, arg.Int)
	case ArgInt:
		if d.IsInteger() && !intFits(arg.Int, d) {
			errs.Throw(errs.ValueError, "[%s] %d does not fit %s", op, arg.Int, d)
		}
		return intScalar(d, arg.Int)
	case ArgBigUint:
		if d == dtype.Uint64 {
			return newConstant(d, uint64(arg.Int))
		}
		if d.IsInteger() {
			errs.Throw(errs.ValueError, "[%s] %d does not fit %s", op, uint64(arg.Int), d)
		}
		return scalarOf(d, complex(float64(uint64(arg.Int)), 0))
	case ArgFloat, ArgComplex:
		return scalarOf(d, complex(arg.Float, arg.Imag))
	}
	errs.Throw(errs.TypeError, "[%s] expected an array or a scalar", op)
	return nil
}

func intFits(v int64, d dtype.Dtype) bool {
	n := 8 * d.Size()
	if d.Group() == dtype.GroupUnsigned {
		return v >= 0 && (n == 64 || v < 1<<n)
	}
	return n == 64 || v >= -(1<<(n-1)) && v < 1<<(n-1)
}

// AsArray is an argument as an array: itself, or a scalar of its own dtype.
func AsArray(arg *Arg) *Array {
	if arg.Array != nil {
		return arg.Array
	}
	return scalarArg("array", arg, weakDtype(arg))
}
