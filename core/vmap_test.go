package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// TestDefsAreDefined holds that every primitive is made by define, which the tests of all primitives go by; those of
// rows are made from the table.
func TestDefsAreDefined(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	isDef := func(e ast.Node) bool {
		c, ok := e.(*ast.CompositeLit)
		if !ok {
			return false
		}
		name, ok := c.Type.(*ast.Ident)
		return ok && name.Name == "Def"
	}
	defined := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 2 && isDef(call.Args[1]) {
				defined++
				return false
			}
			if fn, ok := n.(*ast.FuncDecl); ok && fn.Name.Name == "primitive" {
				return false
			}
			if isDef(n) {
				t.Errorf("%s: a primitive is not made by define", set.Position(n.Pos()))
			}
			return true
		})
	}
	if n := len(core.Defs()); defined < 40 || n < defined {
		t.Errorf("define is called at %d places, and there are %d primitives", defined, n)
	}
}

// TestEveryOpBatches wants a batching rule of every primitive, or a reason why there is none.
func TestEveryOpBatches(t *testing.T) {
	for _, d := range core.Defs() {
		if d.VMap == nil && d.Loop == "" && d.Several == nil && !slices.Contains(core.WithoutInputs, d) {
			t.Errorf("%s has neither VMap nor Loop", d.Name)
		}
	}
}

// Factors of products of quantized matrices: all small integers, so that sums are exact.
const (
	quantizedTerms = "astype(argsort(tile(x,(1,32)),1),float32),tile(astype(argsort(x,1),uint32),(1,4))," +
		"astype(argsort(x,1),float32),astype(argsort(transpose(w),1),float32)"
	small         = "astype(argsort(tile(x,(1,32)),1),float32)"
	gatheredTerms = "expand_dims(astype(argsort(tile(x,(1,32)),1),float32),1)," +
		"tile(expand_dims(astype(argsort(x,1),uint32),0),(2,1,4)),stack([astype(argsort(x,1),float32)," +
		"astype(x,int8)],0)," +
		"astype(stack([argsort(transpose(w),1),argsort(x,1)],0),float32)"
)

