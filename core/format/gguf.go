package format

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
)

const (
	ggufMagic     = "GGUF"
	ggufAlignment = 32
	alignmentKey  = "general.alignment"
)

// GGUF is what a GGUF file holds.
type GGUF struct {
	Tensors  []GGUFTensor
	Metadata []GGUFValue
}

// GGUFTensor is a tensor whose elements lie in the file as they are, or in blocks of quantized ones: then Dtype is
// uint8 and Shape ends with the bytes of a row.
type GGUFTensor struct {
	Tensor
	Blocks *BlockType // nil for plain elements
}

// GGUFValue is one pair of the metadata: text, a list of texts, a number, or a list of numbers.
type GGUFValue struct {
	Key    string
	Texts  []string
	IsText bool // Texts holds the value: as a list, or the only one
	List   bool
	Dtype  dtype.Dtype
	Data   []byte // of numbers, little-endian
}

// ggufTypes are the types of tensors whose elements are numbers.
var ggufTypes = map[uint32]dtype.Dtype{
	0: dtype.Float32, 1: dtype.Float16, 24: dtype.Int8, 25: dtype.Int16, 26: dtype.Int32, 27: dtype.Int64,
	28: dtype.Float64, 30: dtype.BFloat16,
}

// ggufNumbers are the types of numbers in the metadata.
var ggufNumbers = map[uint32]dtype.Dtype{
	0: dtype.Uint8, 1: dtype.Int8, 2: dtype.Uint16, 3: dtype.Int16, 4: dtype.Uint32, 5: dtype.Int32, 6: dtype.Float32,
	7: dtype.Bool, 10: dtype.Uint64, 11: dtype.Int64, 12: dtype.Float64,
}

const (
	ggufText = 8
	ggufList = 9
)

// ggufNames are types that other programs write and that are not read here.
var ggufNames = map[uint32]string{
	6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K",
}

// ReadGGUF reads the header of a GGUF file of size bytes, of version 2 or 3 and little-endian. The tensors come in the
// order of the header.
func ReadGGUF(r io.ReaderAt, size int64) (*GGUF, error) {
	g := &ggufHeader{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), left: size, check: checkOf(r)}
	out, err := g.read(size)
	if err != nil {
		return nil, named(r, err)
	}
	return out, nil
}

// ggufHeader reads the header. Counts and lengths are held to the bytes that are left.
type ggufHeader struct {
	r     *bufio.Reader
	left  int64
	check checker
	steps int
	kept  int
}

func (g *ggufHeader) bytes(n int64, field string) ([]byte, error) {
	if n > g.left {
		return nil, bad(field, "%d bytes, the file has %d left", n, g.left)
	}
	if g.kept += int(n); n > 1<<16 {
		if err := g.check(g.kept); err != nil {
			return nil, err
		}
	}
	b := make([]byte, n)
	g.left -= n
	return b, readExact(g.r, b, field)
}

