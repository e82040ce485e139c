package cpu

import (
	"math/bits"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
)

// TestSpareWorkspacesGiveWay fills what is kept with a size that nobody borrows again: one that is borrowed later stays.
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
		t.Errorf("%d workspaces of the size that was released last, %d bytes in all", len(spare.list[class]), spare.bytes)
	}
}
