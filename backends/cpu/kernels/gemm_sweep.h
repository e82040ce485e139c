// Matrix products of at most four rows, once per element type T of the sums and storage type S of b: see gemm_dot.h.

// The other thin case: b's rows are contiguous and a has at most four. Eight rows of b at a time are swept from
// left to right, so that memory is read in long runs. a is of type T with any strides; cb <= GEMM_SWEEP, rb = m.
static void SN(gemm_sweep)(const gemm_args *g, int64_t lo, int64_t hi) {
	ROOM(T, sums, 0); // 4 * GEMM_SWEEP
	for (; lo < hi; lo++) {
		TN(unit) t = TN(unit_at)(g, lo, sizeof(T));
		int64_t w = t.j1 - t.j0, whole = w / TL * TL;
		for (int64_t i = 0; i < g->m; i++) memset(sums + i * GEMM_SWEEP, 0, w * sizeof(T));
		for (int64_t p = 0; p < g->k;) {
			const S *b = (const S *)t.b + p * g->brs + t.j0;
			const T *a = (const T *)t.a + p * g->acs;
			const int64_t r = g->brs, n = p + 8 <= g->k ? 8 : 1;
			if (STOPPED(g->stop)) return;
			for (int64_t i = 0; i < g->m; i++) {
				T *s = sums + i * GEMM_SWEEP, x[8];
				for (int64_t q = 0; q < n; q++) x[q] = a[i * g->ars + q * g->acs];
				if (n == 8)
					for (int64_t j = 0; j < whole; j += TL) {
						VT c = TLOAD(s + j), e = SLOAD(b + j + r) * x[1];
						c += SLOAD(b + j) * x[0];
						c += SLOAD(b + j + 2 * r) * x[2];
						e += SLOAD(b + j + 3 * r) * x[3];
						c += SLOAD(b + j + 4 * r) * x[4];
						e += SLOAD(b + j + 5 * r) * x[5];
						c += SLOAD(b + j + 6 * r) * x[6];
						e += SLOAD(b + j + 7 * r) * x[7];
						TSTORE(s + j, c + e);
					}
				else
					for (int64_t j = 0; j < whole; j += TL) TSTORE(s + j, TLOAD(s + j) + SLOAD(b + j) * x[0]);
				for (int64_t q = 0; q < n; q++)
					for (int64_t j = whole; j < w; j++) s[j] += SCAST(b[j + q * r]) * x[q];
			}
			p += n;
		}
		TN(emit_slow)(g, sums, GEMM_SWEEP, g->m, w, t.o, t.d, 0, t.j0, 1, 1);
	}
}
