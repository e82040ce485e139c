package core

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// What is done when a device has no memory left, in order, each step only if those before were not enough: idle memory
// goes back to the device; all its commands are waited for; copies that the host has too are dropped; others are
// brought to the host. So models larger than the device run, slowly, and a MemoryError says that neither has room.

// memory gives size bytes on the device for what e gives next.
func (e *exec) memory(size int, op string) (device.Memory, *errs.Error) {
	m, ok, err := e.room(size)
	if !ok && err == nil {
		u := e.lane.unit
		err = errs.Errorf(errs.MemoryError,
			"[%s] cannot allocate %d bytes on the %s: %d bytes are in use there and the limit is %d", op, size,
			u.Name(),
			u.active, u.limit)
	}
	return m, err
}

// room is memory where ok; neither it nor an error says that there is not enough.
func (e *exec) room(size int) (m device.Memory, ok bool, err *errs.Error) {
	u, l := e.lane.unit, e.lane
	if m, ok := u.take(l, size); ok {
		return m, true, nil
	}
	for _, step := range [...]func(int) *errs.Error{e.trimIdle, e.waitForAll, e.dropCopies, e.moveToHost} {
		if err := step(size); err != nil {
			return device.Memory{}, false, err
		}
		if m, ok := u.take(l, size); ok {
			return m, true, nil
		}
	}
	if err := l.q.Lost(); err != nil { // which has no memory any more
		return device.Memory{}, false, err
	}
	return device.Memory{}, false, nil
}

func (e *exec) trimIdle(int) *errs.Error {
	e.lane.unit.trim(0)
	return nil
}

func (e *exec) waitForAll(int) *errs.Error {
	if err := e.commit(); err != nil {
		return err
	}
	if err := e.lane.unit.settle(e.cancel.Load); err != nil {
		return err
	}
	sweepLimbo()
	e.lane.unit.trim(0)
	return nil
}

// dropCopies gives up copies of what the host has too, until size bytes may be free.
func (e *exec) dropCopies(size int) *errs.Error {
	freed := 0
	for freed < size {
		b, c := e.lane.unit.oldest(func(b *buffer, c *copyOn) bool {
			return b.ptr != nil && b.res.made.ticket == 0 && !b.shared(c)
		})
		if b == nil {
			break
		}
		freed += b.res.size
		b.drop(c)
	}
	if freed == 0 {
		return nil
	}
	return e.waitForAll(size)
}

// moveToHost brings what only the device has to the host and drops the copies, until size bytes may be free.
func (e *exec) moveToHost(size int) *errs.Error {
	freed := 0
	for freed < size {
		b, _ := e.lane.unit.oldest(func(b *buffer, c *copyOn) bool { return b.ptr == nil && c.made.ticket != 0 })
		if b == nil {
			break
		}
		b.refs++
		err := b.fetch(e.lane, e.cancel.Load)
		if err == nil || b.ptr != nil {
			if c := b.on(e.lane.unit); c != nil && c.pins == 0 {
				freed += b.res.size
				b.drop(c)
			}
		}
		b.release()
		if err != nil && err.Kind == errs.Interrupted {
			return err
		}
		if err != nil {
			break // the host has no room, or the array is a fault that its readers will meet
		}
	}
	if freed == 0 {
		return nil
	}
	return e.waitForAll(size)
}

// oldest is the copy that was used the longest ago of those that are fit to give way.
func (u *unit) oldest(fit func(*buffer, *copyOn) bool) (b *buffer, c *copyOn) {
	for x, y := range u.residents {
		if y.pins == 0 && (c == nil || y.used < c.used) && fit(x, y) {
			b, c = x, y
		}
	}
	return b, c
}
