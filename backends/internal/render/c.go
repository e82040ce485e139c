package render

import (
	"fmt"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// C is what the kernels of backends/cpu are written in: C11 for gcc and clang.
var C = &Target{
	Name: "c",
	Types: [dtype.Count]string{"uint8_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
		"int8_t", "int16_t", "int32_t", "int64_t", "uint16_t", "float", "double", "uint16_t", "c64"},
}

// narrowed are the functions whose vector form holds for some arguments only: f_narrow tells
// which, f_wide serves the others.
var narrowed = []string{"f32_sin", "f32_cos", "f32_tan", "f32_mod"}

// Rows is the text of backends/cpu/kernels/zrows.h: a contiguous loop for every row and dtype,
// and the table of them.
func Rows() string {
	var b, loops, names strings.Builder
	b.WriteString("// Code generated from the op table by go generate; DO NOT EDIT.\n")
	b.WriteString("// ROW1 to ROW3 (elementwise_rows.h) make the loop: name, result type, then type and name of each " +
		"argument, then\n// the body.\n")
	b.WriteString("// ROW1_HALF and ROW2_HALF make those of halves: name, dtype, the arguments' names, the body.\n\n")
	for _, r := range table.Rows {
		fmt.Fprintf(&names, "\tROW_%s,\n", r.Name)
		fmt.Fprintf(&loops, "\t[ROW_%s] = {", r.Name)
		for k, d := range r.ComputeDtypes() {
			body := Render(r, d, C)
			narrow, wide := "", ""
			for _, f := range narrowed {
				if d == dtype.Float32 && strings.HasPrefix(body, f+"(") {
					narrow, wide = f+"_narrow"+body[len(f):], f+"_wide"+body[len(f):]
				}
			}
			fmt.Fprintf(&b, "ROW%d", len(r.Args))
			if narrow != "" {
				b.WriteString("_NARROW")
			}
			fmt.Fprintf(&b, "(%s, %s, ", loopName(r, d), C.Types[r.Types.Result(d)])
			for i, a := range r.Args {
				fmt.Fprintf(&b, "%s, %s, ", C.Types[r.Types.Arg(i, d)], a)
			}
			b.WriteString(body)
			if narrow != "" {
				fmt.Fprintf(&b, ", %s, %s", narrow, wide)
			}
			b.WriteString(")\n")
			if k > 0 {
				loops.WriteString(", ")
			}
			fmt.Fprintf(&loops, "[%s] = %s", number(d), loopName(r, d))
		}
		if r.OneOperator() {
			for _, d := range []dtype.Dtype{dtype.Float16, dtype.BFloat16} {
				fmt.Fprintf(&b, "ROW%d_HALF(%s, %s, %s, %s)\n", len(r.Args), loopName(r, d), Short(d),
					strings.Join(r.Args, ", "), Render(r, dtype.Float32, C))
				fmt.Fprintf(&loops, ", [%s] = %s", number(d), loopName(r, d))
			}
		}
		loops.WriteString("},\n")
	}
	b.WriteString("\n// The order of the table.\nenum {\n" + names.String() + "\tROW_COUNT\n};\n")
	b.WriteString("\nstatic const row_fn rows[ROW_COUNT][DT_COUNT] = {\n" + loops.String() + "};\n")
	return wrap(b.String(), 120)
}

// wrap breaks lines of text behind commas, or else at spaces, so that none has more than width columns, a tab counting
// as 4. The rest of a line begins one tab further in.
func wrap(text string, width int) string {
	var b strings.Builder
	for _, line := range strings.SplitAfter(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, "\t"))]
		for len(line)+3*strings.Count(line, "\t") > width+1 { // the newline has no column
			tabs := strings.Count(line, "\t")
			window := line[:width-3*tabs+1]
			at := strings.LastIndex(window, ", ") + 1
			if at == 0 {
				at = strings.LastIndex(window, " ")
			}
			if at <= 0 {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = indent + "\t" + line[at+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

func loopName(r *table.Row, d dtype.Dtype) string { return "row_" + r.Name + "_" + Short(d) }

// number is the name of d in kernels/abi.h.
func number(d dtype.Dtype) string {
	if d == dtype.Bool {
		return "DT_BOOL"
	}
	return "DT_" + strings.ToUpper(Short(d))
}
