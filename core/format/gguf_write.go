package format

import (
	"encoding/binary"
	"io"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// typeIn finds the number of a dtype in one of the tables of types.
func typeIn(types map[uint32]dtype.Dtype, d dtype.Dtype) (uint32, bool) {
	for kind, known := range types {
		if known == d {
			return kind, true
		}
	}
	return 0, false
}

// WriteGGUF writes a GGUF file of version 3. Of each tensor it uses Name, Dtype and Shape; data writes the row-major
// bytes of tensors[i]. The pairs of the metadata are written in their order. check is asked while the header is made.
func WriteGGUF(
	w io.Writer, tensors []Tensor, metadata []GGUFValue, check func(bytes int) error,
	data func(i int, w io.Writer) error,
) error {
	b := append([]byte(ggufMagic), 3, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(tensors)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(metadata)))
	for i, v := range metadata {
		if i%checkSteps == 0 {
			if err := check(len(b)); err != nil {
				return err
			}
		}
		var err error
		if b, err = appendValue(b, v); err != nil {
			return err
		}
	}
	var offset int64
	sizes, seen := make([]int64, len(tensors)), map[string]bool{}
	for i, t := range tensors {
		if i%checkSteps == 0 {
			if err := check(len(b)); err != nil {
				return err
			}
		}
		kind, ok := typeIn(ggufTypes, t.Dtype)
		var err error
		switch {
		case !ok:
			err = bad("dtype", "%v has no place in a GGUF file; the floats and int8 to int64 have", t.Dtype)
		case seen[t.Name]:
			err = bad("name", "is there twice")
		default:
			sizes[i], err = checkWritable(t)
		}
		if err != nil {
			return within("tensor", t.Name, err)
		}
		seen[t.Name] = true
		b = appendText(b, t.Name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Shape)))
		for k := len(t.Shape) - 1; k >= 0; k-- {
			b = binary.LittleEndian.AppendUint64(b, uint64(t.Shape[k]))
		}
		b = binary.LittleEndian.AppendUint32(b, kind)
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		if offset += padded(sizes[i]); offset < 0 {
			return bad("data", "the tensors are more than 2^63 bytes")
		}
	}
	if _, err := w.Write(append(b, make([]byte, padded(int64(len(b)))-int64(len(b)))...)); err != nil {
		return err
	}
	for i, t := range tensors {
		err := writeData(w, sizes[i], func(w io.Writer) error { return data(i, w) })
		if err == nil && i+1 < len(tensors) {
			_, err = w.Write(make([]byte, padded(sizes[i])-sizes[i]))
		}
		if err != nil {
			return within("tensor", t.Name, err)
		}
	}
	return nil
}

func padded(n int64) int64 { return (n + ggufAlignment - 1) &^ (ggufAlignment - 1) }

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

func appendValue(b []byte, v GGUFValue) ([]byte, error) {
	b = appendText(b, v.Key)
	kind := uint32(ggufText)
	if !v.IsText {
		var ok bool
		if kind, ok = typeIn(ggufNumbers, v.Dtype); !ok {
			err := bad("dtype", "%v has no place in the metadata of a GGUF file", v.Dtype)
			return nil, within("metadata", v.Key, err)
		}
	}
	count := len(v.Texts)
	if !v.IsText {
		count = len(v.Data) / v.Dtype.Size()
	}
	if v.List {
		b = binary.LittleEndian.AppendUint32(b, ggufList)
	}
	b = binary.LittleEndian.AppendUint32(b, kind)
	if v.List {
		b = binary.LittleEndian.AppendUint64(b, uint64(count))
	}
	for _, s := range v.Texts {
		b = appendText(b, s)
	}
	return append(b, v.Data...), nil
}

// AppendTexts writes what a value holds as JSON: a string, or a list of them.
func (v *GGUFValue) AppendTexts(b []byte) []byte {
	if !v.List {
		return appendJSON(b, v.Texts[0])
	}
	b = append(b, '[')
	for i, s := range v.Texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, s)
	}
	return append(b, ']')
}

// TextValue is the pair whose value the JSON is, as AppendTexts writes it.
func TextValue(key, json string, check func(bytes int) error) (GGUFValue, error) {
	v := GGUFValue{Key: key, IsText: true}
	p := &jsonText{b: []byte(json), field: "metadata " + quote(key), check: check}
	add := func() error {
		s, err := p.text()
		v.Texts = append(v.Texts, s)
		p.kept += textBytes
		return err
	}
	if p.peek() == '"' {
		return v, add()
	}
	v.List = true
	return v, p.array(add)
}
