package core_test

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// breakable is a backend whose kernels in place are interrupted half way, as many times as interrupts says, and that
// counts how often it is asked for memory.
type breakable struct{ judged }

var interrupts, allocations atomic.Int32

func (b breakable) Allocate(n int) unsafe.Pointer {
	allocations.Add(1)
	return b.judged.Allocate(n)
}

// severalLaunches counts kernels with several outputs. One is given up when cancelSeveral says so.
var (
	severalLaunches atomic.Int32
	cancelSeveral   atomic.Bool
)

func (b breakable) Launch(k *device.Kernel) error {
	if len(k.Out) > 1 {
		severalLaunches.Add(1)
		if cancelSeveral.Swap(false) {
			return errs.ErrCanceled
		}
	}
	if k.Done == nil || k.Kind != device.KindElementwise {
		return b.judged.Launch(k)
	}
	rows := k.Out[0].Shape[0]
	inner := k.Out[0].Size() / rows
	end := rows
	if interrupts.Add(-1) >= 0 {
		end = (*k.Done/inner + rows) / 2
	}
	part := *k
	part.Done, part.In, part.Out = nil, nil, nil
	for _, t := range k.In {
		part.In = append(part.In, rowsOf(t, *k.Done/inner, end))
	}
	part.Out = []device.Tensor{rowsOf(k.Out[0], *k.Done/inner, end)}
	if err := b.judged.Launch(&part); err != nil {
		return err
	}
	*k.Done = end * inner
	if end < rows {
		return errs.ErrCanceled
	}
	return nil
}

func rowsOf(t device.Tensor, from, to int) device.Tensor {
	t.Data = unsafe.Add(t.Data, from*t.Strides[0]*t.Dtype.Size())
	t.Shape = append([]int{to - from}, t.Shape[1:]...)
	return t
}

// interrupted evaluates y once, which is interrupted.
func interrupted(t *testing.T, y *core.Array) {
	t.Helper()
	core.Lock()
	j := core.StartEval([]*core.Array{y}, false)
	core.Unlock()
	if j == nil {
		t.Fatal("it was evaluated at once")
	}
	if err := ended(j).Err(); err == nil || err.Kind != errs.Interrupted {
		t.Fatalf("error is %v, want an interruption", err)
	}
}

// TestInterruptedInPlace interrupts kernels that run in the memory of a dying input: evaluated again they go on where
// they stopped, alone, as part of other graphs, and more than once.
func TestInterruptedInPlace(t *testing.T) {
	hostAlone(t, "kernels of devices are not given up half done")
	const rows, cols = 600, 500 // more than is evaluated on the calling thread
	row := func(name string, xs ...*core.Array) *core.Array {
		if len(xs) == 2 {
			return core.Binary(table.FindRow(name), xs[0], xs[1])
		}
		return core.ApplyRow(table.FindRow(name), []core.Arg{{Kind: core.ArgArray, Array: xs[0]}})
	}
	build := func() *core.Array {
		v := make([]float64, rows*cols)
		for i := range v {
			v[i] = float64(i%37) - 5
		}
		side := make([]float64, cols)
		for i := range side {
			side[i] = float64(i % 7)
		}
		x := vector(dtype.Float32, []int{rows, cols}, v) // a cast: it is computed, and dies, in the same evaluation
		x = core.Transpose(core.Copy(core.Transpose(x, []int{1, 0})), []int{1, 0})
		x = core.Copy(x)
		s := vector(dtype.Float32, []int{cols}, side)
		return row("abs", row("multiply", row("add", x, s), row("subtract", s, row("square", s))))
	}
	want := values(t, held(t, func() []*core.Array { return []*core.Array{build()} })[0])
	for times := range 4 {
		core.Lock()
		y := build()
		z := row("add", y, y)
		ids := []uint32{y.Hold(), z.Hold()}
		core.Unlock()
		interrupts.Store(int32(times))
		for range times {
			interrupted(t, y)
		}
		interrupts.Store(0)
		double := values(t, z) // evaluates y on the way
		for i, w := range want {
			if double[i] != 2*w {
				t.Fatalf("after %d interruptions element %d is %g, want %g", times, i, double[i]/2, w)
			}
		}
		same(t, "again", values(t, y), want)
		core.Lock()
		core.ReleaseIDs(ids)
		core.Unlock()
	}
	// One that is dropped half way gives its memory back.
	before := live()
	core.Lock()
	y := build()
	id := y.Hold()
	core.Unlock()
	interrupts.Store(1)
	interrupted(t, y)
	during := live()
	if during < before+4*rows*cols {
		t.Errorf("%d bytes are held half way, %d were before", during, before)
	}
	core.Lock()
	core.ReleaseIDs([]uint32{id})
	core.Unlock()
	if after := live(); after > before+1024 {
		t.Errorf("%d bytes are still held", after-before)
	}
}
