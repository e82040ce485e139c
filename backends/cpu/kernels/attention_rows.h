// Attention of few queries, for T: keys and values are read once, as they lie, for all rows that share them. Halves and
// rows that no vector loop takes are first copied to a block that stays in the innermost cache.

// The rows of a unit and what it keeps.
typedef struct {
	int64_t b, h, from, to, rows, depth, width; // depth and width: d and dv in whole vectors
	T *q, *s, *o, *keys, *values, *top, *sum;   // q [rows][depth], s [rows][BLOCK], o [width / NR][rows][NR]
} TN(attention_unit);

// Element [j][i] of memory at from as rows of width numbers, zeros behind the n-th.
static void TN(attention_copy)(T *restrict to, const char *from, int64_t step, int64_t unit, int64_t rows, int64_t n,
	int64_t width, int dtype) {
	for (int64_t j = 0; j < rows; j++, to += width) {
		TN(attention_load)(to, from + j * step * dtype_size[dtype], unit, n, dtype);
		for (int64_t i = n; i < width; i++) to[i] = 0;
	}
}

// Scores of n keys, which lie step apart; the values that come next are asked for meanwhile.
static void TN(attention_scores)(const attention_args *g, TN(attention_unit) *u, const T *keys, int64_t step, int64_t n,
	const char *next, int64_t next_step, int64_t next_bytes) {
	(void)g;
	enum { R = sizeof TN(dot) / sizeof *TN(dot) };
	T c[R * 4 * TL] __attribute__((aligned(64)));
	for (int64_t j = 0; j < n; j += 4) {
		const T *k[4];
		for (int i = 0; i < 4; i++) {
			k[i] = keys + (j + i < n ? j + i : n - 1) * step;
			for (int64_t at = 0; at < next_bytes; at += 64) __builtin_prefetch(next + (j + i) * next_step + at);
		}
		for (int64_t r = 0; r < u->rows; r += R) {
			int64_t m = u->rows - r < R ? u->rows - r : R;
			memset(c, 0, m * 4 * TL * sizeof(T));
			TN(dot)[m - 1](u->depth, u->q + r * u->depth, u->depth, k[0], k[1], k[2], k[3], c);
			for (int64_t i = 0; i < m; i++) TN(fold4)(u->s + (r + i) * ATTENTION_BLOCK + j, c + i * 4 * TL);
		}
	}
}

// Weights of the n scores of row r, and what was summed before scaled to the new maximum.
static void TN(attention_weigh_row)(const attention_args *g, TN(attention_unit) *u, int64_t r, int64_t from,
	int64_t n) {
	enum { NR = 2 * TL };
	T *s = u->s + r * ATTENTION_BLOCK, was = u->top[r], most = was;
	attention_row row = attention_row_at(g, r);
	int64_t limit = attention_limit(g, row);
	if (g->mask) {
		T mask[ATTENTION_BLOCK];
		TN(attention_mask_row)(g, mask, u->b, u->h, row, from, n);
		TN(attention_mask)(g, s, mask, n);
	}
	if (from + n - 1 > limit) for (int64_t j = limit < from ? 0 : limit + 1 - from; j < n; j++) s[j] = TLOWEST;
	for (int64_t j = n; j < ATTENTION_BLOCK; j++) s[j] = -INFINITY;
	VT m = TLOAD(s);
	for (int64_t j = TL; j < ATTENTION_BLOCK; j += TL) m = TMAX(m, TLOAD(s + j));
	for (int i = 0; i < TL; i++) most = m[i] > most ? m[i] : most;
	T base = most == -INFINITY ? 0 : most;
	VT sum = {};
	for (int64_t j = 0; j < ATTENTION_BLOCK; j += TL) {
		VT e = TEXP(TLOAD(s + j) - base);
		TSTORE(s + j, e);
		sum += e;
	}
	T total = 0;
	for (int i = 0; i < TL; i++) total += sum[i];
	if (!(was == most)) {
		T factor = TN(attention_exp)(was - base);
		u->sum[r] *= factor;
		for (int64_t c = 0; c < u->width; c += NR)
			for (int64_t i = 0; i < NR; i++) u->o[c * u->rows + r * NR + i] *= factor;
	}
	u->sum[r] += total, u->top[r] = most;
}

static void TN(attention_unit_begin)(const attention_args *g, TN(attention_unit) *u, int64_t unit) {
	enum { NR = 2 * TL };
	int64_t head = unit / g->splits, split = unit % g->splits;
	u->b = head / g->kv_heads, u->h = head % g->kv_heads, u->from = split * ATTENTION_SPLIT;
	u->to = split + 1 == g->splits ? g->lk : u->from + ATTENTION_SPLIT;
	for (int64_t r = 0; r < u->rows; r++) {
		attention_row row = attention_row_at(g, r);
		int64_t at = attention_offset(g, u->b, u->h, row, g->qb, g->qh, g->ql);
		TN(attention_copy)(u->q + r * u->depth, (const char *)g->q + at * dtype_size[g->dtype], 0, g->qd, 1, g->d,
			u->depth, g->dtype);
		for (int64_t i = 0; i < g->d; i++) u->q[r * u->depth + i] *= (T)g->scale;
		u->top[r] = -INFINITY, u->sum[r] = 0;
		if (split == 0) TN(attention_begin)(g, u->b, u->h, row, u->top + r, u->sum + r);
	}
	memset(u->o, 0, u->width * u->rows * sizeof(T));
}

