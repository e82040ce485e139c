// The quicksort of one key width, a template: sort_vector.h defines SORT_T, SORT_L and the
// instructions, and includes this once for each width.

enum { SORT_NAME(SORT_SHORT) = 8 * SORT_L };

// Up to SORT_SHORT keys: columns of eight rows are sorted, then merged two, four, ... columns at a time.
static void SORT_NAME(sort_short)(SORT_T *p, int64_t n) {
	SORT_ROWS(SORT_LOAD)
	SORT_COLUMNS(SORT_EXCHANGE)
	SORT_MIRROR_ROWS(SORT_MIRROR, 2)
	SORT_HALVE_ROWS(SORT_EXCHANGE)
	SORT_MIRROR_ROWS(SORT_MIRROR, 4)
	SORT_SWAPS(1)
	SORT_HALVE_ROWS(SORT_EXCHANGE)
#if SORT_L >= 8
	SORT_MIRROR_ROWS(SORT_MIRROR, 8)
	SORT_SWAPS(2)
	SORT_SWAPS(1)
	SORT_HALVE_ROWS(SORT_EXCHANGE)
#endif
#if SORT_L == 16
	SORT_MIRROR_ROWS(SORT_MIRROR, 16)
	SORT_SWAPS(4)
	SORT_SWAPS(2)
	SORT_SWAPS(1)
	SORT_HALVE_ROWS(SORT_EXCHANGE)
#endif
	SORT_INTERLEAVE SORT_INTERLEAVE SORT_INTERLEAVE
	SORT_ROWS(SORT_STORE)
}

// Moves keys below the pivot (with equal, those up to it) to the front and returns their number. A whole
// vector stored at the front covers only keys that were read; the others wait in tmp, of n + SORT_L keys.
INL int64_t SORT_NAME(sort_partition)(SORT_T *p, SORT_T *tmp, int64_t n, SORT_T pivot, int equal, stop_flag stop) {
	SORT_V at = SORT_SPLAT(pivot);
	int64_t front = 0, back = 0, i = 0;
	for (int64_t end = 0; end < n;) {
		end = n - end < STOP_WORK ? n : end + STOP_WORK;
		if (STOPPED(stop)) return front;
		for (; i + SORT_L <= end; i += SORT_L) {
			SORT_V x = SORT_LOADU(p + i);
			SORT_MASK m = equal ? SORT_LE(x, at) : SORT_LT(x, at);
			int k = __builtin_popcount(m);
			SORT_SPREAD(p + front, tmp + back, m, x);
			front += k, back += SORT_L - k;
		}
	}
	for (; i < n; i++) {
		SORT_T x = p[i];
		int below = equal ? x <= pivot : x < pivot;
		p[front] = x, tmp[back] = x;
		front += below, back += !below;
	}
	stop_copy(p + front, tmp, back * sizeof(SORT_T), stop);
	return front;
}

// Heapsort, for rows that make quicksort's pivots fail.
static void SORT_NAME(sort_heap)(SORT_T *p, int64_t n, stop_flag stop) {
	for (int64_t start = n / 2, end = n; end > 1 && !STOPPED(stop);) {
		SORT_T x;
		if (start > 0) x = p[--start];
		else x = p[--end], p[end] = p[0];
		int64_t i = start, c;
		while ((c = 2 * i + 1) < end) {
			c += c + 1 < end && p[c] < p[c + 1];
			if (p[c] <= x) break;
			p[i] = p[c], i = c;
		}
		p[i] = x;
	}
}

// With kth >= 0 only the part that holds position kth is pursued: Hoare's selection.
static void SORT_NAME(sort_keys)(SORT_T *p, SORT_T *tmp, int64_t n, int64_t kth, int depth, stop_flag stop) {
	while (n > SORT_NAME(SORT_SHORT)) {
		if (STOPPED(stop)) return;
		if (depth-- == 0) {
			SORT_NAME(sort_heap)(p, n, stop);
			return;
		}
		// The median of evenly spread keys, more of them where the partition is longer.
		SORT_T sample[SORT_NAME(SORT_SHORT)];
		int64_t many = n < 2048 ? 9 : SORT_NAME(SORT_SHORT) - 1, step = n / many;
		for (int64_t i = 0; i < many; i++) sample[i] = p[i * step + step / 2];
		if (many == 9) { // insertion is enough
			for (int i = 1; i < 9; i++) {
				SORT_T x = sample[i];
				int j = i;
				for (; j > 0 && sample[j - 1] > x; j--) sample[j] = sample[j - 1];
				sample[j] = x;
			}
		} else {
			SORT_NAME(sort_short)(sample, many);
		}
		SORT_T pivot = sample[many / 2];
		int64_t front = SORT_NAME(sort_partition)(p, tmp, n, pivot, 0, stop);
		if (front == 0) { // the pivot is the least: its equals are in place
			front = SORT_NAME(sort_partition)(p, tmp, n, pivot, 1, stop);
			if (kth >= 0 && kth < front) return;
			p += front, n -= front, kth -= kth >= 0 ? front : 0;
			continue;
		}
		if (kth >= 0) {
			if (kth < front) n = front;
			else p += front, n -= front, kth -= front;
			continue;
		}
		if (front < n - front) {
			SORT_NAME(sort_keys)(p, tmp, front, -1, depth, stop);
			p += front, n -= front;
		} else {
			SORT_NAME(sort_keys)(p + front, tmp, n - front, -1, depth, stop);
			n = front;
		}
	}
	if (n > 1) SORT_NAME(sort_short)(p, n);
}

// Parts keys by ascending splitters into ranges, a splitter being the first key of its range, and writes where they
// end; p is at position at.
static void SORT_NAME(sort_parts)(SORT_T *p, SORT_T *tmp, int64_t n, const SORT_T *splitters, int64_t parts, int64_t at,
	int64_t *ends, stop_flag stop) {
	if (parts == 1) {
		*ends = at + n;
		return;
	}
	int64_t half = parts / 2, front = SORT_NAME(sort_partition)(p, tmp, n, splitters[half - 1], 0, stop);
	SORT_NAME(sort_parts)(p, tmp, front, splitters, half, at, ends, stop);
	SORT_NAME(sort_parts)(p + front, tmp, n - front, splitters + half, parts - half, at + front, ends + half, stop);
}

#undef SORT_T
#undef SORT_NAME
#undef SORT_L
#undef SORT_MASK
#undef SORT_MIN
#undef SORT_MAX
#undef SORT_MASK_MAX
#undef SORT_PERMUTE
#undef SORT_TWO
#undef SORT_MASK_LOAD
#undef SORT_MASK_STORE
#undef SORT_COMPRESS
#undef SORT_KEEP
#undef SORT_LOAD_PART
#undef SORT_STORE_PART
#undef SORT_LT
#undef SORT_LE
#undef SORT_SPREAD
#undef SORT_SPLAT
