package core_test

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/signature"
	"github.com/mlx-go/mlx_go/core/table"
)

// caller evaluates the small part of Python in which testdata/calls.txt is written: calls of the
// function table with literals, and names of arrays and dtypes.
type caller struct {
	text string
	at   int
	env  map[string]*core.Array
}

func newCaller() *caller {
	c := &caller{env: map[string]*core.Array{}}
	names := map[string]string{
		"v": "A([1, 2, 3])", "m": "A([[1, 2, 3], [4, 5, 6]])", "s": "A(5)", "z": "zeros((0, 3))",
		"a": "reshape(arange(24), (2, 3, 4))", "b1": "ones((1, 3, 1))", "u8": "A([1, 2, 3], uint8)",
		"f": "A([1.0, nan, inf, -inf])", "mf": "A([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])", "vf": "A([1.0, 2.0, 3.0])",
	}
	for name, text := range names {
		c.env[name] = c.eval(text)[0]
	}
	return c
}

func (c *caller) eval(text string) []*core.Array {
	c.text, c.at = text, 0
	out := c.value()
	if c.space(); c.at != len(c.text) {
		panic(fmt.Sprintf("cannot read %q behind %q", c.text[c.at:], c.text[:c.at]))
	}
	if out.Kind == core.ArgList {
		list := make([]*core.Array, len(out.List))
		for i := range out.List {
			list[i] = core.AsArray(&out.List[i])
		}
		return list
	}
	return []*core.Array{core.AsArray(&out)}
}

func (c *caller) space() {
	for c.at < len(c.text) && c.text[c.at] == ' ' {
		c.at++
	}
}

// take consumes one character if it is next.
func (c *caller) take(ch byte) bool {
	c.space()
	if c.at < len(c.text) && c.text[c.at] == ch {
		c.at++
		return true
	}
	return false
}

func (c *caller) word(in string) string {
	start := c.at
	for c.at < len(c.text) && strings.IndexByte(in, c.text[c.at]) >= 0 {
		c.at++
	}
	return c.text[start:c.at]
}

