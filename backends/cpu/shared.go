package cpu

/*
#include "kernels/abi_index.h"
#include "kernels/abi_quantize.h"
#include "kernels/abi_reduce.h"
#include "kernels/abi_scan.h"
*/
import "C"

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// What Go and the kernels number alike is held when this compiles: -uint(0) is a constant, and -uint(1) overflows.
const (
	_ = -uint(C.DT_BOOL ^ dtype.Bool)
	_ = -uint(C.DT_U8 ^ dtype.Uint8)
	_ = -uint(C.DT_U16 ^ dtype.Uint16)
	_ = -uint(C.DT_U32 ^ dtype.Uint32)
	_ = -uint(C.DT_U64 ^ dtype.Uint64)
	_ = -uint(C.DT_I8 ^ dtype.Int8)
	_ = -uint(C.DT_I16 ^ dtype.Int16)
	_ = -uint(C.DT_I32 ^ dtype.Int32)
	_ = -uint(C.DT_I64 ^ dtype.Int64)
	_ = -uint(C.DT_F16 ^ dtype.Float16)
	_ = -uint(C.DT_F32 ^ dtype.Float32)
	_ = -uint(C.DT_F64 ^ dtype.Float64)
	_ = -uint(C.DT_BF16 ^ dtype.BFloat16)
	_ = -uint(C.DT_C64 ^ dtype.Complex64)
	_ = -uint(C.DT_COUNT ^ dtype.Count)

	_ = -uint(C.REDUCE_OP_SUM ^ device.ReduceSum)
	_ = -uint(C.REDUCE_OP_PROD ^ device.ReduceProd)
	_ = -uint(C.REDUCE_OP_MIN ^ device.ReduceMin)
	_ = -uint(C.REDUCE_OP_MAX ^ device.ReduceMax)
	_ = -uint(C.REDUCE_OP_AND ^ device.ReduceAnd)
	_ = -uint(C.REDUCE_OP_OR ^ device.ReduceOr)
	_ = -uint(C.REDUCE_OPS ^ device.ReduceOpCount)

	_ = -uint(C.SCAN_OP_SUM ^ device.ScanSum)
	_ = -uint(C.SCAN_OP_PROD ^ device.ScanProd)
	_ = -uint(C.SCAN_OP_MIN ^ device.ScanMin)
	_ = -uint(C.SCAN_OP_MAX ^ device.ScanMax)
	_ = -uint(C.SCAN_OP_LOGADDEXP ^ device.ScanLogAddExp)
	_ = -uint(C.SCAN_OPS ^ device.ScanOpCount)

	_ = -uint(C.SCATTER_OP_SET ^ device.ScatterSet)
	_ = -uint(C.SCATTER_OP_ADD ^ device.ScatterAdd)
	_ = -uint(C.SCATTER_OP_PROD ^ device.ScatterProd)
	_ = -uint(C.SCATTER_OP_MAX ^ device.ScatterMax)
	_ = -uint(C.SCATTER_OP_MIN ^ device.ScatterMin)
	_ = -uint(C.QUANTIZE_AFFINE ^ device.QuantizeAffine)
	_ = -uint(C.QUANTIZE_MXFP4 ^ device.QuantizeMXFP4)
	_ = -uint(C.QUANTIZE_MXFP8 ^ device.QuantizeMXFP8)
	_ = -uint(C.QUANTIZE_NVFP4 ^ device.QuantizeNVFP4)
	_ = -uint(C.QUANTIZE_MODES ^ device.QuantizeModeCount)

	_ = -uint(C.SCATTER_OPS ^ device.ScatterOpCount)
)
