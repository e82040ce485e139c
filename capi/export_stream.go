package capi

/*
#define CAPI_GO
#include "capi.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
)

// deviceTypes are the members of mlx_go.core.DeviceType, by number.
var deviceTypes = []string{"cpu", "gpu"}

// named is the device at that place and the number of a stream as Python names them.
func named(place, index int) C.capi_stream {
	d := core.Devices()[place]
	kind := slices.Index(deviceTypes, d.Type)
	return C.capi_stream{C.int32_t(kind), C.int32_t(place), C.int64_t(d.Number), C.int64_t(index)}
}

// goDevicePlace finds a device; -1 if there is none.
//
//export goDevicePlace
func goDevicePlace(kind C.int, number C.int64_t) C.int {
	return C.int(slices.Index(core.Devices(), core.DeviceName{Type: deviceTypes[kind], Number: int(number)}))
}

// goDefaultPlace is the place of the device that is the default: the host, unless there is another one.
//
//export goDefaultPlace
func goDefaultPlace() C.int { return C.int(min(1, len(core.Devices())-1)) }

//export goDeviceCount
func goDeviceCount(kind C.int) (n C.int) {
	for _, d := range core.Devices() {
		if d.Type == deviceTypes[kind] {
			n++
		}
	}
	return n
}

//export goDeviceAt
func goDeviceAt(place C.int) C.capi_stream { return named(int(place), 0) }

// goNewStream makes a stream, which runs beside others if it is to have a lane of its own, and gives its number; -1 on
// an error.
//
//export goNewStream
func goNewStream(place, own C.int) (number C.int64_t) {
	number = -1
	enter(nil, 0)
	defer leave()
	return C.int64_t(core.NewStream(int(place), own != 0))
}

//export goRenewStream
func goRenewStream(number, own C.int) {
	enter(nil, 0)
	defer leave()
	core.RenewStream(uint16(number), own != 0)
}

//export goStreamNames
func goStreamNames(number C.int) C.capi_stream {
	enter(nil, 0)
	defer leave()
	return named(core.StreamNames(uint16(number)))
}

//export goStreamOf
func goStreamOf(id C.uint32_t) C.int {
	enter(nil, 0)
	defer leave()
	return C.int(core.ByID(uint32(id)).Stream())
}

// goDeviceInfo lists a device's properties as type, key, value strings, each ended by a zero byte.
//
//export goDeviceInfo
func goDeviceInfo(place C.int, size *C.int64_t) *C.char {
	enter(nil, 0)
	defer leave()
	info := core.DeviceInfo(int(place))
	keys := make([]string, 0, len(info))
	for k := range info {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		kind := "text"
		switch info[k].(type) {
		case int, int64, uint64, uint32, int32:
			kind = "int"
		}
		fmt.Fprintf(&b, "%s\x00%s\x00%v\x00", kind, k, info[k])
	}
	*size = C.int64_t(b.Len())
	return (*C.char)(C.CBytes(unsafe.Slice(unsafe.StringData(b.String()), b.Len())))
}
