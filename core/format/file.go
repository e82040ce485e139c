package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
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

// WriteFile writes a file in one piece: write fills a new file in the same
// folder, which takes the place of the old one when all went well. A failed save
// leaves the old file as it was, and arrays that are still being read from the old
// file, or are mapped to it, keep it. Pipes and devices, links that lead
// nowhere, and files in folders where none can be added are written in place.
func WriteFile(path string, write func(io.Writer) error) error {
	target, mode, exists := path, fs.FileMode(0o666), false
	if link, err := os.Lstat(path); err == nil {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return writeInPlace(path, write)
		}
		mode, exists = info.Mode().Perm(), true
		if link.Mode()&fs.ModeSymlink != 0 { // replace the file, not the link to it
			if target, err = filepath.EvalSymlinks(path); err != nil {
				return err
			}
		}
	}
	f, err := createIn(filepath.Dir(target), mode)
	if err != nil {
		if exists && errors.Is(err, fs.ErrPermission) {
			return writeInPlace(path, write)
		}
		var p *fs.PathError
		if errors.As(err, &p) {
			p.Path = path // the name of the temporary file would only confuse
		}
		return err
	}
	if exists {
		err = f.Chmod(mode) // the umask was applied to the new file
	}
	if err == nil {
		err = writeThrough(f, write)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// createIn makes a new file with a short name of its own.
func createIn(dir string, mode fs.FileMode) (*os.File, error) {
	for n := 0; ; n++ {
		name := filepath.Join(dir, fmt.Sprintf(".mlx_go-%d-%d.tmp", os.Getpid(), n))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

func writeInPlace(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	err = writeThrough(f, write)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// writeThrough gathers small writes; large ones pass straight through.
func writeThrough(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
