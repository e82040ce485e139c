package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// Request is what the extension asks of core for one call of Python's: written down, so that it can be asked again.
type Request struct {
	Op      RequestOp
	Row     *table.Row  // of a RowRequest
	Func    *Func       // of a FuncRequest
	Args    []Arg       // of a row or a function, all there
	Items   []IndexItem // of a subscript
	Numbers []int       // what else the op is told; a moment (BeginTrace, Born) comes first
	Lists   [][]*Array  // the arrays that are not among Args and Items; nil is None
}

// RequestOp says what is asked.
type RequestOp uint8

const (
	RowRequest          RequestOp = iota
	FuncRequest                   // of the table
	StackRequest                  // a list with arrays in it, and the dtype or -1
	AsTypeRequest                 // the dtype
	BitcastRequest                // the dtype
	ContiguousRequest             // 0
	CopyRequest                   // the dtype or -1
	ViewRequest                   // a ViewName
	IndexRequest                  // of Items
	UpdateRequest                 // of Items by the second array, an UpdateOp
	TracersRequest                // the moment
	PlaceholdersRequest           // the moment
	VMapInputsRequest             // the moment, and an axis for each array
	CheckpointRequest             // the moment
	CustomRequest                 // arguments, values and the rules
	BeginRequest                  // gives a moment
	EndRequest                    // the moment
	BornRequest                   // gives a moment
	// Those below are walks, which may stop to ask for rules.
	GradRequest        // outputs and inputs
	VJPRequest         // and cotangents
	JVPRequest         // outputs, inputs and tangents
	VMapOutputsRequest // inputs, placeholders and outputs, and an axis for each of the first and the last
	AnswerRequest      // of a rule, to the walk with that number
	checkRequest       // of a Script: that what Python saw of shapes holds
)

// ViewName is a property of arrays that is another array.
type ViewName int

const (
	ViewT ViewName = iota
	ViewMT
	ViewReal
	ViewImag
)

// run does what is asked of requests that are no walks.
func (r *Request) run() []*Array {
	var y *Array
	switch r.Op {
	case RowRequest:
		y = ApplyRow(r.Row, r.Args)
	case AsTypeRequest, BitcastRequest, ContiguousRequest, CopyRequest, ViewRequest:
		y = askOne(r.Op, r.Lists[0][0], r.Numbers[0])
	case FuncRequest:
		return r.Func.Call(&Args{r.Func, r.Args})
	case StackRequest:
		y = stackList(r.Lists[0], r.Numbers[0])
	case IndexRequest:
		y = Index(r.Lists[0][0], r.Items)
	case UpdateRequest:
		y = IndexUpdate(r.Lists[0][0], r.Items, r.Lists[0][1], UpdateOp(r.Numbers[0]))
	case TracersRequest:
		return TracersOf(uint64(r.Numbers[0]), r.Lists[0])
	case PlaceholdersRequest:
		return Placeholders(uint64(r.Numbers[0]), r.Lists[0])
	case VMapInputsRequest:
		return VMapInputs(uint64(r.Numbers[0]), r.Lists[0], r.Numbers[1:])
	case CheckpointRequest:
		return Checkpoint(r.Lists[0], uint64(r.Numbers[0]))
	case CustomRequest:
		return Custom(r.Lists[2][0], r.Lists[0], r.Lists[1])
	default:
		panic("a request that is none")
	}
	return []*Array{y}
}

// DoOne is Do for what is told one array and a number.
func DoOne(op RequestOp, x *Array, number int) *Array {
	if Recording() {
		return Do(&Request{Op: op, Numbers: []int{number}, Lists: [][]*Array{{x}}})[0]
	}
	return askOne(op, x, number)
}

func askOne(op RequestOp, x *Array, number int) *Array {
	switch op {
	case AsTypeRequest:
		return AsType(x, dtype.Dtype(number))
	case BitcastRequest:
		return Bitcast(x, dtype.Dtype(number))
	case ContiguousRequest:
		return Contiguous(x)
	case CopyRequest:
		return copyAs(x, number)
	}
	return viewNamed(x, ViewName(number))
}

// walk begins the walk that is asked for.
func (r *Request) walk() *Walk {
	l := r.Lists
	switch r.Op {
	case GradRequest:
		for _, y := range l[0] {
			if len(y.shape) > 0 {
				errs.Throw(errs.ValueError, "[grad] the result to differentiate is no scalar: its shape is %s",
					layout.Format(y.shape))
			}
		}
		return WalkGrad(l[0], l[1])
	case VJPRequest:
		sameShapes("vjp", l[0], l[2])
		return WalkVJP(l[0], l[1], l[2])
	case JVPRequest:
		sameShapes("jvp", l[1], l[2])
		return WalkJVP(l[0], l[1], l[2])
	case VMapOutputsRequest:
		n := len(l[0])
		for i, x := range l[0] {
			checkExample(x, l[1][i], r.Numbers[i])
		}
		return WalkVMap(l[0], l[1], r.Numbers[:n], l[2], r.Numbers[n:])
	}
	panic("a request that is no walk")
}

