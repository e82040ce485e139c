package core

import (
	"github.com/mlx-go/mlx_go/core/errs"
)

// A kernel that runs in place changes memory which exists nowhere else, so what it did before Ctrl-C can neither be
// undone nor done again. The node keeps the memory and becomes the rest of its work.

// rest is the attr of such a node: run goes on from the position done.
type rest struct {
	name string
	done int
	run  func(e *exec, y *Array, xs []*Array, done *int) *errs.Error
}

// restOp is an op of its own, so that neither fusion nor rules see the op it was: they would read its inputs, of which
// the one in whose memory y lies is no longer what it was.
var restOp Def

func init() {
	define(&restOp, Def{Name: "rest", Specs: noInputs, NameOf: func(at any) string { return at.(*rest).name },
		NoGrad: "what was being evaluated depends on no argument of a transform",
		Launch: func(e *exec, y *Array) *errs.Error {
			r := y.attr.(*rest)
			return r.run(e, y, y.inputs(), &r.done)
		}})
}

// runInPlace computes y, which has taken over the memory of one of xs, by run. Interrupted, y becomes the rest of it: a
// node whose inputs are xs themselves, since fused nodes between them and y have lost their meaning.
func (e *exec) runInPlace(y *Array, xs []*Array,
	run func(e *exec, y *Array, xs []*Array, done *int) *errs.Error) *errs.Error {
	done := 0
	err := run(e, y, xs, &done)
	if err == nil || err.Kind != errs.Interrupted {
		return err
	}
	r := &rest{y.opName(), done, run}
	xs = append([]*Array(nil), xs...) // it may be y's own list
	for _, x := range xs {
		x.retain()
	}
	for _, x := range y.inputs() {
		release(x)
	}
	y.op, y.attr = &restOp, r
	y.in, y.nin, y.more = [3]*Array{}, 0, xs
	return err
}
