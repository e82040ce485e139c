package core

import (
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core/doc"
)

// numpyMethods adds the methods of reductions. NumPy's functions of their names call them: np.mean(a) is
// a.mean(axis=None, dtype=None, out=None). So they take a dtype, in which the elements are reduced, and an out, which
// can only be None.
func numpyMethods(fs ...Func) []Func {
	for _, f := range slices.Clone(fs) {
		more, args := "", ""
		switch f.Name {
		case "sum", "prod", "mean", "var", "std":
			more = ", dtype: Dtype | type | None = None"
			args = "\n    dtype: Dtype of the result, " +
				"in which the elements are reduced; NumPy's dtypes and types are taken, too."
			f.Call = reduceIn(f.Call)
		case "min", "max", "all", "any":
		default:
			continue
		}
		more += ", out: None = None) ->"
		if !strings.Contains(f.Sig, "*") {
			more = ", *" + more
		}
		f.Sig = strings.Replace(f.Sig, ") ->", more, 1)
		f.Doc = strings.Replace(doc.Of(f.Name), "\n\nReturns:",
			args+"\n    out: None: arrays are not written to.\n\nReturns:", 1)
		f.Name = "array." + f.Name
		fs = append(fs, f)
	}
	return fs
}

// reduceIn converts what call reduces, and its result, to the dtype that is the argument dtype, if given.
func reduceIn(call func(*Args) []*Array) func(*Args) []*Array {
	return func(a *Args) []*Array {
		if !a.given(by.dtype) {
			return call(a)
		}
		d := a.dtype(by.dtype)
		list := slices.Clone(a.List)
		list[0] = Arg{Kind: ArgArray, Array: AsType(a.first(), d)}
		return []*Array{AsType(call(&Args{a.Func, list})[0], d)}
	}
}
