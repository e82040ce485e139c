package reference

import (
	"slices"
	"sort"

	"github.com/mlx-go/mlx_go/core"
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
	}
	return compare(a, b)
}

// sortAxis sorts fully, which is also a partition around every element.
func sortAxis(k *core.Kernel) {
	at := k.Attr.(core.SortAttr)
	in, out := &k.In[0], &k.Out[0]
	type item struct {
		v    value
		from int
	}
	lines(k, in.Shape, at.Axis, func(idx []int) {
		items := make([]item, in.Shape[at.Axis])
		for i := range items {
			idx[at.Axis] = i
			items[i] = item{load(in, idx), i}
		}
		slices.SortStableFunc(items, func(a, b item) int { return order(a.v, b.v) })
		for i, it := range items {
			idx[at.Axis] = i
			if at.Arg {
				store(out, idx, unsigned(uint64(it.from)))
			} else {
				store(out, idx, it.v)
			}
		}
	})
}

func searchSorted(k *core.Kernel) {
	right := k.Attr.(core.SearchAttr).Right
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
