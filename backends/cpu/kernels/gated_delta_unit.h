// gated_delta.h for T.

// Four rows of the state, whole vectors apart: each forgets, and what it then holds of k and of q is summed:
// y = (gamma S + delta k^T) q = (gamma S) q + delta (k . q), so that q is met in the same pass as k.
INL void TN(gated_look)(const T *s, const T *gamma, const T *k, const T *q, int64_t depth, T *seen, T *sums) {
	VT a0 = {}, a1 = {}, a2 = {}, a3 = {}, b0 = {}, b1 = {}, b2 = {}, b3 = {};
	for (int64_t p = 0; p < depth; p += TL) {
		VT g = TLOAD(gamma + p), x = TLOAD(k + p), y = TLOAD(q + p);
		VT s0 = TLOAD(s + p) * g, s1 = TLOAD(s + depth + p) * g;
		VT s2 = TLOAD(s + 2 * depth + p) * g, s3 = TLOAD(s + 3 * depth + p) * g;
		a0 += s0 * x, a1 += s1 * x, a2 += s2 * x, a3 += s3 * x;
		b0 += s0 * y, b1 += s1 * y, b2 += s2 * y, b3 += s3 * y;
	}
	T c[4 * TL] __attribute__((aligned(64)));
	TSTORE(c, a0), TSTORE(c + TL, a1), TSTORE(c + 2 * TL, a2), TSTORE(c + 3 * TL, a3);
	TN(fold4)(seen, c);
	TSTORE(c, b0), TSTORE(c + TL, b1), TSTORE(c + 2 * TL, b2), TSTORE(c + 3 * TL, b3);
	TN(fold4)(sums, c);
}

// The four rows forget and learn.
INL void TN(gated_learn)(T *s, const T *gamma, const T *k, int64_t depth, const T *delta) {
	for (int64_t p = 0; p < depth; p += TL) {
		VT g = TLOAD(gamma + p), x = TLOAD(k + p);
		TSTORE(s + p, TLOAD(s + p) * g + x * delta[0]);
		TSTORE(s + depth + p, TLOAD(s + depth + p) * g + x * delta[1]);
		TSTORE(s + 2 * depth + p, TLOAD(s + 2 * depth + p) * g + x * delta[2]);
		TSTORE(s + 3 * depth + p, TLOAD(s + 3 * depth + p) * g + x * delta[3]);
	}
}

// n elements of an input along its last axis, from element [a][b][c][d] on.
INL void TN(gated_load)(T *to, const void *from, const int64_t *step, int dtype, int64_t a, int64_t b, int64_t c,
	int64_t d, int64_t n) {
	int64_t at = a * step[0] + b * step[1] + c * step[2] + d * step[3];
	TN(attention_load)(to, (const char *)from + at * dtype_size[dtype], step[3], n, dtype);
}

static void TN(gated_delta)(const gated_delta_args *g, int64_t lo, int64_t hi) {
	const int64_t depth = (g->depth + TL - 1) / TL * TL, blocks = (g->width + GATED_ROWS - 1) / GATED_ROWS;
	T *s = g->scratch, *q = s + GATED_ROWS * depth, *k = q + depth, *gamma = k + depth;
	T v[GATED_ROWS], y[GATED_ROWS], seen[4], delta[4];
	memset(s, 0, (GATED_ROWS + 3) * depth * sizeof(T)); // what lies behind a row's end stays zero
	for (; lo < hi; lo++) {
		int64_t b = lo / (g->heads * blocks), h = lo / blocks % g->heads, i = lo % blocks * GATED_ROWS;
		int64_t rows = g->width - i < GATED_ROWS ? g->width - i : GATED_ROWS, kh = h / g->group;
		for (int64_t r = 0; r < GATED_ROWS; r++) {
			if (!g->state || r >= rows) memset(s + r * depth, 0, depth * sizeof(T));
			else TN(gated_load)(s + r * depth, g->state, g->ss, g->stype, b, h, i + r, 0, g->depth);
		}
		for (int64_t t = 0; t < g->steps; t++) {
			if (STOPPED(g->stop)) return;
			char *out = (char *)g->out + (((b * g->steps + t) * g->heads + h) * g->width + i) * dtype_size[g->type];
			if (g->mask && !((const uint8_t *)g->mask)[b * g->ms[0] + t * g->ms[1]]) {
				memset(out, 0, rows * dtype_size[g->type]);
				continue;
			}
			T beta, both = 0;
			TN(gated_load)(q, g->q, g->qs, g->qtype, b, t, kh, 0, g->depth);
			TN(gated_load)(k, g->k, g->ks, g->ktype, b, t, kh, 0, g->depth);
			TN(gated_load)(gamma, g->gamma, g->gs, g->gtype, b, t, h, 0, g->depth);
			TN(gated_load)(v, g->v, g->vs, g->vtype, b, t, h, i, rows);
			TN(gated_load)(&beta, g->beta, g->bs, g->btype, b, t, h, 0, 1);
			VT c = {};
			for (int64_t p = 0; p < depth; p += TL) c += TLOAD(q + p) * TLOAD(k + p);
			for (int p = 0; p < TL; p++) both += c[p];
			for (int64_t r = 0; r < rows; r += 4) {
				TN(gated_look)(s + r * depth, gamma, k, q, depth, seen, y + r);
				for (int j = 0; j < 4; j++) {
					delta[j] = r + j < rows ? (v[r + j] - seen[j]) * beta : 0;
					y[r + j] += delta[j] * both;
				}
				TN(gated_learn)(s + r * depth, gamma, k, depth, delta);
			}
			TN(attention_store)(out, y, rows, g->type);
		}
		T *end = (T *)g->end + ((b * g->heads + h) * g->width + i) * g->depth;
		for (int64_t r = 0; r < rows; r++) memcpy(end + r * g->depth, s + r * depth, g->depth * sizeof(T));
	}
}
