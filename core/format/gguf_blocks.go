package format

import (
	"encoding/binary"
	"io"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// Quantized tensors of GGUF files lie in blocks of 32 elements: a scale, for some a smallest value, and the elements'
// integers. They are read as what quantize gives with groups of 32: packed integers, scales and biases.

const blockElements = 32

// BlockType is a type of blocks.
type BlockType struct {
	Bytes int // of a block
	Bits  int // of an element
	// unpack writes the integers of a block, 0 to 2^Bits-1, and gives its scale and bias.
	unpack func(block []byte, q *[blockElements]byte) (scale, bias uint16)
}

// blockTypes by their number: Q4_0, Q4_1 and Q8_0.
var blockTypes = map[uint32]*BlockType{
	2: {Bytes: 18, Bits: 4, unpack: func(b []byte, q *[blockElements]byte) (uint16, uint16) {
		nibbles(b[2:], q)
		return offsetBlock(b, 8)
	}},
	3: {Bytes: 20, Bits: 4, unpack: func(b []byte, q *[blockElements]byte) (uint16, uint16) {
		nibbles(b[4:], q)
		return binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
	}},
	8: {Bytes: 34, Bits: 8, unpack: func(b []byte, q *[blockElements]byte) (uint16, uint16) {
		for i := range q {
			q[i] = b[2+i] ^ 0x80 // from -128 to 127 there, from 0 to 255 here
		}
		return offsetBlock(b, 128)
	}},
}

// offsetBlock gives the scale of a block and the bias for integers that are offset higher here than there.
func offsetBlock(b []byte, offset float32) (scale, bias uint16) {
	scale = binary.LittleEndian.Uint16(b)
	return scale, dtype.Float16From(-offset * dtype.Float16To(scale))
}

// nibbles unpacks 16 bytes: the low halves are the first 16 elements, the high ones the others.
func nibbles(b []byte, q *[blockElements]byte) {
	for i := range blockElements / 2 {
		q[i], q[i+blockElements/2] = b[i]&15, b[i]>>4
	}
}

// Parts are the arrays that a quantized tensor is read as: its integers, packed in uint32, its scales and its biases,
// in float16. The names follow MLX: "a.weight" gives "a.weight", "a.scales" and "a.biases".
func (t *GGUFTensor) Parts() [3]Tensor {
	n := len(t.Shape) - 1
	blocks := t.Shape[n] / t.Blocks.Bytes
	stem, isWeight := strings.CutSuffix(t.Name, ".weight")
	names := [3]string{t.Name, stem + ".scales", stem + ".biases"}
	if !isWeight {
		names = [3]string{t.Name, t.Name + ".scales", t.Name + ".biases"}
	}
	var parts [3]Tensor
	for i := range parts {
		shape := append([]int{}, t.Shape...)
		d := dtype.Float16
		if shape[n] = blocks; i == 0 {
			shape[n], d = blocks*t.Blocks.Bits, dtype.Uint32 // 32 elements of so many bits are so many words
		}
		size := int64(d.Size())
		for _, k := range shape {
			size *= int64(k)
		}
		parts[i] = Tensor{Name: names[i], Dtype: d, Shape: shape, Size: size}
	}
	return parts
}

// ReadBlocks reads a quantized tensor into the memory of its parts.
func (t *GGUFTensor) ReadBlocks(r io.ReaderAt, words, scales, biases []byte) error {
	const atOnce = 1 << 12
	buffer := make([]byte, atOnce*t.Blocks.Bytes)
	source := io.NewSectionReader(r, t.Offset, t.Size)
	var q [blockElements]byte
	for left := t.Size / int64(t.Blocks.Bytes); left > 0; {
		n := min(left, atOnce)
		piece := buffer[:int(n)*t.Blocks.Bytes]
		if err := readExact(source, piece, "data"); err != nil {
			return named(r, within("tensor", t.Name, err))
		}
		for ; len(piece) > 0; piece = piece[t.Blocks.Bytes:] {
			scale, bias := t.Blocks.unpack(piece[:t.Blocks.Bytes], &q)
			binary.LittleEndian.PutUint16(scales, scale)
			binary.LittleEndian.PutUint16(biases, bias)
			scales, biases = scales[2:], biases[2:]
			if t.Blocks.Bits == 8 {
				words = words[copy(words, q[:]):]
				continue
			}
			for i := range blockElements / 2 {
				words[i] = q[2*i] | q[2*i+1]<<4
			}
			words = words[blockElements/2:]
		}
		left -= n
	}
	return nil
}
