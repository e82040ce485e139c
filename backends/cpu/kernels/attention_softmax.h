// What both forms share, for T: weights of a vector of scores, and the mask of a row.

// The reference from which exponents are taken: an infinite top of nothing stays out of the differences.
INL VT TN(attention_base)(VT top) {
	__typeof__(top == top) some = top != (VT){} - (T)INFINITY;
	return (VT)(some & (__typeof__(some))top);
}
INL T TN(attention_exp)(T x) {
	VT v = x - (VT){};
	return TEXP(v)[0];
}

// The mask of keys from.. of row r as numbers: of a bool one, 1 where keys are seen.
INL void TN(attention_mask_row)(const attention_args *g, T *restrict to, int64_t b, int64_t h,
	attention_row r, int64_t from, int64_t n) {
	int64_t mask = attention_offset(g, b, h, r, g->mb, g->mh, g->ml) + from * g->mk;
	if (g->bool_mask) {
		const uint8_t *m = (const uint8_t *)g->mask + mask;
		if (g->mk == 1) for (int64_t j = 0; j < n; j++) to[j] = m[j];
		else for (int64_t j = 0; j < n; j++) to[j] = m[j * g->mk];
	} else TN(attention_load)(to, (const char *)g->mask + mask * dtype_size[g->dtype], g->mk, n, g->dtype);
}

// Scores under the mask, n of each.
INL void TN(attention_mask)(const attention_args *g, T *restrict s, const T *restrict mask, int64_t n) {
	if (g->bool_mask) for (int64_t j = 0; j < n; j++) s[j] = mask[j] != 0 ? s[j] : (T)TLOWEST;
	else for (int64_t j = 0; j < n; j++) s[j] += mask[j];
}

// What a row begins with: its sink, or nothing.
INL void TN(attention_begin)(const attention_args *g, int64_t b, int64_t h, attention_row r, T *top, T *sum) {
	*top = -INFINITY, *sum = 0;
	if (!g->sinks) return;
	int64_t at = b * g->sb + (h * g->group + r.head) * g->sh;
	TN(attention_load)(top, (const char *)g->sinks + at * dtype_size[g->dtype], 1, 1, g->dtype);
	*sum = *top > -INFINITY || *top != *top;
}
