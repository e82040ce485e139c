package core

import (
	"go/ast"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// This file gives the rows of the table their life in the graph: dtype and shape
// rule, launch, derivatives and batching, the same for all of them.

// The rows as primitives of the graph, and their one-step programs by compute dtype, by Row.Index; made on first use.
var (
	rowDefs     = make([]*Def, len(table.Rows))
	rowPrograms = make([][dtype.Count]*device.Program, len(table.Rows))
)

// primitive is the row's Def, with its derivatives parsed.
func primitive(r *table.Row) *Def {
	if d := rowDefs[r.Index]; d != nil {
		return d
	}
	d := &Def{Name: r.Name, Row: r, Kind: device.KindElementwise, Launch: launchRow,
		VMap: vmapRow, Specs: specsOfRow}
	if r.Flags&table.Heavy != 0 {
		d.Cost = func(*Array) int { return 8 }
	}
	if r.Deriv == nil {
		d.NoGrad = "the row has no derivative"
	} else {
		exprs := make([]ast.Expr, len(r.Deriv))
		for i, s := range r.Deriv {
			e, err := table.ParseExpr(s)
			if err != nil {
				panic(err)
			}
			exprs[i] = e
		}
		d.VJP = func(y, ct *Array, want []bool) []*Array { return vjpRow(r, exprs, y, ct, want) }
		d.JVP = func(y *Array, tangents []*Array) *Array { return jvpRow(r, exprs, y, tangents) }
	}
	rowDefs[r.Index] = d
	return d
}

// computeDtype is the dtype a row computes in when its arguments promote to d, or an error.
func computeDtype(r *table.Row, d dtype.Dtype) dtype.Dtype {
	t := &r.Types
	switch {
	case t.AsBool:
		return dtype.Bool
	case t.Widen && d == dtype.Bool:
		d = dtype.Uint8
	}
	if !t.Has(d) {
		rejectDtype(r, d)
	}
	if t.Float {
		d = d.ToFloat()
	}
	return d
}

// ApplyRow is the op on arrays and Python scalars. Scalars are weak: they take the dtype of
// the arrays, raised only where their kind (float, complex) needs it.
func ApplyRow(r *table.Row, args []Arg) *Array {
	if len(args) != len(r.Args) {
		errs.Throw(errs.TypeError, "[%s] takes %d arguments, not %d", r.Name, len(r.Args), len(args))
	}
	first := 0
	if r.Types.First {
		first = 1
	}
	d := dtype.Bool // logical ops ask whether a scalar is nonzero, which every scalar answers
	if !r.Types.AsBool {
		d = resultDtype(r.Name, args[first:])
	}
	if s := r.Short; s != nil && isNumber(&args[1], s.Scalar) && args[0].Array != nil && args[0].Array.dtype == d {
		return apply(s.Row, args[0].Array)
	}
	var xs [3]*Array
	for i := range args {
		at := d
		if i < first {
			at = dtype.Bool
		}
		if a := args[i].Array; a != nil {
			xs[i] = a
		} else {
			xs[i] = scalarArg(r.Name, &args[i], at)
		}
	}
	return applyRow(r, xs[:len(args)]...)
}

// Binary is ApplyRow for two arrays: the hot path of operators.
func Binary(r *table.Row, a, b *Array) *Array { return applyRow(r, a, b) }

// applyRow builds the node, with casts where dtypes differ.
func applyRow(r *table.Row, xs ...*Array) *Array {
	t := &r.Types
	first := 0
	if t.First {
		first = 1
	}
	d := xs[first].dtype
	for _, x := range xs[first+1:] {
		if x.dtype != d {
			d = dtype.Promote(d, x.dtype)
		}
	}
	d = computeDtype(r, d)
	shape := xs[0].shape
	for i, x := range xs {
		if at := t.Arg(i, d); x.dtype != at {
			xs[i] = AsType(x, at)
		}
		if i > 0 {
			shape = broadcastShapes(r.Name, shape, x.shape)
		}
	}
	if isIdentity(r, d) {
		return xs[0]
	}
	return newArray(primitive(r), t.Result(d), shape, nil, xs...)
}

func broadcastShapes(op string, a, b layout.Shape) layout.Shape {
	if len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) {
		return a
	}
	s, ok := layout.Broadcast(a, b)
	if !ok {
		errs.Throw(errs.ValueError, "[%s] shapes %s and %s cannot be broadcast", op, layout.Format(a), layout.Format(b))
	}
	return s
}

