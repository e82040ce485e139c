package reference

import (
	"go/ast"
	"go/token"
	"strconv"
	"sync"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// elementwise runs the program once per element.
func elementwise(k *device.Kernel) {
	p := k.Attr.(*device.Program)
	regs := make([]value, max(p.Regs, len(p.Load)))
	each(k, k.Out[0].Shape, func(idx []int) {
		for i, d := range p.Load {
			regs[i] = cast(load(&k.In[i], idx), d)
		}
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.Row == nil {
				regs[s.Dst] = cast(cast(regs[s.Src[0]], s.In), s.Out)
				continue
			}
			var args [3]value
			for j := range s.Row.Args {
				args[j] = cast(regs[s.Src[j]], s.Row.Types.Arg(j, s.In))
			}
			regs[s.Dst] = apply(s.Row, s.In, args[:len(s.Row.Args)])
		}
		for i, r := range p.Store {
			store(&k.Out[i], idx, regs[r])
		}
	})
}

// apply evaluates the row's body for elements of dtype d.
func apply(r *table.Row, d dtype.Dtype, args []value) value {
	env := make(map[string]value, len(args))
	for i, a := range args {
		env[r.Args[i]] = a
	}
	y := table.Walk(parsed(r.BodyFor(d)), env, table.Algebra[value](numbers{d}))
	y.literal = false
	return cast(y, r.Types.Result(d))
}

var bodies sync.Map // text -> ast.Expr

func parsed(body string) ast.Expr {
	if e, ok := bodies.Load(body); ok {
		return e.(ast.Expr)
	}
	e, err := table.ParseExpr(body)
	if err != nil {
		panic(err)
	}
	bodies.Store(body, e)
	return e
}

// numbers reads bodies over values. Every operation rounds to the dtype of its operands.
type numbers struct{ row dtype.Dtype }

func typed(v value) table.Typed { return table.Typed{Dtype: v.d, Literal: v.literal} }

// as gives a literal the dtype that it meets.
func as(v value, at table.Typed) value {
	v = cast(v, at.Dtype)
	v.literal = false
	return v
}

func (g numbers) Literal(text string) value {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("op table: bad literal " + text)
	}
	v := cast(float(f), g.row)
	v.literal = true
	return v
}

func (g numbers) Unary(op token.Token, x value) value {
	table.TypeUnary(op, typed(x))
	switch op {
	case token.SUB:
		x.u, x.i, x.f, x.c = -x.u, -x.i, -x.f, -x.c
	case token.XOR:
		x.u, x.i = ^x.u, ^x.i
	case token.NOT:
		return truth(x.u == 0)
	}
	return rounded(x)
}

func (g numbers) Binary(op token.Token, x, y value) value {
	at, _ := table.TypeBinary(op, typed(x), typed(y))
	x, y = as(x, at), as(y, at)
	switch op {
	case token.EQL:
		return truth(equal(x, y))
	case token.NEQ:
		return truth(!equal(x, y))
	case token.LSS:
		return truth(less(x, y))
	case token.LEQ:
		return truth(less(x, y) || equal(x, y))
	case token.GTR:
		return truth(less(y, x))
	case token.GEQ:
		return truth(less(y, x) || equal(x, y))
	case token.LAND:
		return truth(nonzero(x) && nonzero(y))
	case token.LOR:
		return truth(nonzero(x) || nonzero(y))
	case token.ADD:
		x = add(x, y)
	case token.SUB:
		x.u, x.i, x.f, x.c = x.u-y.u, x.i-y.i, x.f-y.f, x.c-y.c
	case token.MUL:
		x = mul(x, y)
	case token.QUO:
		// One of the two only: 0/0 in the field not in use would make the value unequal to itself.
		if at.Dtype == dtype.Complex64 {
			x.c /= y.c
		} else {
			x.f /= y.f
		}
	case token.AND:
		x.u, x.i = x.u&y.u, x.i&y.i
	case token.OR:
		x.u, x.i = x.u|y.u, x.i|y.i
	case token.XOR:
		x.u, x.i = x.u^y.u, x.i^y.i
	}
	return rounded(x)
}

func (g numbers) Call(name string, args []value) value {
	types := make([]table.Typed, len(args))
	for i, a := range args {
		types[i] = typed(a)
	}
	at, out := table.TypeCall(name, types)
	if name == "cond" {
		if args[0].u != 0 {
			return as(args[1], at)
		}
		return as(args[2], at)
	}
	x, y := as(args[0], at), value{}
	if len(args) > 1 {
		y = as(args[1], at)
	}
	var v value
	switch at.Dtype.Group() {
	case dtype.GroupUnsigned:
		v = callUnsigned(name, x, y)
	case dtype.GroupSigned:
		v = callSigned(name, x, y)
	case dtype.GroupFloat:
		v = callFloat(name, x.f, y.f)
	case dtype.GroupComplex:
		v = callComplex(name, x.c, y.c)
	}
	v.d = out.Dtype
	return rounded(v)
}
