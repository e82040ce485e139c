package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
)

func noCheck(int) error { return nil }

// ggufBytes puts numbers and texts behind each other as GGUF has them; a string is its bytes, text its length, too.
type text string

func ggufBytes(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case text:
			b = appendText(b, string(p))
		case []byte:
			b = append(b, p...)
		default:
			var err error
			if b, err = binary.Append(b, binary.LittleEndian, p); err != nil {
				panic(err)
			}
		}
	}
	return b
}

// ggufFile is a file with the given tensors and pairs, whose data is put behind the header's padding.
func ggufFile(tensors, pairs uint64, header []byte, data []byte) []byte {
	b := ggufBytes(ggufMagic, uint32(3), tensors, pairs, header)
	return append(append(b, make([]byte, padded(int64(len(b)))-int64(len(b)))...), data...)
}

func oneTensor(kind uint32, offset uint64, data int, shape ...uint64) []byte {
	h := ggufBytes(text("a.weight"), uint32(len(shape)))
	for i := len(shape) - 1; i >= 0; i-- {
		h = ggufBytes(h, shape[i])
	}
	return ggufFile(1, 0, ggufBytes(h, kind, offset), make([]byte, data))
}

func malformedGGUF() []malformed {
	good := oneTensor(0, 0, 24, 2, 3)
	pair := func(parts ...any) []byte { return ggufFile(0, 1, ggufBytes(parts...), nil) }
	two := func(offset uint64, second string) []byte {
		h := ggufBytes(text("a"), uint32(1), uint64(16), uint32(0), uint64(0))
		return ggufFile(2, 0, ggufBytes(h, text(second), uint32(1), uint64(8), uint32(0), offset), make([]byte, 96))
	}
	many := uint64(1) << 60
	return []malformed{
		{"empty file", "magic", nil},
		{"another file", "magic", []byte("PK\x03\x04 and so on")},
		{"no version", "version", []byte("GGUF")},
		{"version 1", "version", ggufBytes("GGUF", uint32(1), many)},
		{"big-endian", "version", []byte("GGUF\x00\x00\x00\x03")},
		{"tensors beyond the file", "number of tensors", ggufBytes("GGUF", uint32(3), many, uint64(0))},
		{"pairs beyond the file", "number of metadata pairs", ggufBytes("GGUF", uint32(3), uint64(0), many)},
		{"a long key", "key of the metadata", pair(many, "xxxxxxxxxxxxxxxx")},
		{"an unknown type", "metadata \"k\"", pair(text("k"), uint32(13), uint64(0))},
		{"a list of lists", "metadata \"k\"", pair(text("k"), uint32(9), uint32(9), uint64(0), uint64(0))},
		{"a long list", "metadata \"k\"", pair(text("k"), uint32(9), uint32(0), many)},
		{"a long list of texts", "metadata \"k\"", pair(text("k"), uint32(9), uint32(8), many)},
		{"a cut number", "metadata \"k\"", pair(text("k"), uint32(10), uint32(0))[:40]},
		{"a key twice", "metadata \"k\"",
			ggufFile(0, 2, ggufBytes(text("k"), uint32(0), "x", text("k"), uint32(0), "x"), nil)},
		{"alignment 0", "metadata \"general.alignment\"", pair(text(alignmentKey), uint32(4), uint32(0))},
		{"alignment of a text", "metadata \"general.alignment\"", pair(text(alignmentKey), uint32(8), text("32"))},
		{"too many dimensions", "tensor \"a.weight\"", oneTensor(0, 0, 4, slices.Repeat([]uint64{1}, 65)...)},
		{"a large shape", "tensor \"a.weight\", shape", oneTensor(0, 0, 4, 1<<61, 1<<61)},
		{"a huge dimension", "tensor \"a.weight\"", oneTensor(0, 0, 4, 1<<63)},
		{"an unknown type of a tensor", "tensor \"a.weight\"", oneTensor(99, 0, 24, 2, 3)},
		{"Q4_K", "tensor \"a.weight\"", oneTensor(12, 0, 144, 256)},
		{"no whole blocks", "tensor \"a.weight\"", oneTensor(2, 0, 18, 33)},
		{"blocks of a scalar", "tensor \"a.weight\"", oneTensor(2, 0, 18)},
		{"data beyond the file", "tensor \"a.weight\"", good[:len(good)-1]},
		{"an offset beyond the file", "tensor \"a.weight\"", oneTensor(0, 1<<40, 24, 2, 3)},
		{"a huge offset", "tensor \"a.weight\"", oneTensor(0, 1<<63, 24, 2, 3)},
		{"an odd offset", "tensor \"a.weight\"", oneTensor(0, 1, 32, 2, 3)},
		{"shared bytes", "tensor \"b\"", two(32, "b")},
		{"a name twice", "tensor \"a\"", two(64, "a")},
	}
}

