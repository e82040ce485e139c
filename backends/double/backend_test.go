package double_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/backendtest"
	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// TestBackend runs the suite over a device whose kernels must be loaded and need working space.
func TestBackend(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite takes a minute")
	}
	d := double.New(double.Options{
		Seed: 1, Delay: time.Microsecond,
		Load:      func(device.KernelKind) error { return nil },
		Workspace: func(k device.KernelKind) int { return 100 * (int(k) % 2) },
	})
	h := backendtest.OnDevice(d)
	backendtest.RunAll(t, h)
	if f := h.Fallbacks(); len(f) > 0 {
		t.Errorf("the host computed %v", f)
	}
	for _, f := range d.World().Faults() {
		t.Error(f)
	}
	if c := d.Counters(); c.Active != 0 {
		t.Errorf("%d bytes are still allocated", c.Active)
	} else {
		t.Logf("%+v", c)
	}
}

// TestOnDevice holds that what the suite looks for on a host shows on a device: writes outside of outputs, errors found
// when a kernel runs, and kinds that are lacking.
func TestOnDevice(t *testing.T) {
	tensors := func(h device.Host) (out, in device.Tensor, guarded []float32) {
		p := h.Allocate(4 * (n + 2))
		guarded = unsafe.Slice((*float32)(p), n+2)
		out, in = vector(), vector()
		out.Data, in.Data = unsafe.Add(p, 4), h.Allocate(4*n)
		copy(unsafe.Slice((*float32)(in.Data), n), host(1))
		return out, in, guarded
	}
	square := func(out, in device.Tensor) *device.Kernel {
		return &device.Kernel{
			Kind: device.KindElementwise, Op: "square", Attr: device.OneStep(table.FindRow("square"), dtype.Float32),
			In: []device.Tensor{in}, Out: []device.Tensor{out},
		}
	}
	t.Run("straying", func(t *testing.T) {
		h := backendtest.OnDevice(double.New(double.Options{Host: straying{}}))
		out, in, guarded := tensors(h)
		if err := h.Launch(square(out, in)); err != nil {
			t.Fatal(err)
		}
		if guarded[0] != 0 || guarded[n+1] != 1 {
			t.Errorf("the guards are %g and %g, and the kernel wrote 1 to the last", guarded[0], guarded[n+1])
		}
	})
	t.Run("fault", func(t *testing.T) {
		h := backendtest.OnDevice(double.New(double.Options{FaultAt: 1}))
		out, in, _ := tensors(h)
		if err, ok := h.Launch(square(out, in)).(*errs.Error); !ok || err.Kind != errs.IndexError {
			t.Errorf("Launch gave %v", err)
		}
	})
	t.Run("lacking", func(t *testing.T) {
		for _, opts := range []double.Options{{Lacks: lacksAll},
			{Broken: func(device.KernelKind) bool { return true }}} {
			d := double.New(opts)
			h := backendtest.OnDevice(d)
			out, in, guarded := tensors(h)
			if err := h.Launch(square(out, in)); err != nil || guarded[3] != 9 {
				t.Errorf("Launch gave %v and %g", err, guarded[3])
			}
			if f := h.Fallbacks(); f[device.KindElementwise] != 1 {
				t.Errorf("fallbacks are %v", f)
			}
			if f := d.World().Faults(); len(f) > 0 || d.Counters().Active > 0 {
				t.Errorf("faults %q, counters %+v", f, d.Counters())
			}
		}
	})
}
