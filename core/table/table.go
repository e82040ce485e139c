// Package table is the op table: its elementwise rows, the expressions they are written in, and their typing rules.
// It knows no arrays, so that backends read it without core.
package table

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/signature"
)

// Row is one elementwise op, complete: the Python function with its signature
// and docs, dtype rule, kernels of every backend, derivatives, batching and tests
// all follow from it. Rows live in the elementwise_*.go files.
type Row struct {
	Name  string   // the op's name in Python
	Args  []string // "a", "b", "c": as Body and Deriv name them
	Types Types
	Body  string   // C99 expression for one element, in the vocabulary of bodyFuncs
	By    Bodies   // bodies for groups of dtypes where the formula differs
	Deriv []string // per argument, the derivative in op names; y is the result; nil: none, on purpose
	Span  Span     // domain in which tests sample arguments
	Doc   string   // first line says what it computes
	Index int      // position in Rows, the ABI between table and kernels
	Flags RowFlags
	Alias []string // other Python names of the same op
	Short *Short
}

// Short is a row of one argument that gives the same with less work where the last of two is a scalar: power by 2 is
// square.
type Short struct {
	Scalar float64
	Row    string
}

// Bodies gives the body for a group of dtypes.
type Bodies map[dtype.Group]string

// Span is the closed interval tests draw arguments from.
type Span struct{ Lo, Hi float64 }

// RowFlags mark how rows compute and what Python sees of them.
type RowFlags uint8

const (
	// Method rows are also methods of array.
	Method RowFlags = 1 << iota
	// Hidden rows have no Python function; derivatives and families use them.
	Hidden
	// Heavy rows cost tens of operations per element (transcendental functions).
	Heavy
	// Antilinear rows change by the conjugate of what their argument changes by, times Deriv.
	Antilinear
	// Named rows take their arguments by name, too.
	Named
	// StreamByPosition rows take their stream by position, too.
	StreamByPosition
)

// Types is the dtype rule of a row: which groups of dtypes it takes and what
// they turn into.
type Types struct {
	Accept groupSet // groups of the promoted argument dtype that are taken as they are
	Float  bool     // other than inexact arguments turn into float32 first
	First  bool     // the first argument is a bool of its own (where)
	Out    OutDtype // what the result is
	Widen  bool     // bool arguments turn into uint8 first (shifts)
	AsBool bool     // all arguments turn into bool first (logical ops)
}

// OutDtype tells the result dtype from the computing one.
type OutDtype uint8

const (
	OutSame OutDtype = iota
	OutBool
	OutReal    // complex64 gives float32, others stay
	OutComplex // always complex64
)

type groupSet uint8

const (
	kBool     groupSet = 1 << dtype.GroupBool
	kUnsigned groupSet = 1 << dtype.GroupUnsigned
	kSigned   groupSet = 1 << dtype.GroupSigned
	kFloat    groupSet = 1 << dtype.GroupFloat
	kComplex  groupSet = 1 << dtype.GroupComplex
	kInts              = kUnsigned | kSigned
	kReal              = kBool | kInts | kFloat
	kAny               = kReal | kComplex
)

// Has reports whether d's group is accepted.
func (t *Types) Has(d dtype.Dtype) bool { return t.Accept>>d.Group()&1 != 0 }

// Result is the dtype of the row's value when it computes in d.
func (t *Types) Result(d dtype.Dtype) dtype.Dtype {
	switch {
	case t.Out == OutBool:
		return dtype.Bool
	case t.Out == OutReal && d == dtype.Complex64:
		return dtype.Float32
	case t.Out == OutComplex:
		return dtype.Complex64
	}
	return d
}

// Arg is the dtype of argument i when the row computes in d.
func (t *Types) Arg(i int, d dtype.Dtype) dtype.Dtype {
	if t.First && i == 0 {
		return dtype.Bool
	}
	return d
}

// ComputeDtypes lists the dtypes for which a backend needs a kernel of the row:
// the accepted ones less the halves, which run in float32.
func (r *Row) ComputeDtypes() []dtype.Dtype {
	var out []dtype.Dtype
	for _, d := range dtype.All {
		if d.IsHalf() || !r.Types.Has(d) || r.Types.Float && !d.IsInexact() ||
			r.Types.AsBool && d != dtype.Bool || r.Types.Widen && d == dtype.Bool {
			continue
		}
		out = append(out, d)
	}
	return out
}

// BodyFor is the formula for dtype d.
func (r *Row) BodyFor(d dtype.Dtype) string {
	if b, ok := r.By[d.Group()]; ok {
		return b
	}
	return r.Body
}

// OneOperator reports whether the row's value for floats is an arithmetic operator of its arguments, such as a + b:
// text that holds for vectors of C as for numbers.
func (r *Row) OneOperator() bool {
	if d := dtype.Float32; !r.Types.Has(d) || r.Types.Result(d) != d {
		return false
	}
	argument := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && slices.Contains(r.Args, id.Name)
	}
	e, err := ParseExpr(r.BodyFor(dtype.Float32))
	if err != nil {
		return false
	}
	switch e := e.(type) {
	case *ast.UnaryExpr:
		return e.Op == token.SUB && argument(e.X)
	case *ast.BinaryExpr:
		arithmetic := e.Op == token.ADD || e.Op == token.SUB || e.Op == token.MUL || e.Op == token.QUO
		return arithmetic && argument(e.X) && argument(e.Y)
	}
	return false
}

// Signature is the row's as a Python function.
func (r *Row) Signature() *signature.Signature {
	s := &signature.Signature{Return: "array"}
	for _, a := range r.Args {
		p := signature.Param{Name: a, Type: "scalar | array"}
		if r.Flags&Named != 0 {
			p.Kind = signature.Positional
		}
		s.Params = append(s.Params, p)
	}
	if r.Flags&StreamByPosition != 0 {
		return s.WithStream(signature.StreamByPosition)
	}
	return s.WithStream(signature.StreamByKeyword)
}

// Rows is the table; Row.Index repeats the position.
var Rows = numbered(arithmeticRows, functionRows, logicRows)

var rowByName = byName(Rows)

// FindRow returns the row with the given name, or nil.
func FindRow(name string) *Row { return rowByName[name] }
