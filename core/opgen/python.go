package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/signature"
	"github.com/mlx-go/mlx_go/core/table"
)

// What is not in the table: classes and the functions written in Python.
//
//go:embed core.pyi.tmpl
var coreStub string

const generated = "# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.\n"

// function is one entry of the table as a stub shows it.
type function struct {
	name, doc string
	sig       *signature.Signature
	method    bool // also, or only, of array
}

func functions() []function {
	var all []function
	for _, r := range table.Rows {
		if r.Flags&table.Hidden != 0 {
			continue
		}
		for _, name := range append([]string{r.Name}, r.Alias...) {
			all = append(all, function{name, r.Doc, r.Signature(), r.Flags&table.Method != 0})
		}
	}
	for _, f := range core.Funcs {
		all = append(all, function{f.Name, f.Doc, f.Signature, f.Method || strings.HasPrefix(f.Name, "array.")})
	}
	slices.SortStableFunc(all, func(a, b function) int { return strings.Compare(a.name, b.name) })
	return all
}

// write adds one def with its docstring.
func (f *function) write(b *bytes.Buffer, indent, name, text string) {
	fmt.Fprintf(b, "%sdef %s%s:\n", indent, name, text)
	quote := `"""`
	if strings.Contains(f.doc, `\`) {
		quote = `r"""`
	}
	lines := strings.Split(strings.TrimSpace(f.doc), "\n")
	if len(lines) == 1 {
		fmt.Fprintf(b, "%s    %s%s\"\"\"\n", indent, quote, lines[0])
		return
	}
	fmt.Fprintf(b, "%s    %s%s\n", indent, quote, lines[0])
	for _, l := range lines[1:] {
		b.WriteString(strings.TrimRight(indent+"    "+l, " ") + "\n")
	}
	fmt.Fprintf(b, "%s    \"\"\"\n", indent)
}

// annotate fills in the types that signatures leave open.
func annotate(sig *signature.Signature) *signature.Signature {
	s := &signature.Signature{Params: slices.Clone(sig.Params), Return: sig.Return}
	for i := range s.Params {
		p := &s.Params[i]
		if p.Type == "" {
			switch p.Kind {
			case signature.VarPositional, signature.VarKeyword:
				p.Type = "Any"
			default:
				if p.Name != "self" {
					p.Type = "Any"
				}
			}
		}
	}
	if s.Return == "" {
		s.Return = "Any"
	}
	return s
}

// generatePython writes the stubs of the Python package: core.pyi, and one for each module of
// functions whose names have a dot.
func generatePython() error {
	dir := filepath.Join("python", "mlx_go")
	var methods, top bytes.Buffer
	modules := map[string]*bytes.Buffer{}
	for _, f := range functions() {
		sig := annotate(f.sig)
		module, name, dotted := strings.Cut(f.name, ".")
		if f.method {
			method := name
			if !dotted {
				method = f.name
			}
			f.write(&methods, "    ", method, sig.Method("self").Text(true))
		}
		switch {
		case !dotted:
			f.write(&top, "", f.name, sig.Text(true))
		case module != "array":
			if modules[module] == nil {
				modules[module] = &bytes.Buffer{}
			}
			f.write(modules[module], "", name, sig.Text(true))
		}
	}
	text := strings.Replace(coreStub, "    # METHODS\n", methods.String(), 1)
	text = strings.Replace(text, "# FUNCTIONS\n", top.String(), 1)
	if err := writeIfChanged(filepath.Join(dir, "core.pyi"), generated+text); err != nil {
		return err
	}
	for _, name := range []string{"random", "fast", "linalg", "fft"} {
		body := modules[name]
		delete(modules, name)
		if body == nil {
			if _, err := os.Stat(filepath.Join(dir, name+".py")); err != nil {
				continue
			}
			body = &bytes.Buffer{}
		}
		head := "from collections.abc import Sequence\nfrom typing import Any, Literal\n\n" +
			"from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar\n\n"
		switch name {
		case "fast":
			head += "from ._custom_kernels import cuda_kernel as cuda_kernel, metal_kernel as metal_kernel\n" +
				"from ._custom_kernels import precompiled_cuda_kernel as precompiled_cuda_kernel\n\n"
		case "random":
			head += "class _RandomState:\n    def __mlx_tree__(self) -> array: ...\n    def __mlx_tree_set__(self, " +
				"key: array) -> None: ...\n" +
				"    def __getitem__(self, index: int) -> array: ...\n    def __setitem__(self, index: int, " +
				"key: array) -> None: ...\n" +
				"    def __len__(self) -> int: ...\n\nstate: _RandomState\n\n"
		}
		if err := writeIfChanged(filepath.Join(dir, name+".pyi"), generated+head+body.String()); err != nil {
			return err
		}
	}
	for name := range modules {
		return fmt.Errorf("opgen: functions of %s have no module python/mlx_go/%s.py", name, name)
	}
	return nil
}

// writeIfChanged leaves an up-to-date file alone, so that builds which look at times do nothing.
func writeIfChanged(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
