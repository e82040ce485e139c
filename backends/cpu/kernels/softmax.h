// Softmax and logsumexp over rows. exp is in the row's own vector arithmetic; the result of a
// row that holds NaN, or whose greatest element is infinite, follows from the formula.
#pragma once
#include "abi_softmax.h"

// Rows up to this length are normalized in one piece that stays in the first-level cache.
enum { SOFTMAX_ROW = 8192, SOFTMAX_BLOCK = 2048, SOFTMAX_SUM = 1024 };
// Where in the room of the call a block lies as loaded, and its exponentials; a row whole leads.
enum { SOFTMAX_LOADED = 4 * SOFTMAX_ROW, SOFTMAX_TERMS = SOFTMAX_LOADED + 8 * SOFTMAX_BLOCK };

// exp by reduction to |r| <= ln(2)/2 and a minimax polynomial of degree 7 (the coefficients of
// Moshier's Cephes expf). -104 is the last argument that does not give zero, 89 overflows.
INL vf softmax_exp(vf x) {
	vf c = vmin(vsplat(89.f), vmax(vsplat(-104.f), x)); // operands in this order let NaN through
	vf magic = vsplat(12582912.f), n = (c * 1.44269504088896341f + magic) - magic;
	vf r = c - n * 0.693145751953125f;
	r = r - n * 1.428606765330187e-6f;
	vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * (r * r) + r + 1.f;
#if defined(__AVX512F__) && VB == 64
	return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
	// 2^n in two factors, so that the ends of the range neither overflow nor lose their subnormals.
	vi k = __builtin_convertvector(vselect(n == n, n, (vf){}), vi), a = k >> 1, b = k - a;
	return p * (vf)((a + 127) << 23) * (vf)((b + 127) << 23);
#endif
}

// The same in double: a Taylor polynomial of degree 13. Branch-free, so that loops over it vectorise.
INL double softmax_exp64(double x) {
	double c = x < -746 ? -746 : x;
	c = c > 710 ? 710 : c;
	double magic = 0x1.8p52, z = c * 1.4426950408889634074 + magic, n = z - magic;
	double r = c - n * 0x1.62e42fefap-1;
	r = r - n * 0x1.cf79abc9e3b39p-40;
	double p = 1.0 / 6227020800;
	p = p * r + 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	p = p * r + 0.5;
	p = p * (r * r) + r + 1;
	uint64_t k, half, s1, s2; // the exponent sits in the low bits of z; 2048 keeps the shift unsigned
	memcpy(&k, &z, 8);
	k = (k & 0xfff) ^ 0x800; // n + 2048
	half = k >> 1;
	s1 = (half - 1024 + 1023) << 52;
	s2 = (k - half - 1024 + 1023) << 52;
	double f1, f2;
	memcpy(&f1, &s1, 8);
	memcpy(&f2, &s2, 8);
	return x != x ? x : p * f1 * f2;
}

// Sum of exp(x - top); with out, the terms are stored too.
INL float softmax_terms_f32(const float *x, float *out, int64_t n, float top) {
	vf t = vsplat(top), s0 = {}, s1 = {}, s2 = {}, s3 = {};
	int64_t i = 0;
	for (; i + 4 * LANES <= n; i += 4 * LANES) {
		vf a = softmax_exp(vload(x + i) - t), b = softmax_exp(vload(x + i + LANES) - t);
		vf c = softmax_exp(vload(x + i + 2 * LANES) - t), d = softmax_exp(vload(x + i + 3 * LANES) - t);
		if (out) vstore(out + i, a), vstore(out + i + LANES, b), vstore(out + i + 2 * LANES, c),
			vstore(out + i + 3 * LANES, d);
		s0 += a, s1 += b, s2 += c, s3 += d;
	}
	for (; i + LANES <= n; i += LANES) {
		vf a = softmax_exp(vload(x + i) - t);
		if (out) vstore(out + i, a);
		s0 += a;
	}
	float s = vsum((s0 + s1) + (s2 + s3));
	if (i < n) {
		float tail[LANES];
		for (int j = 0; j < LANES; j++) tail[j] = i + j < n ? x[i + j] : top;
		vf a = softmax_exp(vload(tail) - t);
		vstore(tail, a);
		for (int j = 0; i + j < n; j++) {
			s += tail[j];
			if (out) out[i + j] = tail[j];
		}
	}
	return s;
}

static void softmax_scale_f32(const float *x, float *out, int64_t n, float top, float factor) {
	vf t = vsplat(top);
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES) vstore(out + i, softmax_exp(vload(x + i) - t) * factor);
	if (i < n) {
		float tail[LANES] = {0};
		memcpy(tail, x + i, (n - i) * 4);
		vstore(tail, softmax_exp(vload(tail) - t) * factor);
		memcpy(out + i, tail, (n - i) * 4);
	}
}

