package core

import (
	"go/ast"
	"go/token"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// typeAlgebra reads bodies for their dtypes alone.
type typeAlgebra struct{ row dtype.Dtype }

func (g typeAlgebra) Literal(string) table.Typed {
	return table.Typed{Dtype: g.row,
		Literal: true}
}
func (g typeAlgebra) Unary(op token.Token, x table.Typed) table.Typed { return table.TypeUnary(op, x) }
func (g typeAlgebra) Call(name string, args []table.Typed) table.Typed {
	_, out := table.TypeCall(name, args)
	return out
}
func (g typeAlgebra) Binary(op token.Token, x, y table.Typed) table.Typed {
	_, out := table.TypeBinary(op, x, y)
	return out
}

// TestBodies holds that the body of every row, for every dtype it computes in, parses,
// keeps to the vocabulary and yields the dtype that the rule promises.
func TestBodies(t *testing.T) {
	bodies := 0
	for _, r := range table.Rows {
		if len(r.ComputeDtypes()) == 0 {
			t.Errorf("%s computes in no dtype", r.Name)
		}
		for _, d := range r.ComputeDtypes() {
			func() {
				defer func() {
					if e := recover(); e != nil {
						t.Errorf("%s of %s: %v", r.Name, d, e)
					}
				}()
				e, err := table.ParseExpr(r.BodyFor(d))
				if err != nil {
					t.Error(err)
					return
				}
				env := map[string]table.Typed{}
				for i, a := range r.Args {
					env[a] = table.Typed{Dtype: r.Types.Arg(i, d)}
				}
				got := table.Walk(e, env, table.Algebra[table.Typed](typeAlgebra{d}))
				if want := r.Types.Result(d); got.Dtype != want {
					t.Errorf("%s of %s: %q is %s, want %s", r.Name, d, r.BodyFor(d), got.Dtype, want)
				}
				bodies++
			}()
		}
	}
	t.Logf("%d rows, %d bodies", len(table.Rows), bodies)
}

// TestDerivatives holds that derivatives parse and name rows, and that every row has one per
// argument or says on purpose that it has none.
func TestDerivatives(t *testing.T) {
	without := map[string]bool{"bitwise_and": true, "bitwise_or": true, "bitwise_xor": true,
		"bitwise_invert": true, "left_shift": true, "right_shift": true}
	for _, r := range table.Rows {
		if r.Deriv == nil {
			if !without[r.Name] {
				t.Errorf("%s has no derivative rule", r.Name)
			}
			continue
		}
		if len(r.Deriv) != len(r.Args) {
			t.Errorf("%s has %d derivatives for %d arguments", r.Name, len(r.Deriv), len(r.Args))
		}
		for _, s := range r.Deriv {
			e, err := table.ParseExpr(s)
			if err != nil {
				t.Error(err)
				continue
			}
			known := map[string]bool{"y": true}
			for _, a := range r.Args {
				known[a] = true
			}
			ast.Inspect(e, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if table.FindRow(n.Fun.(*ast.Ident).Name) == nil {
						t.Errorf("%s: derivative %q names no row %s", r.Name, s, n.Fun.(*ast.Ident).Name)
					}
					for _, a := range n.Args {
						if id, ok := a.(*ast.Ident); ok && !known[id.Name] {
							t.Errorf("%s: derivative %q names no argument %s", r.Name, s, id.Name)
						}
					}
				case *ast.BinaryExpr:
					if rowOfOperator[n.Op] == "" {
						t.Errorf("%s: derivative %q: no row for %s", r.Name, s, n.Op)
					}
				}
				return true
			})
		}
	}
}

func TestRowNames(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range table.Rows {
		for _, n := range append([]string{r.Name}, r.Alias...) {
			if seen[n] {
				t.Errorf("two rows are called %s", n)
			}
			seen[n] = true
		}
		if r.Index != i || r.Doc == "" || r.Span.Lo >= r.Span.Hi {
			t.Errorf("row %s is incomplete", r.Name)
		}
		if s := r.Short; s != nil &&
			(len(r.Args) != 2 || table.FindRow(s.Row) == nil || len(table.FindRow(s.Row).Args) != 1) {
			t.Errorf("row %s is short for none of one argument: %v", r.Name, s)
		}
	}
}
