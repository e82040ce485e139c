package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/doc"
)

// TestDocstrings holds core/doc and the functions together: each function has its heading, each heading its function,
// and a docstring starts with what the function gives.
func TestDocstrings(t *testing.T) {
	names := doc.Names()
	for _, f := range core.Funcs {
		switch first, _, _ := strings.Cut(f.Doc, "\n"); {
		case f.Name == "assign" || f.Name == "cross_entropy_grad": // of export_test.go
		case first == "":
			t.Errorf("%s has no heading in core/doc", f.Name)
		case !strings.HasSuffix(first, "."):
			t.Errorf("%s: %q is no sentence", f.Name, first)
		}
	}
	for i, name := range names {
		if !slices.ContainsFunc(core.Funcs, func(f *core.Func) bool { return f.Name == name }) {
			t.Errorf("core/doc has a heading for %s, which is no function", name)
		}
		if slices.Contains(names[:i], name) {
			t.Errorf("core/doc has two headings for %s", name)
		}
	}
}
