package core

import (
	"slices"
	"strconv"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/doc"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/signature"
)

// How functions take their stream, if not by keyword alone.
const (
	byPosition = signature.StreamByPosition
	noStream   = signature.NoStream
)

// Func is one Python function made from Go: its row in the second half of the table.
// The signature is parsed once; argument conversion, keyword handling, stubs
// and docs follow from it.
type Func struct {
	Name   string // "sum", or with its submodule: "random.uniform"
	Sig    string // "(a: array, /, axis: None | int = None, keepdims: bool = False) -> array"; register adds the stream
	Stream signature.Stream
	Doc    string // from its heading in core/doc, unless another function's stands for it
	Method bool   // also a method of array, the first argument being self
	Call   func(a *Args) []*Array

	// Set by register.
	Signature *signature.Signature     // Sig and the stream, parsed
	Index     int                      // position in Funcs, the ABI between table and extension
	Defaults  []Arg                    // of the parameters but the stream
	at        [unsafe.Sizeof(by)]uint8 // the position of each param, or absent
}

// Funcs is every Func in order of registration.
var Funcs []*Func

// register adds functions to the table; families call it from init.
func register(fs ...Func) {
	for i := range fs {
		f := &fs[i]
		if f.Doc == "" {
			f.Doc = doc.Of(f.Name)
		}
		f.bind()
		f.Index = len(Funcs)
		Funcs = append(Funcs, f)
	}
}

// bind parses the signature and notes where its parameters stand.
func (f *Func) bind() {
	sig := signature.MustParse(f.Sig)
	f.Signature = sig.WithStream(f.Stream)
	for i := range f.at {
		f.at[i] = absent
	}
	for i, p := range sig.Params {
		f.Defaults = append(f.Defaults, defaultOf(p))
		if n := slices.Index(parameterNames, p.Name); n >= 0 {
			f.at[n] = uint8(i)
		}
	}
}

// ArgKind tells what Python passed.
type ArgKind uint8

const (
	ArgNone    ArgKind = iota // None, or not given: the default of the signature holds
	ArgBool                   // Int
	ArgInt                    // Int
	ArgFloat                  // Float
	ArgComplex                // Float, Imag
	ArgString                 // Str
	ArgArray                  // Array
	ArgDtype                  // Int is the dtype
	ArgList                   // List: tuple or list of any of these
	ArgBigUint                // Int holds the bits of a uint64 above the int64 range
)

// Arg is one Python argument. Arrays are borrowed from the caller.
type Arg struct {
	Kind  ArgKind
	Int   int64
	Float float64
	Imag  float64
	Str   string
	Array *Array
	List  []Arg
}

// defaultOf is what stands in for a parameter that is not given; for None, and where there is none, it is the zero Arg.
func defaultOf(p signature.Param) Arg {
	text := p.Default
	switch text {
	case "", "None":
		if p.Kind == signature.VarPositional {
			return Arg{Kind: ArgList}
		}
		return Arg{}
	case "True":
		return Arg{Kind: ArgBool, Int: 1}
	case "False":
		return Arg{Kind: ArgBool}
	case "[]", "()":
		return Arg{Kind: ArgList}
	}
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return Arg{Kind: ArgInt, Int: i}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return Arg{Kind: ArgFloat, Float: f}
	}
	if d, ok := dtype.Parse(text); ok {
		return Arg{Kind: ArgDtype, Int: int64(d)}
	}
	if n := len(text); n >= 2 && (text[0] == '\'' || text[0] == '"') {
		return Arg{Kind: ArgString, Str: text[1 : n-1]}
	}
	if n := len(text); n >= 2 && (text[0] == '[' || text[0] == '(') {
		list := Arg{Kind: ArgList}
		for _, e := range signature.Split(text[1:n-1], ',') {
			list.List = append(list.List, defaultOf(signature.Param{Default: e}))
		}
		return list
	}
	panic("signature: default " + text + " of " + p.Name + " is not understood")
}
