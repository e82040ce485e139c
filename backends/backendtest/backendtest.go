// Package backendtest holds the cases that every backend must pass. They are generated: every
// row of the op table for every dtype it computes in, and every other kind of kernel with random
// shapes, strides, dtypes and attributes, each compared with the reference backend.
// Seeds follow from the tests' names, so a failure repeats under go test -run; other cases
// come with MLX_GO_TEST_SEED=number.
package backendtest

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/backends/reference"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// Supporter is implemented by backends that lack kernels for some rows; what they deny is skipped
// and counted.
type Supporter interface {
	Supports(r *table.Row, d dtype.Dtype) bool
}

// Fallbacker is implemented by what lacks kernels that core computes on the host; launches of them test nothing.
type Fallbacker interface {
	Fallbacks() map[device.KernelKind]int
}

// suite is one run over one backend.
type suite struct {
	b, ref device.Host
	cases  map[string]int
	skips  map[string]int // reason -> count

	undefined int // elements that differ where no result is defined
}

// RunAll runs every case on b.
func RunAll(t *testing.T, b device.Host) {
	s := &suite{b: b, ref: reference.New(), cases: map[string]int{}, skips: map[string]int{}}
	for _, part := range []struct {
		name string
		run  func(*ctx)
	}{
		{"memory", testMemory}, {"elementwise", testElementwise}, {"alone", testAlone}, {"programs", testPrograms},
		{"copy", testCopy}, {"fill", testFill}, {"arange", testArange},
		{"reduce", testReduce}, {"argreduce", testArgReduce}, {"scan", testScan},
		{"sort", testSort}, {"searchsorted", testSearchSorted},
		{"matmul", testMatMul}, {"gathermatmul", testGatherMatMul}, {"segmentedmatmul", testSegmentedMatMul},
		{"quantize", testQuantize}, {"dequantize", testDequantize}, {"quantizedmatmul", testQuantizedMatMul},
		{"conv", testConv}, {"gather", testGather}, {"scatter", testScatter}, {"gatheraxis", testGatherAxis},
		{"scatteraxis", testScatterAxis}, {"nonzero", testNonzero}, {"randombits", testRandomBits},
		{"softmax", testSoftmax}, {"norm", testNorm}, {"rope", testRope}, {"attention", testAttention},
		{"crossentropy", testCrossEntropy}, {"gateddelta", testGatedDelta},
		{"cancel", testCancel}, {"concurrent", testConcurrent},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(s.ctx(t)) })
	}
	total := 0
	for _, n := range s.cases {
		total += n
	}
	t.Logf("%d launches compared: %v", total, s.cases)
	t.Logf("%d elements differ, all of complex functions of infinities and NaNs, whose results are not defined",
		s.undefined)
	if f, ok := b.(Fallbacker); ok {
		for kind, n := range f.Fallbacks() {
			s.skips[fmt.Sprintf("the device lacks kernels of kind %d", kind)] = n
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(s.skips)) {
		t.Logf("skipped %d: %s", s.skips[reason], reason)
	}
	if len(s.skips) == 0 {
		t.Log("nothing skipped")
	}
}

// ctx is what one test draws from: random numbers, and guarded memory that goes when the test ends.
type ctx struct {
	*testing.T
	*suite
	rng    *rand.Rand
	blocks []*guarded
	failed int
	what   string // of the case that runs, for messages
}

func (s *suite) ctx(t *testing.T) *ctx {
	h := fnv.New64a()
	name := t.Name()
	h.Write([]byte(name[strings.Index(name, "/")+1:]))
	extra, _ := strconv.ParseUint(os.Getenv("MLX_GO_TEST_SEED"), 10, 64)
	c := &ctx{T: t, suite: s, rng: rand.New(rand.NewPCG(h.Sum64(), extra))}
	t.Cleanup(func() {
		c.release()
		if c.failed > 0 {
			t.Logf("repeat with MLX_GO_TEST_SEED=%d go test -run '%s'", extra, t.Name())
		}
	})
	return c
}

// sub runs f as a subtest of its own.
func (c *ctx) sub(name string, f func(*ctx)) {
	c.Run(name, func(t *testing.T) { f(c.suite.ctx(t)) })
}

// begin names the next case and gives back the last one's memory.
func (c *ctx) begin(format string, args ...any) {
	c.release()
	c.what = fmt.Sprintf(format, args...)
}

// maxFailures per test keep a broken kernel's report readable.
const maxFailures = 8

func (c *ctx) fail(format string, args ...any) {
	c.Helper()
	if c.failed++; c.failed > maxFailures {
		c.Fatalf("more failures in this test are not shown")
	}
	c.Errorf("%s: %s", c.what, fmt.Sprintf(format, args...))
}

// output is one result of a kernel: fresh contiguous memory unless view says otherwise.
type output struct {
	d       dtype.Dtype
	shape   []int
	view    view
	initial func(i int) uint64 // what is there before; nil: unspecified
}

// run launches k, whose inputs are set, on the backend and the reference and compares the outputs.
func (c *ctx) run(kind device.KernelKind, attr any, ins []device.Tensor, outs []output, tol tolerance) bool {
	c.Helper()
	k := &device.Kernel{Kind: kind, Op: "test", In: ins, Attr: attr}
	ref := *k
	for _, o := range outs {
		got, want := c.twins(o)
		k.Out, ref.Out = append(k.Out, got), append(ref.Out, want)
	}
	return c.compareLaunch(k, &ref, tol)
}

// compareLaunch launches k on the backend and ref on the reference and compares their outputs.
func (c *ctx) compareLaunch(k, ref *device.Kernel, tol tolerance) bool {
	c.Helper()
	c.cases[strings.SplitN(c.Name(), "/", 3)[1]]++
	if err := c.ref.Launch(ref); err != nil {
		c.fail("the reference failed: %v", err)
		return false
	}
	for i := range k.Out { // inputs and what surrounds them may be written only where an output lies
		c.expectWrites(&k.Out[i])
	}
	if err := c.b.Launch(k); err != nil {
		c.fail("Launch: %v", err)
		return false
	}
	ok := c.checkMemory()
	for i := range k.Out {
		ok = c.compare(&k.Out[i], &ref.Out[i], tol, k.In) && ok
	}
	return ok
}
