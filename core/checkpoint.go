package core

import "github.com/mlx-go/mlx_go/core/dtype"

// Checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016): the gradient of a segment of
// the graph is not built on the segment's nodes but on copies of them, which are computed from the segment's inputs
// once the cotangents are there. The forward pass can then free all that it computed within.
//
// A segment is a node over the segment's inputs, and each of its results picks a value and the segment. The
// cotangents of all results meet in the segment, so that its copy serves all of them. Since inputs,
// values and segment are nodes like others, the transforms nest and traces replay without knowing of this.

var segmentOp Def

func init() {
	// A segment has no memory: it is ready when its inputs are. Tangents and batches pass through the values.
	define(&segmentOp, Def{Name: "checkpoint", Specs: noInputs, Several: &Several{VJP: vjpSegment},
		View: func(*Array) bool { return true },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			return newArray(&segmentOp, y.dtype, withBatch(n, y.shape), nil, ins...)
		},
	})
}

// Born counts the arrays made so far.
func Born() uint64 { return graph.born }

// Checkpoint marks what was computed since to get outs as a segment, and gives outs again as its results.
func Checkpoint(outs []*Array, since uint64) []*Array {
	ins := sources(outs, since)
	if len(ins) == 0 {
		return outs
	}
	segment := after(ins)
	picks := make([]*Array, len(outs))
	defer UseStream(graph.stream)
	for i, y := range outs {
		graph.stream = y.stream
		picks[i] = newArray(&pickOp, y.dtype, y.shape, i, y, segment)
	}
	return picks
}

// after is an array without a value that is ready when others are.
func after(xs []*Array) *Array { return newArray(&segmentOp, dtype.Float32, scalarShape, nil, xs...) }

// sources lists what outs are computed from and was there before, or has nothing it is computed from.
func sources(outs []*Array, since uint64) []*Array {
	graph.epoch += 2
	var found []*Array
	stack := append([]*Array(nil), outs...)
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case x.mark == graph.epoch || x.op == constant || x.op == ruleOp:
		case x.born <= since || len(x.inputs()) == 0:
			found = append(found, x)
		default:
			stack = append(stack, x.inputs()...)
		}
		x.mark = graph.epoch
	}
	return found
}

// vjpSegment builds the segment once more, over inputs that are there only when the cotangents are, and pulls
// these back through it. No gradient is there before all are, so that the copy is gone when the gradients of
// what comes before begin.
func vjpSegment(w *Walk, y *Array, results []result, want []bool, then func(grads []*Array)) {
	var outs, cts []*Array
	for _, r := range results {
		if r.ct != nil {
			outs, cts = append(outs, r.pick.in[0]), append(cts, r.ct)
		}
	}
	ins := y.inputs()
	late := after(cts)
	fresh := make([]*Array, len(ins))
	var wanted []*Array
	defer UseStream(graph.stream)
	for i, x := range ins {
		graph.stream = x.stream
		fresh[i] = newArray(&dependsOp, x.dtype, x.shape, nil, x, late)
		if want[i] {
			wanted = append(wanted, fresh[i])
		}
	}
	again, _ := follow(outs, ins, all, nil).replay(outs, fresh)
	w.pull(again, wanted, cts, func(grads []*Array) {
		graph.stream = y.stream
		var there []*Array
		for _, g := range grads {
			if g != nil {
				there = append(there, g)
			}
		}
		done := after(there)
		out := make([]*Array, len(ins))
		for i := range ins {
			if !want[i] {
				continue
			}
			if g := grads[0]; g != nil {
				graph.stream = g.stream
				out[i] = newArray(&dependsOp, g.dtype, g.shape, nil, g, done)
			}
			grads = grads[1:]
		}
		then(out)
	})
}
