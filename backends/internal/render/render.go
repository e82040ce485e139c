// Package render renders the op table's bodies as expressions of C and its
// relatives. The text is the same for every target but for what Target holds: arithmetic that C
// would not define (wrapping integers, complex numbers) and every function of
// the vocabulary are calls of <dtype>_<name>, which the target's prelude defines.
package render

import (
	"fmt"
	"go/token"
	"strconv"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// Target is a language of the C family.
type Target struct {
	Name  string
	Types [dtype.Count]string // element type of each dtype; "" where the target has none
	// Double is the suffix of float64 literals.
	Double string

	preludes []string // of backends/cpu/kernels, beside prelude_int.h; devices only
	head     func(name string, out param, in []param) string
}

var short = [dtype.Count]string{"b8", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f16", "f32", "f64",
	"bf16", "c64"}

// Short is the name of a dtype within identifiers: f32, c64, b8.
func Short(d dtype.Dtype) string { return short[d] }

// Has reports whether the target can compute the row in dtype d.
func (t *Target) Has(r *table.Row, d dtype.Dtype) bool {
	return t.Types[d] != "" && t.Types[r.Types.Result(d)] != ""
}

// Render is the row's body for dtype d as an expression over the row's argument names. Arguments
// have the types of r.Types.Arg, the value that of r.Types.Result.
func Render(r *table.Row, d dtype.Dtype, t *Target) string {
	e, err := table.ParseExpr(r.BodyFor(d))
	if err != nil {
		panic(err)
	}
	env := map[string]text{}
	for i, a := range r.Args {
		env[a] = text{a, table.Typed{Dtype: r.Types.Arg(i, d)}}
	}
	x := table.Walk(e, env, table.Algebra[text](renderer{t, d}))
	return renderer{t, d}.as(x, x.Dtype)
}

// text is a rendered subexpression; of a literal, the number as written.
type text struct {
	s string
	table.Typed
}

type renderer struct {
	*Target
	row dtype.Dtype
}

// as is x as an operand of dtype d: literals get their type here.
func (g renderer) as(x text, d dtype.Dtype) string {
	if !x.Literal {
		return x.s
	}
	switch {
	case d == dtype.Complex64:
		return "c64_of(" + single(x.s) + ", 0.0f)"
	case d == dtype.Float64:
		if !strings.ContainsAny(x.s, ".e") {
			return x.s + ".0" + g.Double
		}
		return x.s + g.Double
	case d.IsFloat():
		return single(x.s)
	}
	return "(" + g.Types[d] + ")" + x.s
}

func single(s string) string {
	f, err := strconv.ParseFloat(s, 32)
	if err != nil {
		panic("op table: bad literal " + s)
	}
	s = strconv.FormatFloat(f, 'g', -1, 32)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s + "f"
}

func (g renderer) Literal(s string) text {
	return text{s, table.Typed{Dtype: g.row, Literal: true}}
}

var unaryName = map[token.Token]string{token.SUB: "neg"}

func (g renderer) Unary(op token.Token, x text) text {
	t := table.TypeUnary(op, x.Typed)
	if x.Literal {
		return text{"-" + x.s, t}
	}
	switch {
	case op == token.XOR:
		return text{fmt.Sprintf("(%s)(~%s)", g.Types[t.Dtype], x.s), t}
	case op == token.SUB && !t.Dtype.IsFloat():
		return text{call(t.Dtype, unaryName[op], x.s), t}
	}
	return text{"(" + op.String() + x.s + ")", t}
}

var binaryName = map[token.Token]string{
	token.ADD: "add", token.SUB: "sub", token.MUL: "mul", token.QUO: "div", token.EQL: "eq", token.NEQ: "ne",
	token.LSS: "lt", token.LEQ: "le", token.GTR: "gt", token.GEQ: "ge",
}

func (g renderer) Binary(op token.Token, x, y text) text {
	at, out := table.TypeBinary(op, x.Typed, y.Typed)
	a, b := g.as(x, at.Dtype), g.as(y, at.Dtype)
	integer := at.Dtype.IsInteger()
	switch op {
	case token.AND, token.OR, token.XOR:
		return text{fmt.Sprintf("(%s)(%s %s %s)", g.Types[at.Dtype], a, op, b), out}
	case token.ADD, token.SUB, token.MUL:
		if integer { // C leaves overflow undefined, and widens the narrow types
			return text{call(at.Dtype, binaryName[op], a, b), out}
		}
	}
	if at.Dtype == dtype.Complex64 {
		return text{call(at.Dtype, binaryName[op], a, b), out}
	}
	return text{fmt.Sprintf("(%s %s %s)", a, op, b), out}
}

func (g renderer) Call(name string, args []text) text {
	types := make([]table.Typed, len(args))
	for i, a := range args {
		types[i] = a.Typed
	}
	at, out := table.TypeCall(name, types)
	s := make([]string, len(args))
	for i, a := range args {
		s[i] = g.as(a, at.Dtype)
	}
	if name == "cond" {
		return text{fmt.Sprintf("(%s ? %s : %s)", args[0].s, s[1], s[2]), out}
	}
	return text{call(at.Dtype, name, s...), out}
}

func call(d dtype.Dtype, name string, args ...string) string {
	return Short(d) + "_" + name + "(" + strings.Join(args, ", ") + ")"
}
