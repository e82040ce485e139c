package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/signature"
	"github.com/mlx-go/mlx_go/core/table"
)

// Reading trusts nothing of a file: every place is defined once and before it is used, every request has the form that
// its op needs, and arguments are of the types that signatures name. What remains can go wrong in the ways in which a
// call from Python can.

// Inputs describes the arguments of the script, as JSON.
func (s *Script) Inputs() string {
	text, err := json.Marshal(s.textInputs())
	if err != nil {
		panic(err)
	}
	return string(text)
}

// ReadScript is the script of a text, over constants read beside it.
func ReadScript(text string, constants []*Array) *Script {
	var t textScript
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	var version struct{ Version int }
	if json.Unmarshal([]byte(text), &version) == nil && version.Version > scriptVersion {
		errs.Throw(errs.ValueError, "[import_function] the file has version %d, which is newer than %d",
			version.Version, scriptVersion)
	}
	if err := d.Decode(&t); err != nil {
		malformed("%v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		malformed("something follows the function")
	}
	if t.Version != scriptVersion {
		malformed("version %d", t.Version)
	}
	r := &scriptReader{script: &Script{}, times: map[int]bool{}, walks: map[uint64]*textAsks{}}
	r.read(&t, constants)
	for _, c := range r.script.constants {
		c.array.retain()
	}
	return r.script
}

func malformed(format string, args ...any) {
	errs.Throw(errs.ValueError, "[import_function] the file is malformed: %s", fmt.Sprintf(format, args...))
}

type scriptReader struct {
	script  *Script
	defined []bool
	times   map[int]bool         // whether a transform that began then has not ended
	walks   map[uint64]*textAsks // nil: over
	at      int                  // the step
}

func (r *scriptReader) read(t *textScript, constants []*Array) {
	n := len(t.Inputs) + len(constants)
	if t.Constants != len(constants) {
		malformed("%d constants, but %d arrays", t.Constants, len(constants))
	}
	for _, st := range t.Steps {
		n += len(st.Out) + 1 // of its key
	}
	r.defined = make([]bool, n)
	for i, in := range t.Inputs {
		d, ok := dtype.Parse(in.Dtype)
		if !ok {
			malformed("input %d has dtype %q", i, in.Dtype)
		}
		negative := slices.ContainsFunc(in.Shape, func(n int) bool { return n < 0 })
		if _, ok := layout.CheckedSize(in.Shape, 16); !ok || negative {
			malformed("input %d has shape %v", i, in.Shape)
		}
		r.script.ins = append(r.script.ins, argument{d, in.Shape})
		r.define(place(i))
	}
	for i, a := range constants {
		p := place(len(t.Inputs) + i)
		r.define(p)
		r.script.constants = append(r.script.constants, located{p, a})
	}
	for _, need := range t.Needs {
		n := r.need(need)
		if int(n.of) >= len(t.Inputs) || n.what == SeenSame {
			malformed("a need of no input")
		}
		r.script.needs = append(r.script.needs, n)
	}
	for i := range t.Steps {
		r.at = i
		r.script.steps = append(r.script.steps, r.step(&t.Steps[i]))
	}
	for _, p := range t.Outs {
		r.script.outs = append(r.script.outs, r.use(p))
	}
	r.script.places = n
}

func (r *scriptReader) refuse(format string, args ...any) {
	malformed("step %d: %s", r.at, fmt.Sprintf(format, args...))
}

func (r *scriptReader) define(p place) place {
	if p < 0 || int(p) >= len(r.defined) || r.defined[p] {
		r.refuse("result %d is defined twice, or beyond all others", p)
	}
	r.defined[p] = true
	return p
}

func (r *scriptReader) use(p place) place {
	if p < 0 || int(p) >= len(r.defined) || !r.defined[p] {
		r.refuse("there is no array %d yet", p)
	}
	return p
}

func (r *scriptReader) need(t *textNeed) need {
	if t == nil {
		r.refuse("a need of nothing")
	}
	what := slices.Index(seenNames[:SeenValue], t.What)
	if what < 0 {
		r.refuse("nobody sees the %q of an array", t.What)
	}
	n := need{note{Seen(what), r.use(t.Of), nowhere}, t.Want}
	if (n.what == SeenSame) != (t.Beside != nil) {
		r.refuse("%q is of one array or two", t.What)
	}
	if t.Beside != nil {
		n.beside = r.use(*t.Beside)
	}
	return n
}

func (r *scriptReader) step(t *textStep) *step {
	op := slices.Index(requestNames, t.Do)
	if op < 0 {
		r.refuse("nothing can %q", t.Do)
	}
	st := &step{Request: Request{Op: RequestOp(op), Numbers: t.Numbers}, key: [2]place{nowhere, nowhere},
		number: t.Number}
	switch st.Op {
	case RowRequest:
		st.Args = r.rowArgs(st, t)
	case FuncRequest:
		st.Args = r.funcArgs(st, t)
	}
	for i := range t.Items {
		st.Items = append(st.Items, r.item(st, &t.Items[i]))
	}
	for _, list := range t.Lists {
		for _, p := range list {
			if p != nowhere || st.Op != AnswerRequest {
				r.use(p)
			}
			st.from = append(st.from, p)
		}
		st.Lists = append(st.Lists, make([]*Array, len(list)))
	}
	r.form(st, t)
	for _, out := range t.Out {
		d, ok := dtype.Parse(out.Dtype)
		if out.At == nowhere && st.Op >= GradRequest {
			st.outs, st.types = append(st.outs, nowhere), append(st.types, 0)
			continue
		}
		if !ok {
			r.refuse("a result has dtype %q", out.Dtype)
		}
		st.outs, st.types = append(st.outs, r.define(out.At)), append(st.types, d)
	}
	if t.Key != nil {
		if len(t.Key) != 2 || st.Op >= TracersRequest {
			r.refuse("a random state that is none")
		}
		st.key = [2]place{r.use(t.Key[0]), r.define(t.Key[1])}
	}
	return st
}

// form refuses requests that lack something.
func (r *scriptReader) form(st *step, t *textStep) {
	forms := [...]struct{ numbers, lists, least int }{ // -1: any
		RowRequest: {0, 0, 0}, FuncRequest: {0, 0, 0}, StackRequest: {1, 1, 1}, AsTypeRequest: {1, 1, 1},
		BitcastRequest: {1, 1, 1}, ContiguousRequest: {1, 1, 1}, CopyRequest: {1, 1, 1}, ViewRequest: {1, 1, 1},
		IndexRequest: {0, 1, 1}, UpdateRequest: {1, 1, 2}, TracersRequest: {1, 1, 0}, PlaceholdersRequest: {-2, 0, 0},
		VMapInputsRequest: {-1, 1, 1}, CheckpointRequest: {1, 1, 0}, CustomRequest: {1, 2, 1}, BeginRequest: {0, 0, 0},
		EndRequest: {1, 0, 0}, BornRequest: {0, 0, 0}, GradRequest: {0, 2, 1}, VJPRequest: {0, 3, 1},
		JVPRequest: {0, 3, 1}, VMapOutputsRequest: {-1, 3, 1}, AnswerRequest: {0, 1, 0}, checkRequest: {0, 0, 0},
	}
	f := forms[st.Op]
	if f.numbers == -2 || f.numbers >= 0 && f.numbers != len(st.Numbers) || f.lists != len(st.Lists) {
		r.refuse("%s of %d lists and %d numbers", t.Do, len(st.Lists), len(st.Numbers))
	}
	if f.lists > 0 && len(st.Lists[0]) < f.least || t.Items != nil && st.Op != IndexRequest && st.Op != UpdateRequest ||
		t.Asks != nil && st.Op < GradRequest || (t.Sees != nil) != (st.Op == checkRequest) {
		r.refuse("%s that says too much or too little", t.Do)
	}
	within := func(lo, hi int) {
		if n := st.Numbers[0]; n < lo || n >= hi {
			r.refuse("%s is told %d", t.Do, n)
		}
	}
	length := func(i int) int { return len(st.Lists[i]) }
	ok := true
	switch st.Op {
	case StackRequest, CopyRequest:
		within(-1, int(dtype.Count))
	case AsTypeRequest, BitcastRequest:
		within(0, int(dtype.Count))
	case ViewRequest:
		within(0, int(ViewImag)+1)
	case UpdateRequest:
		within(0, int(UpdateMinimum)+1)
	case CustomRequest:
		within(0, 1<<ruleKinds)
		ok = length(1) > 0
	case VMapInputsRequest:
		ok = len(st.Numbers) == 1+length(0)
	case VMapOutputsRequest:
		ok = length(0) == length(1) && len(st.Numbers) == length(0)+length(2)
	case VJPRequest:
		ok = length(0) == length(2)
	case JVPRequest:
		ok = length(1) == length(2)
	case checkRequest:
		st.need = r.need(t.Sees)
	}
	if !ok {
		r.refuse("%s of lists that do not match", t.Do)
	}
	switch st.Op {
	case ContiguousRequest, CopyRequest, AsTypeRequest, BitcastRequest, ViewRequest, IndexRequest:
		if length(0) != 1 {
			r.refuse("%s of %d arrays", t.Do, length(0))
		}
	}
	r.time(st)
	if st.Op >= GradRequest && st.Op < checkRequest {
		r.walk(st, t)
	}
}

// time keeps the moments: begun once, ended once, and known where they are asked for.
func (r *scriptReader) time(st *step) {
	switch st.Op {
	case BeginRequest, BornRequest:
		n := int(st.number)
		if _, met := r.times[n]; met || n <= 0 {
			r.refuse("moment %d comes twice", n)
		}
		r.times[n] = st.Op == BeginRequest
	case EndRequest, TracersRequest, VMapInputsRequest, CheckpointRequest:
		n := st.Numbers[0]
		open, met := r.times[n]
		if !met && (n != 0 || st.Op == EndRequest) || st.Op == EndRequest && !open {
			r.refuse("there is no moment %d", n)
		}
		if st.Op == EndRequest {
			r.times[n] = false
		}
	}
}

// walk keeps what walks wait for.
func (r *scriptReader) walk(st *step, t *textStep) {
	waits, met := r.walks[st.number]
	if met != (st.Op == AnswerRequest) || met && waits == nil {
		r.refuse("walk %d waits for nothing", st.number)
	}
	r.walks[st.number] = t.Asks
	if t.Asks == nil {
		return
	}
	n, rule := 0, slices.Index(ruleNames, t.Asks.Rule)
	for _, count := range t.Asks.Counts {
		if count < 0 || count > len(t.Out) {
			rule = -1
			break
		}
		n += count
	}
	if rule < 0 || n != len(t.Out) {
		r.refuse("the rule %q is asked for %d arrays", t.Asks.Rule, len(t.Out))
	}
	st.asked = &asked{RuleKind(rule), t.Asks.Depth, t.Asks.Counts}
}

func (r *scriptReader) item(st *step, t *textItem) IndexItem {
	kind := slices.Index(itemNames, t.Kind)
	if kind < 0 {
		r.refuse("an index of kind %q", t.Kind)
	}
	it := IndexItem{Kind: IndexKind(kind), Int: t.Int}
	bound := func(p *int) (bool, int) {
		if p == nil {
			return false, 0
		}
		return true, *p
	}
	it.HasStart, it.Start = bound(t.Start)
	it.HasStop, it.Stop = bound(t.Stop)
	it.HasStep, it.Step = bound(t.Step)
	if it.HasStep && it.Step == math.MinInt {
		it.Step++
	}
	if (it.Kind == IndexArray) != (t.Array != nil) || t.Count != nil && t.Array == nil {
		r.refuse("an index of kind %q with an array, or without one", t.Kind)
	}
	if t.Array != nil {
		st.from = append(st.from, r.use(*t.Array))
		if t.Count != nil {
			st.from = append(st.from, r.use(*t.Count))
		} else {
			st.from = append(st.from, nowhere)
		}
	}
	return it
}

// ---- arguments ----

func (r *scriptReader) rowArgs(st *step, t *textStep) []Arg {
	if st.Row = table.FindRow(t.Name); st.Row == nil || len(t.Args) != len(st.Row.Args) {
		r.refuse("there is no function %s of %d arrays", t.Name, len(t.Args))
	}
	args := r.args(st, t.Args)
	for _, a := range args {
		if a.Kind == ArgNone || a.Kind == ArgString || a.Kind == ArgDtype || a.Kind == ArgList {
			r.refuse("%s of what is no array", t.Name)
		}
	}
	return args
}

func (r *scriptReader) funcArgs(st *step, t *textStep) []Arg {
	i := slices.IndexFunc(Funcs, func(f *Func) bool { return f.Name == t.Name })
	if i < 0 {
		r.refuse("there is no function %q", t.Name)
	}
	st.Func = Funcs[i]
	args := slices.Clone(st.Func.Defaults)
	names := st.Func.paramNames()
	for name := range t.Named {
		if !slices.Contains(names, name) {
			r.refuse("%s has no parameter %q", t.Name, name)
		}
	}
	for i, name := range names {
		p := st.Func.Signature.Params[i]
		a, given := t.Named[name]
		if !given {
			if !p.HasDefault && p.Kind != signature.VarPositional {
				r.refuse("%s lacks %q", t.Name, name)
			}
			continue
		}
		args[i] = r.args(st, []jsonArg{a})[0]
		if !takes(p, &args[i]) {
			r.refuse("%s does not take that for %q", t.Name, name)
		}
	}
	return args
}

// takes reports whether Python could have passed a for p.
func takes(p signature.Param, a *Arg) bool {
	switch {
	case p.Kind == signature.VarPositional:
		return a.Kind == ArgList && (p.Type == "" || takesAll([]string{p.Type}, a))
	case p.Type == "" || a.Kind == ArgNone && p.Default == "None":
		return true
	}
	return takesType(p.Type, a)
}

func takesAll(types []string, list *Arg) bool {
	for i := range list.List {
		a := &list.List[i]
		if !slices.ContainsFunc(types, func(t string) bool { return takesType(t, a) }) &&
			!(a.Kind == ArgList && takesAll(types, a)) {
			return false
		}
	}
	return true
}

func takesType(annotation string, a *Arg) bool {
	integer := a.Kind == ArgInt || a.Kind == ArgBool || a.Kind == ArgBigUint
	float := integer || a.Kind == ArgFloat
	for _, t := range signature.Split(annotation, '|') {
		name, inner, generic := strings.Cut(t, "[")
		var ok bool
		switch name {
		case "None":
			ok = a.Kind == ArgNone
		case "bool":
			ok = a.Kind == ArgBool
		case "int":
			ok = integer
		case "float":
			ok = float
		case "complex":
			ok = float || a.Kind == ArgComplex
		case "str", "Literal":
			ok = a.Kind == ArgString
		case "scalar", "array":
			ok = float || a.Kind == ArgComplex || a.Kind == ArgArray
		case "Dtype", "type":
			ok = a.Kind == ArgDtype
		case "list", "tuple", "Sequence":
			ok = a.Kind == ArgList &&
				(!generic || takesAll(signature.Split(strings.TrimSuffix(inner, "]"), ','), a))
		default:
			ok = true
		}
		if ok {
			return true
		}
	}
	return false
}

func (r *scriptReader) args(st *step, list []jsonArg) []Arg {
	out := make([]Arg, len(list))
	for i, a := range list {
		out[i] = a.Arg
		switch a.Kind {
		case ArgArray:
			st.from = append(st.from, r.use(a.at))
		case ArgList:
			out[i].List = r.args(st, a.list)
		}
	}
	return out
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (a *jsonArg) UnmarshalJSON(text []byte) error {
	*a = jsonArg{at: nowhere}
	switch text[0] {
	case 'n':
		return nil
	case 't', 'f':
		a.Kind = ArgBool
		if text[0] == 't' {
			a.Int = 1
		}
		return nil
	case '"':
		a.Kind = ArgString
		return json.Unmarshal(text, &a.Str)
	case '[':
		a.Kind = ArgList
		return json.Unmarshal(text, &a.list)
	case '{':
		return a.unmarshalNamed(text)
	}
	a.Kind = ArgInt
	return json.Unmarshal(text, &a.Int)
}

func (a *jsonArg) unmarshalNamed(text []byte) (err error) {
	var t struct {
		Float, Dtype, Uint *string
		Complex            []string
		Array              *place
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return err
	}
	number := func(s string) float64 {
		v, e := strconv.ParseFloat(s, 64)
		if e != nil {
			err = e
		}
		return v
	}
	switch {
	case t.Float != nil:
		a.Kind, a.Float = ArgFloat, number(*t.Float)
	case len(t.Complex) == 2:
		a.Kind, a.Float, a.Imag = ArgComplex, number(t.Complex[0]), number(t.Complex[1])
	case t.Dtype != nil:
		d, ok := dtype.Parse(*t.Dtype)
		if !ok {
			return fmt.Errorf("dtype %q", *t.Dtype)
		}
		a.Kind, a.Int = ArgDtype, int64(d)
	case t.Uint != nil:
		v, e := strconv.ParseUint(*t.Uint, 10, 64)
		a.Kind, a.Int, err = ArgBigUint, int64(v), e
	case t.Array != nil:
		a.Kind, a.at = ArgArray, *t.Array
	default:
		return fmt.Errorf("an argument of no kind")
	}
	return err
}
