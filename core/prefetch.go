package core

import "github.com/mlx-go/mlx_go/core/errs"

// prefetchMin is what is worth a transfer of its own: less goes with the commands that read it.
const prefetchMin = 64 << 10

// prefetch begins to copy what nodes of the tape read and only the host has, in the order in which they need it, so
// that the device computes with the first while the others are on their way. It stops where memory becomes short: the
// rest is copied when it is read, and the copies of what is done with give way to it.
func (e *exec) prefetch(tape []*Array) *errs.Error {
	u := e.lane.unit
	var far []*buffer
	budget := min(u.limit/8, u.limit-u.active-largestResult(tape))
	for _, a := range tape {
		if a.op.View != nil { // it will hardly need the bytes
			continue
		}
		for _, x := range a.operands() {
			b := x.buf
			if x.state != ready || b == nil || b.size < prefetchMin || b.exported() || b.on(u) != nil || !b.onHost() {
				continue
			}
			if _, n := x.span(); b.size >= partMin && n <= b.size/partOf || e.unfit(a) != "" {
				continue
			}
			if budget -= u.size(b.size); budget < 0 {
				return e.uploadAll(far)
			}
			b.refs++
			far = append(far, b)
		}
	}
	return e.uploadAll(far)
}

// largestResult is the most bytes that a node of the tape needs for its result.
func largestResult(tape []*Array) int {
	n := 0
	for _, a := range tape {
		n = max(n, a.NBytes())
	}
	return n
}

// uploadAll gives the copies to the device's own lane, and lets go of the buffers.
func (e *exec) uploadAll(far []*buffer) *errs.Error {
	if far == nil {
		return nil
	}
	defer func() {
		for _, b := range far {
			b.release()
		}
	}()
	u := e.lane.unit
	return u.transfer(e.lane, func(l *lane) *errs.Error {
		for _, b := range far {
			if b.on(u) != nil || b.exported() || !b.onHost() {
				continue // somebody else was faster
			}
			mem, ok := u.take(l, u.size(b.size))
			if !ok {
				return nil
			}
			c, err := e.uploadTo(l, b, mem)
			if err != nil {
				return err
			}
			b.keep(c)
		}
		return nil
	})
}
