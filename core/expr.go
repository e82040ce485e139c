package core

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// Algebra interprets the expressions of the table. Bodies are read over C text by
// clike and over numbers by the reference backend, derivatives over arrays.
type Algebra[T any] interface {
	Literal(text string) T       // a number as written
	Unary(op token.Token, x T) T // - ! ~
	Binary(op token.Token, x, y T) T
	Call(name string, args []T) T
}

// ParseExpr parses a body or a derivative. Both are written in the syntax that C
// and Go expressions share, with cond(c, x, y) for C's conditional.
func ParseExpr(s string) (ast.Expr, error) {
	e, err := parser.ParseExpr(s)
	if err != nil {
		return nil, fmt.Errorf("op table: %q: %w", s, err)
	}
	return e, nil
}

// Walk evaluates e over alg; env gives the named arguments.
func Walk[T any](e ast.Expr, env map[string]T, alg Algebra[T]) T {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return Walk(e.X, env, alg)
	case *ast.Ident:
		v, ok := env[e.Name]
		if !ok {
			panic("op table: unknown name " + e.Name)
		}
		return v
	case *ast.BasicLit:
		return alg.Literal(e.Value)
	case *ast.UnaryExpr:
		return alg.Unary(e.Op, Walk(e.X, env, alg))
	case *ast.BinaryExpr:
		x := Walk(e.X, env, alg)
		return alg.Binary(e.Op, x, Walk(e.Y, env, alg))
	case *ast.CallExpr:
		args := make([]T, len(e.Args))
		for i, a := range e.Args {
			args[i] = Walk(a, env, alg)
		}
		return alg.Call(e.Fun.(*ast.Ident).Name, args)
	}
	panic(fmt.Sprintf("op table: %T is not allowed in an expression", e))
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
		return applyRow(rowByName["negative"], x)
	}
	return applyRow(rowByName[rowOfOperator[op]], x)
}

func (g arrayAlgebra) Binary(op token.Token, x, y *Array) *Array {
	return applyRow(rowByName[rowOfOperator[op]], x, y)
}

func (g arrayAlgebra) Call(name string, args []*Array) *Array {
	r := rowByName[name]
	if r == nil {
		panic("op table: no op " + name)
	}
	return applyRow(r, args...)
}
