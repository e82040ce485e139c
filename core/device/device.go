// Package device is the contract between core and what computes: memory, kernels with their kinds and attributes, and
// the programs of fused ops. It knows no arrays, and backends know nothing else of core.
package device

import (
	"errors"
	"sync"
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

// Reader is a Host that is told what the program reads of the host's memory outside of kernels, before it does. Hosts
// compute without it: it is for those who judge order, as backends/double does.
type Reader interface {
	HostRead(p unsafe.Pointer, n int)
}

// registered are the hosts in order of preference; the first is the default.
var registered []Host

// Register makes a host known; backends call it from init.
func Register(b Host) { registered = append(registered, b) }

// Replace has h, made of it, stand for the host that is first.
func Replace(h Host) { registered[0] = h }

// Registered lists the registered hosts.
func Registered() []Host { return registered }

// Opener opens a Device. It returns nil where this machine has none, and an error where it has one that cannot be used.
type Opener func() (Device, error)

var openers []Opener

// RegisterDevice makes an asynchronous device known by how it is opened; backends call it from init, which starts no
// driver: that costs time, and forks would inherit it.
func RegisterDevice(open Opener) { openers = append(openers, open) }

var opened = sync.OnceValues(func() (devices []Device, unusable error) {
	for _, open := range openers {
		d, err := open()
		if err != nil {
			unusable = errors.Join(unusable, err)
		} else if d != nil {
			devices = append(devices, d)
		}
	}
	return devices, unusable
})

// Devices lists the asynchronous devices of this machine in order of preference. The first call opens them.
func Devices() []Device {
	devices, _ := opened()
	return devices
}

// Unusable is why devices that are there are not among Devices; nil if there are none.
func Unusable() error {
	_, err := opened()
	return err
}
