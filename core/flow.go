package core

// flow is the part of a graph that lies between chosen inputs and outputs: what transforms work through.
type flow struct {
	order []*Array // the nodes that depend on the inputs, what they are computed from first; the inputs lead
	heads int      // how many inputs lead
	ins   []int32  // the position of each input
	outs  []int32  // that of each output, -1 if it depends on no input
	from  []int32  // for all nodes one after the other: the positions of what they are computed from, or -1
	at    []int32  // where in from each node's begin
}

// follow lists the nodes from which outs are computed and that depend on ins, without recursion. through says
// whether dependence passes a node, and ruled, if not nil, which nodes with several results have rules of their own, so
// that the values which others computed for them are none of the transform's business. Positions are kept, as rules may
// follow parts of the graph themselves.
func follow(outs, ins []*Array, through func(*Array) bool, ruled func(*Several) bool) *flow {
	graph.epoch += 2 // epoch-1: met, does not depend; epoch: depends, slot is its position
	yes, no := graph.epoch, graph.epoch-1
	f := &flow{ins: make([]int32, len(ins)), outs: make([]int32, len(outs))}
	for i, x := range ins {
		if x.mark != yes {
			x.mark, x.slot = yes, int32(len(f.order))
			f.order = append(f.order, x)
		}
		f.ins[i] = x.slot
	}
	f.heads = len(f.order)
	type frame struct {
		a    *Array
		next int
		dep  bool
	}
	var stack []frame
	for _, out := range outs {
		if out.mark == yes || out.mark == no {
			continue
		}
		out.mark = no
		stack = append(stack, frame{a: out})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if xs := top.a.reached(ruled); top.next < len(xs) {
				x := xs[top.next]
				top.next++
				switch x.mark {
				case yes:
					top.dep = true
				case no:
				default:
					x.mark = no
					stack = append(stack, frame{a: x})
				}
				continue
			}
			a, dep := top.a, top.dep && through(top.a)
			stack = stack[:len(stack)-1]
			if dep {
				a.mark, a.slot = yes, int32(len(f.order))
				f.order = append(f.order, a)
				if len(stack) > 0 {
					stack[len(stack)-1].dep = true
				}
			}
		}
	}
	f.link(outs, yes)
	return f
}

// link notes where the nodes of f, which are marked, have what they are computed from, and where the outputs are.
func (f *flow) link(outs []*Array, mark uint32) {
	slot := func(x *Array) int32 {
		if x.mark == mark {
			return x.slot
		}
		return -1
	}
	f.at = make([]int32, 0, len(f.order)+1)
	for i, a := range f.order {
		f.at = append(f.at, int32(len(f.from)))
		if i >= f.heads {
			for _, x := range a.inputs() {
				f.from = append(f.from, slot(x))
			}
		}
	}
	f.at = append(f.at, int32(len(f.from)))
	for i, out := range outs {
		f.outs[i] = slot(out)
	}
}

// reached are the inputs through which a depends on others where nodes with several results are ruled.
func (a *Array) reached(ruled func(*Several) bool) []*Array {
	xs := a.inputs()
	switch {
	case ruled == nil || a.op != &pickOp && a.op.Several == nil:
	case a.op == &pickOp:
		if of, place := a.picked(ruled); of != nil {
			return xs[place:]
		}
	case ruled(a.op.Several):
		if at, ok := a.attr.(*customAttr); ok {
			return xs[:at.args]
		}
	}
	return xs
}

// inputs are the positions of what node i is computed from.
func (f *flow) inputs(i int) []int32 { return f.from[f.at[i]:f.at[i+1]] }

// all lets dependence pass every node.
func all(*Array) bool { return true }

// replay builds the flow again over other inputs of the same shapes and dtypes, each node on its stream; outs are what
// an output that depends on none of them stays. made are the new nodes.
func (f *flow) replay(outs, ins []*Array) (again, made []*Array) {
	made = make([]*Array, len(f.order))
	for i, slot := range f.ins {
		made[slot] = ins[i]
	}
	xs := make([]*Array, 0, 8)
	for i := f.heads; i < len(f.order); i++ {
		y := f.order[i]
		xs = append(xs[:0], y.inputs()...)
		for k, slot := range f.inputs(i) {
			if slot >= 0 {
				xs[k] = made[slot]
			}
		}
		made[i] = remake(y, xs)
	}
	again = make([]*Array, len(outs))
	for i, slot := range f.outs {
		if again[i] = outs[i]; slot >= 0 {
			again[i] = made[slot]
		}
	}
	return again, made[f.heads:]
}

// remake is y's op, on y's stream, with other inputs of the same shapes and dtypes.
func remake(y *Array, ins []*Array) *Array {
	z := newArray(y.op, y.dtype, y.shape, y.attr, ins...)
	z.bits, z.stream = y.bits, y.stream
	return z
}
