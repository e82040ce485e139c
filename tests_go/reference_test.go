package tests_go

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/backendtest"
	"github.com/mlx-go/mlx_go/backends/reference"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// TestBackend runs the cases of every backend over the reference itself: its guards, errors and
// cancellation; results agree by construction.
func TestBackend(t *testing.T) { backendtest.RunAll(t, reference.New()) }

// TestCore evaluates a graph on the reference backend.
func TestCore(t *testing.T) {
	device.Register(reference.New())
	data := []float32{1, 2, 3, 4}
	core.Lock()
	x := core.FromMemory(unsafe.Pointer(&data[0]), dtype.Float32, []int{2, 2})
	y := core.ApplyRow(table.FindRow("multiply"),
		[]core.Arg{{Kind: core.ArgArray, Array: x}, {Kind: core.ArgFloat, Float: 0.5}})
	z := core.MatMul("matmul", y, x)
	z.Hold()
	core.Unlock()
	if err := core.Eval(z); err != nil {
		t.Fatal(err)
	}
	got := unsafe.Slice((*float32)(z.Data()), 4)
	if want := []float32{3.5, 5, 7.5, 11}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
