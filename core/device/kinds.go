package device

// KernelKind selects the kernel. The comment gives inputs -> output and the attr.
type KernelKind uint8

const (
	KindNone KernelKind = iota
	// KindElementwise runs a *Program. All In already have Out's shape (stretched axes have stride 0).
	KindElementwise
	// KindCopy writes In[0], cast, to Out[0] of the same shape. Out[0] may have any nonzero strides. Attr nil.
	KindCopy
	// KindFill writes the scalar In[0] (shape ()) to every element of Out[0], which may have any nonzero strides. Same
	// dtype. Attr nil.
	KindFill
	// KindArange writes start + i*step to the 1-D Out[0]. ArangeAttr.
	KindArange
	// KindReduce folds axes of In[0]; Out[0] keeps the other axes in order. ReduceAttr. An empty fold gives the
	// identity.
	KindReduce
	// KindArgReduce gives the uint32 position of the first smallest or largest along one axis, which Out[0] drops; a
	// NaN wins. ArgReduceAttr.
	KindArgReduce
	// KindScan folds prefixes along one axis; In[0] and Out[0] have one shape. ScanAttr.
	KindScan
	// KindSort sorts along one axis, ascending, NaN last, stable. SortAttr. With Arg the output is the uint32
	// permutation.
	KindSort
	// KindSearchSorted finds, for each element of In[1], its insertion position in the sorted 1-D In[0]; Out[0] is
	// uint32 (SearchAttr).
	KindSearchSorted
	// KindMatMul multiplies In[0] (batch..., M, K) with In[1] (batch..., K, N) to Out[0] (batch..., M, N), one dtype.
	// Batch axes are equal (stretched ones have stride 0). With three inputs Out = Alpha*In[0]@In[1] + Beta*In[2],
	// In[2] of Out's shape. MatMulAttr.
	KindMatMul
	// KindGatherMatMul multiplies every matrix of In[0] (outer..., batch..., M, K) with one of In[1] (outer..., E, K,
	// N), that which In[2] (outer..., batch...), of an integer dtype, names: Out[0] (outer..., batch..., M, N). In[0],
	// In[1] and Out[0] have one dtype, of real numbers. Negative indices count from the end; others outside of E are an
	// IndexError. Attr nil.
	KindGatherMatMul
	// KindSegmentedMatMul multiplies parts of the inner axis: for every pair (from, to) along the last axis of In[2]
	// (outer..., segments..., 2), of an integer dtype, Out[0] (outer..., segments..., M, N) has
	// In[0][..., from:to] @ In[1][..., from:to, :], with In[0] (outer..., M, K) and In[1] (outer..., K, N); zeros where
	// from >= to. A bound below 0 or above K is an IndexError. Attr nil.
	KindSegmentedMatMul
	// KindQuantize packs In[0] (..., K), of float32 or a half, in groups of GroupSize along the last axis: Out[0] has
	// the uint32 words (..., K*Bits/32), a stream of codes of Bits bits each that begins at the lowest bit; Out[1] the
	// scales (..., K/GroupSize). In the affine mode a code q stands for scale*q + bias, and Out[2] has the biases; both
	// are of In[0]'s dtype. In the others scales are uint8. In[1], of QuantizeNVFP4 alone, are float32 global scales:
	// one for each example along the first axes of In[0], as many as it has itself. QuantizeAttr.
	KindQuantize
	// KindDequantize gives the values Out[0] (..., K), of a real floating dtype, of the words In[0] and scales In[1]
	// that KindQuantize made. In[2] are the biases of the affine mode, where In[1], In[2] and Out[0] have one dtype; of
	// QuantizeNVFP4 it is the float32 global scales, if there are any. QuantizeAttr.
	KindDequantize
	// KindQuantizedMatMul multiplies In[0] (outer..., batch..., M, K), of float32 or a half, with the matrices whose
	// words are In[1] and scales In[2]; In[3] are the biases in the affine mode. Words have shape (outer..., N,
	// K*Bits/32) with Transpose, and (outer..., K, N*Bits/32) without; scales and biases go along. With Gathered the
	// words are (outer..., E, ..., ...), and the last input (outer..., batch...), of an integer dtype, names one of E
	// matrices for each of In[0], as in KindGatherMatMul; without, outer is all of the batch. Out[0] (outer...,
	// batch..., M, N), In[0], and scales and biases of the affine mode, have one dtype. Sums are of float32.
	// QuantizedMatMulAttr.
	KindQuantizedMatMul
	// KindConv correlates In[0] (N, spatial..., C) with In[1] (O, spatial..., C/Groups) to Out[0] (N, spatial..., O).
	// ConvAttr.
	KindConv
	// KindGather reads, for every position of the index arrays In[1:] (one common shape, integer dtypes), the slice of
	// In[0] of extent SliceSizes whose corner they give along Axes; Out[0] has shape index shape + SliceSizes. Negative
	// indices count from the end; a corner whose slice leaves In[0] is an IndexError. GatherAttr.
	KindGather
	// KindScatter: Out[0] already holds the array to change (core copies it there). For every position of the index
	// arrays In[:n-1], the slice of the updates In[n-1] (shape index shape + slice shape, slice rank = Out's rank) is
	// combined into Out[0] at that corner along Axes. Duplicates apply in row-major order of the indices. Same index
	// rules as gather. ScatterAttr.
	KindScatter
	// KindGatherAxis: Out[i..., j, k...] = In[0][i..., In[1][i..., j, k...], k...] along one axis; In[1] and Out[0]
	// have one shape, equal to In[0]'s but for that axis. Negative indices count from the end. AxisAttr.
	KindGatherAxis
	// KindScatterAxis: Out[0] already holds the array to change; Out[..., In[0][...], ...] = or += In[1][...].
	// ScatterAxisAttr.
	KindScatterAxis
	// KindNonzero lists the places at which the bool In[0] holds, in row-major order. The first Batch axes are
	// examples: for each of them row a of Out[0], shape batch + (axes, n), has the places' positions along the axis
	// Batch + a, as uint32 or int64. An example with another number of places than n is a ValueError; Out[0] may be
	// empty, only to have that checked. With Count Out[0] has shape batch and holds the int64 numbers themselves.
	// NonzeroAttr.
	KindNonzero
	// KindRandomBits fills Out[0], shape keys + (n,) dtype uint32 seen as a flat run of bytes per key, with
	// threefry2x32 of In[0] (keys..., 2). RandomAttr.
	KindRandomBits
	// KindSoftmax normalizes exp along the last axis, in float32 for halves. Attr nil.
	KindSoftmax
	// KindLogSumExp folds the last axis to log(sum(exp)), which Out[0] drops. Attr nil.
	KindLogSumExp
	// KindLayerNorm: In[0] x, In[1] weight (last axis), In[2] bias, both always present; Out[0] x's shape. Computed in
	// float32 for halves. NormAttr.
	KindLayerNorm
	// KindRMSNorm: In[0] x, In[1] weight. NormAttr.
	KindRMSNorm
	// KindRope rotates pairs among the first Dims elements of every row of In[0] (B, N, T, D) by angles: row t of
	// example b by (offset + t) * Scale * f, where f is that of the pair, Base^(-2j/Dims) for pair j or 1/freqs[b, j].
	// The other elements are copied. With HasOffset, In[1] (B,) holds integer offsets that are added to Offset; with
	// HasFreqs the last input is freqs (B, Dims/2), float32, or float64 for float64 rows. Computed in float32 for
	// halves. RopeAttr.
	KindRope
	// KindAttention is softmax(Scale * q @ k^T + mask) @ v over the last axes of q In[0] (B, H, Lq, D), k In[1] (B,
	// Hkv, Lk, D) and v In[2] (B, Hkv, Lk, Dv), one dtype: Out[0] (B, H, Lq, Dv). Query head h reads head h/(H/Hkv) of
	// keys. With HasMask, In[3] (B, H, Lq, Lk), of q's dtype, is added to the scores; if it is bool, a score where it
	// is false is the lowest finite number. With Causal so is the score of query i and key j > i + Lk - Lq. With
	// HasSinks, the last input (B, H), of q's dtype, has a further score of each row, to which no value belongs. Rows
	// without keys are zeros. Computed in float32 for halves. AttentionAttr.
	KindAttention
	// KindCrossEntropy is log(sum(exp)) of the last axis of In[0] (..., C), less the element that In[1] (...), of an
	// integer dtype, names: Out[0] (...), float32. Negative indices count from the end; others outside of C are an
	// IndexError. Attr nil.
	KindCrossEntropy
	// KindCrossEntropyGrad: Out[0] (..., C), of In[0]'s dtype, is In[2] (...), float32, times softmax of In[0] less one
	// at the element that In[1] names. Indices are those of KindCrossEntropy. Attr nil.
	KindCrossEntropyGrad
	// KindGatedDelta runs the gated delta rule over the steps t of q In[0] and k In[1] (B, T, Hk, Dk), v In[2] (B, T,
	// Hv, Dv), gamma In[3] (B, T, Hv, Dk) and beta In[4] (B, T, Hv). The state S (B, Hv, Dv, Dk) of head h begins with
	// zeros, or with HasState as In[5]; each step S *= gamma, S += beta (v - S k) k^T, and y = S q with head h/(Hv/Hk)
	// of q and k. With HasMask, the last input, bool (B, T), leaves out steps where it is false: their y is zero.
	// Out[0] is y (B, T, Hv, Dv), Out[1] the last state. Inputs may be float32 and halves, each its own; or all are
	// float64, and so are the outputs. Computed in float32, which is Out[1]'s dtype, or float64. GatedDeltaAttr.
	KindGatedDelta
	KindCount int = iota
)

