package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/backendtest"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// eachISA runs f with the kernels of every instruction set level this processor has.
func eachISA(t *testing.T, f func(t *testing.T)) {
	saved := entries
	defer func() {
		entries = saved
		readLevel()
	}()
	seen := map[string]bool{}
	for _, level := range []string{"v2", "v3", "v4"} {
		kernels, name := chooseISA(level)
		if !seen[name] {
			seen[name] = true
			entries = kernels
			readLevel()
			t.Run(name, f)
		}
	}
}

// memory is a block that the test frees.
func memory(t testing.TB, d dtype.Dtype, n int) unsafe.Pointer {
	size := max(n*d.Size(), 1)
	p := Backend{}.Allocate(size)
	if p == nil {
		t.Fatalf("no memory for %d bytes", size)
	}
	t.Cleanup(func() { Backend{}.Free(p, size) })
	return p
}

// dense is a contiguous tensor of the given elements, cast to d.
func dense(t testing.TB, d dtype.Dtype, shape layout.Shape, values func(i int) complex128) device.Tensor {
	n := layout.Size(shape)
	x := device.Tensor{Data: memory(t, d, n), Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
	for i := range n {
		backendtest.Set(&x, i, values(i))
	}
	return x
}

// offsets lists where x's elements lie, in row-major order.
func offsets(shape layout.Shape, strides []int) []int {
	out := []int{0}
	for a, d := range shape {
		next := make([]int, 0, len(out)*d)
		for _, o := range out {
			for i := range d {
				next = append(next, o+i*strides[a])
			}
		}
		out = next
	}
	return out
}

func values(x *device.Tensor) []complex128 {
	at := offsets(x.Shape, x.Strides)
	v := make([]complex128, len(at))
	for i, o := range at {
		v[i] = backendtest.Get(x, o)
	}
	return v
}

// randomView is a random view of the given shape over fresh memory: axes in any order, with
// steps, flipped, or stretched.
func randomView(t testing.TB, r *rand.Rand, d dtype.Dtype, shape layout.Shape, value func() complex128) device.Tensor {
	order := r.Perm(len(shape))
	if r.IntN(2) == 0 {
		for i := range order {
			order[i] = len(shape) - 1 - i
		}
	}
	strides := make([]int, len(shape))
	base, next := 0, 1
	for _, a := range order {
		switch r.IntN(6) {
		case 0: // stretched
			continue
		case 1:
			next *= 2
		}
		strides[a] = next
		if r.IntN(5) == 0 {
			strides[a] = -next
			base += next * (shape[a] - 1)
		}
		next *= shape[a]
	}
	all := dense(t, d, layout.Shape{max(next, 1)}, func(int) complex128 { return value() })
	return device.Tensor{Data: unsafe.Add(all.Data, base*d.Size()), Dtype: d, Shape: shape, Strides: strides}
}

func agree(a, b complex128, tolerance float64) bool {
	return close1(real(a), real(b), tolerance) && close1(imag(a), imag(b), tolerance)
}

func close1(a, b, tolerance float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}

func launch(t testing.TB, k *device.Kernel) {
	t.Helper()
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatalf("%s: %v", k.Op, err)
	}
}
