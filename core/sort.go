package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

var sortOp, argSortOp, searchOp Def

func init() {
	moved := func(y *Array, ins []*Array) *Array {
		at := y.attr.(device.SortAttr)
		at.Axis++
		return newArray(y.op, y.dtype, ins[0].shape, at, ins[0])
	}
	vmap := func(y *Array, ins []*Array, _ []bool, n int) *Array { return moved(y, ins) }
	cost := func(*Array) int { return 32 }
	order := func(y *Array) *Array {
		return argSortAxis(y.in[0], y.attr.(device.SortAttr).Axis, y.attr.(device.SortAttr).Kth)
	}
	define(&sortOp, Def{Name: "sort", Specs: specsOfSort, NameOf: sortName, Kind: device.KindSort,
		VMap: vmap, Cost: cost,
		VJP: func(y, ct *Array, want []bool) []*Array {
			return []*Array{scatterAxisAdd(zerosLike(y.in[0]), order(y), ct, y.attr.(device.SortAttr).Axis)}
		},
		JVP: func(y *Array, t []*Array) *Array { return gatherAxis(t[0], order(y), y.attr.(device.SortAttr).Axis) },
	})
	define(&argSortOp, Def{Name: "argsort", Specs: specsOfSort, NameOf: sortName, Kind: device.KindSort, VMap: vmap,
		Cost:   cost,
		NoGrad: "the result is an integer"})
	define(&searchOp, Def{Name: "searchsorted",
		Specs: func(y *Array, ins []*Array) []Spec { return oneSpec(y.dtype, ins[1].shape) },
		Kind:  device.KindSearchSorted, Cost: cost, VMap: vmapSearch,
		NoGrad: "the result is an integer"})

}

func init() {
	// along applies f to the given axis, or to the flattened array for an axis of None.
	along := func(a *Args, f func(x *Array, axis int) *Array) *Array {
		x := a.array(by.a)
		if !a.given(by.axis) {
			return f(Reshape(x, []int{-1}), 0)
		}
		return f(x, a.axis(by.axis, x.NDim()))
	}
	kth := func(a *Args, n int) int {
		k := a.int(by.kth)
		if k < -n || k >= n {
			errs.Throw(errs.ValueError, "[%s] kth %d is out of bounds for an axis of size %d", a.name(), k, n)
		}
		if k < 0 {
			k += n
		}
		return k
	}
	const sig = "(a: array, /, axis: None | int = -1) -> array"
	const kthSig = "(a: array, /, kth: int, axis: None | int = -1) -> array"
	register(
		Func{Name: "sort", Sig: sig,
			Call: callN(func(a *Args) *Array {
				return along(a, func(x *Array, axis int) *Array { return sortAxis(x, axis, -1) })
			})},
		Func{Name: "argsort", Sig: sig,
			Call: callN(func(a *Args) *Array {
				return along(a, func(x *Array, axis int) *Array { return argSortAxis(x, axis, -1) })
			})},
		Func{Name: "partition", Sig: kthSig,
			Call: callN(func(a *Args) *Array {
				return along(a, func(x *Array, axis int) *Array { return sortAxis(x, axis, kth(a, x.shape[axis])) })
			})},
		Func{Name: "argpartition", Sig: kthSig,
			Call: callN(func(a *Args) *Array {
				return along(a, func(x *Array, axis int) *Array { return argSortAxis(x, axis, kth(a, x.shape[axis])) })
			})},
		Func{Name: "topk", Sig: "(a: array, /, k: int, axis: None | int = -1) -> array",
			Call: callN(func(a *Args) *Array {
				return along(a, func(x *Array, axis int) *Array {
					n, k := x.shape[axis], a.int(by.k)
					if k < 0 || k > n {
						errs.Throw(errs.ValueError, "[topk] k %d must lie between 0 and the size %d of axis %d", k, n,
							axis)
					}
					if k == n {
						return x
					}
					return sliceAxis(sortAxis(x, axis, n-max(k, 1)), axis, n-k, n)
				})
			})},
		Func{Name: "searchsorted", Sig: "(sorted_sequence: array, values: array, /, side: str = 'left') -> array",
			Call: callN(func(a *Args) *Array {
				x, v := a.pair(by.sortedSequence, by.values)
				return searchSorted(x, v, a.string(by.side))
			})},
	)
}

