package cpu

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() { launchers[device.KindSearchSorted] = searchSorted }

func searchSorted(k *device.Kernel) error {
	in, v := &k.In[0], &k.In[1]
	if in.Dtype != v.Dtype {
		return errs.Errorf(errs.TypeError,
			"[%s] the sorted array has dtype %s and the values %s; they must be the same", k.Op, in.Dtype, v.Dtype)
	}
	right := k.Attr.(device.SearchAttr).Right
	switch in.Dtype.Size() {
	case 1:
		search[uint8](k, in.Dtype, right)
	case 2:
		search[uint16](k, in.Dtype, right)
	case 4:
		search[uint32](k, in.Dtype, right)
	default:
		search[uint64](k, in.Dtype, right)
	}
	return nil
}

func search[K key](k *device.Kernel, d dtype.Dtype, right bool) {
	sorted, v, out := &k.In[0], &k.In[1], &k.Out[0]
	rule, size := keyRuleOf[K](d), d.Size()
	n, step := sorted.Shape[0], sorted.Strides[0]*size
	axes := addAxes(make([]axis, 0, len(v.Shape)), v.Shape, v.Strides, out.Strides)
	parallel(out.Size(), 1<<11, k.Cancel, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from, _ := locate(axes, i)
			q := rule.of(*(*K)(unsafe.Add(v.Data, from*size)))
			// The answer lies in [at, at+left]: halving left needs no branch on the comparison.
			at, left := 0, n
			for left > 0 {
				half := left / 2
				x := rule.of(*(*K)(unsafe.Add(sorted.Data, (at+half)*step)))
				if x < q || right && x == q {
					at += half + 1
					left -= half + 1
				} else {
					left = half
				}
			}
			*(*uint32)(unsafe.Add(out.Data, i*4)) = uint32(at)
		}
	})
}
