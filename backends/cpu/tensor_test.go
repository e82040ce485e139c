package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// eachISA runs f under every instruction set level this processor has.
func eachISA(t *testing.T, f func(t *testing.T)) {
	saved, name := table, isaName
	defer func() { table, isaName = saved, name }()
	seen := map[string]bool{}
	for _, level := range []string{"v2", "v3", "v4"} {
		if table, name = chooseISA(level); !seen[name] {
			seen[name] = true
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
func dense(t testing.TB, d dtype.Dtype, shape layout.Shape, values func(i int) complex128) core.Tensor {
	n := layout.Size(shape)
	x := core.Tensor{Data: memory(t, d, n), Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
	for i := range n {
		poke(&x, i, values(i))
	}
	return x
}

// poke sets the element at offset i of x's memory.
func poke(x *core.Tensor, i int, v complex128) {
	p := unsafe.Add(x.Data, i*x.Dtype.Size())
	f := real(v)
	switch x.Dtype {
	case dtype.Bool:
		*(*bool)(p) = v != 0
	case dtype.Uint8:
		*(*uint8)(p) = uint8(int64(f))
	case dtype.Uint16:
		*(*uint16)(p) = uint16(int64(f))
	case dtype.Uint32:
		*(*uint32)(p) = uint32(int64(f))
	case dtype.Uint64:
		*(*uint64)(p) = uint64(int64(f))
	case dtype.Int8:
		*(*int8)(p) = int8(f)
	case dtype.Int16:
		*(*int16)(p) = int16(f)
	case dtype.Int32:
		*(*int32)(p) = int32(f)
	case dtype.Int64:
		*(*int64)(p) = int64(f)
	case dtype.Float16:
		*(*uint16)(p) = dtype.Float16From(float32(f))
	case dtype.BFloat16:
		*(*uint16)(p) = dtype.BFloat16From(float32(f))
	case dtype.Float32:
		*(*float32)(p) = float32(f)
	case dtype.Float64:
		*(*float64)(p) = f
	case dtype.Complex64:
		*(*complex64)(p) = complex64(v)
	}
}

// peek reads the element at offset i of x's memory.
func peek(x *core.Tensor, i int) complex128 {
	p := unsafe.Add(x.Data, i*x.Dtype.Size())
	switch x.Dtype {
	case dtype.Bool:
		return complex(float64(*(*uint8)(p)), 0)
	case dtype.Uint8:
		return complex(float64(*(*uint8)(p)), 0)
	case dtype.Uint16:
		return complex(float64(*(*uint16)(p)), 0)
	case dtype.Uint32:
		return complex(float64(*(*uint32)(p)), 0)
	case dtype.Uint64:
		return complex(float64(*(*uint64)(p)), 0)
	case dtype.Int8:
		return complex(float64(*(*int8)(p)), 0)
	case dtype.Int16:
		return complex(float64(*(*int16)(p)), 0)
	case dtype.Int32:
		return complex(float64(*(*int32)(p)), 0)
	case dtype.Int64:
		return complex(float64(*(*int64)(p)), 0)
	case dtype.Float16:
		return complex(float64(dtype.Float16To(*(*uint16)(p))), 0)
	case dtype.BFloat16:
		return complex(float64(dtype.BFloat16To(*(*uint16)(p))), 0)
	case dtype.Float32:
		return complex(float64(*(*float32)(p)), 0)
	case dtype.Float64:
		return complex(*(*float64)(p), 0)
	}
	return complex128(*(*complex64)(p))
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

func values(x *core.Tensor) []complex128 {
	at := offsets(x.Shape, x.Strides)
	v := make([]complex128, len(at))
	for i, o := range at {
		v[i] = peek(x, o)
	}
	return v
}

// randomView is a random view of the given shape over fresh memory: axes in any order, with
// steps, flipped, or stretched.
func randomView(t testing.TB, r *rand.Rand, d dtype.Dtype, shape layout.Shape, value func() complex128) core.Tensor {
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
	return core.Tensor{Data: unsafe.Add(all.Data, base*d.Size()), Dtype: d, Shape: shape, Strides: strides}
}

func agree(a, b complex128, tolerance float64) bool {
	return close1(real(a), real(b), tolerance) && close1(imag(a), imag(b), tolerance)
}

func close1(a, b, tolerance float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}

func launch(t testing.TB, k *core.Kernel) {
	t.Helper()
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatalf("%s: %v", k.Op, err)
	}
}

// rowProgram is the one-step program of a row on arguments of dtype d.
func rowProgram(r *core.Row, d dtype.Dtype) *core.Program {
	c, n := d.Compute(), len(r.Args)
	p := &core.Program{Store: []uint8{uint8(n)}, Regs: n + 1}
	s := core.Step{Row: r, In: c, Out: r.Types.Result(c), Dst: uint8(n)}
	for i := range n {
		p.Load = append(p.Load, r.Types.Arg(i, c))
		s.Src[i] = uint8(i)
	}
	p.Steps = []core.Step{s}
	return p
}
