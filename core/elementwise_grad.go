package core

import (
	"go/ast"
	"go/token"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// factor multiplies tangents and cotangents with a derivative as the table writes it. It
// goes down the expression instead of evaluating it first: a zero costs nothing, 1 / b divides, and where picks, so
// that an infinite cotangent of the branch not taken does not turn into NaN.
type factor struct {
	like *Array // the row's result, which literals follow
	env  map[string]*Array
	conj bool // multiply with the conjugate: the way back
}

// factorOf prepares the derivatives of y's row.
func factorOf(y *Array, conj bool) factor {
	ins := y.inputs()
	env := make(map[string]*Array, len(ins)+1)
	env["y"] = y
	for i, x := range ins {
		env[y.op.Row.Args[i]] = x
	}
	return factor{y, env, conj}
}

// times is t times e; nil stands for zero.
func (g factor) times(t *Array, e ast.Expr) *Array {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return g.times(t, e.X)
	case *ast.BasicLit:
		switch e.Value {
		case "0":
			return nil
		case "1":
			return t
		}
	case *ast.UnaryExpr:
		if lit, ok := e.X.(*ast.BasicLit); ok && e.Op == token.SUB && lit.Value != "1" {
			return applyRow(rowByName["multiply"], t, arrayAlgebra{g.like}.Literal("-"+lit.Value))
		}
		if e.Op == token.SUB {
			if t = g.times(t, e.X); t == nil {
				return nil
			}
			return applyRow(rowByName["negative"], t)
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.MUL:
			if t = g.times(t, e.X); t == nil {
				return nil
			}
			return g.times(t, e.Y)
		case token.QUO:
			if t = g.times(t, e.X); t == nil {
				return nil
			}
			return applyRow(rowByName["divide"], t, g.value(e.Y))
		}
	case *ast.CallExpr:
		if e.Fun.(*ast.Ident).Name != "where" {
			break
		}
		x, y := g.times(t, e.Args[1]), g.times(t, e.Args[2])
		if x == nil && y == nil {
			return nil
		}
		if x == nil {
			x = scalarOf(y.dtype, 0)
		}
		if y == nil {
			y = scalarOf(x.dtype, 0)
		}
		return applyRow(rowByName["where"], Walk(e.Args[0], g.env, Algebra[*Array](arrayAlgebra{g.like})), x, y)
	}
	return applyRow(rowByName["multiply"], t, g.value(e))
}

// value is e itself, conjugated on the way back.
func (g factor) value(e ast.Expr) *Array {
	v := Walk(e, g.env, Algebra[*Array](arrayAlgebra{g.like}))
	if g.conj {
		v = conjugated(v)
	}
	return v
}

// conjugated is the complex conjugate; real arrays are their own.
func conjugated(a *Array) *Array {
	if a.dtype != dtype.Complex64 {
		return a
	}
	return applyRow(rowByName["conjugate"], a)
}

// identity reports whether the row gives back its one argument unchanged in dtype d.
func (r *Row) identity(d dtype.Dtype) bool {
	return len(r.Args) == 1 && r.BodyFor(d) == r.Args[0] && r.Types.Result(d) == d
}
