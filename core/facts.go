package core

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

// Facts is what Python asks of an array most often. It lies in pages without Go pointers that never move, so that C
// code which holds the array may read it without a call into Go. All but Data and Ready are fixed when the array is
// made.
type Facts struct {
	Data  uintptr // the first element, 0 if there is none; to be read once Ready is set
	Ready uint32  // 1: the array is in the host's memory
	Dtype uint8
	NDim  uint8
	_     uint16
	Dims  [6]int64 // of arrays with at most that many axes
}

// FactsPage is how many arrays share a page: array id has entry id % FactsPage of page id / FactsPage.
const FactsPage = chunkLen

type factsPage [FactsPage]Facts

// pinned keeps the pages where they are for good.
var pinned runtime.Pinner

func newFactsPage() *factsPage {
	page := new(factsPage)
	pinned.Pin(page)
	return page
}

// FactsOf is the page of that number; nil if there is none.
func FactsOf(page int) unsafe.Pointer {
	if page >= len(graph.chunks) {
		return nil
	}
	return unsafe.Pointer(graph.chunks[page][0].facts)
}

// describe writes down what is known of a new array.
func (a *Array) describe() {
	f := a.facts
	f.Dtype, f.NDim = uint8(a.dtype), uint8(min(len(a.shape), 255))
	if len(a.shape) <= len(f.Dims) {
		for i, d := range a.shape {
			f.Dims[i] = int64(d)
		}
	}
	if f.Ready != 0 {
		atomic.StoreUint32(&f.Ready, 0)
	}
}

// setReady announces that a was computed, or that this was given to a device.
func (a *Array) setReady() {
	a.state, a.job = ready, nil
	a.publish()
}

// reader is told what is read of the host's memory; nil unless there are devices, and the host wants to know.
var reader device.Reader

// willRead tells the reader that the program is going to read a, which is in the host's memory.
func (a *Array) willRead() {
	if reader == nil || a.buf == nil || a.buf.ptr == nil {
		return
	}
	if lo, n := a.span(); n > 0 {
		reader.HostRead(unsafe.Add(a.buf.ptr, lo), n)
	}
}

// publish lets C read a ready array, if it is in the host's memory.
func (a *Array) publish() {
	if a.buf != nil && a.buf.res != nil && !a.buf.onHost() {
		return
	}
	if reader != nil {
		a.willRead()
	}
	a.facts.Data = uintptr(a.Data())
	atomic.StoreUint32(&a.facts.Ready, 1)
}
