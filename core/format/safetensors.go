package format

import (
	"cmp"
	"encoding/binary"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mlx-go/mlx_go/core/dtype"
)

const (
	// The limit of the safetensors package, so that both read the same files.
	maxSafetensorsHeader = 100_000_000
	metadataKey          = "__metadata__"
)

// safetensorsTypes lists the dtypes in the order in which the safetensors
// package lays tensors out: wide ones first, so that all of them are aligned.
var safetensorsTypes = []struct {
	name  string
	dtype dtype.Dtype
}{
	{"U64", dtype.Uint64}, {"I64", dtype.Int64}, {"F64", dtype.Float64}, {"C64", dtype.Complex64},
	{"F32", dtype.Float32}, {"U32", dtype.Uint32}, {"I32", dtype.Int32},
	{"BF16", dtype.BFloat16}, {"F16", dtype.Float16}, {"U16", dtype.Uint16}, {"I16", dtype.Int16},
	{"I8", dtype.Int8}, {"U8", dtype.Uint8}, {"BOOL", dtype.Bool},
}

// safetensorsRank is the place of a dtype in that order.
func safetensorsRank(d dtype.Dtype) int {
	for i, t := range safetensorsTypes {
		if t.dtype == d {
			return i
		}
	}
	return -1
}

func parseSafetensorsType(s string) (dtype.Dtype, error) {
	for _, t := range safetensorsTypes {
		if t.name == s {
			return t.dtype, nil
		}
	}
	switch s {
	case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ":
		return dtype.Uint8, nil // their bytes, as MLX has it
	case "F4", "F6_E2M3", "F6_E3M2":
		return 0, bad("dtype", "%s elements are no whole bytes and not supported; convert the file to F16, BF16 or F32",
			s)
	}
	return 0, bad("dtype", "%s is not a safetensors type", quote(s))
}

// ReadSafetensors reads the header of a safetensors file of size bytes. The
// tensors come in the order of their bytes. The metadata is nil where the file
// has none.
func ReadSafetensors(r io.ReaderAt, size int64) ([]Tensor, map[string]string, error) {
	tensors, metadata, err := readSafetensors(io.NewSectionReader(r, 0, size), size, checkOf(r))
	if err != nil {
		return nil, nil, named(r, err)
	}
	return tensors, metadata, nil
}

func readSafetensors(r io.Reader, size int64, check checker) ([]Tensor, map[string]string, error) {
	var pre [8]byte
	if err := readExact(r, pre[:], "header length"); err != nil {
		return nil, nil, err
	}
	length, err := safetensorsHeaderLength(pre)
	if err != nil {
		return nil, nil, err
	}
	start := 8 + length
	if size < start {
		return nil, nil, bad("header length", "%d bytes, the file has %d left", length, size-8)
	}
	if err := check(int(length)); err != nil {
		return nil, nil, err
	}
	header := make([]byte, length)
	if err := readExact(r, header, "header"); err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := parseSafetensorsHeader(header, check)
	if err != nil {
		return nil, nil, err
	}
	if err := layOut(tensors, start, size-start); err != nil {
		return nil, nil, err
	}
	return tensors, metadata, nil
}

func safetensorsHeaderLength(pre [8]byte) (int64, error) {
	length := binary.LittleEndian.Uint64(pre[:])
	if length > maxSafetensorsHeader {
		return 0, bad("header length", "%d bytes, the most is %d", length, maxSafetensorsHeader)
	}
	return int64(length), nil
}

