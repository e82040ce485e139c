package format

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// File is a regular file to read arrays from. It may be read from several
// goroutines at once.
type File struct {
	f      *os.File
	size   int64
	mapped []byte
	once   sync.Once
	err    error
}

// Open opens a file for streaming with ReadInto.
func Open(path string) (*File, error) {
	// Opening a pipe would wait for its writer, so look first.
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path,
			Err: errors.New("not a regular file; open it and load from the file object")}
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: errIsDir}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{f: f, size: info.Size()}, nil
}

// OpenMapped opens a file and maps its pages, so that Bytes can point at them.
// Where the system has no mmap the file is opened for streaming alone.
func OpenMapped(path string) (*File, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	if f.mapped, err = mapFile(f.f, f.size); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "mmap", Path: path, Err: err}
	}
	return f, nil
}

// Name is the path the file was opened with.
func (f *File) Name() string { return f.f.Name() }

// Size is the size of the file when it was opened.
func (f *File) Size() int64 { return f.size }

// ReadAt reads with pread, also where the file is mapped: a file that became
// shorter is then an error and not a signal.
func (f *File) ReadAt(b []byte, offset int64) (int, error) { return f.f.ReadAt(b, offset) }

// Bytes returns the mapped pages of t, read-only and valid until Close. ok is
// false where they cannot stand for the array as they are: the file is not
// mapped, or the data is compressed, big-endian, not aligned to its dtype, or has
// bools other than 0 and 1. ReadInto then reads it.
func (f *File) Bytes(t Tensor) (b []byte, ok bool) {
	end := t.Offset + t.Size
	if f.mapped == nil || t.BigEndian || t.Offset < 0 || t.Size < 0 || end < t.Offset || end > int64(len(f.mapped)) {
		return nil, false
	}
	if t.Offset%int64(t.Dtype.Size()) != 0 {
		return nil, false
	}
	b = f.mapped[t.Offset:end:end]
	if t.Dtype == dtype.Bool {
		for _, v := range b {
			if v > 1 {
				return nil, false
			}
		}
	}
	return b, true
}

// Close unmaps and closes the file; nothing may use its Bytes afterwards.
// Closing twice is allowed.
func (f *File) Close() error {
	f.once.Do(func() {
		if f.mapped != nil {
			f.err = unmapFile(f.mapped)
			f.mapped = nil
		}
		f.err = errors.Join(f.err, f.f.Close())
	})
	return f.err
}
