// Convolution whose kernel is longer than its result, as in the gradient with respect to weights, once per element
// type: T, TN, VT, TL are set. The batch (there, the input's channels) lies innermost in x, so for one row of results
// position and batch are one contiguous run of rows of the register tile; its columns are output channels, and
// its depth runs along each row of the kernel (there, the result's pixels). Nothing is unfolded or transposed.

// Units of positions of the kernel, all of one stride, to panels [panel][position][width].
static void TN(conv_outer_pack)(const conv_args *p, int64_t lo, int64_t hi) {
	const gemm_args g = TN(conv_gemm)(p);
	const int64_t W = p->width, P = p->c * p->k[0] * p->k[1] * p->k[2], runs = (P - 1) / CONV_OUTER_RUN + 1;
	for (; lo < hi; lo++) {
		int64_t j = lo / runs * W, at = lo % runs * CONV_OUTER_RUN,
			n = P - at < CONV_OUTER_RUN ? P - at : CONV_OUTER_RUN;
		int64_t w = p->og - j < W ? p->og - j : W;
		T *dst = (T *)p->packed + j * P + at * W;
		const T *src = (const T *)p->w + at * p->ws[3] + j * p->ws[0];
		if (W == TL) TN(pack)(&g, dst, TL, src, p->ws[0], p->ws[3], w, n);
		else TN(pack)(&g, dst, 2 * TL, src, p->ws[0], p->ws[3], w, n);
	}
}

// A tile of results: rows i.. of result row kd, kh against panel j, in one of p->parts parts of the kernel's rows.
typedef struct { int64_t part, kd, kh, i, h, j; T *sums; } TN(conv_tile);
INL TN(conv_tile) TN(conv_tile_at)(const conv_args *p, int64_t u) {
	const int64_t rows = p->out[2] * p->n, tiles = (rows - 1) / GEMM_MR + 1, panels = (p->og - 1) / p->width + 1;
	TN(conv_tile) t;
	t.sums = (T *)p->slab + u * GEMM_MR * p->width;
	t.j = u % panels, u /= panels;
	t.i = u % tiles * GEMM_MR, u /= tiles;
	t.h = rows - t.i < GEMM_MR ? rows - t.i : GEMM_MR;
	t.kh = u % p->out[1], u /= p->out[1];
	t.kd = u % p->out[0], t.part = u / p->out[0];
	return t;
}

// The sums of tiles lo..hi, counted through the parts, block after block of the kernel.
static void TN(conv_outer)(const conv_args *p, int64_t lo, int64_t hi) {
	const int64_t W = p->width, run = p->k[2], rows = p->c * p->k[0] * p->k[1];
	memset((T *)p->slab + lo * GEMM_MR * W, 0, (hi - lo) * GEMM_MR * W * sizeof(T));
	for (int64_t block = 0; block < rows; block += p->bh)
		for (int64_t u = lo; u < hi; u++) {
			const TN(conv_tile) t = TN(conv_tile_at)(p, u);
			int64_t s = rows * t.part / p->parts, end = rows * (t.part + 1) / p->parts;
			if (s < block) s = block;
			if (end > block + p->bh) end = block + p->bh;
			TN(micro_fn) micro = W == TL ? TN(micro1)[t.h - 1] : TN(micro2)[t.h - 1];
			const T *x = (const T *)p->x + t.kd * p->xs[1] + t.kh * p->xs[2] + t.i,
				*b = (const T *)p->packed + t.j * rows * run * W;
			for (; s < end; s++) {
				if (STOPPED(p->stop)) return;
				int64_t n = s / p->k[1] / p->k[0], d = s / p->k[1] % p->k[0], h = s % p->k[1];
				micro(run, x + n * p->xs[4] + d * p->kdil[0] * p->xs[1] + h * p->kdil[1] * p->xs[2], 1,
					p->kdil[2] * p->xs[3], b + s * run * W, W, t.sums);
			}
		}
}

// Adds the parts of tiles lo..hi and writes them.
static void TN(conv_outer_emit)(const conv_args *p, int64_t lo, int64_t hi) {
	const gemm_args g = TN(conv_gemm)(p);
	const int64_t W = p->width, es = C_HALF ? 2 : sizeof(T),
		tiles = p->out[0] * p->out[1] * ((p->out[2] * p->n - 1) / GEMM_MR + 1) * ((p->og - 1) / W + 1);
	for (; lo < hi; lo++) {
		const TN(conv_tile) t = TN(conv_tile_at)(p, lo);
		for (int64_t q = 1; q < p->parts; q++) {
			const T *more = t.sums + q * tiles * GEMM_MR * W;
			for (int64_t i = 0; i < t.h * W; i++) t.sums[i] += more[i];
		}
		int64_t w = p->og - t.j * W < W ? p->og - t.j * W : W;
		for (int64_t r = 0; r < t.h; r++) {
			int64_t kw = (t.i + r) / p->n, n = (t.i + r) % p->n;
			char *o = (char *)p->o + (n * p->os[0] + t.kd * p->os[1] + t.kh * p->os[2] + kw * p->os[3]) * es;
			if (W == TL) TN(emit)(&g, t.sums + r * W, 1, 1, w, o, NULL, 0, t.j * W, 1, 1);
			else TN(emit)(&g, t.sums + r * W, 2, 1, w, o, NULL, 0, t.j * W, 1, 1);
		}
	}
}