// batchable are functions of x, shape (2,3), w, shape (3,2), i, three of the places 0 and 1, and k, a key:
// through every primitive, with what is mapped left open.
var batchable = append([]string{
	"take(x,i,0)", "take(x,i,1)", "take(w,i)", "take_along_axis(w,broadcast_to(expand_dims(i,1),(3,2)),1)",
	"put_along_axis(w,broadcast_to(expand_dims(i,1),(3,2)),transpose(x),1)", "take(x,take(i,0),1)",
	"slice(x,take(i,A([0,1])),(0,1),(1,2))", "slice_update(x,slice(w,A([1]),(0,),(1,2)),take(i,A([0,1])),(0,1))",
	"searchsorted(sort(flatten(x)),w)", "searchsorted(sort(flatten(x)),flatten(x),'right')",
	"searchsorted(A([0.0,0.5]),x)",
	"searchsorted(sort(flatten(x)),zeros((0,)))", "searchsorted(sort(i),i)",
	"divmod(x,transpose(w))", "divmod(take(x,0,0),x)", "divmod(x,i)",
	"sort(x,0)", "argsort(w,1)", "topk(x,2)", "partition(x,1)", "argpartition(x,1)", "argmax(x,1)", "argmin(w)",
	"sum(x,0)", "max(x)", "prod(w,1)",
	"all(x)", "any(x,1)", "cumsum(x,1)", "cumprod(w,0,reverse=True)", "logcumsumexp(x,1,inclusive=False)",
	"softmax(x,0)", "softmax(w,-1)", "logsumexp(x,1)",
	"matmul(x,w)", "matmul(w,x)", "addmm(x,x,matmul(w,x),0.5,2)", "addmm(take(x,0,0),x,matmul(w,x))",
	"inner(x,transpose(w))", "gather_mm(expand_dims(x,1),stack([w,w],0),None,take(i,A([0,1])))",
	"segmented_mm(x,w,take(i,A([[0,1],[1,0]])))",
	"block_masked_mm(x,w,2,astype(take(i,A([[0]])),bool_),reshape(take(i,A([1,0])),(1,2)))",
	"quantize(astype(tile(x,(1,32)),float32),32,4)", "quantize(astype(tile(x,(1,32)),float16),mode='nvfp4')",
	"quantize(astype(tile(x,(1,32)),float32),mode='nvfp4',global_scale=astype(trace(w),float32))",
	"dequantize(tile(astype(argsort(x,1),uint32),(1,4)),astype(x,float32),astype(transpose(w),float32),32,4)",
	"dequantize(tile(astype(argsort(x,1),uint32),(1,4)),astype(argsort(x,1),uint8),mode='mxfp4')",
	"quantized_matmul(" + quantizedTerms + ",True,32,4)",
	"quantized_matmul(astype(argsort(x),float32),tile(astype(argsort(w,0),uint32),(1,4)),astype(argsort(w,0)," +
		"float32),astype(argsort(w,0),float32),False,32,4)",
	"qqmm(" + small + ",astype(tile(transpose(w),(1,32)),float32),mode='mxfp8')", "from_fp8(to_fp8(x),float64)",
	"gather_qmm(" + gatheredTerms + ",None,take(i,A([0,1])),True,32,4)",
	"gather_qmm(" + gatheredTerms + ",take(i,A([0,1])),None,True,32,4)",
	"conv1d(expand_dims(x,0),expand_dims(transpose(w),1))", "conv1d(expand_dims(x,0),reshape(w,(1,2,3)),1,1)",
	"conv2d(reshape(x,(1,2,3,1)),reshape(w,(3,1,2,1)))", "conv_transpose1d(expand_dims(w,0),reshape(x,(3,1,2)),2)",
	"fast.layer_norm(x,take(transpose(w),0,0),take(x,1,0),0.001)",
	"fast.layer_norm(x,None,take(transpose(w),0,0),0.001)",
	"fast.layer_norm(take(x,0,0),take(transpose(w),0,0),None,0.001)", "fast.rms_norm(x,take(transpose(w),1,0),0.001)",
	"fast.rms_norm(w,None,0.001)",
	"fast.rms_norm(astype(x,float16),astype(take(transpose(w),1,0),float16),0.001)",
	"fast.layer_norm(astype(x,float16),astype(take(transpose(w),1,0),float16),astype(take(x,1,0),float16),0.001)",
	"fast.cross_entropy(x,take(i,A([0,1])))", "cross_entropy_grad(x,take(i,A([0,1])),astype(take(w,0,0),float32))",
	"fast.gated_delta_update(reshape(x,(1,3,1,2)),reshape(w,(1,3,1,2)),reshape(x,(1,3,2,1)),reshape(w,(1,3,2))," +
		"reshape(x,(1,3,2)),take(w,0,0),reshape(i,(1,3)))",
	"fast.gated_delta_update(reshape(x,(1,3,1,2)),reshape(w,(1,3,1,2)),reshape(w,(1,3,2,1)),reshape(w,(1,3,2))," +
		"reshape(x,(1,3,2)))",
	"fast.rope(reshape(x,(3,1,2)),2,traditional=False,base=100.0,scale=0.5,offset=i)",
	"fast.rope(reshape(x,(1,1,1,6)),4,traditional=True,base=None,scale=2.0,offset=3,freqs=take(w,0,0))",
	"fast.scaled_dot_product_attention(reshape(x,(1,2,3,1)),reshape(w,(1,1,6,1)),reshape(w,(1,1,6,1)),scale=0.5," +
		"mask='causal')",
	"fast.scaled_dot_product_attention(reshape(x,(1,2,1,3)),reshape(w,(1,2,1,3)),reshape(x,(1,2,1,3)),scale=0.5," +
		"mask=reshape(take(x,0,1),(2,1,1)),sinks=take(w,0,0))",
	"fast.scaled_dot_product_attention(reshape(w,(1,1,3,2)),reshape(x,(1,1,3,2)),reshape(w,(1,1,3,2)),scale=1.0," +
		"mask=astype(i,bool_))",
	"view(astype(x,float32),int32)", "view(x,int32)", "random.normal((2,),key=k)", "random.uniform(0,1,(3,),key=k)",
	"assign(w,astype(argsort(i),bool_),transpose(slice(x,A([0]),(1,),(2,2))))", "assign(x,A([False,True]),i)",
	"assign(w,astype(zeros_like(i),bool_),zeros((0,2)))",
	"random.categorical(x,key=k)", "random.permutation(x,key=k)",
}, structural...)

