package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// A function with rules of its own, written in Python, is a segment: a node whose inputs are the arguments, the values
// that the function computed, and the rules. A transform for which there is a rule stops at the node and asks it
// (walk.go); any other one goes through the values, as if the segment were not there. Gradients flow to the arguments
// only: what the function captured is constant to its rules.
//
// The rules are an array without elements, so that they live as long as a node needs them.

// Rules are those of one call of a function.
type Rules struct {
	Owner uintptr // as the extension knows them
	Has   [ruleKinds]bool

	scripted bool     // a Script has the answers, as long as it is played
	made     []*Array // the nodes with these rules, where they are scripted
}

// retire makes nodes without rules of those with scripted ones: who asks later goes through the function.
func (r *Rules) retire() {
	for _, y := range r.made {
		y.op = &customOps[0]
	}
	r.made, r.Has = nil, [ruleKinds]bool{}
}

// RuleKind is the transform whose rule is called.
type RuleKind uint8

const (
	VJPRule  RuleKind = iota // primals, cotangents, outputs -> gradients of the primals
	JVPRule                  // primals, tangents -> tangents of the outputs
	VMapRule                 // inputs, and those of them that are batches -> batches of the outputs
	ruleKinds
)

// customAttr is how many of the inputs are arguments, and how many batch axes lie in front that the rules know nothing
// of: where there is no rule for batches, those for derivatives are batched themselves.
type customAttr struct{ args, depth int }

var ruleOp = define(new(Def), Def{Name: "rules", Specs: noInputs, NoGrad: "they are no numbers"})

// customOps are the primitives by the rules there are for derivatives: bit 0 for gradients, bit 1 for tangents.
var customOps [4]Def

func init() {
	for i := range customOps {
		s := &Several{VMap: vmapCustom}
		if i>>VJPRule&1 != 0 {
			s.VJP = vjpCustom
		}
		if i>>JVPRule&1 != 0 {
			s.JVP = jvpCustom
		}
		define(&customOps[i], Def{Name: "custom_function", Several: s, Specs: noInputs,
			View: func(*Array) bool { return true }})
	}
}

// NewRules makes the array that stands for rules; release is called under the graph lock when no node needs them.
func NewRules(r *Rules, release func()) *Array {
	a := External(nil, dtype.Bool, []int{0}, nil, true, release)
	a.op, a.attr = ruleOp, r
	return a
}

// Custom gives the values that a function computed of args as the results of a segment with these rules.
func Custom(rules *Array, args, values []*Array) []*Array { return custom(rules, 0, args, values) }

func custom(rules *Array, depth int, args, values []*Array) []*Array {
	of := 0
	for kind, has := range rules.attr.(*Rules).Has[:VMapRule] {
		if has {
			of |= 1 << kind
		}
	}
	attr := &customAttr{len(args), depth}
	y := newArray(&customOps[of], dtype.Float32, scalarShape, attr, slices.Concat(args, values, []*Array{rules})...)
	if r := rules.attr.(*Rules); r.scripted && of != 0 {
		r.made = append(r.made, y)
	}
	return customPicks(y)
}

func customPicks(y *Array) []*Array {
	_, values, _ := y.custom()
	picks := make([]*Array, len(values))
	for i, v := range values {
		picks[i] = newArray(&pickOp, v.dtype, v.shape, i, v, y)
	}
	return picks
}

// custom takes y's inputs apart.
func (y *Array) custom() (args, values []*Array, rules *Rules) {
	ins, n := y.inputs(), y.attr.(*customAttr).args
	last := len(ins) - 1
	return ins[:n], ins[n:last], ins[last].attr.(*Rules)
}