func TestMalformedGGUF(t *testing.T) {
	for _, m := range malformedGGUF() {
		_, err := ReadGGUF(bytes.NewReader(m.file), int64(len(m.file)))
		if e, ok := err.(*FormatError); !ok || !strings.HasPrefix(e.Field, m.field) {
			t.Errorf("%s: %v, not an error of %s", m.what, err, m.field)
		}
	}
}

func TestGoldenGGUF(t *testing.T) {
	file := golden(t, "mlx.gguf")
	g := must(ReadGGUF(bytes.NewReader(file), int64(len(file))))(t)
	want := map[string]string{
		"text": `"words"`, "list": `["a","","c"]`, "number": "int32 [7 0 0 0] false", "flag": "bool [1] false",
		"numbers": "float32 [0 0 128 63 0 0 32 64] true",
	}
	for _, v := range g.Metadata {
		got := fmt.Sprint(v.Dtype, " ", v.Data, " ", v.List)
		if v.IsText {
			got = string(v.AppendTexts(nil))
		}
		if got != want[v.Key] {
			t.Errorf("%s is %s, not %s", v.Key, got, want[v.Key])
		}
		delete(want, v.Key)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	shapes := map[string][]int{"a.weight": {2, 3}, "b": {}, "c": {1, 2}, "d": {3}}
	for _, x := range g.Tensors {
		if !slices.Equal(x.Shape, shapes[x.Name]) || x.Blocks != nil {
			t.Errorf("%s has shape %v, not %v", x.Name, x.Shape, shapes[x.Name])
		}
		if b := data(t, file, x.Tensor); x.Name == "c" && !bytes.Equal(b, []byte{255, 2}) {
			t.Errorf("c is %v", b)
		}
	}
}

func TestRoundTripGGUF(t *testing.T) {
	tensors := []Tensor{{Name: "a", Dtype: dtype.BFloat16, Shape: []int{3, 5}}, {Name: "empty", Shape: []int{0, 2},
		Dtype: dtype.Int64}, {Name: "scalar", Dtype: dtype.Float64, Shape: []int{}}, {Name: "b", Dtype: dtype.Int16,
		Shape: []int{2}}}
	values := []GGUFValue{
		{Key: "number", Dtype: dtype.Uint64, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
		{Key: "numbers", List: true, Dtype: dtype.Int8, Data: []byte{1, 2, 3}},
		must(TextValue("text", `"a \"word\""`, noCheck))(t), must(TextValue("texts", `["a", "\u00e4"]`, noCheck))(t),
		must(TextValue("none", `[]`, noCheck))(t),
	}
	var b bytes.Buffer
	err := WriteGGUF(&b, tensors, values, noCheck, func(i int, w io.Writer) error {
		size := must(byteSize(tensors[i].Dtype, tensors[i].Shape))(t)
		_, err := w.Write(bytes.Repeat([]byte{byte(i + 1)}, int(size)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	g := must(ReadGGUF(bytes.NewReader(b.Bytes()), int64(b.Len())))(t)
	for i, v := range g.Metadata {
		w := values[i]
		if v.Key != w.Key || v.List != w.List || v.IsText != w.IsText || v.Dtype != w.Dtype ||
			!bytes.Equal(v.Data, w.Data) || !slices.Equal(v.Texts, w.Texts) {
			t.Errorf("%+v, not %+v", v, w)
		}
	}
	for i, x := range g.Tensors {
		check(t, x.Tensor, tensors[i].Dtype, tensors[i].Shape)
		if got := data(t, b.Bytes(), x.Tensor); len(got) > 0 && got[0] != byte(i+1) {
			t.Errorf("%s begins with %d", x.Name, got[0])
		}
	}
	for _, bad := range [][]Tensor{{{Name: "a", Dtype: dtype.Complex64, Shape: []int{1}}}, {tensors[0], tensors[0]}} {
		if WriteGGUF(io.Discard, bad, nil, noCheck, nil) == nil {
			t.Errorf("%v was written", bad)
		}
	}
	for _, json := range []string{"", "3", `["a"`, `[3]`, "[\"\xff\"]"} {
		if _, err := TextValue("k", json, noCheck); err == nil {
			t.Errorf("%q is a text", json)
		}
	}
}

// TestBlocks reads one block of each type, whose elements are known.
func TestBlocks(t *testing.T) {
	half := dtype.Float16From
	nibble := func(i int) byte { return byte(i * 7 % 16) }
	var low []byte
	for i := range 16 {
		low = append(low, nibble(i)|nibble(i+16)<<4)
	}
	var wide []byte
	for i := range 32 {
		wide = append(wide, byte(i*9-128))
	}
	for _, c := range []struct {
		kind  uint32
		block []byte
		value func(i int) float32
	}{
		{2, ggufBytes(half(0.5), low), func(i int) float32 { return 0.5 * (float32(nibble(i)) - 8) }},
		{3, ggufBytes(half(0.25), half(-3), low), func(i int) float32 { return 0.25*float32(nibble(i)) - 3 }},
		{8, ggufBytes(half(2), wide), func(i int) float32 { return 2 * float32(int8(wide[i])) }},
	} {
		file := oneTensor(c.kind, 0, 0, 2, 32)
		file = append(append(file, c.block...), c.block...)
		g := must(ReadGGUF(bytes.NewReader(file), int64(len(file))))(t)
		x := &g.Tensors[0]
		parts := x.Parts()
		if names := parts[0].Name + parts[1].Name + parts[2].Name; names != "a.weighta.scalesa.biases" {
			t.Errorf("the parts are %s", names)
		}
		var memory [3][]byte
		for i, p := range parts {
			memory[i] = make([]byte, p.Size)
		}
		if err := x.ReadBlocks(bytes.NewReader(file), memory[0], memory[1], memory[2]); err != nil {
			t.Fatal(err)
		}
		bits := x.Blocks.Bits
		for i := range 64 {
			word := binary.LittleEndian.Uint32(memory[0][i*bits/32*4:])
			q := word >> (i * bits % 32) & (1<<bits - 1)
			scale := dtype.Float16To(binary.LittleEndian.Uint16(memory[1][i/32*2:]))
			bias := dtype.Float16To(binary.LittleEndian.Uint16(memory[2][i/32*2:]))
			if got, want := float32(q)*scale+bias, c.value(i%32); got != want {
				t.Fatalf("type %d, element %d: %v, not %v", c.kind, i, got, want)
			}
		}
	}
}

func FuzzGGUF(f *testing.F) {
	seeds(f, "*.gguf", malformedGGUF())
	f.Add(oneTensor(8, 0, 68, 2, 32))
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := ReadGGUF(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			refused(t, err)
			return
		}
		total := int64(0)
		for i := range g.Tensors {
			x := &g.Tensors[i]
			inside(t, file, x.Tensor)
			if total += x.Size; x.Blocks == nil {
				continue
			}
			var memory [3][]byte
			for k, p := range x.Parts() {
				memory[k] = make([]byte, p.Size)
			}
			if err := x.ReadBlocks(bytes.NewReader(file), memory[0], memory[1], memory[2]); err != nil {
				t.Fatal(err)
			}
		}
		if total > int64(len(file)) {
			t.Fatalf("tensors of %d bytes in a file of %d", total, len(file))
		}
	})
}
