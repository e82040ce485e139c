package table

var arithmeticRows = []*Row{
	el("add", "a b", anyType, "a + b", d{"1", "1"}, span{-3, 3}, "Element-wise addition.", boolean("a || b"), Named|StreamByPosition),
	el("subtract", "a b", anyType, "a - b", d{"1", "-1"}, span{-3, 3}, "Element-wise subtraction; of bools, exclusive or.", boolean("a != b"), Named|StreamByPosition),
	el("multiply", "a b", anyType, "a * b", d{"b", "a"}, span{-3, 3}, "Element-wise multiplication.", boolean("a && b"), Named|StreamByPosition),
	el("divide", "a b", toFloat, "a / b", d{"1 / b", "-y / b"}, span{0.5, 3}, "Element-wise division.", Named|StreamByPosition),
	el("floor_divide", "a b", realType, "floor(a / b)", d{"0", "0"}, span{0.5, 9}, "Element-wise division rounded down. Integers divided by 0 give 0.", exact("floordiv(a, b)"), boolean("a && b"), Named|StreamByPosition),
	el("remainder", "a b", realType, "mod(a, b)", d{"1", "-floor_divide(a, b)"}, span{0.5, 9}, "Element-wise remainder of floor division, with the sign of b. Integers modulo 0 give 0.", boolean("0"), Heavy, Named|StreamByPosition),
	el("power", "a b", anyType, "pow(a, b)", d{"where(b == 0, 0, b * power(a, b - 1))", "where(y == 0, 0, y * log(a))"}, span{0.2, 2}, "Element-wise power. Integers are raised modulo their range; a negative exponent gives the quotient rounded to zero.", boolean("a || !b"), Heavy, alias("pow"), Short{2, "square"}),
	el("minimum", "a b", anyType, "min(a, b)", d{"where(a < b, 1, 0)", "where(a < b, 0, 1)"}, span{-3, 3}, "Element-wise smaller value; NaN if either is NaN.", boolean("a && b")),
	el("maximum", "a b", anyType, "max(a, b)", d{"where(a > b, 1, 0)", "where(a > b, 0, 1)"}, span{-3, 3}, "Element-wise larger value; NaN if either is NaN.", boolean("a || b")),
	el("logaddexp", "a b", toFloat, "logaddexp(a, b)", d{"exp(a - y)", "exp(b - y)"}, span{-3, 3}, "Element-wise log(exp(a) + exp(b)) without overflow.", Heavy),
	el("arctan2", "a b", toReal, "atan2(a, b)", d{"b / (square(a) + square(b))", "-a / (square(a) + square(b))"}, span{0.2, 3}, "Element-wise angle of the point (b, a).", Heavy, alias("atan2")),
	el("heaviside", "a b", realType, "cond(a != a, a, cond(a < 0, 0, cond(a == 0, b, 1)))", d{"0", "where(a == 0, 1, 0)"}, span{0.1, 3}, "Element-wise step from 0 to 1 as the first argument turns positive; the second where it is 0."),

	el("negative", "a", number, "-a", d{"-1"}, span{-3, 3}, "Element-wise negation."),
	el("positive", "a", anyType, "a", d{"1"}, span{-3, 3}, "Element-wise unary plus: the argument itself."),
	el("abs", "a", part, "abs(a)", d{"conjugate(sign(a))"}, span{0.1, 3}, "Element-wise absolute value.", natural("a"), Method),
	el("sign", "a", anyType, "sign(a)", d{"0"}, span{0.1, 3}, "Element-wise sign: -1, 0 or 1; a / abs(a) for complex numbers.", boolean("a")),
	el("square", "a", anyType, "a * a", d{"2 * a"}, span{-3, 3}, "Element-wise square.", boolean("a"), Method),
	el("sqrt", "a", toFloat, "sqrt(a)", d{"0.5 / y"}, span{0.1, 9}, "Element-wise square root.", Method),
	el("rsqrt", "a", toFloat, "1 / sqrt(a)", d{"-0.5 * y / a"}, span{0.1, 9}, "Element-wise reciprocal of the square root.", Method),
	el("reciprocal", "a", toFloat, "1 / a", d{"-square(y)"}, span{0.3, 9}, "Element-wise 1 / a.", Method),

	el("floor", "a", realType, "floor(a)", d{"0"}, span{0.1, 0.9}, "Element-wise rounding down.", exact("a")),
	el("ceil", "a", realType, "ceil(a)", d{"0"}, span{0.1, 0.9}, "Element-wise rounding up.", exact("a")),
	el("trunc", "a", realType, "trunc(a)", d{"0"}, span{0.1, 0.9}, "Element-wise rounding towards zero.", exact("a")),
	el("rint", "a", anyType, "rint(a)", d{"0"}, span{0.1, 0.4}, "Element-wise rounding to the nearest integer, ties to even.", exact("a"), complexes("cplx(rint(re(a)), rint(im(a)))"), Hidden),

	el("real", "a", part, "a", d{"1"}, span{-3, 3}, "Element-wise real part.", complexes("re(a)")),
	el("imag", "a", part, "0", d{"-imaginary(1)"}, span{-3, 3}, "Element-wise imaginary part.", complexes("im(a)")),
	el("conjugate", "a", anyType, "a", d{"1"}, span{-3, 3}, "Element-wise complex conjugate.", complexes("cplx(re(a), -im(a))"), Antilinear, Method, alias("conj"), Named),
	el("imaginary", "a", toComplex, "cplx(0, a)", d{"imaginary(1)"}, span{-3, 3}, "Element-wise product with the imaginary unit.", complexes("cplx(-im(a), re(a))"), Hidden),
	el("degrees", "a", toFloat, "a * 57.29577951308232", d{"57.29577951308232"}, span{-9, 9}, "Element-wise conversion of radians to degrees."),
	el("radians", "a", toFloat, "a * 0.017453292519943295", d{"0.017453292519943295"}, span{-99, 99}, "Element-wise conversion of degrees to radians."),
}
