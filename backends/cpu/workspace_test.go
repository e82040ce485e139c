package cpu

import (
	"math/bits"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// TestSpareWorkspacesGiveWay fills what is kept with a size that nobody borrows again: one that is borrowed later
// stays.
func TestSpareWorkspacesGiveWay(t *testing.T) {
	dropSpare()
	var k device.Kernel
	var all []workspace
	for range spareLimit / (4 << 20) {
		all = append(all, getWorkspace(&k, 4<<20))
	}
	for _, w := range all {
		w.release()
	}
	getWorkspace(&k, 10<<20).release()
	class := bits.Len(uint(10<<20 - 1))
	spare.Lock()
	defer spare.Unlock()
	if len(spare.list[class]) != 1 || spare.bytes != spareLimit {
		t.Errorf("%d workspaces of the size that was released last, %d bytes in all", len(spare.list[class]),
			spare.bytes)
	}
}

// TestWorkspaceErrors holds that working space beyond the limit, or beyond what there is, is a MemoryError that says
// how much for what, and that nothing stays borrowed.
func TestWorkspaceErrors(t *testing.T) {
	in := dense(t, dtype.Float32, []int{1 << 20}, func(i int) complex128 { return complex(float64(i), 0) })
	out := dense(t, dtype.Float32, []int{1 << 20}, func(int) complex128 { return 0 })
	k := &device.Kernel{Kind: device.KindSort, Op: "sort", Attr: device.SortAttr{Kth: -1}, In: []device.Tensor{in},
		Out: []device.Tensor{out}, Room: 1 << 20}
	err, ok := Backend{}.Launch(k).(*errs.Error)
	if !ok || err.Kind != errs.MemoryError || !strings.Contains(err.Msg, "[sort] cannot allocate ") {
		t.Errorf("error is %v, want a MemoryError of sort", err)
	}
	wide := stretched(t, dtype.Float32, 1<<40)
	k = &device.Kernel{Kind: device.KindLayerNorm, Op: "layer_norm", Attr: device.NormAttr{},
		In:  []device.Tensor{wide, stretched(t, dtype.Float32, 1<<45), stretched(t, dtype.Float32, 1<<45)},
		Out: []device.Tensor{{Data: out.Data, Dtype: dtype.Float32, Shape: []int{1 << 40}, Strides: []int{1}}}}
	if err, ok := (Backend{}).Launch(k).(*errs.Error); !ok || err.Kind != errs.MemoryError {
		t.Errorf("error is %v, want a MemoryError", err)
	}
	nothingBorrowed(t)
}
