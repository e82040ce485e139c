package core

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// unit is a Device with what core keeps for it: its memory and its lanes.
type unit struct {
	device.Device
	limits device.Limits
	lanes  []*lane
	copies *lane      // for transfers that no lane's executor makes
	lock   sync.Mutex // who holds it owns copies; nobody waits for it under the graph lock
	own    ownLanes   // all of lanes but the first

	active, peak, cached int
	limit, cacheLimit    int
	ceiling              int // of limit: what the device has, less some slack
	idle                 map[int][]idle
	gone                 map[int]*goneSize // idle memory that gave way, by size
	room, owed, evicted  int               // as those of cache
	residents            map[*buffer]*copyOn
	clock                uint64 // counts uses, for eviction

	loading   singleflight.Group
	lacks     map[missing]bool // kernels that the driver turned out not to have
	fallbacks map[Fallback]*FallbackCount
}

// idle is memory that nothing holds, and the commands that may still use it. A lane takes what it used itself at once,
// since it orders its commands: so running ahead costs no memory.
type idle struct {
	mem   device.Memory
	uses  []use
	since uint64 // when it became so, by the unit's clock
}

// goneSize is how often idle memory of a size gave way and was not asked for since, and the count of evicted bytes when
// it did last.
type goneSize struct{ n, when int }

// units are the asynchronous devices in the order of device.Devices.
var units []*unit

// maxLanes bounds the queues of one device, and the threads of the host.
const maxLanes = 4

// defaultAhead is how many commands a queue of a device that says nothing may be ahead of it.
const defaultAhead = 1024

var devicesOpened bool

// openDevices makes the registered devices usable, once.
func openDevices() {
	if !devicesOpened {
		devicesOpened = true
		for _, d := range device.Devices() {
			AddDevice(d)
		}
	}
}

// AddDevice makes d usable, and returns its place in Devices.
func AddDevice(d device.Device) int {
	u := &unit{Device: d, limits: d.Limits(), idle: map[int][]idle{}, gone: map[int]*goneSize{}, room: minRoom,
		residents: map[*buffer]*copyOn{},
		lacks:     map[missing]bool{}, fallbacks: map[Fallback]*FallbackCount{}}
	total, _ := d.Info()["memory_size"].(int)
	if total <= 0 {
		total = 1 << 62
	}
	u.limit, u.ceiling, u.cacheLimit = total/20*19, total/20*19, total/4
	if u.limits.Ahead <= 0 {
		u.limits.Ahead = defaultAhead
	}
	units = append(units, u)
	reader, _ = host().(device.Reader)
	return len(device.Registered()) + len(units) - 1
}

// openLane is a lane of the device for another stream.
func (u *unit) openLane(own bool) *lane {
	add := func() *lane {
		l := u.newQueue()
		u.lanes = append(u.lanes, l)
		return l
	}
	if len(u.lanes) == 0 {
		add()
	}
	if !own {
		return u.lanes[0]
	}
	return u.own.open(add)
}

func (u *unit) newQueue() *lane {
	q, err := u.NewQueue()
	if err != nil {
		panic(deviceError(u.Name(), err))
	}
	return addLane(newLane(u, q))
}

// size is what u keeps for n bytes.
func (u *unit) size(n int) int {
	_, size := sizeClass(max(n, 256))
	return (size + 255) &^ 255
}

// take gives memory for lane l without waiting, or false.
func (u *unit) take(l *lane, size int) (device.Memory, bool) {
	if size > u.limit-u.active {
		return device.Memory{}, false
	}
	list := u.idle[size]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].free(l) {
			m := list[i].mem
			list[i] = list[len(list)-1]
			u.idle[size] = list[:len(list)-1]
			u.cached -= size
			u.count(size)
			return m, true
		}
	}
	u.giveWay(size)
	m, ok := u.Allocate(size)
	if ok {
		u.count(size)
	}
	return m, ok
}

// count notes memory that is held, or, negative, no longer is.
func (u *unit) count(size int) {
	u.active += size
	u.peak = max(u.peak, u.active)
}

