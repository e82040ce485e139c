package core

// Trace is a function's graph kept for running again: what compile caches per signature.
type Trace struct {
	ins, outs []*Array
	flow      *flow
}

// NewTrace keeps the graph from placeholders to outs. It holds every array it names until Free.
func NewTrace(ins, outs []*Array) *Trace {
	t := &Trace{ins, outs, follow(outs, ins, all)}
	for _, list := range t.held() {
		for _, a := range list {
			a.retain()
		}
	}
	return t
}

func (t *Trace) held() [][]*Array { return [][]*Array{t.flow.order, t.outs, t.ins} }

// Call builds the graph again over other arguments of the same shapes and dtypes.
func (t *Trace) Call(ins []*Array) []*Array { return t.flow.replay(t.outs, ins) }

// Free drops the graph.
func (t *Trace) Free() {
	for _, list := range t.held() {
		for _, a := range list {
			release(a)
		}
	}
	*t = Trace{}
}
