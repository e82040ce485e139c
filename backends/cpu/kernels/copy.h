// Copies with a cast between arrays of any strides, transposition by blocks, fill, arange.
#pragma once

static void copy(const void *args, int64_t lo, int64_t hi) {
	const copy_args *a = args;
	int from = dtype_size[a->in_dtype], to = dtype_size[a->out_dtype], same = a->in_dtype == a->out_dtype;
	row_fn cast = cast_fn(a->in_dtype, a->out_dtype);
	if (a->in_flat && a->out_flat && !(a->stream && !same)) {
		void *const p[2] = {(char *)a->out + lo * to, (char *)a->in + lo * from};
		if (!same) cast(hi - lo, p);
		else if (a->stream) stream_copy(p[0], p[1], (hi - lo) * to), stream_fence();
		else memcpy(p[0], p[1], (hi - lo) * to);
		return;
	}
	char *raw = room_of_call, *done = raw + TILE * 8;
	int64_t idx[MAXD], nd = a->nd, row = a->shape[nd - 1];
	tile_seek(lo, nd, a->shape, idx);
	for (int64_t pos = lo, n; pos < hi; pos += n) {
		n = hi - pos < TILE ? hi - pos : TILE;
		int64_t left = row - idx[nd - 1];
		if (left < n && left >= 64) n = left;
		int one = left >= n; // the tile lies within one row
		char *src = (char *)a->in, *dst = (char *)a->out;
		if (a->in_flat) src += pos * from;
		else if (one && a->in_strides[nd - 1] == 1) src += tile_offset(nd, idx, a->in_strides) * from;
		else tile_gather(raw, a->in, n, from, nd, a->shape, idx, a->in_strides), src = raw;
		int direct = 1;
		if (a->out_flat) dst += pos * to;
		else if (one && a->out_strides[nd - 1] == 1) dst += tile_offset(nd, idx, a->out_strides) * to;
		else direct = 0;
		if (!same) {
			char *at = direct && !a->stream ? dst : done;
			void *const p[2] = {at, src};
			cast(n, p);
			src = at;
		}
		if (!direct) tile_scatter(a->out, src, n, to, nd, a->shape, idx, a->out_strides);
		else if (a->stream) stream_copy(dst, src, n * to);
		else if (src != dst) memcpy(dst, src, n * to);
		tile_seek(pos + n, nd, a->shape, idx);
	}
	if (a->stream) stream_fence();
}

// One block: ni positions of the axis with input stride 1, nj of the last. A cache line of input is read at once
// into a square that fits the cache whatever the strides: with strides that are powers of two, the
// lines of a larger block would share a few places of the cache.
#define TRANSPOSE_BLOCK(T) \
	static void transpose_##T(T *restrict out, const T *restrict in, int64_t ni, int64_t nj, int64_t oi, int64_t oj, \
		int64_t ij) { \
		enum { E = 64 / sizeof(T) }; \
		T square[E][E] __attribute__((aligned(64))); \
		for (int64_t j = 0; j < nj; j += E) { \
			for (int64_t i = 0; i < ni; i += E) { \
				int64_t mi = ni - i < E ? ni - i : E, mj = nj - j < E ? nj - j : E; \
				const T *s = in + i + j * ij; \
				T *d = out + i * oi + j * oj; \
				if (mi == E && mj == E && oj == 1) { \
					for (int b = 0; b < E; b++) memcpy(square[b], s + b * ij, 64); \
					for (int a = 0; a < E; a++) \
						for (int b = 0; b < E; b++) d[a * oi + b] = square[b][a]; \
				} else { \
					for (int64_t a = 0; a < mi; a++) \
						for (int64_t b = 0; b < mj; b++) d[a * oi + b * oj] = s[a + b * ij]; \
				} \
			} \
		} \
	}
TRANSPOSE_BLOCK(uint8_t)
TRANSPOSE_BLOCK(uint16_t)
TRANSPOSE_BLOCK(uint32_t)
TRANSPOSE_BLOCK(uint64_t)

static void copy_blocks(const void *args, int64_t lo, int64_t hi) {
	const copy_args *a = args;
	int64_t nd = a->nd, f = a->fast, last = nd - 1, blocks[MAXD], idx[MAXD];
	for (int64_t d = 0; d < nd; d++)
		blocks[d] = d == f || d == last ? (a->shape[d] + COPY_BLOCK - 1) / COPY_BLOCK : a->shape[d];
	tile_seek(lo, nd, blocks, idx);
	int size = dtype_size[a->out_dtype];
	for (int64_t pos = lo; pos < hi; pos++) {
		int64_t at[MAXD];
		memcpy(at, idx, nd * sizeof *at);
		at[f] *= COPY_BLOCK;
		at[last] *= COPY_BLOCK;
		int64_t ni = a->shape[f] - at[f], nj = a->shape[last] - at[last];
		if (ni > COPY_BLOCK) ni = COPY_BLOCK;
		if (nj > COPY_BLOCK) nj = COPY_BLOCK;
		void *out = (char *)a->out + tile_offset(nd, at, a->out_strides) * size;
		const void *in = (const char *)a->in + tile_offset(nd, at, a->in_strides) * size;
		int64_t oi = a->out_strides[f], oj = a->out_strides[last], ij = a->in_strides[last];
		switch (size) {
		case 1: transpose_uint8_t(out, in, ni, nj, oi, oj, ij); break;
		case 2: transpose_uint16_t(out, in, ni, nj, oi, oj, ij); break;
		case 4: transpose_uint32_t(out, in, ni, nj, oi, oj, ij); break;
		case 8: transpose_uint64_t(out, in, ni, nj, oi, oj, ij); break;
		}
		tile_advance(1, nd, blocks, idx);
	}
}

static void fill(const void *args, int64_t lo, int64_t hi) {
	const fill_args *a = args;
	char *out = (char *)a->out + lo * a->size;
	int64_t n = hi - lo;
	if (!a->stream) {
		splat(out, a->in, n, a->size);
		return;
	}
	char tile[TILE * 8] __attribute__((aligned(64)));
	splat(tile, a->in, TILE, a->size);
	for (int64_t i = 0; i < n; i += TILE) stream_copy(out + i * a->size, tile, (n - i < TILE ? n - i : TILE) * a->size);
	stream_fence();
}

static void arange(const void *args, int64_t lo, int64_t hi) {
	const arange_args *a = args;
	int integer = a->dtype <= DT_I64, size = dtype_size[a->dtype];
	row_fn cast = cast_fn(integer ? DT_I64 : DT_F64, a->dtype);
	union {
		int64_t i[TILE];
		double f[TILE];
	} tile;
	for (int64_t pos = lo; pos < hi; pos += TILE) {
		int64_t n = hi - pos < TILE ? hi - pos : TILE;
		if (integer) {
			for (int64_t i = 0; i < n; i++)
				tile.i[i] = (int64_t)((uint64_t)a->start_int + (uint64_t)(pos + i) * (uint64_t)a->step_int);
		} else {
			for (int64_t i = 0; i < n; i++) tile.f[i] = a->start + (double)(pos + i) * a->step;
		}
		void *const p[2] = {(char *)a->out + pos * size, &tile};
		cast(n, p);
	}
}
