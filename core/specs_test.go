package core_test

import (
	"slices"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// TestEveryOpHasAShapeRule: no primitive lacks one.
func TestEveryOpHasAShapeRule(t *testing.T) {
	for _, d := range core.Defs() {
		if d.Specs == nil {
			t.Errorf("%s has no shape rule", d.Name)
		}
	}
	for _, r := range table.Rows {
		if core.RowDef(r).Specs == nil {
			t.Errorf("%s has no shape rule", r.Name)
		}
	}
}

// shapedPrograms are programs through every primitive: those of the other tests, all rows, and gradients and tangents.
func shapedPrograms() []string {
	list := append([]string{"einsum('ij,jk->ik',x,w)", "take_along_axis(x,argsort(x,1),1)",
		"put_along_axis(x,argsort(x,1),x,1)", "conv1d(expand_dims(x,2),expand_dims(slice(w,A([0]),(0,),(1,1)),2))",
		"cross_entropy_grad(transpose(x),zeros_like(i),astype(take(x,0,0),float32))",
		"fast.cross_entropy(transpose(x),zeros_like(i))",
		"fast.gated_delta_update(expand_dims(x,(0,2)),expand_dims(x,(0,2)),expand_dims(x,(0,2)),expand_dims(x,0)," +
			"expand_dims(x,0))",
		"fast.gated_delta_update(expand_dims(x,(0,3)),expand_dims(x,(0,3)),expand_dims(x,(0,3)),expand_dims(x,0)," +
			"expand_dims(x,0))",
		"fast.rope(expand_dims(x,0),2,traditional=True,base=100.0,scale=0.5,offset=1)",
		"fast.scaled_dot_product_attention(expand_dims(x,(0,1)),expand_dims(transpose(w),(0,1)),expand_dims(x,(0,1))," +
			"scale=0.5,mask='causal')"},
		batchable...)
	for _, r := range table.Rows {
		switch len(r.Args) {
		case 1:
			list = append(list, r.Name+"(x)", r.Name+"(i)")
		case 2:
			list = append(list, r.Name+"(x,transpose(w))", r.Name+"(i,take(i,0))")
		}
	}
	return list
}

// builtAt builds text over x of shape (m,n), w of shape (n,m) and i of shape (n), and the gradient with respect to x,
// or nil where that does not go at these shapes.
func builtAt(text string, m, n int) (outs []*core.Array) {
	defer func() {
		if recover() != nil {
			outs = nil
		}
	}()
	v := func(d dtype.Dtype, shape ...int) *core.Array {
		return vector(d, shape, make([]float64, layout.Size(shape)))
	}
	xs := core.Tracers([]*core.Array{v(dtype.Float64, m, n), v(dtype.Float64, n, m), v(dtype.Int32, n),
		v(dtype.Uint32, 2)})
	c := newCaller()
	c.env["x"], c.env["w"], c.env["i"], c.env["k"] = xs[0], xs[1], xs[2], xs[3]
	outs = c.eval(text)
	for _, y := range outs {
		if y.Dtype() == dtype.Float64 {
			ones := core.BroadcastTo(vector(dtype.Float64, nil, []float64{1}), y.Shape())
			return append(outs, core.VJP([]*core.Array{y}, xs[:2], []*core.Array{ones})...)
		}
	}
	return outs
}

// TestShapeRules: what a rule answers for a node's own inputs is what the op built; what it answers for the inputs of
// the same node of a program over other shapes is what the op built there, with the same attr, or nothing.
func TestShapeRules(t *testing.T) {
	core.Lock()
	defer core.Unlock()
	answered := map[*core.Def]bool{} // for other shapes
	met := map[*core.Def]bool{}
	for _, text := range shapedPrograms() {
		base := core.Nodes(builtAt(text, 2, 3))
		for _, y := range base {
			met[y.Op()] = true
			checkSpec(t, text, y, y)
		}
		for _, shape := range [][2]int{{5, 3}, {2, 7}, {4, 6}, {1, 3}, {3, 1}} {
			other := core.Nodes(builtAt(text, shape[0], shape[1]))
			if !sameOps(base, other) {
				continue
			}
			for i, y := range base {
				if checkSpec(t, text, y, other[i]) && !layout.Equal(y.Shape(), other[i].Shape()) {
					answered[y.Op()] = true
				}
			}
		}
	}
	for _, d := range core.Defs() {
		if !met[d] && !slices.Contains(core.Internal, d) && !slices.Contains(core.WithoutInputs, d) {
			t.Errorf("no program of this test uses %s", d.Name)
		}
		if met[d] && !answered[d] && !slices.Contains(core.Holding, d) {
			t.Errorf("%s never answers for other shapes", d.Name)
		}
	}
}

func sameOps(a, b []*core.Array) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Op() != b[i].Op() || len(a[i].Inputs()) != len(b[i].Inputs()) {
			return false
		}
	}
	return true
}

// checkSpec holds the answer of y's rule for z's inputs to what z is.
func checkSpec(t *testing.T, text string, y, z *core.Array) (known bool) {
	t.Helper()
	specs, known, sameAttr := core.SpecsFor(y, z)
	switch {
	case !known && y == z:
		t.Errorf("%s: the rule of %s does not know what it built", text, y.Op().Name)
	case !known:
	case specs[0].Dtype != z.Dtype() || !layout.Equal(specs[0].Shape, z.Shape()):
		t.Errorf("%s: the rule of %s answers %v, but %s %v was built", text, y.Op().Name, specs[0], z.Dtype(),
			z.Shape())
	case !sameAttr:
		t.Errorf("%s: %s has another attr at shape %v than at %v, and its rule does not tell", text, y.Op().Name,
			z.Shape(),
			y.Shape())
	}
	return known
}
