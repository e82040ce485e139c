#define ISA neon
#define VB 16
#include "../../kernels/all.h"
