package table

var functionRows = []*Row{
	el("exp", "a", toFloat, "exp(a)", d{"y"}, span{-4, 4}, "Element-wise exponential.", Heavy, Method),
	el("expm1", "a", toReal, "expm1(a)", d{"y + 1"}, span{-4, 4}, "Element-wise exp(a) - 1, accurate near zero.", Heavy),
	el("log", "a", toFloat, "log(a)", d{"1 / a"}, span{0.1, 9}, "Element-wise natural logarithm.", Heavy, Method),
	el("log2", "a", toFloat, "log2(a)", d{"1.4426950408889634 / a"}, span{0.1, 9}, "Element-wise logarithm to base 2.", Heavy, Method),
	el("log10", "a", toFloat, "log10(a)", d{"0.4342944819032518 / a"}, span{0.1, 9}, "Element-wise logarithm to base 10.", Heavy, Method),
	el("log1p", "a", toFloat, "log1p(a)", d{"1 / (1 + a)"}, span{-0.8, 9}, "Element-wise log(1 + a), accurate near zero.", Heavy, Method),
	el("sigmoid", "a", toReal, "sigmoid(a)", d{"y * (1 - y)"}, span{-5, 5}, "Element-wise 1 / (1 + exp(-a)).", Heavy),
	el("erf", "a", toReal, "erf(a)", d{"1.1283791670955126 * exp(-square(a))"}, span{-2, 2}, "Element-wise error function.", Heavy),
	el("erfinv", "a", toReal, "erfinv(a)", d{"0.886226925452758 * exp(square(y))"}, span{-0.9, 0.9}, "Element-wise inverse of the error function.", Heavy),

	el("sin", "a", toFloat, "sin(a)", d{"cos(a)"}, span{-9, 9}, "Element-wise sine.", Heavy, Method),
	el("cos", "a", toFloat, "cos(a)", d{"-sin(a)"}, span{-9, 9}, "Element-wise cosine.", Heavy, Method),
	el("tan", "a", toFloat, "tan(a)", d{"1 + square(y)"}, span{-1.2, 1.2}, "Element-wise tangent.", Heavy),
	el("arcsin", "a", toFloat, "asin(a)", d{"rsqrt(1 - square(a))"}, span{-0.9, 0.9}, "Element-wise inverse sine.", Heavy, alias("asin")),
	el("arccos", "a", toFloat, "acos(a)", d{"-rsqrt(1 - square(a))"}, span{-0.9, 0.9}, "Element-wise inverse cosine.", Heavy, alias("acos")),
	el("arctan", "a", toFloat, "atan(a)", d{"1 / (1 + square(a))"}, span{-9, 9}, "Element-wise inverse tangent.", Heavy, alias("atan")),
	el("sinh", "a", toFloat, "sinh(a)", d{"cosh(a)"}, span{-4, 4}, "Element-wise hyperbolic sine.", Heavy),
	el("cosh", "a", toFloat, "cosh(a)", d{"sinh(a)"}, span{-4, 4}, "Element-wise hyperbolic cosine.", Heavy),
	el("tanh", "a", toFloat, "tanh(a)", d{"1 - square(y)"}, span{-3, 3}, "Element-wise hyperbolic tangent.", Heavy),
	el("arcsinh", "a", toFloat, "asinh(a)", d{"rsqrt(square(a) + 1)"}, span{-9, 9}, "Element-wise inverse hyperbolic sine.", Heavy, alias("asinh")),
	el("arccosh", "a", toFloat, "acosh(a)", d{"rsqrt(a - 1) * rsqrt(a + 1)"}, span{1.2, 9}, "Element-wise inverse hyperbolic cosine.", Heavy, alias("acosh")),
	el("arctanh", "a", toFloat, "atanh(a)", d{"1 / (1 - square(a))"}, span{-0.9, 0.9}, "Element-wise inverse hyperbolic tangent.", Heavy, alias("atanh")),
}
