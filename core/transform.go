package core

import "slices"

// transform is one that follows a function, which has not returned yet.
type transform struct {
	began uint64
	ended bool
	kept  []*Array // evaluated meanwhile, and the transform may still ask what they were computed from
}

// lineage lists the transforms from whose stand-ins an array derives, the youngest first. Arrays share lists; most
// derive from none, and those of a function from the same. One that has ended asks no more.
type lineage struct {
	of   *transform
	rest *lineage
}

// live is l without those that ended.
func (l *lineage) live() *lineage {
	if l == nil {
		return nil
	}
	rest := l.rest.live()
	switch {
	case l.of.ended:
		return rest
	case rest == l.rest:
		return l
	}
	return &lineage{l.of, rest}
}

// join is the union of both.
func join(a, b *lineage) *lineage {
	switch {
	case a == b || b == nil:
		return a
	case a == nil:
		return b
	case a.of.began < b.of.began:
		a, b = b, a
	}
	other := b
	if a.of == b.of {
		other = b.rest
	}
	rest := join(a.rest, other)
	switch {
	case rest == a.rest:
		return a
	case a.of == b.of && rest == b.rest:
		return b
	}
	return &lineage{a.of, rest}
}

// BeginTrace brackets, with EndTrace, a function that a transform follows: arrays evaluated in between that derive
// from its stand-ins keep what they were computed from. Transforms may run on several threads at once.
func BeginTrace() uint64 {
	graph.born++ // no two get the same number
	graph.running = append(graph.running, &transform{began: graph.born})
	return graph.born
}

// running is the transform that BeginTrace gave the number, or nil if there is none or it has ended.
func running(began uint64) *transform {
	for _, t := range graph.running {
		if t.began == began {
			return t
		}
	}
	return nil
}

// EndTrace ends the transform that BeginTrace gave, and lets go of what no other one may ask for.
func EndTrace(began uint64) {
	t := running(began)
	graph.running = slices.DeleteFunc(graph.running, func(r *transform) bool { return r == t })
	t.ended = true
	for _, a := range t.kept {
		// The array that was kept may be gone, and another one in its place: what is done here is right for any.
		if a.state == ready && a.op != leaf {
			a.keepOrDetach()
		}
	}
	t.kept = nil
}

// keepOrDetach lets go of what a ready array was computed from, as soon as no transform may ask for it, which it
// reports.
func (a *Array) keepOrDetach() (detached bool) {
	if a.lineage != nil {
		a.lineage = a.lineage.live()
	}
	if a.lineage == nil {
		a.detach()
		return true
	}
	t := a.lineage.of // the first to end, most likely
	t.kept = append(t.kept, a)
	return false
}

// derivesFrom makes a, which is new, a stand-in of the transform, if that runs.
func (a *Array) derivesFrom(began uint64) {
	if t := running(began); t != nil {
		a.lineage = join(a.lineage, &lineage{of: t})
	}
}

// traced reports whether a running transform may ask what a was computed from.
func (a *Array) traced() bool {
	for l := a.lineage; l != nil; l = l.rest {
		if !l.of.ended {
			return true
		}
	}
	return false
}
