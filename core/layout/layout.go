// Package layout holds the arithmetic of shapes and strides. Strides are in
// elements, may be zero (broadcast) or negative (flipped); a shape is never
// changed in place, so arrays share them.
package layout

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Shape is the extent along each axis.
type Shape = []int

// Size is the number of elements.
func Size(shape Shape) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// CheckedSize is Size for dims that come from outside: it reports false for a
// negative extent and for a product, in bytes, that does not fit an int.
func CheckedSize(shape Shape, itemsize int) (int, bool) {
	n := 1
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			zero = true
			continue
		}
		if n > math.MaxInt/d/itemsize {
			return 0, false
		}
		n *= d
	}
	if zero {
		return 0, true
	}
	return n, true
}

// Strides returns the row-contiguous strides of shape.
func Strides(shape Shape) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= max(shape[i], 1)
	}
	return s
}

// Extent returns where the elements lie, counted from the first: from lo up to hi, which is not among them. It is 0, 0
// where there are none.
func Extent(shape Shape, strides []int) (lo, hi int) {
	for i, s := range strides {
		if shape[i] == 0 {
			return 0, 0
		}
		if step := s * (shape[i] - 1); step < 0 {
			lo += step
		} else {
			hi += step
		}
	}
	return lo, hi + 1
}

// IsContiguous reports whether strides walk shape in row-major order without
// gaps. Axes of extent 1 may have any stride, and an empty shape is contiguous.
func IsContiguous(shape Shape, strides []int) bool {
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && strides[i] != n {
			return false
		}
		n *= shape[i]
	}
	return true
}

// Equal reports whether two shapes are the same.
func Equal(a, b Shape) bool { return slices.Equal(a, b) }

// Broadcast returns the shape in which a and b meet, aligned at the last axis.
// The result shares memory with a or b where one of them already is it.
func Broadcast(a, b Shape) (Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := a
	k := len(a) - len(b)
	for i, d := range b {
		switch e := a[k+i]; {
		case d == e || d == 1:
		case e == 1:
			if &out[0] == &a[0] {
				if len(a) == len(b) && fits(a, b) {
					return b, true
				}
				out = slices.Clone(a)
			}
			out[k+i] = d
		default:
			return nil, false
		}
	}
	return out, true
}

// fits reports whether a, of the same rank, broadcasts to b without changing b.
func fits(a, b Shape) bool {
	for i := range a {
		if a[i] != 1 && a[i] != b[i] {
			return false
		}
	}
	return true
}

// CanBroadcastTo reports whether from stretches to to.
func CanBroadcastTo(from, to Shape) bool {
	k := len(to) - len(from)
	if k < 0 {
		return false
	}
	for i, d := range from {
		if d != 1 && d != to[k+i] {
			return false
		}
	}
	return true
}

// BroadcastStrides gives the strides with which an array of shape from is read
// as if it had shape to: 0 along every stretched axis.
func BroadcastStrides(from Shape, strides []int, to Shape) []int {
	out := make([]int, len(to))
	k := len(to) - len(from)
	for i, d := range from {
		if d != 1 || to[k+i] == 1 {
			out[k+i] = strides[i]
		}
	}
	return out
}

// Reshape gives the strides under which the same elements, in row-major order,
// have shape to. It reports false when that needs a copy.
func Reshape(shape Shape, strides []int, to Shape) ([]int, bool) {
	if Size(shape) == 0 {
		return Strides(to), true
	}
	// Runs of old axes that are contiguous among themselves can be cut anew.
	dims, steps := make([]int, 0, len(shape)), make([]int, 0, len(shape))
	for i, d := range shape {
		if d == 1 {
			continue
		}
		if n := len(dims); n > 0 && steps[n-1] == d*strides[i] {
			dims[n-1] *= d
			steps[n-1] = strides[i]
		} else {
			dims, steps = append(dims, d), append(steps, strides[i])
		}
	}
	out := make([]int, len(to))
	run, left := 0, 1
	if len(dims) > 0 {
		left = dims[0]
	}
	for i, d := range to {
		if d == 1 {
			out[i] = 0
			continue
		}
		if left == 1 {
			run++
			left = dims[run]
		}
		if left%d != 0 {
			return nil, false
		}
		left /= d
		out[i] = left * steps[run]
	}
	// Strides of extent-1 axes are free: give them the row-major value.
	next := 1
	for i := len(to) - 1; i >= 0; i-- {
		if to[i] == 1 {
			out[i] = next
		} else {
			next = out[i] * to[i]
		}
	}
	return out, true
}

// Collapse merges neighboring axes that every operand walks as one and drops
// axes of extent 1. strides[k] belongs to operand k. The results are fresh.
func Collapse(shape Shape, strides ...[]int) (Shape, [][]int) {
	dims := make([]int, 0, len(shape))
	out := make([][]int, len(strides))
	for k := range out {
		out[k] = make([]int, 0, len(shape))
	}
	for i, d := range shape {
		if d == 1 {
			continue
		}
		merge := len(dims) > 0
		for k := 0; merge && k < len(strides); k++ {
			merge = out[k][len(dims)-1] == d*strides[k][i]
		}
		if merge {
			dims[len(dims)-1] *= d
			for k := range out {
				out[k][len(dims)-1] = strides[k][i]
			}
			continue
		}
		dims = append(dims, d)
		for k := range out {
			out[k] = append(out[k], strides[k][i])
		}
	}
	return dims, out
}

// Format writes a shape as error messages show it: (2,3).
func Format(shape Shape) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range shape {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, d)
	}
	b.WriteByte(')')
	return b.String()
}
