//go:build !linux

package format

import (
	"errors"
	"io/fs"
	"os"
)

func openUnnamed(string, fs.FileMode) *os.File { return nil }

func link(*os.File, string) error { return errors.ErrUnsupported }

func reserve(*os.File, int64) error { return nil }

func inheritAttributes(_, _ *os.File) bool { return true }