// parseSafetensorsHeader reads the JSON; offsets are still those of the header.
func parseSafetensorsHeader(header []byte, check checker) ([]Tensor, map[string]string, error) {
	p := &jsonText{b: header, field: "header", check: check}
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, p.fail("does not start with '{'")
	}
	var tensors []Tensor
	var metadata map[string]string
	seen := map[string]bool{}
	err := p.object(func(key string) (err error) {
		if seen[key] {
			return p.fail("has the key %s twice", quote(key))
		}
		seen[key] = true
		if key == metadataKey {
			metadata, err = parseMetadata(p)
		} else {
			var t Tensor
			t, err = parseTensor(p, key)
			tensors = append(tensors, t)
			p.kept += tensorBytes
		}
		p.field = "header"
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if p.space(); p.i != len(header) {
		return nil, nil, p.fail("goes on after its object with %s", p.next())
	}
	return tensors, metadata, nil
}

// parseMetadata reads an object of strings, or null, which MLX writes for none.
func parseMetadata(p *jsonText) (map[string]string, error) {
	p.field = metadataKey
	if p.peek() == 'n' {
		return nil, p.word("null")
	}
	m := map[string]string{}
	err := p.object(func(key string) error {
		if _, ok := m[key]; ok {
			return p.fail("has the key %s twice", quote(key))
		}
		v, err := p.text()
		m[key] = v
		p.kept += textBytes
		return err
	})
	return m, err
}

// parseTensor reads one tensor. Keys that are not known are passed over, as the
// safetensors package does.
func parseTensor(p *jsonText, name string) (Tensor, error) {
	t := Tensor{Name: name}
	prefix := "tensor " + quote(name)
	p.field = prefix
	var seen [3]bool
	var offsets []int64
	once := func(i int, key string) error {
		p.field = prefix + ", " + key
		if seen[i] {
			return p.fail("is there twice")
		}
		seen[i] = true
		return nil
	}
	err := p.object(func(key string) (err error) {
		defer func() { p.field = prefix }()
		switch key {
		case "dtype":
			if err := once(0, key); err != nil {
				return err
			}
			s, err := p.text()
			if err != nil {
				return err
			}
			if t.Dtype, err = parseSafetensorsType(s); err != nil {
				return within("tensor", name, err)
			}
			return nil
		case "shape":
			if err := once(1, key); err != nil {
				return err
			}
			t.Shape, err = parseShape(p)
			return err
		case "data_offsets":
			if err := once(2, key); err != nil {
				return err
			}
			offsets, err = parseOffsets(p)
			return err
		}
		return p.skip(0)
	})
	if err != nil {
		return t, err
	}
	for i, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[i] {
			return t, bad(prefix+", "+key, "is missing")
		}
	}
	if t.Size, err = byteSize(t.Dtype, t.Shape); err != nil {
		return t, within("tensor", name, err)
	}
	begin, end := offsets[0], offsets[1]
	if begin > end {
		return t, bad(prefix+", data_offsets", "the begin %d lies behind the end %d", begin, end)
	}
	if end-begin != t.Size {
		return t, bad(prefix+", data_offsets", "[%d, %d] are %d bytes, shape %v of %v takes %d",
			begin, end, end-begin, t.Shape, t.Dtype, t.Size)
	}
	t.Offset = begin
	return t, nil
}

func parseShape(p *jsonText) ([]int, error) {
	shape := []int{}
	err := p.array(func() error {
		n, err := p.natural()
		if err == nil && int64(int(n)) != n {
			err = p.fail("dimension %d is more than the machine can address", n)
		}
		if shape = append(shape, int(n)); err == nil && len(shape) > MaxRank {
			err = p.fail("more than %d dimensions", MaxRank)
		}
		return err
	})
	return shape, err
}

// parseOffsets reads where a tensor's bytes begin and end.
func parseOffsets(p *jsonText) (offsets []int64, err error) {
	err = p.array(func() error {
		n, err := p.natural()
		if offsets = append(offsets, n); err == nil && len(offsets) > 2 {
			err = p.fail("has more than a begin and an end")
		}
		return err
	})
	if err == nil && len(offsets) != 2 {
		err = p.fail("has %d numbers instead of a begin and an end", len(offsets))
	}
	return offsets, err
}

