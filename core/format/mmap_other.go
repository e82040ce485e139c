//go:build !unix

package format

import (
	"errors"
	"os"
)

var errIsDir = errors.New("is a directory")

func mapFile(*os.File, int64) ([]byte, error) { return nil, nil }

func unmapFile([]byte) error { return nil }
