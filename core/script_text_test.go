package core_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// of1 asks for something of an array and a number.
func of1(op core.RequestOp, x *core.Array, number int) *core.Array { return core.DoOne(op, x, number) }

// written are functions of a (2,3) matrix that, together, ask for all there is in a file.
var written = map[string]func(x *core.Array) []*core.Array{
	"rows and functions": func(x *core.Array) []*core.Array {
		y := core.Do(&core.Request{Op: core.RowRequest, Row: table.FindRow("add"), Args: []core.Arg{given(x),
			{Kind: core.ArgComplex, Float: 1, Imag: -2}}})[0]
		z := ask("pad", given(x), core.Arg{Kind: core.ArgInt, Int: 1}, core.Arg{Kind: core.ArgString, Str: "edge"})
		w := ask("concatenate", core.Arg{Kind: core.ArgList, List: []core.Arg{given(x), given(x)}},
			core.Arg{Kind: core.ArgInt, Int: 0})
		v := ask("sum", given(x), core.Arg{}, core.Arg{Kind: core.ArgBool, Int: 1})
		u := core.Do(&core.Request{Op: core.RowRequest, Row: table.FindRow("add"), Args: []core.Arg{
			given(of1(core.AsTypeRequest, x, int(dtype.Uint64))), {Kind: core.ArgBigUint, Int: -1}}})
		drawn := ask("random.normal", ints(2))
		return slices.Concat([]*core.Array{y}, z, w, v, u, drawn, []*core.Array{core.RandomState()})
	},
	"arrays and numbers": func(x *core.Array) []*core.Array {
		stacked := core.Do(&core.Request{Op: core.StackRequest, Numbers: []int{-1}, Lists: [][]*core.Array{{x, x}}})[0]
		return []*core.Array{stacked, of1(core.BitcastRequest, x, int(dtype.Int32)), of1(core.ContiguousRequest, x, 0),
			of1(core.CopyRequest, x, -1), of1(core.ViewRequest, x, int(core.ViewMT))}
	},
	"subscripts": func(x *core.Array) []*core.Array {
		at := ask("arange", core.Arg{Kind: core.ArgInt, Int: 2})[0]
		items := []core.IndexItem{{Kind: core.IndexEllipsis}, {Kind: core.IndexNewAxis},
			{Kind: core.IndexSlice, Start: 1, HasStart: true, Step: -1, HasStep: true}}
		part := core.Do(&core.Request{Op: core.IndexRequest, Items: items, Lists: [][]*core.Array{{x}}})[0]
		items = []core.IndexItem{{Kind: core.IndexArray, Array: at}, {Kind: core.IndexInt, Int: -1}}
		changed := core.Do(&core.Request{Op: core.UpdateRequest, Items: items, Numbers: []int{int(core.UpdateAdd)},
			Lists: [][]*core.Array{{x, ask("sum", given(x))[0]}}})[0]
		core.Note(core.SeenShape, x, x)
		core.Note(core.SeenSame, part, changed)
		return []*core.Array{part, changed}
	},
	"transforms": func(x *core.Array) []*core.Array {
		began := core.StartTransform()
		moment := int(core.Moment())
		t := core.Do(&core.Request{Op: core.TracersRequest, Numbers: []int{int(began)}, Lists: [][]*core.Array{{x}}})
		y := ask("sum", given(ask("softmax", given(t[0]))[0]))
		y = core.Do(&core.Request{Op: core.CheckpointRequest, Numbers: []int{moment}, Lists: [][]*core.Array{y}})
		gradient, _ := core.StartWalk(&core.Request{Op: core.GradRequest, Lists: [][]*core.Array{y, t}})
		pulled, _ := core.StartWalk(&core.Request{Op: core.VJPRequest, Lists: [][]*core.Array{t, t, {x}}})
		pushed, _ := core.StartWalk(&core.Request{Op: core.JVPRequest, Lists: [][]*core.Array{y, t, {x}}})
		core.EndTransform(began)
		began = core.StartTransform()
		rows := core.Do(&core.Request{Op: core.VMapInputsRequest, Numbers: []int{int(began), 1},
			Lists: [][]*core.Array{{x}}})
		z := ask("cumsum", given(rows[0]))
		batch, _ := core.StartWalk(&core.Request{Op: core.VMapOutputsRequest, Numbers: []int{1, 0},
			Lists: [][]*core.Array{{x}, rows, z}})
		core.EndTransform(began)
		return slices.Concat(gradient.Outs(), pulled.Outs(), pushed.Outs(), batch.Outs())
	},
	"rules": func(x *core.Array) []*core.Array {
		rules := core.NewRules(&core.Rules{Has: [3]bool{core.VJPRule: true}}, func() {})
		t := core.Do(&core.Request{Op: core.TracersRequest, Numbers: []int{0}, Lists: [][]*core.Array{{x}}})
		values := ask("softmax", given(t[0]))
		y := core.Do(&core.Request{Op: core.CustomRequest, Lists: [][]*core.Array{t, values, {rules}}})
		w, c := core.StartWalk(&core.Request{Op: core.GradRequest, Lists: [][]*core.Array{ask("sum", given(y[0])), t}})
		if c = w.GoOn([]*core.Array{c.Lists[1][0]}); c != nil {
			panic("a second rule")
		}
		return w.Outs()
	},
}

