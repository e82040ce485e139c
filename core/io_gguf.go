package core

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/format"
	"github.com/mlx-go/mlx_go/core/layout"
)

// ggufPair begins the names of arrays that are numbers of a GGUF file's metadata, behind it their keys. Texts of the
// metadata go as JSON.
const ggufPair = "\x00"

func (l *Loaded) readGGUF(r polled, size int64) error {
	g, err := format.ReadGGUF(r, size)
	if err != nil {
		return err
	}
	l.Metadata, l.seen = map[string]string{}, map[string]bool{}
	for i := range g.Metadata {
		v := &g.Metadata[i]
		if v.IsText {
			l.Metadata[v.Key] = string(v.AppendTexts(nil))
			continue
		}
		t := format.Tensor{Dtype: v.Dtype, Size: int64(len(v.Data))}
		if v.List {
			t.Shape = []int{len(v.Data) / v.Dtype.Size()}
		}
		if err := l.add(ggufPair+v.Key, t, r, func(dst []byte) error { copy(dst, v.Data); return nil }); err != nil {
			return err
		}
	}
	for i := range g.Tensors {
		t := &g.Tensors[i]
		if strings.HasPrefix(t.Name, ggufPair) {
			return &format.FormatError{File: r.Name(), Field: "name of a tensor", Detail: "begins with a zero byte"}
		}
		if t.Blocks == nil {
			err := l.add(t.Name, t.Tensor, r, func(dst []byte) error { return format.ReadInto(dst, r, t.Tensor) })
			if err != nil {
				return err
			}
			continue
		}
		var memory [3][]byte
		for k, part := range t.Parts() {
			if err := l.add(part.Name, part, r, func(dst []byte) error { memory[k] = dst; return nil }); err != nil {
				return err
			}
		}
		if err := t.ReadBlocks(r, memory[0], memory[1], memory[2]); err != nil {
			return err
		}
	}
	return nil
}

// add reads one more array of a file. Quantized tensors give arrays of names that others may have, too.
func (l *Loaded) add(name string, t format.Tensor, r polled, read func(dst []byte) error) error {
	if l.seen[name] {
		return &format.FormatError{File: r.Name(), Field: "tensor " + name, Detail: "is there twice"}
	}
	l.seen[name] = true
	a, err := readTensor(t, len(l.Arrays), r, read)
	if err != nil {
		return err
	}
	l.Names, l.Arrays = append(l.Names, name), append(l.Arrays, a)
	return nil
}

func (s Saved) writeGGUF(
	w io.Writer, tensors []format.Tensor, check func(bytes int) error, data func(i int, w io.Writer) error,
) error {
	var values []format.GGUFValue
	for _, key := range slices.Sorted(maps.Keys(s.Metadata)) {
		v, err := format.TextValue(key, s.Metadata[key], check)
		if err != nil {
			return err
		}
		values = append(values, v)
	}
	var places []int
	var plain []format.Tensor
	for i, t := range tensors {
		key, isPair := strings.CutPrefix(t.Name, ggufPair)
		if !isPair {
			places, plain = append(places, i), append(plain, t)
			continue
		}
		a := s.Arrays[i]
		if len(a.shape) > 1 || a.Size() == 0 {
			return errs.Errorf(errs.ValueError,
				"[save_gguf] metadata '%s' must be a number or a list of some, not of shape %s",
				key, layout.Format(a.shape))
		}
		values = append(values, format.GGUFValue{Key: key, List: len(a.shape) == 1, Dtype: a.dtype,
			Data: bytesAt(a.Data(), a.NBytes())})
	}
	return format.WriteGGUF(w, plain, values, check, func(i int, w io.Writer) error { return data(places[i], w) })
}
