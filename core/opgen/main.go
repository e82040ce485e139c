// Command opgen writes the Python stubs that follow from the op table: opgen ROOT, ROOT being
// the repository's folder.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: opgen ROOT")
		os.Exit(2)
	}
	err := os.Chdir(os.Args[1])
	if err == nil {
		err = generatePython()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
