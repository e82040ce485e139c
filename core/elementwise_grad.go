package core

import (
	"go/ast"
	"go/token"
	"strconv"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
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
			return applyRow(table.FindRow("multiply"), t, arrayAlgebra{g.like}.Literal("-"+lit.Value))
		}
		if e.Op == token.SUB {
			if t = g.times(t, e.X); t == nil {
				return nil
			}
			return applyRow(table.FindRow("negative"), t)
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
			return applyRow(table.FindRow("divide"), t, g.value(e.Y))
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
		return applyRow(table.FindRow("where"),
			table.Walk(e.Args[0], g.env, table.Algebra[*Array](arrayAlgebra{g.like})), x, y)
	}
	return applyRow(table.FindRow("multiply"), t, g.value(e))
}

// value is e itself, conjugated on the way back.
func (g factor) value(e ast.Expr) *Array {
	v := table.Walk(e, g.env, table.Algebra[*Array](arrayAlgebra{g.like}))
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
	return applyRow(table.FindRow("conjugate"), a)
}

// isIdentity reports whether the row gives back its one argument unchanged in dtype d.
func isIdentity(r *table.Row, d dtype.Dtype) bool {
	return len(r.Args) == 1 && r.BodyFor(d) == r.Args[0] && r.Types.Result(d) == d
}

// rowOfOperator names the row that an operator in a derivative stands for.
var rowOfOperator = map[token.Token]string{
	token.ADD: "add", token.SUB: "subtract", token.MUL: "multiply", token.QUO: "divide",
	token.LSS: "less", token.LEQ: "less_equal", token.GTR: "greater", token.GEQ: "greater_equal",
	token.EQL: "equal", token.NEQ: "not_equal", token.LAND: "logical_and", token.LOR: "logical_or",
	token.NOT: "logical_not",
}

// arrayAlgebra reads derivatives: every name is a row, every literal a weak scalar of the
// op's dtype, so that derivatives of halves stay halves.
type arrayAlgebra struct{ like *Array }

func (g arrayAlgebra) Literal(text string) *Array {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("op table: bad literal " + text)
	}
	return scalarOf(g.like.dtype, complex(f, 0))
}

func (g arrayAlgebra) Unary(op token.Token, x *Array) *Array {
	if op == token.SUB {
		return applyRow(table.FindRow("negative"), x)
	}
	return applyRow(table.FindRow(rowOfOperator[op]), x)
}

func (g arrayAlgebra) Binary(op token.Token, x, y *Array) *Array {
	return applyRow(table.FindRow(rowOfOperator[op]), x, y)
}

func (g arrayAlgebra) Call(name string, args []*Array) *Array {
	r := table.FindRow(name)
	if r == nil {
		panic("op table: no op " + name)
	}
	return applyRow(r, args...)
}
