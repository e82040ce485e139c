package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

func benchFold(b *testing.B, name string, d dtype.Dtype, shape []int, to dtype.Dtype, outShape []int,
	kind device.KernelKind, attr any) {
	b.Run(name, func(b *testing.B) {
		r := rand.New(rand.NewPCG(1, 1))
		in := plainTensor(d, shape, func(int) value { return value{i: int64(r.Uint64()), re: r.NormFloat64()} })
		k := &device.Kernel{Kind: kind, Op: name, In: []device.Tensor{in},
			Out: []device.Tensor{emptyTensor(to, outShape)}, Attr: attr}
		n := shape[len(shape)-1]
		if kind == device.KindLayerNorm || kind == device.KindRMSNorm {
			w := plainTensor(d.Compute(), []int{n}, func(int) value { return value{re: 1} })
			k.In = append(k.In, w, w)
		}
		b.SetBytes(int64(layout.Size(shape) * d.Size()))
		for b.Loop() {
			launchTest(b, k)
		}
	})
}

// Run with -cpu or MLX_GO_NUM_THREADS=1 for one core.
func BenchmarkFold(b *testing.B) {
	f := dtype.Float32
	all := []int{10_000_000}
	m := []int{4096, 4096}
	sum := func(axes ...int) device.ReduceAttr { return device.ReduceAttr{Op: device.ReduceSum, Axes: axes} }
	benchFold(b, "sum1e7", f, all, f, nil, device.KindReduce, sum(0))
	benchFold(b, "sum1e7/float16", dtype.Float16, all, dtype.Float16, nil, device.KindReduce, sum(0))
	benchFold(b, "sum1e7/uint8", dtype.Uint8, all, dtype.Uint32, nil, device.KindReduce, sum(0))
	benchFold(b, "max1e7", f, all, f, nil, device.KindReduce, device.ReduceAttr{Op: device.ReduceMax, Axes: []int{0}})
	benchFold(b, "sum4096x4096/axis0", f, m, f, m[:1], device.KindReduce, sum(0))
	benchFold(b, "sum4096x4096/axis1", f, m, f, m[:1], device.KindReduce, sum(1))
	benchFold(b, "sum1e6x3/axis0", f, []int{1_000_000, 3}, f, []int{3}, device.KindReduce, sum(0))
	benchFold(b, "sum1e6x3/axis1", f, []int{1_000_000, 3}, f, []int{1_000_000}, device.KindReduce, sum(1))
	benchFold(b, "sum64x56x56x64/axes12", f, []int{64, 56, 56, 64}, f, []int{64, 64}, device.KindReduce, sum(1, 2))
	benchFold(b, "sum1000", f, []int{1000}, f, nil, device.KindReduce, sum(0))
	benchFold(b, "argmax1e7", f, all, dtype.Uint32, nil, device.KindArgReduce, device.ArgReduceAttr{Max: true})
	benchFold(b, "argmax4096x4096/axis0", f, m, dtype.Uint32, m[:1], device.KindArgReduce,
		device.ArgReduceAttr{Max: true})
	benchFold(b, "cumsum1e7", f, all, f, all, device.KindScan, device.ScanAttr{Inclusive: true})
	benchFold(b, "cumsum4096x4096/axis0", f, m, f, m, device.KindScan, device.ScanAttr{Inclusive: true})
	benchFold(b, "logcumsumexp1e6", f, []int{1_000_000}, f, []int{1_000_000}, device.KindScan,
		device.ScanAttr{Op: device.ScanLogAddExp, Inclusive: true})
	s := []int{1_000_000}
	u := dtype.Uint32
	benchFold(b, "sort1e6", f, s, f, s, device.KindSort, device.SortAttr{Kth: -1})
	benchFold(b, "sort1e6/int64", dtype.Int64, s, dtype.Int64, s, device.KindSort, device.SortAttr{Kth: -1})
	benchFold(b, "argsort1e6", f, s, u, s, device.KindSort, device.SortAttr{Kth: -1, Arg: true})
	benchFold(b, "partition1e6", f, s, f, s, device.KindSort, device.SortAttr{Kth: 500_000})
	benchFold(b, "sort10000x100", f, []int{10000, 100}, f, []int{10000, 100}, device.KindSort, device.SortAttr{Axis: 1,
		Kth: -1})
	l := []int{10_000_000}
	benchFold(b, "sort1e7", f, l, f, l, device.KindSort, device.SortAttr{Kth: -1})
	benchFold(b, "sort1e5", f, []int{100_000}, f, []int{100_000}, device.KindSort, device.SortAttr{Kth: -1})
	h := dtype.Float16
	benchFold(b, "sort1e6/float16", h, s, h, s, device.KindSort, device.SortAttr{Kth: -1})
	benchFold(b, "sort10000x100/float16", h, []int{10000, 100}, h, []int{10000, 100}, device.KindSort,
		device.SortAttr{Axis: 1, Kth: -1})
	benchFold(b, "partition1e6/float16", h, s, h, s, device.KindSort, device.SortAttr{Kth: 500_000})
	x := []int{1024, 1024}
	benchFold(b, "softmax1024x1024", f, x, f, x, device.KindSoftmax, nil)
	benchFold(b, "softmax1024x1024/bfloat16", dtype.BFloat16, x, dtype.BFloat16, x, device.KindSoftmax, nil)
	benchFold(b, "softmax1024x1024/float64", dtype.Float64, x, dtype.Float64, x, device.KindSoftmax, nil)
	benchFold(b, "logsumexp1024x1024", f, x, f, x[:1], device.KindLogSumExp, nil)
	benchFold(b, "layer_norm1024x1024", f, x, f, x, device.KindLayerNorm, device.NormAttr{Eps: 1e-5})
	benchFold(b, "rms_norm1024x1024", f, x, f, x, device.KindRMSNorm, device.NormAttr{Eps: 1e-5})
	benchFold(b, "rms_norm1024x1024/float16", dtype.Float16, x, dtype.Float16, x, device.KindRMSNorm,
		device.NormAttr{Eps: 1e-5})
}
