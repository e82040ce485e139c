package format

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// seeds adds the golden files of a kind and the malformed ones.
func seeds(f *testing.F, pattern string, files []malformed) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no files %s: %v", pattern, err)
	}
	for _, name := range names {
		f.Add(must(os.ReadFile(name))(f))
	}
	for _, m := range files {
		if len(m.file) < 1<<16 {
			f.Add(m.file)
		}
	}
}

// refused checks that what is wrong with bytes in memory is told as such.
func refused(t *testing.T, err error) {
	var e *FormatError
	if !errors.As(err, &e) || e.Field == "" || e.Detail == "" {
		t.Fatalf("an error without a field: %v", err)
	}
}

// inside checks a tensor against the file, and reads it.
func inside(t *testing.T, file []byte, x Tensor) []byte {
	size, err := byteSize(x.Dtype, x.Shape)
	if err != nil || size != x.Size || x.Offset < 0 || x.Size > int64(len(file))-x.Offset {
		t.Fatalf("%+v does not fit %d bytes: %v", x, len(file), err)
	}
	return data(t, file, x)
}

func FuzzNPY(f *testing.F) {
	seeds(f, "*.npy", malformedNPY())
	f.Fuzz(func(t *testing.T, file []byte) {
		x, err := ReadNPY(bytes.NewReader(file), int64(len(file)))
		end, streamErr := extent(t, "npy", file)
		if err != nil {
			refused(t, err)
			if streamErr == nil && end <= int64(len(file)) {
				t.Fatalf("%d bytes of a stream were taken for a file: %v", end, err)
			}
			return
		}
		if streamErr != nil || end != x.Offset+x.Size {
			t.Fatalf("%d bytes of a stream, %d of a file: %v", end, x.Offset+x.Size, streamErr)
		}
		want := inside(t, file, x)
		var out bytes.Buffer
		x.BigEndian = false
		if err := WriteNPY(&out, x, from(want)); err != nil {
			t.Fatal(err)
		}
		again := readNPYFile(t, out.Bytes())
		check(t, again, x.Dtype, x.Shape)
		same(t, "written", inside(t, out.Bytes(), again), want)
		if again.FortranOrder != x.FortranOrder {
			t.Fatal("the order changed")
		}
	})
}

func FuzzNPZ(f *testing.F) {
	seeds(f, "*.npz", malformedNPZ())
	f.Fuzz(func(t *testing.T, file []byte) {
		entries, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			refused(t, err)
			return
		}
		var total int64
		for _, e := range entries {
			total += e.Size
		}
		if total > (maxDeflateRatio+1)*int64(len(file)) {
			t.Fatalf("%d bytes unpack to %d", len(file), total)
		}
		for _, compress := range []bool{false, true} {
			var out bytes.Buffer
			z := NewNPZWriter(&out, compress, checkOf(nil))
			var want [][]byte
			for _, e := range entries {
				b := make([]byte, e.Size)
				if err := e.ReadInto(b); err != nil {
					refused(t, err)
					return
				}
				if e.Offset >= 0 {
					same(t, "stored", inside(t, file, e.Tensor), b)
				}
				want = append(want, b)
				e.BigEndian = false
				if err := z.Add(e.Tensor, from(b)); err != nil {
					refused(t, err) // a name of 64 KB that was read without its extension
					return
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			again := must(ReadNPZ(bytes.NewReader(out.Bytes()), int64(out.Len())))(t)
			if len(again) != len(entries) {
				t.Fatalf("%d of %d entries", len(again), len(entries))
			}
			for i, e := range again {
				if e.Name != entries[i].Name {
					t.Fatalf("%q became %q", entries[i].Name, e.Name)
				}
				check(t, e.Tensor, entries[i].Dtype, entries[i].Shape)
				b := make([]byte, e.Size)
				if err := e.ReadInto(b); err != nil {
					t.Fatal(err)
				}
				same(t, e.Name, b, want[i])
			}
		}
	})
}

func FuzzSafetensors(f *testing.F) {
	seeds(f, "*.safetensors", malformedSafetensors())
	f.Fuzz(func(t *testing.T, file []byte) {
		tensors, metadata, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		end, streamErr := extent(t, "safetensors", file)
		if err != nil {
			refused(t, err)
			return
		}
		if streamErr != nil || end != int64(len(file)) {
			t.Fatalf("%d bytes of a stream, %d of a file: %v", end, len(file), streamErr)
		}
		want := map[string][]byte{}
		for _, x := range tensors {
			want[x.Name] = inside(t, file, x)
		}
		var out bytes.Buffer
		err = WriteSafetensors(&out, tensors, metadata, checkOf(nil), func(i int, w io.Writer) error {
			_, err := w.Write(want[tensors[i].Name])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		again, againMetadata, err := ReadSafetensors(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(tensors) || !maps.Equal(metadata, againMetadata) {
			t.Fatalf("%d of %d tensors, metadata %q and %q", len(again), len(tensors), metadata, againMetadata)
		}
		for _, x := range again {
			k := slices.IndexFunc(tensors, func(y Tensor) bool { return x.Name == y.Name })
			check(t, x, tensors[k].Dtype, tensors[k].Shape)
			same(t, x.Name, inside(t, out.Bytes(), x), want[x.Name])
		}
	})
}
