// Package reference is the backend that every other one is tested against: the op table's
// bodies and the definition of each kernel, interpreted one element at a time in plain Go over
// uint64, int64, float64 and complex128. It is slow and meant to be obviously right.
package reference

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Backend implements device.Host. Nothing registers it by itself: a program that wants it
// calls device.Register(reference.New()).
type Backend struct {
	mu     sync.Mutex
	blocks map[unsafe.Pointer]block
}

// New returns a backend with no memory allocated.
func New() *Backend { return &Backend{blocks: map[unsafe.Pointer]block{}} }

// Name is "cpu": its memory and its arithmetic are the processor's.
func (*Backend) Name() string { return "cpu" }

// Info describes the device.
func (*Backend) Info() map[string]any {
	return map[string]any{"device_name": "reference", "architecture": runtime.GOARCH}
}

var kernels [device.KindCount]func(*device.Kernel)

func init() {
	kernels = [device.KindCount]func(*device.Kernel){
		device.KindElementwise:      elementwise,
		device.KindCopy:             copyTensor,
		device.KindFill:             fill,
		device.KindArange:           arange,
		device.KindReduce:           reduce,
		device.KindArgReduce:        argReduce,
		device.KindScan:             scan,
		device.KindSort:             sortAxis,
		device.KindSearchSorted:     searchSorted,
		device.KindMatMul:           matMul,
		device.KindConv:             conv,
		device.KindGatherMatMul:     gatherMatMul,
		device.KindSegmentedMatMul:  segmentedMatMul,
		device.KindQuantize:         quantize,
		device.KindDequantize:       dequantize,
		device.KindQuantizedMatMul:  quantizedMatMul,
		device.KindGather:           gather,
		device.KindScatter:          scatter,
		device.KindGatherAxis:       gatherAxis,
		device.KindScatterAxis:      scatterAxis,
		device.KindNonzero:          places,
		device.KindRandomBits:       randomBits,
		device.KindSoftmax:          softmax,
		device.KindLogSumExp:        logSumExp,
		device.KindLayerNorm:        layerNorm,
		device.KindRMSNorm:          rmsNorm,
		device.KindRope:             rope,
		device.KindAttention:        attention,
		device.KindCrossEntropy:     crossEntropy,
		device.KindCrossEntropyGrad: crossEntropy,
		device.KindGatedDelta:       gatedDelta,
	}
}

// Launch computes k.Out from k.In. Kernels panic with a *errs.Error where a definition says that
// there is no result.
func (*Backend) Launch(k *device.Kernel) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*errs.Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	if int(k.Kind) >= len(kernels) || kernels[k.Kind] == nil {
		return errs.Errorf(errs.RuntimeError, "[%s] there is no kernel of kind %d", k.Op, k.Kind)
	}
	kernels[k.Kind](k)
	if k.Canceled() {
		return errs.ErrCanceled
	}
	return nil
}

// each calls f with every index of shape in row-major order. f must not keep idx.
func each(k *device.Kernel, shape []int, f func(idx []int)) {
	for _, n := range shape {
		if n == 0 {
			return
		}
	}
	idx := make([]int, len(shape))
	for n := 0; ; n++ {
		if n%1024 == 0 && k.Canceled() {
			panic(errs.ErrCanceled)
		}
		f(idx)
		a := len(shape) - 1
		for ; a >= 0; a-- {
			if idx[a]++; idx[a] < shape[a] {
				break
			}
			idx[a] = 0
		}
		if a < 0 {
			return
		}
	}
}
