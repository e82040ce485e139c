package format

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Extent returns how many bytes an npy or safetensors file takes from its start, as far as the first ones of it tell: where
// it says more than there are in prefix, at least so many are to be read before asking again. With it a file is read from a stream
// and not a byte of what follows. check is asked from time to time whether to go on.
func Extent(kind string, prefix []byte, check checker) (int64, error) {
	if kind == "npy" {
		return npyExtent(prefix)
	}
	return safetensorsExtent(prefix, check)
}

func npyExtent(prefix []byte) (int64, error) {
	if len(prefix) < 12 { // no version has a header that ends before
		return 12, nil
	}
	_, offset, err := npyVersion(prefix)
	if err != nil {
		return 0, err
	}
	length := int64(binary.LittleEndian.Uint32(prefix[8:]))
	if offset == 10 {
		length &= math.MaxUint16
	}
	if n := offset + length; n > int64(len(prefix)) && length <= maxNPYHeader {
		return n, nil
	}
	t, err := readNPYHeader(bytes.NewReader(prefix), int64(len(prefix)))
	return add(t.Offset, t.Size, err)
}

func safetensorsExtent(prefix []byte, check checker) (int64, error) {
	if len(prefix) < 8 {
		return 8, nil
	}
	n, err := safetensorsHeaderLength([8]byte(prefix))
	n += 8
	if err != nil || n > int64(len(prefix)) {
		return n, err
	}
	tensors, _, err := parseSafetensorsHeader(prefix[8:n], check)
	var end int64
	for _, t := range tensors {
		end = max(end, t.Offset+t.Size)
	}
	return add(n, end, err)
}

func add(a, b int64, err error) (int64, error) {
	if err == nil && b > math.MaxInt64-a {
		err = bad("data", "the file is more than 2^63 bytes")
	}
	return a + b, err
}
