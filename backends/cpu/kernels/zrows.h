// Code generated from the op table by go generate; DO NOT EDIT.
// ROW1 to ROW3 (elementwise_rows.h) make the loop: name, result type, then type and name of each argument, then
// the body.
// ROW1_HALF and ROW2_HALF make those of halves: name, dtype, the arguments' names, the body.

ROW2(row_add_b8, uint8_t, uint8_t, a, uint8_t, b, (a || b))
ROW2(row_add_u8, uint8_t, uint8_t, a, uint8_t, b, u8_add(a, b))
ROW2(row_add_u16, uint16_t, uint16_t, a, uint16_t, b, u16_add(a, b))
ROW2(row_add_u32, uint32_t, uint32_t, a, uint32_t, b, u32_add(a, b))
ROW2(row_add_u64, uint64_t, uint64_t, a, uint64_t, b, u64_add(a, b))
ROW2(row_add_i8, int8_t, int8_t, a, int8_t, b, i8_add(a, b))
ROW2(row_add_i16, int16_t, int16_t, a, int16_t, b, i16_add(a, b))
ROW2(row_add_i32, int32_t, int32_t, a, int32_t, b, i32_add(a, b))
ROW2(row_add_i64, int64_t, int64_t, a, int64_t, b, i64_add(a, b))
ROW2(row_add_f32, float, float, a, float, b, (a + b))
ROW2(row_add_f64, double, double, a, double, b, (a + b))
ROW2(row_add_c64, c64, c64, a, c64, b, c64_add(a, b))
ROW2_HALF(row_add_f16, f16, a, b, (a + b))
ROW2_HALF(row_add_bf16, bf16, a, b, (a + b))
ROW2(row_subtract_b8, uint8_t, uint8_t, a, uint8_t, b, (a != b))
ROW2(row_subtract_u8, uint8_t, uint8_t, a, uint8_t, b, u8_sub(a, b))
ROW2(row_subtract_u16, uint16_t, uint16_t, a, uint16_t, b, u16_sub(a, b))
ROW2(row_subtract_u32, uint32_t, uint32_t, a, uint32_t, b, u32_sub(a, b))
ROW2(row_subtract_u64, uint64_t, uint64_t, a, uint64_t, b, u64_sub(a, b))
ROW2(row_subtract_i8, int8_t, int8_t, a, int8_t, b, i8_sub(a, b))
ROW2(row_subtract_i16, int16_t, int16_t, a, int16_t, b, i16_sub(a, b))
ROW2(row_subtract_i32, int32_t, int32_t, a, int32_t, b, i32_sub(a, b))
ROW2(row_subtract_i64, int64_t, int64_t, a, int64_t, b, i64_sub(a, b))
ROW2(row_subtract_f32, float, float, a, float, b, (a - b))
ROW2(row_subtract_f64, double, double, a, double, b, (a - b))
ROW2(row_subtract_c64, c64, c64, a, c64, b, c64_sub(a, b))
ROW2_HALF(row_subtract_f16, f16, a, b, (a - b))
ROW2_HALF(row_subtract_bf16, bf16, a, b, (a - b))
ROW2(row_multiply_b8, uint8_t, uint8_t, a, uint8_t, b, (a && b))
ROW2(row_multiply_u8, uint8_t, uint8_t, a, uint8_t, b, u8_mul(a, b))
ROW2(row_multiply_u16, uint16_t, uint16_t, a, uint16_t, b, u16_mul(a, b))
ROW2(row_multiply_u32, uint32_t, uint32_t, a, uint32_t, b, u32_mul(a, b))
ROW2(row_multiply_u64, uint64_t, uint64_t, a, uint64_t, b, u64_mul(a, b))
ROW2(row_multiply_i8, int8_t, int8_t, a, int8_t, b, i8_mul(a, b))
ROW2(row_multiply_i16, int16_t, int16_t, a, int16_t, b, i16_mul(a, b))
ROW2(row_multiply_i32, int32_t, int32_t, a, int32_t, b, i32_mul(a, b))
ROW2(row_multiply_i64, int64_t, int64_t, a, int64_t, b, i64_mul(a, b))
ROW2(row_multiply_f32, float, float, a, float, b, (a * b))
ROW2(row_multiply_f64, double, double, a, double, b, (a * b))
ROW2(row_multiply_c64, c64, c64, a, c64, b, c64_mul(a, b))
ROW2_HALF(row_multiply_f16, f16, a, b, (a * b))
ROW2_HALF(row_multiply_bf16, bf16, a, b, (a * b))
ROW2(row_divide_f32, float, float, a, float, b, (a / b))
ROW2(row_divide_f64, double, double, a, double, b, (a / b))
ROW2(row_divide_c64, c64, c64, a, c64, b, c64_div(a, b))
ROW2_HALF(row_divide_f16, f16, a, b, (a / b))
ROW2_HALF(row_divide_bf16, bf16, a, b, (a / b))
ROW2(row_floor_divide_b8, uint8_t, uint8_t, a, uint8_t, b, (a && b))
ROW2(row_floor_divide_u8, uint8_t, uint8_t, a, uint8_t, b, u8_floordiv(a, b))
ROW2(row_floor_divide_u16, uint16_t, uint16_t, a, uint16_t, b, u16_floordiv(a, b))
ROW2(row_floor_divide_u32, uint32_t, uint32_t, a, uint32_t, b, u32_floordiv(a, b))
ROW2(row_floor_divide_u64, uint64_t, uint64_t, a, uint64_t, b, u64_floordiv(a, b))
ROW2(row_floor_divide_i8, int8_t, int8_t, a, int8_t, b, i8_floordiv(a, b))
ROW2(row_floor_divide_i16, int16_t, int16_t, a, int16_t, b, i16_floordiv(a, b))
ROW2(row_floor_divide_i32, int32_t, int32_t, a, int32_t, b, i32_floordiv(a, b))
ROW2(row_floor_divide_i64, int64_t, int64_t, a, int64_t, b, i64_floordiv(a, b))
ROW2(row_floor_divide_f32, float, float, a, float, b, f32_floor((a / b)))
ROW2(row_floor_divide_f64, double, double, a, double, b, f64_floor((a / b)))
ROW2(row_remainder_b8, uint8_t, uint8_t, a, uint8_t, b, (uint8_t)0)
ROW2(row_remainder_u8, uint8_t, uint8_t, a, uint8_t, b, u8_mod(a, b))
ROW2(row_remainder_u16, uint16_t, uint16_t, a, uint16_t, b, u16_mod(a, b))
ROW2(row_remainder_u32, uint32_t, uint32_t, a, uint32_t, b, u32_mod(a, b))
ROW2(row_remainder_u64, uint64_t, uint64_t, a, uint64_t, b, u64_mod(a, b))
ROW2(row_remainder_i8, int8_t, int8_t, a, int8_t, b, i8_mod(a, b))
ROW2(row_remainder_i16, int16_t, int16_t, a, int16_t, b, i16_mod(a, b))
ROW2(row_remainder_i32, int32_t, int32_t, a, int32_t, b, i32_mod(a, b))
ROW2(row_remainder_i64, int64_t, int64_t, a, int64_t, b, i64_mod(a, b))
ROW2_NARROW(row_remainder_f32, float, float, a, float, b, f32_mod(a, b), f32_mod_narrow(a, b), f32_mod_wide(a, b))
ROW2(row_remainder_f64, double, double, a, double, b, f64_mod(a, b))
ROW2(row_power_b8, uint8_t, uint8_t, a, uint8_t, b, (a || (!b)))
ROW2(row_power_u8, uint8_t, uint8_t, a, uint8_t, b, u8_pow(a, b))
ROW2(row_power_u16, uint16_t, uint16_t, a, uint16_t, b, u16_pow(a, b))
ROW2(row_power_u32, uint32_t, uint32_t, a, uint32_t, b, u32_pow(a, b))
ROW2(row_power_u64, uint64_t, uint64_t, a, uint64_t, b, u64_pow(a, b))
ROW2(row_power_i8, int8_t, int8_t, a, int8_t, b, i8_pow(a, b))
ROW2(row_power_i16, int16_t, int16_t, a, int16_t, b, i16_pow(a, b))
ROW2(row_power_i32, int32_t, int32_t, a, int32_t, b, i32_pow(a, b))
ROW2(row_power_i64, int64_t, int64_t, a, int64_t, b, i64_pow(a, b))
ROW2(row_power_f32, float, float, a, float, b, f32_pow(a, b))
ROW2(row_power_f64, double, double, a, double, b, f64_pow(a, b))
ROW2(row_power_c64, c64, c64, a, c64, b, c64_pow(a, b))
ROW2(row_minimum_b8, uint8_t, uint8_t, a, uint8_t, b, (a && b))
ROW2(row_minimum_u8, uint8_t, uint8_t, a, uint8_t, b, u8_min(a, b))
ROW2(row_minimum_u16, uint16_t, uint16_t, a, uint16_t, b, u16_min(a, b))
ROW2(row_minimum_u32, uint32_t, uint32_t, a, uint32_t, b, u32_min(a, b))
ROW2(row_minimum_u64, uint64_t, uint64_t, a, uint64_t, b, u64_min(a, b))
ROW2(row_minimum_i8, int8_t, int8_t, a, int8_t, b, i8_min(a, b))
ROW2(row_minimum_i16, int16_t, int16_t, a, int16_t, b, i16_min(a, b))
ROW2(row_minimum_i32, int32_t, int32_t, a, int32_t, b, i32_min(a, b))
ROW2(row_minimum_i64, int64_t, int64_t, a, int64_t, b, i64_min(a, b))
ROW2(row_minimum_f32, float, float, a, float, b, f32_min(a, b))
ROW2(row_minimum_f64, double, double, a, double, b, f64_min(a, b))
ROW2(row_minimum_c64, c64, c64, a, c64, b, c64_min(a, b))
ROW2(row_maximum_b8, uint8_t, uint8_t, a, uint8_t, b, (a || b))
ROW2(row_maximum_u8, uint8_t, uint8_t, a, uint8_t, b, u8_max(a, b))
ROW2(row_maximum_u16, uint16_t, uint16_t, a, uint16_t, b, u16_max(a, b))
ROW2(row_maximum_u32, uint32_t, uint32_t, a, uint32_t, b, u32_max(a, b))
ROW2(row_maximum_u64, uint64_t, uint64_t, a, uint64_t, b, u64_max(a, b))
ROW2(row_maximum_i8, int8_t, int8_t, a, int8_t, b, i8_max(a, b))
ROW2(row_maximum_i16, int16_t, int16_t, a, int16_t, b, i16_max(a, b))
ROW2(row_maximum_i32, int32_t, int32_t, a, int32_t, b, i32_max(a, b))
ROW2(row_maximum_i64, int64_t, int64_t, a, int64_t, b, i64_max(a, b))
ROW2(row_maximum_f32, float, float, a, float, b, f32_max(a, b))
ROW2(row_maximum_f64, double, double, a, double, b, f64_max(a, b))
ROW2(row_maximum_c64, c64, c64, a, c64, b, c64_max(a, b))
ROW2(row_logaddexp_f32, float, float, a, float, b, f32_logaddexp(a, b))
ROW2(row_logaddexp_f64, double, double, a, double, b, f64_logaddexp(a, b))
ROW2(row_logaddexp_c64, c64, c64, a, c64, b, c64_logaddexp(a, b))
ROW2(row_arctan2_f32, float, float, a, float, b, f32_atan2(a, b))
ROW2(row_arctan2_f64, double, double, a, double, b, f64_atan2(a, b))
ROW2(row_heaviside_b8, uint8_t, uint8_t, a, uint8_t, b,
	((a != a) ? a : ((a < (uint8_t)0) ? (uint8_t)0 : ((a == (uint8_t)0) ? b : (uint8_t)1))))
