package core_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// structural are functions of x, shape (2,3), and w, shape (3,2), through every primitive that
// shapes, combines and creates arrays.
var structural = []string{
	"reshape(x,(3,2))", "transpose(x)", "flip(x,1)", "roll(x,(1,2),(0,1))", "broadcast_to(x,(4,2,3))",
	"expand_dims(x,(0,2))", "squeeze(reshape(x,(1,6)))", "as_strided(x,(2,2,2),(1,2,1),1)", "contiguous(transpose(x))",
	"astype(x,float64)", "split(x,[1,2],1)", "unstack(x,axis=1)", "diagonal(x,1)", "diagonal(reshape(x,(1,2,3)),0,2,1)",
	"diag(flatten(x),-1)", "diag(x)", "trace(x)", "tril(x)", "triu(x,1)", "atleast_3d(x)",
	"concatenate([x,transpose(w),x],1)", "concatenate([x,w],None)", "stack([x,transpose(w)],2)",
	"pad(x,((1,0),(2,1)))", "pad(x,((1,0),(2,1)),'constant',reshape(slice(x,A([1]),(1,),(1,1)),()))",
	"pad(x,2,'reflect')", "pad(x,3,'symmetric')", "pad(x,1,'edge')", "repeat(x,2,0)", "tile(x,(2,2))", "meshgrid(x,w)",
	"meshgrid(x,w,sparse=True)", "slice(x,A([1]),(1,),(2,2))", "slice_update(x,reshape(w,(2,3)),A([0]),(1,))",
	"slice_update(x,slice(w,A([1]),(0,),(1,2)),A([1,1]),(0,1))",
	"assign(x,A([[True,False,True],[False,False,True]]),take(w,1,1))",
	"assign(w,A([True,False,True]),transpose(slice(x,A([0]),(1,),(2,2))))",
	"assign(x,astype(argsort(x,1),bool_),flatten(slice(w,A([0]),(0,),(2,2))))",
	"assign(x,astype(argsort(w,1),bool_).reshape(2,3),trace(w))", "assign(w,A(True),transpose(x))",
	"put_along_axis(x,A([[1,1],[2,2]]),slice(w,A([0]),(0,),(2,2)),1)",
	"put_along_axis(w,A([[0,1],[0,2],[2,1]]),transpose(x),0)", "depends(x,w)", "full((3,2,3),x)", "full((4,),trace(x))",
	"full_like(w,trace(x))", "clip(x,-0.3,0.4)", "clip(x,None,transpose(w))", "nan_to_num(x)",
	"einsum('ij,jk->ki',x,w)", "einsum('ij,ji->',x,w)", "einsum('ij,jk,kl->il',x,w,x)", "einsum('ij,ij->j',x,x)",
	"einsum('ij->',x)", "einsum('ij,jj->i',x,einsum('ij,jk->ik',w,x))", "einsum('...i,...->...',transpose(w),trace(x))",
	"hadamard_transform(reshape(concatenate([x,transpose(w)],0),(3,4)))",
	"convolve(flatten(x),flatten(slice(w,A([0]),(0,),(2,1))))",
	"gather_mm(expand_dims(x,1),stack([w,transpose(x)],0),None,A([1,0]))",
	"gather_mm(x,stack([w,transpose(x)],0),None,A([[1,0],[-1,-2]]))", "gather_mm(expand_dims(x,1),w,A([[1],[1],[0]]))",
	"gather_mm(stack([x,transpose(w)],0),stack([w,transpose(x)],0),A([0,1,1]),A([1,1,0]))",
	"gather_mm(stack([x,x],0),w)",
	"gather_mm(expand_dims(repeat(x,3,0),1),stack([w,w,transpose(x)],0),None,A([0,0,0,2,2,2]),sorted_indices=True)",
	"segmented_mm(x,w,A([[0,2],[2,3]]))", "segmented_mm(x,w,A([[[0,2],[1,3]],[[1,1],[0,3]]]))",
	"segmented_mm(x,w,A([1,3]))", "block_masked_mm(x,w,2,A([[True]]),A([[False,True]]))",
	"block_masked_mm(x,w,1,mask_lhs=x)", "block_masked_mm(x,w,1,slice(x,A([0]),(1,),(2,2)))", "x.reshape(3,2)",
	"x.transpose(1,0)", "zeros_like(x)", "round(x,1)", "stop_gradient(x)", "array_equal(x,x)",
}

// call evaluates text with x and w, joined into one float64 vector.
func callWith(text string, x, w *core.Array) *core.Array {
	c := newCaller()
	c.env["x"], c.env["w"] = x, w
	var parts []*core.Array
	for _, y := range c.eval(text) {
		parts = append(parts, core.Reshape(core.AsType(y, dtype.Float64), []int{-1}))
	}
	return core.Concatenate(parts, 0)
}