type (
	// ArangeAttr holds start and step exactly: as integers for integer outputs, else as floats.
	ArangeAttr struct {
		StartInt, StepInt int64
		Start, Step       float64
	}
	ReduceAttr struct {
		Op   ReduceOp
		Axes []int // ascending, at least one
	}
	ArgReduceAttr struct {
		Max  bool
		Axis int
	}
	ScanAttr struct {
		Op        ScanOp
		Axis      int
		Reverse   bool
		Inclusive bool // false: position i holds the fold of what is before it, the identity first
	}
	SortAttr struct {
		Axis int
		Arg  bool
		Kth  int // >= 0: only the kth element need be in place, smaller ones before it; -1: full sort
	}
	SearchAttr struct{ Right bool }
	MatMulAttr struct{ Alpha, Beta float32 }
	// QuantizeAttr: groups of GroupSize elements have a scale, and each element a code of Bits bits.
	QuantizeAttr struct {
		Mode            QuantizeMode
		GroupSize, Bits int
	}
	QuantizedMatMulAttr struct {
		QuantizeAttr
		Transpose, Gathered bool
	}
	ConvAttr struct {
		Stride, PadLo, PadHi, KernelDilation, InputDilation []int // one per spatial axis
		Groups                                              int
		Flip                                                bool // true: convolution proper, the kernel runs backwards
	}
	GatherAttr  struct{ Axes, SliceSizes []int }
	ScatterAttr struct {
		Op   ScatterOp
		Axes []int
	}
	AxisAttr        struct{ Axis int }
	ScatterAxisAttr struct {
		Axis int
		Add  bool
	}
	NonzeroAttr struct {
		Batch int
		Count bool
	}
	// RandomAttr: Bytes is the number of random bytes per key; Out[0] is uint8 with shape keys + (Bytes,).
	RandomAttr struct{ Bytes int }
	NormAttr   struct{ Eps float64 }
	RopeAttr   struct {
		Dims        int
		Traditional bool // pairs are neighbors; else element j and element Dims/2 + j are one
		Inverse     bool // rotates back
		Base        float64
		Scale       float64
		Offset      int
		HasOffset   bool
		HasFreqs    bool
	}
	GatedDeltaAttr struct{ HasState, HasMask bool }
	AttentionAttr  struct {
		Scale    float64
		Causal   bool
		HasMask  bool
		HasSinks bool
	}
)

