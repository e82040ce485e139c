package core_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// TestLargeEvaluationsAreHandedOver holds that what costs much never runs on the calling thread, which may hold the
// GIL, even if its result is small.
func TestLargeEvaluationsAreHandedOver(t *testing.T) {
	hostAlone(t, "devices never compute on the calling thread, and a small one has no room for these")
	wide := func(d dtype.Dtype, shape ...int) *core.Array {
		return core.BroadcastTo(vector(d, []int{1}, []float64{1}), shape)
	}
	big := held(t, func() []*core.Array { return []*core.Array{core.Contiguous(wide(dtype.Float32, 1<<10, 1<<10))} })[0]
	if err := core.Eval(big); err != nil {
		t.Fatal(err)
	}
	as := held(t, func() []*core.Array {
		turned := core.TransposeAll(big)
		at := []core.IndexItem{{Kind: core.IndexArray, Array: wide(dtype.Int32, 1<<20)}}
		return []*core.Array{
			core.Contiguous(turned), core.Reshape(turned, []int{-1}),
			core.IndexUpdate(vector(dtype.Float32, []int{3}, []float64{1, 2, 3}), at, wide(dtype.Float32, 1),
				core.UpdateAdd),
		}
	})
	for _, a := range as {
		if err := ended(start(t, false, a)).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFilesGiveUp counts how often saves and loads look whether the caller gave up: once in a MiB of elements, in a MiB
// of header, and in a few thousand arrays. Given up at any look they end, and leave the old file or none.
func TestFilesGiveUp(t *testing.T) {
	const elements = 1 << 21
	large := held(t, func() []*core.Array { return []*core.Array{vector(dtype.Float64, []int{elements}, nil)} })
	small := held(t, func() []*core.Array {
		out := make([]*core.Array, 8_000)
		for i := range out {
			out[i] = vector(dtype.Float64, []int{1}, []float64{1})
		}
		return out
	})
	empty := held(t, func() []*core.Array {
		out := make([]*core.Array, len(small))
		for i := range out {
			out[i] = vector(dtype.Float64, []int{0}, nil)
		}
		return out
	})
	names := make([]string, len(small))
	for i := range names {
		names[i] = fmt.Sprintf("a rather long name of an array, of which there are many: %d", i)
	}
	for name, c := range map[string]struct {
		kind   string
		arrays []*core.Array
		looks  int
	}{
		"npy": {"npy", large, 16}, "npz": {"npz", large, 16}, "safetensors": {"safetensors", large, 16},
		"many in npz": {"npz", small, 4}, "many in safetensors": {"safetensors", small, 4},
		"empty in npz": {"npz", empty, 8}, "empty in safetensors": {"safetensors", empty, 4},
	} {
		path := filepath.Join(t.TempDir(), "x."+c.kind)
		try := func(op string, f func(canceled func() bool) *errs.Error) {
			looks := 0
			if err := f(func() bool { looks++; return false }); err != nil {
				t.Fatal(name, op, err)
			}
			if looks < c.looks {
				t.Errorf("%s: %s looks %d times, not %d", name, op, looks, c.looks)
			}
			for at := 1; at < looks; at += 2*at + 1 {
				n := 0
				if err := f(func() bool { n++; return n >= at }); err == nil || err.Kind != errs.Interrupted {
					t.Errorf("%s: %s given up at look %d of %d: %v", name, op, at, looks, err)
				}
				if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
					t.Errorf("%s: %s leaves %d files", name, op, len(files))
				}
			}
		}
		try("save", func(canceled func() bool) *errs.Error {
			return core.Save(path, c.kind, core.Saved{Names: names, Arrays: c.arrays, Canceled: canceled})
		})
		try("load", func(canceled func() bool) *errs.Error {
			loaded, err := core.Load(path, "", canceled)
			if err == nil {
				loaded.Free()
			}
			return err
		})
	}
}
