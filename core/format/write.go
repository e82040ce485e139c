package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrCanceled is the error of a file whose caller gave up.
var ErrCanceled = errors.New("canceled")

// wake is how long a pipe that takes nothing is waited for between two looks at whether the caller gave up.
const wake = 20 * time.Millisecond

// Content writes what a file is to hold, the same bytes each time it is called, and stops when canceled says so.
type Content func(w io.Writer, canceled func() bool) error

// WriteFile writes a file in one piece: a new file is filled beside the old one and takes its place when it is
// complete, with its owner, mode and extended attributes. A save that fails leaves the old file, and one that is killed
// leaves nothing, where the system has files without a name.
//
// A file that has several names, or something that the new one cannot be given, such as a foreign owner, is written in
// place, as are files in folders where none can be added. What could fail is then tried, and the room taken, before the
// first byte changes, and canceled is no longer obeyed from there on.
//
// Links are followed. Pipes and devices are written as they are. Errors of the system name path.
func WriteFile(path string, canceled func() bool, content Content) error {
	err := writeFile(path, canceled, content)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &fs.PathError{Op: "save", Path: path, Err: errno}
	}
	return err
}

func writeFile(path string, canceled func() bool, content Content) error {
	old, err := openOld(path, canceled)
	if errors.Is(err, fs.ErrNotExist) {
		return writeNew(follow(path), canceled, content)
	}
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		s := &stream{old, canceled}
		return errors.Join(buffered(s, canceled, content), old.Close())
	}
	if replaced, err := replace(follow(path), old, info, canceled, content); replaced || err != nil {
		return err
	}
	return errors.Join(writeInPlace(old, info.Size(), canceled, content), old.Close())
}

// openOld opens what is there for writing, as it is. It waits for the reader of a pipe, and for a lease that somebody
// holds.
func openOld(path string, canceled func() bool) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		switch {
		case errors.Is(err, syscall.ENXIO):
			if info, e := os.Stat(path); e != nil || info.Mode()&fs.ModeNamedPipe == 0 {
				return nil, err
			}
		case !errors.Is(err, syscall.EAGAIN):
			return f, err
		}
		if canceled() {
			return nil, ErrCanceled
		}
		time.Sleep(wake)
	}
}

// follow is the name behind links: that of what is to be replaced, or made.
func follow(path string) string {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = folder(path) + to
		}
		path = to
	}
	return path
}

// folder is the part of the path up to the name. filepath.Dir would take a/../b for b, which it is not if a is a link.
func folder(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// writeNew makes a file that is not there.
func writeNew(path string, canceled func() bool, content Content) error {
	for _, unnamed := range []bool{true, false} {
		t, err := newTemporary(path, 0o666, unnamed)
		if err != nil {
			return err
		}
		if err = t.fill(canceled, content); err == nil {
			err = t.install(path)
		}
		// Some sandboxes allow no links.
		again := t.name == "" && errors.Is(err, errNoLink)
		if err = errors.Join(err, t.discard()); !again {
			return err
		}
	}
	return nil
}

// replace puts a new file in the place of the old one; false where it cannot be that file in all but its content.
func replace(path string, old *os.File, info fs.FileInfo, canceled func() bool, content Content) (bool, error) {
	there, err := os.Lstat(path)
	if err != nil || !os.SameFile(there, info) || info.Mode() != info.Mode().Perm() || links(info) != 1 {
		return false, nil
	}
	t, err := newTemporary(path, info.Mode(), true)
	if err != nil {
		return false, nil
	}
	defer t.discard()
	if !inherit(t.File, old, info) {
		return false, nil
	}
	if err := t.fill(canceled, content); err != nil {
		return false, err
	}
	return t.install(path) == nil, nil
}

// temporary is a file on its way to a name. It has none of its own where the system allows that, so that nothing stays
// of it if the process is killed.
type temporary struct {
	*os.File
	name string
}

var errNoLink = errors.New("a file without a name cannot be given one")

func newTemporary(path string, mode fs.FileMode, unnamed bool) (*temporary, error) {
	if unnamed {
		if f := openUnnamed(folder(path), mode); f != nil {
			return &temporary{f, ""}, nil
		}
	}
	t := &temporary{}
	err := t.tryNames(path, func(name string) (err error) {
		t.File, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		return err
	})
	return t, err
}

// tryNames makes something under a name beside path that is not taken.
func (t *temporary) tryNames(path string, create func(name string) error) error {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s.mlx_go-%d-%d.tmp", folder(path), os.Getpid(), n)
		err := create(name)
		if err == nil {
			t.name = name
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// fill writes the file. Network file systems, which have no files without a name, say only when one is closed that they
// are full.
func (t *temporary) fill(canceled func() bool, content Content) error {
	err := buffered(t, canceled, content)
	if err == nil && t.name != "" {
		err = t.Close()
	}
	return err
}

// install makes path the name of the file, whatever had it before.
func (t *temporary) install(path string) error {
	if t.name == "" {
		err := link(t.File, path)
		if err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			err = t.tryNames(path, func(name string) error { return link(t.File, name) })
		}
		if err != nil {
			return errors.Join(errNoLink, err)
		}
	}
	err := os.Rename(t.name, path)
	if err == nil {
		t.name = ""
	}
	return err
}

// discard closes the file, and removes it if it was not installed.
func (t *temporary) discard() error {
	if t.name != "" {
		os.Remove(t.name)
	}
	if err := t.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// writeInPlace changes the bytes of a file of that size.
func writeInPlace(f *os.File, size int64, canceled func() bool, content Content) error {
	total := &position{w: io.Discard}
	if err := content(total, canceled); err != nil {
		return err
	}
	err := reserve(f, total.n)
	if err == nil && canceled() {
		err = ErrCanceled
	}
	if err != nil {
		return errors.Join(err, f.Truncate(size))
	}
	// Half a file is of no use to anyone.
	deaf := func() bool { return false }
	written := &position{w: steady{f, canceled}}
	if err := buffered(written, deaf, content); err != nil {
		return err
	}
	return f.Truncate(written.n)
}

// steady asks canceled often, and does not obey: who gave up sees that the file is still being written, and waits.
type steady struct {
	io.Writer
	canceled func() bool
}

func (s steady) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		s.canceled()
		var m int
		m, err = s.Writer.Write(b[n:min(n+1<<16, len(b))])
		n += m
	}
	return n, err
}

// buffered gathers small writes; large ones pass straight through.
func buffered(w io.Writer, canceled func() bool, content Content) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := content(b, canceled); err != nil {
		return err
	}
	return b.Flush()
}

// stream is a pipe or a device, which may take its time.
type stream struct {
	f        *os.File
	canceled func() bool
}

func (s *stream) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if s.canceled() {
			return n, ErrCanceled
		}
		// Devices that know no deadline take what they are given.
		_ = s.f.SetWriteDeadline(time.Now().Add(wake))
		var m int
		m, err = s.f.Write(b[n:])
		if n += m; errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	return n, err
}
