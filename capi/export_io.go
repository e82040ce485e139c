package capi

/*
#define CAPI_GO
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

// Files are read and written by jobs, which Python threads wait for as they do for evaluations: with the GIL released
// and an ear for Ctrl-C. What the C side passes stays until the job is over.

// splitText undoes the C side's join.
func splitText(text *C.char, n C.int64_t) []string {
	out := make([]string, int(n))
	for i := range out {
		out[i] = C.GoString(text)
		text = (*C.char)(unsafe.Add(unsafe.Pointer(text), len(out[i])+1))
	}
	return out
}

func joinText(list []string) C.uintptr_t {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(strings.ReplaceAll(s, "\x00", "\uFFFD"))
		b.WriteByte(0)
	}
	return address(C.CString(b.String()))
}

// pieces gathers what is saved to memory of C, piece by piece: Python makes bytes of each and frees it.
type pieces struct {
	out  *C.capi_pieces
	room []byte // what is left of the last piece
}

func (p *pieces) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		if len(p.room) == 0 {
			data := C.capi_add_piece(p.out, C.PIECE_SIZE)
			if data == nil {
				return done, core.Errorf(core.MemoryError, "[save] cannot allocate %d bytes for what is being saved", C.PIECE_SIZE)
			}
			p.room = unsafe.Slice((*byte)(data), C.PIECE_SIZE)
		}
		n := copy(p.room, b[done:])
		p.room = p.room[n:]
		done += n
		p.out.size += C.int64_t(n)
	}
	return len(b), nil
}

// goSave starts saving to path, or to out where that is NULL.
//
//export goSave
func goSave(path, kind, names *C.char, ids *C.uint32_t, n C.int64_t, keys, values *C.char, pairs C.int64_t, compress C.int, out *C.capi_pieces) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	s := core.Saved{Names: splitText(names, n), Arrays: byIDs(ids, n), Compress: compress != 0}
	if pairs > 0 {
		s.Metadata = map[string]string{}
		v := splitText(values, pairs)
		for i, k := range splitText(keys, pairs) {
			s.Metadata[k] = v[i]
		}
	}
	format, target := C.GoString(kind), ""
	if path != nil {
		target = C.GoString(path)
	}
	return C.int64_t(jobs.add(core.Background(func(canceled func() bool) *core.Error {
		s.Canceled = canceled
		if out == nil {
			return core.Save(target, format, s)
		}
		return core.SaveTo(&pieces{out: out}, format, s)
	})))
}

// goLoad starts loading from path, or from the bytes where that is NULL. If the job succeeds out holds arrays.
//
//export goLoad
func goLoad(path, kind *C.char, data unsafe.Pointer, size C.int64_t, out *C.capi_loaded) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	format, source := C.GoString(kind), ""
	if path != nil {
		source = C.GoString(path)
	}
	return C.int64_t(jobs.add(core.Background(func(canceled func() bool) *core.Error {
		var l *core.Loaded
		var err *core.Error
		if data == nil {
			l, err = core.Load(source, format, canceled)
		} else {
			l, err = core.LoadFrom(bytes.NewReader(unsafe.Slice((*byte)(data), int(size))), int64(size), format, canceled)
		}
		if err == nil && canceled() {
			l.Free()
			err = core.ErrCanceled
		}
		if err == nil {
			giveLoaded(out, l)
		}
		return err
	})))
}

func giveLoaded(out *C.capi_loaded, l *core.Loaded) {
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
}
