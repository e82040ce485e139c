package clike

import (
	"embed"
	"fmt"
	"strings"

	"github.com/mlx-go/mlx_go/backends/cpu/kernels"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

//go:embed device/*.h
var device embed.FS

var wideTypes = [dtype.Count]string{"uint8_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
	"int8_t", "int16_t", "int32_t", "int64_t", "", "float", "double", "", "c64"}

// CUDA is CUDA C for NVRTC.
var CUDA = &Target{Name: "cuda", Types: wideTypes}

// Metal is Metal Shading Language 3.1, which has no float64.
var Metal = func() *Target {
	t := &Target{Name: "metal", Types: wideTypes}
	t.Types[dtype.Float64] = ""
	return t
}()

// Prelude is the text that a device's kernels begin with.
func (t *Target) Prelude() string {
	var b strings.Builder
	head := func(name string) {
		text, err := device.ReadFile("device/" + name)
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
	if t == Metal {
		shared("prelude_erf.h")
	}
	head("device.h")
	return b.String()
}

// KernelName is the name of the row's kernel for a dtype.
func KernelName(r *core.Row, d dtype.Dtype) string { return r.Name + "_" + Short(d) }

// Kernel is the text of the row's kernel for dtype d: one element a thread over contiguous arguments, out first,
// then the count. Halves are widened by the program around it, as on the CPU.
func (t *Target) Kernel(r *core.Row, d dtype.Dtype) string {
	out, body := t.Types[r.Types.Result(d)], Render(r, d, t)
	var params, loads strings.Builder
	for i, a := range r.Args {
		in := t.Types[r.Types.Arg(i, d)]
		if t == Metal {
			fmt.Fprintf(&params, "device const %s *%s_ [[buffer(%d)]], ", in, a, i+1)
		} else {
			fmt.Fprintf(&params, "const %s *%s_, ", in, a)
		}
		fmt.Fprintf(&loads, "\t%s %s = %s_[i];\n", in, a, a)
	}
	if t == Metal {
		return fmt.Sprintf("kernel void %s(device %s *out [[buffer(0)]], %sconstant uint64_t &n [[buffer(%d)]], uint i [[thread_position_in_grid]]) {\n\tif (i >= n) return;\n%s\tout[i] = %s;\n}\n",
			KernelName(r, d), out, params.String(), len(r.Args)+1, loads.String(), body)
	}
	return fmt.Sprintf("extern \"C\" __global__ void %s(%s *out, %suint64_t n) {\n\tuint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;\n\tif (i >= n) return;\n%s\tout[i] = %s;\n}\n",
		KernelName(r, d), out, params.String(), loads.String(), body)
}

// Source is the text of every kernel the target can have, behind its prelude.
func (t *Target) Source() string {
	var b strings.Builder
	b.WriteString(t.Prelude())
	for _, r := range core.Rows {
		for _, d := range r.ComputeDtypes() {
			if t.Has(r, d) {
				b.WriteString("\n" + t.Kernel(r, d))
			}
		}
	}
	return b.String()
}
