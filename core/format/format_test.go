package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// counting is the data of the golden files: 0, 1, 2, ..., or 0, 1, 0, 1, ... for bool.
func counting(d dtype.Dtype, size int64) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
		if d == dtype.Bool {
			b[i] &= 1
		}
	}
	return b
}

func from(b []byte) Data {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func golden(t testing.TB, name string) []byte {
	return must(os.ReadFile(filepath.Join("testdata", name)))(t)
}

// data reads a tensor of a file in memory.
func data(t testing.TB, file []byte, x Tensor) []byte {
	t.Helper()
	b := make([]byte, x.Size)
	if err := ReadInto(b, bytes.NewReader(file), x); err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t testing.TB, got Tensor, d dtype.Dtype, shape []int) {
	t.Helper()
	size := must(byteSize(d, shape))(t)
	if got.Dtype != d || !slices.Equal(got.Shape, shape) || got.Size != size || got.Shape == nil {
		t.Fatalf("got %v %v of %d bytes, want %v %v of %d", got.Dtype, got.Shape, got.Size, d, shape, size)
	}
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func readNPYFile(t testing.TB, b []byte) Tensor {
	t.Helper()
	return must(ReadNPY(bytes.NewReader(b), int64(len(b))))(t)
}

func TestGoldenNPY(t *testing.T) {
	for _, d := range dtype.All {
		for _, name := range []string{"numpy_" + d.String() + ".npy", "numpy_" + d.String() + "_big.npy"} {
			big := strings.HasSuffix(name, "_big.npy")
			if big && (d.Size() == 1 || d == dtype.BFloat16) {
				continue // NumPy has no such descriptor
			}
			file := golden(t, name)
			x := readNPYFile(t, file)
			check(t, x, d, []int{2, 3})
			if x.BigEndian != big || x.FortranOrder {
				t.Errorf("%s: BigEndian %v, FortranOrder %v", name, x.BigEndian, x.FortranOrder)
			}
			b := data(t, file, x)
			same(t, name, b, counting(d, x.Size))
			if !big {
				var out bytes.Buffer
				if err := WriteNPY(&out, x, from(b)); err != nil {
					t.Fatal(err)
				}
				same(t, "written "+name, out.Bytes(), file)
			}
		}
	}
	for _, c := range []struct {
		file    string
		dtype   dtype.Dtype
		shape   []int
		rewrite bool
	}{
		{"numpy_scalar.npy", dtype.Float32, []int{}, true},
		{"numpy_empty.npy", dtype.Float32, []int{3, 0, 2}, true},
		{"numpy_rank5.npy", dtype.Int16, []int{1, 2, 1, 3, 2}, true},
		{"numpy_version2.npy", dtype.Float32, []int{2, 3, 4}, false},
		{"numpy_version3.npy", dtype.Float32, []int{2, 3, 4}, false},
		{"mlx_float32.npy", dtype.Float32, []int{2, 3}, false},
		{"mlx_bfloat16.npy", dtype.BFloat16, []int{2, 3}, false},
	} {
		file := golden(t, c.file)
		x := readNPYFile(t, file)
		check(t, x, c.dtype, c.shape)
		same(t, c.file, data(t, file, x), counting(c.dtype, x.Size))
		if c.rewrite {
			var out bytes.Buffer
			if err := WriteNPY(&out, x, from(data(t, file, x))); err != nil {
				t.Fatal(err)
			}
			same(t, "written "+c.file, out.Bytes(), file)
		}
	}
}

func TestGoldenFortran(t *testing.T) {
	file := golden(t, "numpy_fortran.npy")
	x := readNPYFile(t, file)
	check(t, x, dtype.Float32, []int{2, 3, 4})
	if !x.FortranOrder || !slices.Equal(x.RowMajorShape(), []int{4, 3, 2}) {
		t.Fatalf("FortranOrder %v, RowMajorShape %v", x.FortranOrder, x.RowMajorShape())
	}
	b := data(t, file, x)
	for i := range 2 {
		for j := range 3 {
			for k := range 4 {
				inFile, counted := k*6+j*2+i, i*12+j*4+k
				if got := b[4*inFile]; got != byte(4*counted) {
					t.Fatalf("element %d,%d,%d starts with %d", i, j, k, got)
				}
			}
		}
	}
	var out bytes.Buffer
	if err := WriteNPY(&out, x, from(b)); err != nil {
		t.Fatal(err)
	}
	same(t, "written", out.Bytes(), file)
}

func TestGoldenNPZ(t *testing.T) {
	want := map[string]struct {
		dtype dtype.Dtype
		shape []int
	}{"w": {dtype.Float32, []int{2, 3, 4}}, "layer/b": {dtype.BFloat16, []int{5}}, "é": {dtype.Int64, []int{}}}
	for _, name := range []string{"numpy_stored.npz", "numpy_deflated.npz", "mlx_stored.npz", "mlx_deflated.npz"} {
		file := golden(t, name)
		entries := must(ReadNPZ(bytes.NewReader(file), int64(len(file))))(t)
		if len(entries) != len(want) {
			t.Fatalf("%s has %d entries", name, len(entries))
		}
		for _, e := range entries {
			w, ok := want[e.Name]
			if !ok {
				t.Fatalf("%s has the entry %q", name, e.Name)
			}
			check(t, e.Tensor, w.dtype, w.shape)
			b := make([]byte, e.Size)
			if err := e.ReadInto(b); err != nil {
				t.Fatal(err)
			}
			same(t, name+" "+e.Name, b, counting(e.Dtype, e.Size))
			if stored := strings.HasSuffix(name, "stored.npz"); stored != (e.Offset >= 0) {
				t.Errorf("%s %s: offset %d", name, e.Name, e.Offset)
			} else if stored {
				same(t, name+" "+e.Name, data(t, file, e.Tensor), b)
			}
		}
	}
}

func TestGoldenSafetensors(t *testing.T) {
	odd := "\\\"\n\x01\x7f é \u2028 😀/<>&"
	for _, name := range []string{"safetensors_all.safetensors", "mlx_all.safetensors"} {
		file := golden(t, name)
		tensors, metadata, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]Tensor{
			"empty":  {Dtype: dtype.Float32, Shape: []int{0, 4}},
			"scalar": {Dtype: dtype.Int32, Shape: []int{}},
			odd:      {Dtype: dtype.Uint8, Shape: []int{3}},
		}
		for _, d := range dtype.All {
			if name != "mlx_all.safetensors" || d != dtype.Float64 {
				want[d.String()] = Tensor{Dtype: d, Shape: []int{2, 3}}
			}
		}
		if len(tensors) != len(want) || metadata != nil {
			t.Fatalf("%s: %d tensors, metadata %v", name, len(tensors), metadata)
		}
		for _, x := range tensors {
			w, ok := want[x.Name]
			if !ok {
				t.Fatalf("%s has the tensor %q", name, x.Name)
			}
			check(t, x, w.Dtype, w.Shape)
			same(t, name+" "+x.Name, data(t, file, x), counting(x.Dtype, x.Size))
		}
		if name == "safetensors_all.safetensors" {
			slices.Reverse(tensors) // the order of the slice must not matter
			same(t, "written", writeSafetensors(t, tensors, nil), file)
		}
	}
	for _, c := range []struct {
		file     string
		metadata map[string]string
		names    []string
	}{
		{"safetensors_none.safetensors", nil, nil},
		{"safetensors_metadata.safetensors", map[string]string{"format": "\tpt"}, []string{"c", "a", "b"}},
		{"mlx_metadata.safetensors", map[string]string{"k": "v"}, []string{"a"}},
	} {
		file := golden(t, c.file)
		tensors, metadata, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, x := range tensors {
			names = append(names, x.Name)
		}
		if !maps.Equal(metadata, c.metadata) || !slices.Equal(names, c.names) {
			t.Errorf("%s: metadata %v, names %q", c.file, metadata, names)
		}
		if !strings.HasPrefix(c.file, "mlx") {
			same(t, "written "+c.file, writeSafetensors(t, tensors, metadata), file)
		}
	}
}

func writeSafetensors(t testing.TB, tensors []Tensor, metadata map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	err := WriteSafetensors(&out, tensors, metadata, checkOf(nil), func(i int, w io.Writer) error {
		_, err := w.Write(counting(tensors[i].Dtype, tensors[i].Size))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var shapes = [][]int{{}, {1}, {7}, {2, 3}, {2, 3, 4}, {2, 1, 3, 2}, {1, 2, 3, 2, 2}, {0}, {0, 5}, {4, 0, 3},
	{0, 0, 0, 0, 0}}

// each visits every dtype and shape, with data that counts.
func each(t *testing.T, visit func(t *testing.T, x Tensor, data []byte)) {
	for _, d := range dtype.All {
		for _, shape := range shapes {
			x := Tensor{Name: fmt.Sprint(d, shape), Dtype: d, Shape: shape}
			x.Size = must(byteSize(d, shape))(t)
			visit(t, x, counting(d, x.Size))
		}
	}
}

func TestRoundTripNPY(t *testing.T) {
	each(t, func(t *testing.T, x Tensor, want []byte) {
		for _, fortran := range []bool{false, true} {
			x.FortranOrder = fortran
			var out bytes.Buffer
			if err := WriteNPY(&out, x, from(want)); err != nil {
				t.Fatal(err)
			}
			got := readNPYFile(t, out.Bytes())
			check(t, got, x.Dtype, x.Shape)
			if got.FortranOrder != (fortran && len(x.Shape) > 1) || got.Offset%64 != 0 {
				t.Errorf("%s: FortranOrder %v, offset %d", x.Name, got.FortranOrder, got.Offset)
			}
			same(t, x.Name, data(t, out.Bytes(), got), want)
		}
	})
}

func TestRoundTripNPZ(t *testing.T) {
	for _, compress := range []bool{false, true} {
		var out bytes.Buffer
		z := NewNPZWriter(&out, compress, checkOf(nil))
		var names []string
		each(t, func(t *testing.T, x Tensor, want []byte) {
			names = append(names, x.Name)
			if err := z.Add(x, from(want)); err != nil {
				t.Fatal(err)
			}
		})
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		entries := must(ReadNPZ(bytes.NewReader(out.Bytes()), int64(out.Len())))(t)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name)
			b := make([]byte, e.Size)
			if err := e.ReadInto(b); err != nil {
				t.Fatal(err)
			}
			same(t, e.Name, b, counting(e.Dtype, e.Size))
			body := must(e.Open())(t)
			same(t, "opened "+e.Name, must(io.ReadAll(body))(t), b)
			body.Close()
			if !compress {
				if e.Offset%64 != 0 {
					t.Errorf("%s at offset %d", e.Name, e.Offset)
				}
				same(t, "stored "+e.Name, data(t, out.Bytes(), e.Tensor), b)
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("got %q, want %q", got, names)
		}
	}
}

func TestRoundTripSafetensors(t *testing.T) {
	var tensors []Tensor
	each(t, func(_ *testing.T, x Tensor, _ []byte) { tensors = append(tensors, x) })
	metadata := map[string]string{"": "", "é": "\"\\\b\f\n\r\t\x1f", "z": "1", "a": "2"}
	file := writeSafetensors(t, tensors, metadata)
	got, gotMetadata, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(gotMetadata, metadata) || len(got) != len(tensors) {
		t.Fatalf("metadata %q, %d tensors", gotMetadata, len(got))
	}
	for i, x := range got {
		k := slices.IndexFunc(tensors, func(y Tensor) bool { return x.Name == y.Name })
		check(t, x, tensors[k].Dtype, tensors[k].Shape)
		same(t, x.Name, data(t, file, x), counting(x.Dtype, x.Size))
		if x.Offset%int64(x.Dtype.Size()) != 0 {
			t.Errorf("%s at offset %d is not aligned", x.Name, x.Offset)
		}
		if i > 0 && x.Offset < got[i-1].Offset {
			t.Errorf("%s comes out of order", x.Name)
		}
	}
}

// Chunks must not tear numbers apart, and any byte other than 0 is true.
func TestReadLargeSwappedAndBool(t *testing.T) {
	want := counting(dtype.Float64, 2*chunk+24)
	file := bytes.Clone(want)
	swap(file, dtype.Float64)
	same(t, "swapped", data(t, file, Tensor{Dtype: dtype.Float64, Size: int64(len(file)), BigEndian: true}), want)
	swap(file, dtype.Float64)
	swap(file, dtype.Complex64)
	same(t, "complex", data(t, file, Tensor{Dtype: dtype.Complex64, Size: int64(len(file)), BigEndian: true}), want)

	truth := data(t, counting(dtype.Uint8, chunk+300), Tensor{Dtype: dtype.Bool, Size: chunk + 300})
	for i, v := range truth {
		if (v != 0) != (byte(i) != 0) || v > 1 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}

func TestReadIntoErrors(t *testing.T) {
	file := golden(t, "numpy_float32.npy")
	x := readNPYFile(t, file)
	r := bytes.NewReader(file)
	wantField(t, "data", ReadInto(make([]byte, 3), r, x))
	wantField(t, "data", ReadInto(make([]byte, x.Size), bytes.NewReader(file[:len(file)-1]), x))
	x.Offset = -1
	wantField(t, "data", ReadInto(make([]byte, x.Size), r, x))

	broken := errors.New("the disk is on fire")
	for _, err := range []error{
		ReadInto(make([]byte, x.Size), failing{broken}, Tensor{Size: x.Size}),
		second(ReadNPY(failing{broken}, 100)),
		second(ReadNPZ(failing{broken}, 100)),
		third(ReadSafetensors(failing{broken}, 100)),
	} {
		var f *FormatError
		if !errors.Is(err, broken) || errors.As(err, &f) {
			t.Errorf("got %v", err)
		}
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// wantField checks that err is a FormatError whose field ends in field.
func wantField(t testing.TB, field string, err error) {
	t.Helper()
	var f *FormatError
	if !errors.As(err, &f) {
		t.Errorf("got %v, want a FormatError of %s", err, field)
	} else if !strings.HasSuffix(f.Field, field) || f.Detail == "" {
		t.Errorf("got the field %q (%s), want %q", f.Field, f.Detail, field)
	}
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("no space left")
	f32 := Tensor{Name: "x", Dtype: dtype.Float32, Shape: []int{2}}
	eight := from(make([]byte, 8))
	with := func(change func(*Tensor)) Tensor {
		x := f32
		change(&x)
		return x
	}
	for field, x := range map[string]Tensor{
		"shape": with(func(x *Tensor) { x.Shape = []int{-1} }),
		"dtype": with(func(x *Tensor) { x.Dtype = dtype.Dtype(dtype.Count) }),
		"data":  with(func(x *Tensor) { x.BigEndian = true }),
	} {
		wantField(t, field, WriteNPY(io.Discard, x, eight))
		wantField(t, field, NewNPZWriter(io.Discard, false, checkOf(nil)).Add(x, eight))
		wantField(t, field, WriteSafetensors(io.Discard, []Tensor{x}, nil, checkOf(nil), nil))
	}
	wantField(t, "shape", WriteNPY(io.Discard, with(func(x *Tensor) { x.Shape = make([]int, 65) }), eight))
	wantField(t, "shape", WriteNPY(io.Discard, with(func(x *Tensor) { x.Shape = []int{math.MaxInt, 2, 0} }), eight))
	wantField(t, "data", WriteNPY(io.Discard, f32, from(make([]byte, 7))))
	wantField(t, "data", WriteNPY(io.Discard, f32, from(make([]byte, 9))))
	if err := WriteNPY(io.Discard, f32, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := WriteNPY(full{broken}, f32, eight); !errors.Is(err, broken) {
		t.Error(err)
	}

	z := NewNPZWriter(io.Discard, true, checkOf(nil))
	if err := z.Add(f32, eight); err != nil {
		t.Fatal(err)
	}
	wantField(t, "name", z.Add(f32, eight))
	wantField(t, "name", z.Add(with(func(x *Tensor) { x.Name = "\xff" }), eight))
	wantField(t, "name", z.Add(with(func(x *Tensor) { x.Name = "a\x00" }), eight))
	wantField(t, "name", z.Add(with(func(x *Tensor) { x.Name = strings.Repeat("x", 65533) }), eight))

	write := func(metadata map[string]string, x ...Tensor) error {
		return WriteSafetensors(io.Discard, x, metadata, checkOf(nil),
			func(_ int, w io.Writer) error { return eight(w) })
	}
	wantField(t, "name", write(nil, f32, f32))
	wantField(t, "name", write(nil, with(func(x *Tensor) { x.Name = "__metadata__" })))
	wantField(t, "name", write(nil, with(func(x *Tensor) { x.Name = "\xff" })))
	wantField(t, "data", write(nil, with(func(x *Tensor) { x.Shape, x.FortranOrder = []int{2, 1}, true })))
	wantField(t, "data", write(nil, with(func(x *Tensor) { x.Shape = []int{3} })))
	wantField(t, "__metadata__", write(map[string]string{"a": "\xff"}, f32))
	huge := with(func(x *Tensor) { x.Shape = []int{math.MaxInt / 4} })
	wantField(t, "data", write(nil, huge, with(func(x *Tensor) { x.Name, x.Shape = "y", huge.Shape })))
}

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }
