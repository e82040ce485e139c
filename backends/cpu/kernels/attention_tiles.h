// Attention of many queries, for T. Everything is transposed, so that a query is a lane: a tile of scores is keys x
// queries, its panel of weights is what the product with the values takes as its right side, and maxima and sums need
// no steps across lanes. Keys and values are packed once for all queries that read them:
//   keys:   panels of GEMM_MR keys, [d][GEMM_MR]
//   values: for each tile of ATTENTION_KEYS keys, panels of GEMM_MR elements of a value, [keys of the tile][GEMM_MR]

INL int64_t TN(attention_keys_size)(const attention_args *g) {
	return (g->lk + GEMM_MR - 1) / GEMM_MR * GEMM_MR * g->d;
}
INL int64_t TN(attention_width)(const attention_args *g) { return (g->dv + GEMM_MR - 1) / GEMM_MR * GEMM_MR; }
INL int64_t TN(attention_head_size)(const attention_args *g) {
	return TN(attention_keys_size)(g) + g->lk * TN(attention_width)(g);
}

// pack, once for the types of memory.
static __attribute__((noinline)) void TN(attention_panel)(const gemm_args *g, T *dst, const void *src, int64_t ws,
	int64_t ks, int64_t width, int64_t k) {
	TN(pack)(g, dst, GEMM_MR, src, ws, ks, width, k);
}

// A unit is a tile of keys of one head of the wave.
static void TN(attention_pack)(const attention_args *g, int64_t lo, int64_t hi) {
	const int64_t tiles = (g->lk + ATTENTION_KEYS - 1) / ATTENTION_KEYS, es = dtype_size[g->dtype];
	const gemm_args as = {.dtype = g->dtype};
	for (; lo < hi; lo++) {
		int64_t w = lo / tiles, from = lo % tiles * ATTENTION_KEYS, n = g->lk - from < ATTENTION_KEYS ? g->lk - from
			: ATTENTION_KEYS;
		int64_t b = (g->first + w) / g->kv_heads, h = (g->first + w) % g->kv_heads;
		T *keys = (T *)g->packed + w * TN(attention_head_size)(g), *values = keys + TN(attention_keys_size)(g);
		const char *k = (const char *)g->k + (b * g->kb + h * g->kh + from * g->kl) * es;
		const char *v = (const char *)g->v + (b * g->vb + h * g->vh + from * g->vl) * es;
		if (STOPPED(g->stop)) return;
		for (int64_t j = 0; j < n; j += GEMM_MR)
			TN(attention_panel)(&as, keys + (from + j) * g->d, k + j * g->kl * es, g->kl, g->kd,
				n - j < GEMM_MR ? n - j : GEMM_MR, g->d);
		values += from * TN(attention_width)(g);
		for (int64_t c = 0; c < g->dv; c += GEMM_MR)
			TN(attention_panel)(&as, values + c * n, v + c * g->vd * es, g->vd, g->vl,
				g->dv - c < GEMM_MR ? g->dv - c : GEMM_MR, n);
	}
}

enum { TN(ATTENTION_NR) = 2 * TL };

// The scaled queries of a panel, [d][NR], from row r on; zeros beyond the last row.
static void TN(attention_scaled)(const attention_args *g, T *restrict dst, int64_t b, int64_t h, int64_t r, int64_t n) {
	enum { NR = TN(ATTENTION_NR) };
	const gemm_args as = {.dtype = g->dtype};
	const int64_t es = dtype_size[g->dtype];
	attention_row first = attention_row_at(g, r);
	if (first.at + n <= g->lq) {
		int64_t at = attention_offset(g, b, h, first, g->qb, g->qh, g->ql);
		TN(pack)(&as, dst, NR, (const char *)g->q + at * es, g->ql, g->qd, n, g->d);
	} else {
		memset(dst, 0, g->d * NR * sizeof(T));
		for (int64_t w = 0; w < n; w++) {
			int64_t at = attention_offset(g, b, h, attention_row_at(g, r + w), g->qb, g->qh, g->ql);
			for (int64_t p = 0; p < g->d; p++)
				TN(attention_load)(dst + p * NR + w, (const char *)g->q + (at + p * g->qd) * es, 1, 1, g->dtype);
		}
	}
	for (int64_t i = 0; i < g->d * NR; i++) dst[i] *= (T)g->scale;
}

