package format

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// MaxRank is the largest number of dimensions in a file. It is NumPy's limit,
// so whatever is written here can be loaded there.
const MaxRank = 64

// Tensor says what an array is and where its bytes lie in its source.
type Tensor struct {
	Name   string // the key in an npz or safetensors file; empty for npy
	Dtype  dtype.Dtype
	Shape  []int
	Offset int64 // first byte of the data, from the start of the source; -1 for a compressed npz member
	Size   int64 // bytes of data: the product of Shape times Dtype.Size()

	BigEndian    bool // the bytes of each number lie in reverse; ReadInto swaps them
	FortranOrder bool // column-major: the bytes are those of the transposed array in row-major order; rank 2 or more
}

// Data writes the little-endian bytes of an array, all of them, in the order
// that the header promises.
type Data func(w io.Writer) error

// FormatError is a file that is not what it says it is, or an array that the
// format cannot hold.
type FormatError struct {
	File   string // empty where the source has no name
	Field  string // the field of the file that is wrong
	Detail string // what is wrong with it
}

func (e *FormatError) Error() string {
	s := e.Field + ": " + e.Detail
	if e.File != "" {
		s = e.File + ": " + s
	}
	return s
}

func bad(field, format string, args ...any) *FormatError {
	return &FormatError{Field: field, Detail: fmt.Sprintf(format, args...)}
}

// within puts the name of a member or tensor in front of the field.
func within(kind, name string, err error) error {
	var f *FormatError
	if errors.As(err, &f) {
		return &FormatError{File: f.File, Field: kind + " " + quote(name) + ", " + f.Field, Detail: f.Detail}
	}
	return fmt.Errorf("%s %s: %w", kind, quote(name), err)
}

// named gives a FormatError the name of its source.
func named(r io.ReaderAt, err error) error {
	var f *FormatError
	if n, ok := r.(interface{ Name() string }); ok && errors.As(err, &f) && f.File == "" {
		return &FormatError{File: n.Name(), Field: f.Field, Detail: f.Detail}
	}
	return err
}

// A checker says, while headers are read, whether to go on: whether the caller still waits, and whether there is room
// for a table of so many bytes. Tables grow by copying, and garbage doubles them until it is collected.
type checker func(bytes int) error

const (
	checkSteps  = 1 << 10 // how many members are read between two checks
	tensorBytes = 512     // what a tensor takes in tables
	textBytes   = 160     // what a pair of metadata takes, without its text
	entryBytes  = 768     // what a member of an archive takes
)

// checkOf is the Check method of a source.
func checkOf(r io.ReaderAt) checker {
	if c, ok := r.(interface{ Check(int) error }); ok {
		return c.Check
	}
	return func(int) error { return nil }
}

// quote keeps a hostile name from filling the screen.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// byteSize is the number of bytes of an array. The product is taken over the
// dimensions other than 0, so that strides cannot overflow either when the
// array is empty.
func byteSize(d dtype.Dtype, shape []int) (int64, error) {
	if int(d) >= dtype.Count {
		return 0, bad("dtype", "%d is no dtype", d)
	}
	if len(shape) > MaxRank {
		return 0, bad("shape", "%d dimensions, the most is %d", len(shape), MaxRank)
	}
	product, empty := uint64(d.Size()), false
	for _, n := range shape {
		if n < 0 {
			return 0, bad("shape", "dimension %d of %v is negative", n, shape)
		}
		if n == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(product, uint64(n))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, bad("shape", "%v of %v is more than 2^63 bytes", shape, d)
		}
		product = lo
	}
	if empty {
		return 0, nil
	}
	return int64(product), nil
}

// readExact fills a slice, and turns an early end into an error of the field.
func readExact(r io.Reader, b []byte, field string) error {
	n, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return bad(field, "the file ends after %d of %d bytes", n, len(b))
	}
	return err
}

// exact passes on n bytes and no more, so that a header can never promise
// something other than what follows it.
type exact struct {
	w    io.Writer
	left int64
}

func (e *exact) Write(b []byte) (int, error) {
	if int64(len(b)) > e.left {
		return 0, bad("data", "%d bytes more than dtype and shape call for", int64(len(b))-e.left)
	}
	n, err := e.w.Write(b)
	e.left -= int64(n)
	return n, err
}

// writeData runs data and holds it to size bytes.
func writeData(w io.Writer, size int64, data Data) error {
	e := &exact{w, size}
	if err := data(e); err != nil {
		return err
	}
	if e.left != 0 {
		return bad("data", "%d bytes fewer than dtype and shape call for", e.left)
	}
	return nil
}
