package format

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mlx-go/mlx_go/core/dtype"
)

const (
	npyMagic = "\x93NUMPY"
	// A header of 64 dimensions of 19 digits is 1.4 KB; the rest is padding.
	maxNPYHeader = 1 << 20
	npyAlign     = 64
)

// ReadNPY reads the header of an npy file of size bytes.
func ReadNPY(r io.ReaderAt, size int64) (Tensor, error) {
	t, err := readNPYHeader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return Tensor{}, named(r, err)
	}
	if have := size - t.Offset; t.Size > have {
		return Tensor{}, named(r, bad("data", "shape %v of %v takes %d bytes, the file has %d after its header",
			t.Shape, t.Dtype, t.Size, have))
	}
	return t, nil
}

// readNPYHeader consumes the header and nothing after it. size bounds the
// header only: whether the data is there is for the caller to check.
func readNPYHeader(r io.Reader, size int64) (Tensor, error) {
	var pre [12]byte // the last two stay 0 in version 1
	if err := readExact(r, pre[:8], "magic"); err != nil {
		return Tensor{}, err
	}
	major, offset, err := npyVersion(pre[:])
	if err != nil {
		return Tensor{}, err
	}
	if err := readExact(r, pre[8:offset], "header length"); err != nil {
		return Tensor{}, err
	}
	length := int64(binary.LittleEndian.Uint32(pre[8:]))
	if length > size-offset {
		return Tensor{}, bad("header length", "%d bytes, the file has %d left", length, size-offset)
	}
	if length > maxNPYHeader {
		return Tensor{}, bad("header length", "%d bytes, the most is %d", length, maxNPYHeader)
	}
	header := make([]byte, length)
	if err := readExact(r, header, "header"); err != nil {
		return Tensor{}, err
	}
	if major == 3 && !utf8.Valid(header) {
		return Tensor{}, bad("header", "is not UTF-8, as version 3.0 calls for")
	}
	h, err := parseNPYHeader(string(header))
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Shape: h.shape, Offset: offset + length}
	// Vectors and scalars have one order; some writers call it Fortran's.
	t.FortranOrder = h.fortranOrder && len(h.shape) > 1
	if t.Dtype, t.BigEndian, err = parseDescr(h.descr); err != nil {
		return Tensor{}, err
	}
	if t.Size, err = byteSize(t.Dtype, t.Shape); err != nil {
		return Tensor{}, err
	}
	return t, nil
}

// npyVersion reads the magic and the version, and returns where the header begins.
func npyVersion(pre []byte) (major byte, offset int64, err error) {
	if string(pre[:6]) != npyMagic {
		return 0, 0, bad("magic", "%q is not the %q of an npy file", pre[:6], npyMagic)
	}
	major, minor := pre[6], pre[7]
	if major < 1 || major > 3 || minor != 0 {
		return 0, 0, bad("version", "%d.%d is none of 1.0, 2.0, 3.0", major, minor)
	}
	if major == 1 {
		return major, 10, nil
	}
	return major, 12, nil
}

var descrs = map[string]dtype.Dtype{
	"b1": dtype.Bool, "?": dtype.Bool,
	"u1": dtype.Uint8, "u2": dtype.Uint16, "u4": dtype.Uint32, "u8": dtype.Uint64,
	"i1": dtype.Int8, "i2": dtype.Int16, "i4": dtype.Int32, "i8": dtype.Int64,
	"f2": dtype.Float16, "f4": dtype.Float32, "f8": dtype.Float64,
	"V2": dtype.BFloat16, "c8": dtype.Complex64,
}

// parseDescr reads an array-protocol type string. '=' and '|' mean the order of
// the reader, which is little-endian.
func parseDescr(s string) (dtype.Dtype, bool, error) {
	code := strings.TrimLeft(s, "<>|=")
	if len(s)-len(code) > 1 {
		return 0, false, bad("descr", "%s has more than one byte order", quote(s))
	}
	d, ok := descrs[code]
	if !ok {
		return 0, false, bad("descr", "%s: %s", quote(s), unsupportedDescr(code))
	}
	return d, s[0] == '>' && d.Size() > 1, nil
}

func unsupportedDescr(code string) string {
	if code == "" {
		return "names no type"
	}
	switch code[0] {
	case 'O':
		return "Python objects are pickles, which are never loaded"
	case 'U', 'S', 'a':
		return "arrays of strings are not supported"
	case 'M', 'm':
		return "dates and times are not supported; save them as int64"
	case 'V':
		return "raw bytes are not supported, except V2 for bfloat16"
	case 'c':
		return "complex64 ('<c8') is the only complex type"
	case 'f':
		return "float16, float32 and float64 are the floats supported"
	}
	return "is not a numeric type"
}

func descrOf(d dtype.Dtype) string {
	switch d {
	case dtype.Bool:
		return "|b1"
	case dtype.Uint8:
		return "|u1"
	case dtype.Int8:
		return "|i1"
	case dtype.BFloat16:
		return "<V2"
	case dtype.Complex64:
		return "<c8"
	}
	letter := "f"
	switch d.Group() {
	case dtype.GroupUnsigned:
		letter = "u"
	case dtype.GroupSigned:
		letter = "i"
	}
	return "<" + letter + strconv.Itoa(d.Size())
}

// npyHeader is the header that numpy.save writes for t. NumPy leaves room for
// the axis along which a file can be appended to (the slowest one) to grow to 20
// digits, then pads with spaces and a newline to 64 bytes, adding a full 64
// where nothing would be needed.
func npyHeader(t Tensor) []byte {
	var b strings.Builder
	fortran := t.FortranOrder && len(t.Shape) > 1
	order := "False"
	if fortran {
		order = "True"
	}
	fmt.Fprintf(&b, "{'descr': '%s', 'fortran_order': %s, 'shape': (", descrOf(t.Dtype), order)
	for i, n := range t.Shape {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	if len(t.Shape) == 1 {
		b.WriteString(",")
	}
	b.WriteString("), }")
	if len(t.Shape) > 0 {
		axis := t.Shape[0]
		if fortran {
			axis = t.Shape[len(t.Shape)-1]
		}
		b.WriteString(strings.Repeat(" ", 21-len(strconv.Itoa(axis))))
	}
	const prefix = 10 // 64 dimensions of 19 digits stay far below the 65535 bytes of version 1
	b.WriteString(strings.Repeat(" ", npyAlign-(prefix+b.Len()+1)%npyAlign))
	b.WriteByte('\n')
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(b.Len()))
	return append(head, b.String()...)
}

// checkWritable makes sure that what is written can be read, and returns the
// number of bytes of data.
func checkWritable(t Tensor) (int64, error) {
	if t.BigEndian {
		return 0, bad("data", "is written little-endian only")
	}
	return byteSize(t.Dtype, t.Shape)
}

// WriteNPY writes an npy file. Of t it uses Dtype, Shape and FortranOrder.
func WriteNPY(w io.Writer, t Tensor, data Data) error {
	size, err := checkWritable(t)
	if err != nil {
		return err
	}
	if _, err := w.Write(npyHeader(t)); err != nil {
		return err
	}
	return writeData(w, size, data)
}

// RowMajorShape is the shape of the row-major array whose bytes lie in the file:
// Shape itself, or reversed in Fortran order.
func (t Tensor) RowMajorShape() []int {
	s := slices.Clone(t.Shape)
	if t.FortranOrder {
		slices.Reverse(s)
	}
	return s
}
