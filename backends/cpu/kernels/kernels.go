// Package kernels is the C source of the kernels. It is compiled by the packages
// under isa; embedding it here lets Go's build cache see edits of headers, which it
// does not track across folders.
package kernels

//go:generate go run ../../internal/render/genrows zrows.h

import "embed"

//go:embed *.h
var sources embed.FS

// Source returns the text of one header.
func Source(name string) (string, error) {
	b, err := sources.ReadFile(name)
	return string(b), err
}
