//go:build amd64 || arm64

// Package pause tells the core that a loop is spinning, so that the other
// hardware thread gets its share. cgo packages may hold no Go assembly, hence
// a package of its own.
package pause

// Spin executes the pause instruction n times.
//
//go:noescape
func Spin(n uint32)
