package reference

import "github.com/mlx-go/mlx_go/core/device"

func gatedDelta(k *device.Kernel) {
	at := k.Attr.(device.GatedDeltaAttr)
	q, keys, v, gamma, beta, y, end := &k.In[0], &k.In[1], &k.In[2], &k.In[3], &k.In[4], &k.Out[0], &k.Out[1]
	group, depth := v.Shape[2]/q.Shape[2], q.Shape[3]
	state := make([]float64, depth)
	each(k, end.Shape[:3], func(idx []int) {
		b, h, i := idx[0], idx[1], idx[2]
		for p := range state {
			if state[p] = 0; at.HasState {
				state[p] = load(&k.In[5], []int{b, h, i, p}).f
			}
		}
		for t := range v.Shape[1] {
			if at.HasMask && !nonzero(load(&k.In[len(k.In)-1], []int{b, t})) {
				store(y, []int{b, t, h, i}, float(0))
				continue
			}
			var seen, sum float64
			for p := range state {
				state[p] *= load(gamma, []int{b, t, h, p}).f
				seen += state[p] * load(keys, []int{b, t, h / group, p}).f
			}
			delta := (load(v, []int{b, t, h, i}).f - seen) * load(beta, []int{b, t, h}).f
			for p := range state {
				state[p] += delta * load(keys, []int{b, t, h / group, p}).f
				sum += state[p] * load(q, []int{b, t, h / group, p}).f
			}
			store(y, []int{b, t, h, i}, float(sum))
		}
		for p := range state {
			store(end, []int{b, h, i, p}, float(state[p]))
		}
	})
}
