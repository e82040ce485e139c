package core

// Transforms are an open set. VJP, JVP and VMap, which every primitive must think of, are fields of Def, so that a
// family's file shows a primitive whole and the compiler checks their types. A further transform has a table of its own
// in a file of its own: rules of whatever type it likes, for the primitives that it knows, and what to do with others.
// It touches no file that is there, as the bounds in rules_test.go show.

// RuleTable is what one transform knows of primitives.
type RuleTable[R any] struct {
	// Rows is for all rows of the table that have no rule of their own.
	Rows func(y *Array) (rule R, ok bool)

	given []given[R] // not looked at yet: definitions get their numbers when all are there
	of    []*R       // by number
}

type given[R any] struct {
	op   *Def
	rule R
}

// defsNumbered counts the definitions that some transform asked for.
var defsNumbered int32

// Set gives the rule for primitives. It may be called while the package is initialized.
func (t *RuleTable[R]) Set(rule R, ops ...*Def) {
	for _, op := range ops {
		t.given = append(t.given, given[R]{op, rule})
	}
}

// For is the rule for y's primitive; false if there is none. It takes a look at a slice.
func (t *RuleTable[R]) For(y *Array) (rule R, ok bool) {
	for _, g := range t.given {
		n := g.op.numbered()
		for int(n) >= len(t.of) {
			t.of = append(t.of, nil)
		}
		t.of[n] = &g.rule
	}
	t.given = t.given[:0]
	if n := y.op.number; n > 0 && int(n) < len(t.of) && t.of[n] != nil {
		return *t.of[n], true
	}
	if y.op.Row != nil && t.Rows != nil {
		return t.Rows(y)
	}
	return rule, false
}

// numbered gives d a number, from 1.
func (d *Def) numbered() int32 {
	if d.number == 0 {
		defsNumbered++
		d.number = defsNumbered
	}
	return d.number
}

// Forward goes through the graph from ins to outs and gives every node what step makes of what its inputs have: the way
// of a transform that computes something beside the values. Of the inputs that depend on none of ins it has what known
// gives.
func Forward[T any](outs, ins []*Array, values []T, known func(x *Array) T, step func(y *Array, xs []T) T) []T {
	f := follow(outs, ins, all, nil)
	has := make([]T, len(f.order))
	for i, slot := range f.ins {
		has[slot] = values[i]
	}
	for i := f.heads; i < len(f.order); i++ {
		y := f.order[i]
		xs := make([]T, 0, 3)
		for k, slot := range f.inputs(i) {
			if slot >= 0 {
				xs = append(xs, has[slot])
			} else {
				xs = append(xs, known(y.inputs()[k]))
			}
		}
		has[i] = step(y, xs)
	}
	out := make([]T, len(outs))
	for i, y := range outs {
		if slot := f.outs[i]; slot >= 0 {
			out[i] = has[slot]
		} else {
			out[i] = known(y)
		}
	}
	return out
}
