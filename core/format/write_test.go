package format

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func never() bool { return false }

func contents(b []byte) Content {
	return func(w io.Writer, canceled func() bool) error {
		for part := range slices.Chunk(b, 1<<16) {
			if canceled() {
				return ErrCanceled
			}
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.bin")
	content := func(s string) Content { return contents([]byte(s)) }
	read := func(path string) string { return string(must(os.ReadFile(path))(t)) }
	only := func(want int) {
		t.Helper()
		if n := len(must(os.ReadDir(dir))(t)); n != want {
			t.Errorf("%d files, want %d", n, want)
		}
	}
	if err := WriteFile(path, never, content("one")); err != nil || read(path) != "one" {
		t.Fatal(err, read(path))
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	old := must(Open(path))(t)
	defer old.Close()
	if err := WriteFile(path, never, content("two, longer")); err != nil || read(path) != "two, longer" {
		t.Fatal(err, read(path))
	}
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	before := make([]byte, 3)
	if _, err := old.ReadAt(before, 0); err != nil || string(before) != "one" {
		t.Errorf("the open file changed to %q: %v", before, err)
	}
	broken := errors.New("broken")
	err := WriteFile(path, never, func(w io.Writer, _ func() bool) error {
		w.Write(make([]byte, 1<<17))
		return broken
	})
	if !errors.Is(err, broken) || read(path) != "two, longer" {
		t.Error(err, read(path))
	}
	only(1)

	link := filepath.Join(dir, "link")
	for _, target := range []string{"x.bin", "new"} {
		os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Skip("the system has no links: ", err)
		}
		if err := WriteFile(link, never, content("three")); err != nil || read(filepath.Join(dir, target)) != "three" {
			t.Error(target, err)
		}
		if info := must(os.Lstat(link))(t); info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link to %s was replaced", target)
		}
	}
	only(3)

	var p *fs.PathError
	missing := filepath.Join(dir, "none", "x")
	if err := WriteFile(missing, never, content("")); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &p) ||
		p.Path != missing {
		t.Error(err)
	}
	if err := WriteFile(dir, never, content("")); err == nil {
		t.Error("a folder was written")
	}
	if err := WriteFile(os.DevNull, never, content("gone")); err != nil {
		t.Error(err)
	}
}

// A save of arrays that are still being read from the file of the same name.
func TestSaveOverSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, golden(t, "numpy_float32.npy"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := must(Open(path))(t)
	defer f.Close()
	x := must(ReadNPY(f, f.Size()))(t)
	err := WriteFile(path, never, func(w io.Writer, _ func() bool) error {
		return WriteNPY(w, x, func(w io.Writer) error {
			b := make([]byte, x.Size)
			if err := ReadInto(b, f, x); err != nil {
				return err
			}
			_, err := w.Write(b)
			return err
		})
	})
	if err != nil || !bytes.Equal(must(os.ReadFile(path))(t), golden(t, "numpy_float32.npy")) {
		t.Error("the array changed: ", err)
	}
}
