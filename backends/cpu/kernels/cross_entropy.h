// Cross entropy of rows of logits, and its gradient, each from the greatest logit and the sum that softmax.h gives.
#pragma once
#include "abi_cross_entropy.h"

// A row of logits: where it lies, its greatest element, the sum of exp(x - greatest), and the element of its target.
typedef struct {
	const char *at;
	double top, sum, target;
} cross_entropy_row;

INL cross_entropy_row cross_entropy_fold(const cross_entropy_args *g, const row_dtype *d, int64_t u) {
	cross_entropy_row r = {.at = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * d->in};
	softmax_whole(d, g->stop, r.at, g->stride, g->n, &r.top, &r.sum);
	union { float narrow; double wide; } x;
	d->load(&x, r.at + g->targets[u] * g->stride * d->in, 1, 1);
	r.target = d->wide ? x.wide : x.narrow;
	return r;
}

static void cross_entropy(const void *args, int64_t lo, int64_t hi) {
	const cross_entropy_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		cross_entropy_row r = cross_entropy_fold(g, d, u);
		// Near logits lose no digits to a far greatest one.
		((float *)g->out)[u] = r.top - r.top == 0 ? (r.top - r.target) + log(r.sum) : log(r.sum) - r.target;
	}
}

static void cross_entropy_grad(const void *args, int64_t lo, int64_t hi) {
	const cross_entropy_args *g = args;
	const row_dtype *d = &row_dtypes[g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		cross_entropy_row r = cross_entropy_fold(g, d, u);
		char *out = (char *)g->out + u * g->n * d->in;
		softmax_scale(d, g->stop, r.at, g->stride, out, g->n, r.top, r.sum / g->ct[u]);
		double x = (r.top - r.top == 0 ? exp(r.target - r.top) / r.sum - 1 : NAN) * g->ct[u];
		float narrow = x;
		d->store(out + g->targets[u] * d->in, d->wide ? (const void *)&x : (const void *)&narrow, 1);
	}
}
