package capi

/*
#define CAPI_GO
#include "capi.h"
#include <stdlib.h>
*/
import "C"

import (
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/signature"
	"github.com/mlx-go/mlx_go/core/table"
)

// entry is one Python function: a row or a function of core's table.
type entry struct {
	row *table.Row
	fn  *core.Func
}

var functions []entry

//export goTable
func goTable(count *C.int) (out *C.capi_func) {
	defer func() {
		if r := recover(); r != nil {
			out = nil
			raise(errs.Catch(r))
		}
	}()
	type named struct {
		entry
		name, doc string
		sig       *signature.Signature
		method    bool
	}
	var all []named
	for _, r := range table.Rows {
		if r.Flags&table.Hidden != 0 {
			continue
		}
		for _, name := range append([]string{r.Name}, r.Alias...) {
			all = append(all, named{entry{row: r}, name, r.Doc, r.Signature(), r.Flags&table.Method != 0})
		}
	}
	for _, f := range core.Funcs {
		all = append(all,
			named{entry{fn: f}, f.Name, f.Doc, f.Signature, f.Method || strings.HasPrefix(f.Name, "array.")})
	}
	funcs := unsafe.Slice((*C.capi_func)(C.calloc(C.size_t(len(all)), C.size_t(unsafe.Sizeof(C.capi_func{})))),
		len(all))
	functions = make([]entry, len(all))
	for i, e := range all {
		sig, f := e.sig, &funcs[i]
		f.name = text(e.name)
		at := strings.LastIndexByte(e.name, '.') + 1
		f.base = f.name + C.uintptr_t(at)
		base := e.name[at:]
		f.doc = text(base + sig.Text(false) + "\n--\n\n" + e.doc)
		f.row = -1
		if e.row != nil {
			f.row = C.int32_t(e.row.Index)
		}
		if e.method {
			f.method = C.METHOD_YES
			if strings.HasPrefix(e.name, "array.") {
				f.method = C.METHOD_ONLY
			}
			f.method_doc = text(base + sig.Method("$self").Text(false) + "\n--\n\n" + e.doc)
		}
		f.result = resultKind(sig.Return)
		f.nparams = C.int32_t(len(sig.Params))
		params := unsafe.Slice((*C.capi_param)(C.calloc(C.size_t(max(len(sig.Params), 1)),
			C.size_t(unsafe.Sizeof(C.capi_param{})))), len(sig.Params))
		f.params = address(unsafe.SliceData(params))
		for k, p := range sig.Params {
			c := &params[k]
			c.name, c._type = text(p.Name), text(p.Type)
			c.kind = C.uint8_t(p.Kind)
			c.accept = accepts(p)
			if p.Name == "stream" {
				c.stream = 1
				continue
			}
			if !p.HasDefault && p.Kind != signature.VarPositional && p.Kind != signature.VarKeyword {
				c.required = 1
			}
		}
		functions[i] = e.entry
	}
	*count = C.int(len(all))
	return unsafe.SliceData(funcs)
}

func resultKind(annotation string) C.uint8_t {
	switch {
	case annotation == "None":
		return C.RETURN_NONE
	case strings.HasPrefix(annotation, "array |") && strings.Contains(annotation, "list["):
		return C.RETURN_ARRAY_OR_LIST
	case strings.HasPrefix(annotation, "array |") && strings.Contains(annotation, "tuple["):
		return C.RETURN_ARRAY_OR_TUPLE
	case strings.HasPrefix(annotation, "tuple"):
		return C.RETURN_TUPLE
	case strings.HasPrefix(annotation, "list"):
		return C.RETURN_LIST
	}
	return C.RETURN_ARRAY
}

// accepts tells from the annotation what Python may pass.
func accepts(p signature.Param) C.uint32_t {
	if p.Type == "" {
		return C.ACCEPT_ANY
	}
	mask := acceptType(p.Type)
	if p.Default == "None" {
		mask |= C.ACCEPT_NONE
	}
	return mask
}

func acceptType(annotation string) C.uint32_t {
	var mask C.uint32_t
	for _, t := range signature.Split(annotation, '|') {
		name, inner, generic := strings.Cut(t, "[")
		inner = strings.TrimSuffix(inner, "]")
		switch name {
		case "None":
			mask |= C.ACCEPT_NONE
		case "bool":
			mask |= C.ACCEPT_BOOL
		case "int":
			mask |= C.ACCEPT_INT
		case "float":
			mask |= C.ACCEPT_FLOAT
		case "complex":
			mask |= C.ACCEPT_COMPLEX
		case "str", "Literal":
			mask |= C.ACCEPT_STRING
		case "scalar":
			mask |= C.ACCEPT_BOOL | C.ACCEPT_INT | C.ACCEPT_FLOAT | C.ACCEPT_COMPLEX | C.ACCEPT_ARRAY
		case "array":
			mask |= C.ACCEPT_ARRAY
		case "Dtype":
			mask |= C.ACCEPT_DTYPE
		case "type":
			mask |= C.ACCEPT_TYPE
		case "list", "tuple", "Sequence":
			mask |= C.ACCEPT_LIST
			if !generic {
				mask |= C.ACCEPT_ANY << C.ACCEPT_ELEMENT_SHIFT
			}
			for _, e := range signature.Split(inner, ',') {
				if e != "..." {
					// Elements of elements share the element's own kinds.
					m := acceptType(e)
					mask |= (m | m>>C.ACCEPT_ELEMENT_SHIFT) << C.ACCEPT_ELEMENT_SHIFT
				}
			}
		default:
			mask |= C.ACCEPT_ANY
		}
	}
	return mask
}
