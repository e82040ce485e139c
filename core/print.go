package core

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// PrintPrecision is the number of digits behind the point in printed floats; negative prints
// six significant digits.
var PrintPrecision = -1

// edgeItems is how many elements are printed at each end of an axis with more than twice as many.
const edgeItems = 3

// Text is an array as repr shows it, made piece by piece: six elements per axis are millions for nine axes, and a
// precision may ask for more zeros than fit memory.
type Text struct {
	a         *Array
	data      unsafe.Pointer
	strides   []int
	index     []int // of the element, along the axes that have brackets with something in them
	offset    int   // of the element, in elements
	precision int
	zeros     []padding // not written yet, by where in ahead they belong
	ahead     []byte    // made, but not handed out
	begun     bool
	ended     bool
}

// padding is n zeros before byte at.
type padding struct{ at, n int }

// NewText holds a, which is ready, until Close. The graph lock is held.
func NewText(a *Array) *Text {
	axes := len(a.shape)
	if i := slices.Index(a.shape, 0); i >= 0 {
		axes = i // the brackets of the first empty axis stand for all behind it
	}
	return &Text{a: a.retain(), data: a.Data(), strides: a.Strides(), index: make([]int, axes),
		precision: PrintPrecision}
}

// Close lets go of the array. The graph lock is held.
func (t *Text) Close() { release(t.a) }

// Next writes the next part of the text and returns its length, which is 0 at the end. The graph lock need not be held.
func (t *Text) Next(to []byte) int {
	n := 0
	for n < len(to) {
		if len(t.zeros) > 0 && t.zeros[0].at == 0 {
			k := min(t.zeros[0].n, len(to)-n)
			for i := range k {
				to[n+i] = '0'
			}
			n += k
			if t.zeros[0].n -= k; t.zeros[0].n == 0 {
				t.zeros = t.zeros[1:]
			}
			continue
		}
		if len(t.ahead) == 0 {
			if t.ended {
				break
			}
			t.step()
			continue
		}
		k := len(t.ahead)
		if len(t.zeros) > 0 {
			k = t.zeros[0].at
		}
		k = copy(to[n:], t.ahead[:k])
		n += k
		t.ahead = t.ahead[k:]
		for i := range t.zeros {
			t.zeros[i].at -= k
		}
	}
	return n
}

// step makes one element, and what stands between it and the one before it or the end.
func (t *Text) step() {
	t.ahead, t.zeros = t.ahead[:0], t.zeros[:0]
	last := len(t.index) - 1
	open := 0 // the axis from which on brackets open
	if !t.begun {
		t.begun = true
		t.write("array(")
	} else {
		for open = last; open >= 0; open-- {
			t.move(open, 1)
			if t.index[open] < t.a.shape[open] {
				break
			}
			t.move(open, -t.index[open])
			t.write("]")
		}
		if open < 0 {
			t.ended = true
			t.write(", dtype=" + t.a.dtype.String() + ")")
			return
		}
		t.separate(open)
		if n := t.a.shape[open]; n > 2*edgeItems && t.index[open] == edgeItems {
			t.write("...")
			t.separate(open)
			t.move(open, n-2*edgeItems)
		}
		open++
	}
	for ; open <= last; open++ {
		t.write("[")
	}
	if len(t.index) < len(t.a.shape) {
		t.write("[]")
		return
	}
	t.element(unsafe.Add(t.data, t.offset*t.a.dtype.Size()))
}

// move goes n elements along an axis.
func (t *Text) move(axis, n int) {
	t.index[axis] += n
	t.offset += n * t.strides[axis]
}

// separate writes what stands between two parts of an axis.
func (t *Text) separate(axis int) {
	if axis == len(t.a.shape)-1 {
		t.write(", ")
		return
	}
	t.write(",\n")
	for range len("array(") + axis + 1 {
		t.write(" ")
	}
}

func (t *Text) write(s string) { t.ahead = append(t.ahead, s...) }

func (t *Text) element(p unsafe.Pointer) {
	switch d := t.a.dtype; {
	case d == dtype.Bool:
		text := "False"
		if *(*uint8)(p) != 0 {
			text = "True"
		}
		t.write(text)
	case d == dtype.Complex64:
		c := *(*complex64)(p)
		t.float(float64(real(c)), "")
		t.float(float64(imag(c)), "+")
		t.write("j")
	case d == dtype.Uint64:
		t.ahead = strconv.AppendUint(t.ahead, *(*uint64)(p), 10)
	case d.IsFloat():
		t.float(FloatAt(p, d), "")
	default:
		t.ahead = strconv.AppendInt(t.ahead, IntAt(p, d), 10)
	}
}

// exactDigits is how many digits behind the point a float64 can have that are not zero.
const exactDigits = 1074

// float writes f as C's %g, or with a fixed number of digits; plus precedes what has no minus.
func (t *Text) float(f float64, plus string) {
	var text string
	switch {
	case math.IsNaN(f):
		text = "nan"
	case math.IsInf(f, 1):
		text = "inf"
	case math.IsInf(f, -1):
		text = "-inf"
	case t.precision >= 0:
		text = strconv.FormatFloat(f, 'f', min(t.precision, exactDigits), 64)
	default:
		text = general(f)
	}
	if text[0] != '-' {
		t.write(plus)
	}
	t.write(text)
	if more := t.precision - exactDigits; more > 0 && text[len(text)-1] >= '0' && text[len(text)-1] <= '9' {
		t.zeros = append(t.zeros, padding{len(t.ahead), more})
	}
}

// general drops trailing zeros and switches to an exponent below 1e-4 and from 1e6 on, as C's %g does: Go sets
// other limits.
func general(f float64) string {
	s := strconv.FormatFloat(f, 'g', 6, 64)
	if e := strings.IndexByte(s, 'e'); e >= 0 {
		exp, _ := strconv.Atoi(s[e+1:])
		if exp < -4 || exp >= 6 {
			return s
		}
		s = strconv.FormatFloat(f, 'f', 5-exp, 64)
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// FloatAt reads one real floating-point element.
func FloatAt(p unsafe.Pointer, d dtype.Dtype) float64 {
	switch d {
	case dtype.Float16:
		return float64(dtype.Float16To(*(*uint16)(p)))
	case dtype.BFloat16:
		return float64(dtype.BFloat16To(*(*uint16)(p)))
	case dtype.Float32:
		return float64(*(*float32)(p))
	}
	return *(*float64)(p)
}

// IntAt reads one bool or integer element; uint64 comes as its bits.
func IntAt(p unsafe.Pointer, d dtype.Dtype) int64 {
	switch d {
	case dtype.Bool, dtype.Uint8:
		return int64(*(*uint8)(p))
	case dtype.Uint16:
		return int64(*(*uint16)(p))
	case dtype.Uint32:
		return int64(*(*uint32)(p))
	case dtype.Int8:
		return int64(*(*int8)(p))
	case dtype.Int16:
		return int64(*(*int16)(p))
	case dtype.Int32:
		return int64(*(*int32)(p))
	}
	return *(*int64)(p)
}

// At is element i, in row-major order, of a ready real array.
func (a *Array) At(i int) float64 {
	p := a.Data()
	strides := a.Strides()
	for axis := len(a.shape) - 1; axis >= 0; axis-- {
		p = unsafe.Add(p, i%a.shape[axis]*strides[axis]*a.dtype.Size())
		i /= a.shape[axis]
	}
	if a.dtype.IsFloat() {
		return FloatAt(p, a.dtype)
	}
	return float64(IntAt(p, a.dtype))
}
