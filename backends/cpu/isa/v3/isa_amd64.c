#define ISA v3
#define VB 32
#include "../../kernels/all.h"