ROW2(row_heaviside_u8, uint8_t, uint8_t, a, uint8_t, b,
	((a != a) ? a : ((a < (uint8_t)0) ? (uint8_t)0 : ((a == (uint8_t)0) ? b : (uint8_t)1))))
ROW2(row_heaviside_u16, uint16_t, uint16_t, a, uint16_t, b,
	((a != a) ? a : ((a < (uint16_t)0) ? (uint16_t)0 : ((a == (uint16_t)0) ? b : (uint16_t)1))))
ROW2(row_heaviside_u32, uint32_t, uint32_t, a, uint32_t, b,
	((a != a) ? a : ((a < (uint32_t)0) ? (uint32_t)0 : ((a == (uint32_t)0) ? b : (uint32_t)1))))
ROW2(row_heaviside_u64, uint64_t, uint64_t, a, uint64_t, b,
	((a != a) ? a : ((a < (uint64_t)0) ? (uint64_t)0 : ((a == (uint64_t)0) ? b : (uint64_t)1))))
ROW2(row_heaviside_i8, int8_t, int8_t, a, int8_t, b,
	((a != a) ? a : ((a < (int8_t)0) ? (int8_t)0 : ((a == (int8_t)0) ? b : (int8_t)1))))
ROW2(row_heaviside_i16, int16_t, int16_t, a, int16_t, b,
	((a != a) ? a : ((a < (int16_t)0) ? (int16_t)0 : ((a == (int16_t)0) ? b : (int16_t)1))))
ROW2(row_heaviside_i32, int32_t, int32_t, a, int32_t, b,
	((a != a) ? a : ((a < (int32_t)0) ? (int32_t)0 : ((a == (int32_t)0) ? b : (int32_t)1))))
ROW2(row_heaviside_i64, int64_t, int64_t, a, int64_t, b,
	((a != a) ? a : ((a < (int64_t)0) ? (int64_t)0 : ((a == (int64_t)0) ? b : (int64_t)1))))
