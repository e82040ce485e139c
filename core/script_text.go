package core

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// A Script as text, for files: JSON in which functions, rows, parameters and dtypes have the names that they have in
// Python, so that a file outlives the numbering of this version. Places count arguments first, then constants, then
// results in the order of the steps. What a file cannot hold is left out: streams other than the caller's, and rules
// of custom functions, which are Python's; derivatives taken within the function keep what the rules gave.

// scriptVersion is of the text. Files of a later version are refused.
const scriptVersion = 1

type textScript struct {
	Version   int         `json:"version"`
	Inputs    []textInput `json:"inputs"`
	Constants int         `json:"constants"`
	Needs     []*textNeed `json:"needs,omitempty"`
	Steps     []textStep  `json:"steps"`
	Outs      []place     `json:"outs"`
}

type textInput struct {
	Dtype string `json:"dtype"`
	Shape []int  `json:"shape"`
}

type textStep struct {
	Do      string             `json:"do"`
	Name    string             `json:"name,omitempty"`
	Args    []jsonArg          `json:"args,omitempty"`
	Named   map[string]jsonArg `json:"named,omitempty"`
	Items   []textItem         `json:"items,omitempty"`
	Numbers []int              `json:"numbers,omitempty"`
	Lists   [][]place          `json:"lists,omitempty"`
	Out     []textOut          `json:"out,omitempty"`
	Key     []place            `json:"key,omitempty"`
	Number  uint64             `json:"number,omitempty"`
	Asks    *textAsks          `json:"asks,omitempty"`
	Sees    *textNeed          `json:"sees,omitempty"`
}

type textOut struct {
	At    place  `json:"at"`
	Dtype string `json:"dtype,omitempty"`
}

type textItem struct {
	Kind  string `json:"kind"`
	Int   int    `json:"int,omitempty"`
	Start *int   `json:"start,omitempty"`
	Stop  *int   `json:"stop,omitempty"`
	Step  *int   `json:"step,omitempty"`
	Array *place `json:"array,omitempty"`
	Count *place `json:"count,omitempty"`
}

type textAsks struct {
	Rule   string `json:"rule"`
	Depth  int    `json:"depth,omitempty"`
	Counts []int  `json:"counts"`
}

type textNeed struct {
	What   string `json:"what"`
	Of     place  `json:"of"`
	Beside *place `json:"beside,omitempty"`
	Want   []int  `json:"want"`
}

var (
	requestNames = []string{"row", "function", "stack", "astype", "view", "contiguous", "copy", "property", "index",
		"update", "stand_ins", "placeholders", "vmap_inputs", "checkpoint", "custom", "begin", "end", "moment", "grad",
		"vjp", "jvp", "vmap_outputs", "answer", "check"}
	itemNames = []string{"int", "slice", "newaxis", "ellipsis", "array", "bool"}
	ruleNames = []string{"vjp", "jvp", "vmap"}
	seenNames = []string{"shape", "rank", "size", "length", "empty", "same", "value"}
)

// jsonArg is an Arg. An array is the place it comes from; others than None, bools, integers, strings and lists say what
// they are, and floats are hexadecimal, which holds all of them.
type jsonArg struct {
	Arg
	at   place
	list []jsonArg
}

func (a jsonArg) MarshalJSON() ([]byte, error) {
	hex := func(v float64) string { return strconv.FormatFloat(v, 'x', -1, 64) }
	switch a.Kind {
	case ArgBool:
		return json.Marshal(a.Int != 0)
	case ArgInt:
		return json.Marshal(a.Int)
	case ArgFloat:
		return json.Marshal(map[string]any{"float": hex(a.Float)})
	case ArgComplex:
		return json.Marshal(map[string]any{"complex": []string{hex(a.Float), hex(a.Imag)}})
	case ArgString:
		return json.Marshal(a.Str)
	case ArgArray:
		return json.Marshal(map[string]any{"array": a.at})
	case ArgDtype:
		return json.Marshal(map[string]any{"dtype": dtype.Dtype(a.Int).String()})
	case ArgList:
		return json.Marshal(a.list)
	case ArgBigUint:
		return json.Marshal(map[string]any{"uint": strconv.FormatUint(uint64(a.Int), 10)})
	}
	return []byte("null"), nil
}

// writer numbers the places of a script anew.
type scriptWriter struct {
	script *Script
	places map[place]place
	arrays []*Array // constants
	times  map[uint64]uint64
}

// Text is the script for a file, and its constants in order.
func (s *Script) Text() (string, []*Array) {
	w := &scriptWriter{script: s, places: map[place]place{nowhere: nowhere}, times: map[uint64]uint64{0: 0}}
	t := textScript{Version: scriptVersion, Steps: []textStep{}, Outs: []place{}}
	t.Inputs = s.textInputs()
	for i := range s.ins {
		w.add(place(i))
	}
	for _, c := range s.constants {
		if c.array.op != ruleOp {
			w.add(c.at)
			w.arrays = append(w.arrays, c.array)
		}
	}
	t.Constants = len(w.arrays)
	for _, n := range s.needs {
		t.Needs = append(t.Needs, w.need(n))
	}
	for _, st := range s.steps {
		t.Steps = append(t.Steps, w.step(st))
	}
	for _, p := range s.outs {
		t.Outs = append(t.Outs, w.places[p])
	}
	text, err := json.Marshal(&t)
	if err != nil {
		panic(err)
	}
	return string(text), w.arrays
}

