package format

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(dir); !errors.Is(err, errIsDir) {
		t.Error(err)
	}
	if _, err := Open(os.DevNull); err == nil {
		t.Error("a device is no regular file")
	}
	path := filepath.Join(dir, "broken.npy")
	if err := os.WriteFile(path, []byte("not an array"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := must(Open(path))(t)
	defer f.Close()
	for _, err := range []error{
		second(ReadNPY(f, f.Size())), second(ReadNPZ(f, f.Size())), third(ReadSafetensors(f, f.Size())),
	} {
		var e *FormatError
		if !errors.As(err, &e) || e.File != path || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("got %v, want an error of the file %s", err, path)
		}
	}
}

func TestMapped(t *testing.T) {
	f := must(OpenMapped("testdata/safetensors_all.safetensors"))(t)
	tensors, _, err := ReadSafetensors(f, f.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tensors {
		b, ok := f.Bytes(x)
		if f.mapped == nil {
			if ok {
				t.Fatal("pages of a file that is not mapped")
			}
			t.Skip("the system has no mmap")
		}
		if !ok {
			t.Fatalf("%s cannot be mapped", x.Name)
		}
		same(t, x.Name, b, counting(x.Dtype, x.Size))
		streamed := make([]byte, x.Size)
		if err := ReadInto(streamed, f, x); err != nil {
			t.Fatal(err)
		}
		same(t, "streamed "+x.Name, streamed, b)
	}
	x := tensors[0]
	end := Tensor{Dtype: dtype.Uint8, Offset: f.Size() - 1, Size: 2}
	for what, y := range map[string]Tensor{
		"big-endian":  {Dtype: x.Dtype, Offset: x.Offset, Size: x.Size, BigEndian: true},
		"compressed":  {Dtype: x.Dtype, Offset: -1, Size: x.Size},
		"not aligned": {Dtype: x.Dtype, Offset: x.Offset + 1, Size: 8},
		"bool of 2":   {Dtype: dtype.Bool, Offset: x.Offset, Size: 3},
		"outside":     end,
	} {
		if _, ok := f.Bytes(y); ok {
			t.Errorf("%s data was mapped", what)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Bytes(x); ok {
		t.Error("a closed file is mapped")
	}
}

func TestMappedEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := must(OpenMapped(path))(t)
	defer f.Close()
	wantField(t, "magic", second(ReadNPY(f, f.Size())))
}

// A file that shrinks between its header and its data is an error of the data.
func TestTruncatedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, golden(t, "numpy_float64.npy"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := must(OpenMapped(path))(t)
	defer f.Close()
	x := must(ReadNPY(f, f.Size()))(t)
	if err := os.Truncate(path, x.Offset+5); err != nil {
		t.Fatal(err)
	}
	wantField(t, "data", ReadInto(make([]byte, x.Size), f, x))
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.bin")
	content := func(s string) Data { return from([]byte(s)) }
	read := func(path string) string { return string(must(os.ReadFile(path))(t)) }
	only := func(want int) {
		t.Helper()
		if n := len(must(os.ReadDir(dir))(t)); n != want {
			t.Errorf("%d files, want %d", n, want)
		}
	}
	if err := WriteFile(path, content("one")); err != nil || read(path) != "one" {
		t.Fatal(err, read(path))
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	old := must(Open(path))(t)
	defer old.Close()
	if err := WriteFile(path, content("two, longer")); err != nil || read(path) != "two, longer" {
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
	err := WriteFile(path, func(w io.Writer) error {
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
		if err := WriteFile(link, content("three")); err != nil || read(filepath.Join(dir, target)) != "three" {
			t.Error(target, err)
		}
		if info := must(os.Lstat(link))(t); info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link to %s was replaced", target)
		}
	}
	only(3)

	var p *fs.PathError
	missing := filepath.Join(dir, "none", "x")
	if err := WriteFile(missing, content("")); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &p) || p.Path != missing {
		t.Error(err)
	}
	if err := WriteFile(dir, content("")); err == nil {
		t.Error("a folder was written")
	}
	if err := WriteFile(os.DevNull, content("gone")); err != nil {
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
	err := WriteFile(path, func(w io.Writer) error {
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
