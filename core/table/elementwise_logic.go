package table

var logicRows = []*Row{
	el("equal", "a b", predicate, "a == b", d{"0", "0"}, span{-3, 3}, "Element-wise equality.", Named|StreamByPosition),
	el("not_equal", "a b", predicate, "a != b", d{"0", "0"}, span{-3, 3}, "Element-wise inequality.", Named|StreamByPosition),
	el("less", "a b", predicate, "a < b", d{"0", "0"}, span{-3, 3}, "Element-wise less than; complex numbers compare by real, then imaginary part.", Named|StreamByPosition),
	el("less_equal", "a b", predicate, "a <= b", d{"0", "0"}, span{-3, 3}, "Element-wise less than or equal.", Named|StreamByPosition),
	el("greater", "a b", predicate, "a > b", d{"0", "0"}, span{-3, 3}, "Element-wise greater than.", Named|StreamByPosition),
	el("greater_equal", "a b", predicate, "a >= b", d{"0", "0"}, span{-3, 3}, "Element-wise greater than or equal.", Named|StreamByPosition),

	el("logical_not", "a", logical, "!a", d{"0"}, span{-3, 3}, "Element-wise logical not."),
	el("logical_and", "a b", logical, "a && b", d{"0", "0"}, span{-3, 3}, "Element-wise logical and."),
	el("logical_or", "a b", logical, "a || b", d{"0", "0"}, span{-3, 3}, "Element-wise logical or."),
	el("logical_xor", "a b", logical, "a != b", d{"0", "0"}, span{-3, 3}, "Element-wise logical exclusive or."),

	el("isnan", "a", predicate, "a != a", d{"0"}, span{-3, 3}, "Element-wise test for NaN.", Named|StreamByPosition),
	el("isinf", "a", predicate, "isinf(a)", d{"0"}, span{-3, 3}, "Element-wise test for infinities.", exact("a != a"), complexes("isinf(re(a)) || isinf(im(a))"), Named|StreamByPosition),
	el("isfinite", "a", predicate, "isfinite(a)", d{"0"}, span{-3, 3}, "Element-wise test for neither infinite nor NaN.", exact("a == a"), complexes("isfinite(re(a)) && isfinite(im(a))"), Named|StreamByPosition),
	el("isposinf", "a", predicate, "isinf(a) && a > 0", d{"0"}, span{-3, 3}, "Element-wise test for positive infinity.", exact("a != a"), complexes("isinf(re(a)) && re(a) > 0 && im(a) == 0"), Named|StreamByPosition),
	el("isneginf", "a", predicate, "isinf(a) && a < 0", d{"0"}, span{-3, 3}, "Element-wise test for negative infinity.", exact("a != a"), complexes("isinf(re(a)) && re(a) < 0 && im(a) == 0"), Named|StreamByPosition),

	el("where", "condition x y", choose, "cond(condition, x, y)", d{"0", "where(condition, 1, 0)", "where(condition, 0, 1)"}, span{-3, 3}, "Element-wise choice: x where condition holds, y elsewhere."),

	// Integers have no derivatives.
	el("bitwise_and", "a b", bitwise, "a & b", nil, span{0, 99}, "Element-wise bitwise and.", boolean("a && b"), Named|StreamByPosition),
	el("bitwise_or", "a b", bitwise, "a | b", nil, span{0, 99}, "Element-wise bitwise or.", boolean("a || b"), Named|StreamByPosition),
	el("bitwise_xor", "a b", bitwise, "a ^ b", nil, span{0, 99}, "Element-wise bitwise exclusive or.", boolean("a != b"), Named|StreamByPosition),
	el("bitwise_invert", "a", bitwise, "^a", nil, span{0, 99}, "Element-wise bitwise complement; of bools, logical not.", boolean("!a"), Named|StreamByPosition),
	el("left_shift", "a b", shifts, "shl(a, b)", nil, span{0, 6}, "Element-wise shift to the left; by the width or more gives 0.", alias("bitwise_left_shift"), Named|StreamByPosition),
	el("right_shift", "a b", shifts, "shr(a, b)", nil, span{0, 6}, "Element-wise shift to the right; by the width or more leaves only the sign.", alias("bitwise_right_shift"), Named|StreamByPosition),
}