ROW2(row_heaviside_f32, float, float, a, float, b, ((a != a) ? a : ((a < 0.0f) ? 0.0f : ((a == 0.0f) ? b : 1.0f))))
ROW2(row_heaviside_f64, double, double, a, double, b, ((a != a) ? a : ((a < 0.0) ? 0.0 : ((a == 0.0) ? b : 1.0))))
ROW1(row_negative_u8, uint8_t, uint8_t, a, u8_neg(a))
ROW1(row_negative_u16, uint16_t, uint16_t, a, u16_neg(a))
ROW1(row_negative_u32, uint32_t, uint32_t, a, u32_neg(a))
ROW1(row_negative_u64, uint64_t, uint64_t, a, u64_neg(a))
ROW1(row_negative_i8, int8_t, int8_t, a, i8_neg(a))
ROW1(row_negative_i16, int16_t, int16_t, a, i16_neg(a))
ROW1(row_negative_i32, int32_t, int32_t, a, i32_neg(a))
ROW1(row_negative_i64, int64_t, int64_t, a, i64_neg(a))
ROW1(row_negative_f32, float, float, a, (-a))
ROW1(row_negative_f64, double, double, a, (-a))
ROW1(row_negative_c64, c64, c64, a, c64_neg(a))
ROW1_HALF(row_negative_f16, f16, a, (-a))
ROW1_HALF(row_negative_bf16, bf16, a, (-a))
ROW1(row_positive_b8, uint8_t, uint8_t, a, a)
ROW1(row_positive_u8, uint8_t, uint8_t, a, a)
ROW1(row_positive_u16, uint16_t, uint16_t, a, a)
ROW1(row_positive_u32, uint32_t, uint32_t, a, a)
ROW1(row_positive_u64, uint64_t, uint64_t, a, a)
ROW1(row_positive_i8, int8_t, int8_t, a, a)
ROW1(row_positive_i16, int16_t, int16_t, a, a)
ROW1(row_positive_i32, int32_t, int32_t, a, a)
ROW1(row_positive_i64, int64_t, int64_t, a, a)
ROW1(row_positive_f32, float, float, a, a)
ROW1(row_positive_f64, double, double, a, a)
ROW1(row_positive_c64, c64, c64, a, a)
ROW1(row_abs_b8, uint8_t, uint8_t, a, a)
ROW1(row_abs_u8, uint8_t, uint8_t, a, a)
ROW1(row_abs_u16, uint16_t, uint16_t, a, a)
ROW1(row_abs_u32, uint32_t, uint32_t, a, a)
ROW1(row_abs_u64, uint64_t, uint64_t, a, a)
ROW1(row_abs_i8, int8_t, int8_t, a, i8_abs(a))
ROW1(row_abs_i16, int16_t, int16_t, a, i16_abs(a))
ROW1(row_abs_i32, int32_t, int32_t, a, i32_abs(a))
ROW1(row_abs_i64, int64_t, int64_t, a, i64_abs(a))
ROW1(row_abs_f32, float, float, a, f32_abs(a))
ROW1(row_abs_f64, double, double, a, f64_abs(a))
ROW1(row_abs_c64, float, c64, a, c64_abs(a))
ROW1(row_sign_b8, uint8_t, uint8_t, a, a)
ROW1(row_sign_u8, uint8_t, uint8_t, a, u8_sign(a))
ROW1(row_sign_u16, uint16_t, uint16_t, a, u16_sign(a))
ROW1(row_sign_u32, uint32_t, uint32_t, a, u32_sign(a))
ROW1(row_sign_u64, uint64_t, uint64_t, a, u64_sign(a))
ROW1(row_sign_i8, int8_t, int8_t, a, i8_sign(a))
ROW1(row_sign_i16, int16_t, int16_t, a, i16_sign(a))
ROW1(row_sign_i32, int32_t, int32_t, a, i32_sign(a))
ROW1(row_sign_i64, int64_t, int64_t, a, i64_sign(a))
ROW1(row_sign_f32, float, float, a, f32_sign(a))
ROW1(row_sign_f64, double, double, a, f64_sign(a))
ROW1(row_sign_c64, c64, c64, a, c64_sign(a))
ROW1(row_square_b8, uint8_t, uint8_t, a, a)
ROW1(row_square_u8, uint8_t, uint8_t, a, u8_mul(a, a))
ROW1(row_square_u16, uint16_t, uint16_t, a, u16_mul(a, a))
ROW1(row_square_u32, uint32_t, uint32_t, a, u32_mul(a, a))
ROW1(row_square_u64, uint64_t, uint64_t, a, u64_mul(a, a))
ROW1(row_square_i8, int8_t, int8_t, a, i8_mul(a, a))
ROW1(row_square_i16, int16_t, int16_t, a, i16_mul(a, a))
ROW1(row_square_i32, int32_t, int32_t, a, i32_mul(a, a))
ROW1(row_square_i64, int64_t, int64_t, a, i64_mul(a, a))
ROW1(row_square_f32, float, float, a, (a * a))
ROW1(row_square_f64, double, double, a, (a * a))
ROW1(row_square_c64, c64, c64, a, c64_mul(a, a))
ROW1_HALF(row_square_f16, f16, a, (a * a))
ROW1_HALF(row_square_bf16, bf16, a, (a * a))
ROW1(row_sqrt_f32, float, float, a, f32_sqrt(a))
ROW1(row_sqrt_f64, double, double, a, f64_sqrt(a))
ROW1(row_sqrt_c64, c64, c64, a, c64_sqrt(a))
ROW1(row_rsqrt_f32, float, float, a, (1.0f / f32_sqrt(a)))
ROW1(row_rsqrt_f64, double, double, a, (1.0 / f64_sqrt(a)))
ROW1(row_rsqrt_c64, c64, c64, a, c64_div(c64_of(1.0f, 0.0f), c64_sqrt(a)))
ROW1(row_reciprocal_f32, float, float, a, (1.0f / a))
ROW1(row_reciprocal_f64, double, double, a, (1.0 / a))
ROW1(row_reciprocal_c64, c64, c64, a, c64_div(c64_of(1.0f, 0.0f), a))
ROW1(row_floor_b8, uint8_t, uint8_t, a, a)
ROW1(row_floor_u8, uint8_t, uint8_t, a, a)
ROW1(row_floor_u16, uint16_t, uint16_t, a, a)
ROW1(row_floor_u32, uint32_t, uint32_t, a, a)
ROW1(row_floor_u64, uint64_t, uint64_t, a, a)
ROW1(row_floor_i8, int8_t, int8_t, a, a)
ROW1(row_floor_i16, int16_t, int16_t, a, a)
ROW1(row_floor_i32, int32_t, int32_t, a, a)
ROW1(row_floor_i64, int64_t, int64_t, a, a)
ROW1(row_floor_f32, float, float, a, f32_floor(a))
ROW1(row_floor_f64, double, double, a, f64_floor(a))
ROW1(row_ceil_b8, uint8_t, uint8_t, a, a)
ROW1(row_ceil_u8, uint8_t, uint8_t, a, a)
ROW1(row_ceil_u16, uint16_t, uint16_t, a, a)
ROW1(row_ceil_u32, uint32_t, uint32_t, a, a)
ROW1(row_ceil_u64, uint64_t, uint64_t, a, a)
ROW1(row_ceil_i8, int8_t, int8_t, a, a)
ROW1(row_ceil_i16, int16_t, int16_t, a, a)
ROW1(row_ceil_i32, int32_t, int32_t, a, a)
ROW1(row_ceil_i64, int64_t, int64_t, a, a)
ROW1(row_ceil_f32, float, float, a, f32_ceil(a))
ROW1(row_ceil_f64, double, double, a, f64_ceil(a))
ROW1(row_trunc_b8, uint8_t, uint8_t, a, a)
ROW1(row_trunc_u8, uint8_t, uint8_t, a, a)
ROW1(row_trunc_u16, uint16_t, uint16_t, a, a)
ROW1(row_trunc_u32, uint32_t, uint32_t, a, a)
ROW1(row_trunc_u64, uint64_t, uint64_t, a, a)
ROW1(row_trunc_i8, int8_t, int8_t, a, a)
ROW1(row_trunc_i16, int16_t, int16_t, a, a)
ROW1(row_trunc_i32, int32_t, int32_t, a, a)
ROW1(row_trunc_i64, int64_t, int64_t, a, a)
ROW1(row_trunc_f32, float, float, a, f32_trunc(a))
ROW1(row_trunc_f64, double, double, a, f64_trunc(a))
ROW1(row_rint_b8, uint8_t, uint8_t, a, a)
ROW1(row_rint_u8, uint8_t, uint8_t, a, a)
ROW1(row_rint_u16, uint16_t, uint16_t, a, a)
ROW1(row_rint_u32, uint32_t, uint32_t, a, a)
ROW1(row_rint_u64, uint64_t, uint64_t, a, a)
ROW1(row_rint_i8, int8_t, int8_t, a, a)
ROW1(row_rint_i16, int16_t, int16_t, a, a)
ROW1(row_rint_i32, int32_t, int32_t, a, a)
ROW1(row_rint_i64, int64_t, int64_t, a, a)
ROW1(row_rint_f32, float, float, a, f32_rint(a))
ROW1(row_rint_f64, double, double, a, f64_rint(a))
ROW1(row_rint_c64, c64, c64, a, f32_cplx(f32_rint(c64_re(a)), f32_rint(c64_im(a))))
ROW1(row_real_b8, uint8_t, uint8_t, a, a)
ROW1(row_real_u8, uint8_t, uint8_t, a, a)
ROW1(row_real_u16, uint16_t, uint16_t, a, a)
ROW1(row_real_u32, uint32_t, uint32_t, a, a)
ROW1(row_real_u64, uint64_t, uint64_t, a, a)
ROW1(row_real_i8, int8_t, int8_t, a, a)
ROW1(row_real_i16, int16_t, int16_t, a, a)
ROW1(row_real_i32, int32_t, int32_t, a, a)
ROW1(row_real_i64, int64_t, int64_t, a, a)
ROW1(row_real_f32, float, float, a, a)
ROW1(row_real_f64, double, double, a, a)
ROW1(row_real_c64, float, c64, a, c64_re(a))
ROW1(row_imag_b8, uint8_t, uint8_t, a, (uint8_t)0)
ROW1(row_imag_u8, uint8_t, uint8_t, a, (uint8_t)0)
ROW1(row_imag_u16, uint16_t, uint16_t, a, (uint16_t)0)
ROW1(row_imag_u32, uint32_t, uint32_t, a, (uint32_t)0)
ROW1(row_imag_u64, uint64_t, uint64_t, a, (uint64_t)0)
ROW1(row_imag_i8, int8_t, int8_t, a, (int8_t)0)
ROW1(row_imag_i16, int16_t, int16_t, a, (int16_t)0)
ROW1(row_imag_i32, int32_t, int32_t, a, (int32_t)0)
ROW1(row_imag_i64, int64_t, int64_t, a, (int64_t)0)
ROW1(row_imag_f32, float, float, a, 0.0f)
ROW1(row_imag_f64, double, double, a, 0.0)
ROW1(row_imag_c64, float, c64, a, c64_im(a))
ROW1(row_conjugate_b8, uint8_t, uint8_t, a, a)
ROW1(row_conjugate_u8, uint8_t, uint8_t, a, a)
ROW1(row_conjugate_u16, uint16_t, uint16_t, a, a)
ROW1(row_conjugate_u32, uint32_t, uint32_t, a, a)
ROW1(row_conjugate_u64, uint64_t, uint64_t, a, a)
ROW1(row_conjugate_i8, int8_t, int8_t, a, a)
ROW1(row_conjugate_i16, int16_t, int16_t, a, a)
ROW1(row_conjugate_i32, int32_t, int32_t, a, a)
ROW1(row_conjugate_i64, int64_t, int64_t, a, a)
ROW1(row_conjugate_f32, float, float, a, a)
ROW1(row_conjugate_f64, double, double, a, a)
ROW1(row_conjugate_c64, c64, c64, a, f32_cplx(c64_re(a), (-c64_im(a))))
ROW1(row_imaginary_f32, c64, float, a, f32_cplx(0.0f, a))
ROW1(row_imaginary_f64, c64, double, a, f64_cplx(0.0, a))
ROW1(row_imaginary_c64, c64, c64, a, f32_cplx((-c64_im(a)), c64_re(a)))
ROW1(row_degrees_f32, float, float, a, (a * 57.29578f))
ROW1(row_degrees_f64, double, double, a, (a * 57.29577951308232))
ROW1(row_degrees_c64, c64, c64, a, c64_mul(a, c64_of(57.29578f, 0.0f)))
ROW1(row_radians_f32, float, float, a, (a * 0.017453292f))
ROW1(row_radians_f64, double, double, a, (a * 0.017453292519943295))
ROW1(row_radians_c64, c64, c64, a, c64_mul(a, c64_of(0.017453292f, 0.0f)))
ROW1(row_exp_f32, float, float, a, f32_exp(a))
ROW1(row_exp_f64, double, double, a, f64_exp(a))
ROW1(row_exp_c64, c64, c64, a, c64_exp(a))
ROW1(row_expm1_f32, float, float, a, f32_expm1(a))
ROW1(row_expm1_f64, double, double, a, f64_expm1(a))
ROW1(row_log_f32, float, float, a, f32_log(a))
ROW1(row_log_f64, double, double, a, f64_log(a))
ROW1(row_log_c64, c64, c64, a, c64_log(a))
ROW1(row_log2_f32, float, float, a, f32_log2(a))
ROW1(row_log2_f64, double, double, a, f64_log2(a))
ROW1(row_log2_c64, c64, c64, a, c64_log2(a))
ROW1(row_log10_f32, float, float, a, f32_log10(a))
ROW1(row_log10_f64, double, double, a, f64_log10(a))
ROW1(row_log10_c64, c64, c64, a, c64_log10(a))
ROW1(row_log1p_f32, float, float, a, f32_log1p(a))
ROW1(row_log1p_f64, double, double, a, f64_log1p(a))
ROW1(row_log1p_c64, c64, c64, a, c64_log1p(a))
ROW1(row_sigmoid_f32, float, float, a, f32_sigmoid(a))
ROW1(row_sigmoid_f64, double, double, a, f64_sigmoid(a))
ROW1(row_erf_f32, float, float, a, f32_erf(a))
ROW1(row_erf_f64, double, double, a, f64_erf(a))
ROW1(row_erfinv_f32, float, float, a, f32_erfinv(a))
ROW1(row_erfinv_f64, double, double, a, f64_erfinv(a))
ROW1_NARROW(row_sin_f32, float, float, a, f32_sin(a), f32_sin_narrow(a), f32_sin_wide(a))
ROW1(row_sin_f64, double, double, a, f64_sin(a))
ROW1(row_sin_c64, c64, c64, a, c64_sin(a))
ROW1_NARROW(row_cos_f32, float, float, a, f32_cos(a), f32_cos_narrow(a), f32_cos_wide(a))
ROW1(row_cos_f64, double, double, a, f64_cos(a))
ROW1(row_cos_c64, c64, c64, a, c64_cos(a))
ROW1_NARROW(row_tan_f32, float, float, a, f32_tan(a), f32_tan_narrow(a), f32_tan_wide(a))
ROW1(row_tan_f64, double, double, a, f64_tan(a))
ROW1(row_tan_c64, c64, c64, a, c64_tan(a))
ROW1(row_arcsin_f32, float, float, a, f32_asin(a))
ROW1(row_arcsin_f64, double, double, a, f64_asin(a))
ROW1(row_arcsin_c64, c64, c64, a, c64_asin(a))
ROW1(row_arccos_f32, float, float, a, f32_acos(a))
ROW1(row_arccos_f64, double, double, a, f64_acos(a))
ROW1(row_arccos_c64, c64, c64, a, c64_acos(a))
ROW1(row_arctan_f32, float, float, a, f32_atan(a))
ROW1(row_arctan_f64, double, double, a, f64_atan(a))
ROW1(row_arctan_c64, c64, c64, a, c64_atan(a))
ROW1(row_sinh_f32, float, float, a, f32_sinh(a))
ROW1(row_sinh_f64, double, double, a, f64_sinh(a))
ROW1(row_sinh_c64, c64, c64, a, c64_sinh(a))
ROW1(row_cosh_f32, float, float, a, f32_cosh(a))
ROW1(row_cosh_f64, double, double, a, f64_cosh(a))
ROW1(row_cosh_c64, c64, c64, a, c64_cosh(a))
ROW1(row_tanh_f32, float, float, a, f32_tanh(a))
ROW1(row_tanh_f64, double, double, a, f64_tanh(a))
ROW1(row_tanh_c64, c64, c64, a, c64_tanh(a))
ROW1(row_arcsinh_f32, float, float, a, f32_asinh(a))
ROW1(row_arcsinh_f64, double, double, a, f64_asinh(a))
ROW1(row_arcsinh_c64, c64, c64, a, c64_asinh(a))
ROW1(row_arccosh_f32, float, float, a, f32_acosh(a))
ROW1(row_arccosh_f64, double, double, a, f64_acosh(a))
ROW1(row_arccosh_c64, c64, c64, a, c64_acosh(a))
ROW1(row_arctanh_f32, float, float, a, f32_atanh(a))
ROW1(row_arctanh_f64, double, double, a, f64_atanh(a))
ROW1(row_arctanh_c64, c64, c64, a, c64_atanh(a))
ROW2(row_equal_b8, uint8_t, uint8_t, a, uint8_t, b, (a == b))
ROW2(row_equal_u8, uint8_t, uint8_t, a, uint8_t, b, (a == b))
ROW2(row_equal_u16, uint8_t, uint16_t, a, uint16_t, b, (a == b))
ROW2(row_equal_u32, uint8_t, uint32_t, a, uint32_t, b, (a == b))
ROW2(row_equal_u64, uint8_t, uint64_t, a, uint64_t, b, (a == b))
ROW2(row_equal_i8, uint8_t, int8_t, a, int8_t, b, (a == b))
ROW2(row_equal_i16, uint8_t, int16_t, a, int16_t, b, (a == b))
ROW2(row_equal_i32, uint8_t, int32_t, a, int32_t, b, (a == b))
ROW2(row_equal_i64, uint8_t, int64_t, a, int64_t, b, (a == b))
ROW2(row_equal_f32, uint8_t, float, a, float, b, (a == b))
ROW2(row_equal_f64, uint8_t, double, a, double, b, (a == b))
ROW2(row_equal_c64, uint8_t, c64, a, c64, b, c64_eq(a, b))
ROW2(row_not_equal_b8, uint8_t, uint8_t, a, uint8_t, b, (a != b))
ROW2(row_not_equal_u8, uint8_t, uint8_t, a, uint8_t, b, (a != b))
ROW2(row_not_equal_u16, uint8_t, uint16_t, a, uint16_t, b, (a != b))
ROW2(row_not_equal_u32, uint8_t, uint32_t, a, uint32_t, b, (a != b))
ROW2(row_not_equal_u64, uint8_t, uint64_t, a, uint64_t, b, (a != b))
ROW2(row_not_equal_i8, uint8_t, int8_t, a, int8_t, b, (a != b))
ROW2(row_not_equal_i16, uint8_t, int16_t, a, int16_t, b, (a != b))
ROW2(row_not_equal_i32, uint8_t, int32_t, a, int32_t, b, (a != b))
ROW2(row_not_equal_i64, uint8_t, int64_t, a, int64_t, b, (a != b))
ROW2(row_not_equal_f32, uint8_t, float, a, float, b, (a != b))
ROW2(row_not_equal_f64, uint8_t, double, a, double, b, (a != b))
ROW2(row_not_equal_c64, uint8_t, c64, a, c64, b, c64_ne(a, b))
ROW2(row_less_b8, uint8_t, uint8_t, a, uint8_t, b, (a < b))
ROW2(row_less_u8, uint8_t, uint8_t, a, uint8_t, b, (a < b))
ROW2(row_less_u16, uint8_t, uint16_t, a, uint16_t, b, (a < b))
ROW2(row_less_u32, uint8_t, uint32_t, a, uint32_t, b, (a < b))
ROW2(row_less_u64, uint8_t, uint64_t, a, uint64_t, b, (a < b))
ROW2(row_less_i8, uint8_t, int8_t, a, int8_t, b, (a < b))
ROW2(row_less_i16, uint8_t, int16_t, a, int16_t, b, (a < b))
ROW2(row_less_i32, uint8_t, int32_t, a, int32_t, b, (a < b))
ROW2(row_less_i64, uint8_t, int64_t, a, int64_t, b, (a < b))
ROW2(row_less_f32, uint8_t, float, a, float, b, (a < b))
ROW2(row_less_f64, uint8_t, double, a, double, b, (a < b))
ROW2(row_less_c64, uint8_t, c64, a, c64, b, c64_lt(a, b))
ROW2(row_less_equal_b8, uint8_t, uint8_t, a, uint8_t, b, (a <= b))
ROW2(row_less_equal_u8, uint8_t, uint8_t, a, uint8_t, b, (a <= b))
ROW2(row_less_equal_u16, uint8_t, uint16_t, a, uint16_t, b, (a <= b))
ROW2(row_less_equal_u32, uint8_t, uint32_t, a, uint32_t, b, (a <= b))
ROW2(row_less_equal_u64, uint8_t, uint64_t, a, uint64_t, b, (a <= b))
ROW2(row_less_equal_i8, uint8_t, int8_t, a, int8_t, b, (a <= b))
ROW2(row_less_equal_i16, uint8_t, int16_t, a, int16_t, b, (a <= b))
ROW2(row_less_equal_i32, uint8_t, int32_t, a, int32_t, b, (a <= b))
ROW2(row_less_equal_i64, uint8_t, int64_t, a, int64_t, b, (a <= b))
ROW2(row_less_equal_f32, uint8_t, float, a, float, b, (a <= b))
ROW2(row_less_equal_f64, uint8_t, double, a, double, b, (a <= b))
ROW2(row_less_equal_c64, uint8_t, c64, a, c64, b, c64_le(a, b))
ROW2(row_greater_b8, uint8_t, uint8_t, a, uint8_t, b, (a > b))
ROW2(row_greater_u8, uint8_t, uint8_t, a, uint8_t, b, (a > b))
ROW2(row_greater_u16, uint8_t, uint16_t, a, uint16_t, b, (a > b))
ROW2(row_greater_u32, uint8_t, uint32_t, a, uint32_t, b, (a > b))
ROW2(row_greater_u64, uint8_t, uint64_t, a, uint64_t, b, (a > b))
ROW2(row_greater_i8, uint8_t, int8_t, a, int8_t, b, (a > b))
ROW2(row_greater_i16, uint8_t, int16_t, a, int16_t, b, (a > b))
ROW2(row_greater_i32, uint8_t, int32_t, a, int32_t, b, (a > b))
ROW2(row_greater_i64, uint8_t, int64_t, a, int64_t, b, (a > b))
ROW2(row_greater_f32, uint8_t, float, a, float, b, (a > b))
ROW2(row_greater_f64, uint8_t, double, a, double, b, (a > b))
ROW2(row_greater_c64, uint8_t, c64, a, c64, b, c64_gt(a, b))
ROW2(row_greater_equal_b8, uint8_t, uint8_t, a, uint8_t, b, (a >= b))
ROW2(row_greater_equal_u8, uint8_t, uint8_t, a, uint8_t, b, (a >= b))
ROW2(row_greater_equal_u16, uint8_t, uint16_t, a, uint16_t, b, (a >= b))
ROW2(row_greater_equal_u32, uint8_t, uint32_t, a, uint32_t, b, (a >= b))
ROW2(row_greater_equal_u64, uint8_t, uint64_t, a, uint64_t, b, (a >= b))
ROW2(row_greater_equal_i8, uint8_t, int8_t, a, int8_t, b, (a >= b))
ROW2(row_greater_equal_i16, uint8_t, int16_t, a, int16_t, b, (a >= b))
ROW2(row_greater_equal_i32, uint8_t, int32_t, a, int32_t, b, (a >= b))
ROW2(row_greater_equal_i64, uint8_t, int64_t, a, int64_t, b, (a >= b))
ROW2(row_greater_equal_f32, uint8_t, float, a, float, b, (a >= b))
ROW2(row_greater_equal_f64, uint8_t, double, a, double, b, (a >= b))
ROW2(row_greater_equal_c64, uint8_t, c64, a, c64, b, c64_ge(a, b))
ROW1(row_logical_not_b8, uint8_t, uint8_t, a, (!a))
ROW2(row_logical_and_b8, uint8_t, uint8_t, a, uint8_t, b, (a && b))
ROW2(row_logical_or_b8, uint8_t, uint8_t, a, uint8_t, b, (a || b))
ROW2(row_logical_xor_b8, uint8_t, uint8_t, a, uint8_t, b, (a != b))
ROW1(row_isnan_b8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isnan_u8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isnan_u16, uint8_t, uint16_t, a, (a != a))
ROW1(row_isnan_u32, uint8_t, uint32_t, a, (a != a))
ROW1(row_isnan_u64, uint8_t, uint64_t, a, (a != a))
ROW1(row_isnan_i8, uint8_t, int8_t, a, (a != a))
ROW1(row_isnan_i16, uint8_t, int16_t, a, (a != a))
ROW1(row_isnan_i32, uint8_t, int32_t, a, (a != a))
ROW1(row_isnan_i64, uint8_t, int64_t, a, (a != a))
ROW1(row_isnan_f32, uint8_t, float, a, (a != a))
ROW1(row_isnan_f64, uint8_t, double, a, (a != a))
ROW1(row_isnan_c64, uint8_t, c64, a, c64_ne(a, a))
ROW1(row_isinf_b8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isinf_u8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isinf_u16, uint8_t, uint16_t, a, (a != a))
ROW1(row_isinf_u32, uint8_t, uint32_t, a, (a != a))
ROW1(row_isinf_u64, uint8_t, uint64_t, a, (a != a))
ROW1(row_isinf_i8, uint8_t, int8_t, a, (a != a))
ROW1(row_isinf_i16, uint8_t, int16_t, a, (a != a))
ROW1(row_isinf_i32, uint8_t, int32_t, a, (a != a))
ROW1(row_isinf_i64, uint8_t, int64_t, a, (a != a))
ROW1(row_isinf_f32, uint8_t, float, a, f32_isinf(a))
ROW1(row_isinf_f64, uint8_t, double, a, f64_isinf(a))
ROW1(row_isinf_c64, uint8_t, c64, a, (f32_isinf(c64_re(a)) || f32_isinf(c64_im(a))))
ROW1(row_isfinite_b8, uint8_t, uint8_t, a, (a == a))
ROW1(row_isfinite_u8, uint8_t, uint8_t, a, (a == a))
ROW1(row_isfinite_u16, uint8_t, uint16_t, a, (a == a))
ROW1(row_isfinite_u32, uint8_t, uint32_t, a, (a == a))
ROW1(row_isfinite_u64, uint8_t, uint64_t, a, (a == a))
ROW1(row_isfinite_i8, uint8_t, int8_t, a, (a == a))
ROW1(row_isfinite_i16, uint8_t, int16_t, a, (a == a))
ROW1(row_isfinite_i32, uint8_t, int32_t, a, (a == a))
ROW1(row_isfinite_i64, uint8_t, int64_t, a, (a == a))
ROW1(row_isfinite_f32, uint8_t, float, a, f32_isfinite(a))
ROW1(row_isfinite_f64, uint8_t, double, a, f64_isfinite(a))
ROW1(row_isfinite_c64, uint8_t, c64, a, (f32_isfinite(c64_re(a)) && f32_isfinite(c64_im(a))))
ROW1(row_isposinf_b8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isposinf_u8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isposinf_u16, uint8_t, uint16_t, a, (a != a))
ROW1(row_isposinf_u32, uint8_t, uint32_t, a, (a != a))
ROW1(row_isposinf_u64, uint8_t, uint64_t, a, (a != a))
ROW1(row_isposinf_i8, uint8_t, int8_t, a, (a != a))
ROW1(row_isposinf_i16, uint8_t, int16_t, a, (a != a))
ROW1(row_isposinf_i32, uint8_t, int32_t, a, (a != a))
ROW1(row_isposinf_i64, uint8_t, int64_t, a, (a != a))
ROW1(row_isposinf_f32, uint8_t, float, a, (f32_isinf(a) && (a > 0.0f)))
ROW1(row_isposinf_f64, uint8_t, double, a, (f64_isinf(a) && (a > 0.0)))
ROW1(row_isposinf_c64, uint8_t, c64, a, ((f32_isinf(c64_re(a)) && (c64_re(a) > 0.0f)) && (c64_im(a) == 0.0f)))
ROW1(row_isneginf_b8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isneginf_u8, uint8_t, uint8_t, a, (a != a))
ROW1(row_isneginf_u16, uint8_t, uint16_t, a, (a != a))
ROW1(row_isneginf_u32, uint8_t, uint32_t, a, (a != a))
ROW1(row_isneginf_u64, uint8_t, uint64_t, a, (a != a))
ROW1(row_isneginf_i8, uint8_t, int8_t, a, (a != a))
ROW1(row_isneginf_i16, uint8_t, int16_t, a, (a != a))
ROW1(row_isneginf_i32, uint8_t, int32_t, a, (a != a))
ROW1(row_isneginf_i64, uint8_t, int64_t, a, (a != a))
ROW1(row_isneginf_f32, uint8_t, float, a, (f32_isinf(a) && (a < 0.0f)))
ROW1(row_isneginf_f64, uint8_t, double, a, (f64_isinf(a) && (a < 0.0)))
ROW1(row_isneginf_c64, uint8_t, c64, a, ((f32_isinf(c64_re(a)) && (c64_re(a) < 0.0f)) && (c64_im(a) == 0.0f)))
ROW3(row_where_b8, uint8_t, uint8_t, condition, uint8_t, x, uint8_t, y, (condition ? x : y))
ROW3(row_where_u8, uint8_t, uint8_t, condition, uint8_t, x, uint8_t, y, (condition ? x : y))
ROW3(row_where_u16, uint16_t, uint8_t, condition, uint16_t, x, uint16_t, y, (condition ? x : y))
ROW3(row_where_u32, uint32_t, uint8_t, condition, uint32_t, x, uint32_t, y, (condition ? x : y))
ROW3(row_where_u64, uint64_t, uint8_t, condition, uint64_t, x, uint64_t, y, (condition ? x : y))
ROW3(row_where_i8, int8_t, uint8_t, condition, int8_t, x, int8_t, y, (condition ? x : y))
ROW3(row_where_i16, int16_t, uint8_t, condition, int16_t, x, int16_t, y, (condition ? x : y))
ROW3(row_where_i32, int32_t, uint8_t, condition, int32_t, x, int32_t, y, (condition ? x : y))
ROW3(row_where_i64, int64_t, uint8_t, condition, int64_t, x, int64_t, y, (condition ? x : y))
ROW3(row_where_f32, float, uint8_t, condition, float, x, float, y, (condition ? x : y))
ROW3(row_where_f64, double, uint8_t, condition, double, x, double, y, (condition ? x : y))
ROW3(row_where_c64, c64, uint8_t, condition, c64, x, c64, y, (condition ? x : y))
ROW2(row_bitwise_and_b8, uint8_t, uint8_t, a, uint8_t, b, (a && b))
ROW2(row_bitwise_and_u8, uint8_t, uint8_t, a, uint8_t, b, (uint8_t)(a & b))
ROW2(row_bitwise_and_u16, uint16_t, uint16_t, a, uint16_t, b, (uint16_t)(a & b))
ROW2(row_bitwise_and_u32, uint32_t, uint32_t, a, uint32_t, b, (uint32_t)(a & b))
ROW2(row_bitwise_and_u64, uint64_t, uint64_t, a, uint64_t, b, (uint64_t)(a & b))
ROW2(row_bitwise_and_i8, int8_t, int8_t, a, int8_t, b, (int8_t)(a & b))
ROW2(row_bitwise_and_i16, int16_t, int16_t, a, int16_t, b, (int16_t)(a & b))
ROW2(row_bitwise_and_i32, int32_t, int32_t, a, int32_t, b, (int32_t)(a & b))
ROW2(row_bitwise_and_i64, int64_t, int64_t, a, int64_t, b, (int64_t)(a & b))
ROW2(row_bitwise_or_b8, uint8_t, uint8_t, a, uint8_t, b, (a || b))
ROW2(row_bitwise_or_u8, uint8_t, uint8_t, a, uint8_t, b, (uint8_t)(a | b))
ROW2(row_bitwise_or_u16, uint16_t, uint16_t, a, uint16_t, b, (uint16_t)(a | b))
ROW2(row_bitwise_or_u32, uint32_t, uint32_t, a, uint32_t, b, (uint32_t)(a | b))
ROW2(row_bitwise_or_u64, uint64_t, uint64_t, a, uint64_t, b, (uint64_t)(a | b))
ROW2(row_bitwise_or_i8, int8_t, int8_t, a, int8_t, b, (int8_t)(a | b))
ROW2(row_bitwise_or_i16, int16_t, int16_t, a, int16_t, b, (int16_t)(a | b))
ROW2(row_bitwise_or_i32, int32_t, int32_t, a, int32_t, b, (int32_t)(a | b))
ROW2(row_bitwise_or_i64, int64_t, int64_t, a, int64_t, b, (int64_t)(a | b))
ROW2(row_bitwise_xor_b8, uint8_t, uint8_t, a, uint8_t, b, (a != b))
ROW2(row_bitwise_xor_u8, uint8_t, uint8_t, a, uint8_t, b, (uint8_t)(a ^ b))
ROW2(row_bitwise_xor_u16, uint16_t, uint16_t, a, uint16_t, b, (uint16_t)(a ^ b))
ROW2(row_bitwise_xor_u32, uint32_t, uint32_t, a, uint32_t, b, (uint32_t)(a ^ b))
ROW2(row_bitwise_xor_u64, uint64_t, uint64_t, a, uint64_t, b, (uint64_t)(a ^ b))
ROW2(row_bitwise_xor_i8, int8_t, int8_t, a, int8_t, b, (int8_t)(a ^ b))
ROW2(row_bitwise_xor_i16, int16_t, int16_t, a, int16_t, b, (int16_t)(a ^ b))
ROW2(row_bitwise_xor_i32, int32_t, int32_t, a, int32_t, b, (int32_t)(a ^ b))
ROW2(row_bitwise_xor_i64, int64_t, int64_t, a, int64_t, b, (int64_t)(a ^ b))
ROW1(row_bitwise_invert_b8, uint8_t, uint8_t, a, (!a))
ROW1(row_bitwise_invert_u8, uint8_t, uint8_t, a, (uint8_t)(~a))
ROW1(row_bitwise_invert_u16, uint16_t, uint16_t, a, (uint16_t)(~a))
ROW1(row_bitwise_invert_u32, uint32_t, uint32_t, a, (uint32_t)(~a))
ROW1(row_bitwise_invert_u64, uint64_t, uint64_t, a, (uint64_t)(~a))
ROW1(row_bitwise_invert_i8, int8_t, int8_t, a, (int8_t)(~a))
ROW1(row_bitwise_invert_i16, int16_t, int16_t, a, (int16_t)(~a))
ROW1(row_bitwise_invert_i32, int32_t, int32_t, a, (int32_t)(~a))
ROW1(row_bitwise_invert_i64, int64_t, int64_t, a, (int64_t)(~a))
ROW2(row_left_shift_u8, uint8_t, uint8_t, a, uint8_t, b, u8_shl(a, b))
ROW2(row_left_shift_u16, uint16_t, uint16_t, a, uint16_t, b, u16_shl(a, b))
ROW2(row_left_shift_u32, uint32_t, uint32_t, a, uint32_t, b, u32_shl(a, b))
ROW2(row_left_shift_u64, uint64_t, uint64_t, a, uint64_t, b, u64_shl(a, b))
ROW2(row_left_shift_i8, int8_t, int8_t, a, int8_t, b, i8_shl(a, b))
ROW2(row_left_shift_i16, int16_t, int16_t, a, int16_t, b, i16_shl(a, b))
ROW2(row_left_shift_i32, int32_t, int32_t, a, int32_t, b, i32_shl(a, b))
ROW2(row_left_shift_i64, int64_t, int64_t, a, int64_t, b, i64_shl(a, b))
ROW2(row_right_shift_u8, uint8_t, uint8_t, a, uint8_t, b, u8_shr(a, b))
ROW2(row_right_shift_u16, uint16_t, uint16_t, a, uint16_t, b, u16_shr(a, b))
ROW2(row_right_shift_u32, uint32_t, uint32_t, a, uint32_t, b, u32_shr(a, b))
ROW2(row_right_shift_u64, uint64_t, uint64_t, a, uint64_t, b, u64_shr(a, b))
ROW2(row_right_shift_i8, int8_t, int8_t, a, int8_t, b, i8_shr(a, b))
ROW2(row_right_shift_i16, int16_t, int16_t, a, int16_t, b, i16_shr(a, b))
ROW2(row_right_shift_i32, int32_t, int32_t, a, int32_t, b, i32_shr(a, b))
ROW2(row_right_shift_i64, int64_t, int64_t, a, int64_t, b, i64_shr(a, b))

