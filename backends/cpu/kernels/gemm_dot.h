// Matrix products whose operands both run along k: R rows of a against four columns of b, each sum a
// vector of partial sums. Without packing, so the thin side is reused from cache and the long side (weights, say)
// streams through once. Included per element type T of the sums, storage type A of a and S of b, with DLOAD of a and
// SLOAD of b; DSTEP adds the products of two vectors, which hold DSPAN elements.

// c[R][4][TL] += lanewise products.
#define D_DECL(i) VT c##i##_0 = TLOAD(c + i * 4 * TL), c##i##_1 = TLOAD(c + (i * 4 + 1) * TL), \
	c##i##_2 = TLOAD(c + (i * 4 + 2) * TL), c##i##_3 = TLOAD(c + (i * 4 + 3) * TL);
#define D_STEP(i) { \
	VT s = DLOAD(&T_A##i); \
	DSTEP(c##i##_0, s, y0) DSTEP(c##i##_1, s, y1) DSTEP(c##i##_2, s, y2) DSTEP(c##i##_3, s, y3) }
#define D_OUT(i) TSTORE(c + i * 4 * TL, c##i##_0); TSTORE(c + (i * 4 + 1) * TL, c##i##_1); \
	TSTORE(c + (i * 4 + 2) * TL, c##i##_2); TSTORE(c + (i * 4 + 3) * TL, c##i##_3);
#define DOT(R) \
	static __attribute__((noinline)) void SN(dot##R)(int64_t k, const A *restrict a, int64_t ars, \
		const S *restrict b0, const S *restrict b1, const S *restrict b2, const S *restrict b3, T *restrict c) { \
		UNREAD const A *a0 = a, *a3 = a + 3 * ars; \
		ROWS##R(D_DECL) \
		for (int64_t p = 0; p < k; p += DSPAN) { \
			VT y0 = SLOAD(b0 + p), y1 = SLOAD(b1 + p), y2 = SLOAD(b2 + p), y3 = SLOAD(b3 + p); \
			ROWS##R(D_STEP) \
			a0 += DSPAN; a3 += DSPAN; \
		} \
		ROWS##R(D_OUT) \
	}
typedef void (*SN(dot_fn))(int64_t, const A *, int64_t, const S *, const S *, const S *, const S *, T *);
DOT(1) DOT(2) DOT(3)
#if GEMM_MR == 12
DOT(4) DOT(5) DOT(6)
static const SN(dot_fn) SN(dot)[] = {SN(dot1), SN(dot2), SN(dot3), SN(dot4), SN(dot5), SN(dot6)};
#else
static const SN(dot_fn) SN(dot)[] = {SN(dot1), SN(dot2), SN(dot3)};
#endif

// a (type A) has acs == 1, b has brs == 1. cb <= GEMM_DOTS.
static void SN(gemm_dots)(const gemm_args *g, int64_t lo, int64_t hi) {
	enum { R = sizeof SN(dot) / sizeof *SN(dot) };
	T out[R * GEMM_DOTS] __attribute__((aligned(64))), c[R * 4 * TL] __attribute__((aligned(64)));
	A at[R * DSPAN] __attribute__((aligned(64)));
	S bt[4 * DSPAN] __attribute__((aligned(64)));
	int64_t body = g->k / DSPAN * DSPAN, tail = g->k - body;
	for (; lo < hi; lo++) {
		TN(unit) t = TN(unit_at)(g, lo, sizeof(A));
		for (int64_t i = t.i0; i < t.i1; i += R) {
			int64_t h = t.i1 - i < R ? t.i1 - i : R;
			const A *a = (const A *)t.a + i * g->ars;
			if (tail) {
				memset(at, 0, sizeof at);
				memset(bt, 0, sizeof bt);
				for (int64_t r = 0; r < h; r++) memcpy(at + r * DSPAN, a + r * g->ars + body, tail * sizeof(A));
			}
			for (int64_t j = t.j0; j < t.j1; j += 4) {
				int64_t w = t.j1 - j < 4 ? t.j1 - j : 4;
				const S *b[4];
				for (int64_t q = 0; q < 4; q++) b[q] = (const S *)t.b + (j + (q < w ? q : w - 1)) * g->bcs;
				memset(c, 0, h * 4 * TL * sizeof(T));
				for (int64_t p = 0, n; p < body; p += n) {
					n = body - p < STOP_WORK ? body - p : STOP_WORK;
					if (STOPPED(g->stop)) return;
					SN(dot)[h - 1](n, a + p, g->ars, b[0] + p, b[1] + p, b[2] + p, b[3] + p, c);
				}
				if (tail) {
					for (int q = 0; q < 4; q++) memcpy(bt + q * DSPAN, b[q] + body, tail * sizeof(S));
					SN(dot)[h - 1](DSPAN, at, DSPAN, bt, bt + DSPAN, bt + 2 * DSPAN, bt + 3 * DSPAN, c);
				}
				for (int64_t r = 0; r < h; r++) TN(fold4)(out + r * GEMM_DOTS + (j - t.j0), c + r * 4 * TL);
			}
			TN(emit_slow)(g, out, GEMM_DOTS, h, t.j1 - t.j0, t.o, t.d, i, t.j0, 1, 1);
		}
	}
}
#undef D_DECL
#undef D_STEP
#undef D_OUT
#undef DOT
