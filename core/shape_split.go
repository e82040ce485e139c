package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Parts of arrays: pieces along an axis, diagonals and triangles.

// diagonalOp views a diagonal over two axes, which it drops, as a new last axis.
var diagonalOp Def

type diagonalAttr struct{ axis1, axis2, offset int }

func init() {
	define(&diagonalOp, Def{Name: "diagonal", Linear: true, Specs: specsOfDiagonal,
		View: func(y *Array) bool {
			x, at := y.in[0], y.attr.(diagonalAttr)
			from := x.Strides()
			offset := max(at.offset, 0)*from[at.axis2] + max(-at.offset, 0)*from[at.axis1]
			strides := append(without(from, at.axis1, at.axis2), from[at.axis1]+from[at.axis2])
			y.shareBuffer(x, x.offset+offset*x.dtype.Size(), strides)
			return true
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			x, at := y.in[0], y.attr.(diagonalAttr)
			g := ontoDiagonal(ct, x.shape[at.axis1], x.shape[at.axis2], at.offset)
			perm := make([]int, len(x.shape)) // the matrix axes, last in g, go back to their places
			next := 0
			for i := range perm {
				switch i {
				case at.axis1:
					perm[i] = len(perm) - 2
				case at.axis2:
					perm[i] = len(perm) - 1
				default:
					perm[i] = next
					next++
				}
			}
			return []*Array{Transpose(g, perm)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(diagonalAttr)
			return diagonal(ins[0], at.offset, at.axis1+1, at.axis2+1)
		},
	})
}

func init() {
	register(
		Func{Name: "unstack", Sig: "(x: array, /, *, axis: int = 0) -> tuple[array, ...]", Call: unstack},
		Func{Name: "split",
			Sig: "(a: array, /, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[array]", Method: true,
			Call: split},
		Func{Name: "diagonal", Sig: "(a: array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> array",
			Stream: byPosition, Method: true,
			Call: callN(func(a *Args) *Array { return diagonalOf(a, a.array(by.a)) })},
		Func{Name: "diag", Sig: "(a: array, /, k: int = 0) -> array", Method: true,
			Call: callN(func(a *Args) *Array {
				x, k := a.array(by.a), a.int(by.k)
				switch len(x.shape) {
				case 1:
					n := x.shape[0] + max(k, -k)
					return ontoDiagonal(x, n, n, k)
				case 2:
					return diagonal(x, k, 0, 1)
				}
				errs.Throw(errs.ValueError, "[diag] the array must be 1-D or 2-D, not of shape %s",
					layout.Format(x.shape))
				return nil
			})},
		Func{Name: "trace",
			Sig: "(a: array, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Dtype | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				d := diagonalOf(a, a.array(by.a))
				if a.given(by.dtype) {
					d = AsType(d, a.dtype(by.dtype))
				}
				sum := reduce(device.ReduceSum, d, []int{len(d.shape) - 1})
				return AsType(sum, a.dtypeOr(by.dtype, sum.dtype))
			})},
		Func{Name: "tril", Sig: "(x: array, k: int = 0) -> array", Call: triangle("greater_equal")},
		Func{Name: "triu", Sig: "(x: array, k: int = 0) -> array", Call: triangle("less_equal")},
	)
}

// without is list less the elements at two places.
func without(list []int, i, j int) []int {
	out := make([]int, 0, len(list))
	for k, v := range list {
		if k != i && k != j {
			out = append(out, v)
		}
	}
	return out
}

func unstack(a *Args) []*Array {
	x := a.array(by.x)
	axis := a.axis(by.axis, x.NDim())
	if x.shape[axis] > 1<<24 {
		errs.Throw(errs.MemoryError, "[unstack] %d pieces are too many arrays", x.shape[axis])
	}
	out := make([]*Array, x.shape[axis])
	shape := slices.Delete(slices.Clone(x.shape), axis, axis+1)
	for i := range out {
		out[i] = Reshape(sliceAxis(x, axis, i, i+1), shape)
	}
	return out
}

