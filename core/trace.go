package core

// Trace is a function's graph kept for running again: what compile caches per signature.
type Trace struct {
	ins, outs []*Array
	order     []*Array // nodes that depend on the inputs, inputs first
	slots     [][]int32
	out       []int32
}

// NewTrace keeps the graph from placeholders to outs. It holds every array it names until Free.
func NewTrace(ins, outs []*Array) *Trace {
	t := &Trace{ins: ins, outs: outs}
	t.order = walk(outs, ins, func(*Array) bool { return true })
	epoch := graph.epoch
	for _, y := range t.order {
		y.retain()
		var from []int32
		for _, x := range y.inputs() {
			if marked(x, epoch) {
				from = append(from, x.slot)
			} else {
				from = append(from, -1)
			}
		}
		t.slots = append(t.slots, from)
	}
	for _, y := range outs {
		y.retain()
		if marked(y, epoch) {
			t.out = append(t.out, y.slot)
		} else {
			t.out = append(t.out, -1)
		}
	}
	for _, x := range ins {
		x.retain()
	}
	return t
}

// Call builds the graph again over other arguments of the same shapes and dtypes.
func (t *Trace) Call(ins []*Array) []*Array {
	made := make([]*Array, len(t.order))
	seen := 0
	for i, x := range t.ins {
		// A placeholder has a slot only if the walk met it first: they lead the order.
		for k := range t.order {
			if t.order[k] == x {
				made[k] = ins[i]
				seen = max(seen, k+1)
				break
			}
		}
	}
	xs := make([]*Array, 0, 8)
	for i := seen; i < len(t.order); i++ {
		y := t.order[i]
		xs = xs[:0]
		for k, x := range y.inputs() {
			if s := t.slots[i][k]; s >= 0 {
				x = made[s]
			}
			xs = append(xs, x)
		}
		made[i] = remake(y, xs)
	}
	outs := make([]*Array, len(t.outs))
	for i, s := range t.out {
		if outs[i] = t.outs[i]; s >= 0 {
			outs[i] = made[s]
		}
	}
	return outs
}

// Free drops the graph.
func (t *Trace) Free() {
	for _, list := range [][]*Array{t.order, t.outs, t.ins} {
		for _, a := range list {
			release(a)
		}
	}
	*t = Trace{}
}
