// Package errs is what users see when an op cannot be done: errors that know which Python exception they become.
package errs

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrorKind names the Python exception an Error becomes.
type ErrorKind uint8

const (
	RuntimeError ErrorKind = iota
	ValueError
	TypeError
	IndexError
	AxisError // both a ValueError and an IndexError
	MemoryError
	OSError
	OverflowError
	Interrupted // KeyboardInterrupt: the caller gave up
)

// Error is what users see when an op cannot be done. Graph building panics with it,
// so that rules compose without error plumbing, and every entry into the
// package recovers it (Catch).
type Error struct {
	Kind ErrorKind
	Msg  string
	// What the system said of a file, if that is what an OSError is about: it picks Python's subclass.
	Errno int
	Path  string
}

func (e *Error) Error() string { return e.Msg }

// Throw panics with an Error; format names the op first: "[op] ...".
func Throw(kind ErrorKind, format string, args ...any) {
	panic(Errorf(kind, format, args...))
}

// Errorf makes the Error that Throw panics with.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// ErrCanceled is returned by kernels whose Cancel flag was set.
var ErrCanceled = &Error{Kind: Interrupted, Msg: "evaluation was interrupted"}

// Catch turns a recovered panic value into an Error. A panic that is none of
// ours is a bug: it is reported with its stack, and the process lives on.
func Catch(r any) *Error {
	switch r := r.(type) {
	case *Error:
		return r
	case error:
		var e *Error
		if errors.As(r, &e) {
			return e
		}
	}
	return Errorf(RuntimeError, "internal error: %v\n%s", r, debug.Stack())
}
