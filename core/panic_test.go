package core_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// TestPanicsAreErrors has evaluations panic at all places: asking again panics again, whoever asks, and nothing that
// was held stays. Once it is mended, the values are right.
func TestPanicsAreErrors(t *testing.T) {
	sizes := []int{4, 1<<18 + 1} // computed at once, and as a job
	if os.Getenv("MLX_GO_DOUBLE") == "small" {
		sizes = sizes[:1] // all is a job there, and more does not fit
	}
	for _, place := range []string{"cost", "view", "launch", "with memory", "with operands"} {
		for _, n := range sizes {
			t.Run(fmt.Sprint(place, " ", n), func(t *testing.T) { panicAt(t, place, n) })
		}
	}
}

func panicAt(t *testing.T, place string, n int) {
	broken := true
	x := held(t, func() []*core.Array { return []*core.Array{vector(dtype.Float64, []int{n}, []float64{1, 2, 3})} })[0]
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	as := held(t, func() []*core.Array {
		y := core.Broken(x, place, &broken)
		return []*core.Array{y, core.Flip(core.Flip(y)), sum(y, sum(y, y))}
	})
	before := 0
	for round := range 2 {
		for _, a := range as {
			if err := core.Eval(a); err == nil || err.Kind != errs.RuntimeError {
				t.Fatalf("got %v", err)
			}
			core.Lock()
			if a.Ready() {
				t.Error("it passes for computed")
			}
			core.Unlock()
		}
		if round == 0 {
			before = live() // devices keep copies of x
		}
	}
	if after := live(); after != before {
		t.Errorf("%d bytes are held", after-before)
	}
	broken = false
	same(t, "mended", values(t, as[2])[:3], []float64{3, 6, 9})
	same(t, "mended", values(t, as[1])[:3], []float64{1, 2, 3})
}

func sum(x, y *core.Array) *core.Array { return core.Binary(table.FindRow("add"), x, y) }
