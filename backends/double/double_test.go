package double_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// bench is a world with a device, two queues of it and a queue of another device, and host memory.
type bench struct {
	*testing.T
	w    *double.World
	d    *double.Device
	q, r device.Queue // of d
	far  device.Queue // of another device
	away *double.Device
}

const n = 64 // elements of every tensor

func newBench(t *testing.T, opts double.Options) *bench {
	opts.Seed += 3
	w := double.NewWorld()
	b := &bench{T: t, w: w, d: w.New(opts), away: w.New(double.Options{Name: "away"})}
	b.q, b.r, b.far = b.queue(b.d), b.queue(b.d), b.queue(b.away)
	return b
}

func (b *bench) queue(d *double.Device) device.Queue {
	b.Helper()
	q, err := d.NewQueue()
	if err != nil {
		b.Fatal(err)
	}
	return q
}

func (b *bench) allocate(d *double.Device, size int) device.Memory {
	b.Helper()
	m, ok := d.Allocate(size)
	if !ok {
		b.Fatalf("Allocate(%d) failed", size)
	}
	return m
}

// memory is that of one tensor.
func (b *bench) memory() device.Memory { b.Helper(); return b.allocate(b.d, 4*n) }

// host is memory of the host with one tensor.
func host(start float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = start + float32(i)
	}
	return x
}

func at(x []float32) unsafe.Pointer { return unsafe.Pointer(&x[0]) }

func place(m device.Memory) device.Place { return device.Place{Mem: m} }

func vector() device.Tensor {
	return device.Tensor{Dtype: dtype.Float32, Shape: []int{n}, Strides: []int{1}}
}

// add is the kernel out = x + y.
func add(out, x, y device.Place) *device.Kernel {
	return &device.Kernel{
		Kind: device.KindElementwise, Op: "add", Attr: device.OneStep(table.FindRow("add"), dtype.Float32),
		In: []device.Tensor{vector(), vector()}, Out: []device.Tensor{vector()},
		InAt: []device.Place{x, y}, OutAt: []device.Place{out},
	}
}

