// Package dtype names the element types of arrays and the rules by which two
// of them combine.
package dtype

// Dtype is the type of one element.
type Dtype uint8

// The order is part of the ABI with the kernels (backends/cpu/kernels/abi.h).
const (
	Bool Dtype = iota
	Uint8
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	Int32
	Int64
	Float16
	Float32
	Float64
	BFloat16
	Complex64
	Count int = iota
)

// All lists every dtype in ABI order.
var All = [Count]Dtype{Bool, Uint8, Uint16, Uint32, Uint64, Int8, Int16, Int32, Int64,
	Float16, Float32, Float64, BFloat16, Complex64}

var names = [Count]string{"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32",
	"int64", "float16", "float32", "float64", "bfloat16", "complex64"}

var sizes = [Count]uint8{1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 2, 8}

// Size is the number of bytes of one element.
func (d Dtype) Size() int { return int(sizes[d]) }

func (d Dtype) String() string { return names[d] }

// Parse returns the dtype with the given name.
func Parse(name string) (Dtype, bool) {
	for i, n := range names {
		if n == name {
			return Dtype(i), true
		}
	}
	return 0, false
}

// Group groups the dtypes whose kernels share a formula.
type Group uint8

const (
	GroupBool Group = iota
	GroupUnsigned
	GroupSigned
	GroupFloat
	GroupComplex
	GroupCount int = iota
)

var groups = [Count]Group{GroupBool, GroupUnsigned, GroupUnsigned, GroupUnsigned, GroupUnsigned,
	GroupSigned, GroupSigned, GroupSigned, GroupSigned, GroupFloat, GroupFloat, GroupFloat, GroupFloat, GroupComplex}

func (d Dtype) Group() Group { return groups[d] }

// IsFloat reports whether d is one of the four real floating-point types.
func (d Dtype) IsFloat() bool { return groups[d] == GroupFloat }

// IsInexact reports whether d is floating point or complex: the types that have derivatives.
func (d Dtype) IsInexact() bool { return groups[d] >= GroupFloat }

// IsInteger reports whether d is a signed or unsigned integer; bool is not.
func (d Dtype) IsInteger() bool { return groups[d] == GroupUnsigned || groups[d] == GroupSigned }

// IsHalf reports whether d is a 16-bit float, whose arithmetic runs in float32.
func (d Dtype) IsHalf() bool { return d == Float16 || d == BFloat16 }

// Compute is the type in which arithmetic on d runs.
func (d Dtype) Compute() Dtype {
	if d.IsHalf() {
		return Float32
	}
	return d
}

// ToFloat is the type that functions with real results give for input d:
// float32 for integers and bool, d itself for inexact types.
func (d Dtype) ToFloat() Dtype {
	if d.IsInexact() {
		return d
	}
	return Float32
}

var promotion = func() (t [Count][Count]Dtype) {
	for _, a := range All {
		for _, b := range All {
			t[a][b] = promote(a, b)
		}
	}
	return t
}()

// Promote returns the dtype in which a and b meet. It is commutative; uint64
// with a signed integer gives float32, the two halves give float32.
func Promote(a, b Dtype) Dtype { return promotion[a][b] }

func promote(a, b Dtype) Dtype {
	ka, kb := a.Group(), b.Group()
	switch {
	case a == b:
		return a
	case ka > kb:
		return promote(b, a)
	case kb == GroupComplex:
		return Complex64
	case ka == GroupBool:
		return b
	case kb == GroupFloat && ka == GroupFloat:
		if a == Float64 || b == Float64 {
			return Float64
		}
		return Float32 // two different types of at most 32 bits
	case kb == GroupFloat:
		return b
	case ka == kb:
		if a.Size() > b.Size() {
			return a
		}
		return b
	}
	// a is unsigned, b is signed: the first signed type that holds both.
	if a == Uint64 {
		return Float32
	}
	signed := [...]Dtype{1: Int16, 2: Int32, 4: Int64}[a.Size()]
	if b.Size() > signed.Size() {
		return b
	}
	return signed
}