func writtenNames() []string { return slices.Sorted(maps.Keys(written)) }

func bytesOf(text string) *strings.Reader { return strings.NewReader(text) }

func textOf(t testing.TB, name string) (text string, constants []*core.Array) {
	t.Helper()
	x := core.Placeholders(0, []*core.Array{filled(2, 3)})
	number := core.NewRecorder(x)
	core.UseRecorder(number)
	outs := written[name](x[0])
	core.UseRecorder(0)
	s := core.EndRecorder(number, outs)
	if s == nil {
		t.Fatalf("%s cannot be played", name)
	}
	text, constants = s.Text()
	return text, constants
}

// TestScriptsComeBackFromText: a script that was read gives what the one that was written gives, and its own text.
func TestScriptsComeBackFromText(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	for name := range written {
		text, constants := textOf(t, name)
		s := core.ReadScript(text, constants)
		if again, _ := s.Text(); again != text {
			t.Errorf("%s: written as\n%s\nread and written again as\n%s", name, text, again)
		}
		before := core.RandomState()
		outs, err := s.TryPlay([]*core.Array{filled(2, 3)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := written[name](filled(2, 3))
		if len(outs) != len(want) {
			t.Fatalf("%s: %d results, not %d", name, len(outs), len(want))
		}
		for i, y := range outs {
			if y.Dtype() != want[i].Dtype() || !layout.Equal(y.Shape(), want[i].Shape()) {
				t.Errorf("%s: result %d is %s %v, not %s %v", name, i, y.Dtype(), y.Shape(), want[i].Dtype(),
					want[i].Shape())
			}
		}
		core.SetRandomState(before)
		s.Free()
	}
}

// FuzzScript: whatever a text says, it is refused with an error of ours, or played, or refused when it is played.
func FuzzScript(f *testing.F) {
	core.Lock()
	for name := range written {
		text, constants := textOf(f, name)
		f.Add(text, uint8(len(constants)))
	}
	core.Unlock()
	f.Fuzz(func(t *testing.T, text string, count uint8) {
		readAndPlay(t, text, func() []*core.Array {
			constants := make([]*core.Array, count%8)
			for i := range constants {
				constants[i] = vector(dtype.Int32, []int{2}, []float64{1, 0})
			}
			return constants
		})
	})
}

// readAndPlay fails where something but results and errors of ours come of a text.
func readAndPlay(t *testing.T, text string, constants func() []*core.Array) {
	core.Lock()
	outs := played(t, text, constants())
	small := len(outs) > 0
	for _, y := range core.Nodes(outs) {
		small = small && y.Size() <= 1<<12
	}
	for _, y := range outs {
		y.Hold()
	}
	core.Unlock()
	if small {
		if err := core.Eval(outs...); err != nil && !strings.HasPrefix(err.Msg, "[") {
			t.Errorf("%v of %s", err, text)
		}
	}
	core.Lock()
	defer core.Unlock()
	for _, y := range outs {
		core.ReleaseIDs([]uint32{y.ID()})
	}
}

func played(t *testing.T, text string, constants []*core.Array) (outs []*core.Array) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *errs.Error:
			if !strings.HasPrefix(r.Msg, "[") {
				t.Errorf("an error without an op: %s", r.Msg)
			}
		case error:
			var e *errs.Error
			if !errors.As(r, &e) {
				t.Errorf("%v of %s", r, text)
			}
		default:
			t.Errorf("%v of %s", r, text)
		}
	}()
	s := core.ReadScript(text, constants)
	defer s.Free()
	var inputs []*core.Array
	for _, in := range core.InputsOf(s) {
		if layout.Size(in.Shape) > 1<<10 {
			return nil
		}
		inputs = append(inputs, vector(in.Dtype, in.Shape, make([]float64, layout.Size(in.Shape))))
	}
	outs, _ = s.TryPlay(inputs)
	return outs
}
