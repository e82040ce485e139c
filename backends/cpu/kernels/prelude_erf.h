// erf and its inverse in float32, branch-free, for any language of the C family. Polynomials: fit.py.
#pragma once

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

// x P(w) with w = -log(1 - x^2), in two pieces (M. Giles, Approximating the erfinv function, 2011).
INL float f32_erfinv(float x) {
	float w = -f32_log((1.0f - x) * (1.0f + x)), v = w - 2.5f;
	float p = 3.3562397e-10f;
	p = p * v - 8.7728695e-09f;
	p = p * v + 1.8035985e-08f;
	p = p * v + 4.6589267e-07f;
	p = p * v - 3.4346056e-06f;
	p = p * v - 4.961914e-06f;
	p = p * v + 2.1828261e-04f;
	p = p * v - 1.2527447e-03f;
	p = p * v - 4.1773394e-03f;
	p = p * v + 2.466403e-01f;
	p = p * v + 1.5014094e+00f;
	float s = f32_sqrt(w < 0.0f ? 0.0f : w) - 3.0f, q = -2.7063437e-05f;
	q = q * s + 1.5900089e-04f;
	q = q * s - 2.817148e-04f;
	q = q * s - 1.18049364e-04f;
	q = q * s + 1.4777827e-03f;
	q = q * s - 3.5678896e-03f;
	q = q * s + 5.6869853e-03f;
	q = q * s - 7.6426617e-03f;
	q = q * s + 9.44537e-03f;
	q = q * s + 1.0016752e+00f;
	q = q * s + 2.8329768e+00f;
	float y = x * (w < 5.0f ? p : q);
	y = f32_abs(x) == 1.0f ? f32_copysign(INFINITY, x) : y;
	return f32_abs(x) <= 1.0f ? y : NAN;
}
