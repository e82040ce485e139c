package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Script is what a function asked of core, to be asked again over other arguments: see Recorder.
type Script struct {
	ins       []argument
	places    int // arguments lead
	constants []located
	needs     []need // of arguments alone, by which it shows at once whether the script can be played
	steps     []*step
	outs      []place
	current   uint16 // the stream that was current when the recorded run began
}

// argument is what an argument was in the recorded run.
type argument struct {
	dtype dtype.Dtype
	shape layout.Shape
}

type located struct {
	at    place
	array *Array
}

// step is one request. Its arrays come from places, in the order of each.
type step struct {
	Request
	from, outs []place
	types      []dtype.Dtype // of what outs are
	key        [2]place      // the random state before and after, of a request that draws
	number     uint64        // a moment, or that of a walk
	asked      *asked        // what rule is to be asked then, of outs
	need       need          // of a checkRequest
	stream     uint16
}

// need is a note with what was seen.
type need struct {
	note
	want []int
}

// asked is what is fixed of a Call.
type asked struct {
	which  RuleKind
	depth  int
	counts []int
}

func askedBy(c *Call) *asked {
	a := &asked{c.Which, c.Depth, nil}
	for _, list := range c.Lists {
		a.counts = append(a.counts, len(list))
	}
	return a
}

func (a *asked) same(b *asked) bool {
	return a.which == b.which && a.depth == b.depth && slices.Equal(a.counts, b.counts)
}

// seen is what Python sees of a, or of a and b.
func seen(what Seen, a, b *Array) []int {
	switch what {
	case SeenShape:
		return a.shape
	case SeenRank:
		return []int{len(a.shape)}
	case SeenSize:
		return []int{a.Size()}
	case SeenLength:
		return append([]int{len(a.shape)}, a.shape[:min(len(a.shape), 1)]...)
	case SeenEmpty:
		if a.Size() == 0 {
			return []int{1}
		}
		return []int{0}
	case SeenSame:
		if layout.Equal(a.shape, b.shape) {
			return []int{1}
		}
		return []int{0}
	}
	panic("nothing is seen")
}

func (s *Script) constant(p place) bool {
	_, found := slices.BinarySearchFunc(s.constants, p, func(c located, p place) int { return int(c.at - p) })
	return found
}

// Free drops the constants.
func (s *Script) Free() {
	for _, c := range s.constants {
		release(c.array)
	}
	*s = Script{}
}

// playing is a script at work.
type playing struct {
	script  *Script
	arrays  []*Array // by place
	moments map[uint64]uint64
	walks   map[uint64]*Walk
	rules   []*Rules // of custom functions, which only the script asks
	open    []uint64 // moments of transforms that began and did not end
	stream  uint16
}

// Play asks for all of the script over other arguments of the same dtypes and ranks. It is not ok if something that
// Python saw would be another thing now, or if an op cannot be done: then the function itself is to be asked.
func (s *Script) Play(ins []*Array) (outs []*Array, ok bool) {
	outs, err := s.TryPlay(ins)
	return outs, err == nil
}

// misfit says that a script cannot be played.
var misfit = errs.Errorf(errs.ValueError,
	"[import_function::call] the function looked at a shape, a size or at values when it was exported, and would go "+
		"another way for these shapes")

// TryPlay is Play that says why it is not ok.
func (s *Script) TryPlay(ins []*Array) (outs []*Array, err *errs.Error) {
	if !s.fits(ins) {
		return nil, misfit
	}
	p := &playing{script: s, arrays: make([]*Array, s.places), stream: graph.stream}
	key := RandomState().retain()
	defer func() {
		r := recover()
		for _, began := range p.open {
			EndTrace(began)
		}
		for _, rules := range p.rules {
			rules.retire()
		}
		SetRandomState(key)
		release(key)
		UseStream(p.stream)
		if r != nil {
			refused, ok := r.(*errs.Error)
			if !ok {
				panic(r)
			}
			outs, err = nil, refused
		}
	}()
	copy(p.arrays, ins)
	for _, c := range s.constants {
		p.arrays[c.at] = c.array
	}
	for _, st := range s.steps {
		if !p.step(st) {
			return nil, misfit
		}
	}
	outs = make([]*Array, len(s.outs))
	for i, at := range s.outs {
		outs[i] = p.arrays[at]
	}
	return outs, nil
}

