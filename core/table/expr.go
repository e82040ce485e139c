package table

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// Algebra interprets the expressions of the table. Bodies are read over C text by
// render and over numbers by the reference backend, derivatives over arrays.
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
