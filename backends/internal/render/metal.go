package render

import (
	"fmt"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// Metal is Metal Shading Language 3.1, which has no float64 and no error function.
var Metal = func() *Target {
	t := &Target{Name: "metal", Types: wideTypes, preludes: []string{"prelude_erf.h"}, head: metalHead}
	t.Types[dtype.Float64] = ""
	return t
}()

// metalHead opens a kernel whose thread i computes element i of n.
func metalHead(name string, out param, in []param) string {
	var params strings.Builder
	for i, p := range in {
		fmt.Fprintf(&params, "device const %s *%s [[buffer(%d)]], ", p.elem, p.name, i+1)
	}
	return fmt.Sprintf("kernel void %s(device %s *%s [[buffer(0)]], %sconstant uint64_t &n [[buffer(%d)]], "+
		"uint i [[thread_position_in_grid]]) {\n", name, out.elem, out.name, params.String(), len(in)+1)
}