// A panel of up to NR rows of queries on its way through the keys.
typedef struct {
	T *queries, *out;            // [d][NR] and [width][NR]
	T top[2 * LANES], sum[2 * LANES]; // of each row
	int32_t limit[2 * LANES];    // the last key that each row sees
	int64_t row, rows, all, end; // keys below all are seen by every row, those from end on by none
} __attribute__((aligned(64))) TN(attention_queries);

// Turns the scores of keys from.. (n of them) into weights, and scales what was summed before to the new maxima.
static __attribute__((noinline)) void TN(attention_weigh)(const attention_args *g, TN(attention_queries) *p,
	T *restrict s,
	int64_t b, int64_t h, int64_t from, int64_t n) {
	enum { NR = TN(ATTENTION_NR) };
	if (g->mask) {
		T *rows = s + ATTENTION_KEYS * NR, *mask = rows + ATTENTION_KEYS * NR;
		for (int64_t w = 0; w < p->rows; w++)
			TN(attention_mask_row)(g, rows + w * ATTENTION_KEYS, b, h, attention_row_at(g, p->row + w), from, n);
		TN(pack_panel)(mask, NR, rows, ATTENTION_KEYS, 1, p->rows, n);
		TN(attention_mask)(g, s, mask, n * NR);
	}
	if (from + n > p->all)
		for (int64_t j = 0; j < n; j++) {
			int32_t key = from + j;
			for (int w = 0; w < NR; w++) s[j * NR + w] = key <= p->limit[w] ? s[j * NR + w] : (T)TLOWEST;
		}
	VT t0 = TLOAD(p->top), t1 = TLOAD(p->top + TL), m0 = t0, m1 = t1;
	for (int64_t j = 0; j < n; j++) {
		m0 = TMAX(m0, TLOAD(s + j * NR));
		m1 = TMAX(m1, TLOAD(s + j * NR + TL));
	}
	VT b0 = TN(attention_base)(m0), b1 = TN(attention_base)(m1), s0 = {}, s1 = {};
	for (int64_t j = 0; j < n; j++) {
		VT e0 = TEXP(TLOAD(s + j * NR) - b0), e1 = TEXP(TLOAD(s + j * NR + TL) - b1);
		TSTORE(s + j * NR, e0), TSTORE(s + j * NR + TL, e1);
		s0 += e0, s1 += e1;
	}
	TSTORE(p->top, m0), TSTORE(p->top + TL, m1);
	int moved = 0;
	for (int w = 0; w < TL; w++) moved |= !(t0[w] == m0[w]) | !(t1[w] == m1[w]);
	if (moved) {
		VT f0 = TEXP(t0 - b0), f1 = TEXP(t1 - b1);
		TSTORE(p->sum, TLOAD(p->sum) * f0), TSTORE(p->sum + TL, TLOAD(p->sum + TL) * f1);
		for (int64_t c = 0; c < g->dv; c++) {
			T *o = p->out + c * NR;
			TSTORE(o, TLOAD(o) * f0), TSTORE(o + TL, TLOAD(o + TL) * f1);
		}
	}
	TSTORE(p->sum, TLOAD(p->sum) + s0), TSTORE(p->sum + TL, TLOAD(p->sum + TL) + s1);
}

// One tile of keys and their values.
static void TN(attention_tile)(const attention_args *g, TN(attention_queries) *p, T *s, const T *keys, const T *values,
	int64_t b, int64_t h, int64_t from, int64_t n) {
	enum { NR = TN(ATTENTION_NR) };
	for (int64_t j = 0; j < n; j += GEMM_MR)
		TN(micro_packed)(g->d, keys + (from + j) * g->d, p->queries, s + j * NR, NR, 0);
	TN(attention_weigh)(g, p, s, b, h, from, n);
	values += from * TN(attention_width)(g);
	for (int64_t c = 0; c < g->dv; c += GEMM_MR) {
		int64_t w = g->dv - c < GEMM_MR ? g->dv - c : GEMM_MR;
		if (w == GEMM_MR) TN(micro_packed)(n, values + c * n, s, p->out + c * NR, NR, 1);
		else TN(micro2)[w - 1](n, values + c * n, 1, GEMM_MR, s, NR, p->out + c * NR);
	}
}

