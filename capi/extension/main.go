// Command extension is built as a C shared library, mlx_go/_core.abi3.so. It has no C of its own: when the main
// package has, go build compiles every C file of the library again each time, as it looks for a header to install.
package main

import _ "github.com/mlx-go/mlx_go/capi"

func main() {}
