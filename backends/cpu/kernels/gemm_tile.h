// The register tile of matrix multiplication, packing, and the dot tile, once per element type.
// Included with T (float or double), TN(name) (adds the type's suffix).
//
// The blocking is that of K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (ACM TOMS 2008): a panel of b stays in L1 and a block of a in L2 while
// tiles of MR x NR results are summed in registers.

#define TL (VB / (int)sizeof(T))
typedef T TN(vt) __attribute__((vector_size(VB)));
typedef TN(vt) TN(vt_any) __attribute__((aligned(sizeof(T)), may_alias));
typedef T TN(v4) __attribute__((vector_size(4 * sizeof(T))));
typedef TN(v4) TN(v4_any) __attribute__((aligned(sizeof(T)), may_alias));
#define VT TN(vt)
#define TLOAD(p) ((VT)*(const TN(vt_any) *)(p))
#define TSTORE(p, v) (*(TN(vt_any) *)(p) = (v))

// c[R][NV*TL] += a[R, k] @ b[k, NV*TL]; a[i,p] = a[i*ars + p*acs], rows of b brs apart.
// Sums are named variables: gcc 12 leaves arrays of vectors in memory even when fully unrolled.
#define T_DECL1(i) VT c##i##_0 = TLOAD(c + i * TL);
#define T_DECL2(i) VT c##i##_0 = TLOAD(c + i * 2 * TL), c##i##_1 = TLOAD(c + (i * 2 + 1) * TL);
#define T_DECL4(i) \
	VT c##i##_0 = TLOAD(c + i * 4 * TL), c##i##_1 = TLOAD(c + (i * 4 + 1) * TL), \
	   c##i##_2 = TLOAD(c + (i * 4 + 2) * TL), c##i##_3 = TLOAD(c + (i * 4 + 3) * TL);
