package reference

import "github.com/mlx-go/mlx_go/core"

// conv is the definition: out[n, o..., q] is the sum over kernel positions t and channels c of the
// group of x[n, p..., c] w[q, t..., c] with p = (o stride + t dilation - padding) / input dilation, where that is a
// position of the input.
func conv(k *core.Kernel) {
	at := k.Attr.(core.ConvAttr)
	x, w, out := &k.In[0], &k.In[1], &k.Out[0]
	spatial := len(at.Stride)
	last := spatial + 1
	channels := w.Shape[last]
	perGroup := w.Shape[0] / at.Groups
	xi, wi := make([]int, last+1), make([]int, last+1)
	each(k, out.Shape, func(o []int) {
		first := o[last] / perGroup * channels
		xi[0], wi[0] = o[0], o[last]
		sum := value{d: wide(out.Dtype)}
		each(k, w.Shape[1:last], func(t []int) {
			for i := range spatial {
				p := o[i+1]*at.Stride[i] + t[i]*at.KernelDilation[i] - at.PadLo[i]
				if p < 0 || p%at.InputDilation[i] != 0 || p/at.InputDilation[i] >= x.Shape[i+1] {
					return
				}
				xi[i+1], wi[i+1] = p/at.InputDilation[i], t[i]
				if at.Flip {
					wi[i+1] = w.Shape[i+1] - 1 - t[i]
				}
			}
			for c := range channels {
				xi[last], wi[last] = first+c, c
				sum = add(sum, mul(unrounded(load(x, xi)), unrounded(load(w, wi))))
			}
		})
		store(out, o, sum)
	})
}
