// Convolution of each channel by itself, once per element type: T, TN, VT, TL are set.

// Depthwise weights of taps lo..hi: one number per channel, repeated for the merged pixels, zeros up to whole vectors.
static void TN(conv_pack_depthwise)(const conv_args *p, int64_t lo, int64_t hi) {
	const int64_t taps = p->k[0] * p->k[1] * p->k[2], C = p->groups, n = C * p->merge, W = (n + TL - 1) / TL * TL;
	for (int64_t t = lo; t < hi; t++) {
		int64_t q = p->flip ? taps - 1 - t : t, kw = q % p->k[2], kh = q / p->k[2] % p->k[1],
			kd = q / p->k[2] / p->k[1];
		int64_t at = kd * p->ws[1] + kh * p->ws[2] + kw * p->ws[3];
		T *d = (T *)p->packed + t * W;
		for (int64_t c = 0; c < C; c++)
			d[c] = C_HALF ? gemm_widen1(((const uint16_t *)p->w)[at + c * p->ws[0]], p->dtype)
				: ((const T *)p->w)[at + c * p->ws[0]];
		for (int64_t c = C; c < n; c++) d[c] = d[c - C];
		for (int64_t c = n; c < W; c++) d[c] = 0;
	}
}

// Depthwise: the sums of R neighbors in a row, step apart, for TL channels. A vector of weights serves them all.
#define DW_DECL(i) VT s##i = {};
#define DW_STEP(i) s##i += TLOAD(a + i * step) * w;
#define DW_OUT(i) TSTORE(sums + i * TL, s##i);
#define DEPTHWISE(R) \
	static __attribute__((noinline)) void TN(depthwise##R)(const conv_args *p, const int64_t s[3], int64_t step, \
		const T *restrict x, const T *restrict b, int64_t W, T *restrict sums) { \
		ROWS##R(DW_DECL) \
		for (int64_t kd = 0; kd < p->k[0]; kd++) \
			for (int64_t kh = 0; kh < p->k[1]; kh++) { \
				const T *a = x + kd * p->kdil[0] * s[0] + kh * p->kdil[1] * s[1]; \
				if (STOPPED(p->stop)) return; \
				for (int64_t kw = 0; kw < p->k[2]; kw++, a += p->kdil[2] * s[2], b += W) { \
					VT w = TLOAD(b); \
					ROWS##R(DW_STEP) \
				} \
			} \
		ROWS##R(DW_OUT) \
	}
DEPTHWISE(1) DEPTHWISE(2) DEPTHWISE(3) DEPTHWISE(4) DEPTHWISE(5) DEPTHWISE(6) DEPTHWISE(7) DEPTHWISE(8)
#undef DEPTHWISE
#undef DW_DECL
#undef DW_STEP
#undef DW_OUT

// One input and one output channel per group. Where channels do not fill vectors, several pixels of a row are taken
// for one of as many times the channels: a row is contiguous, and each tap reads it at its own offset all the same.
static void TN(conv_depthwise)(const conv_args *p, int64_t lo, int64_t hi) {
	static void (*const sum[8])(const conv_args *, const int64_t[3], int64_t, const T *, const T *, int64_t, T *) = {
		TN(depthwise1), TN(depthwise2), TN(depthwise3), TN(depthwise4),
		TN(depthwise5), TN(depthwise6), TN(depthwise7), TN(depthwise8)};
	gemm_args g = TN(conv_gemm)(p);
	const int64_t C = p->groups, M = p->merge, W = (C * M + TL - 1) / TL * TL, es = C_HALF ? 2 : sizeof(T);
	T sums[8 * TL] __attribute__((aligned(64)));
	g.ors *= M, g.drs *= M;
	for (; lo < hi; lo++) {
		const TN(conv_unit) t = TN(conv_unit_at)(p, lo);
		const int64_t step = M * p->stride[2] * t.s[2], cols = t.w1 - t.w0;
		for (int64_t h = t.h0; h < t.h1; h++) {
			char *o = t.o + (h * p->os[2] + t.w0 * p->os[3]) * es;
			const T *x = t.x + (h - t.h0) * p->stride[1] * t.s[1];
			for (int64_t i = 0, n; i * M < cols; i += n) {
				int64_t whole = cols / M - i, width = whole ? M * C : (cols - i * M) * C;
				n = whole == 0 ? 1 : whole < 8 ? whole : 8;
				for (int64_t c = 0; c < width; c += TL) {
					sum[n - 1](p, t.s, step, x + i * step + c, (const T *)p->packed + c, W, sums);
					TN(emit)(&g, sums, 1, n, width - c < TL ? width - c : TL, o, p->add ? o : NULL, i, c, 1, 1);
				}
			}
		}
	}
}