// Element c of row r's sums.
INL T TN(attention_sum)(const TN(attention_unit) *u, int64_t r, int64_t c) {
	enum { NR = 2 * TL };
	return u->o[c / NR * NR * u->rows + r * NR + c % NR];
}

static void TN(attention_unit_end)(const attention_args *g, TN(attention_unit) *u, int64_t unit) {
	for (int64_t r = 0; r < u->rows; r++) {
		if (g->splits > 1) {
			T *part = (T *)g->parts + (unit * u->rows + r) * (g->dv + 2);
			for (int64_t c = 0; c < g->dv; c++) part[c] = TN(attention_sum)(u, r, c);
			part[g->dv] = u->top[r], part[g->dv + 1] = u->sum[r];
			continue;
		}
		T *row = u->values, factor = g->lk ? 1 / u->sum[r] : 0;
		for (int64_t c = 0; c < g->dv; c++) row[c] = TN(attention_sum)(u, r, c) * factor;
		int64_t at = attention_offset(g, u->b, u->h, attention_row_at(g, r), g->ob, g->oh, g->ol);
		TN(attention_store)((char *)g->out + at * dtype_size[g->dtype], row, g->dv, g->dtype);
	}
}

// A unit is a split of the keys of one head.
static void TN(attention_rows)(const attention_args *g, int64_t lo, int64_t hi) {
	enum { NR = 2 * TL };
	const int64_t es = dtype_size[g->dtype], rows = g->group * g->lq;
	TN(attention_unit) u = {.rows = rows, .depth = (g->d + TL - 1) / TL * TL, .width = (g->dv + NR - 1) / NR * NR};
	const int whole = es == sizeof(T), straight_keys = whole && g->kd == 1 && u.depth == g->d;
	const int straight_values = whole && g->vd == 1 && u.width == g->dv;
	u.q = g->scratch, u.s = u.q + rows * u.depth, u.o = u.s + rows * ATTENTION_BLOCK, u.keys = u.o + rows * u.width;
	u.values = u.keys + ATTENTION_BLOCK * u.depth, u.top = u.values + ATTENTION_BLOCK * u.width, u.sum = u.top + rows;
	for (; lo < hi; lo++) {
		TN(attention_unit_begin)(g, &u, lo);
		for (int64_t from = u.from, n; from < u.to; from += n) {
			if (STOPPED(g->stop)) return;
			n = u.to - from < ATTENTION_BLOCK ? u.to - from : ATTENTION_BLOCK;
			const char *k = (const char *)g->k + (u.b * g->kb + u.h * g->kh + from * g->kl) * es;
			const char *v = (const char *)g->v + (u.b * g->vb + u.h * g->vh + from * g->vl) * es;
			if (!straight_keys) TN(attention_copy)(u.keys, k, g->kl, g->kd, n, g->d, u.depth, g->dtype);
			TN(attention_scores)(g, &u, straight_keys ? (const T *)k : u.keys, straight_keys ? g->kl : u.depth, n,
				v, g->vl * es, straight_values ? g->dv * es : 0);
			for (int64_t r = 0; r < rows; r++) TN(attention_weigh_row)(g, &u, r, from, n);
			if (!straight_values) TN(attention_copy)(u.values, v, g->vl, g->vd, n, g->dv, u.width, g->dtype);
			const T *values = straight_values ? (const T *)v : u.values;
			int64_t step = straight_values ? g->vl : u.width;
			for (int64_t c = 0; c < u.width; c += NR)
				for (int64_t r = 0; r < rows; r += GEMM_MR)
					TN(micro2)[(rows - r < GEMM_MR ? rows - r : GEMM_MR) - 1](n, u.s + r * ATTENTION_BLOCK,
						ATTENTION_BLOCK, 1,
						values + c, step, u.o + c * rows + r * NR);
		}
		TN(attention_unit_end)(g, &u, lo);
	}
}

// Rows lo..hi, counted through the heads, from what the units of their splits gave.
static void TN(attention_join)(const attention_args *g, int64_t lo, int64_t hi) {
	const int64_t rows = g->group * g->lq, size = g->dv + 2;
	T *row = g->scratch;
	for (; lo < hi; lo++) {
		int64_t head = lo / rows, r = lo % rows;
		const T *part = (const T *)g->parts + (head * g->splits * rows + r) * size;
		T top = -INFINITY, sum = 0;
		for (int64_t i = 0; i < g->splits; i++) {
			T t = part[i * rows * size + g->dv];
			top = t > top ? t : top;
		}
		T base = top == -INFINITY ? 0 : top;
		memset(row, 0, g->dv * sizeof(T));
		for (int64_t i = 0; i < g->splits; i++) {
			const T *p = part + i * rows * size;
			T factor = TN(attention_exp)(p[g->dv] - base);
			sum += p[g->dv + 1] * factor;
			for (int64_t c = 0; c < g->dv; c++) row[c] += p[c] * factor;
		}
		for (int64_t c = 0; c < g->dv; c++) row[c] /= sum;
		int64_t at = attention_offset(g, head / g->kv_heads, head % g->kv_heads, attention_row_at(g, r), g->ob,
			g->oh, g->ol);
		TN(attention_store)((char *)g->out + at * dtype_size[g->dtype], row, g->dv, g->dtype);
	}
}
