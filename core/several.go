package core

import "github.com/mlx-go/mlx_go/core/errs"

// A node with several results is launched once and computes all of them. It has no elements of its own: once launched,
// it holds the memory of each result, and a pick is a node that views one of them. A result lives as long as its pick,
// so that q, _ = divmod(a, b) keeps no remainder. To everything that looks at shapes, sizes and costs the node is
// what its first result is; all results have elements, or none has.
//
// A segment has results that other nodes compute (checkpoint.go, custom.go): its picks have two inputs, the value and
// the segment, and a transform goes either way.

// Several are the rules of a node with several results, which Def has for one. In lists, result i has place i; nil
// stands for zero.
type Several struct {
	// VJP maps the cotangents of the results to those of y's inputs, which it hands to then, now or when w goes on.
	// Results that come after the last one with a cotangent are left out.
	VJP func(w *Walk, y *Array, results []result, want []bool, then func(grads []*Array))
	// JVP hands the tangents of the results to then.
	JVP func(w *Walk, y *Array, tangents []*Array, then func(tangents []*Array))
	// VMap hands the batches of the results to then, with the batch axis of extent n in front.
	VMap func(w *Walk, y *Array, ins []*Array, mapped []bool, n int, then func(results []*Array))
}

// pickOp gives one result, whose number is the attr, of the node that is the last input.
var pickOp Def

func init() {
	define(&pickOp, Def{Name: "pick", Specs: specsOfPick,
		View: func(y *Array) bool {
			if y.nin == 2 {
				return sameMemory(y)
			}
			part := y.in[0].buf.parts[y.attr.(int)]
			part.refs++
			y.buf, y.offset, y.strides = part, 0, nil
			return true
		},
		// Of a segment without a rule of its own: derivatives and batches go through the value.
		VJP: func(y, ct *Array, _ []bool) []*Array { return []*Array{ct, nil} },
		JVP: func(y *Array, t []*Array) *Array { return t[0] },
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			return newArray(&pickOp, y.dtype, withBatch(n, y.shape), y.attr, batchAll(ins[:1], mapped, n)[0], ins[1])
		},
	})
}

// several builds a node with the given results, and a pick for each.
func several(op *Def, attr any, specs []Spec, ins ...*Array) []*Array {
	y := newArray(op, specs[0].Dtype, specs[0].Shape, attr, ins...)
	picks := make([]*Array, len(specs))
	for i, s := range specs {
		picks[i] = newArray(&pickOp, s.Dtype, s.Shape, i, y)
	}
	return picks
}

// picked is the node of whose results y is one, where that node's own rules hold for them, and the place of it among
// y's inputs; nil if y is no pick or its value's rules hold.
func (y *Array) picked(rules func(*Several) bool) (of *Array, place int) {
	if y.op != &pickOp {
		return nil, 0
	}
	place = int(y.nin) - 1
	if of = y.in[place]; place > 0 && !rules(of.op.Several) {
		return nil, 0
	}
	return of, place
}

// allocateResults gives each result of y row-contiguous memory of its own.
func (e *exec) allocateResults(y *Array, specs []Spec) *errs.Error {
	y.buf = &buffer{refs: 1, parts: make([]*buffer, 0, len(specs))}
	for _, s := range specs {
		b, err := e.buffer(y.opName(), s.Dtype, s.Shape)
		if err != nil {
			return err
		}
		y.buf.parts = append(y.buf.parts, b)
	}
	return nil
}
