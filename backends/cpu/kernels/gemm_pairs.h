// Packed bfloat16 products on processors that multiply pairs of them: an instruction adds two products to each
// float32 sum, twice the work of a multiply-add. A word of a panel is the pair of elements at depths 2p and 2p + 1
// of one row or column, so that panels are those of float32 at half the depth. Subnormals count as zero there.
#pragma once

#if defined(__AVX512BF16__) && VB == 64
#define GEMM_HAS_PAIRS 1
#define GEMM_PAIRS(g) ((g)->dtype == DT_BF16)

// dst[p*W + w] = the pair of src[w*ws + 2p*ks] and src[w*ws + (2p+1)*ks] for 2p < k, w < width; zero up to W, and
// beyond an odd k.
INL void pack_pairs(float *restrict dst, const int W, const uint16_t *restrict src, int64_t ws, int64_t ks,
	int64_t width, int64_t k) {
	if (ws == 1 && width == W && W % LANES == 0) {
		for (int64_t p = 0; p < k; p += 2, dst += W, src += 2 * ks)
			for (int w = 0; w < W; w += LANES) {
				vu pair = __builtin_convertvector(*(const vh_any *)(src + w), vu);
				if (p + 1 < k) pair |= __builtin_convertvector(*(const vh_any *)(src + ks + w), vu) << 16;
				vstore(dst + w, (vf)pair);
			}
		return;
	}
	uint16_t rows[2 * LANES][64] __attribute__((aligned(64)));
	for (int64_t p = 0; p < k; p += 64, dst += 32 * W) {
		int64_t n = k - p < 64 ? k - p : 64;
		for (int64_t w = 0; w < width; w++) {
			const uint16_t *s = src + w * ws + p * ks;
			if (ks == 1) memcpy(rows[w], s, n * 2);
			else for (int64_t q = 0; q < n; q++) rows[w][q] = s[q * ks];
			if (n & 1) rows[w][n] = 0;
		}
		pack_panel_f32(dst, W, (const float *)rows, 32, 1, width, (n + 1) / 2);
	}
}

#define PAIRS(c, x, y) c = (vf)_mm512_dpbf16_ps((__m512)c, (__m512bh)x, (__m512bh)y);
INL vf vload_pairs(const uint16_t *p) { return (vf)_mm512_loadu_si512(p); } // vload asks for a float's address
// Float arithmetic would quiet NaNs.
#define PAIRS_STEP(i) { vi s = ((const int32_t *)a)[i] - (vi){}; PAIRS(c##i##_0, s, b0) PAIRS(c##i##_1, s, b1) }
// micro_packed of gemm_tile.h over pairs.
static __attribute__((noinline)) void micro_pairs(int64_t k, const float *restrict a, const float *restrict b,
	float *restrict c) {
	ROWS_MR(T_ZERO2)
	for (int64_t p = 0; p < k; p++, a += GEMM_MR, b += 2 * LANES) {
		vf b0 = vload(b), b1 = vload(b + LANES);
		ROWS_MR(PAIRS_STEP)
	}
	ROWS_MR(T_OUT2)
}
#undef PAIRS_STEP
#else
#define GEMM_HAS_PAIRS 0
#define GEMM_PAIRS(g) 0
#define pack_pairs(...) ((void)0)
#define micro_pairs(...) ((void)0)
#endif
