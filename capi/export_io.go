package capi

/*
#define CAPI_GO
#include "capi.h"
#include <stdlib.h>
*/
import "C"

import (
	"io"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Files are read and written by jobs, which Python threads wait for as they do for evaluations: with the GIL released
// and an ear for Ctrl-C.

// file is what such a job works with. All of it is the job's own but the bytes it reads from, so that it can be left to
// itself.
type file struct {
	stalls bool          // whether the system may keep it waiting
	polls  atomic.Uint32 // how often it looked whether it was canceled
	seen   uint32        // polls, when somebody last asked whether it stalls

	mu         sync.Mutex
	over, left bool
	result     C.uintptr_t // for C, which then owns it
	free       func()      // drops the result that nobody takes
}

// files are those whose results are still asked for, by the numbers of their jobs.
var files sync.Map

// start runs f as a job.
func (x *file) start(f func(canceled func() bool) *errs.Error) C.int64_t {
	number := jobs.add(core.Background(func(canceled func() bool) *errs.Error {
		err := f(func() bool {
			x.polls.Add(1)
			return canceled()
		})
		x.mu.Lock()
		defer x.mu.Unlock()
		x.over = true
		x.dropUnwanted()
		return err
	}))
	files.Store(number, x)
	return C.int64_t(number)
}

// give keeps a result for C.
func (x *file) give(result C.uintptr_t, free func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.result, x.free = result, free
}

func (x *file) dropUnwanted() {
	if x.over && x.left && x.free != nil {
		x.free()
		x.free = nil
	}
}

// goFileTake gives the result of a job that succeeded.
//
//export goFileTake
func goFileTake(number C.uint32_t) C.uintptr_t {
	x, _ := files.LoadAndDelete(uint32(number))
	return x.(*file).result
}

// goFileLeave forgets a job, which may not be over.
//
//export goFileLeave
func goFileLeave(number C.uint32_t) {
	jobs.take(uint32(number))
	v, _ := files.LoadAndDelete(uint32(number))
	x := v.(*file)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.left = true
	x.dropUnwanted()
}

// goFileStalls returns whether the job waits for the system: it did not look whether it was canceled since the last
// call.
//
//export goFileStalls
func goFileStalls(number C.uint32_t) C.int {
	v, _ := files.Load(uint32(number))
	x := v.(*file)
	polls := x.polls.Load()
	if !x.stalls || polls != x.seen {
		x.seen = polls
		return 0
	}
	return 1
}

// fromTexts copies strings of C, which share memory. The graph lock is held.
func fromTexts(t *C.capi_texts) func() []string {
	n := int(t.n)
	given, size := unsafe.Slice((*int64)(pointer(t.ends)), n), int64(0)
	if n > 0 {
		size = given[n-1]
	}
	if err := core.Room("save", 2*int(size)+512*n); err != nil {
		panic(err)
	}
	ends := slices.Clone(given)
	all := string(unsafe.Slice((*byte)(pointer(t.bytes)), size))
	return func() []string {
		out, at := make([]string, n), int64(0)
		for i, end := range ends {
			out[i], at = all[at:end], end
		}
		return out
	}
}

// toTexts copies strings for C.
func toTexts(list []string) C.capi_texts {
	total := 0
	for _, s := range list {
		total += len(s)
	}
	t := C.capi_texts{n: C.int64_t(len(list)), bytes: cMemory(total), ends: cMemory(8 * len(list))}
	all, ends := unsafe.Slice((*byte)(pointer(t.bytes)), total), unsafe.Slice((*int64)(pointer(t.ends)), len(list))
	at := 0
	for i, s := range list {
		at += copy(all[at:], s)
		ends[i] = int64(at)
	}
	return t
}

// cMemory is zeroed memory of C.
func cMemory(size int) C.uintptr_t {
	p := C.calloc(1, C.size_t(size+1))
	if p == nil {
		errs.Throw(errs.MemoryError, "[load] cannot allocate %d bytes for names and metadata", size)
	}
	return address((*byte)(p))
}

// pointer is the reverse of address.
func pointer(p C.uintptr_t) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n))
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
				return done,
					errs.Errorf(errs.MemoryError, "[save] cannot allocate %d bytes of what is saved", C.PIECE_SIZE)
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

