package reference

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/layout"
)

// conv is the definition: out[n, o..., q] is the sum over kernel positions t and channels c of the
// group of x[n, p..., c] w[q, t..., c] with p = (o stride + t dilation - padding) / input dilation, where that is a
// position of the input.
func conv(k *device.Kernel) {
	at := k.Attr.(device.ConvAttr)
	x, w, out := &k.In[0], &k.In[1], &k.Out[0]
	spatial := len(at.Stride)
	last := spatial + 1
	channels := w.Shape[last]
	perGroup := w.Shape[0] / at.Groups
	xs, ws := numbersOf(k, x), numbersOf(k, w)
	xSteps, wSteps := layout.Strides(x.Shape), layout.Strides(w.Shape)
	each(k, out.Shape, func(o []int) {
		first := o[last] / perGroup * channels
		var sum complex128
		each(k, w.Shape[1:last], func(t []int) {
			xi, wi := o[0]*xSteps[0]+first, o[last]*wSteps[0]
			for i := range spatial {
				p := o[i+1]*at.Stride[i] + t[i]*at.KernelDilation[i] - at.PadLo[i]
				if p < 0 || p%at.InputDilation[i] != 0 || p/at.InputDilation[i] >= x.Shape[i+1] {
					return
				}
				xi += p / at.InputDilation[i] * xSteps[i+1]
				if at.Flip {
					wi += (w.Shape[i+1] - 1 - t[i]) * wSteps[i+1]
				} else {
					wi += t[i] * wSteps[i+1]
				}
			}
			for c := range channels {
				sum += xs[xi+c] * ws[wi+c]
			}
		})
		storeNumber(out, o, sum)
	})
}