func (b *bench) launch(q device.Queue, k *device.Kernel) device.Ticket {
	b.Helper()
	t, err := q.Launch(k)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bench) upload(q device.Queue, m device.Memory, x []float32) device.Ticket {
	b.Helper()
	t, err := q.Upload(place(m), at(x), 4*len(x))
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bench) download(q device.Queue, x []float32, m device.Memory) device.Ticket {
	b.Helper()
	t, err := q.Download(at(x), place(m), 4*len(x))
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bench) commit(qs ...device.Queue) {
	b.Helper()
	for _, q := range qs {
		if err := q.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

func (b *bench) wait(q device.Queue, t device.Ticket) {
	b.Helper()
	b.commit(q)
	for !q.Wait(t, time.Minute) {
		if q.Lost() != nil {
			b.Fatal("lost")
		}
	}
}

func (b *bench) fetched(x []float32, want func(i int) float32) {
	b.Helper()
	b.w.HostRead(at(x), 4*len(x))
	for i, v := range x {
		if v != want(i) {
			b.Errorf("element %d is %g, want %g", i, v, want(i))
			return
		}
	}
}

// filled is memory that was written and seen to be.
func (b *bench) filled() device.Memory {
	b.Helper()
	m := b.memory()
	b.wait(b.q, b.upload(b.q, m, host(1)))
	return m
}

// programs are what core may and may not do: fault is part of the one message that must come, or nothing.
var programs = []struct {
	name  string
	opts  double.Options
	run   func(b *bench)
	fault string
}{
	{"one queue needs no waits", double.Options{}, func(b *bench) {
		x, y, back := b.memory(), b.memory(), host(0)
		b.upload(b.q, x, host(1))
		b.launch(b.q, add(place(y), place(x), place(x)))
		b.launch(b.q, add(place(x), place(y), place(y)))
		b.wait(b.q, b.download(b.q, back, x))
		b.fetched(back, func(i int) float32 { return 4 * float32(1+i) })
		b.d.Free(x, 4*n)
		b.d.Free(y, 4*n)
	}, ""},
	{"a queue waits for another", double.Options{}, func(b *bench) {
		x, y, back := b.memory(), b.memory(), host(0)
		t := b.upload(b.q, x, host(1))
		b.commit(b.q)
		b.r.After(b.q, t)
		b.launch(b.r, add(place(y), place(x), place(x)))
		b.wait(b.r, b.download(b.r, back, y))
		b.fetched(back, func(i int) float32 { return 2 * float32(1+i) })
		b.d.Free(x, 4*n)
	}, ""},
	{"waits reach through queues", double.Options{}, func(b *bench) {
		x, y, z := b.memory(), b.memory(), b.allocate(b.away, 4*n)
		t := b.upload(b.q, x, host(1))
		b.commit(b.q)
		b.far.After(b.q, t)
		t = b.upload(b.far, z, host(2))
		b.commit(b.far)
		b.r.After(b.far, t)
		b.wait(b.r, b.launch(b.r, add(place(y), place(x), place(x))))
		b.d.Free(x, 4*n) // seen to be free through all three
		b.away.Free(z, 4*n)
	}, ""},
	{"the host's waits order queues", double.Options{}, func(b *bench) {
		x := b.filled()
		b.wait(b.r, b.launch(b.r, add(place(x), place(x), place(x))))
		b.wait(b.q, b.launch(b.q, add(place(b.memory()), place(x), place(x))))
	}, ""},
	{"readers need not wait for readers", double.Options{}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
		b.launch(b.r, add(place(b.memory()), place(x), place(x)))
	}, ""},
	{"parts of one memory are apart", double.Options{}, func(b *bench) {
		m := b.allocate(b.d, 8*n)
		b.upload(b.q, m, host(1))
		if _, err := b.r.Upload(device.Place{Mem: m, Offset: 4 * n}, at(host(1)), 4*n); err != nil {
			b.Fatal(err)
		}
	}, ""},
	{"constants", double.Options{}, func(b *bench) {
		x, back := b.filled(), host(0)
		k := add(place(x), place(x), device.Place{Const: true, Bits: 0x40000000}) // 2
		k.In[1].Strides = []int{0}
		b.launch(b.q, k)
		b.wait(b.q, b.download(b.q, back, x))
		b.fetched(back, func(i int) float32 { return float32(3 + i) })
	}, ""},

	{"a read without a wait", double.Options{}, func(b *bench) {
		x := b.memory()
		b.upload(b.q, x, host(1))
		b.launch(b.r, add(place(b.memory()), place(x), place(x)))
	}, "add on gpu queue 2 reads gpu memory 1, which Upload (command 1 of gpu queue 1) may still write"},
	{"a wait for too little", double.Options{}, func(b *bench) {
		x := b.memory()
		t := b.upload(b.q, b.memory(), host(1))
		b.upload(b.q, x, host(1))
		b.commit(b.q)
		b.r.After(b.q, t)
		b.launch(b.r, add(place(b.memory()), place(x), place(x)))
	}, "add on gpu queue 2 reads gpu memory 1, which Upload (command 2 of gpu queue 1) may still write"},
	{"a wait after the command", double.Options{}, func(b *bench) {
		x := b.memory()
		t := b.upload(b.q, x, host(1))
		b.commit(b.q)
		b.launch(b.r, add(place(b.memory()), place(x), place(x)))
		b.r.After(b.q, t)
	}, "add on gpu queue 2 reads gpu memory 1"},
	{"a write over a reader", double.Options{}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
		b.upload(b.r, x, host(2))
	}, "Upload on gpu queue 2 writes gpu memory 1, which add (command 2 of gpu queue 1) may still read"},
	{"a write over a writer", double.Options{}, func(b *bench) {
		x := b.memory()
		b.upload(b.q, x, host(1))
		b.upload(b.r, x, host(2))
	}, "Upload on gpu queue 2 writes gpu memory 1, which Upload (command 1 of gpu queue 1) may still write"},

	{"a host read before Wait", double.Options{}, func(b *bench) {
		back := host(0)
		b.download(b.q, back, b.filled())
		b.commit(b.q)
		b.w.HostRead(at(back[5:]), 4)
	}, "the host reads memory that Download (command 2 of gpu queue 1) may still write"},
	{"a host read after Done alone", double.Options{}, func(b *bench) {
		back := host(0)
		t := b.download(b.q, back, b.filled())
		b.commit(b.q)
		b.w.Settle()
		if b.q.Done() < t {
			b.Error("settled, and not done")
		}
		b.w.HostRead(at(back), 4*n)
	}, "the host reads memory that Download"},
	{"an upload of what was not waited for", double.Options{}, func(b *bench) {
		back := host(0)
		b.download(b.q, back, b.filled())
		b.upload(b.q, b.memory(), back)
	}, "Upload on gpu queue 1 reads host memory that Download (command 2 of gpu queue 1) may still write"},
	{"a host write under an upload", double.Options{}, func(b *bench) {
		x := host(1)
		b.upload(b.q, b.memory(), x)
		b.w.HostRead(at(x), 4*n)
		b.w.HostWrite(at(x), 4)
	}, "the host writes memory that Upload (command 1 of gpu queue 1) may still read"},
	{"a host free under an upload", double.Options{}, func(b *bench) {
		x := host(1)
		b.upload(b.q, b.memory(), x)
		b.w.HostFree(at(x), 4*n)
	}, "the host frees memory that Upload"},
	{"a host free once an upload is done", double.Options{}, func(b *bench) {
		x := host(1)
		b.upload(b.q, b.memory(), x)
		b.commit(b.q)
		b.w.Settle()
		b.q.Done()
		b.w.HostFree(at(x), 4*n)
	}, ""},

	{"a free under a command", double.Options{}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
		b.d.Free(x, 4*n)
	}, "Free of gpu memory 1, which add (command 2 of gpu queue 1) may still read"},
	{"a free twice", double.Options{}, func(b *bench) {
		x := b.memory()
		b.d.Free(x, 4*n)
		b.d.Free(x, 4*n)
	}, "Free of gpu memory 1, which is not allocated"},
	{"a free of another size", double.Options{}, func(b *bench) { b.d.Free(b.memory(), 4) },
		"Free of gpu memory 1 with 4 bytes, which has 256"},
	{"a use after a free", double.Options{}, func(b *bench) {
		x := b.memory()
		b.d.Free(x, 4*n)
		b.upload(b.q, x, host(1))
	}, "Upload uses gpu memory 1, which is not allocated"},
	{"an upload beyond the end", double.Options{}, func(b *bench) { b.upload(b.q, b.memory(), make([]float32, n+1)) },
		"Upload uses the bytes 0 to 260 of gpu memory 1, which has 256"},
	{"an operand beyond the end", double.Options{}, func(b *bench) {
		x := b.filled()
		k := add(place(b.memory()), place(x), place(x))
		k.InAt[1].Offset = 4
		b.launch(b.q, k)
	}, "add uses the bytes 4 to 260 of gpu memory 1, which has 256"},
	{"an operand before the start", double.Options{}, func(b *bench) {
		x := b.filled()
		k := add(place(b.memory()), place(x), place(x))
		k.In[1].Strides = []int{-1}
		b.launch(b.q, k)
	}, "add uses the bytes -252 to 4 of gpu memory 1, which has 256"},
	{"a tensor of the host", double.Options{}, func(b *bench) {
		x := b.filled()
		k := add(place(b.memory()), place(x), place(x))
		k.In[0].Data = at(host(1))
		b.launch(b.q, k)
	}, "add is given a tensor of the host"},
	{"a constant of many elements", double.Options{}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), device.Place{Const: true}))
	}, "add has a constant that is an output or has more than one element"},
	{"an output over an input", double.Options{}, func(b *bench) {
		x := b.allocate(b.d, 8*n)
		k := add(device.Place{Mem: x, Offset: 4}, place(x), place(b.memory()))
		b.launch(b.q, k)
	}, "output 0 of add lies in the memory of input 0"},
	{"Cancel on a device", double.Options{}, func(b *bench) {
		x := b.filled()
		k := add(place(b.memory()), place(x), place(x))
		k.Cancel = &atomic.Bool{}
		b.launch(b.q, k)
	}, "add is launched with Cancel or Done, which are the host's"},

	{"a host wait without Commit", double.Options{}, func(b *bench) {
		b.q.Wait(b.upload(b.q, b.memory(), host(1)), time.Minute)
	}, "the host waits for command 1 of gpu queue 1, which was not committed"},
	{"a host wait for nothing", double.Options{}, func(b *bench) { b.q.Wait(1, time.Minute) },
		"the host waits for command 1 of gpu queue 1, which was not given"},
	{"a queue's wait without Commit", double.Options{}, func(b *bench) {
		b.r.After(b.q, b.upload(b.q, b.memory(), host(1)))
	}, "gpu queue 2 waits for command 1 of gpu queue 1, which was not committed"},
	{"a queue's wait for nothing", double.Options{}, func(b *bench) { b.r.After(b.q, 1) },
		"gpu queue 2 waits for command 1 of gpu queue 1, which was not given"},
	{"a fault asked for early", double.Options{}, func(b *bench) { b.q.Fault(b.upload(b.q, b.memory(), host(1))) },
		"the fault of command 1 of gpu queue 1 is asked for before it is complete"},
	{"work for a lost queue", double.Options{}, func(b *bench) {
		b.d.Lose()
		for range 2 {
			if _, err := b.q.Upload(place(device.Memory{}), at(host(1)), 4); err != error(b.q.Lost()) {
				b.Errorf("Upload gave %v", err)
			}
		}
	}, "Upload is given to gpu queue 1 after it said that it is lost"},

	{"a kernel that is lacking", double.Options{Lacks: lacksAll}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
	}, "add is launched on gpu, which has no such kernel"},
	{"a program beyond the limits", double.Options{Limits: device.Limits{Inputs: 1}}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
	}, "add has 2 inputs and 1 steps, which is more than the limits of gpu"},
	{"no working space", double.Options{Workspace: spacious}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
	}, "the working space of add uses gpu memory with the handle 0x0, which is not allocated"},
	{"too little working space", double.Options{Workspace: spacious}, func(b *bench) {
		x := b.filled()
		k := add(place(b.memory()), place(x), place(x))
		k.Work = place(b.allocate(b.d, 99))
		b.launch(b.q, k)
	}, "the working space of add uses the bytes 0 to 100 of gpu memory 3, which has 99"},
	{"working space in an operand", double.Options{Workspace: spacious}, func(b *bench) {
		x, y := b.filled(), b.memory()
		k := add(place(y), place(x), place(x))
		k.Work = place(y)
		b.launch(b.q, k)
	}, "the working space of add lies in the memory of an operand"},
	{"a launch again without loading", double.Options{Load: func(device.KernelKind) error { return nil }},
		func(b *bench) {
			x := b.filled()
			k := add(place(b.memory()), place(x), place(x))
			for range 2 {
				var need *device.NotLoaded
				if _, err := b.q.Launch(k); !errors.As(err, &need) {
					b.Errorf("Launch gave %v", err)
				}
			}
		}, "add is launched on gpu queue 1 again though it was not loaded"},
	{"two calls at once", double.Options{Room: 1}, func(b *bench) {
		x := b.memory()
		b.d.Pause()
		b.upload(b.q, x, host(1))
		b.commit(b.q)
		b.upload(b.q, x, host(1))
		over := make(chan error)
		go func() { over <- b.q.Commit() }() // waits for room
		for len(b.w.Faults()) == 0 {
			b.upload(b.q, x, host(1)) // no fault until Commit has been entered
		}
		b.d.Resume()
		if err := <-over; err != nil {
			b.Error(err)
		}
	}, "Commit"}, // whichever of the two comes second says so

	{"the host and unified memory", double.Options{Limits: device.Limits{Unified: true}}, func(b *bench) {
		x := b.memory()
		mine := unsafe.Slice((*float32)(x.Host), n)
		b.w.HostWrite(x.Host, 4*n)
		copy(mine, host(1))
		b.wait(b.q, b.launch(b.q, add(place(x), place(x), place(x))))
		b.fetched(mine, func(i int) float32 { return 2 * float32(1+i) })
		b.wait(b.far, b.upload(b.far, b.allocate(b.away, 4*n), mine))
		b.d.Free(x, 4*n)
	}, ""},
	{"a host read of unified memory", double.Options{Limits: device.Limits{Unified: true}}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(x), place(x), place(x)))
		b.w.HostRead(x.Host, 4)
	}, "the host reads gpu memory 1, which add (command 2 of gpu queue 1) may still write"},
	{"a host write of unified memory", double.Options{Limits: device.Limits{Unified: true}}, func(b *bench) {
		x := b.filled()
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
		b.w.HostRead(x.Host, 4)
		b.w.HostWrite(x.Host, 4)
	}, "the host writes gpu memory 1, which add (command 2 of gpu queue 1) may still read"},
	{"a host read of freed unified memory", double.Options{Limits: device.Limits{Unified: true}}, func(b *bench) {
		x := b.memory()
		b.d.Free(x, 4*n)
		b.w.HostRead(x.Host, 4)
	}, "the host reads gpu memory 1, which is freed"},
	{"a download under a queue", double.Options{Limits: device.Limits{Unified: true}}, func(b *bench) {
		x, z := b.filled(), b.allocate(b.away, 4*n)
		b.wait(b.far, b.upload(b.far, z, host(1)))
		b.launch(b.q, add(place(b.memory()), place(x), place(x)))
		b.download(b.far, unsafe.Slice((*float32)(x.Host), n), z)
	}, "Download on away queue 3 writes host memory that add (command 2 of gpu queue 1) may still read"},
}