// wave is n values in -0.9..0.9, all different.
func wave(n int, phase float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 0.9 * math.Sin(2.3*float64(i)+phase)
	}
	return out
}

// TestStructuralDerivatives compares both directions with central differences, and both kept as
// one transform inside of the other.
func TestStructuralDerivatives(t *testing.T) {
	const h = 1e-6
	for _, text := range structural {
		xv, wv, tv := wave(6, 1), wave(6, 2.1), wave(12, 0.4)
		at := func(shift float64) []float64 {
			x, w := make([]float64, 6), make([]float64, 6)
			for i := range x {
				x[i], w[i] = xv[i]+shift*tv[i], wv[i]+shift*tv[i+6]
			}
			return values(t, held(t, func() []*core.Array {
				return []*core.Array{callWith(text, vector(dtype.Float64, []int{2, 3}, x),
					vector(dtype.Float64, []int{3, 2}, w))}
			})[0])
		}
		var size int
		ys := held(t, func() []*core.Array {
			ins := []*core.Array{vector(dtype.Float64, []int{2, 3}, xv), vector(dtype.Float64, []int{3, 2}, wv)}
			ts := []*core.Array{vector(dtype.Float64, []int{2, 3}, tv[:6]), vector(dtype.Float64, []int{3, 2}, tv[6:])}
			xs := core.Tracers(ins)
			y := callWith(text, xs[0], xs[1])
			size = y.Size()
			ct := vector(dtype.Float64, []int{size}, wave(size, 0.2))
			forward := core.JVP([]*core.Array{y}, xs, ts)[0]
			back := core.VJP([]*core.Array{y}, xs, []*core.Array{ct})
			// The derivative along ts of <forward, ct> and of <back, ts> is the same second one.
			mul := func(a, b *core.Array) *core.Array { return core.Binary(table.FindRow("multiply"), a, b) }
			inner := core.VJP([]*core.Array{mul(forward, ct)}, xs,
				[]*core.Array{vector(dtype.Float64, []int{size}, ones(size))})
			outer := core.JVP(back, xs, ts)
			return append(append([]*core.Array{forward, ct, back[0], back[1]}, inner...), outer...)
		})
		if strings.HasPrefix(text, "round") || strings.HasPrefix(text, "stop") {
			for i, v := range values(t, ys[0]) {
				if v != 0 {
					t.Errorf("%s has tangent %g at %d", text, v, i)
				}
			}
			continue
		}
		forward, ct := values(t, ys[0]), values(t, ys[1])
		hi, lo := at(h), at(-h)
		var left, right float64
		for k := range forward {
			if want := (hi[k] - lo[k]) / (2 * h); math.Abs(forward[k]-want) > 1e-7 {
				t.Errorf("%s: tangent %d is %g, finite differences give %g", text, k, forward[k], want)
			}
			left += forward[k] * ct[k]
		}
		for i, g := range append(values(t, ys[2]), values(t, ys[3])...) {
			right += g * tv[i]
		}
		if math.Abs(left-right) > 1e-10 {
			t.Errorf("%s: <tangent, cotangent> is %g forwards and %g backwards", text, left, right)
		}
		same(t, text+" twice", append(values(t, ys[4]), values(t, ys[5])...),
			append(values(t, ys[6]), values(t, ys[7])...))
	}
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// TestStructuralBatches compares a batch with its examples, with either or both arguments mapped.
func TestStructuralBatches(t *testing.T) {
	const n = 3
	for _, text := range structural {
		for which := 1; which < 4; which++ {
			var want []*core.Array
			outs := held(t, func() []*core.Array {
				shapes := [][]int{{2, 3}, {3, 2}}
				ins, axes := make([]*core.Array, 2), []int{core.NoAxis, core.NoAxis}
				for k, shape := range shapes {
					if which>>k&1 != 0 {
						axes[k] = k
						shape = append(append(append([]int{}, shape[:k]...), n), shape[k:]...)
					}
					ins[k] = vector(dtype.Float64, shape, wave(layout.Size(shape), float64(k)))
				}
				ps := core.VMapInputs(0, ins, axes)
				y := core.VMapOutputs(ins, ps, axes, []*core.Array{callWith(text, ps[0], ps[1])}, []int{0})[0]
				for b := range n {
					xs := make([]*core.Array, 2)
					for k, x := range ins {
						if xs[k] = x; axes[k] != core.NoAxis {
							items := make([]core.IndexItem, k+1)
							for i := range items {
								items[i].Kind = core.IndexSlice
							}
							items[k] = core.IndexItem{Kind: core.IndexInt, Int: b}
							xs[k] = core.Index(x, items)
						}
					}
					want = append(want, callWith(text, xs[0], xs[1]))
				}
				return append([]*core.Array{y}, want...)
			})
			var all []float64
			for _, y := range outs[1:] {
				all = append(all, values(t, y)...)
			}
			same(t, text, values(t, outs[0]), all)
		}
	}
}

// TestUpdateTakesOver holds that writing into an array that dies copies nothing, and that one
// which lives on keeps its values.
func TestUpdateTakesOver(t *testing.T) {
	hostAlone(t, "the host's copy of what is updated lives on beside the device's")
	for _, keep := range []bool{false, true} {
		var x, y *core.Array
		held(t, func() []*core.Array {
			c := newCaller()
			x = c.eval("ones((1000,))")[0]
			c.env["x"] = x
			y = core.IndexUpdate(x, []core.IndexItem{{Kind: core.IndexInt, Int: 3}},
				core.AsArray(&core.Arg{Kind: core.ArgInt, Int: 7}), core.UpdateSet)
			if keep {
				return []*core.Array{x, y}
			}
			return []*core.Array{y}
		})
		core.Lock()
		core.ResetPeakMemory()
		before := core.ActiveMemory()
		core.Unlock()
		if err := core.Eval(y); err != nil {
			t.Fatal(err)
		}
		core.Lock()
		used := core.PeakMemory() - before
		core.Unlock()
		if !keep && used > 6000 {
			t.Errorf("an update of 4000 bytes used %d", used)
		}
		got := values(t, y)
		if got[2] != 1 || got[3] != 7 || got[4] != 1 {
			t.Errorf("update gives %v", got[:5])
		}
		if keep && values(t, x)[3] != 1 {
			t.Error("an update changed the array it copied")
		}
	}
}

// TestEinsumPath pins the order of contractions and its report.
func TestEinsumPath(t *testing.T) {
	for _, c := range []struct {
		text   string
		shapes [][]int
		path   [][]int
		report string
	}{
		{"ij->i", [][]int{{2, 3}}, [][]int{{0}}, "2 2 12 12"},
		{"i,i", [][]int{{3}, {3}}, [][]int{{0, 1}}, "1 1 6 6"},
		{"i,j,k->ijk", [][]int{{3}, {3}, {3}}, [][]int{{0, 1}, {0, 1}}, "3 3 54 36"},
		{"...ij,jk->...ik", [][]int{{2, 3, 4}, {4, 5}}, [][]int{{0, 1}}, "4 4 240 240"},
		{"ij,jk,kl,lm->im", [][]int{{10, 200}, {200, 3}, {3, 100}, {100, 10}}, [][]int{{0, 1}, {0, 1}, {0, 1}},
			"5 3 24000000 18600"},
		{"ij,kj,lj,mj->iklm", [][]int{{2, 5}, {3, 5}, {4, 5}, {2, 5}}, [][]int{{0, 3}, {0, 1, 2}}, "5 5 960 740"},
	} {
		var path [][]int
		var report string
		held(t, func() []*core.Array {
			var xs []*core.Array
			for _, s := range c.shapes {
				xs = append(xs, vector(dtype.Float32, s, make([]float64, layout.Size(s))))
			}
			path, report = core.EinsumPath(c.text, xs)
			return xs
		})
		if len(path) != len(c.path) {
			t.Errorf("%s: path %v, not %v", c.text, path, c.path)
			continue
		}
		for i := range path {
			if !layout.Equal(path[i], c.path[i]) {
				t.Errorf("%s: path %v, not %v", c.text, path, c.path)
			}
		}
		var numbers []string
		for _, line := range strings.Split(strings.TrimSpace(report), "\n")[1:] {
			f := strings.Fields(line)
			numbers = append(numbers, f[len(f)-1])
		}
		if got := strings.Join(numbers, " "); got != c.report {
			t.Errorf("%s: report %s, not %s", c.text, got, c.report)
		}
	}
}

// TestHadamardMatrices holds that the base matrices are orthogonal, and that products of several
// powers of two, which are symmetric, undo themselves.
func TestHadamardMatrices(t *testing.T) {
	check := func(n int, text string, want func(i int) float64) {
		y := held(t, func() []*core.Array { return newCaller().eval(text) })[0]
		for i, v := range values(t, y) {
			if math.Abs(v-want(i)) > 1e-5 {
				t.Fatalf("order %d: %s has %g at %d, not %g", n, text, v, i, want(i))
			}
		}
	}
	for _, n := range []int{2, 12, 20, 28} {
		h := fmt.Sprintf("hadamard_transform(eye(%d))", n)
		check(n, "einsum('ij,kj->ik',"+h+","+h+")", func(i int) float64 {
			if i%(n+1) == 0 {
				return 1
			}
			return 0
		})
	}
	for _, n := range []int{1, 8, 128, 8192} {
		check(n, fmt.Sprintf("hadamard_transform(hadamard_transform(linspace(0,1,%d)))", n), func(i int) float64 {
			return float64(i) / float64(max(n-1, 1))
		})
	}
}
