package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// Several rows of the table over the same arguments, computed in one pass: a program with a store for each.

var rowsOp Def

// rowsAttr says which rows. Nodes share it, and so the programs, by compute dtype, made on first use.
type rowsAttr struct {
	name     string
	rows     []*table.Row
	programs [dtype.Count]*device.Program
}

var divmodRows = &rowsAttr{name: "divmod"}

func init() {
	for _, name := range []string{"floor_divide", "remainder"} {
		divmodRows.rows = append(divmodRows.rows, table.FindRow(name))
	}
	define(&rowsOp, Def{Name: "rows", Specs: specsOfRows, NameOf: func(at any) string { return at.(*rowsAttr).name },
		Kind: device.KindElementwise, Launch: launchRows, Cost: func(*Array) int { return 8 },
		Several: &Several{VJP: vjpRows, JVP: jvpRows,
			VMap: func(_ *Walk, y *Array, ins []*Array, mapped []bool, n int, then func([]*Array)) {
				then(applyRows(y.attr.(*rowsAttr), alignBatches(ins, mapped, len(y.shape))...))
			},
		},
	})
}

// applyRows gives the result of each row, of arguments of which all rows take the same dtypes.
func applyRows(at *rowsAttr, xs ...*Array) []*Array {
	r := at.rows[0]
	d := xs[0].dtype
	for _, x := range xs[1:] {
		d = dtype.Promote(d, x.dtype)
	}
	if !r.Types.Has(d) && d != dtype.Bool {
		errs.Throw(errs.ValueError, "[%s] %s is not supported", at.name, d)
	}
	d = computeDtype(r, d)
	shape := xs[0].shape
	for i, x := range xs {
		xs[i] = AsType(x, r.Types.Arg(i, d))
		shape = broadcastShapes(at.name, shape, x.shape)
	}
	specs := make([]Spec, len(at.rows))
	for i, r := range at.rows {
		specs[i] = Spec{r.Types.Result(d), shape}
	}
	return several(&rowsOp, at, specs, xs...)
}

func specsOfRows(y *Array, ins []*Array) []Spec {
	at := y.attr.(*rowsAttr)
	shape := broadcastAll(at.name, ins)
	specs := make([]Spec, len(at.rows))
	for i, r := range at.rows {
		specs[i] = Spec{r.Types.Result(ins[0].dtype), shape}
	}
	return specs
}

func launchRows(e *exec, y *Array) *errs.Error {
	at, xs := y.attr.(*rowsAttr), y.inputs()
	specs := specsOfRows(y, xs)
	if err := e.allocateResults(y, specs); err != nil {
		return err
	}
	ins, shape, strides := e.aligned(y, xs)
	outs := make([]device.Tensor, len(specs))
	for i, s := range specs {
		outs[i] = e.outputIn(y.buf.parts[i], s.Dtype, shape, strides, 0)
	}
	e.k = device.Kernel{Kind: device.KindElementwise, Op: at.name, Out: outs, In: ins, Attr: at.program(xs[0].dtype)}
	return e.launch(&e.k)
}

// program has the steps of all rows, of arguments of dtype d.
func (at *rowsAttr) program(d dtype.Dtype) *device.Program {
	if p := at.programs[d]; p != nil {
		return p
	}
	p := device.OneStep(at.rows[0], d)
	for _, r := range at.rows[1:] {
		s := device.OneStep(r, d).Steps[0]
		s.Dst = uint8(p.Regs)
		p.Steps, p.Store, p.Regs = append(p.Steps, s), append(p.Store, s.Dst), p.Regs+1
	}
	at.programs[d] = p
	return p
}

// one is row i by itself, for rules: the derivatives of a row ask for the values that they need.
func (at *rowsAttr) one(y *Array, i int) *Array {
	return applyRow(at.rows[i], slices.Clone(y.inputs())...)
}

func vjpRows(_ *Walk, y *Array, results []result, want []bool, then func([]*Array)) {
	at := y.attr.(*rowsAttr)
	sum := make([]*Array, len(want))
	for i, r := range results {
		z := at.one(y, i)
		if r.ct == nil || z.op.VJP == nil {
			continue
		}
		for k, g := range z.op.VJP(z, r.ct, want) {
			switch {
			case g == nil || !want[k]:
			case sum[k] == nil:
				sum[k] = g
			default:
				sum[k] = add(sum[k], g)
			}
		}
	}
	then(sum)
}

func jvpRows(_ *Walk, y *Array, tangents []*Array, then func([]*Array)) {
	at := y.attr.(*rowsAttr)
	out := make([]*Array, len(at.rows))
	for i := range out {
		if z := at.one(y, i); z.op.JVP != nil {
			out[i] = z.op.JVP(z, tangents)
		}
	}
	then(out)
}
