//go:build double

package main

// The test double is the device "gpu" of a library that is built with this tag; make double does.
import _ "github.com/mlx-go/mlx_go/backends/double/asgpu"
