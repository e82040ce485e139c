package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// narrowBound is up to which absolute value of the bounds integers are drawn as MLX draws them, from a float32
// between the bounds: some 2^24 of those are told apart, so that beyond it some integers would come more often than
// others, and many not at all.
const narrowBound = 1 << 20

// randint draws integers of dtype d in [low, high).
func randint(a *Args) *Array {
	d := a.dtype(by.dtype)
	if d == dtype.Bool {
		list := slices.Clone(a.List)
		list[3] = Arg{Kind: ArgDtype, Int: int64(dtype.Uint8)}
		for i := range list[:2] {
			if x := &list[i]; x.Kind == ArgInt && (x.Int < 0 || x.Int > int64(1+i)) {
				errs.Throw(errs.ValueError, "[randint] %d is no bound of bools: low is 0 or 1, high at most 2", x.Int)
			}
		}
		return AsType(randint(&Args{a.Func, list}), dtype.Bool)
	}
	if !d.IsInteger() {
		errs.Throw(errs.ValueError, "[randint] the dtype must be an integer or bool, not %s", d)
	}
	lo, hi := a.bound(by.low, 0, d), a.bound(by.high, 1, d)
	shape := a.shapeOr(by.shape, broadcastShapes("randint", lo.shape, hi.shape))
	if !layout.CanBroadcastTo(lo.shape, shape) || !layout.CanBroadcastTo(hi.shape, shape) {
		errs.Throw(errs.ValueError, "[randint] bounds of shapes %s and %s do not broadcast to shape %s",
			layout.Format(lo.shape), layout.Format(hi.shape), layout.Format(shape))
	}
	key := a.key()
	switch low, high := isNarrow(a.arg(by.low), lo), isNarrow(a.arg(by.high), hi); {
	case low == yes && high == yes:
		return narrowInt(key, lo, hi, shape, d)
	case low == no || high == no:
		return wideInt(key, lo, hi, shape, d)
	}
	within := func(x *Array) *Array {
		return apply("less_equal", apply("abs", AsType(x, dtype.Float32)), scalarOf(dtype.Float32, narrowBound))
	}
	narrow := apply("logical_and", within(lo), within(hi))
	return where(narrow, narrowInt(key, lo, hi, shape, d), wideInt(key, lo, hi, shape, d))
}

// bound is low or high as an array. An integer must be one that d has; high, which is not drawn, is one beyond.
func (a *Args) bound(p param, beyond int64, d dtype.Dtype) *Array {
	x := a.arg(p)
	last := x.Int - beyond
	if x.Kind == ArgInt && !intFits(last, d) || x.Kind == ArgBigUint && uint64(last) > math.MaxInt64 &&
		d != dtype.Uint64 {
		errs.Throw(errs.ValueError, "[randint] %s %d is out of bounds for %s", parameterNames[p], x.Int, d)
	}
	return a.array(p)
}

// tristate is an answer that may only be known when values are.
type tristate uint8

const (
	unknown tristate = iota
	yes
	no
)

// isNarrow reports whether the bound x, the argument a, lies within narrowBound.
func isNarrow(a *Arg, x *Array) tristate {
	v := float64(a.Int)
	switch a.Kind {
	case ArgFloat:
		v = a.Float
	case ArgBigUint:
		return no
	case ArgArray:
		if x.dtype == dtype.Bool || x.dtype.IsInteger() && x.dtype.Size() <= 2 {
			return yes
		}
		return unknown
	}
	if math.Abs(v) <= narrowBound {
		return yes
	}
	return no
}

// narrowInt rounds uniform numbers down.
func narrowInt(key, lo, hi *Array, shape layout.Shape, d dtype.Dtype) *Array {
	r := AsType(AsType(apply("floor", uniform(key, lo, hi, shape, dtype.Float32)), dtype.Int64), d)
	top := sub(AsType(hi, d), intScalar(d, 1))
	return BroadcastTo(apply("maximum", apply("minimum", r, top), AsType(lo, d)), shape)
}

// wideInt is low plus the integer part of n u, for the n = high - low integers of the range and a u of 96 random
// bits: no integer is likelier than another by more than one part in 2^32. The product is taken by 32-bit digits.
func wideInt(key, lo, hi *Array, shape layout.Shape, d dtype.Dtype) *Array {
	wide, u := dtype.Int64, dtype.Uint64
	if d == u {
		wide = u
	}
	lo, hi = AsType(lo, wide), AsType(hi, wide)
	words := bitsOf(key, append(slices.Clone(shape), 3))
	word := func(i int) *Array { return AsType(Reshape(sliceAxis(words, len(shape), i, i+1), shape), u) }
	low := func(x *Array) *Array { return apply("bitwise_and", x, intScalar(u, math.MaxUint32)) }
	high := func(x *Array) *Array { return apply("right_shift", x, intScalar(u, 32)) }
	n := sub(AsType(hi, u), AsType(lo, u))
	n0, n1 := low(n), high(n)
	// Digit i of u times digit j of n counts for digit i + j of the product, whose digits 0 to 2 only carry.
	carry := high(mul(word(0), n0))
	for i := range 2 {
		p, q := mul(word(i+1), n0), mul(word(i), n1)
		carry = add(add(high(add(add(carry, low(p)), low(q))), high(p)), high(q))
	}
	r := add(AsType(lo, u), add(carry, mul(word(2), n1)))
	some := apply("less", lo, hi)
	if wide == dtype.Int64 {
		some = apply("less_equal", lo, sub(hi, intScalar(wide, 1))) // hi may have been 2^63
	}
	return AsType(where(some, r, AsType(lo, u)), d) // low where there is no integer, as in narrow ranges
}
