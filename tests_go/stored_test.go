package tests_go

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGoStoresNoPointersInC holds what keeps Go's collector from looking at memory that C never wrote: the structs that
// Go writes for C have numbers where C has pointers, and no export takes the address of a pointer to write to. Results
// that are returned go through a slot that cgo clears.
func TestGoStoresNoPointersInC(t *testing.T) {
	header, err := os.ReadFile("../capi/capi.h")
	if err != nil {
		t.Fatal(err)
	}
	comments := regexp.MustCompile(`(?s)/\*.*?\*/`)
	text := comments.ReplaceAllString(string(header), "")
	stored := regexp.MustCompile(`STORED\([^()]*\)`)
	structs := regexp.MustCompile(`(?s)typedef struct (\w+) \{(.*?)\} \w+;`).FindAllStringSubmatch(text, -1)
	if len(structs) < 8 {
		t.Fatalf("capi.h seems to declare %d structs only", len(structs))
	}
	for _, s := range structs {
		if s[1] == "capi_arg" { // which Go only reads
			continue
		}
		if strings.Contains(stored.ReplaceAllString(s[2], ""), "*") {
			t.Errorf("struct %s has a pointer that is not STORED", s[1])
		}
	}
	files, err := filepath.Glob("../capi/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !exported(f.Doc) {
				continue
			}
			for _, p := range f.Type.Params.List {
				if s, ok := p.Type.(*ast.StarExpr); ok && isPointer(s.X) {
					t.Errorf("%s takes %s, an address of a pointer: return the pointer instead", f.Name, p.Names[0])
				}
			}
		}
	}
}

// exported reports whether C may call the function.
func exported(doc *ast.CommentGroup) bool {
	return doc != nil &&
		slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//export ") })
}

func isPointer(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.StarExpr:
		return true
	case *ast.SelectorExpr:
		return x.Sel.Name == "Pointer"
	}
	return false
}
