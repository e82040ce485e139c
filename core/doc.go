// Package core is the array framework itself, without devices and without cgo:
// lazy arrays and their graph, the transforms over it (grad, vmap, compile) and its
// evaluation. The elementwise ops come from core/table; kernels and memory from a device.Host.
package core

//go:generate go run ./opgen ..