// goSave starts saving to path, or to memory where that is NULL, which gives a capi_pieces.
//
//export goSave
func goSave(
	path, kind *C.char, names *C.capi_texts, ids *C.uint32_t, metadata *C.capi_texts, compress C.int,
) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	list, pairs := fromTexts(names), fromTexts(metadata)
	s := core.Saved{Arrays: byIDs(ids, names.n), Compress: compress != 0}
	held := make([]uint32, len(s.Arrays))
	for i, a := range s.Arrays {
		held[i] = a.Hold()
	}
	format, target, x := C.GoString(kind), "", &file{}
	if path != nil {
		target, x.stalls = C.GoString(path), true
	}
	return x.start(func(canceled func() bool) *errs.Error {
		defer releaseIDs(held)
		s.Names, s.Canceled = list(), canceled
		for p := pairs(); len(p) > 0; p = p[2:] {
			if s.Metadata == nil {
				s.Metadata = map[string]string{}
			}
			s.Metadata[p[0]] = p[1]
		}
		if x.stalls {
			return core.Save(target, format, s)
		}
		memory := cMemory(C.sizeof_capi_pieces)
		out := (*C.capi_pieces)(pointer(memory))
		x.give(memory, func() { C.capi_free_pieces(out) })
		return core.SaveTo(&pieces{out: out}, format, s)
	})
}

func releaseIDs(ids []uint32) {
	core.Lock()
	defer core.Unlock()
	core.ReleaseIDs(ids)
}

// goLoad starts loading a file, which gives a capi_loaded of arrays on the stream.
//
//export goLoad
func goLoad(path, kind *C.char, stream C.uint16_t) C.int64_t {
	format, source, x := C.GoString(kind), C.GoString(path), &file{stalls: true}
	return x.start(func(canceled func() bool) *errs.Error {
		l, err := core.Load(source, format, canceled)
		return x.giveLoaded(l, err, uint16(stream))
	})
}

// parts are the bytes of a file in memory of Python, one part behind the other.
type parts []struct {
	end   int64
	bytes []byte
}

func fromParts(list *C.capi_part, n C.int64_t) (out parts, size int64) {
	out = make(parts, int(n))
	for i, p := range unsafe.Slice(list, int(n)) {
		size += int64(p.size)
		out[i].end, out[i].bytes = size, unsafe.Slice((*byte)(pointer(p.data)), int(p.size))
	}
	return out, size
}

func (p parts) ReadAt(b []byte, offset int64) (n int, err error) {
	for i := sort.Search(len(p), func(i int) bool { return p[i].end > offset }); i < len(p) && n < len(b); i++ {
		part := p[i].bytes
		n += copy(b[n:], part[int64(len(part))-(p[i].end-offset-int64(n)):])
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// goLoadBytes is goLoad of bytes, which stay until the job is over.
//
//export goLoadBytes
func goLoadBytes(list *C.capi_part, n C.int64_t, kind *C.char, stream C.uint16_t) C.int64_t {
	format, x := C.GoString(kind), &file{}
	p, size := fromParts(list, n)
	return x.start(func(canceled func() bool) *errs.Error {
		l, err := core.LoadFrom(p, size, format, canceled)
		return x.giveLoaded(l, err, uint16(stream))
	})
}

// goExtent finds out how much of a stream is a file (core.Extent). What takes long is left to a job, whose number is
// given back, and which gives that.
//
//export goExtent
func goExtent(prefix *C.capi_part, kind *C.char, extent *C.int64_t) C.int64_t {
	format, x := C.GoString(kind), &file{}
	p, size := fromParts(prefix, 1)
	if size < 1<<16 || format == "npy" {
		n, err := core.Extent(p[0].bytes, format, func() bool { return false })
		if err != nil {
			raise(err)
			return -1
		}
		*extent = C.int64_t(n)
		return 0
	}
	return x.start(func(canceled func() bool) *errs.Error {
		n, err := core.Extent(p[0].bytes, format, canceled)
		x.give(C.uintptr_t(n), nil)
		return err
	})
}

// giveLoaded hands over the arrays, each held once, with which l comes.
func (x *file) giveLoaded(l *core.Loaded, err *errs.Error, stream uint16) *errs.Error {
	if err != nil {
		return err
	}
	memory := cMemory(C.sizeof_capi_loaded)
	out := (*C.capi_loaded)(pointer(memory))
	out.n, out.arrays = C.int64_t(len(l.Arrays)), cMemory(8*len(l.Arrays))
	var pairs []string
	for k, v := range l.Metadata {
		pairs = append(pairs, k, v)
	}
	out.names, out.metadata = toTexts(l.Names), toTexts(pairs)
	if l.Single != nil {
		out.single = handles([]*core.Array{l.Single}, stream)[0]
	}
	copy(unsafe.Slice((*C.capi_handle)(pointer(out.arrays)), len(l.Arrays)), handles(l.Arrays, stream))
	x.give(memory, func() {
		l.Free()
		C.capi_free_loaded(out)
	})
	return nil
}

// handles are those of arrays that are held already, and wanted on the stream. The lock is given up now and then: there
// may be a million.
func handles(as []*core.Array, stream uint16) []C.capi_handle {
	out := make([]C.capi_handle, 0, len(as))
	for len(as) > 0 {
		n := min(len(as), 1<<12)
		core.Lock()
		for _, a := range as[:n] {
			a.PutOn(stream)
			out = append(out, handle(a))
			core.ReleaseIDs([]uint32{a.ID()})
		}
		core.Unlock()
		as = as[n:]
	}
	return out
}
