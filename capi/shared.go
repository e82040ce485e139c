package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/signature"
)

// What Go and C number alike is held when this compiles: -uint(0) is a constant, and -uint(1) overflows.
const (
	_ = -uint(C.DT_BOOL ^ dtype.Bool)
	_ = -uint(C.DT_UINT8 ^ dtype.Uint8)
	_ = -uint(C.DT_UINT16 ^ dtype.Uint16)
	_ = -uint(C.DT_UINT32 ^ dtype.Uint32)
	_ = -uint(C.DT_UINT64 ^ dtype.Uint64)
	_ = -uint(C.DT_INT8 ^ dtype.Int8)
	_ = -uint(C.DT_INT16 ^ dtype.Int16)
	_ = -uint(C.DT_INT32 ^ dtype.Int32)
	_ = -uint(C.DT_INT64 ^ dtype.Int64)
	_ = -uint(C.DT_FLOAT16 ^ dtype.Float16)
	_ = -uint(C.DT_FLOAT32 ^ dtype.Float32)
	_ = -uint(C.DT_FLOAT64 ^ dtype.Float64)
	_ = -uint(C.DT_BFLOAT16 ^ dtype.BFloat16)
	_ = -uint(C.DT_COMPLEX64 ^ dtype.Complex64)
	_ = -uint(C.DT_COUNT ^ dtype.Count)

	_ = -uint(C.ARG_NONE ^ core.ArgNone)
	_ = -uint(C.ARG_BOOL ^ core.ArgBool)
	_ = -uint(C.ARG_INT ^ core.ArgInt)
	_ = -uint(C.ARG_FLOAT ^ core.ArgFloat)
	_ = -uint(C.ARG_COMPLEX ^ core.ArgComplex)
	_ = -uint(C.ARG_STRING ^ core.ArgString)
	_ = -uint(C.ARG_ARRAY ^ core.ArgArray)
	_ = -uint(C.ARG_DTYPE ^ core.ArgDtype)
	_ = -uint(C.ARG_LIST ^ core.ArgList)
	_ = -uint(C.ARG_BIGUINT ^ core.ArgBigUint)

	_ = -uint(C.ERR_RUNTIME ^ errs.RuntimeError)
	_ = -uint(C.ERR_VALUE ^ errs.ValueError)
	_ = -uint(C.ERR_TYPE ^ errs.TypeError)
	_ = -uint(C.ERR_INDEX ^ errs.IndexError)
	_ = -uint(C.ERR_AXIS ^ errs.AxisError)
	_ = -uint(C.ERR_MEMORY ^ errs.MemoryError)
	_ = -uint(C.ERR_OS ^ errs.OSError)
	_ = -uint(C.ERR_OVERFLOW ^ errs.OverflowError)
	_ = -uint(C.ERR_INTERRUPTED ^ errs.Interrupted)

	_ = -uint(C.INDEX_INT ^ core.IndexInt)
	_ = -uint(C.INDEX_SLICE ^ core.IndexSlice)
	_ = -uint(C.INDEX_NEWAXIS ^ core.IndexNewAxis)
	_ = -uint(C.INDEX_ELLIPSIS ^ core.IndexEllipsis)
	_ = -uint(C.INDEX_ARRAY ^ core.IndexArray)
	_ = -uint(C.INDEX_BOOL ^ core.IndexBool)

	_ = -uint(C.SEEN_SHAPE ^ core.SeenShape)
	_ = -uint(C.SEEN_RANK ^ core.SeenRank)
	_ = -uint(C.SEEN_SIZE ^ core.SeenSize)
	_ = -uint(C.SEEN_LENGTH ^ core.SeenLength)
	_ = -uint(C.SEEN_EMPTY ^ core.SeenEmpty)
	_ = -uint(C.SEEN_SAME ^ core.SeenSame)
	_ = -uint(C.SEEN_VALUE ^ core.SeenValue)

	_ = -uint(C.PARAM_POSITIONAL_ONLY ^ signature.PositionalOnly)
	_ = -uint(C.PARAM_POSITIONAL ^ signature.Positional)
	_ = -uint(C.PARAM_VAR_POSITIONAL ^ signature.VarPositional)
	_ = -uint(C.PARAM_KEYWORD_ONLY ^ signature.KeywordOnly)
	_ = -uint(C.PARAM_VAR_KEYWORD ^ signature.VarKeyword)

	_ = -uint(C.CAPI_NO_AXIS - core.NoAxis)
	_ = -uint(C.CAPI_FACTS_PAGE ^ core.FactsPage)
	_ = -uint(C.sizeof_capi_facts ^ unsafe.Sizeof(core.Facts{}))
	_ = -uint(C.CAPI_FACTS_DIMS ^ len(core.Facts{}.Dims))
)
