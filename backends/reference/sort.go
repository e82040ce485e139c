package reference

import (
	"slices"
	"sort"

	"github.com/mlx-go/mlx_go/core/device"
)

// order is compare with NaN last; NaNs are equal among themselves, and so are zeros.
func order(a, b value) int {
	switch an, bn := isNaN(a), isNaN(b); {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	case less(a, b):
		return -1
	case less(b, a):
		return 1
	}
	return 0
}

// sortAxis sorts fully, which is also a partition around every element.
func sortAxis(k *device.Kernel) {
	at := k.Attr.(device.SortAttr)
	in, out := &k.In[0], &k.Out[0]
	lines(k, in.Shape, at.Axis, func(idx []int) {
		values, from := make([]value, in.Shape[at.Axis]), make([]int, in.Shape[at.Axis])
		for i := range values {
			idx[at.Axis] = i
			values[i], from[i] = load(in, idx), i
		}
		slices.SortStableFunc(from, func(a, b int) int { return order(values[a], values[b]) })
		for i, j := range from {
			idx[at.Axis] = i
			if at.Arg {
				store(out, idx, unsigned(uint64(j)))
			} else {
				store(out, idx, values[j])
			}
		}
	})
}

func searchSorted(k *device.Kernel) {
	right := k.Attr.(device.SearchAttr).Right
	sorted, in, out := &k.In[0], &k.In[1], &k.Out[0]
	each(k, out.Shape, func(idx []int) {
		v := load(in, idx)
		at := sort.Search(sorted.Shape[0], func(i int) bool {
			c := order(load(sorted, []int{i}), v)
			return c > 0 || !right && c == 0
		})
		store(out, idx, unsigned(uint64(at)))
	})
}