// free reports whether what l is given next may write the memory.
func (f *idle) free(l *lane) bool {
	for _, u := range f.uses {
		if (l == nil || u.lane != l.number) && !u.done() {
			return false
		}
	}
	return true
}

// give takes back memory that commands may still use.
func (u *unit) give(m device.Memory, size int, uses []use) {
	u.active -= size
	u.cached += size
	u.clock++
	u.idle[size] = append(u.idle[size], idle{m, uses, u.clock})
	if u.cached > u.cacheLimit {
		u.trim(u.cacheLimit)
	}
}

// giveWay makes idle memory pay for memory that must be fresh, by the rule of the host's cache (core/cache.go).
func (u *unit) giveWay(size int) {
	if g := u.gone[size]; g != nil && g.n > 0 && u.evicted-g.when <= 4*(u.active+u.cached) {
		g.n--
		u.room = min(u.room+size, u.cacheLimit)
	} else {
		delete(u.gone, size)
		u.room = max(u.room-size, minRoom)
	}
	if u.cached <= u.room {
		u.owed = 0
		return
	}
	for u.owed += size; u.cached > u.room; {
		old, i := u.oldestIdle()
		if old == 0 || old > u.owed {
			return
		}
		list := u.idle[old]
		u.Free(list[i].mem, old)
		list[i] = list[len(list)-1]
		u.idle[old] = list[:len(list)-1]
		u.cached -= old
		u.owed -= old
		u.evicted += old
		g := u.gone[old]
		if g == nil {
			g = new(goneSize)
			u.gone[old] = g
		}
		g.n++
		g.when = u.evicted
	}
}

// oldestIdle is the place of the idle memory that was used the longest ago, of what no command uses; size 0: none.
func (u *unit) oldestIdle() (size, place int) {
	var since uint64
	for s, list := range u.idle {
		for i := range list {
			if (size == 0 || list[i].since < since) && list[i].free(nil) {
				size, place, since = s, i, list[i].since
			}
		}
	}
	return size, place
}

// trim returns idle memory that nothing uses to the device until at most n bytes are kept.
func (u *unit) trim(n int) {
	for size, list := range u.idle {
		kept := list[:0]
		for _, f := range list {
			if u.cached > n && f.free(nil) {
				u.Free(f.mem, size)
				u.cached -= size
			} else {
				kept = append(kept, f)
			}
		}
		if len(kept) == 0 {
			delete(u.idle, size)
		} else {
			clear(list[len(kept):])
			u.idle[size] = kept
		}
	}
}

// settle waits for all commands of the device. The caller's own lane is committed.
func (u *unit) settle(canceled func() bool) *errs.Error {
	for _, l := range append([]*lane{u.copies}, u.lanes...) {
		if l != nil {
			if err := (use{l.number, l.committed}).wait(canceled); err != nil && err.Kind == errs.Interrupted {
				return err
			}
		}
	}
	return nil
}

// DeviceInfo describes the device at place dev of Devices: what it says of itself, and for an asynchronous one what
// core counts of it: bytes, and nodes of its streams that the host computed, by op and reason.
func DeviceInfo(dev int) map[string]any {
	hosts := device.Registered()
	if dev < len(hosts) {
		return hosts[dev].Info()
	}
	u := units[dev-len(hosts)]
	info := map[string]any{}
	for k, v := range u.Info() {
		info[k] = v
	}
	info["active_memory"], info["peak_memory"] = u.active, u.peak
	info["cache_memory"], info["memory_limit"] = u.cached, u.limit
	nodes := 0
	var lines []string
	for f, c := range u.fallbacks {
		nodes += c.Nodes
		lines = append(lines, fmt.Sprintf("%s (%s): %d, %d bytes", f.Op, f.Reason, c.Nodes, c.Bytes))
	}
	slices.Sort(lines)
	info["fallback_count"], info["fallbacks"] = nodes, strings.Join(lines, "\n")
	return info
}
