package format

import (
	"bytes"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// extent reads a file as a stream is read: as much as Extent asks for, until that is there or the file ends.
func extent(t testing.TB, kind string, file []byte) (int64, error) {
	t.Helper()
	for have := int64(0); ; {
		n, whole, err := Extent(kind, file[:have], func(int) error { return nil })
		if err != nil || whole || n > int64(len(file)) {
			return n, err
		}
		if n <= have {
			t.Fatalf("%d bytes are to be read to know more than %d tell", n, have)
		}
		have = n
	}
}

// A file is as long whatever follows it, and its parts tell no more than they can.
func TestExtent(t *testing.T) {
	x := Tensor{Name: "x", Dtype: dtype.Float32, Shape: []int{5, 2}, Size: 40}
	var npy bytes.Buffer
	if err := WriteNPY(&npy, x, from(counting(x.Dtype, x.Size))); err != nil {
		t.Fatal(err)
	}
	files := map[string][][]byte{
		"npy": {npy.Bytes(), golden(t, "numpy_version2.npy"), golden(t, "numpy_version3.npy"),
			golden(t, "numpy_empty.npy")},
		"safetensors": {
			golden(t, "safetensors_all.safetensors"), golden(t, "mlx_all.safetensors"),
			golden(t, "safetensors_none.safetensors"),
		},
	}
	for kind, list := range files {
		for i, file := range list {
			for _, more := range []string{"", "\x93NUMPY and more"} {
				if n, err := extent(t, kind, append(bytes.Clone(file), more...)); err != nil || n != int64(len(file)) {
					t.Errorf("%s %d: %d bytes instead of %d: %v", kind, i, n, len(file), err)
				}
			}
			for n := range len(file) {
				if m, err := extent(t, kind, file[:n]); err != nil || m <= int64(n) || m > int64(len(file)) {
					t.Fatalf("%s %d: %d of its first %d bytes: %v", kind, i, m, n, err)
				}
			}
		}
	}
}

func TestExtentErrors(t *testing.T) {
	for _, m := range malformedNPY() {
		if _, err := ReadNPY(bytes.NewReader(m.file), int64(len(m.file))); err != nil {
			if n, err := extent(t, "npy", m.file); err != nil {
				refused(t, err)
			} else if n <= int64(len(m.file)) {
				t.Errorf("%s: takes %d of %d bytes", m.what, n, len(m.file))
			}
		}
	}
	for _, m := range malformedSafetensors() {
		if _, err := extent(t, "safetensors", m.file); err != nil {
			refused(t, err)
		}
	}
}

// The caller is asked while a long header is read.
func TestHeadersAreGivenUp(t *testing.T) {
	var header []byte
	for range 10 * checkSteps {
		header = append(header, "{},"...)
	}
	file := safetensorsFile(`{"x":{"unknown":[`+string(header)+`{}]}}`, 0)
	asked := 0
	check := func(int) error {
		if asked++; asked == 3 {
			return ErrCanceled
		}
		return nil
	}
	if _, _, err := Extent("safetensors", file, check); err != ErrCanceled || asked != 3 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}
