// What CUDA C gives the op table's bodies. device.h builds the rest on it.
#define INL static __device__ __forceinline__

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;

#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)

// Every function of libdevice, in both widths.
#define LIBDEVICE1(name) \
	INL float f32_##name(float a) { return ::name##f(a); } \
	INL double f64_##name(double a) { return ::name(a); }
#define LIBDEVICE2(name) \
	INL float f32_##name(float a, float b) { return ::name##f(a, b); } \
	INL double f64_##name(double a, double b) { return ::name(a, b); }
LIBDEVICE1(sqrt) LIBDEVICE1(exp) LIBDEVICE1(expm1) LIBDEVICE1(log) LIBDEVICE1(log2) LIBDEVICE1(log10) LIBDEVICE1(log1p)
LIBDEVICE1(sin) LIBDEVICE1(cos) LIBDEVICE1(tan) LIBDEVICE1(asin) LIBDEVICE1(acos) LIBDEVICE1(atan)
LIBDEVICE1(sinh) LIBDEVICE1(cosh) LIBDEVICE1(tanh) LIBDEVICE1(asinh) LIBDEVICE1(acosh) LIBDEVICE1(atanh)
LIBDEVICE1(erf) LIBDEVICE1(erfinv) LIBDEVICE1(floor) LIBDEVICE1(ceil) LIBDEVICE1(trunc) LIBDEVICE1(rint)
LIBDEVICE2(pow) LIBDEVICE2(atan2) LIBDEVICE2(fmod) LIBDEVICE2(copysign)
INL float f32_abs(float a) { return ::fabsf(a); }
INL double f64_abs(double a) { return ::fabs(a); }

#define HAS_F64 1
