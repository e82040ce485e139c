package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func rope(k *device.Kernel) {
	at := k.Attr.(device.RopeAttr)
	x, out := &k.In[0], &k.Out[0]
	half := at.Dims / 2
	angle := func(b, t, pair int) float64 {
		position := float64(at.Offset + t)
		if at.HasOffset {
			position += float64(position64(&k.In[1], b))
		}
		f := math.Pow(at.Base, -2*float64(pair)/float64(at.Dims))
		if at.HasFreqs {
			f = 1 / load(&k.In[len(k.In)-1], []int{b, pair}).f
		}
		if at.Inverse {
			return -position * at.Scale * f
		}
		return position * at.Scale * f
	}
	lines(k, x.Shape, 3, func(idx []int) {
		b, n, t := idx[0], idx[1], idx[2]
		value := func(i int) float64 { return load(x, []int{b, n, t, i}).f }
		for i := range x.Shape[3] {
			y := value(i)
			if i < at.Dims {
				pair, first, second := i%half, i%half, i%half+half
				if at.Traditional {
					pair, first, second = i/2, i/2*2, i/2*2+1
				}
				sin, cos := math.Sincos(angle(b, t, pair))
				if i == first {
					y = value(first)*cos - value(second)*sin
				} else {
					y = value(first)*sin + value(second)*cos
				}
			}
			store(out, []int{b, n, t, i}, float(y))
		}
	})
}

// position64 is element i of a vector of integers.
func position64(t *device.Tensor, i int) int { return position(load(t, []int{i})) }

func attention(k *device.Kernel) {
	at := k.Attr.(device.AttentionAttr)
	q, keys, v, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	group := q.Shape[1] / max(keys.Shape[1], 1)
	lowest := -math.MaxFloat32
	if q.Dtype == dtype.Float64 {
		lowest = -math.MaxFloat64
	}
	scores := make([]float64, keys.Shape[2], keys.Shape[2]+1)
	lines(k, out.Shape, 3, func(idx []int) {
		b, h, i := idx[0], idx[1], idx[2]
		for j := range scores {
			var sum float64
			for p := range q.Shape[3] {
				sum += load(q, []int{b, h, i, p}).f * load(keys, []int{b, h / group, j, p}).f
			}
			scores[j] = sum * at.Scale
			if at.HasMask {
				if mask := load(&k.In[3], []int{b, h, i, j}); mask.d == dtype.Bool {
					if mask.u == 0 {
						scores[j] = lowest
					}
				} else {
					scores[j] += mask.f
				}
			}
			if at.Causal && j > i+keys.Shape[2]-q.Shape[2] {
				scores[j] = lowest
			}
		}
		all := scores
		if at.HasSinks {
			all = append(scores, load(&k.In[len(k.In)-1], []int{b, h}).f)
		}
		top, total := expSum(all)
		for c := range v.Shape[3] {
			var sum float64
			for j, s := range scores {
				sum += math.Exp(s-top) / total * load(v, []int{b, h / group, j, c}).f
			}
			store(out, []int{b, h, i, c}, float(sum))
		}
	})
}