func (c *caller) list(end byte) core.Arg {
	out := core.Arg{Kind: core.ArgList}
	for !c.take(end) {
		out.List = append(out.List, c.value())
		c.take(',')
	}
	return out
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

func (c *caller) value() core.Arg {
	c.space()
	var x core.Arg
	switch ch := c.text[c.at]; {
	case c.take('('):
		x = c.list(')')
	case c.take('['):
		x = c.list(']')
	case ch == '\'':
		end := strings.IndexByte(c.text[c.at+1:], '\'')
		x = core.Arg{Kind: core.ArgString, Str: c.text[c.at+1 : c.at+1+end]}
		c.at += end + 2
	case ch == '-' && strings.HasPrefix(c.text[c.at:], "-inf"):
		c.at += 4
		x = core.Arg{Kind: core.ArgFloat, Float: math.Inf(-1)}
	case strings.IndexByte("-0123456789.", ch) >= 0:
		num := c.word("0123456789.-+e")
		if i, err := strconv.ParseInt(num, 10, 64); err == nil {
			x = core.Arg{Kind: core.ArgInt, Int: i}
		} else if f, err := strconv.ParseFloat(num, 64); err == nil {
			x = core.Arg{Kind: core.ArgFloat, Float: f}
		} else {
			panic("bad number " + num)
		}
		if c.at < len(c.text) && c.text[c.at] == 'j' {
			c.at++
			x = core.Arg{Kind: core.ArgComplex, Imag: x.Float + float64(x.Int)}
		}
	default:
		x = c.name()
	}
	for c.take('.') {
		method := c.word(letters)
		switch self := core.AsArray(&x); method {
		case "T":
			x = core.Arg{Kind: core.ArgArray, Array: core.TransposeAll(self)}
		case "mT":
			x = core.Arg{Kind: core.ArgArray, Array: core.MatrixTranspose(self)}
		default:
			c.take('(')
			x = c.call(method, &core.Arg{Kind: core.ArgArray, Array: self})
		}
	}
	return x
}

func (c *caller) name() core.Arg {
	name := c.word(letters)
	if (name == "fast" || name == "random") && c.take('.') {
		name += "." + c.word(letters)
	}
	switch name {
	case "None":
		return core.Arg{}
	case "True", "False":
		return core.Arg{Kind: core.ArgBool, Int: map[string]int64{"True": 1}[name]}
	case "inf":
		return core.Arg{Kind: core.ArgFloat, Float: math.Inf(1)}
	case "nan":
		return core.Arg{Kind: core.ArgFloat, Float: math.NaN()}
	}
	if d, ok := dtype.Parse(strings.TrimSuffix(name, "_")); ok {
		return core.Arg{Kind: core.ArgDtype, Int: int64(d)}
	}
	if x := c.env[name]; x != nil {
		return core.Arg{Kind: core.ArgArray, Array: x}
	}
	if !c.take('(') {
		panic("unknown name " + name)
	}
	if name == "A" {
		args := c.list(')')
		return core.Arg{Kind: core.ArgArray, Array: literal(args.List)}
	}
	return c.call(name, nil)
}

// literal is an array of (nested) numbers, of a given dtype or as Python scalars have it.
func literal(args []core.Arg) *core.Array {
	var shape []int
	for x := args[0]; x.Kind == core.ArgList; x = x.List[0] {
		shape = append(shape, len(x.List))
		if len(x.List) == 0 {
			break
		}
	}
	var flat []core.Arg
	var collect func(x core.Arg)
	collect = func(x core.Arg) {
		if x.Kind != core.ArgList {
			flat = append(flat, x)
			return
		}
		for _, e := range x.List {
			collect(e)
		}
	}
	collect(args[0])
	parts := make([]*core.Array, len(flat))
	for i := range flat {
		parts[i] = core.Reshape(core.AsArray(&flat[i]), []int{1})
	}
	y := vector(dtype.Float32, []int{0}, nil)
	if len(parts) > 0 {
		y = core.Reshape(core.Concatenate(parts, 0), shape)
	}
	if len(args) > 1 {
		y = core.AsType(y, dtype.Dtype(args[1].Int))
	}
	return y
}

// call reads the arguments of a function or method and calls it with its defaults filled in.
func (c *caller) call(name string, self *core.Arg) core.Arg {
	var f *core.Func
	for _, g := range core.Funcs {
		if g.Name == "array."+name && self != nil {
			f = g
			break
		}
		if g.Name == name && (self == nil || g.Method) {
			f = g
		}
	}
	var row *table.Row
	if f == nil {
		if row = table.FindRow(name); row == nil {
			panic("no function " + name)
		}
	}
	var list []core.Arg
	if self != nil {
		list = append(list, *self)
	}
	named := map[string]core.Arg{}
	for !c.take(')') {
		c.space()
		before := c.at
		if key := c.word(letters); key != "" && c.take('=') {
			named[key] = c.value()
		} else {
			c.at = before
			list = append(list, c.value())
		}
		c.take(',')
	}
	if row != nil {
		return core.Arg{Kind: core.ArgArray, Array: core.ApplyRow(row, list)}
	}
	var args []core.Arg
	for _, p := range f.Signature.Params {
		x, given := named[p.Name]
		switch {
		case p.Name == "stream":
			continue
		case p.Kind == signature.VarPositional:
			x, list = core.Arg{Kind: core.ArgList, List: list}, nil
		case given:
		case p.Kind != signature.KeywordOnly && len(list) > 0:
			x, list = list[0], list[1:]
		case p.HasDefault && p.Default != "float32" && p.Default != "int32":
			text, at := c.text, c.at
			c.text, c.at = p.Default, 0
			x = c.value()
			c.text, c.at = text, at
		}
		args = append(args, x)
	}
	out := core.CallFunc(f, args)
	x := core.Arg{Kind: core.ArgList}
	for _, y := range out {
		x.List = append(x.List, core.Arg{Kind: core.ArgArray, Array: y})
	}
	if ret := f.Signature.Return; ret == "array" || ret == "array | list[array]" && len(out) == 1 {
		return x.List[0]
	}
	return x
}

var errorNames = map[errs.ErrorKind]string{errs.ValueError: "ValueError", errs.TypeError: "TypeError",
	errs.IndexError: "IndexError", errs.AxisError: "IndexError", errs.RuntimeError: "RuntimeError"}

// outcome is what a line of calls.txt says: dtype, shape and values of each result, or the error.
func outcome(t *testing.T, text string) (out string, numbers []float64) {
	var ys []*core.Array
	err := func() (err *errs.Error) {
		defer func() {
			if r := recover(); r != nil {
				if s, ok := r.(string); ok {
					t.Errorf("%s: %s", text, s)
				}
				err = errs.Catch(r)
			}
		}()
		ys = held(t, func() []*core.Array {
			var parts []*core.Array
			for _, y := range newCaller().eval(text) {
				parts = append(parts, y)
				if y.Dtype() == dtype.Complex64 {
					parts = append(parts,
						core.ApplyRow(table.FindRow("imag"), []core.Arg{{Kind: core.ArgArray, Array: y}}))
				}
			}
			return parts
		})
		return core.Eval(ys...)
	}()
	if err != nil {
		if !strings.HasPrefix(err.Msg, "[") {
			t.Errorf("%s: message %q does not name the op", text, err.Msg)
		}
		return "raises " + errorNames[err.Kind], nil
	}
	var heads []string
	for _, y := range ys {
		heads = append(heads, y.Dtype().String()+" "+layout.Format(y.Shape()))
		numbers = append(numbers, values(t, y)...)
	}
	return strings.Join(heads, " "), numbers
}

// TestCalls compares shape, creation, combining and comparing functions, with their edge cases and
// errors, with recorded outcomes.
func TestCalls(t *testing.T) {
	file, err := os.Open("testdata/calls.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	count := 0
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, want, ok := strings.Cut(line, " => ")
		if !ok {
			t.Fatalf("no outcome in line %q", line)
		}
		want, wantNumbers, _ := strings.Cut(want, " : ")
		got, numbers := outcome(t, text)
		if got != want {
			t.Errorf("%s\ngives %s\nnot   %s", text, got, want)
			continue
		}
		count++
		if wantNumbers == "..." {
			continue
		}
		fields := strings.Fields(wantNumbers)
		if len(fields) != len(numbers) {
			t.Errorf("%s gives %v, not %v", text, numbers, fields)
			continue
		}
		for i, f := range fields {
			w, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatal(err)
			}
			if g := numbers[i]; g != w && !(math.IsNaN(g) && math.IsNaN(w)) && math.Abs(g-w) > 2e-6*(math.Abs(w)+0.1) {
				t.Errorf("%s gives %v at %d, not %v: %v", text, g, i, w, numbers)
				break
			}
		}
	}
	if count < 300 {
		t.Errorf("only %d lines were checked", count)
	}
}
