package table

import (
	"fmt"
	"go/token"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// BodyFunc is one function that bodies may call. Every target of render and the
// reference backend implement all of them, for the dtypes of Groups.
type BodyFunc struct {
	Args   int
	Groups groupSet
	Out    OutDtype
}

// bodyFuncs is the vocabulary of bodies beside the operators. Names are C's where C
// has the function. On integers everything wraps.
var bodyFuncs = map[string]BodyFunc{
	"cond": {3, kAny, OutSame}, // cond(c, x, y): x where the bool c holds, else y

	"abs":  {1, kSigned | kFloat | kComplex, OutReal},
	"sign": {1, kInts | kFloat | kComplex, OutSame}, // NaN stays NaN
	"min":  {2, kInts | kFloat | kComplex, OutSame}, // NaN if either is NaN
	"max":  {2, kInts | kFloat | kComplex, OutSame},

	"floordiv": {2, kInts, OutSame},                     // rounded down; by 0 gives 0
	"mod":      {2, kInts | kFloat, OutSame},            // sign of the divisor; integers modulo 0 give 0
	"pow":      {2, kInts | kFloat | kComplex, OutSame}, // integers: quotient rounded to zero for negative exponents
	"shl":      {2, kInts, OutSame},                     // by the width or more gives 0
	"shr":      {2, kInts, OutSame},                     // arithmetic for signed; by the width or more leaves the sign
	"isinf":    {1, kFloat, OutBool},
	"isfinite": {1, kFloat, OutBool},
	"floor":    {1, kFloat, OutSame},
	"ceil":     {1, kFloat, OutSame},
	"trunc":    {1, kFloat, OutSame},
	"rint":     {1, kFloat, OutSame}, // ties to even

	"sqrt":      {1, kFloat | kComplex, OutSame},
	"exp":       {1, kFloat | kComplex, OutSame},
	"expm1":     {1, kFloat, OutSame},
	"log":       {1, kFloat | kComplex, OutSame},
	"log2":      {1, kFloat | kComplex, OutSame},
	"log10":     {1, kFloat | kComplex, OutSame},
	"log1p":     {1, kFloat | kComplex, OutSame},
	"logaddexp": {2, kFloat | kComplex, OutSame},
	"sigmoid":   {1, kFloat, OutSame},
	"erf":       {1, kFloat, OutSame},
	"erfinv":    {1, kFloat, OutSame},
	"sin":       {1, kFloat | kComplex, OutSame},
	"cos":       {1, kFloat | kComplex, OutSame},
	"tan":       {1, kFloat | kComplex, OutSame},
	"asin":      {1, kFloat | kComplex, OutSame},
	"acos":      {1, kFloat | kComplex, OutSame},
	"atan":      {1, kFloat | kComplex, OutSame},
	"atan2":     {2, kFloat, OutSame},
	"sinh":      {1, kFloat | kComplex, OutSame},
	"cosh":      {1, kFloat | kComplex, OutSame},
	"tanh":      {1, kFloat | kComplex, OutSame},
	"asinh":     {1, kFloat | kComplex, OutSame},
	"acosh":     {1, kFloat | kComplex, OutSame},
	"atanh":     {1, kFloat | kComplex, OutSame},

	"re":   {1, kComplex, OutReal},
	"im":   {1, kComplex, OutReal},
	"cplx": {2, kFloat, OutComplex}, // from real and imaginary part
}

// BodyFuncs gives the vocabulary to the packages that implement it.
func BodyFuncs() map[string]BodyFunc { return bodyFuncs }

// Has reports whether the function exists for dtype d.
func (f *BodyFunc) Has(d dtype.Dtype) bool { return f.Groups>>d.Group()&1 != 0 }

// Typed is the dtype of a subexpression of a body. A literal takes the dtype of what
// it meets; Dtype is then the row's.
type Typed struct {
	Dtype   dtype.Dtype
	Literal bool
}

// meet is the dtype of operands that must agree.
func meet(what string, xs ...Typed) Typed {
	at := xs[0]
	for _, x := range xs[1:] {
		switch {
		case at.Literal && !x.Literal:
			at = x
		case !x.Literal && x.Dtype != at.Dtype:
			panic(fmt.Sprintf("op table: %s of %s and %s", what, at.Dtype, x.Dtype))
		}
	}
	return at
}

// TypeUnary is the rule of the unary operators: - for numbers, ! for bools, ^ (complement) for integers.
func TypeUnary(op token.Token, x Typed) Typed {
	k := x.Dtype.Group()
	if op == token.SUB && k != dtype.GroupBool || op == token.NOT && k == dtype.GroupBool ||
		op == token.XOR && x.Dtype.IsInteger() {
		return x
	}
	panic(fmt.Sprintf("op table: %s%s is not defined", op, x.Dtype))
}

// TypeBinary is the rule of the binary operators; at is the dtype both operands take.
func TypeBinary(op token.Token, x, y Typed) (at, out Typed) {
	at = meet(op.String(), x, y)
	at.Literal = false
	k := at.Dtype.Group()
	switch op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return at, Typed{Dtype: dtype.Bool}
	case token.ADD, token.SUB, token.MUL:
		if k != dtype.GroupBool {
			return at, at
		}
	case token.QUO:
		if at.Dtype.IsInexact() {
			return at, at
		}
	case token.LAND, token.LOR:
		if k == dtype.GroupBool {
			return at, at
		}
	case token.AND, token.OR, token.XOR:
		if at.Dtype.IsInteger() {
			return at, at
		}
	}
	panic(fmt.Sprintf("op table: %s %s %s is not defined", at.Dtype, op, at.Dtype))
}

// TypeCall is the rule of the functions; at is the dtype of the arguments, less the
// condition of cond.
func TypeCall(name string, args []Typed) (at, out Typed) {
	f, ok := bodyFuncs[name]
	if !ok || len(args) != f.Args {
		panic(fmt.Sprintf("op table: no function %s of %d arguments", name, len(args)))
	}
	if name == "cond" {
		if args[0].Literal || args[0].Dtype != dtype.Bool {
			panic("op table: the condition of cond must be bool")
		}
		args = args[1:]
	}
	at = meet(name, args...)
	at.Literal = false
	if !f.Has(at.Dtype) {
		panic(fmt.Sprintf("op table: no %s of %s", name, at.Dtype))
	}
	t := Types{Out: f.Out}
	return at, Typed{Dtype: t.Result(at.Dtype)}
}
