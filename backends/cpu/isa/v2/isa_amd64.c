#define ISA v2
#define VB 16
#include "../../kernels/all.h"
