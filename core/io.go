package core

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/format"
)

// Loaded is what a file held: one array (npy), or named ones. Every array is held once for the
// caller. The functions of this file take the graph lock themselves and only for moments: file
// access happens outside of it.
type Loaded struct {
	Single   *Array
	Names    []string
	Arrays   []*Array
	Metadata map[string]string
	seen     map[string]bool // names in a GGUF file
}

// formatOf is the format a path's extension, or the caller, names.
func formatOf(path, name string) (string, *errs.Error) {
	if name == "" {
		name = strings.TrimPrefix(filepath.Ext(path), ".")
	}
	switch name {
	case "npy", "npz", "safetensors", "gguf":
		return name, nil
	}
	return "", errs.Errorf(errs.ValueError, "[load] unknown format '%s' of %s: expected npy, npz, safetensors or gguf",
		name, path)
}

// ioError keeps apart files that are malformed and files that cannot be read.
func ioError(op string, err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, format.ErrCanceled) {
		return errs.ErrCanceled
	}
	var f *format.FormatError
	if errors.As(err, &f) {
		return errs.Errorf(errs.ValueError, "[%s] %v", op, err)
	}
	out := errs.Errorf(errs.OSError, "[%s] %v", op, err)
	var path *fs.PathError
	var errno syscall.Errno
	if errors.As(err, &path) && errors.As(err, &errno) {
		out.Errno, out.Path = int(errno), path.Path
	}
	return out
}

// polled reads in pieces and stops when the caller gave up.
type polled struct {
	io.ReaderAt
	canceled func() bool
}

// ioPiece is what is read or written between two looks at whether the caller gave up.
const ioPiece = 1 << 20

func (p polled) ReadAt(b []byte, offset int64) (n int, err error) {
	for n < len(b) && err == nil {
		if err := p.Check(0); err != nil {
			return n, err
		}
		var m int
		m, err = p.ReaderAt.ReadAt(b[n:min(n+ioPiece, len(b))], offset+int64(n))
		n += m
	}
	return n, err
}

// Check is an error once the caller gave up, or if there is no room for n bytes of tables.
func (p polled) Check(n int) error {
	if p.canceled() {
		return errs.ErrCanceled
	}
	if n == 0 {
		return nil // without the lock
	}
	Lock()
	defer Unlock()
	if err := Room("load", n); err != nil {
		return err
	}
	return nil
}

// Name is that of the file, for messages about it.
func (p polled) Name() string {
	if f, ok := p.ReaderAt.(interface{ Name() string }); ok {
		return f.Name()
	}
	return ""
}

// Load reads a file of the format its extension or name tells.
func Load(path, name string, canceled func() bool) (*Loaded, *errs.Error) {
	kind, e := formatOf(path, name)
	if e != nil {
		return nil, e
	}
	f, err := format.Open(path)
	if err != nil {
		return nil, ioError("load", err)
	}
	defer f.Close()
	return LoadFrom(f, f.Size(), kind, canceled)
}

// LoadFrom reads size bytes of the given format.
func LoadFrom(r io.ReaderAt, size int64, kind string, canceled func() bool) (*Loaded, *errs.Error) {
	l := &Loaded{}
	if err := l.read(polled{r, canceled}, size, kind); err != nil {
		l.Free()
		return nil, ioError("load", err)
	}
	return l, nil
}

// Extent returns how many bytes a file takes from its start, as far as prefix tells, or else, negated, how many are to
// be read before asking again (format.Extent).
func Extent(prefix []byte, kind string, canceled func() bool) (int64, *errs.Error) {
	n, whole, err := format.Extent(kind, prefix, polled{canceled: canceled}.Check)
	if err != nil {
		return 0, ioError("load", err)
	}
	if !whole {
		n = -n
	}
	return n, nil
}

func (l *Loaded) read(r polled, size int64, kind string) error {
	switch kind {
	case "npy":
		t, err := format.ReadNPY(r, size)
		if err != nil {
			return err
		}
		l.Single, err = readTensor(t, 0, r, func(dst []byte) error { return format.ReadInto(dst, r, t) })
		return err
	case "npz":
		entries, err := format.ReadNPZ(r, size)
		if err != nil {
			return err
		}
		for i := range entries {
			e := &entries[i]
			a, err := readTensor(e.Tensor, i, r, e.ReadInto)
			if err != nil {
				return err
			}
			l.Names, l.Arrays = append(l.Names, e.Name), append(l.Arrays, a)
		}
	case "safetensors":
		tensors, metadata, err := format.ReadSafetensors(r, size)
		if err != nil {
			return err
		}
		l.Metadata = metadata
		for i, t := range tensors {
			a, err := readTensor(t, i, r, func(dst []byte) error { return format.ReadInto(dst, r, t) })
			if err != nil {
				return err
			}
			l.Names, l.Arrays = append(l.Names, t.Name), append(l.Arrays, a)
		}
	case "gguf":
		return l.readGGUF(r, size)
	}
	return nil
}