func split(a *Args) []*Array {
	x := a.array(by.a)
	axis := a.axis(by.axis, x.NDim())
	n := x.shape[axis]
	cuts, _ := a.ints(by.indicesOrSections)
	if a.arg(by.indicesOrSections).Kind != ArgList {
		parts := a.int(by.indicesOrSections)
		if parts <= 0 || n%parts != 0 {
			errs.Throw(errs.ValueError, "[split] axis %d of shape %s cannot be split into %d equal parts", axis,
				layout.Format(x.shape), parts)
		}
		if parts > 1<<24 {
			errs.Throw(errs.MemoryError, "[split] %d parts are too many arrays", parts)
		}
		cuts = make([]int, parts-1)
		for i := range cuts {
			cuts[i] = (i + 1) * (n / parts)
		}
	}
	out := make([]*Array, 0, len(cuts)+1)
	from := 0
	piece := func(to int) { out = append(out, sliceAxis(x, axis, from, max(to, from))) }
	for _, cut := range cuts {
		if cut < 0 {
			cut += n
		}
		cut = min(max(cut, 0), n)
		piece(cut)
		from = cut
	}
	piece(n)
	return out
}

// diagonalOf is the diagonal that arguments 1 to 3 ask for.
func diagonalOf(a *Args, x *Array) *Array {
	if len(x.shape) < 2 {
		errs.Throw(errs.ValueError, "[%s] the array must have at least 2 dimensions, not shape %s", a.name(),
			layout.Format(x.shape))
	}
	i, j := a.axis(by.axis1, len(x.shape)), a.axis(by.axis2, len(x.shape))
	if i == j {
		errs.Throw(errs.ValueError, "[%s] axis1 and axis2 must differ, both are %d", a.name(), i)
	}
	return diagonal(x, a.int(by.offset), i, j)
}

func diagonal(x *Array, offset, axis1, axis2 int) *Array {
	offset = max(min(offset, x.shape[axis2]), -x.shape[axis1]) // beyond that there is no diagonal
	n := diagonalLength(x.shape[axis1], x.shape[axis2], offset)
	shape := append(without(x.shape, axis1, axis2), n)
	return newArray(&diagonalOp, x.dtype, shape, diagonalAttr{axis1, axis2, offset}, x)
}

func diagonalLength(rows, cols, offset int) int {
	return max(min(rows-max(-offset, 0), cols-max(offset, 0)), 0)
}

// ontoDiagonal makes matrices, zero but for a diagonal, which the last axis of d holds. In the
// flattened matrix it has the step cols + 1.
func ontoDiagonal(d *Array, rows, cols, offset int) *Array {
	if _, ok := layout.CheckedSize([]int{rows, cols}, 16); !ok {
		errs.Throw(errs.ValueError, "[diag] a matrix with diagonal %d of %d elements is too large", offset,
			d.shape[len(d.shape)-1])
	}
	rank := len(d.shape)
	batch := d.shape[: rank-1 : rank-1]
	at := wholeSlice(rank)
	if offset >= 0 {
		at.start[rank-1] = offset
	} else {
		at.start[rank-1] = -offset * cols
	}
	at.step[rank-1] = cols + 1
	flat := fill(scalarOf(d.dtype, 0), append(batch, rows*cols))
	return Reshape(sliceUpdate(flat, d, at), append(batch, rows, cols))
}

// triangle keeps the elements whose row i and column j satisfy i + k row j.
func triangle(row string) func(*Args) []*Array {
	return callN(func(a *Args) *Array {
		x := a.array(by.x)
		rank := len(x.shape)
		if rank < 2 {
			errs.Throw(errs.ValueError, "[%s] the array must have at least 2 dimensions, not shape %s", a.name(),
				layout.Format(x.shape))
		}
		mask := diagonalMask(row, x.shape[rank-2], x.shape[rank-1], a.int(by.k))
		if x.dtype == dtype.Bool {
			return apply("logical_and", mask, x)
		}
		return where(mask, x, scalarOf(x.dtype, 0))
	})
}
