package backendtest

import (
	"fmt"
	"go/ast"
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// accuracy is how many ulps the functions of bodies may be off in float32 and float64. Every
// function that is not listed, and every operator, is correctly rounded. Products, quotients and functions
// of complex numbers have complexUlps, in units of the result's larger part.
var accuracy = map[string][2]float64{
	"exp": {2, 2}, "expm1": {4, 3}, "log": {2, 2}, "log2": {3, 3}, "log10": {3, 3}, "log1p": {4, 3},
	"sigmoid": {4, 4}, "erf": {4, 3}, "erfinv": {12, 12}, "logaddexp": {4, 4},
	"sin": {3, 3}, "cos": {3, 3}, "tan": {5, 4}, "asin": {4, 3}, "acos": {4, 3}, "atan": {4, 3}, "atan2": {5, 4},
	"sinh": {4, 4}, "cosh": {4, 3}, "tanh": {5, 4}, "asinh": {5, 4}, "acosh": {5, 4}, "atanh": {5, 4},
	"pow": {2, 2}, "mod": {0, 0},
}

const complexUlps = 8

// calls lists the functions that a body calls.
func calls(body string) []string {
	e, err := table.ParseExpr(body)
	if err != nil {
		panic(err)
	}
	var names []string
	ast.Inspect(e, func(n ast.Node) bool {
		if f, ok := n.(*ast.CallExpr); ok {
			names = append(names, f.Fun.(*ast.Ident).Name)
		}
		return true
	})
	return names
}

// partwise functions of complex numbers have one right result; so have sums.
var partwise = []string{"cond", "re", "im", "cplx", "rint", "isinf", "isfinite", "min", "max"}

// rowUlps is the accuracy wanted of a row that computes in d.
func rowUlps(r *table.Row, d dtype.Dtype) float64 {
	if !d.IsInexact() {
		return 0
	}
	body, ulps := r.BodyFor(d), 0.0
	for _, name := range calls(body) {
		switch a := accuracy[name]; {
		case d == dtype.Complex64:
			if !slices.Contains(partwise, name) {
				ulps += complexUlps
			}
		case d == dtype.Float64:
			ulps += a[1]
		default:
			ulps += a[0]
		}
	}
	if d == dtype.Complex64 && strings.ContainsAny(body, "*/") {
		ulps += complexUlps
	}
	return ulps
}

// rowTolerance is the tolerance for a row whose result is stored as out.
func rowTolerance(r *table.Row, d, out dtype.Dtype, ins []device.Tensor) tolerance {
	tol := tolerance{ulps: rowUlps(r, d)}
	names := calls(r.BodyFor(d))
	has := func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
	if tol.ulps > 0 && out.IsHalf() {
		tol.ulps = 1 // an error far below the rounding turns it at most once
	}
	tol.loose = d == dtype.Complex64 && tol.ulps > 0
	if tol.loose && len(names) > 0 {
		// Nobody agrees on complex functions of infinities and NaNs (C leaves signs and zeros open).
		tol.skip = func(n int) bool {
			for i := range ins {
				if !finite(elementAt(&ins[i], n)) {
					return true
				}
			}
			return false
		}
	}
	// Which zero is the smaller one is not told.
	tol.zeros = !has("min") && !has("max") && !has("mod") && !has("pow") && d != dtype.Complex64
	if has("pow") && d == dtype.Complex64 { // the angle, imag(b log(a)), keeps the absolute error of its size
		tol.slack = func(n int, want complex128) float64 {
			size := cmplx.Abs(elementAt(&ins[1], n)) * cmplx.Abs(cmplx.Log(elementAt(&ins[0], n)))
			return 0x1p-50 * size * cmplx.Abs(want)
		}
	}
	if has("logaddexp") { // the sum of a term and a logarithm may cancel
		tol.slack = func(n int, want complex128) float64 {
			most := 1.0
			for i := range ins {
				v := elementAt(&ins[i], n)
				if finite(v) {
					most = math.Max(most, math.Abs(real(v))+math.Abs(imag(v)))
				}
			}
			return 4 * most * resolution(out)
		}
	}
	return tol
}

// arguments gives the generators of a row's arguments in dtype d.
func (c *ctx) arguments(r *table.Row, d dtype.Dtype) []func(int) uint64 {
	var out []func(int) uint64
	for i := range r.Args {
		out = append(out, c.uniform(r.Types.Arg(i, d), r.Span.Lo, r.Span.Hi))
	}
	return out
}

// supported lists the dtypes for which the backend has the row, and counts the others as skipped.
func (c *ctx) supported(r *table.Row) []dtype.Dtype {
	return slices.DeleteFunc(r.ComputeDtypes(), func(d dtype.Dtype) bool {
		s, ok := c.b.(Supporter)
		skip := ok && !s.Supports(r, d)
		if skip {
			c.skips["the backend does not support the row"]++
		}
		return skip
	})
}

func testElementwise(c *ctx) {
	for _, r := range table.Rows {
		c.sub(r.Name, func(c *ctx) {
			for _, d := range c.supported(r) {
				c.row(r, d)
			}
			c.rowHalves(r)
			c.rowLarge(r)
		})
	}
}

// row tests one row in one dtype: at its edges, over its span and beyond, in all views and in place.
func (c *ctx) row(r *table.Row, d dtype.Dtype) {
	p := device.OneStep(r, d)
	launch := func(what string, shape []int, view func() view, value []func(int) uint64) bool {
		c.begin("%s of %s, %s", r.Name, d, what)
		var ins []device.Tensor
		for i, v := range value {
			ins = append(ins, c.tensor(p.Load[i], shape, view(), v))
		}
		out := r.Types.Result(d)
		return c.run(device.KindElementwise, p, ins, []output{{d: out, shape: shape}}, rowTolerance(r, d, out, ins))
	}
	flat := func() view { return contiguous }

	// Every edge against every other one; further arguments at random.
	e := edges(p.Load[len(p.Load)-1])
	columns := len(e)
	n := columns
	value := make([]func(int) uint64, len(p.Load))
	last := len(value) - 1
	value[last] = func(i int) uint64 { return e[i%columns] }
	if last > 0 {
		first := edges(p.Load[last-1])
		value[last-1] = func(i int) uint64 { return first[i/columns%len(first)] }
		n *= len(first)
	}
	if last > 1 {
		value[0] = c.raw(p.Load[0])
	}
	if !launch("edge values", []int{n}, flat, value) {
		return
	}
	if d.IsInexact() { // alone, since a kernel may choose its path for many elements by one of them
		for range 100 {
			for i := range value {
				value[i] = c.pick(edges(p.Load[i]))
			}
			if !launch("one element", []int{1}, flat, value) {
				return
			}
		}
	}
	for i := range value {
		value[i] = c.raw(p.Load[i])
	}
	launch("any bits", []int{1023}, flat, value)
	value = c.arguments(r, d)
	for _, n := range []int{1, 15, 16, 17, 1025} {
		launch(fmt.Sprintf("%d elements", n), []int{n}, flat, value)
	}
	for rank := range 6 {
		launch("views", c.anyShape(rank, 150), c.anyView, value)
	}
	c.rowInPlace(r, d, p)
}

// rowInPlace writes the result over the first argument.
func (c *ctx) rowInPlace(r *table.Row, d dtype.Dtype, p *device.Program) {
	out := r.Types.Result(d)
	for i := range p.Load {
		if p.Load[i].Size() != out.Size() {
			continue
		}
		c.begin("%s of %s, in place of argument %d", r.Name, d, i)
		shape := []int{333}
		value := c.arguments(r, d)
		var ins []device.Tensor
		for j := range p.Load {
			ins = append(ins, c.tensor(p.Load[j], shape, contiguous, value[j]))
		}
		k := &device.Kernel{Kind: device.KindElementwise, Op: r.Name, In: ins, Attr: p}
		_, want := c.twins(output{d: out, shape: shape})
		ref := *k
		ref.Out = []device.Tensor{want}
		k.Out = []device.Tensor{{Data: ins[i].Data, Dtype: out, Shape: shape, Strides: ins[i].Strides}}
		tol := rowTolerance(r, d, out, nil)
		if tol.slack != nil {
			tol.slack = func(int, complex128) float64 { return 16 * resolution(out) * math.Max(1, math.Abs(r.Span.Hi)) }
		}
		c.compareLaunch(k, &ref, tol)
	}
}

// rowHalves loads and stores 16-bit floats around the row in float32.
func (c *ctx) rowHalves(r *table.Row) {
	if !slices.Contains(r.ComputeDtypes(), dtype.Float32) {
		return
	}
	p := device.OneStep(r, dtype.Float32)
	for _, h := range []dtype.Dtype{dtype.Float16, dtype.BFloat16} {
		for _, values := range []string{"edge values", "span"} {
			c.begin("%s of %s, %s", r.Name, h, values)
			shape := []int{517}
			var ins []device.Tensor
			for i := range p.Load {
				at := h
				if p.Load[i] == dtype.Bool {
					at = dtype.Bool
				}
				value := c.pick(edges(at))
				if values == "span" {
					value = c.uniform(at, r.Span.Lo, r.Span.Hi)
				}
				ins = append(ins, c.tensor(at, shape, contiguous, value))
			}
			out := r.Types.Result(dtype.Float32)
			if out == dtype.Float32 {
				out = h
			}
			c.run(device.KindElementwise, p, ins, []output{{d: out, shape: shape}},
				rowTolerance(r, dtype.Float32, out, ins))
		}
	}
}

// rowLarge runs the row over enough elements for several threads.
func (c *ctx) rowLarge(r *table.Row) {
	if testing.Short() && r.Index%8 != 0 {
		return
	}
	list := r.ComputeDtypes()
	d := list[c.rng.IntN(len(list))]
	p := device.OneStep(r, d)
	c.begin("%s of %s, 70000 elements", r.Name, d)
	var ins []device.Tensor
	shape := []int{280, 250}
	for i, v := range c.arguments(r, d) {
		ins = append(ins, c.tensor(p.Load[i], shape,
			[]view{contiguous, {permute: true}, {stretch: true}}[c.rng.IntN(3)], v))
	}
	out := r.Types.Result(d)
	c.run(device.KindElementwise, p, ins, []output{{d: out, shape: shape}}, rowTolerance(r, d, out, ins))
}

// exactRow reports whether the row's result in d has one right value.
func exactRow(r *table.Row, d dtype.Dtype) bool {
	return rowUlps(r, d) == 0 && !strings.Contains(r.BodyFor(d), "mod")
}
