// Matrix multiplication over the tiles of gemm_tile.h, once per element type: T, TN, VT, TL are set.
// float serves the halves too: operands are widened as they are packed, results rounded once.

#define T_HALF (sizeof(T) == 4 && g->dtype != DT_F32)
#define T_PAIRS (sizeof(T) == 4 && GEMM_PAIRS(g))

// pack_panel from memory of the operands' type.
INL void TN(pack)(const gemm_args *g, T *restrict dst, const int W, const void *src, int64_t ws, int64_t ks,
	int64_t width, int64_t k) {
	if (!T_HALF) {
		TN(pack_panel)(dst, W, src, ws, ks, width, k);
		return;
	}
	const uint16_t *h = src;
	float *f = (float *)dst;
	if (ws == 1 && width == W && W % LANES == 0) {
		for (int64_t p = 0; p < k; p++) gemm_widen(f + p * W, h + p * ks, W, g->dtype);
		return;
	}
	float rows[32 * 32] __attribute__((aligned(64)));
	for (int64_t p = 0; p < k; p += 32)
		for (int64_t w = 0; w < width; w += 32) {
			int64_t n = k - p < 32 ? k - p : 32, m = width - w < 32 ? width - w : 32;
			for (int64_t r = 0; r < m; r++) {
				const uint16_t *s = h + (w + r) * ws + p * ks;
				if (ks == 1) gemm_widen(rows + r * 32, s, n, g->dtype);
				else for (int64_t q = 0; q < n; q++) rows[r * 32 + q] = gemm_widen1(s[q * ks], g->dtype);
			}
			if (width <= 32) TN(pack_panel)(dst + p * W, W, (T *)rows, 32, 1, width, n);
			else
				for (int64_t q = 0; q < n; q++) for (int64_t r = 0; r < m; r++)
					f[(p + q) * W + w + r] = rows[r * 32 + q];
		}
	if (width > 32)
		for (int64_t p = 0; p < k; p++) for (int64_t w = width; w < W; w++) f[p * W + w] = 0;
}

// Adds the h x w tile c (rows ld apart, spoiled) to the sums of earlier blocks of k unless first, and if last
// makes it results.
static __attribute__((noinline)) void TN(emit_slow)(const gemm_args *g, T *restrict c, int64_t ld, int64_t h, int64_t w,
	void *o, const void *d, int64_t i0, int64_t j0, int first, int last) {
	const int half = T_HALF;
	for (int64_t i = 0; i < h; i++) {
		T *r = c + i * ld;
		int64_t at = (i0 + i) * g->ors + j0 * g->ocs, step = g->ocs;
		T *raw = (T *)o + at; // where sums wait
		if (g->sums) raw = (T *)g->sums + (i0 + i) * g->nc + j0 - g->jc, step = 1;
		if (!first) for (int64_t j = 0; j < w; j++) r[j] += raw[j * step];
		if (!last) {
			for (int64_t j = 0; j < w; j++) raw[j * step] = r[j];
			continue;
		}
		if (g->alpha != 1) for (int64_t j = 0; j < w; j++) r[j] *= g->alpha;
		if (d) {
			int64_t dat = (i0 + i) * g->drs + j0 * g->dcs;
			T beta = g->beta;
			if (half) for (int64_t j = 0; j < w; j++)
				r[j] += beta * gemm_widen1(((const uint16_t *)d)[dat + j * g->dcs], g->dtype);
			else if (g->dcs == 1) for (int64_t j = 0; j < w; j++) r[j] += beta * ((const T *)d)[dat + j];
			else for (int64_t j = 0; j < w; j++) r[j] += beta * ((const T *)d)[dat + j * g->dcs];
		}
		if (half) {
			uint16_t *q = (uint16_t *)o + at;
			if (g->ocs == 1) gemm_narrow(q, (float *)r, w, g->dtype);
			else for (int64_t j = 0; j < w; j++) gemm_narrow(q + j * g->ocs, (float *)r + j, 1, g->dtype);
		} else if (g->ocs == 1) {
			memcpy((T *)o + at, r, w * sizeof(T));
		} else for (int64_t j = 0; j < w; j++) ((T *)o)[at + j * g->ocs] = r[j];
	}
}

// Whether sums are written to o, or added to what waits there, as they are.
INL int TN(plain)(const gemm_args *g, const void *d, int last) {
	return !T_HALF && !g->sums && g->ocs == 1 && !(last && (d || g->alpha != 1));
}

