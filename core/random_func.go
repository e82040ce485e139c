package core

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// entropy seeds a process that never called seed.
func entropy() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func init() {
	seedOf := func(a *Args) uint64 {
		x := a.arg(by.seed)
		if x.Kind != ArgInt && x.Kind != ArgBool && x.Kind != ArgBigUint {
			errs.Throw(errs.TypeError, "[%s] the seed must be an integer", a.name())
		}
		return uint64(x.Int)
	}
	register(
		Func{Name: "random.seed", Sig: "(seed: int) -> None", Stream: noStream,
			Call: func(a *Args) []*Array { SetRandomState(KeyOf(seedOf(a))); return nil }},
		Func{Name: "random.key", Sig: "(seed: int) -> array", Stream: noStream,
			Call: callN(func(a *Args) *Array { return KeyOf(seedOf(a)) })},
		Func{Name: "random.split", Sig: "(key: array, num: int = 2) -> array", Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				n := a.int(by.num)
				if n < 0 {
					errs.Throw(errs.ValueError, "[split] the number of keys must be non-negative, not %d", n)
				}
				return Reshape(randomWords(a.array(by.key), 2*n), []int{n, 2})
			})},
		Func{Name: "random.uniform",
			Sig: "(low: scalar | array = 0, high: scalar | array = 1, shape: Sequence[int] = [], " +
				"dtype: Dtype | None = float32, key: array | None = None) -> array", Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				d := a.floating()
				lo, hi := a.weak(by.low, d), a.weak(by.high, d)
				shape := a.shapeOr(by.shape, broadcastShapes("uniform", lo.shape, hi.shape))
				return uniform(a.key(), lo, hi, shape, d)
			})},
		Func{Name: "random.normal",
			Sig: "(shape: Sequence[int] = [], dtype: Dtype | None = float32, loc: scalar | array | None = None, " +
				"scale: scalar | array | None = None, key: array | None = None) -> array", Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				d := a.dtype(by.dtype)
				if !d.IsInexact() {
					errs.Throw(errs.ValueError, "[normal] the dtype must be floating point or complex, not %s", d)
				}
				return normal(a.key(), a.shapeOr(by.shape, nil), d, a.optionalWeak(by.loc, d),
					a.optionalWeak(by.scale, d))
			})},
	)
}

func init() {
	scalar := func(v float64) *Array { return scalarOf(dtype.Float32, complex(v, 0)) }
	register(
		Func{Name: "random.randint",
			Sig: "(low: scalar | array, high: scalar | array, shape: Sequence[int] = [], " +
				"dtype: Dtype | None = int32, key: array | None = None) -> array", Stream: byPosition,
			Call: callN(randint)},
		Func{Name: "random.bernoulli",
			Sig:    "(p: scalar | array = 0.5, shape: Sequence[int] | None = None, key: array | None = None) -> array",
			Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				p := a.weak(by.p, dtype.Float32)
				shape := a.shapeOr(by.shape, p.shape)
				if !layout.CanBroadcastTo(p.shape, shape) {
					errs.Throw(errs.ValueError, "[bernoulli] p of shape %s does not broadcast to shape %s",
						layout.Format(p.shape), layout.Format(shape))
				}
				above := scalar(float64(math.Nextafter32(1, 2)))
				u := mul(AsType(bitsOf(a.key(), shape), dtype.Float32), scalar(0x1p-32))
				return apply("less", u, mul(p, above))
			})},
		Func{Name: "random.truncated_normal",
			Sig: "(lower: scalar | array, upper: scalar | array, shape: Sequence[int] | None = None, " +
				"dtype: Dtype | None = float32, key: array | None = None) -> array", Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				d := a.floating()
				lo, hi := a.weak(by.lower, d), a.weak(by.upper, d)
				shape := a.shapeOr(by.shape, broadcastShapes("truncated_normal", lo.shape, hi.shape))
				s := scalarOf(d, math.Sqrt2)
				u := uniform(a.key(), apply("erf", div(lo, s)), apply("erf", div(hi, s)), shape, d)
				top := scalarOf(d, complex(belowOne[d], 0)) // erfinv of 1 is infinite
				x := mul(s, apply("erfinv", apply("maximum", apply("minimum", u, top), neg(top))))
				return apply("maximum", apply("minimum", x, hi), lo)
			})},
		Func{Name: "random.gumbel",
			Sig:    "(shape: Sequence[int] = [], dtype: Dtype | None = float32, key: array | None = None) -> array",
			Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				d := a.floating()
				return gumbel(a.key(), a.shapeOr(by.shape, nil), d)
			})},
		Func{Name: "random.laplace",
			Sig: "(shape: Sequence[int] = [], dtype: Dtype | None = float32, loc: float = 0.0, scale: float = 1.0, " +
				"key: array | None = None) -> array", Stream: byPosition,
			Call: callN(func(a *Args) *Array {
				d := a.floating()
				u := symmetric(a.key(), a.shapeOr(by.shape, nil))
				x := AsType(mul(apply("sign", u), apply("log1p", neg(apply("abs", u)))), d)
				return add(mul(x, scalarOf(d, complex(a.float(by.scale), 0))), scalarOf(d, complex(a.float(by.loc), 0)))
			})},
		Func{Name: "random.categorical",
			Sig: "(logits: array, axis: int = -1, shape: Sequence[int] | None = None, " +
				"num_samples: int | None = None, key: array | None = None) -> array", Stream: byPosition,
			Call: callN(categorical)},
		Func{Name: "random.permutation", Sig: "(x: int | array, axis: int = 0, key: array | None = None) -> array",
			Stream: byPosition,
			Call:   callN(permutation)},
	)
}

