// Package cpu is the backend that runs on the processor: C kernels compiled once
// per instruction set level, and in Go their dispatch and the worker pool.
package cpu

import (
	"runtime"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Backend implements device.Host.
type Backend struct{}

// launchers holds the function for each kind; every family sets its own in init.
var launchers [device.KindCount]func(*device.Kernel) error

func init() { device.Register(Backend{}) }

// Name is the device type users see.
func (Backend) Name() string { return "cpu" }

// Info describes the processor.
func (Backend) Info() map[string]any {
	return map[string]any{
		"device_name":  "cpu",
		"architecture": runtime.GOARCH,
		"isa":          isaName,
		"threads":      threads,
		"memory_size":  memorySize(),
	}
}

// Launch computes k.Out from k.In.
func (Backend) Launch(k *device.Kernel) (err error) {
	defer catchThrown(&err)
	f := launchers[k.Kind]
	if f == nil {
		return errs.Errorf(errs.RuntimeError, "[%s] the cpu has no kernel of kind %d", k.Op, k.Kind)
	}
	if err := f(k); err != nil {
		return err
	}
	if canceled(k.Cancel) && k.Done == nil {
		return errs.ErrCanceled
	}
	return nil
}

// catchThrown, deferred, turns what getWorkspace throws into an error.
func catchThrown(err *error) {
	if r := recover(); r != nil {
		e, ok := r.(*errs.Error)
		if !ok {
			panic(r)
		}
		*err = e
	}
}
