// erf and its inverse in float32, branch-free, for any language of the C family. erf's polynomials: fit.py.
#pragma once

#ifndef F32_ERFINV_LOG
#define F32_ERFINV_LOG f32_log
#define F32_FMA(a, b, c) ((a) * (b) + (c))
#endif

INL float f32_erf(float x) {
	float t = f32_abs(x), z = t * t;
	float p = 7.853858e-05f;
	p = p * z - 8.0101925e-04f;
	p = p * z + 5.1883277e-03f;
	p = p * z - 2.6853811e-02f;
	p = p * z + 1.12835854e-01f;
	p = p * z - 3.7612626e-01f;
	p = p * z + 1.2837917e-01f;
	float u = t > 4.0f ? 4.0f : t, q = 3.9467536e-06f;
	q = q * u - 3.3325443e-05f;
	q = q * u - 1.1303111e-04f;
	q = q * u + 3.1084963e-03f;
	q = q * u - 2.2968227e-02f;
	q = q * u + 1.0554734e-01f;
	q = q * u + 6.3547546e-01f;
	q = q * u + 1.1285849e+00f;
	float y = t < 1.0f ? t + t * p : 1.0f - f32_exp(-u * q);
	return f32_copysign(y, x);
}

// x P(t) with t = log(1 - x^2), in two pieces of N. Juffa's (2014, https://stackoverflow.com/a/49743348), each step
// rounded once.
INL float f32_erfinv(float x) {
	float t = F32_ERFINV_LOG(F32_FMA(-x, x, 1.0f));
	float p = 5.43877832e-9f;
	p = F32_FMA(p, t, 1.43285448e-7f);
	p = F32_FMA(p, t, 1.22774793e-6f);
	p = F32_FMA(p, t, 1.12963626e-7f);
	p = F32_FMA(p, t, -5.61530760e-5f);
	p = F32_FMA(p, t, -1.47697632e-4f);
	p = F32_FMA(p, t, 2.31468678e-3f);
	p = F32_FMA(p, t, 1.15392581e-2f);
	p = F32_FMA(p, t, -2.32015476e-1f);
	p = F32_FMA(p, t, 8.86226892e-1f);
	float q = 3.03697567e-10f;
	q = F32_FMA(q, t, 2.93243101e-8f);
	q = F32_FMA(q, t, 1.22150334e-6f);
	q = F32_FMA(q, t, 2.84108955e-5f);
	q = F32_FMA(q, t, 3.93552968e-4f);
	q = F32_FMA(q, t, 3.02698812e-3f);
	q = F32_FMA(q, t, 4.83185798e-3f);
	q = F32_FMA(q, t, -2.64646143e-1f);
	q = F32_FMA(q, t, 8.40016484e-1f);
	float y = x * (t < -6.125f ? q : p);
	y = f32_abs(x) == 1.0f ? f32_copysign(INFINITY, x) : y;
	return f32_abs(x) <= 1.0f ? y : NAN;
}