// Free drops the arrays, if the file turns out to be bad or nobody wants it.
func (l *Loaded) Free() {
	Lock()
	defer Unlock()
	for _, a := range l.Arrays {
		release(a)
	}
	if l.Single != nil {
		release(l.Single)
	}
}

// readTensor reads elements straight into the memory of a new array, which it holds once. It is the i-th of its file.
func readTensor(t format.Tensor, i int, r polled, read func(dst []byte) error) (*Array, error) {
	const node, often = 384, 1 << 10
	if err := r.Check(i / often * (node * often)); err != nil {
		return nil, err
	}
	shape := t.RowMajorShape()
	var dst []byte
	a, err := locked(func() *Array {
		a, p := Empty(t.Dtype, shape)
		dst = bytesAt(p, a.NBytes())
		return a.retain()
	})
	if err != nil {
		return nil, err
	}
	if err := read(dst); err != nil {
		Lock()
		release(a)
		Unlock()
		return nil, err
	}
	if !t.FortranOrder {
		return a, nil
	}
	return locked(func() *Array {
		b := TransposeAll(a).retain()
		release(a)
		return b
	})
}

// locked runs f under the graph lock and catches what it throws.
func locked(f func() *Array) (a *Array, err error) {
	Lock()
	defer Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = errs.Catch(r)
		}
	}()
	return f(), nil
}

// Saved names the arrays of a file to write.
type Saved struct {
	Names    []string
	Arrays   []*Array
	Metadata map[string]string
	Compress bool
	Canceled func() bool // whether the caller gave up
}

// Save evaluates the arrays and writes a file of the given kind: npy (one array), npz or
// safetensors, as format.WriteFile does.
func Save(path, kind string, s Saved) *errs.Error {
	return s.with(func(s Saved) error {
		return format.WriteFile(path, s.Canceled, func(w io.Writer, canceled func() bool) error {
			return s.write(w, kind, canceled)
		})
	})
}

// SaveTo is Save to a stream.
func SaveTo(w io.Writer, kind string, s Saved) *errs.Error {
	return s.with(func(s Saved) error { return s.write(w, kind, s.Canceled) })
}

// with runs f with arrays that are in memory in row-major order.
func (s Saved) with(f func(Saved) error) (err *errs.Error) {
	Lock()
	plain := make([]*Array, len(s.Arrays))
	for i, a := range s.Arrays {
		plain[i] = Contiguous(a).retain()
	}
	Unlock()
	s.Arrays = plain
	if err = evalUntil(s.Canceled, plain); err == nil {
		if e := f(s); e != nil {
			err = ioError("save", e)
		}
	}
	Lock()
	for _, a := range plain {
		release(a)
	}
	Unlock()
	return err
}

func (s Saved) write(w io.Writer, kind string, canceled func() bool) error {
	tensors := make([]format.Tensor, len(s.Arrays))
	for i, a := range s.Arrays {
		tensors[i] = format.Tensor{Dtype: a.dtype, Shape: a.shape, Size: int64(a.NBytes())}
		if i < len(s.Names) {
			tensors[i].Name = s.Names[i]
		}
	}
	data := func(i int, w io.Writer) error {
		for b := bytesAt(s.Arrays[i].Data(), s.Arrays[i].NBytes()); len(b) > 0; {
			if canceled() {
				return errs.ErrCanceled
			}
			n, err := w.Write(b[:min(ioPiece, len(b))])
			if err != nil {
				return err
			}
			b = b[n:]
		}
		return nil
	}
	switch kind {
	case "npy":
		return format.WriteNPY(w, tensors[0], func(w io.Writer) error { return data(0, w) })
	case "npz":
		z := format.NewNPZWriter(w, s.Compress, polled{canceled: canceled}.Check)
		for i, t := range tensors {
			if err := z.Add(t, func(w io.Writer) error { return data(i, w) }); err != nil {
				return err
			}
		}
		return z.Close()
	case "safetensors":
		return format.WriteSafetensors(w, tensors, s.Metadata, polled{canceled: canceled}.Check, data)
	case "gguf":
		return s.writeGGUF(w, tensors, polled{canceled: canceled}.Check, data)
	}
	return errs.Errorf(errs.ValueError, "[save] unknown format '%s'", kind)
}
