package core

import (
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// TestDerivativesFitTheirArrays: a rule that gives a gradient or a tangent of another shape or dtype is stopped there.
func TestDerivativesFitTheirArrays(t *testing.T) {
	Lock()
	defer Unlock()
	for what, wrong := range map[string]func(x *Array) *Array{
		"shape (3,1) and dtype float32": func(x *Array) *Array { return Reshape(x, []int{3, 1}) },
		"shape (3) and dtype float16":   func(x *Array) *Array { return AsType(x, dtype.Float16) },
	} {
		op := Def{Name: "wrong",
			VJP: func(_, ct *Array, _ []bool) []*Array { return []*Array{wrong(ct)} },
			JVP: func(_ *Array, t []*Array) *Array { return wrong(t[0]) },
		}
		for name, run := range map[string]func(y, x *Array){
			"gradient": func(y, x *Array) { VJP([]*Array{y}, []*Array{x}, []*Array{x}) },
			"tangent":  func(y, x *Array) { JVP([]*Array{y}, []*Array{x}, []*Array{x}) },
		} {
			func() {
				defer func() {
					want := "[wrong] internal error: the " + name + " has " + what
					if e := errs.Catch(recover()); e.Kind != errs.RuntimeError || !strings.HasPrefix(e.Msg, want) {
						t.Errorf("got %q, want %q", e.Msg, want)
					}
				}()
				x := Tracers([]*Array{zeros(dtype.Float32, []int{3})})[0]
				run(newArray(&op, x.dtype, x.shape, nil, x), x)
			}()
		}
	}
}
