package render

import (
	"embed"
	"fmt"
	"strings"

	"github.com/mlx-go/mlx_go/backends/cpu/kernels"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

//go:embed device/*.h
var preludes embed.FS

var wideTypes = [dtype.Count]string{"uint8_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
	"int8_t", "int16_t", "int32_t", "int64_t", "", "float", "double", "", "c64"}

// param is an argument of a kernel: the type of its elements and its name.
type param struct{ elem, name string }

// Prelude is the text that a device's kernels begin with.
func (t *Target) Prelude() string {
	var b strings.Builder
	head := func(name string) {
		text, err := preludes.ReadFile("device/" + name)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	shared := func(name string) {
		text, err := kernels.Source(name)
		if err != nil {
			panic(err)
		}
		b.WriteString(strings.ReplaceAll(text, "#pragma once\n", ""))
	}
	head(t.Name + ".h")
	shared("prelude_int.h")
	for _, name := range t.preludes {
		shared(name)
	}
	head("device.h")
	return b.String()
}

// KernelName is the name of the row's kernel for a dtype.
func KernelName(r *table.Row, d dtype.Dtype) string { return r.Name + "_" + Short(d) }

// Kernel is the text of the row's kernel for dtype d: one element a thread over contiguous arguments, out first,
// then the count. Halves are widened by the program around it, as on the CPU.
func (t *Target) Kernel(r *table.Row, d dtype.Dtype) string {
	var loads strings.Builder
	params := make([]param, len(r.Args))
	for i, a := range r.Args {
		params[i] = param{t.Types[r.Types.Arg(i, d)], a + "_"}
		fmt.Fprintf(&loads, "\t%s %s = %s_[i];\n", params[i].elem, a, a)
	}
	head := t.head(KernelName(r, d), param{t.Types[r.Types.Result(d)], "out"}, params)
	return fmt.Sprintf("%s\tif (i >= n) return;\n%s\tout[i] = %s;\n}\n", head, loads.String(), Render(r, d, t))
}

// Source is the text of every kernel the target can have, behind its prelude.
func (t *Target) Source() string {
	var b strings.Builder
	b.WriteString(t.Prelude())
	for _, r := range table.Rows {
		for _, d := range r.ComputeDtypes() {
			if t.Has(r, d) {
				b.WriteString("\n" + t.Kernel(r, d))
			}
		}
	}
	return b.String()
}
