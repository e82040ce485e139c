package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// value is one element as a test sees it: exact for every dtype.
type value struct {
	i  int64 // integers and bool; uint64 wraps
	re float64
	im float64
}

func (v value) nan() bool { return v.re != v.re || v.im != v.im }

// getValue reads element off of t.
func getValue(t *device.Tensor, off int) value {
	p := unsafe.Add(t.Data, off*t.Dtype.Size())
	whole := func(i int64) value { return value{i: i, re: float64(i)} }
	real := func(f float64) value { return value{re: f} }
	switch t.Dtype {
	case dtype.Bool, dtype.Uint8:
		return whole(int64(*(*uint8)(p)))
	case dtype.Uint16:
		return whole(int64(*(*uint16)(p)))
	case dtype.Uint32:
		return whole(int64(*(*uint32)(p)))
	case dtype.Uint64:
		u := *(*uint64)(p)
		return value{i: int64(u), re: float64(u)}
	case dtype.Int8:
		return whole(int64(*(*int8)(p)))
	case dtype.Int16:
		return whole(int64(*(*int16)(p)))
	case dtype.Int32:
		return whole(int64(*(*int32)(p)))
	case dtype.Int64:
		return whole(*(*int64)(p))
	case dtype.Float16:
		return real(float64(dtype.Float16To(*(*uint16)(p))))
	case dtype.BFloat16:
		return real(float64(dtype.BFloat16To(*(*uint16)(p))))
	case dtype.Float32:
		return real(float64(*(*float32)(p)))
	case dtype.Float64:
		return real(*(*float64)(p))
	}
	c := *(*complex64)(p)
	return value{re: float64(real64(c)), im: float64(imag(c))}
}

func real64(c complex64) float32 { return real(c) }

// putValue writes v, rounded or wrapped to the dtype.
func putValue(t *device.Tensor, off int, v value) {
	p := unsafe.Add(t.Data, off*t.Dtype.Size())
	switch t.Dtype {
	case dtype.Float16:
		*(*uint16)(p) = dtype.Float16From(float32(v.re))
	case dtype.BFloat16:
		*(*uint16)(p) = dtype.BFloat16From(float32(v.re))
	case dtype.Float32:
		*(*float32)(p) = float32(v.re)
	case dtype.Float64:
		*(*float64)(p) = v.re
	case dtype.Complex64:
		*(*complex64)(p) = complex(float32(v.re), float32(v.im))
	default:
		switch t.Dtype.Size() {
		case 1:
			*(*uint8)(p) = uint8(v.i)
		case 2:
			*(*uint16)(p) = uint16(v.i)
		case 4:
			*(*uint32)(p) = uint32(v.i)
		default:
			*(*uint64)(p) = uint64(v.i)
		}
	}
}

// offsetOf is the offset of the position pos of a row-major walk over shape.
func offsetOf(pos int, shape, strides []int) int {
	off := 0
	for a := len(shape) - 1; a >= 0; a-- {
		off += pos % shape[a] * strides[a]
		pos /= shape[a]
	}
	return off
}

func (v value) String() string { return fmt.Sprintf("{%d %v %v}", v.i, v.re, v.im) }

// someValue draws an element: small integers often meet, floats sometimes are special.
func someValue(r *rand.Rand, d dtype.Dtype, special bool) value {
	part := func() float64 {
		if special {
			switch r.IntN(12) {
			case 0:
				return math.NaN()
			case 1:
				return math.Inf(1)
			case 2:
				return math.Inf(-1)
			case 3:
				return math.Copysign(0, -1)
			case 4:
				return 0
			}
		}
		return math.Round(r.NormFloat64()*64) / 16
	}
	switch d.Group() {
	case dtype.GroupBool:
		return value{i: int64(r.IntN(2))}
	case dtype.GroupUnsigned, dtype.GroupSigned:
		if r.IntN(4) == 0 {
			return value{i: int64(r.Uint64())}
		}
		return value{i: int64(r.IntN(9) - 4)}
	case dtype.GroupComplex:
		return value{re: part(), im: part()}
	}
	return value{re: part()}
}

// someTensor has the shape with random strides: any order of axes, gaps, flipped and stretched axes.
func someTensor(r *rand.Rand, d dtype.Dtype, shape []int, special bool) device.Tensor {
	n := len(shape)
	order := r.Perm(n)
	if r.IntN(2) == 0 {
		for i := range order {
			order[i] = n - 1 - i
		}
	}
	t := device.Tensor{Dtype: d, Shape: shape, Strides: make([]int, n)}
	size, start := 1, 0
	for _, a := range order {
		switch r.IntN(8) {
		case 0: // stretched
			continue
		case 1: // a gap
			t.Strides[a] = size * 2
			size *= 2 * max(shape[a], 1)
		case 2: // flipped
			t.Strides[a] = -size
			start += (max(shape[a], 1) - 1) * size
			size *= max(shape[a], 1)
		default:
			t.Strides[a] = size
			size *= max(shape[a], 1)
		}
	}
	t.Data = unsafe.Pointer(unsafe.SliceData(make([]uint64, (size*d.Size()+7)/8)))
	for i := range size {
		putValue(&t, i, someValue(r, d, special))
	}
	t.Data = unsafe.Add(t.Data, start*d.Size())
	return t
}

// emptyTensor is contiguous memory for a result.
func emptyTensor(d dtype.Dtype, shape []int) device.Tensor {
	return device.Tensor{Dtype: d, Shape: shape, Strides: layout.Strides(shape),
		Data: unsafe.Pointer(unsafe.SliceData(make([]uint64, layout.Size(shape)*d.Size()/8+1)))}
}

// plainTensor is contiguous, filled by f.
func plainTensor(d dtype.Dtype, shape []int, f func(i int) value) device.Tensor {
	t := emptyTensor(d, shape)
	for i := range layout.Size(shape) {
		putValue(&t, i, f(i))
	}
	return t
}

// someShape has rank axes and about size elements at most.
func someShape(r *rand.Rand, rank, size int) []int {
	shape := make([]int, rank)
	for i := range shape {
		m := max(int(math.Pow(float64(size), 1/float64(rank))), 1)
		shape[i] = 1 + r.IntN(2*m)
	}
	return shape
}

func launchTest(t testing.TB, k *device.Kernel) {
	t.Helper()
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatal(err)
	}
}

// near compares floats: equal, both NaN, or within tol relative to scale.
func near(got, want, tol, scale float64) bool {
	if got == want || got != got && want != want {
		return true
	}
	return math.Abs(got-want) <= tol*math.Max(scale, math.Abs(want))
}

// epsilon is the rounding step of a float dtype.
func epsilon(d dtype.Dtype) float64 {
	switch d {
	case dtype.Float16:
		return 1.0 / 1024
	case dtype.BFloat16:
		return 1.0 / 128
	case dtype.Float64:
		return 1.0 / (1 << 52)
	}
	return 1.0 / (1 << 23)
}

// rowsOf lists, for every position of the axes other than axis, the offset of its row's first element in t.
func rowsOf(t *device.Tensor, axis int) []int {
	shape, strides := dropAxis(t.Shape, axis), dropAxis(t.Strides, axis)
	offs := make([]int, layout.Size(shape))
	for i := range offs {
		offs[i] = offsetOf(i, shape, strides)
	}
	return offs
}
