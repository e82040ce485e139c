package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// A Recorder writes down what a function of Python's asks of core while it runs, as a Script, which can be played over
// arrays of other shapes. What Go makes of extents, such as the 1/n of mean or the target of a reshape with -1, is made
// again when a script is played, since functions are asked again and no nodes are copied. So the one way by which an
// extent gets into a script is Python: what Python sees of an array is noted, and must hold again when the script is
// played.
//
// An array has one place in a script, and is known by its node. A function that gives one of its arguments back, as
// reshape to the same shape does, would give another array at other shapes, so the recorded run goes on with a node of
// its own for it. What depends on no argument, neither by its values nor by its shape, is a constant.
type Recorder struct {
	script *Script
	number uint16
	known  map[*Array]place
	free   map[*Array]bool // results that depend on no argument
	held   []*Array        // all that is known: while they are held, nodes are not used again
	noted  map[note]bool
	walks  []*Walk
	began  uint64
	broken bool
}

// place is that of an array among all of a script: arguments, constants, results.
type place int32

const nowhere place = -1 // of None

// note is something that Python saw of one or two arrays.
type note struct {
	what       Seen
	of, beside place
}

// Seen is what Python looks at.
type Seen uint8

const (
	SeenShape  Seen = iota
	SeenRank        // of what is no argument
	SeenSize        // how many elements there are
	SeenLength      // the first extent
	SeenEmpty       // whether there are no elements
	SeenSame        // whether two shapes are the same
	SeenValue       // elements
)

// recorders are those at work, by number; number 0 is none.
var recorders = []*Recorder{nil}

// recorder is the one that the current call is recorded by, or nil.
func recorder() *Recorder { return recorders[graph.recorder] }

// Recording reports whether the current call is recorded.
func Recording() bool { return graph.recorder != 0 }

// UseRecorder says by which recorder the current call is recorded; 0: by none.
func UseRecorder(number uint16) { graph.recorder = number }

// NewRecorder begins to record a function of these arguments, which are placeholders. 0: too many are at work.
func NewRecorder(ins []*Array) uint16 {
	n := slices.Index(recorders[1:], nil) + 1
	if n == 0 {
		if n = len(recorders); n > 1<<16-1 {
			return 0
		}
		recorders = append(recorders, nil)
	}
	r := &Recorder{script: &Script{current: graph.stream}, number: uint16(n), known: map[*Array]place{},
		free: map[*Array]bool{}, noted: map[note]bool{}, began: graph.born}
	for _, x := range ins {
		r.script.ins = append(r.script.ins, argument{x.dtype, x.shape})
		r.add(x)
	}
	RandomState() // is there from now on
	recorders[n] = r
	return r.number
}

// EndRecorder gives the script of what was recorded, with these results; nil if it cannot be played.
func EndRecorder(number uint16, outs []*Array) *Script {
	r := recorders[number]
	recorders[number] = nil
	s := r.script
	for _, y := range outs {
		s.outs = append(s.outs, r.place(y))
	}
	for _, a := range r.held {
		release(a)
	}
	if r.broken {
		s.Free()
		return nil
	}
	return s
}

// hold keeps a's node from being used again while this records.
func (r *Recorder) hold(a *Array) { r.held = append(r.held, a.retain()) }

// add gives an array a place.
func (r *Recorder) add(a *Array) place {
	p := place(r.script.places)
	r.script.places++
	r.known[a] = p
	r.hold(a)
	return p
}

// place is where an array is that something is asked of. What is met for the first time is a constant; if it was
// computed in a way that was not recorded, there can be no script.
func (r *Recorder) place(a *Array) place {
	if a == nil {
		return nowhere
	}
	if p, ok := r.known[a]; ok {
		return p
	}
	if r.stray(a) {
		r.broken = true
	}
	p := r.add(a)
	r.script.constants = append(r.script.constants, located{p, a.retain()})
	return p
}

// stray reports whether nobody knows what a depends on.
func (r *Recorder) stray(a *Array) bool {
	return !r.free[a] && a.born > r.began && len(a.inputs()) > 0
}

// varies reports whether the request has to do with arguments of the function.
func (r *Recorder) varies(q *Request) bool {
	found := q.Op >= TracersRequest
	q.each(func(at **Array) {
		if a := *at; a != nil && !found {
			if p, ok := r.known[a]; ok {
				found = !r.script.constant(p)
			} else {
				found = r.stray(a)
			}
		}
	})
	return found
}

// Do does what is asked, and writes it down if the call is recorded.
func Do(q *Request) []*Array {
	r := recorder()
	if r == nil {
		return q.run()
	}
	key, before, kept := RandomState(), graph.born, q.clone()
	r.hold(key)
	outs := slices.Clone(q.run())
	drew := RandomState() != key
	if len(outs) == 1 && outs[0] == nil { // masks are to be counted first
		if r.varies(&kept) {
			r.Bind()
		}
		return outs
	}
	if !drew && !r.varies(&kept) {
		for _, y := range outs {
			r.free[y] = true
			r.hold(y)
		}
		return outs
	}
	st := r.step(kept)
	if drew {
		st.key = [2]place{r.place(key), r.add(RandomState())}
	}
	st.outs, st.types = r.results(outs, before)
	return outs
}