func permutation(a *Args) *Array {
	order := func(n int) *Array { return argSortAxis(randomWords(a.key(), n), 0, -1) }
	if it := a.arg(by.x); it.Kind == ArgInt {
		if it.Int < 0 {
			errs.Throw(errs.ValueError, "[permutation] the length must be non-negative, not %d", it.Int)
		}
		return order(int(it.Int))
	}
	x := a.array(by.x)
	axis := a.axis(by.axis, x.NDim())
	items := make([]IndexItem, axis+1)
	for i := range items {
		items[i].Kind = IndexSlice
	}
	items[axis] = IndexItem{Kind: IndexArray, Array: order(x.shape[axis])}
	return Index(x, items)
}

func categorical(a *Args) *Array {
	logits := a.array(by.logits)
	axis := a.axis(by.axis, logits.NDim()) - logits.NDim() // from the end
	key := a.key
	if a.given(by.shape) && a.given(by.numSamples) {
		errs.Throw(errs.ValueError, "[categorical] give shape or num_samples, not both")
	}
	noise := func(shape layout.Shape) *Array { return gumbel(key(), shape, dtype.Float32) }
	rest := slices.Delete(slices.Clone(logits.shape), axis+logits.NDim(), axis+logits.NDim()+1)
	single := layout.Size(rest) == 1 && logits.Size() > 0
	switch {
	case a.given(by.numSamples):
		n := a.int(by.numSamples)
		if n < 0 {
			errs.Throw(errs.ValueError, "[categorical] num_samples must be non-negative, not %d", n)
		}
		if single {
			return drawFromOne(logits, append(rest, n), key())
		}
		shape := append(slices.Clone(logits.shape), n)
		z := add(unsqueeze(logits, logits.NDim()), noise(shape))
		return argReduce(z, axis-1+len(z.shape), true)
	case a.given(by.shape):
		shape := slices.Clone(a.shape(by.shape))
		if !layout.CanBroadcastTo(rest, shape) {
			errs.Throw(errs.ValueError, "[categorical] logits of shape %s without axis %d do not broadcast to shape %s",
				layout.Format(logits.shape), axis, layout.Format(shape))
		}
		if single {
			return drawFromOne(logits, shape, key())
		}
		shape = slices.Insert(shape, len(shape)+axis+1, logits.shape[logits.NDim()+axis])
		z := add(logits, noise(shape))
		return argReduce(z, axis+len(z.shape), true)
	}
	if single && len(rest) > 0 {
		return drawFromOne(logits, rest, key())
	}
	return argReduce(add(logits, noise(logits.shape)), axis+logits.NDim(), true)
}

// drawFromOne draws from a single distribution by inverting its cumulative sum: one number a draw
// where the Gumbel trick takes one for every category.
func drawFromOne(logits *Array, shape layout.Shape, key *Array) *Array {
	x := AsType(Reshape(logits, []int{-1}), dtype.Float32)
	weights := apply("exp", sub(x, reduce(device.ReduceMax, x, []int{0})))
	// the infinite ones share, or all if there is nothing else
	weights = where(apply("isnan", weights), like(weights, 1), weights)
	total := scan(device.ScanSum, weights, 0, false, true)
	last := Index(total, []IndexItem{{Kind: IndexInt, Int: -1}})
	u := mul(unitInterval(key, shape, dtype.Float32), last)
	return newArray(&searchOp, dtype.Uint32, u.shape, device.SearchAttr{Right: true}, total, u)
}
