package format

import (
	"encoding/binary"
	"io"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// chunk is small enough that bytes still lie in the cache when they are put in
// order after being read.
const chunk = 1 << 20

// ReadInto reads the data of t into dst, whose length must be t.Size, in
// little-endian order and with every bool 0 or 1. The order of the elements is that
// of the file: where t.FortranOrder is set, dst holds the transposed array.
func ReadInto(dst []byte, r io.ReaderAt, t Tensor) error {
	if t.Offset < 0 {
		return named(r, within("tensor", t.Name, bad("data", "compressed: read it with Entry.ReadInto")))
	}
	return named(r, readInto(dst, io.NewSectionReader(r, t.Offset, t.Size), t))
}

func readInto(dst []byte, r io.Reader, t Tensor) error {
	if int64(len(dst)) != t.Size {
		return bad("data", "%d bytes of memory for an array of %d bytes", len(dst), t.Size)
	}
	step := len(dst)
	if t.BigEndian || t.Dtype == dtype.Bool {
		step = chunk
	}
	for done := 0; done < len(dst); done += step {
		part := dst[done:min(done+step, len(dst))]
		if n, err := io.ReadFull(r, part); err == io.EOF || err == io.ErrUnexpectedEOF {
			return bad("data", "the file ends after %d of %d bytes", done+n, len(dst))
		} else if err != nil {
			return err
		}
		if t.BigEndian {
			swap(part, t.Dtype)
		}
		if t.Dtype == dtype.Bool {
			normalize(part)
		}
	}
	return nil
}

// swap reverses the bytes of every number; a complex number is two.
func swap(b []byte, d dtype.Dtype) {
	little, big := binary.LittleEndian, binary.BigEndian
	width := d.Size()
	if d == dtype.Complex64 {
		width /= 2
	}
	switch width {
	case 2:
		for ; len(b) >= 2; b = b[2:] {
			little.PutUint16(b, big.Uint16(b))
		}
	case 4:
		for ; len(b) >= 4; b = b[4:] {
			little.PutUint32(b, big.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			little.PutUint64(b, big.Uint64(b))
		}
	}
}

// normalize makes true 1: kernels add and compare bools as bytes, while files
// may hold any byte other than 0 for true.
func normalize(b []byte) {
	for i, v := range b {
		if v > 1 {
			b[i] = 1
		}
	}
}
