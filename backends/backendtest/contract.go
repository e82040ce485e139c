package backendtest

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
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
			c.run(core.KindRandomBits, core.RandomAttr{Bytes: 4 * n}, []core.Tensor{in}, []output{{d: dtype.Uint32, shape: append(slices.Clone(keys), n)}}, tolerance{})
			c.begin("random bytes, keys %v, %d each", keys, n)
			in = c.tensor(dtype.Uint32, shape, c.anyView(), key)
			c.run(core.KindRandomBits, core.RandomAttr{Bytes: n}, []core.Tensor{in}, []output{{d: dtype.Uint8, shape: append(slices.Clone(keys), n)}}, tolerance{})
		}
	}
}

// testCancel holds that a launch whose caller has given up returns ErrCanceled, and soon.
func testCancel(c *ctx) {
	cancel := &atomic.Bool{}
	cancel.Store(true)
	launch := func(kind core.Kind, attr any, out core.Tensor, ins ...core.Tensor) {
		c.Helper()
		c.what = "canceled"
		c.cases["cancel"]++
		start := time.Now()
		err := c.b.Launch(&core.Kernel{Kind: kind, Op: "test", In: ins, Out: []core.Tensor{out}, Attr: attr, Cancel: cancel})
		if err != core.ErrCanceled {
			c.fail("kind %d gave %v, want ErrCanceled", kind, err)
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			c.fail("kind %d took %v to stop", kind, d)
		}
	}
	f := dtype.Float32
	value := func(i int) uint64 { return bitsOf(f, complex(float64(i%7), 0)) }
	x := c.tensor(f, []int{1000, 1000}, contiguous, value)
	row := c.tensor(f, []int{1000}, contiguous, value)
	y := c.tensor(f, []int{1000, 1000}, contiguous, value)
	column := c.tensor(f, []int{1000}, contiguous, value)
	order := c.tensor(dtype.Uint32, []int{1000, 1000}, contiguous, func(i int) uint64 { return uint64(i % 1000) })
	launch(core.KindElementwise, core.FindRow("power").OneStep(f), y, x, x)
	launch(core.KindCopy, nil, y, x)
	launch(core.KindReduce, core.ReduceAttr{Op: core.ReduceSum, Axes: []int{1}}, column, x)
	launch(core.KindArgReduce, core.ArgReduceAttr{Axis: 1}, order, x)
	launch(core.KindScan, core.ScanAttr{Op: core.ScanSum, Axis: 1}, y, x)
	launch(core.KindSort, core.SortAttr{Axis: 1, Kth: -1}, y, x)
	launch(core.KindMatMul, core.MatMulAttr{Alpha: 1}, y, x, x)
	launch(core.KindSoftmax, nil, y, x)
	launch(core.KindLogSumExp, nil, column, x)
	launch(core.KindRMSNorm, core.NormAttr{Eps: 1}, y, x, row)
	launch(core.KindGatherAxis, core.AxisAttr{Axis: 1}, y, x, order)
	mask := core.Tensor{Data: x.Data, Dtype: dtype.Bool, Shape: []int{4000000}, Strides: []int{1}}
	launch(core.KindNonzero, core.NonzeroAttr{}, core.Tensor{Data: y.Data, Dtype: dtype.Uint32, Shape: []int{1, 1000000}, Strides: []int{1000000, 1}}, mask)
	image := core.Tensor{Data: x.Data, Dtype: f, Shape: []int{1, 100, 100, 100}, Strides: []int{1000000, 10000, 100, 1}}
	weight := core.Tensor{Data: x.Data, Dtype: f, Shape: []int{100, 3, 3, 100}, Strides: []int{900, 300, 100, 1}}
	features := core.Tensor{Data: y.Data, Dtype: f, Shape: []int{1, 98, 98, 100}, Strides: []int{960400, 9800, 100, 1}}
	ones := []int{1, 1}
	launch(core.KindConv, core.ConvAttr{Stride: ones, PadLo: []int{0, 0}, PadHi: []int{0, 0}, KernelDilation: ones, InputDilation: ones, Groups: 1}, features, image, weight)
}

// testConcurrent launches from several goroutines at once.
func testConcurrent(c *ctx) {
	type work struct {
		k    *core.Kernel
		want core.Tensor
	}
	c.what = "concurrent"
	var list []work
	f := dtype.Float32
	add := func(kind core.Kind, attr any, d dtype.Dtype, shape []int, ins ...core.Tensor) {
		got, want := c.twins(output{d: d, shape: shape})
		k := &core.Kernel{Kind: kind, Op: "test", In: ins, Out: []core.Tensor{got}, Attr: attr}
		ref := *k
		ref.Out = []core.Tensor{want}
		if err := c.ref.Launch(&ref); err != nil {
			c.Fatal(err)
		}
		list = append(list, work{k, want})
	}
	for range 4 {
		x := c.tensor(f, []int{130, 257}, contiguous, c.uniform(f, 0.5, 2))
		add(core.KindElementwise, core.FindRow("divide").OneStep(f), f, x.Shape, x, x)
		add(core.KindSort, core.SortAttr{Axis: 1, Kth: -1}, f, x.Shape, x)
		add(core.KindArgReduce, core.ArgReduceAttr{Axis: 0}, dtype.Uint32, []int{257}, x)
		add(core.KindReduce, core.ReduceAttr{Op: core.ReduceMax, Axes: []int{0, 1}}, f, []int{}, x)
		i := c.tensor(dtype.Int32, []int{500, 300}, contiguous, c.uniform(dtype.Int32, -99, 99))
		add(core.KindScan, core.ScanAttr{Op: core.ScanSum, Axis: 0, Inclusive: true}, dtype.Int32, i.Shape, i)
		add(core.KindReduce, core.ReduceAttr{Op: core.ReduceSum, Axes: []int{1}}, dtype.Int32, []int{500}, i)
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
