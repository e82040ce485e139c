package clike

import (
	"fmt"
	"strings"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// narrowed are the functions whose vector form holds for some arguments only: f_narrow tells
// which, f_wide serves the others.
var narrowed = []string{"f32_sin", "f32_cos", "f32_tan", "f32_mod"}

// Rows is the text of backends/cpu/kernels/zrows.h: a contiguous loop for every row and dtype,
// and the table of them.
func Rows() string {
	var b, table strings.Builder
	b.WriteString("// Code generated from the op table by go generate; DO NOT EDIT.\n")
	b.WriteString("// ROW1 to ROW3 (elementwise_rows.h) make the loop: name, result type, then type and name of each argument, then the body.\n\n")
	for _, r := range core.Rows {
		fmt.Fprintf(&table, "\t[%d] = {", r.Index)
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
				table.WriteString(", ")
			}
			fmt.Fprintf(&table, "[%d] = %s", d, loopName(r, d))
		}
		table.WriteString("},\n")
	}
	fmt.Fprintf(&b, "\nenum { ROW_COUNT = %d };\n", len(core.Rows))
	b.WriteString("\nstatic const row_fn rows[ROW_COUNT][DT_COUNT] = {\n" + table.String() + "};\n")
	return b.String()
}

func loopName(r *core.Row, d dtype.Dtype) string { return "row_" + r.Name + "_" + Short(d) }
