package table

import (
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// The elementwise_*.go files are the table: one line an op.

type (
	d    []string // derivative per argument
	span = Span
)

// The dtype rules that rows share.
var (
	anyType   = Types{Accept: kAny}                               // as they are
	number    = Types{Accept: kAny &^ kBool}                      // bool is refused
	realType  = Types{Accept: kReal}                              // complex is refused
	toFloat   = Types{Accept: kAny, Float: true}                  // integers turn into float32
	toReal    = Types{Accept: kReal, Float: true}                 // and complex is refused
	part      = Types{Accept: kAny, Out: OutReal}                 // complex gives a real number
	predicate = Types{Accept: kAny, Out: OutBool}                 // a question
	logical   = Types{Accept: kAny, AsBool: true, Out: OutBool}   // on truth values
	bitwise   = Types{Accept: kBool | kInts}                      // integers and bool
	shifts    = Types{Accept: kBool | kInts, Widen: true}         // integers; bool counts as uint8
	choose    = Types{Accept: kAny, First: true}                  // where
	toComplex = Types{Accept: kAny, Float: true, Out: OutComplex} // the result is complex64
)

// exact gives the body for dtypes without fractions: bool and integers.
func exact(body string) Bodies {
	return Bodies{dtype.GroupBool: body, dtype.GroupUnsigned: body, dtype.GroupSigned: body}
}

// natural gives the body for dtypes without a sign: bool and unsigned integers.
func natural(body string) Bodies {
	return Bodies{dtype.GroupBool: body, dtype.GroupUnsigned: body}
}

func boolean(body string) Bodies { return Bodies{dtype.GroupBool: body} }
func complexes(body string) Bodies {
	return Bodies{dtype.GroupComplex: body}
}

// alias names the same op once more.
type alias string

// el makes a row. Further options: Bodies for groups of dtypes, RowFlags, aliases, a Short.
func el(name, args string, types Types, body string, deriv d, in Span, doc string, opts ...any) *Row {
	r := &Row{Name: name, Args: strings.Split(args, " "), Types: types, Body: body, Deriv: deriv, Span: in, Doc: doc}
	for _, o := range opts {
		switch o := o.(type) {
		case RowFlags:
			r.Flags |= o
		case Short:
			r.Short = &o
		case alias:
			r.Alias = append(r.Alias, string(o))
		case Bodies:
			if r.By == nil {
				r.By = Bodies{}
			}
			for k, b := range o {
				r.By[k] = b
			}
		}
	}
	return r
}

// numbered joins the groups of rows and gives each its place.
func numbered(groups ...[]*Row) []*Row {
	var all []*Row
	for _, g := range groups {
		for _, r := range g {
			r.Index = len(all)
			all = append(all, r)
		}
	}
	return all
}

func byName(rows []*Row) map[string]*Row {
	m := make(map[string]*Row, len(rows))
	for _, r := range rows {
		m[r.Name] = r
	}
	return m
}
