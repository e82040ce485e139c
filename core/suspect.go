package core

import "github.com/mlx-go/mlx_go/core/errs"

// suspect is a command that may turn out wrong when it has run, such as a gather with an index out of bounds, and those
// that its inputs came from. Arrays share it: most have none, and all that derive from one gather have that one's.
type suspect struct {
	use
	more    []*suspect
	settled bool
	culprit *suspect    // the command that was wrong, once settled
	err     *errs.Error // its own, of the culprit
	told    bool        // somebody has met it
}

// join is what derives from both.
func joinSuspects(a, b *suspect) *suspect {
	switch {
	case a == nil || a == b || a.clean():
		return b
	case b == nil || b.clean():
		return a
	}
	return &suspect{more: []*suspect{a, b}}
}

// clean reports whether s is complete and nothing was wrong, without waiting.
func (s *suspect) clean() bool { return s.look() && s.culprit == nil }

// look settles s if all of it is complete, and reports whether it is settled.
func (s *suspect) look() bool {
	if s.settled {
		return true
	}
	kept := s.more[:0]
	for _, m := range s.more {
		if !m.look() {
			kept = append(kept, m)
		} else if m.culprit != nil && s.culprit == nil {
			s.culprit = m.culprit
		}
	}
	clear(s.more[len(kept):])
	s.more = kept
	if len(kept) > 0 || !s.use.done() {
		return false
	}
	if q := lanes[s.use.lane].q; s.culprit == nil && s.use.ticket != 0 && q.Done() >= s.use.ticket {
		if s.err = q.Fault(s.use.ticket); s.err != nil {
			s.culprit = s
		}
	}
	s.settled, s.more = true, nil
	return true
}

// pending adds the commands that are not complete.
func (s *suspect) pending(us []use) []use {
	if s.look() {
		return us
	}
	if !s.use.done() {
		us = append(us, s.use)
	}
	for _, m := range s.more {
		us = m.pending(us)
	}
	return us
}

// settle is the error of s, which is complete. The caller meets it.
func (s *suspect) settle() *errs.Error {
	if s == nil || !s.look() || s.culprit == nil {
		return nil
	}
	s.culprit.told = true
	told(s.culprit.err)
	return s.culprit.err
}

// watch remembers s for synchronize.
func (l *lane) watch(s *suspect) {
	if len(l.watched) >= 64 {
		l.settleWatched()
	}
	l.watched = append(l.watched, s)
}

// settleWatched looks at the commands that are complete. Faults that nobody has met are kept for synchronize.
func (l *lane) settleWatched() {
	kept := l.watched[:0]
	for _, s := range l.watched {
		switch {
		case !s.look():
			kept = append(kept, s)
		case s.culprit == s && !s.told:
			s.told = true
			jobs.unmet = append(jobs.unmet, s.err)
		}
	}
	clear(l.watched[len(kept):])
	l.watched = kept
}
