// Package device is the contract between core and what computes: memory, kernels with their kinds and attributes, and
// the programs of fused ops. It knows no arrays, and backends know nothing else of core.
package device

import (
	"unsafe"
)

// Host runs kernels and owns memory of the host, synchronously. It is all that
// core knows of a device: graphs, transforms, shapes, caching and scheduling
// stay on this side. Launch may be called from several goroutines at once.
type Host interface {
	// Name is the device type users see: "cpu" or "gpu".
	Name() string
	// Info describes the device for mx.device_info.
	Info() map[string]any
	// Allocate returns size > 0 bytes aligned to 64 that the garbage collector
	// does not move, or nil when they cannot be had.
	Allocate(size int) unsafe.Pointer
	// Free returns what Allocate gave for the same size.
	Free(p unsafe.Pointer, size int)
	// Launch computes k.Out from k.In and returns when the results are in memory.
	// An error must leave nothing running.
	Launch(k *Kernel) error
}

// registered are the devices in order of preference; the first is the default.
var registered []Host

// Register makes a device known; backends call it from init.
func Register(b Host) { registered = append(registered, b) }

// Registered lists the registered devices.
func Registered() []Host { return registered }
