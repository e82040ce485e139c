package reference

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// numbersOf lists the elements of an inexact tensor in row-major order; imaginary parts of
// floats are zero.
func numbersOf(k *device.Kernel, t *device.Tensor) []complex128 {
	list := make([]complex128, 0, layout.Size(t.Shape))
	each(k, t.Shape, func(idx []int) {
		v := load(t, idx)
		if t.Dtype == dtype.Complex64 {
			list = append(list, v.c)
		} else {
			list = append(list, complex(v.f, 0))
		}
	})
	return list
}

// storeNumber writes z; a float takes its real part.
func storeNumber(t *device.Tensor, idx []int, z complex128) {
	if t.Dtype == dtype.Complex64 {
		store(t, idx, complexed(z))
	} else {
		store(t, idx, float(real(z)))
	}
}

// matMul sums products in the wide type and rounds once.
func matMul(k *device.Kernel) {
	at := k.Attr.(device.MatMulAttr)
	out := &k.Out[0]
	a, b := numbersOf(k, &k.In[0]), numbersOf(k, &k.In[1])
	last := len(out.Shape) - 1
	rows, columns, inner := out.Shape[last-1], out.Shape[last], k.In[0].Shape[last]
	n := 0 // number of the output element in row-major order
	each(k, out.Shape, func(idx []int) {
		batch, i, j := n/(rows*columns), idx[last-1], idx[last]
		n++
		var sum complex128
		for p := range inner {
			sum += a[(batch*rows+i)*inner+p] * b[(batch*inner+p)*columns+j]
		}
		if len(k.In) == 3 {
			sum = scaled(sum, float64(at.Alpha))
			if at.Beta != 0 {
				addend := load(&k.In[2], idx)
				sum += scaled(complex(addend.f, 0)+addend.c, float64(at.Beta))
			}
		}
		storeNumber(out, idx, sum)
	})
}