func (s *Script) textInputs() []textInput {
	list := []textInput{}
	for _, a := range s.ins {
		list = append(list, textInput{a.dtype.String(), append([]int{}, a.shape...)})
	}
	return list
}

func (w *scriptWriter) add(p place) place {
	n := place(len(w.places) - 1)
	w.places[p] = n
	return n
}

// time is a moment as the how manieth it is.
func (w *scriptWriter) time(moment uint64) uint64 {
	n, known := w.times[moment]
	if !known {
		n = uint64(len(w.times))
		w.times[moment] = n
	}
	return n
}

func (w *scriptWriter) need(n need) *textNeed {
	t := &textNeed{What: seenNames[n.what], Of: w.places[n.of], Want: append([]int{}, n.want...)}
	if n.beside != nowhere {
		p := w.places[n.beside]
		t.Beside = &p
	}
	return t
}

func (w *scriptWriter) step(st *step) textStep {
	t := textStep{Do: requestNames[st.Op], Numbers: slices.Clone(st.Numbers), Number: st.number}
	from := st.from
	next := func() place {
		p := from[0]
		from = from[1:]
		return w.places[p]
	}
	switch st.Op {
	case RowRequest:
		t.Name, t.Args = st.Row.Name, textArgs(st.Args, next)
	case FuncRequest:
		t.Name, t.Named = st.Func.Name, map[string]jsonArg{}
		for i, a := range textArgs(st.Args, next) {
			t.Named[st.Func.paramNames()[i]] = a
		}
	case BeginRequest, BornRequest:
		t.Number = w.time(st.number)
	case checkRequest:
		t.Sees = w.need(st.need)
	case TracersRequest, PlaceholdersRequest, VMapInputsRequest, CheckpointRequest, EndRequest:
		t.Numbers[0] = int(w.time(uint64(t.Numbers[0])))
	}
	for _, it := range st.Items {
		t.Items = append(t.Items, textOfItem(it, next))
	}
	for _, list := range st.Lists {
		places := []place{}
		for range list {
			places = append(places, next())
		}
		t.Lists = append(t.Lists, places)
	}
	if st.Op == CustomRequest {
		t.Numbers, t.Lists = []int{w.mask(st)}, t.Lists[:2]
	}
	if st.asked != nil {
		t.Asks = &textAsks{ruleNames[st.asked.which], st.asked.depth, append([]int{}, st.asked.counts...)}
	}
	for i, p := range st.outs {
		if p == nowhere {
			t.Out = append(t.Out, textOut{At: nowhere})
		} else {
			t.Out = append(t.Out, textOut{w.add(p), st.types[i].String()})
		}
	}
	if st.key[0] != nowhere {
		t.Key = []place{w.places[st.key[0]], w.add(st.key[1])}
	}
	return t
}

func textArgs(args []Arg, next func() place) []jsonArg {
	out := make([]jsonArg, len(args))
	for i, a := range args {
		out[i] = jsonArg{Arg: a, at: nowhere}
		switch a.Kind {
		case ArgArray:
			out[i].at = next()
		case ArgList:
			out[i].list = textArgs(a.List, next)
		}
	}
	return out
}

func textOfItem(it IndexItem, next func() place) textItem {
	t := textItem{Kind: itemNames[it.Kind], Int: it.Int}
	bound := func(has bool, v int) *int {
		if !has {
			return nil
		}
		return &v
	}
	switch it.Kind {
	case IndexSlice:
		t.Start, t.Stop, t.Step = bound(it.HasStart, it.Start), bound(it.HasStop, it.Stop), bound(it.HasStep, it.Step)
	case IndexArray:
		a, count := next(), next()
		t.Array = &a
		if count != nowhere {
			t.Count = &count
		}
	}
	return t
}

// paramNames are the parameters of f that Go reads, as Python knows them.
func (f *Func) paramNames() []string {
	var names []string
	for i := range f.Defaults {
		names = append(names, f.Signature.Params[i].Name)
	}
	return names
}

// mask has a bit for each transform for which the custom function of a step has a rule.
func (w *scriptWriter) mask(st *step) int {
	if len(st.Lists) == 2 { // it was read itself
		return st.Numbers[0]
	}
	n, at := 0, st.from[len(st.from)-1]
	for _, c := range w.script.constants {
		if c.at != at {
			continue
		}
		for kind, has := range c.array.attr.(*Rules).Has {
			if has {
				n |= 1 << kind
			}
		}
	}
	return n
}