// step appends a step that asks for what kept asks.
func (r *Recorder) step(kept Request) *step {
	st := &step{Request: kept, stream: graph.stream, key: [2]place{nowhere, nowhere}}
	st.each(func(at **Array) {
		st.from = append(st.from, r.place(*at))
		*at = nil
	})
	r.script.steps = append(r.script.steps, st)
	return st
}

// results gives each of outs its place, with a node of its own for what was there before.
func (r *Recorder) results(outs []*Array, before uint64) (places []place, types []dtype.Dtype) {
	for i, y := range outs {
		if y == nil {
			places, types = append(places, nowhere), append(types, 0)
			continue
		}
		if _, known := r.known[y]; known || y.born <= before {
			y = newArray(&identityOp, y.dtype, y.shape, nil, y)
			outs[i] = y
		}
		places, types = append(places, r.add(y)), append(types, y.dtype)
	}
	return places, types
}

// ---- walks and moments ----

// StartWalk begins the walk that is asked for; it waits for the rule that comes back, or is over for nil.
func StartWalk(q *Request) (*Walk, *Call) {
	r := recorder()
	if r == nil {
		w := q.walk()
		return w, w.Run()
	}
	kept, before := q.clone(), graph.born
	w := q.walk()
	c := w.Run()
	st := r.step(kept)
	st.number = uint64(len(r.walks))
	r.walks = append(r.walks, w)
	r.stopped(st, w, c, before)
	return w, c
}

// GoOn gives the walk what the rule gave that it waits for.
func (w *Walk) GoOn(answer []*Array) *Call {
	r := recorder()
	if r == nil {
		w.Answer(answer)
		return w.Run()
	}
	kept, before := Request{Op: AnswerRequest, Lists: [][]*Array{slices.Clone(answer)}}, graph.born
	w.Answer(answer)
	c := w.Run()
	st := r.step(kept)
	if n := slices.Index(r.walks, w); n >= 0 {
		st.number = uint64(n)
		r.stopped(st, w, c, before)
	} else {
		r.broken = true
	}
	return c
}

// stopped writes down to what the walk has come: its results, or what a rule is to be asked.
func (r *Recorder) stopped(st *step, w *Walk, c *Call, before uint64) {
	if c == nil {
		w.outs = slices.Clone(w.outs)
		st.outs, st.types = r.results(w.outs, before)
		return
	}
	st.asked = askedBy(c)
	c.Lists = slices.Clone(c.Lists)
	for i, list := range c.Lists {
		c.Lists[i] = slices.Clone(list) // they may be a node's own
		outs, types := r.results(c.Lists[i], before)
		st.outs, st.types = append(st.outs, outs...), append(st.types, types...)
	}
}

// StartTransform is BeginTrace, recorded.
func StartTransform() uint64 {
	began := BeginTrace()
	if r := recorder(); r != nil {
		r.step(Request{Op: BeginRequest}).number = began
	}
	return began
}

// EndTransform is EndTrace, recorded.
func EndTransform(began uint64) {
	EndTrace(began)
	if r := recorder(); r != nil {
		r.step(Request{Op: EndRequest, Numbers: []int{int(began)}})
	}
}

// Moment is Born, recorded.
func Moment() uint64 {
	if r := recorder(); r != nil {
		graph.born++ // no two are the same
		r.step(Request{Op: BornRequest}).number = graph.born
	}
	return Born()
}

// ---- what Python sees ----

// Note says that Python, in the function that is recorded, saw something of a, or of a and b.
func Note(what Seen, a, b *Array) {
	r := recorder()
	if r == nil {
		return
	}
	of, known := r.known[a]
	if !known || r.script.constant(of) {
		r.broken = r.broken || !known && r.stray(a)
		if what != SeenSame {
			return
		}
	}
	if what == SeenValue {
		r.Bind()
		return
	}
	n := note{what, r.place(a), nowhere}
	if what == SeenSame {
		n.beside = r.place(b)
	}
	if !r.noted[n] {
		r.noted[n] = true
		r.require(n, seen(what, a, b))
	}
}

// require makes a script that can only be played where n is want.
func (r *Recorder) require(n note, want []int) {
	s := r.script
	if int(n.of) < len(s.ins) && n.what != SeenSame {
		if n.what != SeenRank { // which is the same for all arguments of a script
			s.needs = append(s.needs, need{n, want})
		}
		return
	}
	st := r.step(Request{Op: checkRequest})
	st.need = need{n, want}
}

// Bind makes a script that can only be played over arrays of the same shapes as those of the recorded run.
func (r *Recorder) Bind() {
	for i, x := range r.script.ins {
		if n := (note{SeenShape, place(i), nowhere}); !r.noted[n] {
			r.noted[n] = true
			r.require(n, x.shape)
		}
	}
}

// Bind is Recorder.Bind for the one that the current call is recorded by, if there is one.
func Bind() {
	if r := recorder(); r != nil {
		r.Bind()
	}
}

// BindTo is Bind where one of as depends on arguments of the function.
func BindTo(as []*Array) {
	if recorder() != nil {
		for _, a := range as {
			Note(SeenValue, a, nil)
		}
	}
}

// Unrecorded says that the current call was one that cannot be played.
func Unrecorded() {
	if r := recorder(); r != nil {
		r.broken = true
	}
}
