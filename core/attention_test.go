package core_test

import (
	"math"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// TestAttentionGradientsByParts: gradients that take some of the queries at a time are those of all together.
func TestAttentionGradientsByParts(t *testing.T) {
	for _, more := range []string{"", ",mask='causal'", ",mask=m", ",mask=greater(m,0.0),sinks=s",
		",mask='causal',sinks=s"} {
		grads := func(d dtype.Dtype, scores int) []float64 {
			defer core.LimitAttentionGrad(scores)()
			var all []float64
			for _, g := range held(t, func() []*core.Array {
				shapes := []layout.Shape{{2, 4, 50, 3}, {2, 2, 57, 3}, {2, 2, 57, 2}, {4, 50, 57}, {4}}
				ins := make([]*core.Array, len(shapes))
				for i, shape := range shapes {
					ins[i] = vector(d, shape, wave(layout.Size(shape), float64(i)))
				}
				xs := core.Tracers(ins)
				c := newCaller()
				for i, name := range []string{"q", "k", "v", "m", "s"} {
					c.env[name] = xs[i]
				}
				ys := c.eval("fast.scaled_dot_product_attention(q,k,v,scale=0.7" + more + ")")
				ct := vector(d, ys[0].Shape(), wave(ys[0].Size(), 9))
				return core.VJP(ys, xs, []*core.Array{ct})
			}) {
				all = append(all, values(t, g)...)
			}
			return all
		}
		whole, parts := grads(dtype.Float64, 1<<20), grads(dtype.Float64, 1)
		for i, want := range whole {
			if math.Abs(parts[i]-want) > 1e-12*(1+math.Abs(want)) {
				t.Fatalf("%q: gradient %d is %g in parts, %g together", more, i, parts[i], want)
			}
		}
		halves := grads(dtype.BFloat16, 1)
		for i, want := range grads(dtype.BFloat16, 1<<20) {
			if math.Abs(halves[i]-want) > 0x1p-6*(1+math.Abs(want)) {
				t.Fatalf("%q: gradient %d of bfloat16 is %g in parts, %g together", more, i, halves[i], want)
			}
		}
	}
}