// The order of the table.
enum {
	ROW_add,
	ROW_subtract,
	ROW_multiply,
	ROW_divide,
	ROW_floor_divide,
	ROW_remainder,
	ROW_power,
	ROW_minimum,
	ROW_maximum,
	ROW_logaddexp,
	ROW_arctan2,
	ROW_heaviside,
	ROW_negative,
	ROW_positive,
	ROW_abs,
	ROW_sign,
	ROW_square,
	ROW_sqrt,
	ROW_rsqrt,
	ROW_reciprocal,
	ROW_floor,
	ROW_ceil,
	ROW_trunc,
	ROW_rint,
	ROW_real,
	ROW_imag,
	ROW_conjugate,
	ROW_imaginary,
	ROW_degrees,
	ROW_radians,
	ROW_exp,
	ROW_expm1,
	ROW_log,
	ROW_log2,
	ROW_log10,
	ROW_log1p,
	ROW_sigmoid,
	ROW_erf,
	ROW_erfinv,
	ROW_sin,
	ROW_cos,
	ROW_tan,
	ROW_arcsin,
	ROW_arccos,
	ROW_arctan,
	ROW_sinh,
	ROW_cosh,
	ROW_tanh,
	ROW_arcsinh,
	ROW_arccosh,
	ROW_arctanh,
	ROW_equal,
	ROW_not_equal,
	ROW_less,
	ROW_less_equal,
	ROW_greater,
	ROW_greater_equal,
	ROW_logical_not,
	ROW_logical_and,
	ROW_logical_or,
	ROW_logical_xor,
	ROW_isnan,
	ROW_isinf,
	ROW_isfinite,
	ROW_isposinf,
	ROW_isneginf,
	ROW_where,
	ROW_bitwise_and,
	ROW_bitwise_or,
	ROW_bitwise_xor,
	ROW_bitwise_invert,
	ROW_left_shift,
	ROW_right_shift,
	ROW_COUNT
};

