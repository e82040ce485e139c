//go:build !unix

package format

import (
	"errors"
	"io/fs"
	"os"
)

var errIsDir = errors.New("is a directory")

func mapFile(*os.File, int64) ([]byte, error) { return nil, nil }

func unmapFile([]byte) error { return nil }

func links(fs.FileInfo) int { return 1 }

func inherit(f, old *os.File, info fs.FileInfo) bool { return f.Chmod(info.Mode()) == nil }
