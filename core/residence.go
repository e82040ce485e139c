package core

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// residence is what devices have to do with a buffer. There is at least one copy of its bytes, the host's or one on a
// device, and every copy that is there is valid once the command that makes it is complete. So there are no stale
// copies and no flags of validity: where bytes are overwritten, the copies elsewhere are given up at once.
type residence struct {
	size    int // of the copies
	copies  []*copyOn
	made    use   // the download that makes the host's copy
	reads   []use // uploads that read the host's copy
	suspect *suspect
}

// copyOn is a buffer's bytes on a device.
type copyOn struct {
	unit  *unit
	mem   device.Memory
	made  use   // the command that wrote it last
	reads []use // the last one of each lane that reads it
	pins  int   // by kernels that are being put together
	used  uint64
	stale bool // others may have written to the host's copy; it is in use yet, and used no more
}

// on is b's copy on u; nil if there is none.
func (b *buffer) on(u *unit) *copyOn {
	if b.res != nil {
		for _, c := range b.res.copies {
			if c.unit == u && !c.stale {
				return c
			}
		}
	}
	return nil
}

// keep adds a copy.
func (b *buffer) keep(c *copyOn) {
	b.res.copies = append(b.res.copies, c)
	c.unit.residents[b] = c
	c.touch()
}

func (c *copyOn) touch() {
	c.unit.clock++
	c.used = c.unit.clock
}

// drop gives up a copy. Its memory goes to whoever comes after the commands that use it.
func (b *buffer) drop(c *copyOn) {
	if b.shared(c) {
		b.joinReads(c)
		b.ptr, b.size, b.res.made = nil, 0, use{}
	}
	for i, other := range b.res.copies {
		if other == c {
			b.res.copies = append(b.res.copies[:i:i], b.res.copies[i+1:]...)
			break
		}
	}
	if c.unit.residents[b] == c {
		delete(c.unit.residents, b)
	}
	uses := c.reads
	if c.made.ticket != 0 {
		uses = addUse(uses, c.made)
	}
	c.unit.give(c.mem, b.res.size, uses)
}

// shared reports whether the host's copy is c's memory.
func (b *buffer) shared(c *copyOn) bool { return b.ptr != nil && c.mem.Host == b.ptr }

// joinReads says that who reads the host's copy reads c, which is the same memory.
func (b *buffer) joinReads(c *copyOn) {
	for _, u := range b.res.reads {
		c.reads = addUse(c.reads, u)
	}
	b.res.reads = nil
}

// dropHost gives up the host's copy, if that is no device's.
func (b *buffer) dropHost() {
	if b.ptr == nil {
		return
	}
	for _, c := range b.res.copies {
		if b.shared(c) {
			return
		}
	}
	uses := b.res.reads
	if b.res.made.ticket != 0 {
		uses = addUse(uses, b.res.made)
	}
	host := &buffer{ptr: b.ptr, size: b.size, class: b.class, refs: 1, foreign: b.foreign, parent: b.parent}
	b.ptr, b.size, b.foreign, b.parent, b.res.made, b.res.reads = nil, 0, nil, nil, use{}, nil
	host.releaseAfter(uses)
}

// releaseAll gives up all copies.
func (b *buffer) releaseAll() {
	b.dropHost()
	for len(b.res.copies) > 0 {
		b.drop(b.res.copies[0])
	}
}

// exported is the attr of arrays that stand for a view that somebody else has of the host's memory, and may write to.
type exported struct{}

// Exported is a for somebody else, who may write to its memory while holding it: a itself, or an array that stands for
// it. Copies on devices would not see what is written: they are given up, and made anew at each use meanwhile.
func (a *Array) Exported() *Array {
	if a.buf == nil || len(units) == 0 || a.ReadOnly() {
		return a
	}
	y := newArray(leaf, a.dtype, a.shape, exported{})
	y.shareBuffer(a, a.offset, a.strides)
	y.setReady()
	root := y.buf.root()
	if root.exports++; root.exports == 1 {
		root.dropDeviceCopies()
	}
	return y
}

// unexport ends what Exported began. A copy that was in use when that came is as old as it.
func (b *buffer) unexport() {
	root := b.root()
	if root.exports--; root.exports == 0 {
		root.dropDeviceCopies()
	}
}

// dropDeviceCopies gives up all copies of b and of its parts but the host's.
func (b *buffer) dropDeviceCopies() {
	for _, u := range units {
		for x, c := range u.residents {
			switch {
			case x.root() != b || x.shared(c):
			case c.pins > 0:
				c.stale = true
			default:
				x.drop(c)
			}
		}
	}
}

// root is the buffer that b is a part of, or b.
func (b *buffer) root() *buffer {
	if b.parent != nil {
		return b.parent
	}
	return b
}

// exported reports whether somebody else may write to b at any time, as NumPy through a view of it.
func (b *buffer) exported() bool { return b.root().exports > 0 }

// limbo is host memory that nothing holds but commands of devices.
var limbo []struct {
	host *buffer
	uses []use
}

// releaseAfter releases host memory once commands no longer use it.
func (b *buffer) releaseAfter(uses []use) {
	limbo = append(limbo, struct {
		host *buffer
		uses []use
	}{b, uses})
	sweepLimbo()
}

// sweepLimbo releases what has become free.
func sweepLimbo() {
	list := limbo
	limbo = nil // a release may add to it
	for _, l := range list {
		if !allDone(l.uses) {
			limbo = append(limbo, l)
			continue
		}
		for _, u := range l.uses {
			lanes[u.lane].q.Wait(u.ticket, 0) // a download may end in Wait
		}
		l.host.release()
	}
}

