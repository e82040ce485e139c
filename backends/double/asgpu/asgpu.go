// Package asgpu registers the test double as the device "gpu". The extension imports it when it is built with the tag
// double, for the Python suite; no wheel has it. It computes by the host's own backend, and takes its Options from the
// environment:
//
//	MLX_GO_DOUBLE_SEED      of delays and yields
//	MLX_GO_DOUBLE_DELAY     the longest delay of a command, as 200us
//	MLX_GO_DOUBLE_CAPACITY  bytes of memory
//	MLX_GO_DOUBLE_UNIFIED   1: the host sees its memory
//	MLX_GO_DOUBLE_AHEAD     commands that a queue may be ahead of the device
//	MLX_GO_DOUBLE_LACKS     numbers of the kinds that it has no kernel for, as 5,9
//	MLX_GO_DOUBLE_FAIL      every how many allocations fail
//	MLX_GO_DOUBLE_FAULT_AT  the kernel that finds something wrong
//	MLX_GO_DOUBLE_LOSE_AT   the command at which it is lost
//	MLX_GO_DOUBLE_REPORT    a file to which faults are appended, beside standard error
//
// mx.device_info(mx.gpu) has its counters and the number of its faults.
package asgpu

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { device.RegisterDevice(open) }

// open makes the double. It is called once all backends have registered.
func open() (device.Device, error) {
	s := settings{prefix: "MLX_GO_DOUBLE_"}
	opts := double.Options{
		Host:           device.Registered()[0],
		Seed:           uint64(s.number("SEED")),
		Delay:          s.duration("DELAY"),
		Capacity:       s.number("CAPACITY"),
		Limits:         device.Limits{Unified: s.number("UNIFIED") != 0, Ahead: s.number("AHEAD")},
		FailAllocation: double.Nth{Every: s.number("FAIL")},
		FaultAt:        s.number("FAULT_AT"),
		LoseAt:         s.number("LOSE_AT"),
	}
	if kinds := s.numbers("LACKS"); len(kinds) > 0 {
		opts.Lacks = func(kind device.KernelKind, _ any, _ dtype.Dtype, _ []dtype.Dtype) bool {
			return slices.Contains(kinds, int(kind))
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	d := double.New(opts)
	device.Replace(d.World().Judge(opts.Host)) // not for the double's own kernels
	report := s.text("REPORT")
	d.World().Report(func(fault string) { tell(report, "double: "+fault+"\n") })
	return d, nil
}

// tell writes a line to standard error and to a file. Processes append to one file.
func tell(file, line string) {
	fmt.Fprint(os.Stderr, line)
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer f.Close()
	fmt.Fprint(f, line)
}

// settings read the environment. The first error stays.
type settings struct {
	prefix string
	err    error
}

func (s *settings) text(name string) string { return os.Getenv(s.prefix + name) }

func (s *settings) number(name string) int {
	text := s.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	s.note(name, err)
	return n
}

func (s *settings) numbers(name string) (list []int) {
	for _, field := range strings.FieldsFunc(s.text(name), func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(field)
		s.note(name, err)
		list = append(list, n)
	}
	return list
}

func (s *settings) duration(name string) time.Duration {
	text := s.text(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	s.note(name, err)
	return d
}

func (s *settings) note(name string, err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s%s: %w", s.prefix, name, err)
	}
}
