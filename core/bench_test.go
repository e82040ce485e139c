package core

import (
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// BenchmarkLazyAdd is one crossing's work for a + b: build the node, hold it, release it.
func BenchmarkLazyAdd(b *testing.B) {
	Lock()
	x, _ := Empty(dtype.Float32, []int{1})
	y, _ := Empty(dtype.Float32, []int{1})
	x.retain()
	y.retain()
	Unlock()
	row := table.FindRow("add")
	b.ReportAllocs()
	for b.Loop() {
		Lock()
		id := Binary(row, x, y).Hold()
		Unlock()
		Lock()
		ReleaseIDs([]uint32{id})
		Unlock()
	}
}