INL void TN(emit)(const gemm_args *g, T *restrict c, const int NV, int64_t h, int64_t w, void *o, const void *d,
	int64_t i0, int64_t j0, int first, int last) {
	if (w != NV * TL || !TN(plain)(g, d, last)) {
		TN(emit_slow)(g, c, NV * TL, h, w, o, d, i0, j0, first, last);
		return;
	}
	T *r = (T *)o + i0 * g->ors + j0;
	for (int64_t i = 0; i < h; i++, r += g->ors, c += NV * TL)
		for (int v = 0; v < NV; v++)
			TSTORE(r + v * TL, first ? TLOAD(c + v * TL) : TLOAD(r + v * TL) + TLOAD(c + v * TL));
}

// A unit of work: rows i0..i1 and columns j0..j1 of one item of the batch. Elements of a have as bytes.
typedef struct { const char *a, *b, *d; char *o; int64_t i0, i1, j0, j1; } TN(unit);
INL TN(unit) TN(unit_at)(const gemm_args *g, int64_t u, int64_t as) {
	int64_t is = (g->m - 1) / g->rb + 1, js = (g->n - 1) / g->cb + 1,
		es = sizeof(T) == 8 ? 8 : g->dtype == DT_F32 ? 4 : 2;
	int64_t item = u / (is * js), i = u % (is * js) / js, j = u % js;
	TN(unit) t = {g->a, g->b, g->d, g->o, i * g->rb, (i + 1) * g->rb, j * g->cb, (j + 1) * g->cb};
	if (t.i1 > g->m) t.i1 = g->m;
	if (t.j1 > g->n) t.j1 = g->n;
	for (int64_t x = g->axes - 1; x >= 0; x--) {
		int64_t q = item % g->shape[x];
		item /= g->shape[x];
		t.a += q * g->astep[x] * as;
		t.b += q * g->bstep[x] * es;
		t.o += q * g->ostep[x] * es;
		if (t.d) t.d += q * g->dstep[x] * es;
	}
	return t;
}

// out[0..4] = the four sums of c[4][TL].
INL void TN(fold4)(T *out, const T *c) {
	TN(v4) s[4];
	for (int q = 0; q < 4; q++) {
		if (TL >= 4) {
			s[q] = *(const TN(v4_any) *)(c + q * TL);
			for (int v = 4; v < TL; v += 4) s[q] += *(const TN(v4_any) *)(c + q * TL + v);
		} else s[q] = (TN(v4)){c[q * TL], c[q * TL + 1]};
	}
	TN(v4) a = __builtin_shufflevector(s[0], s[1], 0, 4, 1, 5) + __builtin_shufflevector(s[0], s[1], 2, 6, 3, 7);
	TN(v4) b = __builtin_shufflevector(s[2], s[3], 0, 4, 1, 5) + __builtin_shufflevector(s[2], s[3], 2, 6, 3, 7);
	*(TN(v4_any) *)out = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
}

// Without packing a: for products too small, or too thin, to earn it back. a is of type T with any strides;
// panels of b are used where they lie if their rows are contiguous. rb <= GEMM_ROWS.
static void TN(gemm_tiles)(const gemm_args *g, int64_t lo, int64_t hi) {
	enum { KT = 256 };
	T *panel = (T *)room_of_call, *sums = panel + KT * 4 * TL; // of GEMM_ROWS * 2 * TL
	const int direct = !T_HALF && g->bcs == 1 && g->brs > 0;
	const int64_t es = T_HALF ? 2 : sizeof(T);
	for (; lo < hi; lo++) {
		TN(unit) t = TN(unit_at)(g, lo, sizeof(T));
		int64_t rows = t.i1 - t.i0;
		for (int64_t j = t.j0; j < t.j1;) {
			int64_t left = t.j1 - j;
			int few = rows <= (int64_t)(sizeof TN(micro4) / sizeof *TN(micro4));
			int nv = left <= TL ? 1 : left >= 4 * TL && few ? 4 : 2;
			int64_t W = nv * TL, w = left < W ? left : W;
			const TN(micro_fn) *micro = nv == 1 ? TN(micro1) : nv == 2 ? TN(micro2) : TN(micro4);
			memset(sums, 0, rows * W * sizeof(T));
			for (int64_t p = 0; p < g->k; p += KT) {
				int64_t kc = g->k - p < KT ? g->k - p : KT, n0 = 0;
				if (p && STOPPED(g->stop)) return;
				const T *a = (const T *)t.a + t.i0 * g->ars + p * g->acs;
				if (direct && (rows < GEMM_ROWS || kc < 64)) {
					// Rows whose lanes past the last column still lie within b need no copy.
					int64_t over = j + W - g->n, spill = over <= 0 ? 0 : (over + g->brs - 1) / g->brs;
					n0 = g->k - spill - p;
					n0 = n0 < 0 ? 0 : n0 > kc ? kc : n0;
				}
				if (n0 < kc) {
					const char *src = t.b + ((p + n0) * g->brs + j * g->bcs) * es;
					if (nv == 1) TN(pack)(g, panel, TL, src, g->bcs, g->brs, w, kc - n0);
					else if (nv == 2) TN(pack)(g, panel, 2 * TL, src, g->bcs, g->brs, w, kc - n0);
					else TN(pack)(g, panel, 4 * TL, src, g->bcs, g->brs, w, kc - n0);
				}
				for (int64_t i = 0; i < rows; i += GEMM_MR) {
					int64_t h = rows - i < GEMM_MR ? rows - i : GEMM_MR;
					const T *ai = a + i * g->ars;
					if (n0) micro[h - 1](n0, ai, g->ars, g->acs, (const T *)t.b + p * g->brs + j, g->brs, sums + i * W);
					if (n0 < kc) micro[h - 1](kc - n0, ai + n0 * g->acs, g->ars, g->acs, panel, W, sums + i * W);
				}
			}
			if (nv == 2) TN(emit)(g, sums, 2, rows, w, t.o, t.d, t.i0, j, 1, 1);
			else if (nv == 1) TN(emit)(g, sums, 1, rows, w, t.o, t.d, t.i0, j, 1, 1);
			else TN(emit)(g, sums, 4, rows, w, t.o, t.d, t.i0, j, 1, 1);
			j += w;
		}
	}
}