func lacksAll(device.KernelKind, any, dtype.Dtype, []dtype.Dtype) bool { return true }

func spacious(device.KernelKind) int { return 100 }

// TestPrograms holds that each misuse is reported, in every run and by its name, and nothing else is.
func TestPrograms(t *testing.T) {
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			for seed := range uint64(8) {
				opts := p.opts
				opts.Seed, opts.Delay = seed, time.Microsecond
				b := newBench(t, opts)
				p.run(b)
				for _, q := range []device.Queue{b.q, b.r, b.far} {
					if q.Lost() == nil {
						b.commit(q)
					}
				}
				b.w.Settle()
				faults := b.w.Faults()
				if p.fault == "" && len(faults) == 0 {
					continue
				}
				if p.fault == "" || len(faults) == 0 || !strings.Contains(faults[0], p.fault) {
					t.Fatalf("seed %d: faults are %q, want %q", seed, faults, p.fault)
				}
				if faults = slices.Compact(faults); len(faults) > 1 {
					t.Errorf("seed %d: one misuse is reported as %q", seed, faults)
				}
			}
		})
	}
}

// TestPoison holds that memory has no values before it is written, and none after a kernel that failed.
func TestPoison(t *testing.T) {
	b := newBench(t, double.Options{})
	fresh, out, index, back := b.memory(), b.memory(), b.filled(), host(0)
	b.wait(b.q, b.download(b.q, back, fresh))
	poison := *(*float32)(unsafe.Pointer(&[]uint32{0xCDCDCDCD}[0]))
	b.fetched(back, func(int) float32 { return poison })

	at := vector()
	at.Dtype = dtype.Int32 // of the bits of floats: all are out of bounds
	k := &device.Kernel{
		Kind: device.KindGatherAxis, Op: "take_along_axis", Attr: device.AxisAttr{},
		In: []device.Tensor{vector(), at}, Out: []device.Tensor{vector()},
		InAt: []device.Place{place(index), place(index)}, OutAt: []device.Place{place(out)},
	}
	b.upload(b.q, out, host(5))
	bad := b.launch(b.q, k)
	good := b.launch(b.q, add(place(fresh), place(index), place(index)))
	b.wait(b.q, b.download(b.q, back, out))
	b.fetched(back, func(int) float32 { return poison })
	if err := b.q.Fault(bad); err == nil || err.Kind != errs.IndexError {
		t.Errorf("the fault is %v, want an IndexError", err)
	}
	if err := b.q.Fault(good); err != nil {
		t.Errorf("a kernel after it has the fault %v", err)
	}
	b.nothing()
}

// nothing holds that there were no faults.
func (b *bench) nothing() {
	b.Helper()
	for _, f := range b.w.Faults() {
		b.Error(f)
	}
}
