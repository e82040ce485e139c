package backendtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// testPrograms runs random programs of 2 to 8 steps. Exact ones, of rows with one right result and
// casts, must agree bit for bit; smooth ones, of float functions with moderate slopes, within a
// tolerance for the errors that steps hand on.
func testPrograms(c *ctx) {
	n := 400
	if testing.Short() {
		n = 80
	}
	c.sub("exact", func(c *ctx) {
		for range n {
			c.program(c.exactSteps, tolerance{})
		}
	})
	c.sub("smooth", func(c *ctx) {
		for range n / 2 {
			c.program(c.smoothSteps, tolerance{ulps: 64, slack: func(int, complex128) float64 { return 0x1p-16 }})
		}
	})
	c.sub("cast", func(c *ctx) { // programs without steps
		for _, from := range dtype.All {
			for _, to := range dtype.All {
				c.begin("cast %s to %s", from, to)
				in := c.tensor(from, []int{3, 171}, c.anyView(), c.castable(from, to))
				p := &device.Program{Load: []dtype.Dtype{from.Compute()}, Store: []uint8{0}, Regs: 1}
				c.run(device.KindElementwise, p, []device.Tensor{in}, []output{{d: to, shape: in.Shape}},
					castTolerance(from, to))
			}
		}
	})
}

// builder grows a program.
type builder struct {
	p    device.Program
	regs []dtype.Dtype // dtype of each register
}

// find draws a register of dtype d.
func (c *ctx) find(b *builder, d dtype.Dtype) (uint8, bool) {
	var list []uint8
	for i, r := range b.regs {
		if r == d {
			list = append(list, uint8(i))
		}
	}
	if len(list) == 0 {
		return 0, false
	}
	return list[c.rng.IntN(len(list))], true
}

// step adds a step of row r in dtype d, if there are registers to read.
func (c *ctx) step(b *builder, r *table.Row, d dtype.Dtype) bool {
	s := device.Step{Row: r, In: d, Out: r.Types.Result(d), Dst: uint8(len(b.regs))}
	for i := range r.Args {
		src, ok := c.find(b, r.Types.Arg(i, d))
		if !ok {
			return false
		}
		s.Src[i] = src
	}
	b.p.Steps = append(b.p.Steps, s)
	b.regs = append(b.regs, s.Out)
	return true
}

// safeCast reports whether every value of from has a defined result in to, of one right value.
func safeCast(from, to dtype.Dtype) bool {
	return !(from.IsInexact() && to.IsInteger())
}

// exactSteps adds n steps of exact rows and casts.
func (c *ctx) exactSteps(b *builder, n int) {
	for tries := 0; len(b.p.Steps) < n && tries < 1000; tries++ {
		if c.rng.IntN(4) == 0 {
			src := uint8(c.rng.IntN(len(b.regs)))
			from, to := b.regs[src], dtype.All[c.rng.IntN(dtype.Count)]
			if safeCast(from, to) {
				at := uint8(len(b.regs))
				b.p.Steps = append(b.p.Steps, device.Step{In: from, Out: to, Dst: at, Src: [3]uint8{src}})
				if to.IsHalf() { // rounded in place
					b.p.Steps = append(b.p.Steps, device.Step{In: to, Out: to.Compute(), Dst: at, Src: [3]uint8{at}})
				}
				b.regs = append(b.regs, to.Compute())
			}
			continue
		}
		r := table.Rows[c.rng.IntN(len(table.Rows))]
		d := b.regs[c.rng.IntN(len(b.regs))]
		// Which of two zeros comes out of min and max is not told, and 1/x or atan2 would tell.
		if slices.Contains(r.ComputeDtypes(), d) && exactRow(r, d) && r.Name != "minimum" && r.Name != "maximum" {
			c.step(b, r, d)
		}
	}
}

var smoothRows = []string{"add", "subtract", "multiply", "maximum", "sin", "cos", "tanh", "sigmoid", "erf", "arctan",
	"negative", "where", "less", "abs"}

func (c *ctx) smoothSteps(b *builder, n int) {
	for tries := 0; len(b.p.Steps) < n && tries < 1000; tries++ {
		r := table.FindRow(smoothRows[c.rng.IntN(len(smoothRows))])
		c.step(b, r, []dtype.Dtype{dtype.Float32, dtype.Float64}[c.rng.IntN(2)])
	}
	if last := b.regs[len(b.regs)-1]; last == dtype.Bool { // a comparison may turn on the last bit
		c.step(b, table.FindRow("negative"), dtype.Float32)
	}
}

