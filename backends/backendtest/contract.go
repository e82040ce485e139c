package backendtest

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

func testRandomBits(c *ctx) {
	key := func(int) uint64 { return c.rng.Uint64() >> 32 }
	for _, n := range []int{1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 100, 1023, 1024, 1025, 40001} {
		for range 3 {
			keys := c.anyShape(c.rng.IntN(4), max(2000/n, 1))
			if n == 3 {
				keys = c.tall()
			}
			shape := append(slices.Clone(keys), 2)
			c.begin("random words, keys %v, %d each", keys, n)
			in := c.tensor(dtype.Uint32, shape, c.anyView(), key)
			c.run(device.KindRandomBits, device.RandomAttr{Bytes: 4 * n}, []device.Tensor{in},
				[]output{{d: dtype.Uint32, shape: append(slices.Clone(keys), n)}}, tolerance{})
			c.begin("random bytes, keys %v, %d each", keys, n)
			in = c.tensor(dtype.Uint32, shape, c.anyView(), key)
			c.run(device.KindRandomBits, device.RandomAttr{Bytes: n}, []device.Tensor{in},
				[]output{{d: dtype.Uint8, shape: append(slices.Clone(keys), n)}}, tolerance{})
		}
	}
}

// testCancel holds that a launch whose caller has given up returns ErrCanceled, and writes little: results that are not
// there were not computed.
func testCancel(c *ctx) {
	cancel := &atomic.Bool{}
	cancel.Store(true)
	launch := func(kind device.KernelKind, attr any, out device.Tensor, ins ...device.Tensor) {
		c.Helper()
		c.what = "canceled"
		c.cases["cancel"]++
		size := layout.Size(out.Shape) * out.Dtype.Size()
		written := unsafe.Slice((*byte)(out.Data), size)
		copy(written, bytes.Repeat([]byte{0xa5}, size))
		err := c.b.Launch(&device.Kernel{Kind: kind, Op: "test", In: ins, Out: []device.Tensor{out}, Attr: attr,
			Cancel: cancel})
		if err != errs.ErrCanceled {
			c.fail("kind %d gave %v, want ErrCanceled", kind, err)
		}
		if left := bytes.Count(written, []byte{0xa5}); size-left > size/10 {
			c.fail("kind %d wrote %d bytes of %d that nobody wants", kind, size-left, size)
		}
	}
	f := dtype.Float32
	value := func(i int) uint64 { return bitsOf(f, complex(float64(i%7), 0)) }
	x := c.tensor(f, []int{1000, 1000}, contiguous, value)
	row := c.tensor(f, []int{1000}, contiguous, value)
	y := c.tensor(f, []int{1000, 1000}, contiguous, value)
	column := c.tensor(f, []int{1000}, contiguous, value)
	order := c.tensor(dtype.Uint32, []int{1000, 1000}, contiguous, func(i int) uint64 { return uint64(i % 1000) })
	launch(device.KindElementwise, device.OneStep(table.FindRow("power"), f), y, x, x)
	launch(device.KindCopy, nil, y, x)
	launch(device.KindReduce, device.ReduceAttr{Op: device.ReduceSum, Axes: []int{1}}, column, x)
	launch(device.KindArgReduce, device.ArgReduceAttr{Axis: 1}, order, x)
	launch(device.KindScan, device.ScanAttr{Op: device.ScanSum, Axis: 1}, y, x)
	launch(device.KindSort, device.SortAttr{Axis: 1, Kth: -1}, y, x)
	launch(device.KindMatMul, device.MatMulAttr{Alpha: 1}, y, x, x)
	launch(device.KindSoftmax, nil, y, x)
	launch(device.KindLogSumExp, nil, column, x)
	launch(device.KindRMSNorm, device.NormAttr{Eps: 1}, y, x, row)
	launch(device.KindGatherAxis, device.AxisAttr{Axis: 1}, y, x, order)
	mask := device.Tensor{Data: x.Data, Dtype: dtype.Bool, Shape: []int{4000000}, Strides: []int{1}}
	launch(device.KindNonzero, device.NonzeroAttr{}, device.Tensor{Data: y.Data, Dtype: dtype.Uint32,
		Shape: []int{1, 1000000}, Strides: []int{1000000, 1}}, mask)
	image := device.Tensor{Data: x.Data, Dtype: f, Shape: []int{1, 100, 100, 100},
		Strides: []int{1000000, 10000, 100, 1}}
	weight := device.Tensor{Data: x.Data, Dtype: f, Shape: []int{100, 3, 3, 100}, Strides: []int{900, 300, 100, 1}}
	features := device.Tensor{Data: y.Data, Dtype: f, Shape: []int{1, 98, 98, 100},
		Strides: []int{960400, 9800, 100, 1}}
	ones := []int{1, 1}
	launch(device.KindConv, device.ConvAttr{Stride: ones, PadLo: []int{0, 0}, PadHi: []int{0, 0}, KernelDilation: ones,
		InputDilation: ones, Groups: 1}, features, image, weight)
}

// testConcurrent launches from several goroutines at once.
func testConcurrent(c *ctx) {
	type work struct {
		k    *device.Kernel
		want device.Tensor
	}
	c.what = "concurrent"
	var list []work
	f := dtype.Float32
	add := func(kind device.KernelKind, attr any, d dtype.Dtype, shape []int, ins ...device.Tensor) {
		got, want := c.twins(output{d: d, shape: shape})
		k := &device.Kernel{Kind: kind, Op: "test", In: ins, Out: []device.Tensor{got}, Attr: attr}
		ref := *k
		ref.Out = []device.Tensor{want}
		if err := c.ref.Launch(&ref); err != nil {
			c.Fatal(err)
		}
		list = append(list, work{k, want})
	}
	for range 4 {
		x := c.tensor(f, []int{130, 257}, contiguous, c.uniform(f, 0.5, 2))
		add(device.KindElementwise, device.OneStep(table.FindRow("divide"), f), f, x.Shape, x, x)
		add(device.KindSort, device.SortAttr{Axis: 1, Kth: -1}, f, x.Shape, x)
		add(device.KindArgReduce, device.ArgReduceAttr{Axis: 0}, dtype.Uint32, []int{257}, x)
		add(device.KindReduce, device.ReduceAttr{Op: device.ReduceMax, Axes: []int{0, 1}}, f, []int{}, x)
		i := c.tensor(dtype.Int32, []int{500, 300}, contiguous, c.uniform(dtype.Int32, -99, 99))
		add(device.KindScan, device.ScanAttr{Op: device.ScanSum, Axis: 0, Inclusive: true}, dtype.Int32, i.Shape, i)
		add(device.KindReduce, device.ReduceAttr{Op: device.ReduceSum, Axes: []int{1}}, dtype.Int32, []int{500}, i)
	}
	var group sync.WaitGroup
	errs := make([]error, len(list))
	for i := range list {
		group.Go(func() {
			for range 10 {
				if err := c.b.Launch(list[i].k); err != nil {
					errs[i] = err
				}
			}
		})
	}
	group.Wait()
	for i, w := range list {
		c.cases["concurrent"]++
		if errs[i] != nil {
			c.fail("Launch: %v", errs[i])
			continue
		}
		c.compare(&w.k.Out[0], &w.want, tolerance{}, w.k.In)
	}
}
