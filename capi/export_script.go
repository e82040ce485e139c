package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/errs"
)

// scripts are those that Python holds; guarded by the graph lock.
var scripts = map[int64]*core.Script{}
var lastScript int64

// goRecord begins to record a function of these arguments; the number is 0 on an error.
//
//export goRecord
func goRecord(ids *C.uint32_t, count C.int64_t, frees *C.uint32_t, n C.uint64_t) (number C.uint16_t) {
	enter(frees, n)
	defer leave()
	if number = C.uint16_t(core.NewRecorder(byIDs(ids, count))); number == 0 {
		errs.Throw(errs.RuntimeError, "[compile] too many functions are traced at once")
	}
	return number
}

// goRecorded ends it: the number of the script for these results, 0 if it cannot be played, -1 on an error.
//
//export goRecorded
func goRecorded(recorder C.uint16_t, ids *C.uint32_t, count C.int64_t) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	s := core.EndRecorder(uint16(recorder), byIDs(ids, count))
	if s == nil {
		return 0
	}
	lastScript++
	scripts[lastScript] = s
	return C.int64_t(lastScript)
}

// goNote says what Python saw of an array, or of two, in a function that is recorded.
//
//export goNote
func goNote(what C.int, a, b C.uint32_t, frees *C.uint32_t, n C.uint64_t) {
	enter(frees, n)
	defer leave()
	core.Note(core.Seen(what), core.ByID(uint32(a)), core.ByID(uint32(b)))
}

//export goScriptFree
func goScriptFree(number C.int64_t) {
	enter(nil, 0)
	defer leave()
	if s := scripts[int64(number)]; s != nil {
		delete(scripts, int64(number))
		s.Free()
	}
}

// goPlay plays a script: 1, or 0 where it does not fit these arguments, or -1 on an error.
//
//export goPlay
func goPlay(number C.int64_t, ids *C.uint32_t, count C.int64_t, out *C.capi_ids, frees *C.uint32_t,
	n C.uint64_t) (r C.int) {
	r = -1
	enter(frees, n)
	defer leave()
	outs, ok := scripts[int64(number)].Play(byIDs(ids, count))
	if !ok {
		return 0
	}
	giveIDs(out, outs)
	return 1
}

// goPlayTrace is the number of a trace of the script for arguments like these, 0 where it does not fit them.
//
//export goPlayTrace
func goPlayTrace(number C.int64_t, ids *C.uint32_t, count C.int64_t, began C.uint64_t, frees *C.uint32_t,
	n C.uint64_t) (r C.int64_t) {
	r = -1
	enter(frees, n)
	defer leave()
	t := scripts[int64(number)].Trace(uint64(began), byIDs(ids, count))
	if t == nil {
		return 0
	}
	return addTrace(t)
}

// ---- files ----

// goScriptCall is goPlay that says why a script does not fit.
//
//export goScriptCall
func goScriptCall(number C.int64_t, ids *C.uint32_t, count C.int64_t, out *C.capi_ids, frees *C.uint32_t,
	n C.uint64_t) (failed C.int) {
	failed = -1
	enter(frees, n)
	defer leave()
	outs, err := scripts[int64(number)].TryPlay(byIDs(ids, count))
	if err != nil {
		panic(err)
	}
	giveIDs(out, outs)
	return 0
}

// goScriptText is the text of a script, which C frees, and its constants; NULL on an error.
//
//export goScriptText
func goScriptText(number C.int64_t, out *C.capi_ids) (to *C.char) {
	enter(nil, 0)
	defer leave()
	s, constants := scripts[int64(number)].Text()
	giveIDs(out, constants)
	return C.CString(s)
}

// goScriptInputs describes the arguments of a script in text that C frees.
//
//export goScriptInputs
func goScriptInputs(number C.int64_t) (to *C.char) {
	enter(nil, 0)
	defer leave()
	return C.CString(scripts[int64(number)].Inputs())
}

// goScriptRead is the number of the script of a text over these constants; -1 on an error.
//
//export goScriptRead
func goScriptRead(text *C.char, size C.int64_t, ids *C.uint32_t, count C.int64_t) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	s := core.ReadScript(C.GoStringN(text, C.int(size)), byIDs(ids, count))
	lastScript++
	scripts[lastScript] = s
	return C.int64_t(lastScript)
}

// goGraphText describes the graph of two lists of arrays, results and those that have names, and gives its sources. C
// frees the text; NULL on an error.
//
//export goGraphText
func goGraphText(ids *C.uint32_t, counts *C.int64_t, out *C.capi_ids) (to *C.char) {
	enter(nil, 0)
	defer leave()
	c := unsafe.Slice(counts, 2)
	outs := byIDs(ids, c[0])
	s, sources := core.GraphText(outs, byIDs((*C.uint32_t)(unsafe.Add(unsafe.Pointer(ids), 4*int(c[0]))), c[1]))
	giveIDs(out, sources)
	return C.CString(s)
}
