package core_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// world judges the doubles of this process, and what the host does to memory that they copy.
var world = double.NewWorld()

// picked is the stream of a node in this process's mode; nil: the one that is asked for.
var picked func(born uint64) uint16

// judged is a host whose kernels show the double what memory they touch.
type judged struct{ device.Host }

func extent(t *device.Tensor) (p unsafe.Pointer, n int) {
	lo, hi := 0, t.Dtype.Size()
	for i, s := range t.Strides {
		if t.Shape[i] == 0 {
			return nil, 0
		}
		if step := s * (t.Shape[i] - 1) * t.Dtype.Size(); step < 0 {
			lo += step
		} else {
			hi += step
		}
	}
	return unsafe.Add(t.Data, lo), hi - lo
}

func (h judged) Launch(k *device.Kernel) error {
	meet(k)
	for i := range k.In {
		if p, n := extent(&k.In[i]); n > 0 {
			world.HostRead(p, n)
		}
	}
	for i := range k.Out {
		if p, n := extent(&k.Out[i]); n > 0 {
			world.HostWrite(p, n)
		}
	}
	return h.Host.Launch(k)
}

func (h judged) Free(p unsafe.Pointer, n int) {
	world.HostFree(p, n)
	h.Host.Free(p, n)
}

// runInMode runs core's tests with the nodes on the streams of doubles, as MLX_GO_DOUBLE says.
func runInMode(m *testing.M) int {
	mode := os.Getenv("MLX_GO_DOUBLE")
	if mode == "" || mode == "planted" {
		return m.Run()
	}
	seed, _ := strconv.ParseUint(os.Getenv("MLX_GO_DOUBLE_SEED"), 10, 64)
	opts := func(name string) double.Options {
		o := double.Options{Name: name, Seed: seed, Delay: 200 * time.Microsecond, Limits: device.Limits{Ahead: 64}}
		switch mode {
		case "lacks":
			o.Lacks = func(kind device.Kind, _ any, _ dtype.Dtype, _ []dtype.Dtype) bool {
				return kind == device.KindReduce || kind == device.KindSort || kind == device.KindMatMul
			}
			o.Broken = func(kind device.Kind) bool { return kind == device.KindScan }
		case "small":
			o.Capacity = 1 << 20
		case "unified":
			o.Limits.Unified = true
		}
		return o
	}
	a, b := world.New(opts("a")), world.New(opts("b"))
	core.Lock()
	ka, kb := core.AddDevice(a), core.AddDevice(b)
	list := []uint16{0, core.NewStream(0, true), core.NewStream(ka, true), core.NewStream(ka, true), core.NewStream(kb, true)}
	core.Unlock()
	if mode == "one" {
		list = list[2:3]
	}
	if mode == "hosts" {
		list = list[:2]
	}
	picked = func(born uint64) uint16 {
		x := (born + seed*7919) * 0x9E3779B97F4A7C15
		return list[(x>>40)%uint64(len(list))]
	}
	core.PickStream(picked)
	code := m.Run()
	for _, d := range []*double.Device{a, b} {
		fmt.Printf("%s: %+v\n", d.Name(), d.Counters())
	}
	for _, f := range core.Fallbacks() {
		for k, v := range f {
			fmt.Printf("fallback %s (%s): %d nodes, %d bytes\n", k.Op, k.Reason, v.Nodes, v.Bytes)
		}
	}
	faults := world.Faults()
	for i, f := range faults {
		if i < 10 {
			fmt.Println("FAULT", f)
		}
	}
	if len(faults) > 0 {
		code = 1
	}
	return code
}