static double softmax_terms_f64(const double *x, int64_t n, double top) {
	ROOM(double, e, SOFTMAX_TERMS);
	for (int64_t i = 0; i < n; i++) e[i] = softmax_exp64(x[i] - top);
	return sum64_value(sum_f64_run(e, n));
}

static void softmax_scale_f64(const double *x, double *out, int64_t n, double top, double factor) {
	for (int64_t i = 0; i < n; i++) out[i] = softmax_exp64(x[i] - top) * factor;
}

// One row whole, in float32: out may be x.
static void softmax_row_f32(const float *x, float *out, int64_t n) {
	float top = max_f32_run(x, n);
	double sum = 0;
	for (int64_t i = 0; i < n; i += SOFTMAX_SUM)
		sum += softmax_terms_f32(x + i, out + i, n - i < SOFTMAX_SUM ? n - i : SOFTMAX_SUM, top);
	float factor = (float)(1 / sum);
	for (int64_t i = 0; i < n; i++) out[i] *= factor;
}

typedef struct {
	int32_t in, wide; // bytes in memory; computed in double
	int32_t direct;
	void (*load)(void *dst, const void *src, int64_t stride, int64_t n);
	void (*store)(void *dst, const void *src, int64_t n);
} row_dtype;

static void row_store_f16(void *dst, const void *src, int64_t n) { f16_narrow(dst, src, n); }
static void row_store_bf16(void *dst, const void *src, int64_t n) { bf16_narrow(dst, src, n); }
static void row_store_f32(void *dst, const void *src, int64_t n) { memcpy(dst, src, n * 4); }
static void row_store_f64(void *dst, const void *src, int64_t n) { memcpy(dst, src, n * 8); }

// How rows of each float dtype come into the arithmetic of softmax and the norms, and leave it.
static const row_dtype row_dtypes[DT_COUNT] = {
	[DT_F16] = {2, 0, 0, load_f16, row_store_f16}, [DT_BF16] = {2, 0, 0, load_bf16, row_store_bf16},
	[DT_F32] = {4, 0, 1, load_32, row_store_f32}, [DT_F64] = {8, 1, 1, load_64, row_store_f64},
};

// The greatest element and the sum of exp(x - greatest) of one chunk, in one pass over blocks: what was summed
// is scaled down when a block holds a greater one.
static void softmax_fold(const row_dtype *d, stop_flag stop, const char *p, int64_t stride, int64_t n, double *greatest,
	double *sum) {
	ROOM(char, buf, SOFTMAX_LOADED);
	double top = -INFINITY, total = 0;
	for (int64_t i = 0; i < n && !STOPPED(stop); i += SOFTMAX_BLOCK) {
		int64_t m = n - i < SOFTMAX_BLOCK ? n - i : SOFTMAX_BLOCK;
		const void *x = p + i * stride * d->in;
		if (!d->direct || stride != 1) d->load(buf, x, stride, m), x = buf;
		double t = d->wide ? max_f64_run(x, m) : max_f32_run(x, m);
		if (t > top || t != t) {
			total = total == 0 ? 0 : total * exp(top - t);
			top = t;
		}
		// An infinite top stays out of the differences: exp(-inf) is 0 and exp(inf) is inf, not NaN.
		double base = top - top == 0 ? top : 0;
		total += d->wide ? softmax_terms_f64(x, m, base) : softmax_terms_f32(x, 0, m, (float)base);
	}
	*greatest = top, *sum = total;
}

// Takes the greatest element and the sum of the next chunk to those of the chunks before. An infinite top stays out.
INL void softmax_merge(double *top, double *sum, double t, double s) {
	double most = F_FMAX(*top, t);
	*sum = most - most == 0 ? *sum * exp(*top - most) + s * exp(t - most) : *sum + s;
	*top = most;
}

// A whole row by chunks, as if every chunk were a unit of its own: the row's result does not depend on how many there
// are.
static void softmax_whole(const row_dtype *d, stop_flag stop, const char *p, int64_t stride, int64_t n, double *top,
	double *sum) {
	softmax_fold(d, stop, p, stride, n < SOFTMAX_CHUNK ? n : SOFTMAX_CHUNK, top, sum);
	for (int64_t i = SOFTMAX_CHUNK; i < n && !STOPPED(stop); i += SOFTMAX_CHUNK) {
		double t, s;
		softmax_fold(d, stop, p + i * stride * d->in, stride, n - i < SOFTMAX_CHUNK ? n - i : SOFTMAX_CHUNK, &t, &s);
		softmax_merge(top, sum, t, s);
	}
}

