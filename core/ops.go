package core

import (
	"github.com/mlx-go/mlx_go/core/table"
)

// The rows by name, for rules and composed functions: apply("add", x, y).
func apply(row string, xs ...*Array) *Array {
	r := table.FindRow(row)
	if r == nil {
		panic("op table: no op " + row)
	}
	return applyRow(r, xs...)
}

func add(x, y *Array) *Array { return apply("add", x, y) }
func sub(x, y *Array) *Array { return apply("subtract", x, y) }
func mul(x, y *Array) *Array { return apply("multiply", x, y) }
func div(x, y *Array) *Array { return apply("divide", x, y) }
func neg(x *Array) *Array    { return apply("negative", x) }

// where picks x where cond holds, else y.
func where(cond, x, y *Array) *Array { return apply("where", cond, x, y) }

// like is the scalar v in x's dtype.
func like(x *Array, v float64) *Array { return scalarOf(x.dtype, complex(v, 0)) }

// floated is x, converted to float32 unless it is inexact already.
func floated(x *Array) *Array { return AsType(x, x.dtype.ToFloat()) }
