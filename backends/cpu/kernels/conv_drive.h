// Convolution over the register tile of gemm_tile.h, once per element type: T, TN, VT, TL are set.
//
// The input of a unit is first copied to a slab: padded, dilated, widened, channels last. Then a tile of output
// pixels of one row times a panel of output channels is a sum of matrix products, one per row of the kernel,
// whose left operands are overlapping windows of the slab: nothing is unfolded. Input that needs none of
// this is read where it lies.

#define C_HALF (sizeof(T) == 4 && p->dtype != DT_F32)

INL gemm_args TN(conv_gemm)(const conv_args *p) {
	return (gemm_args){.dtype = p->dtype, .ors = p->os[3], .ocs = p->os[4], .drs = p->os[3], .dcs = p->os[4],
		.alpha = p->alpha, .beta = 1};
}

// Panels lo..hi of the weights, counted through the groups.
static void TN(conv_pack)(const conv_args *p, int64_t lo, int64_t hi) {
	const gemm_args g = TN(conv_gemm)(p);
	const int64_t es = C_HALF ? 2 : sizeof(T), taps = p->k[0] * p->k[1] * p->k[2], W = p->width,
		panels = (p->og - 1) / W + 1;
	for (; lo < hi; lo++) {
		int64_t group = lo / panels, j = lo % panels * W, w = p->og - j < W ? p->og - j : W;
		T *dst = (T *)p->packed + lo * taps * p->c * W;
		for (int64_t t = 0; t < taps && !STOPPED(p->stop); t++, dst += p->c * W) {
			int64_t q = p->flip ? taps - 1 - t : t, kw = q % p->k[2], kh = q / p->k[2] % p->k[1],
				kd = q / p->k[2] / p->k[1];
			int64_t at = (group * p->og + j) * p->ws[0] + kd * p->ws[1] + kh * p->ws[2] + kw * p->ws[3];
			const char *src = (const char *)p->w + at * es;
			if (W == TL) TN(pack)(&g, dst, TL, src, p->ws[0], p->ws[4], w, p->c);
			else TN(pack)(&g, dst, 2 * TL, src, p->ws[0], p->ws[4], w, p->c);
		}
	}
}

// Position i of the padded, dilated axis as an input index, or -1.
INL int64_t TN(conv_source)(const conv_args *p, int axis, int64_t i) {
	if (i < 0 || i % p->idil[axis]) return -1;
	i /= p->idil[axis];
	return i < p->in[axis] ? i : -1;
}

// Copies the window of extent size from padded position at of image n to the slab.
static void TN(conv_fill)(const conv_args *p, int64_t n, const int64_t at[3], const int64_t size[3]) {
	const int64_t C = p->c * p->groups, es = C_HALF ? 2 : sizeof(T);
	const int runs = p->idil[2] == 1 && p->xs[4] == 1 && p->xs[3] == C;
	T *dst = (T *)p->slab;
	for (int64_t d = 0; d < size[0]; d++)
		for (int64_t h = 0; h < size[1]; h++, dst += size[2] * C) {
			if (STOPPED(p->stop)) return;
			int64_t sd = TN(conv_source)(p, 0, at[0] + d), sh = TN(conv_source)(p, 1, at[1] + h);
			if (sd < 0 || sh < 0) {
				memset(dst, 0, size[2] * C * sizeof(T));
				continue;
			}
			const char *row = (const char *)p->x + (n * p->xs[0] + sd * p->xs[1] + sh * p->xs[2]) * es;
			if (runs) {
				int64_t lead = at[2] < 0 ? -at[2] : 0, end = p->in[2] - at[2] < size[2] ? p->in[2] - at[2] : size[2];
				if (lead > size[2]) lead = size[2];
				if (end < lead) end = lead;
				const char *src = row + (at[2] + lead) * C * es;
				if (lead) memset(dst, 0, lead * C * sizeof(T));
				if (C_HALF) gemm_widen((float *)dst + lead * C, (const uint16_t *)src, (end - lead) * C, p->dtype);
				else memcpy(dst + lead * C, src, (end - lead) * C * sizeof(T));
				if (end < size[2]) memset(dst + end * C, 0, (size[2] - end) * C * sizeof(T));
				continue;
			}
			for (int64_t w = 0; w < size[2]; w++) {
				int64_t sw = TN(conv_source)(p, 2, at[2] + w);
				T *q = dst + w * C;
				if (sw < 0) memset(q, 0, C * sizeof(T));
				else if (C_HALF) {
					const uint16_t *s = (const uint16_t *)row + sw * p->xs[3];
					for (int64_t c = 0; c < C; c++) q[c] = gemm_widen1(s[c * p->xs[4]], p->dtype);
				} else {
					const T *s = (const T *)row + sw * p->xs[3];
					for (int64_t c = 0; c < C; c++) q[c] = s[c * p->xs[4]];
				}
			}
		}
}