static void softmax_scale(const row_dtype *d, stop_flag stop, const char *p, int64_t stride, char *out, int64_t n,
	double top, double sum) {
	ROOM(char, buf, SOFTMAX_LOADED);
	if (top - top != 0) sum = NAN; // inf - inf
	for (int64_t i = 0; i < n && !STOPPED(stop); i += SOFTMAX_BLOCK) {
		int64_t m = n - i < SOFTMAX_BLOCK ? n - i : SOFTMAX_BLOCK;
		const void *x = p + i * stride * d->in;
		void *y = d->direct ? (void *)(out + i * d->in) : buf;
		if (!d->direct || stride != 1) d->load(buf, x, stride, m), x = buf;
		if (d->wide) softmax_scale_f64(x, y, m, top, 1 / sum);
		else softmax_scale_f32(x, y, m, (float)top, (float)(1 / sum));
		if (!d->direct) d->store(out + i * d->in, buf, m);
	}
}

static void softmax(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	float *row = (float *)room_of_call;
	for (int64_t u = lo; u < hi; u++) {
		const char *p = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * d->in;
		char *out = (char *)g->out + walk_offset(u, g->kd, g->kshape, g->kout) * d->in;
		if (d->wide || g->n > SOFTMAX_ROW) {
			double top, sum;
			softmax_whole(d, g->stop, p, g->stride, g->n, &top, &sum);
			softmax_scale(d, g->stop, p, g->stride, out, g->n, top, sum);
		} else if (!d->direct) {
			d->load(row, p, g->stride, g->n);
			softmax_row_f32(row, row, g->n);
			d->store(out, row, g->n);
		} else if (g->stride != 1) {
			d->load(out, p, g->stride, g->n);
			softmax_row_f32((float *)out, (float *)out, g->n);
		} else {
			softmax_row_f32((const float *)p, (float *)out, g->n);
		}
	}
}

static void softmax_part(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		int64_t pos = u % g->chunks * SOFTMAX_CHUNK, n = g->n - pos < SOFTMAX_CHUNK ? g->n - pos : SOFTMAX_CHUNK;
		int64_t off = walk_offset(u / g->chunks, g->kd, g->kshape, g->kin) + pos * g->stride;
		softmax_fold(d, g->stop, (const char *)g->in + off * d->in, g->stride, n, &g->parts[2 * u],
			&g->parts[2 * u + 1]);
	}
}

static void softmax_apply(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		int64_t k = u / g->chunks, pos = u % g->chunks * SOFTMAX_CHUNK,
			n = g->n - pos < SOFTMAX_CHUNK ? g->n - pos : SOFTMAX_CHUNK;
		int64_t in = walk_offset(k, g->kd, g->kshape, g->kin) + pos * g->stride;
		int64_t out = walk_offset(k, g->kd, g->kshape, g->kout) + pos;
		softmax_scale(d, g->stop, (const char *)g->in + in * d->in, g->stride, (char *)g->out + out * d->in, n,
			g->parts[2 * k], g->parts[2 * k + 1]);
	}
}

static void logsumexp_store(const softmax_args *g, int64_t k, double top, double sum) {
	int64_t out = walk_offset(k, g->kd, g->kshape, g->kout);
	double y = (top - top == 0 ? top : 0) + log(sum);
	if (g->dtype == DT_F64) ((double *)g->out)[out] = y;
	else if (g->dtype == DT_F32) ((float *)g->out)[out] = (float)y;
	else if (g->dtype == DT_F16) ((uint16_t *)g->out)[out] = f32_f16((float)y);
	else ((uint16_t *)g->out)[out] = f32_bf16((float)y);
}

static void logsumexp(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		double top, sum;
		softmax_whole(d, g->stop, (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * d->in, g->stride,
			g->n, &top, &sum);
		logsumexp_store(g, u, top, sum);
	}
}

// logsumexp_join stores rows whose parts[2k], parts[2k+1] are complete.
static void logsumexp_join(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	for (int64_t k = lo; k < hi; k++) logsumexp_store(g, k, g->parts[2 * k], g->parts[2 * k + 1]);
}

// softmax_join folds the parts of each row into the row's own place, parts[2k] and [2k+1], which
// lies at or before its first part.
static void softmax_join(const void *args, int64_t lo, int64_t hi) {
	const softmax_args *g = args;
	for (int64_t k = lo; k < hi; k++) {
		const double *p = g->parts + 2 * k * g->chunks;
		double top = p[0], sum = p[1];
		for (int64_t c = 1; c < g->chunks; c++) softmax_merge(&top, &sum, p[2 * c], p[2 * c + 1]);
		g->parts[2 * k] = top, g->parts[2 * k + 1] = sum;
	}
}