// rowInput is the dtype the row's kernel computes in for node y.
func rowInput(y *Array) dtype.Dtype {
	ins := y.inputs()
	if y.op.Row.Types.First {
		return ins[1].dtype
	}
	return ins[0].dtype
}

// program is OneStep, made once for each dtype.
func program(r *table.Row, d dtype.Dtype) *device.Program {
	p := &rowPrograms[r.Index][d]
	if *p == nil {
		*p = device.OneStep(r, d)
	}
	return *p
}

var one = []int{1}

// launchRow runs the row's program, or the one that took over its inputs' steps.
func launchRow(e *exec, y *Array) *errs.Error {
	if f, ok := y.attr.(*fused); ok {
		return launchProgram(e, y, f.ins, f.prog)
	}
	return launchProgram(e, y, y.inputs(), program(y.op.Row, rowInput(y)))
}

// launchProgram runs p over xs, which broadcast to y's shape, into y, writing over a dying
// input where one fits.
func launchProgram(e *exec, y *Array, xs []*Array, p *device.Program) *errs.Error {
	if e.donate(y, xs) {
		if e.cancel == nil || e.device {
			return runProgram(e, y, xs, p, nil)
		}
		return e.runInPlace(y, xs,
			func(e *exec, y *Array, xs []*Array, done *int) *errs.Error { return runProgram(e, y, xs, p, done) })
	}
	if err := e.allocate(y); err != nil {
		return err
	}
	return runProgram(e, y, xs, p, nil)
}

// runProgram computes y, which has memory.
func runProgram(e *exec, y *Array, xs []*Array, p *device.Program, done *int) *errs.Error {
	ins, shape, strides := e.aligned(y, xs)
	e.outs[0] = e.output(y, y.dtype, shape, strides, 0)
	e.k = device.Kernel{Kind: device.KindElementwise, Op: y.opName(), Out: e.outs[:1], In: ins, Attr: p, Done: done}
	return e.launch(&e.k)
}

// aligned is xs, which broadcast to y's shape, seen through the shape that is simplest to walk, and that shape with its
// strides in row-contiguous memory, for what is written.
func (e *exec) aligned(y *Array, xs []*Array) (ins []device.Tensor, shape layout.Shape, strides []int) {
	flat := true
	for _, x := range xs {
		if !x.contiguous() || !layout.Equal(x.shape, y.shape) {
			flat = false
			break
		}
	}
	ins = e.ins[:0]
	if flat {
		n := e.flat[:]
		if e.device {
			n = make([]int, 1)
		}
		n[0] = y.Size()
		for _, x := range xs {
			ins = append(ins, e.input(x, n, one))
		}
		return ins, n, one
	}
	for _, x := range xs {
		ins = append(ins, e.input(x, y.shape, layout.BroadcastStrides(x.shape, x.Strides(), y.shape)))
	}
	return ins, y.shape, layout.Strides(y.shape)
}

// vjpRow multiplies the cotangent with the conjugate derivative and sums over the axes
// along which the argument was stretched.
func vjpRow(r *table.Row, exprs []ast.Expr, y, ct *Array, want []bool) []*Array {
	ins := y.inputs()
	out := make([]*Array, len(ins))
	f := factorOf(y, true)
	if r.Flags&table.Antilinear != 0 {
		ct = conjugated(ct)
	}
	for i, x := range ins {
		if !want[i] {
			continue
		}
		g := f.times(ct, exprs[i])
		if g == nil {
			continue
		}
		out[i] = sumTo(AsType(realPart(g, x.dtype), x.dtype), x.shape)
	}
	return out
}

