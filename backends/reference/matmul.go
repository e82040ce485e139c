package reference

import (
	"github.com/mlx-go/mlx_go/core"
)

// matMul sums products in the wide type and rounds once.
func matMul(k *core.Kernel) {
	at := k.Attr.(core.MatMulAttr)
	a, b, out := &k.In[0], &k.In[1], &k.Out[0]
	last := len(out.Shape) - 1
	inner := a.Shape[last]
	each(k, out.Shape, func(idx []int) {
		i := append([]int{}, idx...)
		j := append([]int{}, idx...)
		sum := value{d: wide(out.Dtype)}
		for n := range inner {
			i[last], j[last-1] = n, n
			sum = add(sum, mul(unrounded(load(a, i)), unrounded(load(b, j))))
		}
		if len(k.In) == 3 {
			alpha := cast(float(float64(at.Alpha)), sum.d)
			sum = mul(alpha, sum)
			if at.Beta != 0 {
				beta := cast(float(float64(at.Beta)), sum.d)
				sum = add(sum, mul(beta, unrounded(load(&k.In[2], idx))))
			}
		}
		store(out, idx, sum)
	})
}
