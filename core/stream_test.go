package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// TestArrayStaysSmall: a node's stream lies in what was padding.
func TestArrayStaysSmall(t *testing.T) {
	if n := unsafe.Sizeof(core.Array{}); n != 200 {
		t.Errorf("an array takes %d bytes, not 200", n)
	}
}

// streamFunctions are functions of x, w, i and k as TestVMapOfEveryOp knows them, one for each way to build nodes.
func streamFunctions() map[string]func(xs []*core.Array) []*core.Array {
	all := map[string]func(xs []*core.Array) []*core.Array{}
	for _, text := range batchable {
		all[text] = func(xs []*core.Array) []*core.Array {
			c := newCaller()
			c.env["x"], c.env["w"], c.env["i"], c.env["k"] = xs[0], xs[1], xs[2], xs[3]
			return c.eval(text)
		}
	}
	for _, r := range table.Rows {
		all["row "+r.Name] = func(xs []*core.Array) []*core.Array {
			args := make([]*core.Array, len(r.Args))
			for k := range args {
				if args[k] = xs[k%2]; k%2 == 1 {
					args[k] = core.Reshape(xs[1], []int{2, 3})
				}
				if !r.Types.Has(dtype.Float64) && !r.Types.Float {
					args[k] = core.AsType(args[k], dtype.Int32)
				}
			}
			if r.Types.First {
				args[0] = core.AsType(args[0], dtype.Bool)
			}
			return []*core.Array{applyRow(r, args)}
		}
	}
	return all
}

// streamArguments are one set of arguments; with n > 0 a batch of them.
func streamArguments(n int) []*core.Array {
	shapes := [][]int{{2, 3}, {3, 2}, {3}, {2}}
	types := []dtype.Dtype{dtype.Float64, dtype.Float64, dtype.Int32, dtype.Uint32}
	ins := make([]*core.Array, len(shapes))
	for k, shape := range shapes {
		if n > 0 {
			shape = append([]int{n}, shape...)
		}
		v := wave(layout.Size(shape), float64(k))
		for j := range v {
			if k > 1 {
				v[j] = float64(j % 2)
			}
		}
		ins[k] = vector(types[k], shape, v)
	}
	return ins
}

// TestRulesInheritStreams: whatever a transform builds for a node is on that node's stream.
func TestRulesInheritStreams(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	defer core.PickStream(core.StreamPicker())
	core.PickStream(nil)
	s := core.NewStream(0, true)
	for text, f := range streamFunctions() {
		check := func(what string, since uint64, outs []*core.Array) {
			if got := core.StreamsSince(outs, since); len(got) > 1 || len(got) == 1 && !got[s] {
				t.Errorf("%s of %s: on streams %v, not %d", what, text, got, s)
			}
			if now := core.CurrentStream(); now != 0 {
				t.Fatalf("%s of %s leaves stream %d behind", what, text, now)
			}
		}
		core.UseStream(s)
		since := core.Born()
		xs := core.Tracers(streamArguments(0))
		ys := f(xs)
		ones := func(like []*core.Array) []*core.Array {
			out := make([]*core.Array, len(like))
			for i, y := range like {
				out[i] = core.BroadcastTo(core.AsType(core.AsArray(&core.Arg{Kind: core.ArgInt, Int: 1}), y.Dtype()),
					y.Shape())
			}
			return out
		}
		cts, tangents := ones(ys), ones(xs)
		batch := streamArguments(3)
		axes := []int{0, 0, 0, 0}
		ps := core.VMapInputs(0, batch, axes)
		mapped := f(ps)
		core.UseStream(0)
		check("the graph", since, slices.Concat(ys, mapped))

		since = core.Born()
		check("gradient", since, core.VJP(ys, xs, cts))
		if isLoss(ys) {
			check("grad", since, core.Grad(ys, xs))
		}
		check("tangent", since, core.JVP(ys, xs, tangents))
		to := make([]int, len(mapped))
		check("batch", since, core.VMapOutputs(batch, ps, axes, mapped, to))

		core.UseStream(s)
		segment := core.Checkpoint(ys, core.Born())
		trace := core.NewTrace(xs, ys)
		core.UseStream(0)
		check("segment", since, segment)
		check("gradient through a segment", since, core.VJP(segment, xs, cts))
		again := trace.Call(streamArguments(0))
		if got := core.StreamsSince(again, since); len(got) > 1 || !got[0] && len(got) > 0 {
			t.Errorf("%s again, on the stream that is current: on %v", text, got)
		}
		trace.Free()
		elsewhere := core.Tracers(streamArguments(0))
		core.UseStream(s)
		outs := f(elsewhere)
		core.UseStream(0)
		trace, since = core.NewTrace(elsewhere, outs), core.Born()
		check("replay", since, onlyNew(trace.Call(elsewhere), elsewhere))
		trace.Free()
	}
}