// TestVMapOfEveryOp compares batches with their examples, with every choice of mapped arguments, at the first and
// the last axis, with results at either end, and with batches of one and none; and sees that all primitives
// took part.
func TestVMapOfEveryOp(t *testing.T) {
	met := map[*core.Def]bool{}
	for _, text := range batchable {
		uses := []bool{strings.Contains(text, "x"), strings.Contains(text, "w"), strings.Contains(text, "i)") ||
			strings.Contains(text, "i,"), strings.Contains(text, "=k")}
		if strings.Contains(text, "array_equal") {
			uses[1] = false
		}
		for which := 1; which < 16; which++ {
			skip := false
			for k, used := range uses {
				skip = skip || which>>k&1 != 0 && !used
			}
			if skip {
				continue
			}
			for _, n := range []int{3, 1, 0} {
				batchOf(t, text, which, n, met)
			}
		}
	}
	for _, d := range core.Defs() {
		internal := slices.Contains(core.Internal, d) || d.Name == "pick"
		if !met[d] && !internal && !slices.Contains(core.WithoutInputs, d) {
			t.Errorf("no function of this test uses %s", d.Name)
		}
	}
}

// call evaluates text with the arguments of TestVMapOfEveryOp, results joined as float64.
func joinedCall(text string, xs []*core.Array, met map[*core.Def]bool) *core.Array {
	c := newCaller()
	c.env["x"], c.env["w"], c.env["i"], c.env["k"] = xs[0], xs[1], xs[2], xs[3]
	ys := c.eval(text)
	core.Collect(ys, met)
	parts := make([]*core.Array, len(ys))
	for i, y := range ys {
		parts[i] = core.Reshape(core.AsType(y, dtype.Float64), []int{-1})
	}
	return core.Concatenate(parts, 0)
}

func batchOf(t *testing.T, text string, which, n int, met map[*core.Def]bool) {
	t.Helper()
	shapes := [][]int{{2, 3}, {3, 2}, {3}, {2}}
	last := which%2 == 0 // where batches stand in the arguments; in the results it is the other way round
	outs := held(t, func() []*core.Array {
		ins, axes := make([]*core.Array, 4), make([]int, 4)
		for k, shape := range shapes {
			axes[k] = core.NoAxis
			full := shape
			if which>>k&1 != 0 {
				if full, axes[k] = append([]int{n}, shape...), 0; last {
					full, axes[k] = append(slices.Clone(shape), n), -1
				}
			}
			v := wave(layout.Size(full), float64(k))
			for j := range v {
				switch k {
				case 2:
					v[j] = float64(j * j % 3 % 2)
				case 3:
					v[j] = float64(7*j + 1)
				}
			}
			ins[k] = vector([]dtype.Dtype{dtype.Float64, dtype.Float64, dtype.Int32, dtype.Uint32}[k], full, v)
		}
		ps := core.VMapInputs(0, ins, axes)
		y := joinedCall(text, ps, met)
		to := 0
		if !last {
			to = -1
		}
		outs := core.VMapOutputs(ins, ps, axes, []*core.Array{y}, []int{to})
		if !last {
			outs[0] = core.TransposeAll(outs[0])
		}
		if outs[0].Shape()[0] != n || outs[0].Shape()[1] != y.Size() {
			t.Errorf("%s, mapped %04b: a batch of %d has shape %v", text, which, n, outs[0].Shape())
		}
		for b := range n {
			xs := slices.Clone(ins)
			for k, x := range ins {
				if axes[k] == core.NoAxis {
					continue
				}
				items := []core.IndexItem{{Kind: core.IndexInt, Int: b}}
				if last {
					items = []core.IndexItem{{Kind: core.IndexEllipsis}, items[0]}
				}
				xs[k] = core.Index(x, items)
			}
			outs = append(outs, joinedCall(text, xs, met))
		}
		return outs
	})
	var want []float64
	for _, y := range outs[1:] {
		want = append(want, values(t, y)...)
	}
	got := values(t, outs[0])
	if len(got) != len(want) {
		t.Fatalf("%s, mapped %04b: %d values, want %d", text, which, len(got), len(want))
	}
	for i := range got {
		if d := got[i] - want[i]; d > 1e-12 || d < -1e-12 {
			t.Fatalf("%s, mapped %04b of %d: value %d is %g, want %g", text, which, n, i, got[i], want[i])
		}
	}
}
