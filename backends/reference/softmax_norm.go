package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
)

// rows calls f with the values of every line along in's last axis and the index of its start.
func rows(k *device.Kernel, in *device.Tensor, f func(idx []int, x []float64)) {
	last := len(in.Shape) - 1
	x := make([]float64, in.Shape[last])
	lines(k, in.Shape, last, func(idx []int) {
		for i := range x {
			idx[last] = i
			x[i] = load(in, idx).f
		}
		f(idx, x)
	})
}

// storeRow writes y along out's last axis.
func storeRow(out *device.Tensor, idx []int, y func(i int) float64) {
	last := len(out.Shape) - 1
	for i := range out.Shape[last] {
		idx[last] = i
		store(out, idx, float(y(i)))
	}
}

// expSum is the largest of x and the sum of exp(x - largest).
func expSum(x []float64) (top, total float64) {
	top = math.Inf(-1)
	for _, v := range x {
		if v != v {
			return v, v
		}
		top = math.Max(top, v)
	}
	var s double
	for _, v := range x {
		s = s.add(double{math.Exp(v - top), 0})
	}
	return top, s.hi
}

func softmax(k *device.Kernel) {
	rows(k, &k.In[0], func(idx []int, x []float64) {
		top, total := expSum(x)
		storeRow(&k.Out[0], idx, func(i int) float64 { return math.Exp(x[i]-top) / total })
	})
}

func logSumExp(k *device.Kernel) {
	last := len(k.In[0].Shape) - 1
	if k.In[0].Shape[last] == 0 {
		each(k, k.Out[0].Shape, func(idx []int) { store(&k.Out[0], idx, float(math.Inf(-1))) })
		return
	}
	rows(k, &k.In[0], func(idx []int, x []float64) {
		top, total := expSum(x)
		y := top + math.Log(total)
		if math.IsInf(top, 0) { // inf - inf would make it NaN
			y = top
		}
		store(&k.Out[0], idx[:last], float(y))
	})
}

func mean(n int, f func(i int) float64) float64 {
	var s double
	for i := range n {
		s = s.add(double{f(i), 0})
	}
	return s.hi / float64(n)
}

func layerNorm(k *device.Kernel) {
	eps := float64(k.Attr.(device.NormAttr).Eps)
	weight, bias := &k.In[1], &k.In[2]
	rows(k, &k.In[0], func(idx []int, x []float64) {
		m := mean(len(x), func(i int) float64 { return x[i] })
		v := mean(len(x), func(i int) float64 { return (x[i] - m) * (x[i] - m) })
		storeRow(&k.Out[0], idx, func(i int) float64 {
			return (x[i]-m)/math.Sqrt(v+eps)*load(weight, []int{i}).f + load(bias, []int{i}).f
		})
	})
}

func rmsNorm(k *device.Kernel) {
	eps := float64(k.Attr.(device.NormAttr).Eps)
	weight := &k.In[1]
	rows(k, &k.In[0], func(idx []int, x []float64) {
		v := mean(len(x), func(i int) float64 { return x[i] * x[i] })
		storeRow(&k.Out[0], idx, func(i int) float64 { return x[i] / math.Sqrt(v+eps) * load(weight, []int{i}).f })
	})
}