// isLoss reports whether ys are what gradients are taken of.
func isLoss(ys []*core.Array) bool {
	return len(ys) == 1 && ys[0].NDim() == 0 && ys[0].Dtype().IsInexact()
}

// onlyNew are those of ys that are none of xs.
func onlyNew(ys, xs []*core.Array) []*core.Array {
	return slices.DeleteFunc(slices.Clone(ys), func(y *core.Array) bool { return slices.Contains(xs, y) })
}

// TestStreamsOfAChain: each part of a derivative or batch is on the stream of its own node, and a rule that panics
// leaves no stream behind.
func TestStreamsOfAChain(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	defer core.PickStream(core.StreamPicker())
	core.PickStream(nil)
	a, b := core.NewStream(0, true), core.NewStream(0, true)
	chain := func(xs []*core.Array) *core.Array {
		defer core.UseStream(0)
		core.UseStream(a)
		y := applyRow(table.FindRow("sin"), xs)
		core.UseStream(b)
		return applyRow(table.FindRow("exp"), []*core.Array{y})
	}
	batch := streamArguments(3)[:1]
	p := core.VMapInputs(0, batch, []int{0})
	example := chain(p)
	since := core.Born()
	mapped := core.VMapOutputs(batch, p, []int{0}, []*core.Array{example}, []int{0})
	if got := core.StreamsSince(mapped, since); !got[a] || !got[b] || len(got) != 2 || mapped[0].Stream() != b {
		t.Errorf("the batch is on %v, not on %d and %d", got, a, b)
	}
	x := core.Tracers(streamArguments(0)[:1])
	z := chain(x)
	since = core.Born()
	g := core.Grad([]*core.Array{z}, x)
	if got := core.StreamsSince(g, since); !got[a] || !got[b] || len(got) != 2 {
		t.Errorf("the gradient is on %v, not on %d and %d", got, a, b)
	}
	if g[0].Stream() != a {
		t.Errorf("the gradient of the first op is on %d, not %d", g[0].Stream(), a)
	}
	func() {
		defer func() {
			if e := fmt.Sprint(recover()); !strings.Contains(e, "internal error") {
				t.Errorf("no panic: %s", e)
			}
			if now := core.CurrentStream(); now != 0 {
				t.Errorf("a rule that panics leaves stream %d", now)
			}
		}()
		core.VJP([]*core.Array{core.Wrong(z)}, x, []*core.Array{z})
	}()
}

// TestStreamNames: a stream that is given to somebody else gets a name that nobody saw before.
func TestStreamNames(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	defer core.PickStream(core.StreamPicker())
	core.PickStream(nil)
	a, b := core.NewStream(0, true), core.NewStream(0, true)
	_, first := core.StreamNames(a)
	_, second := core.StreamNames(b)
	core.RenewStream(a, true)
	dev, third := core.StreamNames(a)
	if a == 0 || b == 0 || a == b || dev != 0 || first >= second || second >= third {
		t.Errorf("streams %d and %d have the names %d, %d and %d of device %d", a, b, first, second, third, dev)
	}
	if d := core.Devices(); d[0] != (core.DeviceName{Type: d[0].Type}) { // others may have been added by tests
		t.Errorf("the devices are %v", d)
	}
}
