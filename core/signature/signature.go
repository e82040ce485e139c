// Package signature reads the Python signatures of the function table: the
// extension's argument parser, the stubs and the docs follow from one reading.
package signature

import (
	"fmt"
	"strings"
)

// ParamKind tells how Python may pass a parameter.
type ParamKind uint8

const (
	PositionalOnly ParamKind = iota
	Positional               // or by keyword
	VarPositional            // *args
	KeywordOnly
	VarKeyword // **kwargs
)

// Param is one parameter.
type Param struct {
	Name    string
	Type    string // annotation as written, "" if none
	Default string // as written; only if HasDefault
	Kind    ParamKind

	HasDefault bool
}

// Signature is a parsed "(a: array, /, axis: int = 0, *, keepdims: bool = False) -> array".
type Signature struct {
	Params []Param
	Return string // "" if none
}

// Parse reads a signature in Python's syntax.
func Parse(text string) (*Signature, error) {
	fail := func(why string) (*Signature, error) {
		return nil, fmt.Errorf("signature %q: %s", text, why)
	}
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "(") {
		return fail("it must start with (")
	}
	end := closing(s)
	if end < 0 {
		return fail("unbalanced brackets")
	}
	sig := &Signature{}
	rest := strings.TrimSpace(s[end+1:])
	if rest != "" {
		var ok bool
		if sig.Return, ok = strings.CutPrefix(rest, "->"); !ok {
			return fail("only -> may follow )")
		}
		sig.Return = strings.TrimSpace(sig.Return)
	}
	kind := Positional
	for _, part := range Split(s[1:end], ',') {
		switch {
		case part == "":
			return fail("empty parameter")
		case part == "/":
			for i := range sig.Params {
				sig.Params[i].Kind = PositionalOnly
			}
			continue
		case part == "*":
			kind = KeywordOnly
			continue
		}
		p := Param{Kind: kind}
		if after, ok := strings.CutPrefix(part, "**"); ok {
			part, p.Kind = after, VarKeyword
		} else if after, ok := strings.CutPrefix(part, "*"); ok {
			part, p.Kind = after, VarPositional
			kind = KeywordOnly
		}
		if eq := Split(part, '='); len(eq) > 1 {
			p.HasDefault = true
			p.Default = strings.TrimSpace(strings.Join(eq[1:], "="))
			part = eq[0]
		}
		name, typ, _ := strings.Cut(part, ":")
		p.Name, p.Type = strings.TrimSpace(name), strings.TrimSpace(typ)
		if p.Name == "" {
			return fail("a parameter has no name")
		}
		sig.Params = append(sig.Params, p)
	}
	return sig, nil
}

// MustParse is Parse for the table's own signatures.
func MustParse(text string) *Signature {
	s, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return s
}

// closing is the index of the bracket that closes s[0], or -1.
func closing(s string) int {
	depth := 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// Split cuts s at each sep outside of brackets and quotes and trims the parts; an
// empty s has none.
func Split(s string, sep byte) []string {
	var parts []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == sep && depth == 0:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" || len(parts) > 0 {
		parts = append(parts, last)
	}
	return parts
}

// Text is the signature as Python's __text_signature__ and stubs write it. With
// types, annotations are kept and defaults are as written; without, defaults that
// are no literals become an ellipsis, since only literals are allowed there.
func (s *Signature) Text(types bool) string {
	var b strings.Builder
	b.WriteByte('(')
	first, star := true, false
	sep := func() {
		if !first {
			b.WriteString(", ")
		}
		first = false
	}
	for i, p := range s.Params {
		if p.Kind == KeywordOnly && !star {
			star = true
			sep()
			b.WriteByte('*')
		}
		sep()
		switch p.Kind {
		case VarPositional:
			b.WriteByte('*')
			star = true
		case VarKeyword:
			b.WriteString("**")
		}
		b.WriteString(p.Name)
		equals := "="
		if types && p.Type != "" {
			b.WriteString(": " + p.Type)
			equals = " = "
		}
		if p.HasDefault {
			b.WriteString(equals)
			if types || IsLiteral(p.Default) {
				b.WriteString(p.Default)
			} else {
				b.WriteString("...")
			}
		}
		if p.Kind == PositionalOnly && (i+1 == len(s.Params) || s.Params[i+1].Kind != PositionalOnly) {
			sep()
			b.WriteByte('/')
		}
	}
	b.WriteByte(')')
	if types && s.Return != "" {
		b.WriteString(" -> " + s.Return)
	}
	return b.String()
}

// Method is the signature as a method of the first parameter.
func (s *Signature) Method(self string) *Signature {
	m := &Signature{Params: append([]Param(nil), s.Params...), Return: s.Return}
	m.Params[0] = Param{Name: self, Kind: PositionalOnly}
	if len(m.Params) == 1 || m.Params[1].Kind != PositionalOnly {
		m.Params[0].Kind = Positional
	}
	return m
}

// IsLiteral reports whether a default is a Python literal rather than a name.
func IsLiteral(text string) bool {
	switch text {
	case "None", "True", "False", "...":
		return true
	case "":
		return false
	}
	return strings.IndexByte("0123456789.-'\"[(", text[0]) >= 0
}

// Stream tells how a function takes the stream that its op goes to, which is its last parameter.
type Stream uint8

const (
	StreamByKeyword Stream = iota
	StreamByPosition
	NoStream
)

// WithStream is the signature with the stream behind its parameters. It is by keyword alone, too, where no parameter
// can follow by position: after *arrays.
func (s *Signature) WithStream(how Stream) *Signature {
	if how == NoStream {
		return s
	}
	p := Param{Name: "stream", Type: "StreamOrDevice", Default: "None", HasDefault: true, Kind: KeywordOnly}
	if n := len(s.Params); how == StreamByPosition && (n == 0 || s.Params[n-1].Kind < VarPositional) {
		p.Kind = Positional
	}
	return &Signature{Params: append(s.Params[:len(s.Params):len(s.Params)], p), Return: s.Return}
}
