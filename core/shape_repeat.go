package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Arrays whose elements repeat, move around an axis, or continue beyond its ends.

func init() {
	register(
		Func{Name: "repeat", Sig: "(array: array, repeats: int, axis: int | None = None) -> array",
			Call: callN(repeat)},
		Func{Name: "tile", Sig: "(a: array, reps: int | Sequence[int], /) -> array", Call: callN(tile)},
		Func{Name: "roll", Sig: "(a: array, /, shift: int | tuple[int], axis: None | int | tuple[int] = None) -> array",
			Call: callN(roll)},
		Func{Name: "meshgrid",
			Sig:  "(*arrays: array, sparse: bool | None = False, indexing: str | None = 'xy') -> tuple[array, ...]",
			Call: meshgrid},
		Func{Name: "pad",
			Sig: "(a: array, pad_width: int | tuple[int] | tuple[int, int] | list[tuple[int, int]], " +
				"mode: Literal['constant', 'edge', 'reflect', 'symmetric'] = 'constant', " +
				"constant_values: scalar | array = 0) -> array", Call: callN(pad)},
	)
}

func repeat(a *Args) *Array {
	x, n, axis := a.array(by.array), a.int(by.repeats), 0
	if n < 0 {
		errs.Throw(errs.ValueError, "[repeat] the number of repeats must not be negative, as %d", n)
	}
	if a.given(by.axis) {
		axis = a.axis(by.axis, x.NDim())
	} else {
		x = Reshape(x, []int{-1})
	}
	shape := slices.Clone(x.shape)
	wide := BroadcastTo(unsqueeze(x, axis+1), slices.Insert(slices.Clone(shape), axis+1, n))
	shape[axis] *= n
	return Reshape(wide, shape)
}

func tile(a *Args) *Array {
	x := a.array(by.a)
	reps, _ := a.ints(by.reps)
	rank := max(len(reps), len(x.shape))
	pad := func(list []int) []int { return append(slices.Repeat([]int{1}, rank-len(list)), list...) }
	reps, shape := pad(reps), pad(x.shape)
	var thin, wide, out []int
	for i, d := range shape {
		if reps[i] < 0 {
			errs.Throw(errs.ValueError, "[tile] the numbers of repeats must not be negative, as %d", reps[i])
		}
		thin, wide, out = append(thin, 1, d), append(wide, reps[i], d), append(out, reps[i]*d)
	}
	return Reshape(BroadcastTo(Reshape(x, thin), wide), out)
}

func roll(a *Args) *Array {
	x := a.array(by.a)
	shifts, _ := a.ints(by.shift)
	axes, ok := a.ints(by.axis)
	if !ok {
		total := 0
		for _, s := range shifts {
			total += s
		}
		return Reshape(rollAxis(Reshape(x, []int{-1}), 0, total), x.shape)
	}
	n := max(len(shifts), len(axes))
	if len(shifts) != n && len(shifts) != 1 || len(axes) != n && len(axes) != 1 {
		errs.Throw(errs.ValueError, "[roll] %d shifts do not match %d axes", len(shifts), len(axes))
	}
	for i := range n {
		axis := normAxis("roll", axes[i%len(axes)], len(x.shape))
		x = rollAxis(x, axis, shifts[i%len(shifts)])
	}
	return x
}

func rollAxis(x *Array, axis, shift int) *Array {
	n := x.shape[axis]
	if n == 0 {
		return x
	}
	cut := ((-shift)%n + n) % n
	if cut == 0 {
		return x
	}
	return Concatenate([]*Array{sliceAxis(x, axis, cut, n), sliceAxis(x, axis, 0, cut)}, axis)
}

func meshgrid(a *Args) []*Array {
	xs := a.arrays(by.arrays)
	sparse, order := a.bool(by.sparse), a.string(by.indexing)
	if order != "xy" && order != "ij" {
		errs.Throw(errs.ValueError, "[meshgrid] indexing must be 'xy' or 'ij', not '%s'", order)
	}
	full := make([]int, len(xs))
	for i, x := range xs {
		shape := slices.Repeat([]int{1}, len(xs))
		axis := i
		if order == "xy" && len(xs) > 1 && i < 2 {
			axis = 1 - i
		}
		shape[axis], full[axis] = x.Size(), x.Size()
		xs[i] = Reshape(x, shape)
	}
	if !sparse {
		for i, x := range xs {
			xs[i] = BroadcastTo(x, full)
		}
	}
	return xs
}

