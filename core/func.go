package core

import (
	"github.com/mlx-go/mlx_go/core/doc"
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
	Signature *signature.Signature // Sig and the stream, parsed
	Index     int                  // position in Funcs, the ABI between table and extension
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
		f.Signature = signature.MustParse(f.Sig).WithStream(f.Stream)
		f.Index = len(Funcs)
		Funcs = append(Funcs, f)
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

// Args are a call's arguments in the order of the signature, stream left out.
type Args struct {
	Func *Func
	List []Arg
}