static void TN(attention_panel_begin)(const attention_args *g, TN(attention_queries) *p, int64_t b, int64_t h,
	int64_t row, int64_t rows) {
	enum { NR = TN(ATTENTION_NR) };
	p->row = row, p->rows = rows, p->all = p->end = g->lk;
	TN(attention_scaled)(g, p->queries, b, h, row, rows);
	memset(p->out, 0, g->dv * NR * sizeof(T));
	for (int w = 0; w < NR; w++) p->top[w] = -INFINITY, p->sum[w] = 0, p->limit[w] = g->lk;
	int64_t least = g->lk, most = -1;
	for (int64_t w = 0; w < rows; w++) {
		attention_row r = attention_row_at(g, row + w);
		TN(attention_begin)(g, b, h, r, p->top + w, p->sum + w);
		int64_t limit = attention_limit(g, r);
		p->limit[w] = limit, least = limit < least ? limit : least, most = limit > most ? limit : most;
	}
	// A row that sees nothing weighs all keys alike, so that none may be left out.
	if (least < g->lk) p->all = least + 1;
	if (least >= 0 && most < g->lk) p->end = most + 1;
}

static void TN(attention_panel_end)(const attention_args *g, TN(attention_queries) *p, T *row, int64_t b, int64_t h) {
	enum { NR = TN(ATTENTION_NR) };
	for (int64_t w = 0; w < p->rows; w++) {
		T factor = g->lk ? 1 / p->sum[w] : 0;
		for (int64_t c = 0; c < g->dv; c++) row[c] = p->out[c * NR + w] * factor;
		int64_t at = attention_offset(g, b, h, attention_row_at(g, p->row + w), g->ob, g->oh, g->ol);
		TN(attention_store)((char *)g->out + at * dtype_size[g->dtype], row, g->dv, g->dtype);
	}
}

// A unit is ATTENTION_QUERIES rows of one head of the wave; the last ones, which see most keys, come first.
static void TN(attention_tiles)(const attention_args *g, int64_t lo, int64_t hi) {
	enum { NR = TN(ATTENTION_NR), PANELS = ATTENTION_QUERIES / NR };
	const int64_t rows = g->group * g->lq, units = (rows + ATTENTION_QUERIES - 1) / ATTENTION_QUERIES;
	TN(attention_queries) *panels = g->scratch;
	// A tile of scores, and two of its mask: by rows and by keys.
	T *s = (T *)(panels + PANELS), *row = s + (g->mask ? 3 : 1) * ATTENTION_KEYS * NR, *at = row + g->dv;
	at += (64 - (uintptr_t)at % 64) / sizeof(T);
	for (int i = 0; i < PANELS; i++, at += (g->d + g->dv) * NR) panels[i].queries = at, panels[i].out = at + g->d * NR;
	for (; lo < hi; lo++) {
		int64_t w = lo / units, first = (units - 1 - lo % units) * ATTENTION_QUERIES, end = 0;
		int64_t b = (g->first + w) / g->kv_heads, h = (g->first + w) % g->kv_heads;
		const T *keys = (const T *)g->packed + w * TN(attention_head_size)(g),
			*values = keys + TN(attention_keys_size)(g);
		int count = 0;
		for (int64_t r = first; r < rows && count < PANELS; r += NR, count++) {
			TN(attention_panel_begin)(g, &panels[count], b, h, r, rows - r < NR ? rows - r : NR);
			if (panels[count].end > end) end = panels[count].end;
		}
		for (int64_t from = 0; from < end; from += ATTENTION_KEYS) {
			if (STOPPED(g->stop)) return;
			int64_t n = g->lk - from < ATTENTION_KEYS ? g->lk - from : ATTENTION_KEYS;
			for (int i = 0; i < count; i++)
				if (from < panels[i].end) TN(attention_tile)(g, &panels[i], s, keys, values, b, h, from, n);
		}
		for (int i = 0; i < count; i++) TN(attention_panel_end)(g, &panels[i], row, b, h);
	}
}
