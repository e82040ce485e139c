// Command opgen writes the Python stubs that follow from the op table. It runs in the root
// of the repository: go run ./core/opgen.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := generatePython(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
