package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// A node is computed on a stream, an order of execution on a device, which it knows by number. It takes the stream that
// is current when it is made: the one that came with the call from Python, or, while a transform works through a graph,
// that of the node for which a rule builds others. So the derivative of what ran on a stream runs there too.

// stream is one order of execution that users name.
type stream struct {
	dev   int // its device's place in Devices
	index int // its number as users see it, which no other stream had before
	lane  *lane
}

// onDevice reports whether its nodes are for an asynchronous device.
func (s *stream) onDevice() bool { return s.lane.unit != nil }

// fusedLimits bound a fused program.
func (s *stream) fusedLimits() (inputs, steps int) {
	inputs, steps = maxFusedInputs, maxFusedSteps
	if u := s.lane.unit; u != nil {
		if n := u.limits.Inputs; n > 0 {
			inputs = min(inputs, n)
		}
		if n := u.limits.Steps; n > 0 {
			steps = min(steps, n)
		}
	}
	return inputs, steps
}

// streams are all, by number. 0 is the host's default, and the only one until somebody asks for others.
var streams = []*stream{{lane: lanes[0]}}

// streamsMade counts the numbers that users saw.
var streamsMade = 1

// DeviceName is what users call a device: its type, and its number among those of the type.
type DeviceName struct {
	Type   string
	Number int
}

// Devices lists the devices there are; the host is the first. The first call opens the others.
func Devices() []DeviceName {
	openDevices()
	list := make([]DeviceName, 0, 2)
	numbers := map[string]int{}
	add := func(name string) {
		list = append(list, DeviceName{name, numbers[name]})
		numbers[name]++
	}
	for _, h := range device.Registered() {
		add(h.Name())
	}
	for _, u := range units {
		add(u.Name())
	}
	return list
}

// NewStream makes a stream on the device at place dev of Devices. Own says that it runs beside others where nothing
// orders them. The default streams of threads do not: they share the device's first lane, on which all workers serve
// one kernel.
func NewStream(dev int, own bool) uint16 {
	if len(streams) > math.MaxUint16 {
		errs.Throw(errs.RuntimeError, "[new_stream] there are %d streams, and no more are possible", len(streams))
	}
	streams = append(streams, &stream{dev: dev})
	n := uint16(len(streams) - 1)
	RenewStream(n, own)
	return n
}

// RenewStream makes stream n, of which nobody knows any more, another one to users. Nodes may still be on it: they
// go where those to come go.
func RenewStream(n uint16, own bool) {
	s := streams[n]
	s.lane = openLane(s.dev, own)
	s.index = streamsMade
	streamsMade++
}

// StreamNames is the place of stream n's device in Devices, and its number as users see it.
func StreamNames(n uint16) (dev, index int) { return streams[n].dev, streams[n].index }

// UseStream makes n the stream of the nodes that are made from now on. Deferred with graph.stream, it ends what a
// walker of graphs set for its rules, panics included.
func UseStream(n uint16) { graph.stream = n }

// PutOn says where an array that comes from elsewhere, and which nothing computes, is wanted.
func (a *Array) PutOn(n uint16) { a.stream = n }

// Stream is where a is computed.
func (a *Array) Stream() uint16 { return a.stream }
