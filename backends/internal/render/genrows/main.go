// Command genrows writes the loops of the op table's rows for the CPU.
package main

import (
	"fmt"
	"os"

	"github.com/mlx-go/mlx_go/backends/internal/render"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genrows zrows.h")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(render.Rows()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
