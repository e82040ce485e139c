package core_test

import (
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// ask calls a function of the table as the extension does.
func ask(name string, args ...core.Arg) []*core.Array {
	f := core.FuncNamed(name)
	return core.Do(&core.Request{Op: core.FuncRequest, Func: f, Args: append(args, f.Defaults[len(args):]...)})
}

func given(a *core.Array) core.Arg { return core.Arg{Kind: core.ArgArray, Array: a} }

func ints(list ...int) core.Arg {
	a := core.Arg{Kind: core.ArgList}
	for _, n := range list {
		a.List = append(a.List, core.Arg{Kind: core.ArgInt, Int: int64(n)})
	}
	return a
}

// recorded is the script of f for an argument of this shape.
func recorded(t *testing.T, f func(x *core.Array) []*core.Array, shape ...int) *core.Script {
	t.Helper()
	x := core.Placeholders(0, []*core.Array{filled(shape...)})
	number := core.NewRecorder(x)
	core.UseRecorder(number)
	outs := f(x[0])
	core.UseRecorder(0)
	return core.EndRecorder(number, outs)
}

func filled(shape ...int) *core.Array {
	return vector(dtype.Float32, shape, make([]float64, layout.Size(shape)))
}

func wantShapes(t *testing.T, s *core.Script, x *core.Array, want ...layout.Shape) {
	t.Helper()
	outs, ok := s.Play([]*core.Array{x})
	if !ok {
		t.Fatalf("the script does not fit %v", x.Shape())
	}
	for i, y := range outs {
		if !layout.Equal(y.Shape(), want[i]) {
			t.Errorf("result %d for %v has shape %v, not %v", i, x.Shape(), y.Shape(), want[i])
		}
	}
}

// TestScriptsAskAgain: results given back as they are at the recorded shape are not at others.
func TestScriptsAskAgain(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	s := recorded(t, func(x *core.Array) []*core.Array {
		y := ask("reshape", given(x), ints(-1, 4))[0]
		return []*core.Array{y, x, ask("mean", given(y))[0], ask("zeros_like", given(y))[0]}
	}, 3, 4)
	defer s.Free()
	wantShapes(t, s, filled(3, 4), []int{3, 4}, []int{3, 4}, nil, []int{3, 4})
	wantShapes(t, s, filled(2, 8), []int{4, 4}, []int{2, 8}, nil, []int{4, 4})
	if _, ok := s.Play([]*core.Array{filled(3, 3)}); ok {
		t.Error("a reshape that cannot be done was played")
	}
	if _, ok := s.Play([]*core.Array{filled(12)}); ok {
		t.Error("a script for matrices was played over a vector")
	}
}

// TestScriptsHoldToWhatWasSeen: a note of an argument, of a result, and of two.
func TestScriptsHoldToWhatWasSeen(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	see := func(what core.Seen, of func(x *core.Array) *core.Array) *core.Script {
		return recorded(t, func(x *core.Array) []*core.Array {
			core.Note(what, of(x), x)
			return []*core.Array{x}
		}, 3, 4)
	}
	argument := func(x *core.Array) *core.Array { return x }
	column := func(x *core.Array) *core.Array {
		return ask("sum", given(x), core.Arg{Kind: core.ArgInt, Int: 1}, core.Arg{Kind: core.ArgBool, Int: 1})[0]
	}
	constant := func(*core.Array) *core.Array { return ask("zeros", ints(3))[0] }
	for _, c := range []struct {
		what core.Seen
		of   func(x *core.Array) *core.Array
		fits [3]bool // (3, 5), (6, 2), (3, 1)
	}{
		{core.SeenShape, argument, [3]bool{}}, {core.SeenShape, column, [3]bool{true, false, true}},
		{core.SeenSize, argument, [3]bool{false, true, false}}, {core.SeenLength, argument, [3]bool{true, false, true}},
		{core.SeenRank, column, [3]bool{true, true, true}}, {core.SeenSame, column, [3]bool{true, true, false}},
		{core.SeenEmpty, argument, [3]bool{true, true, true}},
		{core.SeenValue, column, [3]bool{}}, {core.SeenValue, constant, [3]bool{true, true, true}},
	} {
		s := see(c.what, c.of)
		for i, shape := range [][]int{{3, 5}, {6, 2}, {3, 1}} {
			if _, ok := s.Play([]*core.Array{filled(shape...)}); ok != c.fits[i] {
				t.Errorf("seen %d: fits %v: %t", c.what, shape, ok)
			}
		}
		if _, ok := s.Play([]*core.Array{filled(3, 4)}); !ok {
			t.Errorf("seen %d: the script does not fit the shape of the recorded run", c.what)
		}
		s.Free()
	}
}

// TestScriptsDrawFromTheStateTheyAreGiven: playing leaves the state alone, and constants draw nothing.
func TestScriptsDrawFromTheStateTheyAreGiven(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	core.SetRandomState(core.KeyOf(1))
	s := recorded(t, func(x *core.Array) []*core.Array {
		return []*core.Array{ask("random.normal", ints(2))[0], core.RandomState(), x}
	}, 3)
	defer s.Free()
	before := core.RandomState()
	outs, ok := s.Play([]*core.Array{filled(5)})
	if !ok || core.RandomState() != before || outs[1] == before || len(outs[1].Inputs()) == 0 {
		t.Error("the state of a script is not its own")
	}
}

// TestWhatWasNotRecordedIsNotPlayed: nobody knows what an array depends on that was computed beside the recorder.
func TestWhatWasNotRecordedIsNotPlayed(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	beside := func(x *core.Array) *core.Array {
		return core.CallFunc(core.FuncNamed("ones_like"), []core.Arg{given(x)})[0]
	}
	if recorded(t, func(x *core.Array) []*core.Array { return []*core.Array{beside(x)} }, 3) != nil {
		t.Error("a result is of unknown origin")
	}
	s := recorded(t, func(x *core.Array) []*core.Array { return ask("matmul", given(x), given(beside(x))) }, 3)
	if s != nil {
		t.Error("an operand is of unknown origin")
	}
}