#define T_OUT1(i) TSTORE(c + i * TL, c##i##_0);
#define T_OUT2(i) TSTORE(c + i * 2 * TL, c##i##_0); TSTORE(c + (i * 2 + 1) * TL, c##i##_1);
#define T_OUT4(i) \
	TSTORE(c + i * 4 * TL, c##i##_0); TSTORE(c + (i * 4 + 1) * TL, c##i##_1); \
	TSTORE(c + (i * 4 + 2) * TL, c##i##_2); TSTORE(c + (i * 4 + 3) * TL, c##i##_3);
#define T_LOADB1 VT b0 = TLOAD(b);
#define T_LOADB2 VT b0 = TLOAD(b), b1 = TLOAD(b + TL);
#define T_LOADB4 VT b0 = TLOAD(b), b1 = TLOAD(b + TL), b2 = TLOAD(b + 2 * TL), b3 = TLOAD(b + 3 * TL);
#define T_FMA1(i, x) { VT s = (x) - (VT){}; c##i##_0 += s * b0; }
#define T_FMA2(i, x) { VT s = (x) - (VT){}; c##i##_0 += s * b0; c##i##_1 += s * b1; }
#define T_FMA4(i, x) { \
	VT s = (x) - (VT){}; \
	c##i##_0 += s * b0; c##i##_1 += s * b1; c##i##_2 += s * b2; c##i##_3 += s * b3; }
// Every third row has a pointer of its own; the others are one or two row strides behind it.
#define T_A0 a0[0]
#define T_A1 a0[ars]
#define T_A2 a0[2 * ars]
#define T_A3 a3[0]
#define T_A4 a3[ars]
#define T_A5 a3[2 * ars]
#define T_A6 a6[0]
#define T_A7 a6[ars]
#define T_A8 a6[2 * ars]
#define T_A9 a9[0]
#define T_A10 a9[ars]
#define T_A11 a9[2 * ars]
#define T_STEP1(i) T_FMA1(i, T_A##i)
#define T_STEP2(i) T_FMA2(i, T_A##i)
#define T_STEP4(i) T_FMA4(i, T_A##i)
#define T_PACKED2(i) T_FMA2(i, a[i])

#define MICRO(R, NV) \
	static __attribute__((noinline)) void TN(micro##R##x##NV)(int64_t k, const T *restrict a, int64_t ars, \
		int64_t acs, const T *restrict b, int64_t brs, T *restrict c) { \
		UNREAD const T *a0 = a, *a3 = a + 3 * ars, *a6 = a + 6 * ars, *a9 = a + 9 * ars; \
		ROWS##R(T_DECL##NV) \
		for (int64_t p = 0; p < k; p++) { \
			T_LOADB##NV ROWS##R(T_STEP##NV) \
			a0 += acs; a3 += acs; a6 += acs; a9 += acs; b += brs; \
		} \
		ROWS##R(T_OUT##NV) \
	}

MICRO(1, 1) MICRO(2, 1) MICRO(3, 1) MICRO(4, 1) MICRO(5, 1) MICRO(6, 1)
MICRO(1, 2) MICRO(2, 2) MICRO(3, 2) MICRO(4, 2) MICRO(5, 2) MICRO(6, 2)
MICRO(1, 4) MICRO(2, 4) MICRO(3, 4)
typedef void (*TN(micro_fn))(int64_t, const T *, int64_t, int64_t, const T *, int64_t, T *);
#if GEMM_MR == 12
MICRO(7, 1) MICRO(8, 1) MICRO(9, 1) MICRO(10, 1) MICRO(11, 1) MICRO(12, 1)
MICRO(7, 2) MICRO(8, 2) MICRO(9, 2) MICRO(10, 2) MICRO(11, 2) MICRO(12, 2)
MICRO(4, 4)
#define T_TABLE(NV) \
	{TN(micro1x##NV), TN(micro2x##NV), TN(micro3x##NV), TN(micro4x##NV), TN(micro5x##NV), TN(micro6x##NV), \
	 TN(micro7x##NV), TN(micro8x##NV), TN(micro9x##NV), TN(micro10x##NV), TN(micro11x##NV), TN(micro12x##NV)}
static const TN(micro_fn) TN(micro4)[4] = {TN(micro1x4), TN(micro2x4), TN(micro3x4), TN(micro4x4)};
#else
#define T_TABLE(NV) \
	{TN(micro1x##NV), TN(micro2x##NV), TN(micro3x##NV), TN(micro4x##NV), TN(micro5x##NV), TN(micro6x##NV)}
static const TN(micro_fn) TN(micro4)[3] = {TN(micro1x4), TN(micro2x4), TN(micro3x4)};
#endif
static const TN(micro_fn) TN(micro1)[GEMM_MR] = T_TABLE(1), TN(micro2)[GEMM_MR] = T_TABLE(2);

// The same for packed panels, whose strides are known: o[i*ors + j] = sum over p of a[p][GEMM_MR] * b[p][2*TL], added
// to what is there if add. The rows of o come from far: they are asked for before the sums begin.
#define T_ZERO2(i) VT c##i##_0 = {}, c##i##_1 = {};
#define T_FETCH2(i) __builtin_prefetch(o + i * ors); __builtin_prefetch(o + i * ors + 2 * TL - 1);
#define T_SET2(i) TSTORE(o + i * ors, c##i##_0); TSTORE(o + i * ors + TL, c##i##_1);
#define T_ADD2(i) \
	TSTORE(o + i * ors, TLOAD(o + i * ors) + c##i##_0); \
	TSTORE(o + i * ors + TL, TLOAD(o + i * ors + TL) + c##i##_1);
static __attribute__((noinline)) void TN(micro_packed)(int64_t k, const T *restrict a, const T *restrict b,
	T *restrict o, int64_t ors, int add) {
	ROWS_MR(T_FETCH2)
	ROWS_MR(T_ZERO2)
	for (int64_t p = 0; p < k; p++, a += GEMM_MR, b += 2 * TL) {
		T_LOADB2 ROWS_MR(T_PACKED2)
	}
	if (add) {
		ROWS_MR(T_ADD2)
	} else {
		ROWS_MR(T_SET2)
	}
}

// Writes the 4x4 block src[r*ld + c] transposed to dst[c*dd + r].
INL void TN(transpose4)(T *restrict dst, int64_t dd, const T *restrict src, int64_t ld) {
	TN(v4) r0 = *(const TN(v4_any) *)src, r1 = *(const TN(v4_any) *)(src + ld);
	TN(v4) r2 = *(const TN(v4_any) *)(src + 2 * ld), r3 = *(const TN(v4_any) *)(src + 3 * ld);
	TN(v4) a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), b = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
	TN(v4) c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
	*(TN(v4_any) *)dst = __builtin_shufflevector(a, b, 0, 1, 4, 5);
	*(TN(v4_any) *)(dst + dd) = __builtin_shufflevector(a, b, 2, 3, 6, 7);
	*(TN(v4_any) *)(dst + 2 * dd) = __builtin_shufflevector(c, d, 0, 1, 4, 5);
	*(TN(v4_any) *)(dst + 3 * dd) = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// dst[p*W + w] = src[w*ws + p*ks] for p < k, w < width; zero for width <= w < W.
INL void TN(pack_panel)(T *restrict dst, const int W, const T *restrict src, int64_t ws, int64_t ks, int64_t width,
	int64_t k) {
	if (width < W)
		for (int64_t p = 0; p < k; p++)
			for (int64_t w = width; w < W; w++) dst[p * W + w] = 0;
	if (ws == 1 && width == W) {
		for (int64_t p = 0; p < k; p++) memcpy(dst + p * W, src + p * ks, W * sizeof(T));
		return;
	}
	int64_t w = 0;
	if (ks == 1)
		for (; w + 4 <= width; w += 4) {
			int64_t p = 0;
			for (; p + 4 <= k; p += 4) TN(transpose4)(dst + p * W + w, W, src + w * ws + p, ws);
			for (; p < k; p++)
				for (int r = 0; r < 4; r++) dst[p * W + w + r] = src[(w + r) * ws + p];
		}
	if (w < width)
		for (int64_t p = 0; p < k; p++)
			for (int64_t v = w; v < width; v++) dst[p * W + v] = src[v * ws + p * ks];
}
#undef T_TABLE
#undef MICRO
