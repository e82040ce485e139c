package cpu

/*
#include "kernels/abi_elementwise.h"
*/
import "C"

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

func init() { launchers[device.KindElementwise] = elementwise }

// chunkTime is the work, in nanoseconds, that one chunk of a parallel loop should hold:
// handing chunks out costs a few hundred, waking a parked worker a few thousand.
const chunkTime = 20000

// streamBytes is the size from which outputs pass the caches by.
var streamBytes = max(lastLevelCache()/2, 4<<20)

// lastLevelCache is the size of the largest cache in bytes.
func lastLevelCache() int {
	size := 0
	for i := range 8 {
		b, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index" + strconv.Itoa(i) + "/size")
		if err != nil {
			break
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(b)), "K")); err == nil {
			size = max(size, n<<10)
		}
	}
	if size == 0 {
		size = 32 << 20
	}
	return size
}

// inline is the room that common programs need, so that small launches allocate nothing.
const (
	inlineOperands = 4
	inlineSteps    = 2
)

func elementwise(k *device.Kernel) error {
	if i := transposedInput(k); i >= 0 {
		return straighten(k, i)
	}
	p := k.Attr.(*device.Program)
	var args C.ew_args
	var operands [inlineOperands]C.ew_operand
	var steps [inlineSteps]C.ew_step
	ops, st := operands[:], steps[:]
	if n := len(k.In) + len(k.Out); n > inlineOperands {
		ops = make([]C.ew_operand, n)
	}
	if len(p.Steps) > inlineSteps {
		st = make([]C.ew_step, len(p.Steps))
	}
	if p.Regs > C.MAX_REGISTERS {
		return errs.Errorf(errs.RuntimeError, "[%s] a fused chain of %d values exceeds the limit of %d", k.Op, p.Regs,
			C.MAX_REGISTERS)
	}
	if !collapseOperands(k, &args, ops) {
		return peel(k, elementwise)
	}
	work := bindProgram(k, p, &args, ops, st)
	// Set here and not through a pointer, which would move all of it to the heap.
	args.in, args.out, args.steps = &ops[0], &ops[len(k.In)], &st[0]

	n := k.Out[0].Size()
	if grain := max(1024, int(chunkTime/work)); n > grain {
		return spread(k, &args, ops, st, n, grain)
	}
	if args.direct != 0 {
		callBare(C.ENTRY_elementwise, unsafe.Pointer(&args), 0, n)
	} else {
		call(C.ENTRY_elementwise, unsafe.Pointer(&args), 0, n)
	}
	return nil
}

// blockChunks is the length of a block in place in chunks: some 20 ms of one core. Tests choose less.
var blockChunks = 1000

// transposedInput is the first input of a large kernel that is transposed, or -1.
func transposedInput(k *device.Kernel) int {
	if k.Out[0].Size() < transposeLeast {
		return -1
	}
	for i := range k.In {
		if transposed(&k.In[i]) {
			return i
		}
	}
	return -1
}

// transposeLeast is the number of elements that the caches do not hold whichever way they are read.
const transposeLeast = 1 << 14

// transposed reports whether t is large and dense along another axis than the last: read row by row, each of its
// elements would cost a cache line, and a copy by blocks pays. One that repeats elements would be larger than t.
func transposed(t *device.Tensor) bool {
	last, dense := len(t.Shape)-1, false
	if last < 1 || t.Shape[last] < 16 || t.Strides[last] < 16 || t.Size() < transposeLeast {
		return false
	}
	for axis, n := range t.Shape[:last] {
		if n > 1 && t.Strides[axis] == 0 {
			return false
		}
		dense = dense || n >= 16 && t.Strides[axis] == 1
	}
	return dense
}

// straighten launches k over a copy of input i in row-major order, which transposes by blocks.
func straighten(k *device.Kernel, i int) (err error) {
	defer catchThrown(&err)
	t, w, err := castTo(k, k.In[i], k.In[i].Dtype)
	if err != nil {
		return err
	}
	defer w.release()
	straight := *k
	straight.In = slices.Clone(k.In)
	straight.In[i] = t
	return elementwise(&straight)
}

// spread runs a launch on all cores. What workers read moves to the heap.
func spread(k *device.Kernel, args *C.ew_args, ops []C.ew_operand, st []C.ew_step, n, grain int) error {
	// Field by field: copying the pointers would move what they point to to the heap for small launches too.
	a := &C.ew_args{nd: args.nd, shape: args.shape, ins: args.ins, outs: args.outs, count: args.count, regs: args.regs,
		direct: args.direct, stream: args.stream}
	heapOps := append([]C.ew_operand(nil), ops...)
	heapSteps := append([]C.ew_step(nil), st...)
	a.in, a.out, a.steps = &heapOps[0], &heapOps[len(k.In)], &heapSteps[0]
	run := func(lo, hi int) { call(C.ENTRY_elementwise, unsafe.Pointer(a), lo, hi) }
	if k.Done == nil {
		parallel(n, grain, k.Cancel, run)
		return nil
	}
	return inPlace(k, n, blockChunks*grain, func(from, to int) error {
		parallel(to-from, grain, nil, func(lo, hi int) { run(from+lo, from+hi) })
		return nil
	})
}

