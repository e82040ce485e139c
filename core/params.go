package core

import (
	"reflect"
	"strings"
	"unicode"
	"unsafe"
)

// param is the name of a parameter, as a number.
type param uint8

// by has the names by which functions read their arguments: a.int(by.endAxis) is what Python calls end_axis.
// Registration notes where a signature has each of them, so that reading an argument by its name takes as long as by
// its position.
var by = numbered()

type parameters struct {
	a, alpha, aMax, aMin, array, arrays, arys, atol, axes, axis, axis1, axis2, b, beta, bias, c, constantValues,
	correction, d, ddof, decimals, dependencies, destination, dilation, dtype, endAxis, endpoint, eps, equalNan,
	fillValue, flip, groups, high, inclusive, indexing, indices, indicesOrSections, input, inputDilation, inputs, k,
	keepdims, kernelDilation, key, kth, loc, logits, low, lower, m, M, mask, mode, n, nan, neginf, num, numSamples,
	offset, operands, outputPadding, p, padding, padWidth, posinf, repeats, reps, returnCounts, returnIndex,
	returnInverse, reverse, rtol, scale, seed, shape, shift, side, size, sliceSize, sortedSequence, source, sparse,
	start, startAxis, startIndices, step, stop, stride, strides, subscripts, update, upper, v, vals, values, weight,
	x,
	base, dims, forceFused, freqs, q, sinks, targets, traditional,
	biases, bits, blockSize, globalScale, globalScaleW, globalScaleX, groupSize, lhsIndices, maskLhs, maskOut, maskRhs,
	ord, rhsIndices, scales, segments, sortedIndices, transpose, w,
	gamma, initialState param
}

// absent is the position of what a signature lacks; no call has as many arguments.
const absent = 255

// parameterNames are the names in Python, by param.
var parameterNames = namesOf(by)

func numbered() (p parameters) {
	all := unsafe.Slice((*param)(unsafe.Pointer(&p)), unsafe.Sizeof(p))
	for i := range all {
		all[i] = param(i)
	}
	return p
}

func namesOf(p parameters) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(p)) {
		var b strings.Builder
		for i, r := range f.Name {
			if i > 0 && unicode.IsUpper(r) {
				b.WriteByte('_')
				r = unicode.ToLower(r)
			}
			b.WriteRune(r)
		}
		names = append(names, b.String())
	}
	return names
}