// A unit: bh x bw output pixels of one image and depth, with the memory its windows lie in.
typedef struct { int64_t n, d, h0, h1, w0, w1, s[3]; const T *x; char *o; } TN(conv_unit);
INL TN(conv_unit) TN(conv_unit_at)(const conv_args *p, int64_t u) {
	const int64_t hs = (p->out[1] - 1) / p->bh + 1, ws = (p->out[2] - 1) / p->bw + 1, es = C_HALF ? 2 : sizeof(T);
	TN(conv_unit) t;
	t.w0 = u % ws * p->bw, u /= ws;
	t.h0 = u % hs * p->bh, u /= hs;
	t.d = u % p->out[0], t.n = u / p->out[0];
	t.h1 = t.h0 + p->bh < p->out[1] ? t.h0 + p->bh : p->out[1];
	t.w1 = t.w0 + p->bw < p->out[2] ? t.w0 + p->bw : p->out[2];
	t.o = (char *)p->o + (t.n * p->os[0] + t.d * p->os[1]) * es;
	const int64_t at[3] = {t.d * p->stride[0] - p->pad[0], t.h0 * p->stride[1] - p->pad[1],
		t.w0 * p->stride[2] - p->pad[2]};
	if (p->slab) {
		const int64_t size[3] = {(p->k[0] - 1) * p->kdil[0] + 1,
			(t.h1 - t.h0 - 1) * p->stride[1] + (p->k[1] - 1) * p->kdil[1] + 1,
			(t.w1 - t.w0 - 1) * p->stride[2] + (p->k[2] - 1) * p->kdil[2] + 1};
		TN(conv_fill)(p, t.n, at, size);
		t.x = p->slab;
		t.s[2] = p->c * p->groups, t.s[1] = size[2] * t.s[2], t.s[0] = size[1] * t.s[1];
	} else {
		t.x = (const T *)p->x + t.n * p->xs[0] + at[0] * p->xs[1] + at[1] * p->xs[2] + at[2] * p->xs[3];
		memcpy(t.s, p->xs + 1, sizeof t.s);
	}
	return t;
}

static void TN(conv_units)(const conv_args *p, int64_t lo, int64_t hi) {
	const gemm_args g = TN(conv_gemm)(p);
	const int64_t W = p->width, K = p->k[0] * p->k[1] * p->k[2] * p->c, es = C_HALF ? 2 : sizeof(T);
	T sums[GEMM_MR * 2 * TL] __attribute__((aligned(64)));
	for (; lo < hi; lo++) {
		const TN(conv_unit) t = TN(conv_unit_at)(p, lo);
		const int merged = p->kdil[2] == 1 && p->groups == 1 && t.s[2] == p->c;
		const int64_t cols = t.w1 - t.w0, tiles = (cols - 1) / GEMM_MR + 1, step = (cols - 1) / tiles + 1,
			ars = p->stride[2] * t.s[2];
		const T *panel = p->packed;
		for (int64_t group = 0; group < p->groups; group++)
			for (int64_t j = 0; j < p->og; j += W, panel += K * W) {
				int64_t w = p->og - j < W ? p->og - j : W;
				for (int64_t h = t.h0; h < t.h1; h++)
					for (int64_t i = 0; i < cols; i += step) {
						int64_t rows = cols - i < step ? cols - i : step;
						TN(micro_fn) micro = W == TL ? TN(micro1)[rows - 1] : TN(micro2)[rows - 1];
						const T *b = panel, *x = t.x + group * p->c + (h - t.h0) * p->stride[1] * t.s[1] + i * ars;
						memset(sums, 0, rows * W * sizeof(T));
						for (int64_t kd = 0; kd < p->k[0]; kd++)
							for (int64_t kh = 0; kh < p->k[1]; kh++) {
								const T *a = x + kd * p->kdil[0] * t.s[0] + kh * p->kdil[1] * t.s[1];
								if (STOPPED(p->stop)) return;
								if (merged) {
									micro(p->k[2] * p->c, a, ars, 1, b, W, sums);
									b += p->k[2] * p->c * W;
								} else
									for (int64_t kw = 0; kw < p->k[2]; kw++, b += p->c * W)
										micro(p->c, a + kw * p->kdil[2] * t.s[2], ars, 1, b, W, sums);
							}
						char *o = t.o + (h * p->os[2] + group * p->og * p->os[4]) * es;
						if (W == TL) TN(emit)(&g, sums, 1, rows, w, o, p->add ? o : NULL, t.w0 + i, j, 1, 1);
						else TN(emit)(&g, sums, 2, rows, w, o, p->add ? o : NULL, t.w0 + i, j, 1, 1);
					}
			}
	}
}
