"""Coefficients of the polynomials in prelude_f32.h and prelude_pow.h.

Each is a minimax fit of the relative error of the whole formula (so the polynomial's own
error is weighted with its share in the result), by Lawson's iteration on Chebyshev nodes
(C. L. Lawson, 1961; see Trefethen, Approximation Theory and Approximation Practice).
Run with Python and NumPy; prints what the headers hold, highest power first.
"""

import math

import numpy as np

vec = np.vectorize


def fit(name, f, weight, lo, hi, degree, dtype=np.float32):
    """Fits f(u) on [lo, hi]; weight(u) turns the error of f into that of the result."""
    n = 4000
    u = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    y, w = f(u), np.abs(weight(u))
    mid, half = (lo + hi) / 2, (hi - lo) / 2
    basis = np.polynomial.chebyshev.chebvander((u - mid) / half, degree)
    lawson = np.ones(n) / n
    best = (np.inf, None)
    for _ in range(300):
        s = np.sqrt(lawson) * w
        c, *_ = np.linalg.lstsq(basis * s[:, None], y * s, rcond=None)
        err = np.abs(basis @ c - y) * w
        if err.max() < best[0]:
            best = (err.max(), c)
        lawson = lawson * (err + 1e-300)
        lawson /= lawson.sum()
    cheb = np.polynomial.Chebyshev(best[1], domain=[lo, hi])
    power = cheb.convert(kind=np.polynomial.Polynomial).coef
    print(f"{name}: relative error 2^{math.log2(best[0]):.1f}")
    suffix = "f" if dtype is np.float32 else ""
    print("\t" + ", ".join(f"{np.format_float_scientific(dtype(c), unique=True)}{suffix}" for c in power[::-1]))


erf, erfc = vec(math.erf), vec(math.erfc)


L = math.log(2) / 2 * 1.001
fit("expm1: r + r^2 P(r)", lambda r: (np.expm1(r) - r) / r**2, lambda r: r**2 / np.expm1(r), -L, L, 5)
a, b = math.sqrt(0.5) - 1, math.sqrt(2) - 1
fit("log: f - f^2/2 + f^3 P(f)", lambda f: (np.log1p(f) - f + f * f / 2) / f**3, lambda f: f**3 / np.log1p(f), a, b, 8)
Q = (math.pi / 4 * 1.001) ** 2
fit("sin: r + r^3 P(r^2)", lambda z: (np.sin(z**0.5) / z**0.5 - 1) / z, lambda z: z / (np.sin(z**0.5) / z**0.5), 1e-4, Q, 3)
fit("cos: 1 - r^2/2 + r^4 P(r^2)", lambda z: (np.cos(z**0.5) - 1 + z / 2) / z**2, lambda z: z**2 / np.cos(z**0.5), 1e-2, Q, 2)
fit("asin: x + x^3 P(x^2)", lambda z: (np.arcsin(z**0.5) / z**0.5 - 1) / z, lambda z: z / (np.arcsin(z**0.5) / z**0.5), 1e-4, 0.25, 5)
fit("atan: x + x^3 P(x^2)", lambda z: (np.arctan(z**0.5) / z**0.5 - 1) / z, lambda z: z / (np.arctan(z**0.5) / z**0.5), 1e-4, 1, 9)
fit("sinh: x + x^3 P(x^2)", lambda z: (np.sinh(z**0.5) / z**0.5 - 1) / z, lambda z: z / (np.sinh(z**0.5) / z**0.5), 1e-4, 1, 3)
two = 2 / math.sqrt(math.pi)
fit("erf small: x + x P(x^2)", lambda z: erf(z**0.5) / z**0.5 - 1, lambda z: 1 / (erf(z**0.5) / z**0.5), 1e-6, 1, 6)
fit("erf large: 1 - exp(-t P(t))", lambda t: -np.log(erfc(t)) / t, lambda t: t * erfc(t) / erf(t), 0.98, 4.0, 7)
m = (math.sqrt(2) - 1) / (math.sqrt(2) + 1)
fit("pow log2: s P(s^2)", lambda z: 2 * np.arctanh(z**0.5) / z**0.5 / math.log(2), lambda z: 1 / (2 * np.arctanh(z**0.5) / z**0.5 / math.log(2)), 1e-6, m * m * 1.001, 5, np.float64)
fit("pow exp2: P(f)", lambda f: np.exp2(f), lambda f: 1 / np.exp2(f), -0.5, 0.5, 8, np.float64)
