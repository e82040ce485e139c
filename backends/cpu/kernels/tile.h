// Moving elements between arrays of any strides and contiguous tiles in the first-level cache.
#pragma once

// Elements of a tile: small enough that the registers of a few steps stay in the cache.
enum { TILE = 1024 };

#define PICK(T) \
	{ \
		T *d = dst; \
		const T *s = src; \
		if (stride == 0) { \
			T x = *s; \
			for (int64_t i = 0; i < n; i++) d[i] = x; \
		} else { \
			for (int64_t i = 0; i < n; i++) d[i] = s[i * stride]; \
		} \
	} \
	break

// n elements of the given size, stride apart, to contiguous memory.
static void pick(void *restrict dst, const void *restrict src, int64_t stride, int64_t n, int size) {
	if (stride == 1) {
		memcpy(dst, src, n * size);
		return;
	}
	switch (size) {
	case 1: PICK(uint8_t);
	case 2: PICK(uint16_t);
	case 4: PICK(uint32_t);
	case 8: PICK(uint64_t);
	}
}
#undef PICK

#define PICK_ROWS(T) \
	{ \
		T *d = dst; \
		const T *s = src; \
		if (m < 16 && (stride == 0 || near)) { \
			for (int64_t i = 0; i < m; i++) \
				for (int64_t r = 0; r < rows; r++) d[r * m + i] = s[r * step + i * stride]; \
		} else { \
			for (int64_t r = 0; r < rows; r++) \
				for (int64_t i = 0; i < m; i++) d[r * m + i] = s[r * step + i * stride]; \
		} \
	} \
	break

// rows of m elements, step apart, to contiguous memory. Short rows go by columns where those are near each other.
static void pick_rows(void *restrict dst, const void *restrict src, int64_t step, int64_t rows, int64_t stride,
	int64_t m, int size) {
	if (step == 0) { // one row again and again
		pick(dst, src, stride, m, size);
		int64_t all = rows * m * size;
		for (int64_t done = m * size, n; done < all; done += n) {
			n = done < all - done ? done : all - done;
			memcpy((char *)dst + done, dst, n);
		}
		return;
	}
	const int near = labs(step) <= 64 || labs(step) < labs(stride);
	switch (size) {
	case 1: PICK_ROWS(uint8_t);
	case 2: PICK_ROWS(uint16_t);
	case 4: PICK_ROWS(uint32_t);
	case 8: PICK_ROWS(uint64_t);
	}
}
#undef PICK_ROWS

#define PLACE(T) \
	{ \
		T *d = dst; \
		const T *s = src; \
		for (int64_t i = 0; i < n; i++) d[i * stride] = s[i]; \
	} \
	break

static void place(void *restrict dst, int64_t stride, const void *restrict src, int64_t n, int size) {
	if (stride == 1) {
		memcpy(dst, src, n * size);
		return;
	}
	switch (size) {
	case 1: PLACE(uint8_t);
	case 2: PLACE(uint16_t);
	case 4: PLACE(uint32_t);
	case 8: PLACE(uint64_t);
	}
}
#undef PLACE

// The odometer: idx holds a position of a shape; off is where an operand has it.
INL int64_t tile_seek(int64_t pos, int64_t nd, const int64_t *shape, int64_t *idx) {
	for (int64_t a = nd - 1; a >= 0; a--) {
		idx[a] = pos % shape[a];
		pos /= shape[a];
	}
	return pos;
}

INL int64_t tile_offset(int64_t nd, const int64_t *idx, const int64_t *strides) {
	int64_t off = 0;
	for (int64_t a = 0; a < nd; a++) off += idx[a] * strides[a];
	return off;
}

// Moves idx on by m positions, which end at most at the end of the last axis.
INL void tile_advance(int64_t m, int64_t nd, const int64_t *shape, int64_t *idx) {
	idx[nd - 1] += m;
	for (int64_t a = nd - 1; a > 0 && idx[a] == shape[a]; a--) {
		idx[a] = 0;
		idx[a - 1]++;
	}
}

// The n positions from idx on, gathered to dst.
static void tile_gather(void *dst, const void *src, int64_t n, int size, int64_t nd, const int64_t *shape,
		const int64_t *idx, const int64_t *strides) {
	int64_t j[MAXD];
	memcpy(j, idx, nd * sizeof *j);
	const int64_t row = shape[nd - 1];
	for (int64_t done = 0, m; done < n; done += m) {
		const int64_t rows = nd > 1 && row <= 256 && j[nd - 1] == 0 ? (n - done) / row : 0;
		if (rows > 1) {
			int64_t left = shape[nd - 2] - j[nd - 2], k = rows < left ? rows : left;
			pick_rows((char *)dst + done * size, (const char *)src + tile_offset(nd, j, strides) * size,
				strides[nd - 2], k, strides[nd - 1], row, size);
			m = k * row;
			tile_advance(k, nd - 1, shape, j);
			continue;
		}
		m = row - j[nd - 1];
		if (m > n - done) m = n - done;
		pick((char *)dst + done * size, (const char *)src + tile_offset(nd, j, strides) * size, strides[nd - 1],
			m, size);
		tile_advance(m, nd, shape, j);
	}
}

static void tile_scatter(void *dst, const void *src, int64_t n, int size, int64_t nd, const int64_t *shape,
		const int64_t *idx, const int64_t *strides) {
	int64_t j[MAXD];
	memcpy(j, idx, nd * sizeof *j);
	for (int64_t done = 0, m; done < n; done += m) {
		m = shape[nd - 1] - j[nd - 1];
		if (m > n - done) m = n - done;
		place((char *)dst + tile_offset(nd, j, strides) * size, strides[nd - 1], (const char *)src + done * size,
			m, size);
		tile_advance(m, nd, shape, j);
	}
}

// Stores that pass the caches by: for outputs so large that they would only evict what is in use, and
// whose lines would be read from memory just to be overwritten.
static void stream_copy(void *dst, const void *src, int64_t bytes) {
#if defined(__x86_64__)
	char *d = dst;
	const char *s = src;
	int64_t head = -(intptr_t)d & 63;
	if (head > bytes) head = bytes;
	memcpy(d, s, head);
	d += head, s += head, bytes -= head;
	for (; bytes >= 64; bytes -= 64, d += 64, s += 64) {
#if defined(__AVX512F__)
		_mm512_stream_si512((void *)d, _mm512_loadu_si512(s));
#elif defined(__AVX__)
		_mm256_stream_si256((__m256i *)d, _mm256_loadu_si256((const __m256i *)s));
		_mm256_stream_si256((__m256i *)d + 1, _mm256_loadu_si256((const __m256i *)s + 1));
#else
		for (int k = 0; k < 4; k++) _mm_stream_si128((__m128i *)d + k, _mm_loadu_si128((const __m128i *)s + k));
#endif
	}
	memcpy(d, s, bytes);
#else
	memcpy(dst, src, bytes);
#endif
}

// Streamed stores become visible to other threads in order only after this.
INL void stream_fence(void) {
#if defined(__x86_64__)
	_mm_sfence();
#endif
}
