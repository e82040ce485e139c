//go:build unix

package format

import (
	"io/fs"
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

// links is how many names a file has.
func links(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Nlink)
	}
	return 1
}

// inherit makes f what the old file is but for its content, and returns whether it could.
func inherit(f, old *os.File, info fs.FileInfo) bool {
	want, ok := info.Sys().(*syscall.Stat_t)
	now, err := f.Stat()
	if !ok || err != nil {
		return false
	}
	have, ok := now.Sys().(*syscall.Stat_t)
	if !ok || ((have.Uid != want.Uid || have.Gid != want.Gid) && f.Chown(int(want.Uid), int(want.Gid)) != nil) {
		return false
	}
	return f.Chmod(info.Mode()) == nil && inheritAttributes(f, old)
}
