package core

import (
	"math"
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Args are a call's arguments in the order of the signature, stream left out.
type Args struct {
	Func *Func
	List []Arg
}

// CallFunc runs one function of the table. Defaults stand for arguments that are left out at the end.
func CallFunc(f *Func, args []Arg) []*Array {
	return f.Call(&Args{f, append(slices.Clip(args), f.Defaults[len(args):]...)})
}

// name is the op as users know it, without the prefix that marks a method.
func (a *Args) name() string { return strings.TrimPrefix(a.Func.Name, "array.") }

// arg is an argument.
func (a *Args) arg(p param) *Arg {
	return &a.List[a.Func.at[p]]
}

// value is an argument, or the signature's default if it is None.
func (a *Args) value(p param) *Arg {
	x := a.arg(p)
	if x.Kind == ArgNone {
		x = &a.Func.Defaults[a.Func.at[p]]
	}
	return x
}

// given reports whether an argument is not None.
func (a *Args) given(p param) bool { return a.arg(p).Kind != ArgNone }

func (a *Args) refuse(p param, want string) {
	errs.Throw(errs.TypeError, "[%s] %s must be %s", a.name(), parameterNames[p], want)
}

// first is the first argument as an array, whatever its name.
func (a *Args) first() *Array { return a.toArray(&a.List[0], by.a) }

// array is an argument as an array; scalars get their own dtype.
func (a *Args) array(p param) *Array { return a.toArray(a.arg(p), p) }

func (a *Args) toArray(x *Arg, p param) *Array {
	switch x.Kind {
	case ArgArray, ArgBool, ArgInt, ArgFloat, ArgComplex, ArgBigUint:
		return AsArray(x)
	}
	a.refuse(p, "an array")
	return nil
}

// optional is an argument as an array, or nil for None.
func (a *Args) optional(p param) *Array {
	if !a.given(p) {
		return nil
	}
	return a.array(p)
}

// pair is two arguments as arrays of one dtype, scalars being weak.
func (a *Args) pair(x, y param) (*Array, *Array) {
	d := resultDtype(a.name(), []Arg{*a.arg(x), *a.arg(y)})
	return a.weak(x, d), a.weak(y, d)
}

// weak is an argument with dtype d.
func (a *Args) weak(p param, d dtype.Dtype) *Array {
	x := a.value(p)
	if x.Array != nil {
		return AsType(x.Array, d)
	}
	return scalarArg(a.name(), x, d)
}

// optionalWeak is an argument with dtype d, or nil for None.
func (a *Args) optionalWeak(p param, d dtype.Dtype) *Array {
	if !a.given(p) {
		return nil
	}
	return a.weak(p, d)
}

func (a *Args) integer(x *Arg, p param) int {
	if x.Kind != ArgInt && x.Kind != ArgBool {
		a.refuse(p, "an integer")
	}
	return int(x.Int)
}

func (a *Args) int(p param) int { return a.integer(a.value(p), p) }

// intOr is an argument whose default follows from others.
func (a *Args) intOr(p param, otherwise int) int {
	if !a.given(p) {
		return otherwise
	}
	return a.int(p)
}

func (a *Args) bool(p param) bool {
	x := a.value(p)
	if x.Kind != ArgBool && x.Kind != ArgInt {
		a.refuse(p, "a bool")
	}
	return x.Int != 0
}

func (a *Args) float(p param) float64 {
	x := a.value(p)
	switch x.Kind {
	case ArgBool, ArgInt:
		return float64(x.Int)
	case ArgFloat:
		return x.Float
	}
	a.refuse(p, "a number")
	return 0
}

// floatOr is an argument whose default follows from others.
func (a *Args) floatOr(p param, otherwise float64) float64 {
	if !a.given(p) {
		return otherwise
	}
	return a.float(p)
}

func (a *Args) string(p param) string {
	x := a.value(p)
	if x.Kind != ArgString {
		a.refuse(p, "a string")
	}
	return x.Str
}

func (a *Args) dtype(p param) dtype.Dtype {
	x := a.value(p)
	if x.Kind != ArgDtype {
		a.refuse(p, "a dtype")
	}
	return dtype.Dtype(x.Int)
}

// dtypeOr is an argument whose default follows from others.
func (a *Args) dtypeOr(p param, otherwise dtype.Dtype) dtype.Dtype {
	if !a.given(p) {
		return otherwise
	}
	return a.dtype(p)
}

// ints is an integer or a sequence of integers; ok is false for None.
func (a *Args) ints(p param) (out []int, ok bool) { return a.integers(a.arg(p), p) }

func (a *Args) integers(x *Arg, p param) (out []int, ok bool) {
	switch x.Kind {
	case ArgNone:
		return nil, false
	case ArgList:
		out = make([]int, len(x.List))
		for k := range x.List {
			out[k] = a.integer(&x.List[k], p)
		}
		return out, true
	}
	return []int{a.integer(x, p)}, true
}

// axes is an axis, a set of axes, or None for all of them: ascending, checked.
func (a *Args) axes(p param, rank int) []int {
	axes, ok := a.ints(p)
	if !ok {
		return allAxes(rank)
	}
	return normAxes(a.name(), axes, rank)
}

// axis is one axis, checked.
func (a *Args) axis(p param, rank int) int {
	return normAxis(a.name(), a.int(p), rank)
}

// shape is an integer or a sequence of non-negative integers.
func (a *Args) shape(p param) layout.Shape {
	shape, ok := a.ints(p)
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
func (a *Args) arrays(p param) []*Array {
	x := a.arg(p)
	if x.Kind != ArgList {
		errs.Throw(errs.TypeError, "[%s] expected a list of arrays", a.name())
	}
	out := make([]*Array, len(x.List))
	for k := range x.List {
		if x.List[k].Kind == ArgNone || x.List[k].Kind == ArgList || x.List[k].Kind == ArgString ||
			x.List[k].Kind == ArgDtype {
			errs.Throw(errs.TypeError, "[%s] expected a list of arrays", a.name())
		}
		out[k] = AsArray(&x.List[k])
	}
	return out
}

func float32FromBits(b uint32) float32 { return math.Float32frombits(b) }

// call1 wraps a function of one array, which most are.
func call1(f func(x *Array) *Array) func(*Args) []*Array {
	return func(a *Args) []*Array { return []*Array{f(a.first())} }
}

// callN wraps a function with one result.
func callN(f func(a *Args) *Array) func(*Args) []*Array {
	return func(a *Args) []*Array { return []*Array{f(a)} }
}
