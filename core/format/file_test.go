package format

import (
	"errors"
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
