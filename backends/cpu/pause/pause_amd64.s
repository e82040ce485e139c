#include "textflag.h"

// func Spin(n uint32)
TEXT ·Spin(SB), NOSPLIT, $0-4
	MOVL n+0(FP), AX
again:
	PAUSE
	SUBL $1, AX
	JNZ again
	RET
