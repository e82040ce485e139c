package render

import (
	"fmt"
	"strings"
)

// CUDA is CUDA C for NVRTC.
var CUDA = &Target{Name: "cuda", Types: wideTypes, head: cudaHead}

// cudaHead opens a kernel whose thread i computes element i of n.
func cudaHead(name string, out param, in []param) string {
	var params strings.Builder
	for _, p := range in {
		fmt.Fprintf(&params, "const %s *%s, ", p.elem, p.name)
	}
	return fmt.Sprintf("extern \"C\" __global__ void %s(%s *%s, %suint64_t n) {\n"+
		"\tuint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;\n", name, out.elem, out.name, params.String())
}
