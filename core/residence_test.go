package core_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// newUnit makes a double with a stream of its own on which all nodes are made from now on, until the test ends.
func newUnit(t *testing.T, o double.Options) (d *double.Device, stream uint16) {
	t.Helper()
	core.PickStream(nil)
	d = world.New(o)
	core.Lock()
	stream = core.NewStream(core.AddDevice(d), true)
	core.Unlock()
	core.PickStream(func(uint64) uint16 { return stream })
	t.Cleanup(func() {
		core.PickStream(picked)
		for _, f := range world.TakeFaults() {
			t.Error(f)
		}
	})
	return d, stream
}

// floats is an array in the host's memory, all of one value.
func floats(n int, v float32) *core.Array {
	a, p := core.Empty(dtype.Float32, []int{n})
	s := unsafe.Slice((*float32)(p), n)
	for i := range s {
		s[i] = v
	}
	return a
}

func binary(name string, a, b *core.Array) *core.Array { return core.Binary(table.FindRow(name), a, b) }

func evaluated(t *testing.T, a *core.Array) {
	t.Helper()
	if err := core.Eval(a); err != nil {
		t.Fatal(err)
	}
}

// first reads element 0 of an array that is on the host.
func first(a *core.Array) float32 { return *(*float32)(a.Data()) }

// TestLargerThanDevice goes three times through weights of four times the device's memory.
func TestLargerThanDevice(t *testing.T) {
	d, _ := newUnit(t, double.Options{Capacity: 8 << 20, Delay: 50 * time.Microsecond})
	const n, layers = 1 << 17, 64 // 512 KiB each
	weights := held(t, func() (ws []*core.Array) {
		for i := range layers {
			ws = append(ws, floats(n, float32(i%5)))
		}
		return ws
	})
	want := float32(0)
	for i := range layers {
		want += float32(i % 5)
	}
	for range 3 {
		y := held(t, func() []*core.Array {
			x := weights[0]
			for _, w := range weights[1:] {
				x = core.Index(binary("add", x, w), []core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
			}
			return []*core.Array{x}
		})[0]
		if evaluated(t, y); first(y) != want {
			t.Errorf("the sum is %g, not %g", first(y), want)
		}
	}
	if c := d.Counters(); c.Peak > 8<<20 || c.Up < 3*(layers-16)*4*n {
		t.Errorf("%+v", c)
	}
}

// TestResultsLargerThanDevice keeps more results than the device holds: they move to the host.
func TestResultsLargerThanDevice(t *testing.T) {
	newUnit(t, double.Options{Capacity: 4 << 20})
	const n = 1 << 17
	x := held(t, func() []*core.Array { return []*core.Array{floats(n, 1)} })[0]
	ys := held(t, func() (ys []*core.Array) {
		for i := range 32 {
			ys = append(ys, binary("add", x, floats(n, float32(i))))
		}
		return ys
	})
	if err := core.Eval(ys...); err != nil {
		t.Fatal(err)
	}
	for i, y := range ys {
		if first(y) != float32(1+i) {
			t.Errorf("result %d is %g", i, first(y))
		}
	}
}

// TestExportedMemory writes to memory that somebody has a view of between uses on the device.
func TestExportedMemory(t *testing.T) {
	_, _ = newUnit(t, double.Options{})
	x := held(t, func() []*core.Array { return []*core.Array{floats(1000, 1)} })[0]
	sum := func(want float32) {
		t.Helper()
		y := held(t, func() []*core.Array { return []*core.Array{binary("add", x, x)} })[0]
		if evaluated(t, y); first(y) != want {
			t.Errorf("the double is %g, not %g", first(y), want)
		}
	}
	sum(2)
	core.Lock()
	view := core.ByID(x.Exported().Hold())
	core.Unlock()
	at := (*float32)(view.Data())
	for i := range 3 {
		*at = float32(i)
		sum(float32(2 * i))
	}
	*at = 7
	core.Lock()
	core.ReleaseIDs([]uint32{view.ID()})
	core.Unlock()
	sum(14)
}

// TestPartsAreCopied looks at one row of large arrays: only that is copied.
func TestPartsAreCopied(t *testing.T) {
	d, stream := newUnit(t, double.Options{})
	const rows, n = 512, 1024
	x := held(t, func() []*core.Array { return []*core.Array{core.Reshape(floats(rows*n, 3), []int{rows, n})} })[0]
	row := func(x *core.Array, i int) *core.Array {
		return core.Index(x, []core.IndexItem{{Kind: core.IndexInt, Int: i}})
	}
	y := held(t, func() []*core.Array { r := row(x, 17); return []*core.Array{binary("add", r, r)} })[0]
	if evaluated(t, y); first(y) != 6 {
		t.Errorf("the double of the row is %g", first(y))
	}
	if c := d.Counters(); c.Up > 8*n {
		t.Errorf("%d bytes went up for a row of %d", c.Up, 4*n)
	}
	big := held(t, func() []*core.Array { return []*core.Array{binary("add", x, x)} })[0]
	r := held(t, func() []*core.Array { return []*core.Array{row(big, -1)} })[0]
	before := d.Counters().Down
	if evaluated(t, r); first(r) != 6 {
		t.Errorf("the last row is %g", first(r))
	}
	if down := d.Counters().Down - before; down > 8*n {
		t.Errorf("%d bytes came down for a row of %d", down, 4*n)
	}
	_ = stream
}

// TestPrefetch evaluates what reads many arrays of the host: they are copied by another queue than the one that
// computes.
func TestPrefetch(t *testing.T) {
	d, _ := newUnit(t, double.Options{})
	y := held(t, func() []*core.Array {
		x := floats(1<<15, 1)
		for range 8 {
			x = core.Index(binary("add", x, floats(1<<15, 1)),
				[]core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
		}
		return []*core.Array{x}
	})[0]
	if evaluated(t, y); first(y) != 9 {
		t.Errorf("the sum is %g", first(y))
	}
	if c := d.Counters(); c.Uploads != 9 || c.Waits == 0 {
		t.Errorf("%+v", c)
	}
}

// gathering is where two kernels wait for each other while it is open.
var gathering struct {
	open  atomic.Bool
	group sync.WaitGroup
}

// TestHostLanesOverlap has two streams of the host run a kernel each, of which neither ends before the other has begun.
func TestHostLanesOverlap(t *testing.T) {
	core.PickStream(nil)
	defer core.PickStream(picked)
	const n = 1 << 19 // more than is computed inline
	core.Lock()
	streams := []uint16{core.NewStream(0, true), core.NewStream(0, true)}
	x := core.ByID(floats(n, 1).Hold())
	var ys []*core.Array
	for _, s := range streams {
		core.UseStream(s)
		ys = append(ys, core.ByID(binary("add", x, x).Hold()))
	}
	core.UseStream(0)
	core.Unlock()
	gathering.group.Add(2)
	gathering.open.Store(true)
	err := core.Eval(ys...)
	gathering.open.Store(false)
	if err != nil || first(ys[0]) != 2 || first(ys[1]) != 2 {
		t.Fatalf("%v", err)
	}
	core.Lock()
	core.ReleaseIDs([]uint32{x.ID(), ys[0].ID(), ys[1].ID()})
	core.Unlock()
}

// meet waits for the other kernel.
func meet(k *device.Kernel) {
	if gathering.open.Load() && k.Kind == device.KindElementwise {
		gathering.group.Done()
		gathering.group.Wait()
	}
}
