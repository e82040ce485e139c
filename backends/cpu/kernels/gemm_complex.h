// Complex products as real ones that read b where it lies. Interleaved numbers are a real matrix of twice the
// columns, or, if b runs along k, of twice the rows. a is expanded to 2m rows to match: first those for the real parts
// of the result, then those for the imaginary ones; and what the real product gives is joined.
#pragma once

// a's rows lo..hi, counted through the batch, to rows i and m + i of float32 at packed. With g->along: (re, -im) and
// (im, re) against the parts of b along k. Else re and im apart: each meets both parts of b's columns.
static void gemm_expand(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	const int64_t k = g->k, s = 2 * g->acs, width = g->along ? 2 * k : k;
	for (; lo < hi; lo++) {
		int64_t item = lo / g->m, i = lo % g->m, at = i * g->ars;
		float *re = (float *)g->packed + (item * 2 * g->m + i) * width, *im = re + g->m * width;
		for (int64_t x = g->axes - 1; x >= 0; x--) at += item % g->shape[x] * g->astep[x], item /= g->shape[x];
		const float *a = (const float *)g->a + 2 * at;
		if (STOPPED(g->stop)) return;
		if (g->along)
			for (int64_t p = 0; p < k; p++) {
				re[2 * p] = a[p * s], re[2 * p + 1] = -a[p * s + 1];
				im[2 * p] = a[p * s + 1], im[2 * p + 1] = a[p * s];
			}
		else for (int64_t p = 0; p < k; p++) re[p] = a[p * s], im[p] = a[p * s + 1];
	}
}

// o's rows lo..hi = alpha * (the real product at sums, joined) + beta * d.
static void gemm_join(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	const int64_t n = g->n, width = g->along ? n : 2 * n;
	for (; lo < hi; lo++) {
		int64_t item = lo / g->m, i = lo % g->m, at = i * g->ors, dat = i * g->drs;
		const float *re = (const float *)g->sums + (item * 2 * g->m + i) * width, *im = re + g->m * width;
		for (int64_t x = g->axes - 1; x >= 0; x--) {
			int64_t q = item % g->shape[x];
			item /= g->shape[x], at += q * g->ostep[x], dat += q * g->dstep[x];
		}
		float *o = (float *)g->o + 2 * at;
		if (STOPPED(g->stop)) return;
		const float *d = (const float *)g->d + 2 * dat;
		for (int64_t j = 0; j < n; j++) {
			float x = g->along ? re[j] : re[2 * j] - im[2 * j + 1], y = g->along ? im[j] : re[2 * j + 1] + im[2 * j];
			x *= g->alpha, y *= g->alpha;
			if (g->d) x += g->beta * d[2 * j * g->dcs], y += g->beta * d[2 * j * g->dcs + 1];
			o[2 * j * g->ocs] = x, o[2 * j * g->ocs + 1] = y;
		}
	}
}
