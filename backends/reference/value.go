package reference

import (
	"math"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// value is one element in the widest type of its dtype's group: the group tells which of the
// fields holds it.
type value struct {
	d       dtype.Dtype
	literal bool       // a number written in a body, which takes the dtype of what it meets
	u       uint64     // bool, unsigned
	i       int64      // signed
	f       float64    // floats
	c       complex128 // complex
}

func truth(b bool) value {
	if b {
		return value{d: dtype.Bool, u: 1}
	}
	return value{d: dtype.Bool}
}

func unsigned(u uint64) value      { return value{d: dtype.Uint64, u: u} }
func signed(i int64) value         { return value{d: dtype.Int64, i: i} }
func float(f float64) value        { return value{d: dtype.Float64, f: f} }
func complexed(c complex128) value { return value{d: dtype.Complex64, c: c} }

// rounded brings v, computed in its wide type, into its dtype: integers wrap, floats round. The
// fields of other kinds are cleared, whatever a computation over all of them left there.
func rounded(v value) value {
	r := value{d: v.d, literal: v.literal}
	shift := 64 - 8*v.d.Size()
	switch v.d.Group() {
	case dtype.GroupBool:
		r.u = v.u & 1
	case dtype.GroupUnsigned:
		r.u = v.u << shift >> shift
	case dtype.GroupSigned:
		r.i = v.i << shift >> shift
	case dtype.GroupFloat:
		switch r.f = v.f; v.d {
		case dtype.Float32:
			r.f = float64(float32(v.f))
		case dtype.Float16:
			r.f = float64(dtype.Float16To(dtype.Float16From(float32(v.f))))
		case dtype.BFloat16:
			r.f = float64(dtype.BFloat16To(dtype.BFloat16From(float32(v.f))))
		}
	case dtype.GroupComplex:
		r.c = complex128(complex64(v.c))
	}
	return r
}

// cast converts v to d: to bool by comparison with zero, from complex by the real part, from float to
// integer towards zero, to halves by way of float32. A float that is out of the integer's
// range has no defined result.
func cast(v value, d dtype.Dtype) value {
	if v.d == d {
		return v
	}
	to := value{d: d}
	switch d.Group() {
	case dtype.GroupBool:
		return truth(nonzero(v))
	case dtype.GroupUnsigned:
		to.u = toUint(v)
	case dtype.GroupSigned:
		to.i = int64(toUint(v))
	case dtype.GroupFloat:
		to.f = toFloat(v, d != dtype.Float64)
	case dtype.GroupComplex:
		to.c = v.c
		if v.d.Group() != dtype.GroupComplex {
			to.c = complex(toFloat(v, true), 0)
		}
	}
	return rounded(to)
}

func nonzero(v value) bool {
	switch v.d.Group() {
	case dtype.GroupSigned:
		return v.i != 0
	case dtype.GroupFloat:
		return v.f != 0
	case dtype.GroupComplex:
		return v.c != 0
	}
	return v.u != 0
}

// toUint is v as an integer modulo 2^64.
func toUint(v value) uint64 {
	f := v.f
	switch v.d.Group() {
	case dtype.GroupBool, dtype.GroupUnsigned:
		return v.u
	case dtype.GroupSigned:
		return uint64(v.i)
	case dtype.GroupComplex:
		f = real(v.c)
	}
	switch {
	case f != f:
		return 0
	case f < 0:
		return uint64(int64(math.Max(f, -0x1p63)))
	case f < 0x1p64:
		return uint64(f)
	}
	return math.MaxUint64
}

// toFloat is v as a float, rounded once: to float32 if narrow.
func toFloat(v value, narrow bool) float64 {
	switch v.d.Group() {
	case dtype.GroupSigned:
		if narrow {
			return float64(float32(v.i))
		}
		return float64(v.i)
	case dtype.GroupFloat:
		return v.f
	case dtype.GroupComplex:
		return real(v.c)
	}
	if narrow {
		return float64(float32(v.u))
	}
	return float64(v.u)
}

// real64 is the value of a real v.
func real64(v value) float64 { return toFloat(v, false) }

// position is the integer value of an index, negative ones included.
func position(v value) int {
	if v.d.Group() == dtype.GroupUnsigned && v.u > math.MaxInt64 {
		return math.MaxInt
	}
	return int(int64(toUint(v)))
}

func address(t *device.Tensor, idx []int) unsafe.Pointer {
	off := 0
	for a, i := range idx {
		off += i * t.Strides[a]
	}
	return unsafe.Add(t.Data, off*t.Dtype.Size())
}

// load reads the element of t at idx.
func load(t *device.Tensor, idx []int) value {
	p, v := address(t, idx), value{d: t.Dtype}
	switch t.Dtype {
	case dtype.Bool, dtype.Uint8:
		v.u = uint64(*(*uint8)(p))
	case dtype.Uint16:
		v.u = uint64(*(*uint16)(p))
	case dtype.Uint32:
		v.u = uint64(*(*uint32)(p))
	case dtype.Uint64:
		v.u = *(*uint64)(p)
	case dtype.Int8:
		v.i = int64(*(*int8)(p))
	case dtype.Int16:
		v.i = int64(*(*int16)(p))
	case dtype.Int32:
		v.i = int64(*(*int32)(p))
	case dtype.Int64:
		v.i = *(*int64)(p)
	case dtype.Float16:
		v.f = float64(dtype.Float16To(*(*uint16)(p)))
	case dtype.BFloat16:
		v.f = float64(dtype.BFloat16To(*(*uint16)(p)))
	case dtype.Float32:
		v.f = float64(*(*float32)(p))
	case dtype.Float64:
		v.f = *(*float64)(p)
	case dtype.Complex64:
		v.c = complex128(*(*complex64)(p))
	}
	return v
}

// store writes v, cast, to t at idx.
func store(t *device.Tensor, idx []int, v value) {
	p := address(t, idx)
	v = rounded(cast(v, t.Dtype))
	switch t.Dtype {
	case dtype.Bool, dtype.Uint8:
		*(*uint8)(p) = uint8(v.u)
	case dtype.Uint16:
		*(*uint16)(p) = uint16(v.u)
	case dtype.Uint32:
		*(*uint32)(p) = uint32(v.u)
	case dtype.Uint64:
		*(*uint64)(p) = v.u
	case dtype.Int8:
		*(*int8)(p) = int8(v.i)
	case dtype.Int16:
		*(*int16)(p) = int16(v.i)
	case dtype.Int32:
		*(*int32)(p) = int32(v.i)
	case dtype.Int64:
		*(*int64)(p) = v.i
	case dtype.Float16:
		*(*uint16)(p) = dtype.Float16From(float32(v.f))
	case dtype.BFloat16:
		*(*uint16)(p) = dtype.BFloat16From(float32(v.f))
	case dtype.Float32:
		*(*float32)(p) = float32(v.f)
	case dtype.Float64:
		*(*float64)(p) = v.f
	case dtype.Complex64:
		*(*complex64)(p) = complex64(v.c)
	}
}
