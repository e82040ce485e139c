package core

import "unsafe"

// elementsAt sees n elements of memory as a slice. The garbage collector does not own them.
func elementsAt[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

func bytesAt(p unsafe.Pointer, n int) []byte { return elementsAt[byte](p, n) }