// QuantizeMode is what codes and scales mean.
type QuantizeMode uint8

// The affine mode has integers, of 1 to 8 bits. The others have floating point codes: FP4 is E2M1 and FP8 is E4M3, with
// scales of E8M0, powers of two, in the MX modes and of E4M3 in QuantizeNVFP4.
const (
	QuantizeAffine QuantizeMode = iota
	QuantizeMXFP4
	QuantizeMXFP8
	QuantizeNVFP4
	QuantizeModeCount int = iota
)

// ReduceOp is the fold of KindReduce.
type ReduceOp uint8

// For bool inputs Sum and Prod count in int32; core picks the output dtype, the
// kernel accumulates halves in float32. Min and Max propagate NaN. And and Or
// take any dtype (nonzero is true) and give bool.
const (
	ReduceSum ReduceOp = iota
	ReduceProd
	ReduceMin
	ReduceMax
	ReduceAnd
	ReduceOr
	ReduceOpCount int = iota
)

// ScanOp is the fold of KindScan.
type ScanOp uint8

const (
	ScanSum ScanOp = iota
	ScanProd
	ScanMin
	ScanMax
	ScanLogAddExp
	ScanOpCount int = iota
)

// ScatterOp says how an update combines with what is there.
type ScatterOp uint8

const (
	ScatterSet ScatterOp = iota
	ScatterAdd
	ScatterProd
	ScatterMax
	ScatterMin
	ScatterOpCount int = iota
)
