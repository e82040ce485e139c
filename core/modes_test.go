package core_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// world judges the doubles of this process, and what the host does to memory that they copy.
var world = double.NewWorld()

// picked is the stream of a node in this process's mode; nil: the one that is asked for.
var picked func(born uint64) uint16

// judged is a host that the world judges, and that notes what its kernels are.
type judged struct{ double.Judged }

func (h judged) Launch(k *device.Kernel) error {
	meet(k)
	return h.Judged.Launch(k)
}

// modes are what MLX_GO_DOUBLE may be: where the nodes of core's tests are computed, each on a stream drawn by its
// birth.
var modes = map[string]struct {
	streams []int          // of those that runInMode makes
	opts    double.Options // of both devices
}{
	"hosts": {streams: []int{0, 1}},
	"one":   {streams: []int{2}},
	"mixed": {streams: all},
	"small": {streams: all, opts: double.Options{Capacity: 1 << 20}},
	// The driver lacks what the device promises, loads the rest and needs working space, and programs are short.
	"lacks": {streams: all, opts: double.Options{
		Lacks: func(kind device.KernelKind, _ any, _ dtype.Dtype, _ []dtype.Dtype) bool {
			return kind == device.KindReduce || kind == device.KindSort || kind == device.KindMatMul
		},
		Broken: func(kind device.KernelKind) bool { return kind == device.KindScan },
		Load: func(kind device.KernelKind) error {
			if kind == device.KindArgReduce {
				return errors.New("it does not compile")
			}
			return nil
		},
		Workspace: func(kind device.KernelKind) int { return 100 * int(kind%3) },
		Limits:    device.Limits{Inputs: 3, Steps: 3},
	}},
	// Queues cannot wait for each other, and memory is had at the second attempt.
	"apart":   {streams: all, opts: double.Options{NoAfter: true, FailAllocation: double.Nth{Every: 3}}},
	"unified": {streams: all, opts: double.Options{Limits: device.Limits{Unified: true}}},
}

// all are two streams of the host, two of one device and one of another.
var all = []int{0, 1, 2, 3, 4}

// TestModes runs these tests in all modes.
func TestModes(t *testing.T) {
	if testing.Short() || os.Getenv("MLX_GO_DOUBLE") != "" {
		t.Skip("runs the others again, for minutes")
	}
	for _, mode := range slices.Sorted(maps.Keys(modes)) {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.timeout", "5m", "-test.skip",
				"^(TestLongChain|TestLargerThanDevice)$") // long and of one kind
			cmd.Env = append(os.Environ(), "MLX_GO_DOUBLE="+mode)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}

// hostAlone skips a test in the modes that have devices.
func hostAlone(t *testing.T, why string) {
	t.Helper()
	if mode := os.Getenv("MLX_GO_DOUBLE"); mode != "" && mode != "hosts" {
		t.Skip("is of the host alone: " + why)
	}
}

// runInMode runs core's tests with the nodes on the streams of doubles, as MLX_GO_DOUBLE says.
func runInMode(m *testing.M) int {
	name := os.Getenv("MLX_GO_DOUBLE")
	if name == "" {
		return m.Run()
	}
	mode, known := modes[name]
	if !known {
		fmt.Printf("there is no mode %s\n", name)
		return 1
	}
	seed, _ := strconv.ParseUint(os.Getenv("MLX_GO_DOUBLE_SEED"), 10, 64)
	opts := func(name string) double.Options {
		o := mode.opts
		o.Name, o.Seed, o.Delay, o.Limits.Ahead = name, seed, 50*time.Microsecond, 64
		return o
	}
	a, b := world.New(opts("a")), world.New(opts("b"))
	core.Lock()
	ka, kb := core.AddDevice(a), core.AddDevice(b)
	streams := []uint16{0, core.NewStream(0, true)}
	for _, k := range []int{ka, ka, kb} {
		streams = append(streams, core.NewStream(k, true))
	}
	core.Unlock()
	list := mode.streams
	picked = func(born uint64) uint16 {
		x := (born + seed*7919) * 0x9E3779B97F4A7C15
		return streams[list[(x>>40)%uint64(len(list))]]
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