// fits reports whether arguments are such as the script needs.
func (s *Script) fits(ins []*Array) bool {
	if len(ins) != len(s.ins) {
		return false
	}
	for i, x := range ins {
		if a := s.ins[i]; a.dtype != x.dtype || len(a.shape) != len(x.shape) {
			return false
		}
	}
	for _, n := range s.needs {
		if !slices.Equal(seen(n.what, ins[n.of], nil), n.want) {
			return false
		}
		Note(n.what, ins[n.of], nil)
	}
	return true
}

// step does one step; false if it goes another way than in the recorded run.
func (p *playing) step(st *step) bool {
	if st.stream == p.script.current {
		UseStream(p.stream)
	} else {
		UseStream(st.stream)
	}
	if st.Op == checkRequest {
		return p.check(st.need)
	}
	i := 0
	st.each(func(at **Array) {
		*at = nil
		if from := st.from[i]; from != nowhere {
			*at = p.arrays[from]
		}
		i++
	})
	switch {
	case st.Op == BeginRequest, st.Op == BornRequest, st.Op == EndRequest:
		return p.moment(st)
	case st.Op >= GradRequest:
		return p.walk(st)
	}
	q := &st.Request
	if q.Op >= TracersRequest && q.Op <= CheckpointRequest {
		now, ok := p.moments[uint64(q.Numbers[0])]
		if q.Numbers[0] != 0 && !ok {
			return false
		}
		c := *q
		c.Numbers = slices.Clone(q.Numbers)
		c.Numbers[0] = int(now)
		q = &c
	}
	if q.Op == CustomRequest && len(q.Lists) == 2 { // from a file
		c := *q
		c.Lists = append(slices.Clone(q.Lists), []*Array{p.scriptedRules(q.Numbers[0])})
		q = &c
	}
	if st.key[0] == nowhere {
		return p.keep(st, Do(q))
	}
	key := p.arrays[st.key[0]]
	if key.dtype != dtype.Uint32 || !slices.Equal(key.shape, []int{2}) {
		return false
	}
	SetRandomState(key)
	outs := Do(q)
	p.arrays[st.key[1]] = RandomState()
	return p.keep(st, outs)
}

// scriptedRules are rules that are asked by walks of the script alone, which has their answers.
func (p *playing) scriptedRules(mask int) *Array {
	rules := &Rules{scripted: true}
	for kind := range rules.Has {
		rules.Has[kind] = mask>>kind&1 != 0
	}
	p.rules = append(p.rules, rules)
	return NewRules(rules, func() {})
}

// keep puts results into their places.
func (p *playing) keep(st *step, outs []*Array) bool {
	if len(outs) != len(st.outs) {
		return false
	}
	for i, at := range st.outs {
		y := outs[i]
		if (y == nil) != (at == nowhere) || y != nil && y.dtype != st.types[i] {
			return false
		}
		if y != nil {
			p.arrays[at] = y
		}
	}
	return true
}

func (p *playing) check(n need) bool {
	a, b := p.arrays[n.of], (*Array)(nil)
	if n.beside != nowhere {
		b = p.arrays[n.beside]
	}
	Note(n.what, a, b)
	return slices.Equal(seen(n.what, a, b), n.want)
}

func (p *playing) moment(st *step) bool {
	if p.moments == nil {
		p.moments = map[uint64]uint64{}
	}
	switch st.Op {
	case BornRequest:
		p.moments[st.number] = Moment()
	case BeginRequest:
		began := StartTransform()
		p.moments[st.number] = began
		p.open = append(p.open, began)
	default:
		began, ok := p.moments[uint64(st.Numbers[0])]
		if !ok {
			return false
		}
		p.open = slices.DeleteFunc(p.open, func(b uint64) bool { return b == began })
		EndTransform(began)
	}
	return true
}

func (p *playing) walk(st *step) bool {
	var c *Call
	w := p.walks[st.number]
	if st.Op == AnswerRequest {
		c = w.GoOn(slices.Clone(st.Lists[0]))
	} else {
		w, c = StartWalk(&st.Request)
		if p.walks == nil {
			p.walks = map[uint64]*Walk{}
		}
		p.walks[st.number] = w
	}
	if c == nil {
		return st.asked == nil && p.keep(st, w.Outs())
	}
	return st.asked != nil && st.asked.same(askedBy(c)) && p.keep(st, slices.Concat(c.Lists...))
}

// Trace is the graph of the script for arguments like these, to be built again for such without asking for each step;
// nil where Play is not ok.
func (s *Script) Trace(began uint64, like []*Array) *Trace {
	ins := Placeholders(began, like)
	outs, ok := s.Play(ins)
	if !ok {
		return nil
	}
	return NewTrace(ins, outs)
}
