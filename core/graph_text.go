package core

import (
	"encoding/json"
	"reflect"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// What a graph is made of, as text for those who draw it or translate it.

type textGraph struct {
	Arrays  []textInput `json:"arrays"`  // those before others that are computed from them
	Sources []int       `json:"sources"` // the arrays that are computed from nothing
	Nodes   []textNode  `json:"nodes"`
	Named   []int       `json:"named"` // which arrays the named ones are, -1 for none
	Outs    []int       `json:"outs"`
}

type textNode struct {
	Name      string `json:"name"`
	Arguments []any  `json:"arguments"`
	Inputs    []int  `json:"inputs"`
	Outputs   []int  `json:"outputs"`
}

// GraphText describes all that outs are computed from, and gives the sources. A node with several results is one node
// here, whose outputs are those that somebody wants.
func GraphText(outs, named []*Array) (string, []*Array) {
	t := textGraph{[]textInput{}, []int{}, []textNode{}, []int{}, []int{}}
	var sources []*Array
	at := map[*Array]int{} // of arrays
	nodes := map[*Array]int{}
	add := func(a *Array) int {
		at[a] = len(t.Arrays)
		t.Arrays = append(t.Arrays, textInput{a.dtype.String(), append([]int{}, a.shape...)})
		return at[a]
	}
	for _, a := range inOrder(outs) {
		several := a.op.Several != nil
		of := a // the node that computes it
		if a.op == &pickOp {
			of = a.in[a.nin-1]
		}
		switch n, met := nodes[of]; {
		case several: // its picks are its results
			nodes[a] = len(t.Nodes)
			t.Nodes = append(t.Nodes, textNode{a.opName(), plainValues(a.attr), arraysAt(a.inputs(), at), []int{}})
		case a.op == &pickOp && met:
			t.Nodes[n].Outputs = append(t.Nodes[n].Outputs, add(a))
		case len(a.inputs()) == 0 && (a.state == ready || a.op == placeholder || a.op == constant || a.op == leaf):
			t.Sources = append(t.Sources, add(a))
			sources = append(sources, a)
		default:
			ins := arraysAt(a.inputs(), at)
			t.Nodes = append(t.Nodes, textNode{a.opName(), plainValues(a.attr), ins, []int{add(a)}})
		}
	}
	t.Named, t.Outs = arraysAt(named, at), arraysAt(outs, at)
	text, err := json.Marshal(&t)
	if err != nil {
		panic(err)
	}
	return string(text), sources
}

// arraysAt are the numbers of arrays; those that are no arrays to the reader of a text are left out.
func arraysAt(as []*Array, at map[*Array]int) []int {
	out := []int{}
	for _, a := range as {
		n, known := at[a]
		switch {
		case known:
			out = append(out, n)
		case a.op.Several == nil && a.op != &segmentOp && a.op != ruleOp:
			out = append(out, -1)
		}
	}
	return out
}

// inOrder lists all that outs are computed from, inputs first, without what is there for transforms alone.
func inOrder(outs []*Array) []*Array {
	graph.epoch++
	var order []*Array
	var stack []frame
	push := func(a *Array) {
		if a.mark != graph.epoch {
			a.mark = graph.epoch
			stack = append(stack, frame{a: a})
		}
	}
	for _, out := range outs {
		push(out)
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if ins := top.a.inputs(); top.next < len(ins) {
				top.next++
				push(ins[top.next-1])
				continue
			}
			if a := top.a; a.op != ruleOp && a.op != &segmentOp && !isCustom(a) {
				order = append(order, a)
			}
			stack = stack[:len(stack)-1]
		}
	}
	return order
}

func isCustom(a *Array) bool {
	_, custom := a.attr.(*customAttr)
	return custom
}

// plainValues are the numbers, strings and lists of them in an attr.
func plainValues(attr any) []any {
	out := []any{}
	if attr == nil {
		return out
	}
	v := reflect.Indirect(reflect.ValueOf(attr))
	if v.Kind() != reflect.Struct {
		if x := plainValue(v); x != nil {
			out = append(out, x)
		}
		return out
	}
	for i := range v.NumField() {
		if x := plainValue(v.Field(i)); x != nil {
			out = append(out, x)
		}
	}
	return out
}

func plainValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Type() == reflect.TypeFor[dtype.Dtype]() {
			return dtype.Dtype(v.Uint()).String()
		}
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); f-f == 0 {
			return f
		}
	case reflect.String:
		return v.String()
	case reflect.Slice, reflect.Array:
		list := []any{}
		for i := range v.Len() {
			list = append(list, plainValue(v.Index(i)))
		}
		return list
	}
	return nil
}