// bindProgram completes args with registers, steps and ways to store; it returns an estimate of the
// nanoseconds per position.
func bindProgram(k *device.Kernel, p *device.Program, a *C.ew_args, ops []C.ew_operand, st []C.ew_step) float64 {
	ins, outs := ops[:len(k.In)], ops[len(k.In):len(k.In)+len(k.Out)]
	a.ins, a.outs, a.count, a.regs = C.int16_t(len(ins)), C.int16_t(len(outs)), C.int16_t(len(p.Steps)),
		C.int16_t(p.Regs)

	bytes, work := 0, 0.0
	plain := true
	for i := range ins {
		x := &ins[i]
		x.reg_dtype = C.uint8_t(p.Load[i])
		plain = plain && x.lie == C.LIE_FLAT && x.dtype == x.reg_dtype
		switch x.lie {
		case C.LIE_FLAT:
			bytes += dtype.Dtype(x.dtype).Size()
		case C.LIE_STRIDED:
			bytes += dtype.Dtype(x.dtype).Size()
			work += 0.5
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		row := -1
		if s.Row != nil {
			row = s.Row.Index
		}
		st[i] = C.ew_step{row: C.int16_t(row), in: C.uint8_t(s.In), out: C.uint8_t(s.Out), dst: C.uint8_t(s.Dst),
			src: [3]C.uint8_t{C.uint8_t(s.Src[0]), C.uint8_t(s.Src[1]), C.uint8_t(s.Src[2])}}
		work += stepWork(s)
		// An input that a step overwrites has to be brought anew for every tile.
		if int(s.Dst) < len(ins) && ins[s.Dst].lie == C.LIE_SCALAR {
			asStrided(k, a, ops, int(s.Dst))
		}
	}
	size := k.Out[0].Size()
	shared := false // an output lies where an input does
	for o := range outs {
		y := &outs[o]
		y.reg = C.uint8_t(p.Store[o])
		y.last = -1
		bytes += dtype.Dtype(y.dtype).Size()
		for i := range ins {
			shared = shared || ins[i].p == y.p
		}
	}
	if len(outs) > 0 && !shared && size*dtype.Dtype(outs[0].dtype).Size() >= streamBytes {
		a.stream = 1
	}
	for o := range outs {
		y := &outs[o]
		at, d := lastWrite(p, p.Store[o])
		if at < 0 {
			d = p.Load[p.Store[o]]
		}
		y.reg_dtype = C.uint8_t(d)
		// A step writes to memory itself where nothing else wants the place: no other output's
		// store, and no later reader of an input that shares it.
		if at >= 0 && a.stream == 0 && y.dtype == y.reg_dtype && (!shared || at == len(p.Steps)-1) &&
			!storedBefore(p, o) {
			y.last = C.int32_t(at)
		}
	}
	switch single := len(p.Steps) == 1 && len(outs) == 1; {
	case single && plain && outs[0].last == 0:
		a.direct = 1
	case single && onHalves(p.Steps[0].Row, ins, outs[0].dtype):
		a.direct, a.stream, st[0].in = 1, 0, outs[0].dtype
	}
	return work + 0.02*float64(bytes)
}

// halfRows are the rows whose loops take halves as they lie in memory.
var halfRows = func() []bool {
	rows := make([]bool, len(table.Rows))
	for i, r := range table.Rows {
		rows[i] = r.OneOperator()
	}
	return rows
}()

// onHalves reports whether the row has a loop for operands that are all halves of dtype d, one after the other.
func onHalves(r *table.Row, ins []C.ew_operand, d C.uint8_t) bool {
	if r == nil || !halfRows[r.Index] || !dtype.Dtype(d).IsHalf() {
		return false
	}
	for i := range ins {
		if ins[i].lie != C.LIE_FLAT || ins[i].dtype != d {
			return false
		}
	}
	return true
}

// storedBefore reports whether an earlier output stores the same register as output o.
func storedBefore(p *device.Program, o int) bool {
	for _, r := range p.Store[:o] {
		if r == p.Store[o] {
			return true
		}
	}
	return false
}

// lastWrite is the step that last writes register r, with its dtype, or -1.
func lastWrite(p *device.Program, r uint8) (int, dtype.Dtype) {
	for i := len(p.Steps) - 1; i >= 0; i-- {
		if p.Steps[i].Dst == r {
			return i, p.Steps[i].Out
		}
	}
	return -1, 0
}

// asStrided turns the scalar operand i into one with strides of 0.
func asStrided(k *device.Kernel, a *C.ew_args, ops []C.ew_operand, i int) {
	if a.nd == 0 {
		a.nd = 1
		a.shape[0] = C.int64_t(k.Out[0].Size())
	}
	ops[i].lie = C.LIE_STRIDED
}

// stepWork estimates a step in nanoseconds per element.
func stepWork(s *device.Step) float64 {
	if s.Row == nil || s.Row.Flags&table.Heavy == 0 {
		return 0.01 * float64(max(s.In.Size(), s.Out.Size()))
	}
	switch {
	case s.In == dtype.Float32:
		return 0.3
	case s.In == dtype.Complex64:
		return 20
	case s.In == dtype.Bool:
		return 0.05
	}
	return 8
}
