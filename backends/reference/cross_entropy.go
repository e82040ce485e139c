package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
)

// crossEntropy serves KindCrossEntropy and, for k.In[2], KindCrossEntropyGrad.
func crossEntropy(k *device.Kernel) {
	logits, targets, out := &k.In[0], &k.In[1], &k.Out[0]
	last := len(logits.Shape) - 1
	target := func(at []int) int { return place(k, load(targets, at), last, logits.Shape[last], 1, logits.Shape) }
	each(k, targets.Shape, func(at []int) { target(at) })
	rows(k, logits, func(idx []int, x []float64) {
		at := append([]int{}, idx[:last]...)
		top, total := expSum(x)
		t := target(at)
		if len(k.In) == 2 {
			sum := math.Log(total)
			if !math.IsInf(top, 0) {
				sum += top
			}
			store(out, at, float(sum-x[t]))
			return
		}
		ct := load(&k.In[2], at).f
		storeRow(out, idx, func(i int) float64 {
			p := math.Exp(x[i]-top) / total
			if i == t {
				p--
			}
			return p * ct
		})
	})
}