// sameShapes refuses tangents and cotangents of other shapes than their arrays: rules rely on it.
func sameShapes(op string, as, bs []*Array) {
	for i, a := range as {
		if !layout.Equal(a.shape, bs[i].shape) {
			errs.Throw(errs.ValueError, "[%s] shapes %s and %s do not match", op, layout.Format(bs[i].shape),
				layout.Format(a.shape))
		}
	}
}

// checkExample refuses a placeholder that is no example of the batch x.
func checkExample(x, p *Array, axis int) {
	if axis == NoAxis {
		return
	}
	axis = normAxis("vmap", axis, len(x.shape))
	if x.dtype != p.dtype || !layout.Equal(slices.Delete(slices.Clone(x.shape), axis, axis+1), p.shape) {
		errs.Throw(errs.ValueError, "[vmap] an array of shape %s is no batch of arrays of shape %s",
			layout.Format(x.shape), layout.Format(p.shape))
	}
}

// each calls f with the place of every array of the request, always in the same order.
func (r *Request) each(f func(at **Array)) {
	eachOfArgs(r.Args, f)
	for i := range r.Items {
		if it := &r.Items[i]; it.Kind == IndexArray {
			f(&it.Array)
			f(&it.Count)
		}
	}
	for _, list := range r.Lists {
		for i := range list {
			f(&list[i])
		}
	}
}

func eachOfArgs(args []Arg, f func(at **Array)) {
	for i := range args {
		switch a := &args[i]; a.Kind {
		case ArgArray:
			f(&a.Array)
		case ArgList:
			eachOfArgs(a.List, f)
		}
	}
}

// clone is the request with lists of its own.
func (r *Request) clone() Request {
	c := *r
	c.Args, c.Items, c.Numbers = cloneArgs(r.Args), slices.Clone(r.Items), slices.Clone(r.Numbers)
	c.Lists = make([][]*Array, len(r.Lists))
	for i, list := range r.Lists {
		c.Lists[i] = slices.Clone(list)
	}
	return c
}

func cloneArgs(args []Arg) []Arg {
	out := slices.Clone(args)
	for i := range out {
		if out[i].Kind == ArgList {
			out[i].List = cloneArgs(out[i].List)
		}
	}
	return out
}

var stackFunc *Func

// stackList joins elements of a list that are arrays themselves, promoting their dtypes unless want, above -1, is one.
func stackList(as []*Array, want int) *Array {
	if stackFunc == nil {
		stackFunc = FuncNamed("stack")
	}
	d := as[0].dtype
	for _, a := range as[1:] {
		d = dtype.Promote(d, a.dtype)
		if !layout.Equal(a.shape, as[0].shape) {
			errs.Throw(errs.ValueError, "[array] arrays of shapes %s and %s in one list cannot make an array",
				layout.Format(as[0].shape), layout.Format(a.shape))
		}
	}
	if want >= 0 {
		d = dtype.Dtype(want)
	}
	list := make([]Arg, len(as))
	for i, a := range as {
		list[i] = Arg{Kind: ArgArray, Array: AsType(a, d)}
	}
	stacked := CallFunc(stackFunc, []Arg{{Kind: ArgList, List: list}, {Kind: ArgInt}})[0]
	if len(as) == 1 { // a view
		stacked = Copy(stacked)
	}
	return stacked
}

// copyAs shares memory with no other array; want is the dtype, or -1 for x's own.
func copyAs(x *Array, want int) *Array {
	if d := dtype.Dtype(want); want >= 0 && d != x.dtype {
		return AsType(x, d)
	}
	return Copy(x)
}

// viewNamed is x.T, x.mT, x.real or x.imag.
func viewNamed(x *Array, which ViewName) *Array {
	switch rank := len(x.shape); which {
	case ViewT, ViewMT:
		perm := allAxes(rank)
		if which == ViewT {
			slices.Reverse(perm)
		} else {
			if rank < 2 {
				errs.Throw(errs.ValueError, "[mT] the array must have at least 2 axes, not %d", rank)
			}
			perm[rank-1], perm[rank-2] = rank-2, rank-1
		}
		return Transpose(x, perm)
	case ViewReal:
		return ApplyRow(table.FindRow("real"), []Arg{{Kind: ArgArray, Array: x}})
	}
	return ApplyRow(table.FindRow("imag"), []Arg{{Kind: ArgArray, Array: x}})
}

// FuncNamed is the function of that name.
func FuncNamed(name string) *Func {
	for _, f := range Funcs {
		if f.Name == name {
			return f
		}
	}
	panic("no function " + name)
}
