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

// longest is how many lines a function of Go or C may have.
const longest = 70

// tables are functions that are little but a table of cases.
var tables = map[string]bool{"malformedNPY": true, "malformedSafetensors": true}

// functions are where functions begin: their signature, which stands on the first line or goes on for some, and the
// brace that ends it. They end with the next line that begins with a brace.
var functions = map[string]*regexp.Regexp{
	".go": regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?(\w+)[^\n]*(?:\n\t[^\n]*)*?\{\n`),
	".c":  cFunction, ".h": cFunction,
}

var cFunction = regexp.MustCompile(`(?m)^[a-zA-Z_][^\n;={}]*?(\w+\)?)\([^;{}]*\) \{\n`)

// longFunctions lists the functions of text, whose language is that of the extension, that have too many lines.
func longFunctions(text, extension string) map[string]int {
	long := map[string]int{}
	starts := functions[extension]
	if starts == nil {
		return long
	}
	for _, at := range starts.FindAllStringSubmatchIndex(text, -1) {
		end := strings.Index(text[at[1]-1:], "\n}")
		if end < 0 {
			continue
		}
		name := text[at[2]:at[3]]
		if n := strings.Count(text[at[0]:at[1]+end], "\n") + 1; n > longest && !tables[name] {
			long[name] = n
		}
	}
	return long
}

// TestLongFunctions holds that the rule sees functions of both languages, however their signatures are broken.
func TestLongFunctions(t *testing.T) {
	body := strings.Repeat("\tx++\n", longest)
	for _, c := range []struct{ extension, head string }{
		{".go", "func f() {\n"}, {".go", "func (x *y[T]) f(a,\n\tb int) error {\n"},
		{".c", "static int f(int a,\n\tint b) {\n"}, {".h", "INL void TN(f)(const T *p) {\n"},
	} {
		if n := longFunctions("\n"+c.head+body+"}\n", c.extension); len(n) != 1 {
			t.Errorf("%q of %d lines and more is seen as %v", c.head, longest, n)
		}
		if n := longFunctions("\n"+c.head+"}\n"+body, c.extension); len(n) != 0 {
			t.Errorf("%q of two lines is seen as %v", c.head, n)
		}
	}
}

// TestStyle holds what a reader meets everywhere: one spelling, and lines and functions that fit.
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
		for f, n := range longFunctions(string(text), filepath.Ext(name)) {
			t.Errorf("%s: %s has %d lines, more than %d", name, f, n, longest)
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
