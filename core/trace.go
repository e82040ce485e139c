package core

// Trace is a function's graph kept for running again: what compile caches per signature.
type Trace struct {
	ins, outs []*Array
	flow      *flow
	current   uint16 // the stream that was current when the traced run began
}

// NewTrace keeps the graph from placeholders to outs. It holds every array it names until Free.
func NewTrace(ins, outs []*Array) *Trace {
	t := &Trace{ins: ins, outs: outs, flow: follow(outs, ins, all, nil)}
	if len(ins) > 0 {
		t.current = ins[0].stream // whatever the function made current itself
	}
	for _, list := range t.held() {
		for _, a := range list {
			a.retain()
		}
	}
	return t
}

func (t *Trace) held() [][]*Array { return [][]*Array{t.flow.order, t.outs, t.ins} }

// Call builds the graph again over other arguments of the same shapes and dtypes. What was on the stream that was
// current in the traced run is on the one that is current now: each thread runs it on a default stream of its own.
func (t *Trace) Call(ins []*Array) []*Array {
	outs, made := t.flow.replay(t.outs, ins)
	for _, z := range made {
		if z.stream == t.current {
			z.stream = graph.stream
		}
	}
	return outs
}

// Free drops the graph.
func (t *Trace) Free() {
	for _, list := range t.held() {
		for _, a := range list {
			release(a)
		}
	}
	*t = Trace{}
}
