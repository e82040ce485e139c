// Runs a program of rows tile by tile: operands are brought to their registers where
// they do not already lie there, the rows run, results are stored.
#pragma once

// Registers are TILE elements of 8 bytes; programs with many get shorter ones.
enum { REGISTER_BYTES = 144 << 10, LONG_ROW = 256 };

// Fills n elements of a register with one.
static void splat(void *dst, const void *src, int64_t n, int size) { pick(dst, src, 0, n, size); }

// A program of one row whose operands lie flat, in dtypes that its loop takes.
static void ew_direct(const ew_args *a, int64_t lo, int64_t hi) {
	void *p[4];
	const ew_step *s = a->steps;
	p[0] = (char *)a->out->p + lo * dtype_size[a->out->dtype];
	for (int i = 0; i < a->ins; i++) {
		const ew_operand *x = &a->in[s->src[i]];
		p[1 + i] = (char *)x->p + lo * dtype_size[x->dtype];
	}
	(s->row < 0 ? cast_fn(s->in, s->out) : rows[s->row][s->in])(hi - lo, p);
}

// What a program works on.
typedef struct {
	const ew_args *a;
	void *reg[MAX_REGISTERS];     // where each register's own memory is
	void *at[MAX_REGISTERS];      // where its value is now
	void *spare;                  // memory of one more register
	uint8_t again[MAX_REGISTERS]; // strided: every tile of whole rows holds the same, and no step writes over it
	int64_t tile, nd, idx[MAXD];  // elements of a tile; axes, and where the tile begins along them
	int strided, whole;           // some input is strided; tiles are of whole rows
} ew_state;

// ew_begin lays out registers for a range of n elements and fills those of scalars.
INL void ew_begin(ew_state *w, const ew_args *a, int64_t n) {
	w->a = a;
	char *memory = room_of_call; // REGISTER_BYTES
	int64_t tile = REGISTER_BYTES / (8 * (a->regs + 1)) & ~63;
	if (tile > TILE) tile = TILE;
	if (tile > n) tile = n;
	int64_t pitch = ((tile + 7) & ~7) * 8;
	for (int r = 0; r < a->regs; r++) w->reg[r] = memory + r * pitch;
	w->spare = memory + a->regs * pitch;
	w->strided = w->whole = 0;
	for (int i = 0; i < a->ins; i++) {
		const ew_operand *x = &a->in[i];
		w->strided |= x->lie == LIE_STRIDED;
		int again = x->lie == LIE_STRIDED && a->shape[a->nd - 1] <= tile / 2;
		for (int d = 0; again && d < a->nd - 1; d++) again = x->strides[d] == 0;
		for (int k = 0; again && k < a->count; k++) again = a->steps[k].dst != i;
		if (again) tile -= tile % a->shape[a->nd - 1], w->whole = 1;
		w->again[i] = again;
		if (x->lie != LIE_SCALAR) continue;
		void *const p[2] = {w->spare, x->p};
		cast_fn(x->dtype, x->reg_dtype)(1, p);
		splat(w->reg[i], w->spare, tile, dtype_size[x->reg_dtype]);
	}
	w->tile = tile, w->nd = a->nd;
}

// ew_bring makes n elements of input i from pos on the value of its register; left are to the end of the row.
INL void ew_bring(ew_state *w, int i, int64_t pos, int64_t n, int64_t left, int first) {
	const ew_operand *x = &w->a->in[i];
	int size = dtype_size[x->dtype], same = x->dtype == x->reg_dtype;
	const char *src = x->p;
	switch (x->lie) {
	case LIE_SCALAR:
		w->at[i] = w->reg[i];
		return;
	case LIE_FLAT:
		src += pos * size;
		break;
	case LIE_STRIDED:
		if (w->again[i] && !first) {
			w->at[i] = w->reg[i];
			return;
		}
		if (!w->again[i] && left >= n && x->strides[w->nd - 1] == 1) {
			src += tile_offset(w->nd, w->idx, x->strides) * size;
		} else {
			tile_gather(same ? w->reg[i] : w->spare, src, n, size, w->nd, w->a->shape, w->idx, x->strides);
			src = same ? w->reg[i] : w->spare;
		}
	}
	w->at[i] = (void *)src;
	if (!same) {
		void *const p[2] = {w->reg[i], w->at[i]};
		cast_fn(x->dtype, x->reg_dtype)(n, p);
		w->at[i] = w->reg[i];
	}
}

// ew_run runs step k over the n elements at pos.
INL void ew_run(ew_state *w, int k, int64_t pos, int64_t n) {
	const ew_args *a = w->a;
	const ew_step *s = &a->steps[k];
	void *p[4] = {w->reg[s->dst], w->at[s->src[0]], w->at[s->src[1]], w->at[s->src[2]]};
	for (int o = 0; o < a->outs; o++)
		if (a->out[o].last == k) p[0] = (char *)a->out[o].p + pos * dtype_size[a->out[o].dtype];
	int over = (p[0] == p[1]) | (p[0] == p[2]) | (p[0] == p[3]);
	if (over && dtype_size[s->in] != dtype_size[s->out]) {
		// A row may write over an input of its own width only.
		void *own = w->reg[s->dst];
		p[0] = w->reg[s->dst] = w->spare;
		w->spare = own;
	}
	(s->row < 0 ? cast_fn(s->in, s->out) : rows[s->row][s->in])(n, p);
	w->at[s->dst] = p[0];
}

// ew_store writes the n elements at pos of output o where no step did.
INL void ew_store(ew_state *w, int o, int64_t pos, int64_t n) {
	const ew_operand *y = &w->a->out[o];
	int size = dtype_size[y->dtype], stream = w->a->stream;
	char *dst = (char *)y->p + pos * size;
	void *src = w->at[y->reg];
	if (y->last >= 0 && src == dst) return; // else the step had to leave its input standing
	if (y->dtype != y->reg_dtype) {
		void *const p[2] = {stream ? w->spare : dst, src};
		cast_fn(y->reg_dtype, y->dtype)(n, p);
		if (!stream) return;
		src = w->spare;
	}
	if (stream) stream_copy(dst, src, n * size);
	else memmove(dst, src, n * size);
}

static void elementwise(const void *args, int64_t lo, int64_t hi) {
	const ew_args *a = args;
	if (a->direct) {
		ew_direct(a, lo, hi);
		return;
	}
	ew_state w;
	ew_begin(&w, a, hi - lo);
	int64_t nd = a->nd, row = nd ? a->shape[nd - 1] : 1;
	if (w.strided) tile_seek(lo, nd, a->shape, w.idx);
	for (int64_t pos = lo, n; pos < hi; pos += n) {
		n = hi - pos < w.tile ? hi - pos : w.tile;
		int64_t left = w.strided ? row - w.idx[nd - 1] : n;
		if (left < n && left >= LONG_ROW && !w.whole) n = left; // within one row operands need no gathering
		for (int i = 0; i < a->ins; i++) ew_bring(&w, i, pos, n, left, pos == lo);
		for (int k = 0; k < a->count; k++) ew_run(&w, k, pos, n);
		for (int o = 0; o < a->outs; o++) ew_store(&w, o, pos, n);
		if (w.strided) tile_seek(pos + n, nd, a->shape, w.idx);
	}
	if (a->stream) stream_fence();
}
