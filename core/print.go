package core

import (
	"fmt"
	"math"
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

// Format is a ready array as repr shows it.
func Format(a *Array) string {
	var b strings.Builder
	b.WriteString("array(")
	strides := a.Strides()
	var show func(axis int, p unsafe.Pointer, indent int)
	show = func(axis int, p unsafe.Pointer, indent int) {
		if axis == len(a.shape) {
			b.WriteString(FormatElement(p, a.dtype))
			return
		}
		b.WriteByte('[')
		sep := ", "
		if axis < len(a.shape)-1 {
			sep = ",\n" + strings.Repeat(" ", indent+1)
		}
		n := a.shape[axis]
		for i := 0; i < n; i++ {
			if i > 0 {
				b.WriteString(sep)
			}
			if n > 2*edgeItems && i == edgeItems {
				b.WriteString("..." + sep)
				i = n - edgeItems
			}
			show(axis+1, unsafe.Add(p, i*strides[axis]*a.dtype.Size()), indent+1)
		}
		b.WriteByte(']')
	}
	if a.Size() == 0 {
		b.WriteString(emptyBrackets(a.shape))
	} else {
		show(0, a.Data(), len("array("))
	}
	fmt.Fprintf(&b, ", dtype=%s)", a.dtype)
	return b.String()
}

// emptyBrackets shows an array without elements: brackets down to the first empty axis.
func emptyBrackets(shape []int) string {
	var show func(axis, indent int) string
	show = func(axis, indent int) string {
		if axis == len(shape) || shape[axis] == 0 {
			return "[]"
		}
		var rows []string
		for i := 0; i < min(shape[axis], 2*edgeItems+1); i++ {
			if shape[axis] > 2*edgeItems && i == edgeItems {
				rows = append(rows, "...")
				continue
			}
			rows = append(rows, show(axis+1, indent+1))
		}
		return "[" + strings.Join(rows, ",\n"+strings.Repeat(" ", indent+1)) + "]"
	}
	return show(0, len("array("))
}

// FormatElement is one element as text.
func FormatElement(p unsafe.Pointer, d dtype.Dtype) string {
	switch d {
	case dtype.Bool:
		if *(*uint8)(p) != 0 {
			return "True"
		}
		return "False"
	case dtype.Complex64:
		c := *(*complex64)(p)
		im := formatFloat(float64(imag(c)))
		if im[0] != '-' {
			im = "+" + im
		}
		return formatFloat(float64(real(c))) + im + "j"
	case dtype.Uint64:
		return strconv.FormatUint(*(*uint64)(p), 10)
	}
	if d.IsFloat() {
		return formatFloat(FloatAt(p, d))
	}
	return strconv.FormatInt(IntAt(p, d), 10)
}

// formatFloat prints as C's %g, or with a fixed number of digits.
func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case PrintPrecision >= 0:
		return strconv.FormatFloat(f, 'f', PrintPrecision, 64)
	}
	s := strconv.FormatFloat(f, 'g', 6, 64)
	// %g drops trailing zeros and switches to an exponent below 1e-4 and from 1e6 on: as here,
	// but for the limits, which Go sets elsewhere.
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
