package core

import (
	"math"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// A transform in a file of its own: bounds of all elements of an array, from those of the arguments.

// span says that all elements lie between lo and hi.
type span struct{ lo, hi float64 }

// anything is what is known of a node without a rule.
var anything = span{math.Inf(-1), math.Inf(1)}

type boundsRule func(y *Array, xs []span) span

var bounds RuleTable[boundsRule]

// boundedRows are the rules of rows, by name.
var boundedRows = map[string]boundsRule{
	"add":      func(_ *Array, xs []span) span { return span{xs[0].lo + xs[1].lo, xs[0].hi + xs[1].hi} },
	"negative": func(_ *Array, xs []span) span { return span{-xs[0].hi, -xs[0].lo} },
	"exp":      func(_ *Array, xs []span) span { return span{math.Exp(xs[0].lo), math.Exp(xs[0].hi)} },
	"multiply": func(_ *Array, xs []span) span {
		a, b := xs[0], xs[1]
		list := []float64{a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi}
		s := span{list[0], list[0]}
		for _, v := range list[1:] {
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
		return s
	},
}

func init() {
	bounds.Rows = func(y *Array) (boundsRule, bool) {
		rule, ok := boundedRows[y.op.Row.Name]
		return rule, ok
	}
	same := func(_ *Array, xs []span) span { return xs[0] }
	bounds.Set(same, &reshapeOp, &transposeOp, &sliceOp, &sortOp, &identityOp)
	bounds.Set(func(y *Array, xs []span) span {
		if y.attr.(device.ReduceAttr).Op != device.ReduceSum {
			return xs[0]
		}
		n := float64(y.in[0].Size() / y.Size())
		return span{n * xs[0].lo, n * xs[0].hi}
	}, &reduceOp)
	bounds.Set(func(y *Array, xs []span) span {
		n := float64(y.in[0].shape[len(y.in[0].shape)-1])
		s := boundedRows["multiply"](y, xs)
		return span{n * s.lo, n * s.hi}
	}, &matMulOp)
}

// boundsOf is the transform.
func boundsOf(outs, ins []*Array, of []span) []span {
	known := func(x *Array) span {
		if v, ok := constantValue(x); ok && x.op == constant {
			c := float64(float32FromBits(uint32(v(dtype.Float32).bits)))
			return span{c, c}
		}
		return anything
	}
	return Forward(outs, ins, of, known, func(y *Array, xs []span) span {
		if rule, ok := bounds.For(y); ok {
			return rule(y, xs)
		}
		return anything
	})
}

// TestATransformOfItsOwn: a transform that no other file knows of has rules for some primitives and an answer for all.
func TestATransformOfItsOwn(t *testing.T) {
	Lock()
	defer Unlock()
	xs := Placeholders(0, []*Array{zeros(dtype.Float32, []int{4, 3}), zeros(dtype.Float32, []int{3, 2})})
	x, w := xs[0], xs[1]
	of := []span{{-1, 2}, {0, 3}}
	for name, c := range map[string]struct {
		y    *Array
		want span
	}{
		"rows":             {add(mul(x, x), like(x, 1)), span{-1, 5}},
		"views":            {neg(Reshape(Transpose(x, []int{1, 0}), []int{12})), span{-2, 1}},
		"sum":              {reduce(device.ReduceSum, x, []int{0}), span{-4, 8}},
		"max":              {reduce(device.ReduceMax, x, []int{0, 1}), span{-1, 2}},
		"matmul":           {matMul(x, w), span{-9, 18}},
		"no rule":          {add(apply("sin", x), x), anything},
		"after no rule":    {apply("exp", argReduce(x, 0, true)), anything},
		"not an argument":  {add(x, apply("sin", zeros(dtype.Float32, []int{4, 3}))), anything},
		"the argument":     {x, of[0]},
		"nothing of these": {zeros(dtype.Float32, []int{2}), anything},
	} {
		got := boundsOf([]*Array{c.y}, xs, of)[0]
		if name == "after no rule" {
			c.want = span{0, math.Inf(1)}
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestRulesAreLookedUpByNumber: looking up a rule allocates nothing, for primitives with and without one.
func TestRulesAreLookedUpByNumber(t *testing.T) {
	Lock()
	defer Unlock()
	x := Placeholders(0, []*Array{zeros(dtype.Float32, []int{4, 3})})[0]
	y, z := Transpose(x, []int{1, 0}), reduce(device.ReduceSum, x, []int{0})
	bounds.For(y)
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := bounds.For(y); !ok {
			t.Error("transpose has no rule")
		}
		if _, ok := bounds.For(z); !ok {
			t.Error("sum has no rule")
		}
		if _, ok := bounds.For(x); ok {
			t.Error("a placeholder has a rule")
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