// layOut sorts the tensors by their bytes, checks that they cover the size bytes
// of the buffer once and without gaps, and makes the offsets those of the file.
func layOut(tensors []Tensor, start, size int64) error {
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), strings.Compare(a.Name, b.Name))
	})
	var end int64
	for i := range tensors {
		t := &tensors[i]
		field := "tensor " + quote(t.Name) + ", data_offsets"
		switch {
		case t.Offset > size || t.Size > size-t.Offset:
			return bad(field, "[%d, %d] go beyond the %d bytes of data in the file", t.Offset, t.Offset+t.Size, size)
		case t.Offset < end:
			return bad(field, "begin at %d, inside of tensor %s, which ends at %d", t.Offset, quote(tensors[i-1].Name),
				end)
		case t.Offset > end:
			return bad(field, "begin at %d and leave a gap after byte %d", t.Offset, end)
		}
		end += t.Size
		t.Offset += start
	}
	if end != size {
		return bad("data", "the file has %d bytes of data, its tensors cover %d", size, end)
	}
	return nil
}

// WriteSafetensors writes a safetensors file. Of each tensor it uses Name, Dtype
// and Shape; data writes the row-major bytes of tensors[i] and is called in the
// order of the file, which is not that of the slice. Metadata that is nil is left
// out. check is asked while the header is made.
func WriteSafetensors(
	w io.Writer, tensors []Tensor, metadata map[string]string, check func(bytes int) error,
	data func(i int, w io.Writer) error,
) error {
	order := make([]int, len(tensors))
	sizes := make([]int64, len(tensors))
	seen := map[string]bool{}
	for i, t := range tensors {
		order[i] = i
		var err error
		switch {
		case t.Name == metadataKey:
			err = bad("name", "is reserved for the metadata")
		case seen[t.Name]:
			err = bad("name", "is there twice")
		case !utf8.ValidString(t.Name):
			err = bad("name", "is not UTF-8")
		case t.FortranOrder && len(t.Shape) > 1:
			err = bad("data", "is written in row-major order only")
		default:
			sizes[i], err = checkWritable(t)
		}
		if err != nil {
			return within("tensor", t.Name, err)
		}
		seen[t.Name] = true
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := tensors[i], tensors[j]
		return cmp.Or(safetensorsRank(a.Dtype)-safetensorsRank(b.Dtype), strings.Compare(a.Name, b.Name))
	})
	header, err := safetensorsHeader(tensors, sizes, order, metadata, check)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, i := range order {
		err := writeData(w, sizes[i], func(w io.Writer) error { return data(i, w) })
		if err != nil {
			return within("tensor", tensors[i].Name, err)
		}
	}
	return nil
}

func safetensorsHeader(
	tensors []Tensor, sizes []int64, order []int, metadata map[string]string, check checker,
) ([]byte, error) {
	b := append(make([]byte, 8, 4096), '{')
	if metadata != nil {
		b = append(b, `"__metadata__":{`...)
		for n, k := range slices.Sorted(maps.Keys(metadata)) {
			if n%checkSteps == 0 {
				if err := check(len(b)); err != nil {
					return nil, err
				}
			}
			if !utf8.ValidString(k) || !utf8.ValidString(metadata[k]) {
				return nil, bad(metadataKey, "%s: %s is not UTF-8", quote(k), quote(metadata[k]))
			}
			if n > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, k)
			b = append(b, ':')
			b = appendJSON(b, metadata[k])
		}
		b = append(b, '}')
		if len(order) > 0 {
			b = append(b, ',')
		}
	}
	var end int64
	for n, i := range order {
		if n%checkSteps == 0 {
			if err := check(len(b)); err != nil {
				return nil, err
			}
		}
		if n > 0 {
			b = append(b, ',')
		}
		t := tensors[i]
		b = appendJSON(b, t.Name)
		b = append(b, `:{"dtype":"`...)
		b = append(b, safetensorsTypes[safetensorsRank(t.Dtype)].name...)
		b = append(b, `","shape":[`...)
		for k, d := range t.Shape {
			if k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		b = append(b, `],"data_offsets":[`...)
		b = strconv.AppendInt(b, end, 10)
		b = append(b, ',')
		if sizes[i] > math.MaxInt64-end {
			return nil, bad("data", "the tensors are more than 2^63 bytes")
		}
		end += sizes[i]
		b = strconv.AppendInt(b, end, 10)
		b = append(b, "]}"...)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b)-8 > maxSafetensorsHeader {
		return nil, bad("header", "%d bytes, the most is %d", len(b)-8, maxSafetensorsHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}