// searchSorted is searchsorted(x, v, side).
func searchSorted(x, v *Array, side string) *Array {
	if side != "left" && side != "right" {
		errs.Throw(errs.ValueError, "[searchsorted] side must be 'left' or 'right', not '%s'", side)
	}
	if x.NDim() != 1 {
		errs.Throw(errs.ValueError, "[searchsorted] the sorted sequence must be 1-D, not of shape %s",
			layout.Format(x.shape))
	}
	checkPositions("searchsorted", x.shape, 0)
	if x.dtype == dtype.Complex64 { // which the kernel does not compare
		row := func(x *Array) *Array { return Reshape(x, []int{1, x.Size()}) }
		return Reshape(searchByRank(row(x), row(v), side == "right"), v.shape)
	}
	return newArray(&searchOp, dtype.Uint32, v.shape, device.SearchAttr{Right: side == "right"}, x, v)
}

func vmapSearch(y *Array, ins []*Array, mapped []bool, n int) *Array {
	if !mapped[0] {
		return newArray(&searchOp, y.dtype, withBatch(n, y.shape), y.attr, ins...)
	}
	xs := batchAll(ins, mapped, n)
	rows := Reshape(xs[1], []int{n, layout.Size(y.shape)})
	return Reshape(searchByRank(xs[0], rows, y.attr.(device.SearchAttr).Right), withBatch(n, y.shape))
}

// searchByRank places the values of each row among that row's sorted sequence by sorting both together, values first
// where they go before equal elements: their rank among all less their rank among the values.
func searchByRank(sorted, v *Array, right bool) *Array {
	k, m := sorted.shape[1], v.shape[1]
	checkPositions("searchsorted", []int{k + m}, 0)
	rank := func(x *Array) *Array { return argSortAxis(argSortAxis(x, 1, -1), 1, -1) }
	var all *Array
	if right {
		all = sliceAxis(rank(Concatenate([]*Array{sorted, v}, 1)), 1, k, k+m)
	} else {
		all = sliceAxis(rank(Concatenate([]*Array{v, sorted}, 1)), 1, 0, m)
	}
	return sub(all, rank(v))
}

// sortAxis sorts along axis, or only partitions at kth >= 0.
func sortAxis(x *Array, axis, kth int) *Array {
	at := device.SortAttr{Axis: axis, Arg: false, Kth: kth}
	if x.dtype == dtype.Complex64 {
		checkPositions(sortName(at), x.shape, axis)
		return gatherAxis(x, argSortAxis(x, axis, kth), axis)
	}
	return newArray(&sortOp, x.dtype, x.shape, at, x)
}

func sortName(attr any) string {
	at := attr.(device.SortAttr)
	name := "sort"
	if at.Kth >= 0 {
		name = "partition"
	}
	if at.Arg {
		name = "arg" + name
	}
	return name
}

// checkPositions throws where uint32 cannot hold the positions along an axis, or its length.
func checkPositions(name string, shape layout.Shape, axis int) {
	if n := shape[axis]; n > math.MaxUint32 {
		errs.Throw(errs.ValueError,
			"[%s] positions are uint32, but axis %d of shape %s has %d elements; at most %d can be told apart",
			name, axis, layout.Format(shape), n, uint32(math.MaxUint32))
	}
}

// argSortAxis is the permutation. Complex numbers sort by real, then imaginary part, those with a NaN in either part
// behind the others, as NumPy's do: stably by one key after the other, the last one first.
func argSortAxis(x *Array, axis, kth int) *Array {
	at := device.SortAttr{Axis: axis, Arg: true, Kth: kth}
	checkPositions(sortName(at), x.shape, axis)
	if x.dtype == dtype.Complex64 {
		order := argSortAxis(apply("imag", x), axis, -1)
		for _, key := range []string{"real", "isnan"} {
			order = gatherAxis(order, argSortAxis(gatherAxis(apply(key, x), order, axis), axis, -1), axis)
		}
		return order
	}
	return newArray(&argSortOp, dtype.Uint32, x.shape, at, x)
}
