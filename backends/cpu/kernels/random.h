// Counter-based random bits: threefry2x32 with 20 rounds (J. Salmon, M. Moraes, R. Dror, D. Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//
// A key's stream of n words pairs counter i with counter half + i, half = (n + 1) / 2; the two results are
// words i and half + i. When n is odd the last counter is 0 and its second result unused.
#pragma once
#include "abi_random.h"

INL vu threefry_rotate(vu x, const int r) { return x << r | x >> (32 - r); }

INL void threefry(uint32_t k0, uint32_t k1, vu *x, vu *y) {
	const uint32_t key[3] = {k0, k1, 0x1BD11BDA ^ k0 ^ k1};
	vu a = *x + k0, b = *y + k1;
#define ROUND(r) a += b; b = threefry_rotate(b, r) ^ a;
#define EVEN(i) ROUND(13) ROUND(15) ROUND(26) ROUND(6) a += key[(i) % 3]; b += key[((i) + 1) % 3] + (i);
#define ODD(i) ROUND(17) ROUND(29) ROUND(16) ROUND(24) a += key[(i) % 3]; b += key[((i) + 1) % 3] + (i);
	EVEN(1) ODD(2) EVEN(3) ODD(4) EVEN(5)
#undef EVEN
#undef ODD
#undef ROUND
	*x = a;
	*y = b;
}

// Counter pairs lo..hi, counted through all keys.
static void random_bits(const void *args, int64_t lo, int64_t hi) {
	const random_args *r = args;
	const int64_t words = (r->bytes + 3) / 4, half = (words + 1) / 2;
	vu lane;
	for (int i = 0; i < LANES; i++) lane[i] = i;
	while (lo < hi) {
		int64_t item = lo / half, i = lo % half, end = hi - lo < half - i ? i + hi - lo : half;
		const uint32_t *key = r->keys;
		uint8_t *out = r->out + item * r->bytes;
		lo += end - i;
		for (int64_t x = r->axes - 1; x >= 0; x--) key += item % r->shape[x] * r->step[x], item /= r->shape[x];
		const uint32_t k0 = key[0], k1 = key[r->pair];
		for (; i < end; i += LANES) {
			vu a = lane + (uint32_t)i, b = lane + (uint32_t)(half + i);
			int64_t n = end - i < LANES ? end - i : LANES, last = words & 1 && i + n == half;
			if (last) b[n - 1] = 0;
			threefry(k0, k1, &a, &b);
			uint8_t *p = out + 4 * i, *q = out + 4 * (half + i);
			if (n == LANES && 4 * (half + i + LANES) <= r->bytes) {
				memcpy(p, &a, VB);
				memcpy(q, &b, VB);
				continue;
			}
			int64_t pn = r->bytes - 4 * i, qn = r->bytes - 4 * (half + i);
			if (pn > 4 * n) pn = 4 * n;
			if (qn > 4 * n) qn = 4 * n;
			uint32_t s[LANES];
			memcpy(s, &a, VB);
			memcpy(p, s, pn);
			memcpy(s, &b, VB);
			if (qn > 0) memcpy(q, s, qn);
		}
	}
}
