package core

import (
	"reflect"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// Defs are the primitives but the rows.
func Defs() []*Def { return defs }

// Assignments through subscripts, and what only rules build, which are no functions of the table, for tests that call
// functions by name.
func init() {
	register(Func{Name: "assign", Sig: "(a: array, /, mask: array, values: array) -> array", Stream: noStream,
		Call: callN(func(a *Args) *Array {
			return IndexUpdate(a.array(by.a), []IndexItem{{Kind: IndexArray, Array: a.array(by.mask)}},
				a.array(by.values), UpdateSet)
		})},
		Func{Name: "cross_entropy_grad", Sig: "(logits: array, targets: array, x: array) -> array", Stream: noStream,
			Call: callN(func(a *Args) *Array {
				return crossEntropyGrad(a.array(by.logits), a.array(by.targets), a.array(by.x))
			})})
}

// LimitAttentionGrad sets how many scores the gradient of attention has in memory at once, and returns how to undo it.
func LimitAttentionGrad(scores int) (undo func()) {
	was := attentionGradScores
	attentionGradScores = scores
	return func() { attentionGradScores = was }
}

// WithoutInputs are the primitives that no transform meets as a node of a function.
var WithoutInputs = []*Def{&arangeOp, constant, leaf, placeholder, &restOp, ruleOp}

// Internal are those that transforms make themselves, and segments of functions with rules in Python.
var Internal = []*Def{&identityOp, &segmentOp, &customOps[0], &customOps[1], &customOps[2], &customOps[3]}

// Holding are those whose nodes hold extents that may be out of date.
var Holding = []*Def{&reshapeOp, &broadcastOp, &sliceOp, &stridedOp, &fillOp, &updateOp, &nonzeroOp, &randomBitsOp}

// Collect adds the primitives below outs to found.
func Collect(outs []*Array, found map[*Def]bool) {
	graph.epoch += 2
	stack := append([]*Array(nil), outs...)
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if x.mark != graph.epoch {
			x.mark = graph.epoch
			found[x.op] = true
			stack = append(stack, x.inputs()...)
		}
	}
}

// StreamsSince are the streams of the nodes below outs that were made since, views of nothing among them.
func StreamsSince(outs []*Array, since uint64) map[uint16]bool {
	graph.epoch++
	found := map[uint16]bool{}
	for stack := outs; len(stack) > 0; {
		x := stack[len(stack)-1]
		stack = stack[: len(stack)-1 : len(stack)-1]
		if x.mark != graph.epoch && x.born > since {
			x.mark, found[x.stream] = graph.epoch, true
			stack = append(stack, x.inputs()...)
		}
	}
	return found
}

// CurrentStream is that of the nodes made now.
func CurrentStream() uint16 { return graph.stream }

// Wrong is an array whose gradient is of the wrong shape, at which transforms stop.
func Wrong(x *Array) *Array {
	op := Def{Name: "wrong",
		VJP: func(_, ct *Array, _ []bool) []*Array { return []*Array{Reshape(ct, []int{-1, 1, 1})} }}
	return newArray(&op, x.dtype, x.shape, nil, x)
}

// Broken is a copy of x whose evaluation panics at a place, while broken says so.
func Broken(x *Array, place string, broken *bool) *Array {
	at := func(here string) {
		if *broken && here == place {
			var nothing *Array
			nothing.state = ready
		}
	}
	op := &Def{Name: "broken", Kind: device.KindCopy, NoGrad: "it is of a test",
		Cost: func(*Array) int { at("cost"); return 1 },
		Launch: func(e *exec, y *Array) *errs.Error {
			at("launch")
			if err := e.allocate(y); err != nil {
				return err
			}
			x := y.in[0]
			at("with memory")
			src := e.tensor(x)
			at("with operands")
			e.k = device.Kernel{Kind: device.KindCopy, Op: "broken", Out: []device.Tensor{e.whole(y)},
				In: []device.Tensor{src}}
			return e.launch(&e.k)
		}}
	if place == "view" {
		op.View = func(*Array) bool { at("view"); return false }
	}
	return newArray(op, x.dtype, x.shape, nil, x)
}

// PickStream has f choose the stream of every node made from now on; nil ends that.
func PickStream(f func(born uint64) uint16) { graph.pick = f }

// StreamPicker is who chooses now.
func StreamPicker() func(born uint64) uint16 { return graph.pick }

// Fallbacks are the nodes that the host computed for each device.
func Fallbacks() []map[Fallback]*FallbackCount {
	var list []map[Fallback]*FallbackCount
	for _, u := range units {
		list = append(list, u.fallbacks)
	}
	return list
}

// Grad is VJP for cotangents of one.
func Grad(outs, ins []*Array) []*Array { return WalkGrad(outs, ins).finish() }

// Divmod is the function of that name.
func Divmod(x, y *Array) []*Array { return applyRows(divmodRows, x, y) }

// Flip reverses the first axis.
func Flip(x *Array) *Array { return flipAxis(x, 0) }

// Inputs are what a is computed from.
func (a *Array) Inputs() []*Array { return a.inputs() }

// RowDef is the primitive of a row.
func RowDef(r *table.Row) *Def { return primitive(r) }

// Nodes lists the nodes below outs that have inputs, in an order that depends on the structure alone.
func Nodes(outs []*Array) []*Array {
	graph.epoch++
	var list []*Array
	stack := append([]*Array(nil), outs...)
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if x.mark != graph.epoch {
			x.mark = graph.epoch
			if len(x.inputs()) > 0 {
				list = append(list, x)
			}
			stack = append(stack, x.inputs()...)
		}
	}
	return list
}

// SpecsFor is what y's shape rule answers for the inputs of z, a node of the same op; known says that it answers,
// sameAttr whether both nodes have one attr.
func SpecsFor(y, z *Array) (specs []Spec, known, sameAttr bool) {
	specs = y.op.Specs(y, z.inputs())
	return specs, specs != nil, reflect.DeepEqual(y.attr, z.attr)
}

// Op is a's primitive.
func (a *Array) Op() *Def { return a.op }

// InputsOf are the arguments that a script takes.
func InputsOf(s *Script) []Spec {
	var list []Spec
	for _, a := range s.ins {
		list = append(list, Spec{a.dtype, a.shape})
	}
	return list
}