// onHost reports whether the host may read b.
func (b *buffer) onHost() bool {
	return b.res == nil || b.ptr != nil && b.res.made.ticket == 0 && (b.res.suspect == nil || b.res.suspect.clean())
}

// awaited are the commands without which b is not there, on any device or the host.
func (b *buffer) awaited(us []use) []use {
	if b.res == nil || b.ptr != nil && b.res.made.ticket == 0 {
		return us
	}
	for _, c := range b.res.copies {
		if c.made.done() {
			return us
		}
	}
	if len(b.res.copies) == 0 {
		return append(us, b.res.made)
	}
	return append(us, b.res.copies[0].made)
}

// lostError is why b's bytes are gone; nil if they are not.
func (b *buffer) lostError() *errs.Error {
	if b.res == nil || b.ptr != nil && b.res.made.ticket == 0 {
		return nil
	}
	var err *errs.Error
	for _, c := range b.res.copies {
		if c.made.ticket == 0 || lanes[c.made.lane].q.Done() >= c.made.ticket {
			if err = c.unit.lost(); err == nil {
				return nil
			}
			continue
		}
		if err = lanes[c.made.lane].q.Lost(); err == nil {
			return nil
		}
	}
	if err == nil && b.res.made.ticket != 0 {
		err = lanes[b.res.made.lane].q.Lost()
	}
	return err
}

// lost is why the device can do nothing more; nil while one of its queues can.
func (u *unit) lost() *errs.Error {
	var err *errs.Error
	for _, l := range u.lanes {
		if err = l.q.Lost(); err == nil {
			return nil
		}
	}
	return err
}

// fetch gives b a host copy that the host may read. Lane is the one whose executor asks, or nil.
func (b *buffer) fetch(l *lane, canceled func() bool) *errs.Error {
	if b.onHost() {
		return nil
	}
	b.refs++ // the graph lock is given up
	defer b.release()
	if l != nil { // what is waited for may be the lane's own, or wait for it
		if err := l.commit(); err != nil {
			return err
		}
	}
	for b.ptr == nil {
		if err := b.download(l); err != nil {
			return err
		}
	}
	for b.res.made.ticket != 0 {
		u := b.res.made
		if err := u.wait(canceled); err != nil {
			return err
		}
		if b.res.made == u {
			b.res.made = use{}
		}
	}
	if s := b.res.suspect; s != nil {
		for _, u := range s.pending(nil) {
			if err := u.wait(canceled); err != nil {
				return err
			}
		}
		return s.settle()
	}
	return nil
}

// download appends the copy to the host: to l, if it is one of a device that has a copy, else to that device's own
// lane.
func (b *buffer) download(l *lane) *errs.Error {
	if err := b.lostError(); err != nil {
		return err
	}
	var c *copyOn
	if l != nil && l.unit != nil {
		c = b.on(l.unit)
	}
	if c != nil {
		if err := b.downloadOn(l, c); err != nil {
			return err
		}
		return l.commit()
	}
	return b.res.copies[0].unit.transfer(l, func(l *lane) *errs.Error {
		if b.ptr != nil { // somebody else was faster
			return nil
		}
		return b.downloadOn(l, b.on(l.unit))
	})
}

// downloadOn gives the copy to a lane that the caller owns.
func (b *buffer) downloadOn(l *lane, c *copyOn) *errs.Error {
	if c == nil {
		return nil // it was given up meanwhile; the caller looks again
	}
	c.pins++
	err := l.after(c.made)
	c.pins--
	if err != nil || b.ptr != nil {
		return err
	}
	host := newBuffer(b.res.size)
	if host == nil {
		return errs.Errorf(errs.MemoryError, "[eval] cannot allocate %d bytes to bring an array from the %s",
			b.res.size, c.unit.Name())
	}
	t, e := l.q.Download(host.ptr, device.Place{Mem: c.mem}, b.res.size)
	if e != nil {
		host.release()
		return deviceError(c.unit.Name(), e)
	}
	l.given = t
	b.ptr, b.size, b.class = host.ptr, host.size, host.class
	b.res.made = use{l.number, t}
	c.reads = addUse(c.reads, b.res.made)
	c.touch()
	return nil
}

// transfer runs f with the device's lane for copies, which the caller owns meanwhile, and commits. Own is the lane
// whose executor asks; it is committed, since others may wait for it while it waits for the lock.
func (u *unit) transfer(own *lane, f func(l *lane) *errs.Error) *errs.Error {
	if own != nil {
		if err := own.commit(); err != nil {
			return err
		}
	}
	outside(u.lock.Lock)
	defer u.lock.Unlock()
	if u.copies == nil {
		u.copies = u.newQueue()
	}
	if err := u.copies.q.Lost(); err != nil {
		return err
	}
	err := f(u.copies)
	if e := u.copies.commit(); err == nil {
		err = e
	}
	return err
}

// after makes what l is given next come after x. Who owns l calls it.
func (l *lane) after(x use) *errs.Error {
	if x.ticket == 0 || x.lane == l.number || int(x.lane) < len(l.seen) && l.seen[x.lane] >= x.ticket || x.done() {
		return nil
	}
	other := lanes[x.lane]
	for other.committed < x.ticket {
		if err := l.commit(); err != nil { // others may wait for us
			return err
		}
		if other.committed < x.ticket {
			progress.sleep()
		}
	}
	if !l.q.After(other.q, x.ticket) {
		if err := l.commit(); err != nil {
			return err
		}
		return x.wait(nil)
	}
	for len(l.seen) <= int(x.lane) {
		l.seen = append(l.seen, 0)
	}
	l.seen[x.lane] = x.ticket
	return nil
}
