#define ISA v4
#define VB 64
#include "../../kernels/all.h"
