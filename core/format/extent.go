package format

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Extent returns how many bytes an npy or safetensors file takes from its start, if its first ones tell. Otherwise
// whole is false, and so many are to be read before asking again. With it a file is read from a stream and not a byte
// of what follows. check is asked from time to time whether to go on.
func Extent(kind string, prefix []byte, check func(bytes int) error) (n int64, whole bool, err error) {
	if kind == "npy" {
		return npyExtent(prefix)
	}
	return safetensorsExtent(prefix, check)
}

func npyExtent(prefix []byte) (n int64, whole bool, err error) {
	if len(prefix) < 12 { // no version has a header that ends before
		return 12, false, nil
	}
	_, offset, err := npyVersion(prefix)
	if err != nil {
		return 0, false, err
	}
	length := int64(binary.LittleEndian.Uint32(prefix[8:]))
	if offset == 10 {
		length &= math.MaxUint16
	}
	if n := offset + length; n > int64(len(prefix)) && length <= maxNPYHeader {
		return n, false, nil
	}
	t, err := readNPYHeader(bytes.NewReader(prefix), int64(len(prefix)))
	n, err = add(t.Offset, t.Size, err)
	return n, true, err
}

func safetensorsExtent(prefix []byte, check checker) (n int64, whole bool, err error) {
	if len(prefix) < 8 {
		return 8, false, nil
	}
	n, err = safetensorsHeaderLength([8]byte(prefix))
	if n += 8; err != nil || n > int64(len(prefix)) {
		return n, false, err
	}
	tensors, _, err := parseSafetensorsHeader(prefix[8:n], check)
	var end int64
	for _, t := range tensors {
		end = max(end, t.Offset+t.Size)
	}
	n, err = add(n, end, err)
	return n, true, err
}

func add(a, b int64, err error) (int64, error) {
	if err == nil && b > math.MaxInt64-a {
		err = bad("data", "the file is more than 2^63 bytes")
	}
	return a + b, err
}
