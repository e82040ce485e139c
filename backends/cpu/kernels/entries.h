// Every range kernel, once: ENTRY(name) stands for
//   static void name(const void *args, int64_t lo, int64_t hi)
// in the header its section names. The order is the ABI between Go and the tables per ISA.

/* elementwise.h */
ENTRY(elementwise)

/* copy.h */
ENTRY(copy)
ENTRY(copy_blocks)
ENTRY(fill)
ENTRY(arange)

/* reduce.h, argreduce.h */
ENTRY(reduce)
ENTRY(argreduce)

/* scan.h */
ENTRY(scan)
ENTRY(scan_totals)
ENTRY(scan_carry)

/* sort.h */
ENTRY(sort_vector_available)
ENTRY(sort_rows)
ENTRY(sort_sample)
ENTRY(sort_split)
ENTRY(sort_ranges)

/* softmax.h, norm.h */
ENTRY(softmax)
ENTRY(softmax_part)
ENTRY(softmax_join)
ENTRY(softmax_apply)
ENTRY(logsumexp)
ENTRY(logsumexp_join)
ENTRY(layer_norm)
ENTRY(rms_norm)

/* cross_entropy.h, rope.h, gated_delta.h, attention.h */
ENTRY(cross_entropy)
ENTRY(cross_entropy_grad)
ENTRY(gated_delta)
ENTRY(rope)
ENTRY(attention_pack)
ENTRY(attention_tiles)
ENTRY(attention_rows)
ENTRY(attention_join)

/* gemm.h */
ENTRY(gemm_level)
ENTRY(gemm_tiles)
ENTRY(gemm_dots)
ENTRY(gemm_sweep)
ENTRY(gemm_pack)
ENTRY(gemm_block)
ENTRY(gemm_rows)
ENTRY(gemm_expand)
ENTRY(gemm_join)

/* conv.h */
ENTRY(conv_pack)
ENTRY(conv_pack_depthwise)
ENTRY(conv_units)
ENTRY(conv_depthwise)
ENTRY(conv_outer_pack)
ENTRY(conv_outer)
ENTRY(conv_outer_emit)

/* index.h */
ENTRY(gather)
ENTRY(scatter)

/* nonzero.h */
ENTRY(nonzero_count)
ENTRY(nonzero)

/* random.h */
ENTRY(random_bits)

/* quantize.h, quantize_dots.h */
ENTRY(quantize)
ENTRY(dequantize)
ENTRY(quantize_terms)
ENTRY(quantize_dots)
