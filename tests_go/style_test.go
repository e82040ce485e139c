package tests_go

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// british are stems whose American spelling is another.
var british = regexp.MustCompile(`(?i)\b\w*(normalis|initialis|optimis[ei]|serialis|organis|recognis|neighbour|` +
	`behaviour|colour|favour|cancell(ed|ing)|modelling|labell)\w*|\bcentred?\b`)

// widest is how many columns a line of Go or C may have, a tab counting as 4.
const widest = 120

// TestStyle holds what a reader meets everywhere: one spelling, and lines that fit.
func TestStyle(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(name, ".") && name != ".." || name == "build" || name == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".c", ".h", ".py", ".pyi", ".md", ".tmpl":
		default:
			return nil
		}
		if name == "tests_go/style_test.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		narrow := strings.Contains(".go .c .h", filepath.Ext(name))
		for i, line := range strings.Split(string(text), "\n") {
			if w := british.FindString(line); w != "" {
				t.Errorf("%s:%d: %q is not American", name, i+1, w)
			}
			if n := len([]rune(strings.ReplaceAll(line, "\t", "    "))); narrow && n > widest {
				t.Errorf("%s:%d has %d columns", name, i+1, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
