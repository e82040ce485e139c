package device

import (
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// Program is a chain of elementwise steps over registers, each holding one
// element's value. Registers 0..len(Load)-1 start with the inputs, cast to Load;
// each step writes one register; Store names the register of each output,
// whose dtype is then cast to the output's. Eager ops are one-step programs,
// fused ones longer; a program without steps is a cast.
type Program struct {
	Load  []dtype.Dtype
	Steps []Step
	Store []uint8
	Regs  int // number of registers
}

// Step applies one table row. In is the dtype the row computes in (never a
// half: those were widened at Load), Out the dtype it yields. A nil Row casts
// Src[0] from In to Out; a register holds a half only between two casts, which
// round a value as memory would.
type Step struct {
	Row     *table.Row
	In, Out dtype.Dtype
	Dst     uint8
	Src     [3]uint8
}

// OneStep is the program of the row alone, over arguments of dtype d.
func OneStep(r *table.Row, d dtype.Dtype) *Program {
	c, n := d.Compute(), len(r.Args)
	p := &Program{Store: []uint8{uint8(n)}, Regs: n + 1}
	s := Step{Row: r, In: c, Out: r.Types.Result(c), Dst: uint8(n)}
	for i := range n {
		p.Load = append(p.Load, r.Types.Arg(i, c))
		s.Src[i] = uint8(i)
	}
	p.Steps = []Step{s}
	return p
}