func vjpCustom(w *Walk, y *Array, results []result, want []bool, then func([]*Array)) {
	args, values, rules := y.custom()
	cts := make([]*Array, len(values))
	for i, v := range values {
		if i < len(results) && results[i].ct != nil {
			cts[i] = results[i].ct
		} else {
			cts[i] = zerosLike(v)
		}
	}
	call := &Call{Rules: rules, Which: VJPRule, Depth: y.attr.(*customAttr).depth,
		Lists: [][]*Array{args, cts, customPicks(y)}}
	w.ask(call, func(grads []*Array) {
		for i, g := range mustGive("vjp", grads, len(args)) {
			switch {
			case g == nil:
			case !want[i] || !args[i].dtype.IsInexact():
				grads[i] = nil
			default:
				grads[i] = fitting("vjp", "the gradient of argument", i, g, args[i])
			}
		}
		then(grads)
	})
}

func jvpCustom(w *Walk, y *Array, tangents []*Array, then func([]*Array)) {
	args, values, rules := y.custom()
	call := &Call{Rules: rules, Which: JVPRule, Depth: y.attr.(*customAttr).depth,
		Lists: [][]*Array{args, tangents[:len(args)]}}
	if !slices.ContainsFunc(call.Lists[1], func(t *Array) bool { return t != nil }) { // only what was captured moves
		then(make([]*Array, len(values)))
		return
	}
	w.ask(call, func(ts []*Array) {
		for i, t := range mustGive("jvp", ts, len(values)) {
			switch {
			case t == nil:
			case !values[i].dtype.IsInexact():
				ts[i] = nil
			default:
				ts[i] = fitting("jvp", "the tangent of result", i, t, values[i])
			}
		}
		then(ts)
	})
}

func vmapCustom(w *Walk, y *Array, ins []*Array, mapped []bool, n int, then func([]*Array)) {
	args, values, rules := y.custom()
	at, k := y.attr.(*customAttr), len(args)
	again := func(values []*Array) {
		then(custom(ins[len(ins)-1], at.depth+1, batchAll(ins[:k], mapped[:k], n), values))
	}
	batches := make([]*Array, k)
	some := false
	for i := range args {
		if mapped[i] {
			batches[i], some = ins[i], true
		}
	}
	if !some || !rules.Has[VMapRule] || at.depth > 0 {
		again(batchAll(ins[k:len(ins)-1], mapped[k:len(ins)-1], n))
		return
	}
	call := &Call{Rules: rules, Which: VMapRule, Lists: [][]*Array{ins[:k], batches}}
	w.ask(call, func(outs []*Array) {
		for i, z := range mustGive("vmap", outs, len(values)) {
			v := values[i]
			if z == nil || z.dtype != v.dtype || !layout.Equal(z.shape, withBatch(n, v.shape)) {
				errs.Throw(errs.ValueError,
					"[custom_function] the vmap rule must give %d examples of result %d, "+
						"of shape %s and dtype %s each, not %s",
					n, i, layout.Format(v.shape), v.dtype, describe(z))
			}
		}
		again(outs)
	})
}

func mustGive(rule string, answer []*Array, n int) []*Array {
	if len(answer) != n {
		errs.Throw(errs.ValueError, "[custom_function] the %s rule gave %d arrays where %d are due", rule, len(answer),
			n)
	}
	return answer
}

// fitting is d, which has x's shape, with x's dtype. Floats of another width convert, other dtypes are mistakes.
func fitting(rule, what string, i int, d, x *Array) *Array {
	if !layout.Equal(d.shape, x.shape) || d.dtype != x.dtype && !(d.dtype.IsFloat() && x.dtype.IsFloat()) {
		errs.Throw(errs.ValueError, "[custom_function] the %s rule gave %s as %s %d, which has shape %s and dtype %s",
			rule, describe(d), what, i, layout.Format(x.shape), x.dtype)
	}
	return AsType(d, x.dtype)
}

// describe says what an array is like, in errors.
func describe(x *Array) string {
	if x == nil {
		return "None"
	}
	return "shape " + layout.Format(x.shape) + " and dtype " + x.dtype.String()
}