static const row_fn rows[ROW_COUNT][DT_COUNT] = {
	[ROW_add] = {[DT_BOOL] = row_add_b8, [DT_U8] = row_add_u8, [DT_U16] = row_add_u16, [DT_U32] = row_add_u32,
		[DT_U64] = row_add_u64, [DT_I8] = row_add_i8, [DT_I16] = row_add_i16, [DT_I32] = row_add_i32,
		[DT_I64] = row_add_i64, [DT_F32] = row_add_f32, [DT_F64] = row_add_f64, [DT_C64] = row_add_c64,
		[DT_F16] = row_add_f16, [DT_BF16] = row_add_bf16},
	[ROW_subtract] = {[DT_BOOL] = row_subtract_b8, [DT_U8] = row_subtract_u8, [DT_U16] = row_subtract_u16,
		[DT_U32] = row_subtract_u32, [DT_U64] = row_subtract_u64, [DT_I8] = row_subtract_i8,
		[DT_I16] = row_subtract_i16, [DT_I32] = row_subtract_i32, [DT_I64] = row_subtract_i64,
		[DT_F32] = row_subtract_f32, [DT_F64] = row_subtract_f64, [DT_C64] = row_subtract_c64,
		[DT_F16] = row_subtract_f16, [DT_BF16] = row_subtract_bf16},
	[ROW_multiply] = {[DT_BOOL] = row_multiply_b8, [DT_U8] = row_multiply_u8, [DT_U16] = row_multiply_u16,
		[DT_U32] = row_multiply_u32, [DT_U64] = row_multiply_u64, [DT_I8] = row_multiply_i8,
		[DT_I16] = row_multiply_i16, [DT_I32] = row_multiply_i32, [DT_I64] = row_multiply_i64,
		[DT_F32] = row_multiply_f32, [DT_F64] = row_multiply_f64, [DT_C64] = row_multiply_c64,
		[DT_F16] = row_multiply_f16, [DT_BF16] = row_multiply_bf16},
	[ROW_divide] = {[DT_F32] = row_divide_f32, [DT_F64] = row_divide_f64, [DT_C64] = row_divide_c64,
		[DT_F16] = row_divide_f16, [DT_BF16] = row_divide_bf16},
	[ROW_floor_divide] = {[DT_BOOL] = row_floor_divide_b8, [DT_U8] = row_floor_divide_u8,
		[DT_U16] = row_floor_divide_u16, [DT_U32] = row_floor_divide_u32, [DT_U64] = row_floor_divide_u64,
		[DT_I8] = row_floor_divide_i8, [DT_I16] = row_floor_divide_i16, [DT_I32] = row_floor_divide_i32,
		[DT_I64] = row_floor_divide_i64, [DT_F32] = row_floor_divide_f32, [DT_F64] = row_floor_divide_f64},
	[ROW_remainder] = {[DT_BOOL] = row_remainder_b8, [DT_U8] = row_remainder_u8, [DT_U16] = row_remainder_u16,
		[DT_U32] = row_remainder_u32, [DT_U64] = row_remainder_u64, [DT_I8] = row_remainder_i8,
		[DT_I16] = row_remainder_i16, [DT_I32] = row_remainder_i32, [DT_I64] = row_remainder_i64,
		[DT_F32] = row_remainder_f32, [DT_F64] = row_remainder_f64},
	[ROW_power] = {[DT_BOOL] = row_power_b8, [DT_U8] = row_power_u8, [DT_U16] = row_power_u16, [DT_U32] = row_power_u32,
		[DT_U64] = row_power_u64, [DT_I8] = row_power_i8, [DT_I16] = row_power_i16, [DT_I32] = row_power_i32,
		[DT_I64] = row_power_i64, [DT_F32] = row_power_f32, [DT_F64] = row_power_f64, [DT_C64] = row_power_c64},
	[ROW_minimum] = {[DT_BOOL] = row_minimum_b8, [DT_U8] = row_minimum_u8, [DT_U16] = row_minimum_u16,
		[DT_U32] = row_minimum_u32, [DT_U64] = row_minimum_u64, [DT_I8] = row_minimum_i8, [DT_I16] = row_minimum_i16,
		[DT_I32] = row_minimum_i32, [DT_I64] = row_minimum_i64, [DT_F32] = row_minimum_f32, [DT_F64] = row_minimum_f64,
		[DT_C64] = row_minimum_c64},
	[ROW_maximum] = {[DT_BOOL] = row_maximum_b8, [DT_U8] = row_maximum_u8, [DT_U16] = row_maximum_u16,
		[DT_U32] = row_maximum_u32, [DT_U64] = row_maximum_u64, [DT_I8] = row_maximum_i8, [DT_I16] = row_maximum_i16,
		[DT_I32] = row_maximum_i32, [DT_I64] = row_maximum_i64, [DT_F32] = row_maximum_f32, [DT_F64] = row_maximum_f64,
		[DT_C64] = row_maximum_c64},
	[ROW_logaddexp] = {[DT_F32] = row_logaddexp_f32, [DT_F64] = row_logaddexp_f64, [DT_C64] = row_logaddexp_c64},
	[ROW_arctan2] = {[DT_F32] = row_arctan2_f32, [DT_F64] = row_arctan2_f64},
	[ROW_heaviside] = {[DT_BOOL] = row_heaviside_b8, [DT_U8] = row_heaviside_u8, [DT_U16] = row_heaviside_u16,
		[DT_U32] = row_heaviside_u32, [DT_U64] = row_heaviside_u64, [DT_I8] = row_heaviside_i8,
		[DT_I16] = row_heaviside_i16, [DT_I32] = row_heaviside_i32, [DT_I64] = row_heaviside_i64,
		[DT_F32] = row_heaviside_f32, [DT_F64] = row_heaviside_f64},
	[ROW_negative] = {[DT_U8] = row_negative_u8, [DT_U16] = row_negative_u16, [DT_U32] = row_negative_u32,
		[DT_U64] = row_negative_u64, [DT_I8] = row_negative_i8, [DT_I16] = row_negative_i16,
		[DT_I32] = row_negative_i32, [DT_I64] = row_negative_i64, [DT_F32] = row_negative_f32,
		[DT_F64] = row_negative_f64, [DT_C64] = row_negative_c64, [DT_F16] = row_negative_f16,
		[DT_BF16] = row_negative_bf16},
	[ROW_positive] = {[DT_BOOL] = row_positive_b8, [DT_U8] = row_positive_u8, [DT_U16] = row_positive_u16,
		[DT_U32] = row_positive_u32, [DT_U64] = row_positive_u64, [DT_I8] = row_positive_i8,
		[DT_I16] = row_positive_i16, [DT_I32] = row_positive_i32, [DT_I64] = row_positive_i64,
		[DT_F32] = row_positive_f32, [DT_F64] = row_positive_f64, [DT_C64] = row_positive_c64},
	[ROW_abs] = {[DT_BOOL] = row_abs_b8, [DT_U8] = row_abs_u8, [DT_U16] = row_abs_u16, [DT_U32] = row_abs_u32,
		[DT_U64] = row_abs_u64, [DT_I8] = row_abs_i8, [DT_I16] = row_abs_i16, [DT_I32] = row_abs_i32,
		[DT_I64] = row_abs_i64, [DT_F32] = row_abs_f32, [DT_F64] = row_abs_f64, [DT_C64] = row_abs_c64},
	[ROW_sign] = {[DT_BOOL] = row_sign_b8, [DT_U8] = row_sign_u8, [DT_U16] = row_sign_u16, [DT_U32] = row_sign_u32,
		[DT_U64] = row_sign_u64, [DT_I8] = row_sign_i8, [DT_I16] = row_sign_i16, [DT_I32] = row_sign_i32,
		[DT_I64] = row_sign_i64, [DT_F32] = row_sign_f32, [DT_F64] = row_sign_f64, [DT_C64] = row_sign_c64},
	[ROW_square] = {[DT_BOOL] = row_square_b8, [DT_U8] = row_square_u8, [DT_U16] = row_square_u16,
		[DT_U32] = row_square_u32, [DT_U64] = row_square_u64, [DT_I8] = row_square_i8, [DT_I16] = row_square_i16,
		[DT_I32] = row_square_i32, [DT_I64] = row_square_i64, [DT_F32] = row_square_f32, [DT_F64] = row_square_f64,
		[DT_C64] = row_square_c64, [DT_F16] = row_square_f16, [DT_BF16] = row_square_bf16},
	[ROW_sqrt] = {[DT_F32] = row_sqrt_f32, [DT_F64] = row_sqrt_f64, [DT_C64] = row_sqrt_c64},
	[ROW_rsqrt] = {[DT_F32] = row_rsqrt_f32, [DT_F64] = row_rsqrt_f64, [DT_C64] = row_rsqrt_c64},
	[ROW_reciprocal] = {[DT_F32] = row_reciprocal_f32, [DT_F64] = row_reciprocal_f64, [DT_C64] = row_reciprocal_c64},
	[ROW_floor] = {[DT_BOOL] = row_floor_b8, [DT_U8] = row_floor_u8, [DT_U16] = row_floor_u16, [DT_U32] = row_floor_u32,
		[DT_U64] = row_floor_u64, [DT_I8] = row_floor_i8, [DT_I16] = row_floor_i16, [DT_I32] = row_floor_i32,
		[DT_I64] = row_floor_i64, [DT_F32] = row_floor_f32, [DT_F64] = row_floor_f64},
	[ROW_ceil] = {[DT_BOOL] = row_ceil_b8, [DT_U8] = row_ceil_u8, [DT_U16] = row_ceil_u16, [DT_U32] = row_ceil_u32,
		[DT_U64] = row_ceil_u64, [DT_I8] = row_ceil_i8, [DT_I16] = row_ceil_i16, [DT_I32] = row_ceil_i32,
		[DT_I64] = row_ceil_i64, [DT_F32] = row_ceil_f32, [DT_F64] = row_ceil_f64},
	[ROW_trunc] = {[DT_BOOL] = row_trunc_b8, [DT_U8] = row_trunc_u8, [DT_U16] = row_trunc_u16, [DT_U32] = row_trunc_u32,
		[DT_U64] = row_trunc_u64, [DT_I8] = row_trunc_i8, [DT_I16] = row_trunc_i16, [DT_I32] = row_trunc_i32,
		[DT_I64] = row_trunc_i64, [DT_F32] = row_trunc_f32, [DT_F64] = row_trunc_f64},
	[ROW_rint] = {[DT_BOOL] = row_rint_b8, [DT_U8] = row_rint_u8, [DT_U16] = row_rint_u16, [DT_U32] = row_rint_u32,
		[DT_U64] = row_rint_u64, [DT_I8] = row_rint_i8, [DT_I16] = row_rint_i16, [DT_I32] = row_rint_i32,
		[DT_I64] = row_rint_i64, [DT_F32] = row_rint_f32, [DT_F64] = row_rint_f64, [DT_C64] = row_rint_c64},
	[ROW_real] = {[DT_BOOL] = row_real_b8, [DT_U8] = row_real_u8, [DT_U16] = row_real_u16, [DT_U32] = row_real_u32,
		[DT_U64] = row_real_u64, [DT_I8] = row_real_i8, [DT_I16] = row_real_i16, [DT_I32] = row_real_i32,
		[DT_I64] = row_real_i64, [DT_F32] = row_real_f32, [DT_F64] = row_real_f64, [DT_C64] = row_real_c64},
	[ROW_imag] = {[DT_BOOL] = row_imag_b8, [DT_U8] = row_imag_u8, [DT_U16] = row_imag_u16, [DT_U32] = row_imag_u32,
		[DT_U64] = row_imag_u64, [DT_I8] = row_imag_i8, [DT_I16] = row_imag_i16, [DT_I32] = row_imag_i32,
		[DT_I64] = row_imag_i64, [DT_F32] = row_imag_f32, [DT_F64] = row_imag_f64, [DT_C64] = row_imag_c64},
	[ROW_conjugate] = {[DT_BOOL] = row_conjugate_b8, [DT_U8] = row_conjugate_u8, [DT_U16] = row_conjugate_u16,
		[DT_U32] = row_conjugate_u32, [DT_U64] = row_conjugate_u64, [DT_I8] = row_conjugate_i8,
		[DT_I16] = row_conjugate_i16, [DT_I32] = row_conjugate_i32, [DT_I64] = row_conjugate_i64,
		[DT_F32] = row_conjugate_f32, [DT_F64] = row_conjugate_f64, [DT_C64] = row_conjugate_c64},
	[ROW_imaginary] = {[DT_F32] = row_imaginary_f32, [DT_F64] = row_imaginary_f64, [DT_C64] = row_imaginary_c64},
	[ROW_degrees] = {[DT_F32] = row_degrees_f32, [DT_F64] = row_degrees_f64, [DT_C64] = row_degrees_c64},
	[ROW_radians] = {[DT_F32] = row_radians_f32, [DT_F64] = row_radians_f64, [DT_C64] = row_radians_c64},
	[ROW_exp] = {[DT_F32] = row_exp_f32, [DT_F64] = row_exp_f64, [DT_C64] = row_exp_c64},
	[ROW_expm1] = {[DT_F32] = row_expm1_f32, [DT_F64] = row_expm1_f64},
	[ROW_log] = {[DT_F32] = row_log_f32, [DT_F64] = row_log_f64, [DT_C64] = row_log_c64},
	[ROW_log2] = {[DT_F32] = row_log2_f32, [DT_F64] = row_log2_f64, [DT_C64] = row_log2_c64},
	[ROW_log10] = {[DT_F32] = row_log10_f32, [DT_F64] = row_log10_f64, [DT_C64] = row_log10_c64},
	[ROW_log1p] = {[DT_F32] = row_log1p_f32, [DT_F64] = row_log1p_f64, [DT_C64] = row_log1p_c64},
	[ROW_sigmoid] = {[DT_F32] = row_sigmoid_f32, [DT_F64] = row_sigmoid_f64},
	[ROW_erf] = {[DT_F32] = row_erf_f32, [DT_F64] = row_erf_f64},
	[ROW_erfinv] = {[DT_F32] = row_erfinv_f32, [DT_F64] = row_erfinv_f64},
	[ROW_sin] = {[DT_F32] = row_sin_f32, [DT_F64] = row_sin_f64, [DT_C64] = row_sin_c64},
	[ROW_cos] = {[DT_F32] = row_cos_f32, [DT_F64] = row_cos_f64, [DT_C64] = row_cos_c64},
	[ROW_tan] = {[DT_F32] = row_tan_f32, [DT_F64] = row_tan_f64, [DT_C64] = row_tan_c64},
	[ROW_arcsin] = {[DT_F32] = row_arcsin_f32, [DT_F64] = row_arcsin_f64, [DT_C64] = row_arcsin_c64},
	[ROW_arccos] = {[DT_F32] = row_arccos_f32, [DT_F64] = row_arccos_f64, [DT_C64] = row_arccos_c64},
	[ROW_arctan] = {[DT_F32] = row_arctan_f32, [DT_F64] = row_arctan_f64, [DT_C64] = row_arctan_c64},
	[ROW_sinh] = {[DT_F32] = row_sinh_f32, [DT_F64] = row_sinh_f64, [DT_C64] = row_sinh_c64},
	[ROW_cosh] = {[DT_F32] = row_cosh_f32, [DT_F64] = row_cosh_f64, [DT_C64] = row_cosh_c64},
	[ROW_tanh] = {[DT_F32] = row_tanh_f32, [DT_F64] = row_tanh_f64, [DT_C64] = row_tanh_c64},
	[ROW_arcsinh] = {[DT_F32] = row_arcsinh_f32, [DT_F64] = row_arcsinh_f64, [DT_C64] = row_arcsinh_c64},
	[ROW_arccosh] = {[DT_F32] = row_arccosh_f32, [DT_F64] = row_arccosh_f64, [DT_C64] = row_arccosh_c64},
	[ROW_arctanh] = {[DT_F32] = row_arctanh_f32, [DT_F64] = row_arctanh_f64, [DT_C64] = row_arctanh_c64},
	[ROW_equal] = {[DT_BOOL] = row_equal_b8, [DT_U8] = row_equal_u8, [DT_U16] = row_equal_u16, [DT_U32] = row_equal_u32,
		[DT_U64] = row_equal_u64, [DT_I8] = row_equal_i8, [DT_I16] = row_equal_i16, [DT_I32] = row_equal_i32,
		[DT_I64] = row_equal_i64, [DT_F32] = row_equal_f32, [DT_F64] = row_equal_f64, [DT_C64] = row_equal_c64},
	[ROW_not_equal] = {[DT_BOOL] = row_not_equal_b8, [DT_U8] = row_not_equal_u8, [DT_U16] = row_not_equal_u16,
		[DT_U32] = row_not_equal_u32, [DT_U64] = row_not_equal_u64, [DT_I8] = row_not_equal_i8,
		[DT_I16] = row_not_equal_i16, [DT_I32] = row_not_equal_i32, [DT_I64] = row_not_equal_i64,
		[DT_F32] = row_not_equal_f32, [DT_F64] = row_not_equal_f64, [DT_C64] = row_not_equal_c64},
	[ROW_less] = {[DT_BOOL] = row_less_b8, [DT_U8] = row_less_u8, [DT_U16] = row_less_u16, [DT_U32] = row_less_u32,
		[DT_U64] = row_less_u64, [DT_I8] = row_less_i8, [DT_I16] = row_less_i16, [DT_I32] = row_less_i32,
		[DT_I64] = row_less_i64, [DT_F32] = row_less_f32, [DT_F64] = row_less_f64, [DT_C64] = row_less_c64},
	[ROW_less_equal] = {[DT_BOOL] = row_less_equal_b8, [DT_U8] = row_less_equal_u8, [DT_U16] = row_less_equal_u16,
		[DT_U32] = row_less_equal_u32, [DT_U64] = row_less_equal_u64, [DT_I8] = row_less_equal_i8,
		[DT_I16] = row_less_equal_i16, [DT_I32] = row_less_equal_i32, [DT_I64] = row_less_equal_i64,
		[DT_F32] = row_less_equal_f32, [DT_F64] = row_less_equal_f64, [DT_C64] = row_less_equal_c64},
	[ROW_greater] = {[DT_BOOL] = row_greater_b8, [DT_U8] = row_greater_u8, [DT_U16] = row_greater_u16,
		[DT_U32] = row_greater_u32, [DT_U64] = row_greater_u64, [DT_I8] = row_greater_i8, [DT_I16] = row_greater_i16,
		[DT_I32] = row_greater_i32, [DT_I64] = row_greater_i64, [DT_F32] = row_greater_f32, [DT_F64] = row_greater_f64,
		[DT_C64] = row_greater_c64},
	[ROW_greater_equal] = {[DT_BOOL] = row_greater_equal_b8, [DT_U8] = row_greater_equal_u8,
		[DT_U16] = row_greater_equal_u16, [DT_U32] = row_greater_equal_u32, [DT_U64] = row_greater_equal_u64,
		[DT_I8] = row_greater_equal_i8, [DT_I16] = row_greater_equal_i16, [DT_I32] = row_greater_equal_i32,
		[DT_I64] = row_greater_equal_i64, [DT_F32] = row_greater_equal_f32, [DT_F64] = row_greater_equal_f64,
		[DT_C64] = row_greater_equal_c64},
	[ROW_logical_not] = {[DT_BOOL] = row_logical_not_b8},
	[ROW_logical_and] = {[DT_BOOL] = row_logical_and_b8},
	[ROW_logical_or] = {[DT_BOOL] = row_logical_or_b8},
	[ROW_logical_xor] = {[DT_BOOL] = row_logical_xor_b8},
	[ROW_isnan] = {[DT_BOOL] = row_isnan_b8, [DT_U8] = row_isnan_u8, [DT_U16] = row_isnan_u16, [DT_U32] = row_isnan_u32,
		[DT_U64] = row_isnan_u64, [DT_I8] = row_isnan_i8, [DT_I16] = row_isnan_i16, [DT_I32] = row_isnan_i32,
		[DT_I64] = row_isnan_i64, [DT_F32] = row_isnan_f32, [DT_F64] = row_isnan_f64, [DT_C64] = row_isnan_c64},
	[ROW_isinf] = {[DT_BOOL] = row_isinf_b8, [DT_U8] = row_isinf_u8, [DT_U16] = row_isinf_u16, [DT_U32] = row_isinf_u32,
		[DT_U64] = row_isinf_u64, [DT_I8] = row_isinf_i8, [DT_I16] = row_isinf_i16, [DT_I32] = row_isinf_i32,
		[DT_I64] = row_isinf_i64, [DT_F32] = row_isinf_f32, [DT_F64] = row_isinf_f64, [DT_C64] = row_isinf_c64},
	[ROW_isfinite] = {[DT_BOOL] = row_isfinite_b8, [DT_U8] = row_isfinite_u8, [DT_U16] = row_isfinite_u16,
		[DT_U32] = row_isfinite_u32, [DT_U64] = row_isfinite_u64, [DT_I8] = row_isfinite_i8,
		[DT_I16] = row_isfinite_i16, [DT_I32] = row_isfinite_i32, [DT_I64] = row_isfinite_i64,
		[DT_F32] = row_isfinite_f32, [DT_F64] = row_isfinite_f64, [DT_C64] = row_isfinite_c64},
	[ROW_isposinf] = {[DT_BOOL] = row_isposinf_b8, [DT_U8] = row_isposinf_u8, [DT_U16] = row_isposinf_u16,
		[DT_U32] = row_isposinf_u32, [DT_U64] = row_isposinf_u64, [DT_I8] = row_isposinf_i8,
		[DT_I16] = row_isposinf_i16, [DT_I32] = row_isposinf_i32, [DT_I64] = row_isposinf_i64,
		[DT_F32] = row_isposinf_f32, [DT_F64] = row_isposinf_f64, [DT_C64] = row_isposinf_c64},
	[ROW_isneginf] = {[DT_BOOL] = row_isneginf_b8, [DT_U8] = row_isneginf_u8, [DT_U16] = row_isneginf_u16,
		[DT_U32] = row_isneginf_u32, [DT_U64] = row_isneginf_u64, [DT_I8] = row_isneginf_i8,
		[DT_I16] = row_isneginf_i16, [DT_I32] = row_isneginf_i32, [DT_I64] = row_isneginf_i64,
		[DT_F32] = row_isneginf_f32, [DT_F64] = row_isneginf_f64, [DT_C64] = row_isneginf_c64},
	[ROW_where] = {[DT_BOOL] = row_where_b8, [DT_U8] = row_where_u8, [DT_U16] = row_where_u16, [DT_U32] = row_where_u32,
		[DT_U64] = row_where_u64, [DT_I8] = row_where_i8, [DT_I16] = row_where_i16, [DT_I32] = row_where_i32,
		[DT_I64] = row_where_i64, [DT_F32] = row_where_f32, [DT_F64] = row_where_f64, [DT_C64] = row_where_c64},
	[ROW_bitwise_and] = {[DT_BOOL] = row_bitwise_and_b8, [DT_U8] = row_bitwise_and_u8, [DT_U16] = row_bitwise_and_u16,
		[DT_U32] = row_bitwise_and_u32, [DT_U64] = row_bitwise_and_u64, [DT_I8] = row_bitwise_and_i8,
		[DT_I16] = row_bitwise_and_i16, [DT_I32] = row_bitwise_and_i32, [DT_I64] = row_bitwise_and_i64},
	[ROW_bitwise_or] = {[DT_BOOL] = row_bitwise_or_b8, [DT_U8] = row_bitwise_or_u8, [DT_U16] = row_bitwise_or_u16,
		[DT_U32] = row_bitwise_or_u32, [DT_U64] = row_bitwise_or_u64, [DT_I8] = row_bitwise_or_i8,
		[DT_I16] = row_bitwise_or_i16, [DT_I32] = row_bitwise_or_i32, [DT_I64] = row_bitwise_or_i64},
	[ROW_bitwise_xor] = {[DT_BOOL] = row_bitwise_xor_b8, [DT_U8] = row_bitwise_xor_u8, [DT_U16] = row_bitwise_xor_u16,
		[DT_U32] = row_bitwise_xor_u32, [DT_U64] = row_bitwise_xor_u64, [DT_I8] = row_bitwise_xor_i8,
		[DT_I16] = row_bitwise_xor_i16, [DT_I32] = row_bitwise_xor_i32, [DT_I64] = row_bitwise_xor_i64},
	[ROW_bitwise_invert] = {[DT_BOOL] = row_bitwise_invert_b8, [DT_U8] = row_bitwise_invert_u8,
		[DT_U16] = row_bitwise_invert_u16, [DT_U32] = row_bitwise_invert_u32, [DT_U64] = row_bitwise_invert_u64,
		[DT_I8] = row_bitwise_invert_i8, [DT_I16] = row_bitwise_invert_i16, [DT_I32] = row_bitwise_invert_i32,
		[DT_I64] = row_bitwise_invert_i64},
	[ROW_left_shift] = {[DT_U8] = row_left_shift_u8, [DT_U16] = row_left_shift_u16, [DT_U32] = row_left_shift_u32,
		[DT_U64] = row_left_shift_u64, [DT_I8] = row_left_shift_i8, [DT_I16] = row_left_shift_i16,
		[DT_I32] = row_left_shift_i32, [DT_I64] = row_left_shift_i64},
	[ROW_right_shift] = {[DT_U8] = row_right_shift_u8, [DT_U16] = row_right_shift_u16, [DT_U32] = row_right_shift_u32,
		[DT_U64] = row_right_shift_u64, [DT_I8] = row_right_shift_i8, [DT_I16] = row_right_shift_i16,
		[DT_I32] = row_right_shift_i32, [DT_I64] = row_right_shift_i64},
};
