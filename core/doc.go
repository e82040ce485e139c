// Package core is the array framework itself, without devices and without cgo:
// the op table, lazy arrays and their graph, the transforms over it (grad, vmap,
// compile) and its evaluation. Kernels and device memory come from a Backend.
package core

//go:generate go run ./opgen ..