// realPart drops the imaginary part when a complex cotangent flows into a real argument.
func realPart(g *Array, d dtype.Dtype) *Array {
	if g.dtype == dtype.Complex64 && d != dtype.Complex64 {
		return applyRow(table.FindRow("real"), g)
	}
	return g
}

func jvpRow(r *table.Row, exprs []ast.Expr, y *Array, tangents []*Array) *Array {
	var sum *Array
	f := factorOf(y, false)
	for i, t := range tangents {
		if t == nil {
			continue
		}
		if r.Flags&table.Antilinear != 0 {
			t = conjugated(t)
		}
		if t = f.times(t, exprs[i]); t == nil {
			continue
		}
		if t = AsType(realPart(t, y.dtype), y.dtype); sum == nil {
			sum = t
		} else {
			sum = applyRow(table.FindRow("add"), sum, t)
		}
	}
	if sum == nil {
		return nil
	}
	return BroadcastTo(sum, y.shape)
}

// sumTo undoes a broadcast: it sums g over the axes along which shape was stretched to
// g's shape.
func sumTo(g *Array, shape layout.Shape) *Array {
	if layout.Equal(g.shape, shape) {
		return g
	}
	if !layout.CanBroadcastTo(shape, g.shape) {
		// The derivative did not depend on all arguments: g is smaller than the argument.
		return BroadcastTo(g, shape)
	}
	k := len(g.shape) - len(shape)
	var axes []int
	for i, d := range g.shape {
		if i < k || shape[i-k] == 1 && d != 1 {
			axes = append(axes, i)
		}
	}
	return Reshape(reduce(device.ReduceSum, g, axes), shape)
}

// vmapRow applies the row to arguments of which some are batches.
func vmapRow(y *Array, ins []*Array, mapped []bool, n int) *Array {
	return applyRow(y.op.Row, alignBatches(ins, mapped, len(y.shape))...)
}

// alignBatches lines batched arguments of an op with broadcasting up: the batch axis in front, then ones up to the rank
// of the result.
func alignBatches(ins []*Array, mapped []bool, rank int) []*Array {
	xs := make([]*Array, len(ins))
	for i, x := range ins {
		if xs[i] = x; mapped[i] {
			xs[i] = insertOnes(x, rank+1)
		}
	}
	return xs
}

// insertOnes gives x, whose first axis is a batch, the given rank by axes of extent 1 behind
// the first.
func insertOnes(x *Array, rank int) *Array {
	if len(x.shape) >= rank {
		return x
	}
	shape := make([]int, rank)
	k := rank - len(x.shape)
	for i := range shape {
		switch {
		case i == 0:
			shape[i] = x.shape[0]
		case i <= k:
			shape[i] = 1
		default:
			shape[i] = x.shape[i-k]
		}
	}
	return Reshape(x, shape)
}

// rejectDtype says that the row does not take arguments of dtype d, and what it takes.
func rejectDtype(r *table.Row, d dtype.Dtype) {
	names := [dtype.GroupCount]string{"bool", "unsigned integers", "integers", "floats", "complex64"}
	var takes string
	for k, name := range names {
		if r.Types.Accept>>k&1 != 0 {
			if takes != "" {
				takes += ", "
			}
			takes += name
		}
	}
	errs.Throw(errs.ValueError, "[%s] dtype %s is not supported; it takes %s", r.Name, d, takes)
}

// isNumber reports whether a Python scalar is the real number v.
func isNumber(a *Arg, v float64) bool {
	return a.Kind == ArgInt && float64(a.Int) == v || a.Kind == ArgFloat && a.Float == v
}
