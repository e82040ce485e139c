package core

import (
	"math"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// CallFunc runs one function of the table.
func CallFunc(f *Func, args []Arg) []*Array {
	return f.Call(&Args{f, args})
}

// name is the op as users know it, without the prefix that marks a method.
func (a *Args) name() string { return strings.TrimPrefix(a.Func.Name, "array.") }

func (a *Args) arg(i int) *Arg {
	if i < len(a.List) {
		return &a.List[i]
	}
	return &noArg
}

var noArg Arg // not written

// given reports whether argument i is there and not None.
func (a *Args) given(i int) bool { return a.arg(i).Kind != ArgNone }

// array is argument i as an array; scalars get their own dtype.
func (a *Args) array(i int) *Array {
	switch x := a.arg(i); x.Kind {
	case ArgArray, ArgBool, ArgInt, ArgFloat, ArgComplex, ArgBigUint:
		return AsArray(x)
	}
	errs.Throw(errs.TypeError, "[%s] argument %d must be an array", a.name(), i+1)
	return nil
}

// optional is argument i as an array, or nil for None.
func (a *Args) optional(i int) *Array {
	if !a.given(i) {
		return nil
	}
	return a.array(i)
}

// pair is arguments i and i+1 as arrays of one dtype, scalars being weak.
func (a *Args) pair(i int) (*Array, *Array) {
	d := resultDtype(a.name(), []Arg{*a.arg(i), *a.arg(i + 1)})
	return a.weak(i, d), a.weak(i+1, d)
}

// weak is argument i with dtype d.
func (a *Args) weak(i int, d dtype.Dtype) *Array {
	x := a.arg(i)
	if x.Array != nil {
		return AsType(x.Array, d)
	}
	return scalarArg(a.name(), x, d)
}

// optionalWeak is argument i with dtype d, or nil for None.
func (a *Args) optionalWeak(i int, d dtype.Dtype) *Array {
	if !a.given(i) {
		return nil
	}
	return a.weak(i, d)
}

// weakOr is argument i with dtype d, or the number that None stands for.
func (a *Args) weakOr(i int, d dtype.Dtype, otherwise float64) *Array {
	if !a.given(i) {
		return scalarOf(d, complex(otherwise, 0))
	}
	return a.weak(i, d)
}

func (a *Args) integer(x *Arg) int {
	if x.Kind != ArgInt && x.Kind != ArgBool {
		errs.Throw(errs.TypeError, "[%s] expected an integer", a.name())
	}
	return int(x.Int)
}

func (a *Args) int(i, otherwise int) int {
	if !a.given(i) {
		return otherwise
	}
	return a.integer(a.arg(i))
}

func (a *Args) bool(i int, otherwise bool) bool {
	switch x := a.arg(i); x.Kind {
	case ArgNone:
		return otherwise
	case ArgBool, ArgInt:
		return x.Int != 0
	}
	errs.Throw(errs.TypeError, "[%s] argument %d must be a bool", a.name(), i+1)
	return false
}

func (a *Args) float(i int, otherwise float64) float64 {
	switch x := a.arg(i); x.Kind {
	case ArgNone:
		return otherwise
	case ArgBool, ArgInt:
		return float64(x.Int)
	case ArgFloat:
		return x.Float
	}
	errs.Throw(errs.TypeError, "[%s] argument %d must be a number", a.name(), i+1)
	return 0
}

func (a *Args) string(i int, otherwise string) string {
	switch x := a.arg(i); x.Kind {
	case ArgNone:
		return otherwise
	case ArgString:
		return x.Str
	}
	errs.Throw(errs.TypeError, "[%s] argument %d must be a string", a.name(), i+1)
	return ""
}

func (a *Args) dtype(i int, otherwise dtype.Dtype) dtype.Dtype {
	switch x := a.arg(i); x.Kind {
	case ArgNone:
		return otherwise
	case ArgDtype:
		return dtype.Dtype(x.Int)
	}
	errs.Throw(errs.TypeError, "[%s] argument %d must be a dtype", a.name(), i+1)
	return 0
}

// ints is an integer or a sequence of integers; ok is false for None.
func (a *Args) ints(i int) (out []int, ok bool) {
	x := a.arg(i)
	switch x.Kind {
	case ArgNone:
		return nil, false
	case ArgList:
		out = make([]int, len(x.List))
		for k := range x.List {
			out[k] = a.integer(&x.List[k])
		}
		return out, true
	}
	return []int{a.integer(x)}, true
}

// axes is an axis, a set of axes, or None for all of them: ascending, checked.
func (a *Args) axes(i, rank int) []int {
	axes, ok := a.ints(i)
	if !ok {
		return allAxes(rank)
	}
	return normAxes(a.name(), axes, rank)
}

// axis is one axis, checked; None gives false.
func (a *Args) axis(i, rank, otherwise int) int {
	return normAxis(a.name(), a.int(i, otherwise), rank)
}

// shape is an integer or a sequence of non-negative integers.
func (a *Args) shape(i int) layout.Shape {
	shape, ok := a.ints(i)
	if !ok {
		errs.Throw(errs.TypeError, "[%s] a shape is missing", a.name())
	}
	for _, d := range shape {
		if d < 0 {
			errs.Throw(errs.ValueError, "[%s] shape %s has a negative dimension", a.name(), layout.Format(shape))
		}
	}
	if _, ok := layout.CheckedSize(shape, 16); !ok {
		errs.Throw(errs.ValueError, "[%s] shape %s is too large", a.name(), layout.Format(shape))
	}
	return shape
}

// arrays is a sequence of arrays.
func (a *Args) arrays(i int) []*Array {
	x := a.arg(i)
	if x.Kind != ArgList {
		errs.Throw(errs.TypeError, "[%s] expected a list of arrays", a.name())
	}
	out := make([]*Array, len(x.List))
	for k := range x.List {
		if x.List[k].Kind == ArgNone || x.List[k].Kind == ArgList || x.List[k].Kind == ArgString || x.List[k].Kind == ArgDtype {
			errs.Throw(errs.TypeError, "[%s] expected a list of arrays", a.name())
		}
		out[k] = AsArray(&x.List[k])
	}
	return out
}

func float32FromBits(b uint32) float32 { return math.Float32frombits(b) }

// call1 wraps a function of one array, which most are.
func call1(f func(x *Array) *Array) func(*Args) []*Array {
	return func(a *Args) []*Array { return []*Array{f(a.array(0))} }
}

// callN wraps a function with one result.
func callN(f func(a *Args) *Array) func(*Args) []*Array {
	return func(a *Args) []*Array { return []*Array{f(a)} }
}