// program runs one random program over inputs of random dtypes and layouts.
func (c *ctx) program(steps func(*builder, int), tol tolerance) {
	c.begin("program")
	b := &builder{}
	shape := c.anyShape(c.rng.IntN(5), 300)
	switch c.rng.IntN(20) {
	case 0, 1:
		shape = []int{5, 1 + c.rng.IntN(3000)}
	case 2:
		shape = c.tall()
	}
	exact := tol.ulps == 0
	var ins []device.Tensor
	for range 1 + c.rng.IntN(4) {
		var d, load dtype.Dtype
		if exact {
			d = dtype.All[c.rng.IntN(dtype.Count)]
		} else {
			d = []dtype.Dtype{dtype.Float32, dtype.Float32, dtype.Float64, dtype.Float16, dtype.BFloat16}[c.rng.IntN(5)]
		}
		if load = d.Compute(); exact && c.rng.IntN(4) == 0 {
			if to := dtype.All[c.rng.IntN(dtype.Count)].Compute(); safeCast(d, to) {
				load = to
			}
		}
		value := c.uniform(d, -3, 3)
		if exact {
			value = c.mostly(value, c.pick(edges(d)))
		}
		ins = append(ins, c.tensor(d, shape, c.anyView(), value))
		b.p.Load = append(b.p.Load, load)
		b.regs = append(b.regs, load)
	}
	steps(b, 2+c.rng.IntN(7))
	b.p.Regs = len(b.regs)
	from := b.regs[len(b.regs)-1]
	outs := []output{{d: from, shape: shape}}
	if !exact && from == dtype.Bool {
		return
	}
	to := dtype.All[c.rng.IntN(dtype.Count)]
	if safeCast(from, to) && c.rng.IntN(3) == 0 && (exact || to.IsFloat()) {
		outs[0].d = to
	}
	b.p.Store = []uint8{uint8(len(b.regs) - 1)}
	if exact && c.rng.IntN(4) == 0 { // a second result
		r := c.rng.IntN(len(b.regs))
		b.p.Store = append(b.p.Store, uint8(r))
		outs = append(outs, output{d: b.regs[r], shape: shape})
	}
	if !exact {
		if d := outs[0].d; d != dtype.Float64 || slices.Contains(b.regs, dtype.Float32) {
			slack := 64 * math.Max(resolution(d), 0x1p-23)
			tol.slack = func(_ int, want complex128) float64 { return slack * math.Max(1, math.Abs(real(want))) }
		}
		if hasComparison(b) {
			return
		}
	}
	c.what = "program " + describe(&b.p)
	c.run(device.KindElementwise, &b.p, ins, outs, tol)
}

// describe writes a program as assignments to registers.
func describe(p *device.Program) string {
	var s strings.Builder
	for i, d := range p.Load {
		fmt.Fprintf(&s, "r%d = %s; ", i, d)
	}
	for _, step := range p.Steps {
		if step.Row == nil {
			fmt.Fprintf(&s, "r%d = %s(r%d); ", step.Dst, step.Out, step.Src[0])
			continue
		}
		fmt.Fprintf(&s, "r%d = %s.%s%v; ", step.Dst, step.Row.Name, step.In, step.Src[:len(step.Row.Args)])
	}
	fmt.Fprintf(&s, "out %v", p.Store)
	return s.String()
}

func hasComparison(b *builder) bool {
	for _, s := range b.p.Steps {
		if s.Row != nil && s.Row.Name == "less" {
			return true
		}
	}
	return false
}

// castable draws values of from whose cast to to is defined.
func (c *ctx) castable(from, to dtype.Dtype) func(int) uint64 {
	if safeCast(from, to) {
		return c.mostly(c.mostly(c.uniform(from, -100, 100), c.raw(from)), c.pick(edges(from)))
	}
	lo, hi := 0.0, 100.0
	switch {
	case to.Group() == dtype.GroupSigned:
		lo, hi = -128, 127
	case to.Size() > 1:
		hi = 255
	}
	if from.Size() >= 4 && to.Size() >= 4 {
		hi = 2e9
		if lo < 0 {
			lo = -hi
		}
	}
	return c.uniform(from, lo, hi)
}

// castTolerance: float64 becomes a half by way of float32, or directly.
func castTolerance(from, to dtype.Dtype) tolerance {
	if to.IsHalf() && from.Size() == 8 || to.IsHalf() && from.Size() == 4 {
		return tolerance{ulps: 1, zeros: true}
	}
	return tolerance{zeros: true}
}