func (g *ggufHeader) u32(field string) (uint32, error) {
	b, err := g.bytes(4, field)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// count reads a number of things that take at least least bytes each.
func (g *ggufHeader) count(least int64, field string) (int64, error) {
	b, err := g.bytes(8, field)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(g.left/least) {
		return 0, bad(field, "%d, and the file has %d bytes left", n, g.left)
	}
	return int64(n), nil
}

func (g *ggufHeader) text(field string) (string, error) {
	n, err := g.count(1, field)
	if err != nil {
		return "", err
	}
	b, err := g.bytes(n, field)
	g.kept += textBytes
	return string(b), err
}

// step asks from time to time whether to go on.
func (g *ggufHeader) step() error {
	if g.steps++; g.steps%checkSteps == 0 {
		return g.check(g.kept)
	}
	return nil
}

func (g *ggufHeader) read(size int64) (*GGUF, error) {
	magic, err := g.bytes(4, "magic")
	if err == nil && string(magic) != ggufMagic {
		err = bad("magic", "%q is not %q", magic, ggufMagic)
	}
	if err != nil {
		return nil, err
	}
	version, err := g.u32("version")
	if err == nil && version != 2 && version != 3 {
		err = bad("version", "%d is not 2 or 3; big-endian files and version 1 are not supported", version)
	}
	if err != nil {
		return nil, err
	}
	tensors, err := g.count(24, "number of tensors")
	if err != nil {
		return nil, err
	}
	pairs, err := g.count(12, "number of metadata pairs")
	if err != nil {
		return nil, err
	}
	out := &GGUF{}
	alignment, err := g.metadata(out, pairs)
	if err != nil {
		return nil, err
	}
	for range tensors {
		t, err := g.tensor()
		if err != nil {
			return nil, err
		}
		out.Tensors = append(out.Tensors, t)
		g.kept += tensorBytes
		if err := g.step(); err != nil {
			return nil, err
		}
	}
	header := size - g.left
	return out, placeGGUF(out.Tensors, (header+alignment-1)/alignment*alignment, size, alignment)
}

// metadata reads the pairs and says how the tensors are aligned.
func (g *ggufHeader) metadata(out *GGUF, pairs int64) (alignment int64, err error) {
	alignment = ggufAlignment
	seen := map[string]bool{}
	for range pairs {
		key, err := g.text("key of the metadata")
		if err != nil {
			return 0, err
		}
		field := "metadata " + quote(key)
		if seen[key] {
			return 0, bad(field, "is there twice")
		}
		seen[key] = true
		kind, err := g.u32(field)
		if err != nil {
			return 0, err
		}
		v, err := g.value(kind, field)
		if err != nil {
			return 0, err
		}
		v.Key = key
		out.Metadata = append(out.Metadata, v)
		if key == alignmentKey {
			if v.IsText || v.List || v.Dtype != dtype.Uint32 {
				return 0, bad(field, "is no number of 32 bits")
			}
			alignment = int64(binary.LittleEndian.Uint32(v.Data))
			if alignment < 1 || alignment > 1<<20 {
				return 0, bad(field, "%d is not in 1 to 2^20", alignment)
			}
		}
		if err := g.step(); err != nil {
			return 0, err
		}
	}
	return alignment, nil
}

func (g *ggufHeader) value(kind uint32, field string) (v GGUFValue, err error) {
	if d, ok := ggufNumbers[kind]; ok {
		v.Dtype = d
		v.Data, err = g.numbers(d, 1, field)
		return v, err
	}
	switch kind {
	case ggufText:
		s, err := g.text(field)
		return GGUFValue{IsText: true, Texts: []string{s}}, err
	case ggufList:
		if kind, err = g.u32(field); err != nil {
			return v, err
		}
		if d, ok := ggufNumbers[kind]; ok {
			n, err := g.count(int64(d.Size()), field)
			if err != nil {
				return v, err
			}
			v = GGUFValue{List: true, Dtype: d}
			v.Data, err = g.numbers(d, n, field)
			return v, err
		}
		if kind == ggufText {
			return g.texts(field)
		}
		return v, bad(field, "is a list of type %d, which is not supported", kind)
	}
	return v, bad(field, "has the type %d, which GGUF does not know", kind)
}

func (g *ggufHeader) numbers(d dtype.Dtype, n int64, field string) ([]byte, error) {
	b, err := g.bytes(n*int64(d.Size()), field)
	if d == dtype.Bool {
		normalize(b)
	}
	return b, err
}

func (g *ggufHeader) texts(field string) (v GGUFValue, err error) {
	n, err := g.count(8, field)
	if err != nil {
		return v, err
	}
	v = GGUFValue{IsText: true, List: true, Texts: []string{}}
	for range n {
		s, err := g.text(field)
		if err != nil {
			return v, err
		}
		v.Texts = append(v.Texts, s)
		if err := g.step(); err != nil {
			return v, err
		}
	}
	return v, nil
}

// tensor reads what the header says of one tensor; the offset is still that of the header.
func (g *ggufHeader) tensor() (t GGUFTensor, err error) {
	if t.Name, err = g.text("name of a tensor"); err != nil {
		return t, err
	}
	field := "tensor " + quote(t.Name)
	rank, err := g.u32(field)
	if err == nil && rank > MaxRank {
		err = bad(field, "%d dimensions, the most is %d", rank, MaxRank)
	}
	if err != nil {
		return t, err
	}
	t.Shape = make([]int, rank)
	for i := range t.Shape {
		b, err := g.bytes(8, field)
		if err != nil {
			return t, err
		}
		n := binary.LittleEndian.Uint64(b)
		if n > 1<<62 {
			return t, bad(field, "the dimension %d is too large", n)
		}
		t.Shape[len(t.Shape)-1-i] = int(n) // the innermost comes first
	}
	kind, err := g.u32(field)
	if err != nil {
		return t, err
	}
	if err := t.typed(kind, field); err != nil {
		return t, err
	}
	b, err := g.bytes(8, field)
	if err != nil {
		return t, err
	}
	offset := binary.LittleEndian.Uint64(b)
	if offset > 1<<62 {
		return t, bad(field, "the offset %d is too large", offset)
	}
	t.Offset = int64(offset)
	return t, nil
}

// typed finds out how many bytes the tensor takes.
func (t *GGUFTensor) typed(kind uint32, field string) error {
	if d, ok := ggufTypes[kind]; ok {
		t.Dtype = d
		return t.sized()
	}
	t.Blocks = blockTypes[kind]
	if t.Blocks == nil {
		name := ggufNames[kind]
		if name == "" {
			return bad(field, "has the type %d, which is not supported", kind)
		}
		return bad(field, "has the type %s, which is not supported: convert the file to F16, Q4_0, Q4_1 or Q8_0", name)
	}
	n := len(t.Shape) - 1
	if n < 0 || t.Shape[n]%blockElements != 0 {
		return bad(field, "of shape %v has rows that are no whole blocks of %d", t.Shape, blockElements)
	}
	t.Dtype = dtype.Uint8
	if t.Shape[n]/blockElements > 1<<40 {
		return bad(field, "of shape %v is too large", t.Shape)
	}
	t.Shape[n] = t.Shape[n] / blockElements * t.Blocks.Bytes
	return t.sized()
}

func (t *GGUFTensor) sized() (err error) {
	if t.Size, err = byteSize(t.Dtype, t.Shape); err != nil {
		return within("tensor", t.Name, err)
	}
	return nil
}

// placeGGUF makes the offsets those of the file, and checks that tensors lie inside of it and do not share bytes.
func placeGGUF(tensors []GGUFTensor, start, size, alignment int64) error {
	order := make([]int, len(tensors))
	seen := map[string]bool{}
	for i := range tensors {
		t := &tensors[i]
		order[i] = i
		field := "tensor " + quote(t.Name)
		switch {
		case seen[t.Name]:
			return bad(field, "is there twice")
		case t.Offset%alignment != 0:
			return bad(field, "the offset %d is no multiple of %d", t.Offset, alignment)
		case t.Size > 0 && (start > size || t.Offset > size-start || t.Size > size-start-t.Offset):
			return bad(field, "%d bytes from %d on go beyond the %d bytes of the file", t.Size, start+t.Offset, size)
		}
		seen[t.Name] = true
		t.Offset = min(start+t.Offset, size)
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &tensors[i], &tensors[j]
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size))
	})
	var end int64
	for _, i := range order {
		t := &tensors[i]
		if t.Size > 0 && t.Offset < end {
			return bad("tensor "+quote(t.Name), "shares bytes with another one")
		}
		end = max(end, t.Offset+t.Size)
	}
	return nil
}
