package backendtest

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// tolerance says how far a result may be from the reference's. The zero tolerance is equality, but
// for NaNs, which are all alike.
type tolerance struct {
	ulps  float64                              // units in the last place of the result's dtype
	slack func(n int, want complex128) float64 // more, absolutely, for the n-th element
	zeros bool                                 // the sign of a zero counts
	loose bool                                 // complex: results that are not finite need only not be finite
	skip  func(n int) bool                     // elements whose result is not defined
}

// eps is the distance of 1 from the next number in the dtype that d computes in.
func eps(d dtype.Dtype) float64 {
	if d == dtype.Float64 {
		return 0x1p-52
	}
	return 0x1p-23
}

// resolution is the same for d itself.
func resolution(d dtype.Dtype) float64 {
	switch d {
	case dtype.Float16:
		return 0x1p-10
	case dtype.BFloat16:
		return 0x1p-7
	}
	return eps(d)
}

// smallest is the least positive number of d.
func smallest(d dtype.Dtype) float64 {
	switch d {
	case dtype.Float16:
		return 0x1p-24
	case dtype.BFloat16:
		return 0x1p-133
	case dtype.Float64:
		return 0x1p-1074
	}
	return 0x1p-149
}

// rank numbers the floats of d in order: neighbors differ by one, infinity follows the largest.
func rank(d dtype.Dtype, b uint64) int64 {
	sign := uint64(1) << (8*d.Size() - 1)
	if b&sign != 0 {
		return -int64(b &^ sign)
	}
	return int64(b)
}

func distance(a, b int64) float64 {
	if a < b {
		a, b = b, a
	}
	return float64(uint64(a) - uint64(b))
}

// near reports whether got is close enough to want, n being the element's number.
func (tol *tolerance) near(d dtype.Dtype, got, want uint64, n int) bool {
	if got == want {
		return true
	}
	if !d.IsInexact() {
		return false
	}
	g, w := number(d, got), number(d, want)
	if d == dtype.Complex64 {
		return tol.nearComplex(g, w, n)
	}
	x, y := real(g), real(w)
	if x != x || y != y {
		return x != x && y != y
	}
	if x == 0 && y == 0 {
		return !tol.zeros
	}
	if distance(rank(d, got), rank(d, want)) <= tol.ulps {
		return true
	}
	return tol.slack != nil && math.Abs(x-y) <= tol.slack(n, w)
}

func finite(z complex128) bool {
	s := math.Abs(real(z)) + math.Abs(imag(z))
	return s <= math.MaxFloat64
}

// nearComplex measures both parts against the size of the whole number.
func (tol *tolerance) nearComplex(g, w complex128, n int) bool {
	if tol.loose && (!finite(g) || !finite(w)) {
		// Overflow may strike one part earlier or later.
		return !finite(g) && !finite(w) || math.Abs(real(g))+math.Abs(imag(g)) > 1e38 ||
			math.Abs(real(w))+math.Abs(imag(w)) > 1e38
	}
	room := tol.ulps * math.Max(0x1p-23*math.Max(math.Abs(real(w)), math.Abs(imag(w))), 0x1p-149)
	if tol.slack != nil {
		room += tol.slack(n, w)
	}
	part := func(x, y float64) bool {
		return x == y && (!tol.zeros || math.Signbit(x) == math.Signbit(y)) || x != x && y != y || math.Abs(x-y) <= room
	}
	return part(real(g), real(w)) && part(imag(g), imag(w))
}

// compare holds that got is want, element by element; inputs of the same shape are shown with the
// first that is not.
func (c *ctx) compare(got, want *device.Tensor, tol tolerance, ins []device.Tensor) bool {
	c.Helper()
	bad, message := 0, ""
	positions(got.Shape, func(idx []int, n int) {
		at := func(t *device.Tensor) uint64 {
			return getBits(unsafe.Add(t.Data, offset(t, idx)*t.Dtype.Size()), t.Dtype)
		}
		g, w := at(got), at(want)
		if tol.near(got.Dtype, g, w, n) {
			return
		}
		if tol.skip != nil && tol.skip(n) {
			c.undefined++
			return
		}
		if bad++; bad == 1 {
			message = fmt.Sprintf("at %v got %s, want %s", idx, show(got.Dtype, g), show(want.Dtype, w))
			for i := range ins {
				if len(ins[i].Shape) == len(idx) && inside(idx, ins[i].Shape) {
					message += fmt.Sprintf("; input %d: %s", i, show(ins[i].Dtype, at(&ins[i])))
				}
			}
		}
	})
	if bad > 0 {
		for i := range ins {
			message += fmt.Sprintf("\n\tinput %d: %s %v strides %v", i, ins[i].Dtype, ins[i].Shape, ins[i].Strides)
		}
		c.fail("%d of %d elements of %s %v differ: %s", bad, got.Size(), got.Dtype, got.Shape, message)
	}
	return bad == 0
}

func inside(idx, shape []int) bool {
	for a, i := range idx {
		if i >= shape[a] {
			return false
		}
	}
	return true
}

// show writes an element so that it can be typed in again.
func show(d dtype.Dtype, b uint64) string {
	v := number(d, b)
	switch d.Group() {
	case dtype.GroupComplex:
		return fmt.Sprintf("%v", complex64(v))
	case dtype.GroupFloat:
		if d == dtype.Float64 {
			return fmt.Sprintf("%v (0x%x)", real(v), b)
		}
		return fmt.Sprintf("%v (0x%x)", float32(real(v)), b)
	case dtype.GroupSigned:
		shift := 64 - 8*d.Size()
		return fmt.Sprint(int64(b<<shift) >> shift)
	}
	return fmt.Sprint(b)
}
