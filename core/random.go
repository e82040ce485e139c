package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Random numbers are functions of a key: threefry2x32 with 20 rounds (Salmon et al., "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011) turns key and position into bits, and the same
// bits come out on every device. Draws without a key split the global one.

var randomBitsOp Def

// randomKey is the global state.
var randomKey *Array

func init() {
	define(&randomBitsOp, Def{Name: "random_bits", Kind: device.KindRandomBits, Specs: shapeHeld,
		NoGrad: "bits are no function of the key that has a derivative",
		Cost:   func(*Array) int { return 16 },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			return newArray(&randomBitsOp, dtype.Uint32, withBatch(n, y.shape), y.attr, ins[0])
		},
	})
}

// randomWords gives n uint32 per key of shape (..., 2).
func randomWords(key *Array, n int) *Array {
	if k := len(key.shape); k == 0 || key.shape[k-1] != 2 || key.dtype != dtype.Uint32 {
		errs.Throw(errs.ValueError, "[random] a key must be a uint32 array of shape (2,), not %s of shape %s",
			key.dtype, layout.Format(key.shape))
	}
	shape := append(slices.Clone(key.shape[:len(key.shape)-1]), n)
	return newArray(&randomBitsOp, dtype.Uint32, shape, device.RandomAttr{Bytes: 4 * n}, key)
}

// KeyOf is the key for a seed: its high and its low half.
func KeyOf(seed uint64) *Array {
	a, p := Empty(dtype.Uint32, []int{2})
	w := elementsAt[uint32](p, 2)
	w[0], w[1] = uint32(seed>>32), uint32(seed)
	return a
}

// RandomState is the global key.
func RandomState() *Array {
	if randomKey == nil {
		SetRandomState(KeyOf(uint64(entropy())))
	}
	return randomKey
}

// SetRandomState replaces the global key.
func SetRandomState(key *Array) {
	key.retain()
	if randomKey != nil {
		release(randomKey)
	}
	randomKey = key
}

// nextKey advances the global state and returns a key for one draw.
func nextKey() *Array {
	pair := Reshape(randomWords(RandomState(), 4), []int{2, 2})
	row := func(i int) *Array { return Reshape(sliceAxis(pair, 0, i, i+1), []int{2}) }
	SetRandomState(row(0))
	return row(1)
}

// key is the argument key, or the next of the global state.
func (a *Args) key() *Array {
	if !a.given(by.key) {
		return nextKey()
	}
	k := a.array(by.key)
	if len(k.shape) != 1 {
		errs.Throw(errs.ValueError, "[%s] a key must be a uint32 array of shape (2,), not of shape %s", a.name(),
			layout.Format(k.shape))
	}
	return k
}

// bitsOf gives one uint32 per element of shape.
func bitsOf(key *Array, shape layout.Shape) *Array {
	return Reshape(randomWords(key, layout.Size(shape)), shape)
}

// belowOne is the number before 1.
var belowOne = map[dtype.Dtype]float64{
	dtype.Float64: 1 - 0x1p-53, dtype.Float32: 1 - 0x1p-24, dtype.Float16: 1 - 0x1p-11, dtype.BFloat16: 1 - 0x1p-8,
}

// unitInterval is uniform in [0, 1) in dtype d: the bits as a fraction of 2^32, rounded to d, and kept below 1.
func unitInterval(key *Array, shape layout.Shape, d dtype.Dtype) *Array {
	if d == dtype.Float64 {
		// 53 bits from two words.
		w := bitsOf(key, append(slices.Clone(shape), 2))
		part := func(i int) *Array {
			return AsType(Reshape(sliceAxis(w, len(shape), i, i+1), shape), d)
		}
		hi, lo := apply("floor", mul(part(0), scalarOf(d, 1.0/32))), apply("floor", mul(part(1), scalarOf(d, 1.0/64)))
		return mul(add(mul(hi, scalarOf(d, 1<<26)), lo), scalarOf(d, 1.0/(1<<53)))
	}
	u := mul(AsType(bitsOf(key, shape), dtype.Float32), scalarOf(dtype.Float32, 0x1p-32))
	return apply("minimum", AsType(u, d), scalarOf(d, complex(belowOne[d], 0)))
}

func uniform(key *Array, lo, hi *Array, shape layout.Shape, d dtype.Dtype) *Array {
	lo, hi = AsType(lo, d), AsType(hi, d)
	out := broadcastShapes("uniform", broadcastShapes("uniform", lo.shape, hi.shape), shape)
	if !layout.Equal(out, shape) {
		errs.Throw(errs.ValueError, "[uniform] bounds of shapes %s and %s do not broadcast to shape %s",
			layout.Format(lo.shape), layout.Format(hi.shape), layout.Format(shape))
	}
	u, span := unitInterval(key, shape, d), sub(hi, lo)
	r := add(mul(span, u), lo)
	if spanFits(lo, hi) {
		return r
	}
	// high - low may be more than d holds.
	return where(apply("isinf", span), add(mul(hi, u), mul(lo, sub(like(u, 1), u))), r)
}

// spanFits reports whether the bounds are known to be no more apart than the largest number of their dtype.
func spanFits(lo, hi *Array) bool {
	if lo.op != constant || hi.op != constant {
		return false
	}
	value, most := func(x *Array) float64 { return float64(float32FromBits(uint32(x.bits))) }, math.MaxFloat32
	switch lo.dtype {
	case dtype.Float64:
		value, most = func(x *Array) float64 { return math.Float64frombits(x.bits) }, math.MaxFloat64
	case dtype.Float16:
		value, most = func(x *Array) float64 { return float64(dtype.Float16To(uint16(x.bits))) }, 65504
	case dtype.BFloat16:
		value, most = func(x *Array) float64 { return float64(dtype.BFloat16To(uint16(x.bits))) }, 0x1.fep127
	}
	return math.Abs(value(hi)-value(lo)) <= most
}

// symmetric is uniform in (-1, 1) in float32: what normal and laplace map to their shape.
func symmetric(key *Array, shape layout.Shape) *Array {
	below := float64(math.Nextafter32(-1, 0))
	f := dtype.Float32
	return uniform(key, scalarOf(f, complex(below, 0)), scalarOf(f, 1), shape, f)
}

// normal maps uniform numbers by erfinv. The parts of complex ones are drawn for themselves.
func normal(key *Array, shape layout.Shape, d dtype.Dtype, loc, scale *Array) *Array {
	var x *Array
	if d == dtype.Complex64 {
		e := apply("erfinv", symmetric(key, append(slices.Clone(shape), 2)))
		x = Reshape(Bitcast(e, d), e.shape[:len(e.shape)-1])
		if scale != nil {
			x = mul(x, scale)
		}
	} else {
		s := scalarOf(d, math.Sqrt2)
		if scale != nil {
			s = mul(s, scale)
		}
		x = mul(s, AsType(apply("erfinv", symmetric(key, shape)), d))
	}
	if loc != nil {
		x = add(x, loc)
	}
	return x
}

func gumbel(key *Array, shape layout.Shape, d dtype.Dtype) *Array {
	u := unitInterval(key, shape, d)
	return neg(apply("log", neg(apply("log", u))))
}

// floating is the dtype of a continuous distribution.
func (a *Args) floating() dtype.Dtype {
	d := a.dtype(by.dtype)
	if !d.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] the dtype must be floating point, not %s", a.name(), d)
	}
	return d
}

func (a *Args) shapeOr(p param, otherwise layout.Shape) layout.Shape {
	if !a.given(p) {
		return otherwise
	}
	return a.shape(p)
}
