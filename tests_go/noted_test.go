package tests_go

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unseen are the functions of C that look at shapes of which Python learns nothing, and why.
var unseen = map[string]string{
	"key_of_array": "a recorded function gets no keys",
}

// TestShapesThatPythonSeesAreNoted holds that every function of C which looks at the shape of an array notes that
// Python sees it: a recorded function would be played where it does not fit otherwise.
func TestShapesThatPythonSeesAreNoted(t *testing.T) {
	files, err := filepath.Glob("../capi/*.c")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	looks := regexp.MustCompile(`\b(array_shape|array_size|array_ndim|facts_of|goShape)\(`)
	notes := regexp.MustCompile(`\b(NOTE|goNote|array_data)\(`)
	name := regexp.MustCompile(`(\w+)\(`)
	begins := regexp.MustCompile(`(?m)^\w.*\) \{$`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range strings.Split(string(text), "\n}\n") { // functions end so
			head := f
			if begin := begins.FindAllStringIndex(f, -1); begin != nil {
				head = f[begin[len(begin)-1][0]:]
			}
			if !looks.MatchString(head) {
				continue
			}
			found++
			m := name.FindStringSubmatch(head)
			if m == nil || !notes.MatchString(head) && unseen[m[1]] == "" {
				t.Errorf("%s: a function looks at a shape without NOTE:\n%s", file, head)
			}
		}
	}
	if found < 6 {
		t.Errorf("%d functions look at shapes, which seems too few", found)
	}
}
