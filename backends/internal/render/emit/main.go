// Command emit prints the kernels of every row for a device, for compilers to check.
package main

import (
	"fmt"
	"os"

	"github.com/mlx-go/mlx_go/backends/internal/render"
)

func main() {
	targets := map[string]*render.Target{"cuda": render.CUDA, "metal": render.Metal}
	if len(os.Args) != 2 || targets[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: emit cuda|metal")
		os.Exit(2)
	}
	fmt.Print(targets[os.Args[1]].Source())
}
