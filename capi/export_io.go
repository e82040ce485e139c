package capi

/*
#include "capi.h"
#include <stdlib.h>
*/
import "C"

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
)

// pending holds errors for goRaise: files are read and written without the GIL, where no exception can be raised.
var pending numbered[*core.Error]

//export goRaise
func goRaise(number C.uint32_t) { raise(pending.take(uint32(number))) }

// splitText undoes the C side's join.
func splitText(text *C.char, n C.int64_t) []string {
	out := make([]string, int(n))
	for i := range out {
		out[i] = C.GoString(text)
		text = (*C.char)(unsafe.Add(unsafe.Pointer(text), len(out[i])+1))
	}
	return out
}

func joinText(list []string) *C.char {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(strings.ReplaceAll(s, "\x00", "\uFFFD"))
		b.WriteByte(0)
	}
	return C.CString(b.String())
}

func guardIO(number *C.uint32_t) {
	if r := recover(); r != nil {
		*number = C.uint32_t(pending.add(core.Catch(r)))
	}
}

//export goSave
func goSave(path, kind, names *C.char, ids *C.uint32_t, n C.int64_t, keys, values *C.char, pairs C.int64_t, compress C.int, data *unsafe.Pointer, size *C.int64_t) (number C.uint32_t) {
	defer guardIO(&number)
	s := core.Saved{Names: splitText(names, n), Compress: compress != 0}
	core.Lock()
	s.Arrays = byIDs(ids, n)
	core.Unlock()
	if pairs > 0 {
		s.Metadata = map[string]string{}
		v := splitText(values, pairs)
		for i, k := range splitText(keys, pairs) {
			s.Metadata[k] = v[i]
		}
	}
	var err *core.Error
	if path != nil {
		err = core.Save(C.GoString(path), C.GoString(kind), s)
	} else {
		var b bytes.Buffer
		if err = core.SaveTo(&b, C.GoString(kind), s); err == nil {
			*data, *size = C.CBytes(b.Bytes()), C.int64_t(b.Len())
		}
	}
	if err != nil {
		return C.uint32_t(pending.add(err))
	}
	return 0
}

//export goLoad
func goLoad(path, kind *C.char, data unsafe.Pointer, size C.int64_t, out *C.capi_loaded) (number C.uint32_t) {
	defer guardIO(&number)
	var l *core.Loaded
	var err *core.Error
	if path != nil {
		l, err = core.Load(C.GoString(path), C.GoString(kind))
	} else {
		l, err = core.LoadFrom(bytes.NewReader(unsafe.Slice((*byte)(data), int(size))), int64(size), C.GoString(kind))
	}
	if err != nil {
		return C.uint32_t(pending.add(err))
	}
	out.names = joinText(l.Names)
	keys, values := make([]string, 0, len(l.Metadata)), make([]string, 0, len(l.Metadata))
	for k, v := range l.Metadata {
		keys, values = append(keys, k), append(values, v)
	}
	out.keys, out.values, out.pairs = joinText(keys), joinText(values), C.int64_t(len(keys))
	core.Lock()
	defer core.Unlock()
	// The arrays come held once for the caller; giveIDs and handle hold them once more.
	giveIDs(&out.arrays, l.Arrays)
	var ids []uint32
	for _, a := range l.Arrays {
		ids = append(ids, a.ID())
	}
	if l.Single != nil {
		out.single = handle(l.Single)
		ids = append(ids, l.Single.ID())
	}
	core.ReleaseIDs(ids)
	return 0
}