// A panel of the packed path, and the words in one of its columns.
INL void TN(pack_words)(const gemm_args *g, T *restrict dst, const int W, const void *src, int64_t ws, int64_t ks,
	int64_t width) {
	if (T_PAIRS) pack_pairs((float *)dst, W, src, ws, ks, width, g->kc);
	else TN(pack)(g, dst, W, src, ws, ks, width, g->kc);
}
INL int64_t TN(words)(const gemm_args *g) { return T_PAIRS ? (g->kc + 1) / 2 : g->kc; }

// Packed path, first step: panels lo..hi of the block of b that args name, into args->packed.
static void TN(gemm_pack)(const gemm_args *g, int64_t lo, int64_t hi) {
	enum { NR = 2 * TL };
	const int64_t es = T_HALF ? 2 : sizeof(T), words = TN(words)(g);
	for (int64_t q = lo; q < hi; q++) {
		int64_t w = g->nc - q * NR < NR ? g->nc - q * NR : NR;
		const char *src = (const char *)g->b + (g->pc * g->brs + (g->jc + q * NR) * g->bcs) * es;
		TN(pack_words)(g, (T *)g->packed + q * NR * words, NR, src, g->bcs, g->brs, w);
	}
}

// Second step: units of rb rows and cb columns within the block. rb * words <= GEMM_ABLOCK / sizeof(T).
static void TN(gemm_block)(const gemm_args *g, int64_t lo, int64_t hi) {
	enum { NR = 2 * TL };
	T *ablock = (T *)room_of_call, c[GEMM_MR * NR] __attribute__((aligned(64))); // GEMM_ABLOCK bytes
	const int64_t es = T_HALF ? 2 : sizeof(T), js = (g->nc - 1) / g->cb + 1, words = TN(words)(g);
	const int first = g->pc == 0, last = g->pc + g->kc == g->k;
	const int direct = TN(plain)(g, g->d, last); // full tiles are summed in the result itself
	int64_t have = -1;
	for (; lo < hi; lo++) {
		int64_t i0 = lo / js * g->rb, i1 = i0 + g->rb < g->m ? i0 + g->rb : g->m;
		int64_t j0 = lo % js * g->cb, j1 = j0 + g->cb < g->nc ? j0 + g->cb : g->nc;
		if (i0 != have)
			for (int64_t i = i0; i < i1; i += GEMM_MR) {
				int64_t h = i1 - i < GEMM_MR ? i1 - i : GEMM_MR;
				TN(pack_words)(g, ablock + (i - i0) * words, GEMM_MR,
					(const char *)g->a + (i * g->ars + g->pc * g->acs) * es, g->ars, g->acs, h);
			}
		have = i0;
		for (int64_t j = j0; j < j1; j += NR)
			for (int64_t i = i0; i < i1; i += GEMM_MR) {
				int64_t h = i1 - i < GEMM_MR ? i1 - i : GEMM_MR, w = g->nc - j < NR ? g->nc - j : NR;
				const T *a = ablock + (i - i0) * words, *b = (T *)g->packed + j * words;
				if (direct && h == GEMM_MR && w == NR) {
					TN(micro_packed)(words, a, b, (T *)g->o + i * g->ors + g->jc + j, g->ors, !first);
					continue;
				}
				if (T_PAIRS) micro_pairs(words, (const float *)a, (const float *)b, (float *)c);
				else TN(micro_packed)(words, a, b, c, NR, 0);
				TN(emit)(g, c, 2, h, w, g->o, g->d, i, g->jc + j, first, last);
			}
	}
}
