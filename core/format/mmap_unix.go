//go:build unix

package format

import (
	"math"
	"os"
	"syscall"
)

var errIsDir error = syscall.EISDIR

// mapFile maps a file read-only. An empty file cannot be mapped and has nothing
// to map.
func mapFile(f *os.File, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	if size > math.MaxInt {
		return nil, syscall.EFBIG
	}
	return syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
}

func unmapFile(b []byte) error { return syscall.Munmap(b) }