// padWidths reads pad_width for an array of the given rank.
func padWidths(a *Args, rank int) (lo, hi []int) {
	arg := a.arg(by.padWidth)
	var pairs [][]int
	switch {
	case arg.Kind != ArgList:
		n := a.int(by.padWidth)
		pairs = [][]int{{n, n}}
	case len(arg.List) > 0 && arg.List[0].Kind == ArgList:
		for i := range arg.List {
			p, _ := a.integers(&arg.List[i], by.padWidth)
			pairs = append(pairs, p)
		}
	default:
		p, _ := a.ints(by.padWidth)
		pairs = [][]int{p}
	}
	if len(pairs) != 1 && len(pairs) != rank {
		errs.Throw(errs.ValueError, "[pad] %d pairs of widths are given for an array with %d dimensions", len(pairs),
			rank)
	}
	for i := range rank {
		p := pairs[i%len(pairs)]
		switch {
		case len(p) == 1:
			p = []int{p[0], p[0]}
		case len(p) != 2:
			errs.Throw(errs.TypeError, "[pad] the widths of an axis must be a pair (before, behind), not %s",
				layout.Format(p))
		}
		if p[0] < 0 || p[1] < 0 {
			errs.Throw(errs.ValueError, "[pad] the widths %s of axis %d must not be negative", layout.Format(p), i)
		}
		if p[0] > maxElements || p[1] > maxElements {
			errs.Throw(errs.ValueError, "[pad] the widths %s of axis %d are too large", layout.Format(p), i)
		}
		lo, hi = append(lo, p[0]), append(hi, p[1])
	}
	return lo, hi
}

func pad(a *Args) *Array {
	x := a.array(by.a)
	lo, hi := padWidths(a, len(x.shape))
	mode := a.string(by.mode)
	if mode == "constant" {
		return padConstant(x, a.weak(by.constantValues, x.dtype), lo, hi)
	}
	source := map[string]func(i, n int) int{"edge": edgeSource, "reflect": reflectSource,
		"symmetric": symmetricSource}[mode]
	if source == nil {
		errs.Throw(errs.ValueError, "[pad] mode must be 'constant', 'edge', 'reflect' or 'symmetric', not '%s'", mode)
	}
	for axis := range x.shape {
		if lo[axis]+hi[axis] > 0 && x.shape[axis] == 0 {
			errs.Throw(errs.ValueError, "[pad] axis %d of shape %s is empty and has nothing to continue in mode '%s'",
				axis, layout.Format(x.shape), mode)
		}
		if (lo[axis]+hi[axis])/max(x.shape[axis], 1) > 1<<22 {
			errs.Throw(errs.ValueError, "[pad] widths (%d,%d) repeat axis %d of shape %s too often", lo[axis], hi[axis],
				axis, layout.Format(x.shape))
		}
		x = padAxis(x, axis, lo[axis], hi[axis], source)
	}
	return x
}

// padConstant surrounds x with v: the fill's memory becomes the result's.
func padConstant(x, v *Array, lo, hi []int) *Array {
	shape, at := slices.Clone(x.shape), wholeSlice(len(x.shape))
	grows := false
	for i := range shape {
		shape[i] += lo[i] + hi[i]
		at.start[i] = lo[i]
		grows = grows || lo[i]+hi[i] > 0
	}
	if !grows {
		return x
	}
	return sliceUpdate(filledWith("pad", v, shape), x, at)
}

// Where position i, which may lie outside of 0..n-1, takes its element from.

func edgeSource(i, n int) int { return min(max(i, 0), n-1) }

func reflectSource(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = (i%period + period) % period
	return min(i, period-i)
}

func symmetricSource(i, n int) int {
	i = (i%(2*n) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// padAxis continues one axis. The new positions take their elements in runs up, down or in place,
// and each run is a view.
func padAxis(x *Array, axis, lo, hi int, source func(i, n int) int) *Array {
	n := x.shape[axis]
	var parts []*Array
	runs := func(from, to int) {
		for from < to {
			start, end, step := source(from, n), from+1, 0
			if end < to {
				step = source(end, n) - start
				for end < to && source(end, n)-source(end-1, n) == step {
					end++
				}
			}
			shape, at := slices.Clone(x.shape), wholeSlice(len(x.shape))
			at.start[axis] = start
			if shape[axis] = end - from; step == 0 {
				one := sliceAxis(x, axis, start, start+1)
				parts = append(parts, BroadcastTo(one, shape))
			} else {
				at.step[axis] = step
				parts = append(parts, slice(x, shape, at))
			}
			from = end
		}
	}
	runs(-lo, 0)
	parts = append(parts, x)
	runs(n, n+hi)
	return Concatenate(parts, axis)
}
