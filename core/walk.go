package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/errs"
)

// Walk is a transform that goes through a graph node by node. A rule that is written in Python stops it: whoever runs
// the walk gives up the graph lock, calls the rule and goes on with its answer, so that no Go code is on the stack
// while Python runs. A rule may also have a walk of its own done first, as the gradient of a checkpoint does; so what
// is to be done with an answer is a function that the rule leaves behind.
type Walk struct {
	stages []stage // the innermost last
	call   *Call
	fresh  []*Array // made so far; see Pause
	outs   []*Array
}

// stage is one way through a flow.
type stage interface {
	// step does some of it; false once all is done and the results are handed on.
	step(w *Walk) bool
}

// Call is a rule in Python that a Walk waits for.
type Call struct {
	Rules *Rules
	Which RuleKind
	// Depth is how many batch axes the arrays have in front that the rule knows nothing of.
	Depth int
	// Lists are the rule's arguments, one list after the other; nil arrays are None.
	Lists  [][]*Array
	answer []*Array
	then   func(answer []*Array)
}

// ask has the rule called before the walk goes on.
func (w *Walk) ask(c *Call, then func(answer []*Array)) {
	c.then = then
	w.call = c
}

// push has s done before the walk goes on with what it was at.
func (w *Walk) push(s stage) { w.stages = append(w.stages, s) }

// Run goes on until all is done, or until a rule must be called.
func (w *Walk) Run() *Call {
	defer UseStream(graph.stream)
	if c := w.call; c != nil {
		w.call = nil
		c.then(c.answer)
	}
	for w.call == nil && len(w.stages) > 0 {
		n := len(w.stages)
		if s := w.stages[n-1]; !s.step(w) {
			w.stages = append(w.stages[:n-1], w.stages[n:]...)
		}
	}
	return w.call
}

// Outs are the results, once Run has returned nil.
func (w *Walk) Outs() []*Array { return w.outs }

// finish runs a walk through nodes of Go only.
func (w *Walk) finish() []*Array {
	if w.Run() != nil {
		errs.Throw(errs.RuntimeError, "internal error: a rule is to be called where Python cannot be")
	}
	return w.outs
}

// Pause takes along what was made since Lock, which Unlock would free: nothing holds the nodes that a walk is still at.
func (w *Walk) Pause() { w.fresh, graph.fresh = graph.fresh, nil }

// Resume is the opposite of Pause.
func (w *Walk) Resume() { w.fresh, graph.fresh = nil, append(w.fresh, graph.fresh...) }

// Answer is what the called rule gave, with which Run goes on.
func (w *Walk) Answer(answer []*Array) {
	w.call.answer = answer
	// A node of the walk's own holds them, as only the caller does so far.
	after(slices.DeleteFunc(slices.Clone(answer), func(a *Array) bool { return a == nil }))
}
