// Runs a program of rows tile by tile: operands are brought to their registers where
// they do not already lie there, the rows run, results are stored.
#pragma once

// Registers are TILE elements of 8 bytes; programs with many get shorter ones.
enum { REGISTER_BYTES = 144 << 10, LONG_ROW = 256 };

// Fills n elements of a register with one.
static void splat(void *dst, const void *src, int64_t n, int size) { pick(dst, src, 0, n, size); }

static void elementwise(const void *args, int64_t lo, int64_t hi) {
	const ew_args *a = args;
	if (a->direct) {
		void *p[4];
		const ew_step *s = a->steps;
		p[0] = (char *)a->out->p + lo * dtype_size[a->out->dtype];
		for (int i = 0; i < a->ins; i++) {
			const ew_operand *x = &a->in[s->src[i]];
			p[1 + i] = (char *)x->p + lo * dtype_size[x->dtype];
		}
		(s->row < 0 ? cast_fn(s->in, s->out) : rows[s->row][s->in])(hi - lo, p);
		return;
	}

	char *memory = room_of_call; // REGISTER_BYTES
	void *reg[MAX_REGISTERS]; // where each register's own memory is
	void *at[MAX_REGISTERS];  // where its value is now
	int64_t tile = REGISTER_BYTES / (8 * (a->regs + 1)) & ~63;
	if (tile > TILE) tile = TILE;
	if (tile > hi - lo) tile = hi - lo;
	int64_t pitch = ((tile + 7) & ~7) * 8;
	for (int r = 0; r < a->regs; r++) reg[r] = memory + r * pitch;
	void *spare = memory + a->regs * pitch;

	int strided = 0, whole = 0;
	uint8_t again[MAX_REGISTERS]; // strided: every tile of whole rows holds the same, and no step writes over it
	for (int i = 0; i < a->ins; i++) {
		const ew_operand *x = &a->in[i];
		strided |= x->lie == LIE_STRIDED;
		again[i] = x->lie == LIE_STRIDED && a->shape[a->nd - 1] <= tile / 2;
		for (int d = 0; again[i] && d < a->nd - 1; d++) again[i] = x->strides[d] == 0;
		for (int k = 0; again[i] && k < a->count; k++) again[i] = a->steps[k].dst != i;
		if (again[i]) tile -= tile % a->shape[a->nd - 1], whole = 1;
		if (x->lie != LIE_SCALAR) continue;
		void *const p[2] = {spare, x->p};
		cast_fn(x->dtype, x->reg_dtype)(1, p);
		splat(reg[i], spare, tile, dtype_size[x->reg_dtype]);
	}
	int64_t idx[MAXD], nd = a->nd, row = nd ? a->shape[nd - 1] : 1;
	if (strided) tile_seek(lo, nd, a->shape, idx);

	for (int64_t pos = lo, n; pos < hi; pos += n) {
		n = hi - pos < tile ? hi - pos : tile;
		int64_t left = strided ? row - idx[nd - 1] : n;
		if (left < n && left >= LONG_ROW && !whole) n = left; // within one row operands need no gathering
		for (int i = 0; i < a->ins; i++) {
			const ew_operand *x = &a->in[i];
			int size = dtype_size[x->dtype], same = x->dtype == x->reg_dtype;
			const char *src = x->p;
			switch (x->lie) {
			case LIE_SCALAR:
				at[i] = reg[i];
				continue;
			case LIE_FLAT:
				src += pos * size;
				break;
			case LIE_STRIDED:
				if (again[i] && pos > lo) {
					at[i] = reg[i];
					continue;
				}
				if (!again[i] && left >= n && x->strides[nd - 1] == 1) {
					src += tile_offset(nd, idx, x->strides) * size;
				} else {
					tile_gather(same ? reg[i] : spare, src, n, size, nd, a->shape, idx, x->strides);
					src = same ? reg[i] : spare;
				}
			}
			at[i] = (void *)src;
			if (!same) {
				void *const p[2] = {reg[i], at[i]};
				cast_fn(x->dtype, x->reg_dtype)(n, p);
				at[i] = reg[i];
			}
		}
		for (int k = 0; k < a->count; k++) {
			const ew_step *s = &a->steps[k];
			void *p[4] = {reg[s->dst], at[s->src[0]], at[s->src[1]], at[s->src[2]]};
			for (int o = 0; o < a->outs; o++)
				if (a->out[o].last == k) p[0] = (char *)a->out[o].p + pos * dtype_size[a->out[o].dtype];
			int over = (p[0] == p[1]) | (p[0] == p[2]) | (p[0] == p[3]);
			if (over && dtype_size[s->in] != dtype_size[s->out]) {
				// A row may write over an input of its own width only.
				void *own = reg[s->dst];
				p[0] = reg[s->dst] = spare;
				spare = own;
			}
			(s->row < 0 ? cast_fn(s->in, s->out) : rows[s->row][s->in])(n, p);
			at[s->dst] = p[0];
		}
		for (int o = 0; o < a->outs; o++) {
			const ew_operand *y = &a->out[o];
			int size = dtype_size[y->dtype];
			char *dst = (char *)y->p + pos * size;
			void *src = at[y->reg];
			if (y->last >= 0 && src == dst) continue; // else the step had to leave its input standing
			if (y->dtype != y->reg_dtype) {
				void *const p[2] = {a->stream ? spare : dst, src};
				cast_fn(y->reg_dtype, y->dtype)(n, p);
				if (!a->stream) continue;
				src = spare;
			}
			if (a->stream) stream_copy(dst, src, n * size);
			else memmove(dst, src, n * size);
		}
		if (strided) tile_seek(pos + n, nd, a->shape, idx);
	}
	if (a->stream) stream_fence();
}
