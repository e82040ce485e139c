package layout

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// positions lists the offsets that a view visits, in row-major order.
func positions(shape Shape, strides []int) []int {
	out := []int{0}
	for i, d := range shape {
		next := make([]int, 0, len(out)*d)
		for _, p := range out {
			for k := range d {
				next = append(next, p+k*strides[i])
			}
		}
		out = next
	}
	return out
}

func randomView(r *rand.Rand) (Shape, []int) {
	rank := r.IntN(5)
	shape, strides := make(Shape, rank), make([]int, rank)
	for i := range shape {
		shape[i] = []int{1, 1, 2, 3, 4, 6}[r.IntN(6)]
		strides[i] = []int{0, 1, -1, 2, 6, -12, 24}[r.IntN(7)]
	}
	if r.IntN(2) == 0 { // contiguous but for a permutation
		strides = Strides(shape)
		r.Shuffle(rank, func(i, j int) {
			shape[i], shape[j] = shape[j], shape[i]
			strides[i], strides[j] = strides[j], strides[i]
		})
	}
	return shape, strides
}

// TestReshapeKeepsElements holds that a view of another shape visits the same elements in the same order, and that
// it is found whenever the old view is contiguous.
func TestReshapeKeepsElements(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 20000 {
		shape, strides := randomView(r)
		n := Size(shape)
		var to Shape
		for n > 1 {
			d := 1 + r.IntN(n)
			for n%d != 0 {
				d = 1 + r.IntN(n)
			}
			to = append(to, d)
			n /= d
		}
		got, ok := Reshape(shape, strides, to)
		if !ok {
			if IsContiguous(shape, strides) {
				t.Fatalf("contiguous %v cannot become %v", shape, to)
			}
			continue
		}
		found++
		if want := positions(shape, strides); !slices.Equal(positions(to, got), want) {
			t.Fatalf("%v with strides %v as %v with strides %v visits other elements", shape, strides, to, got)
		}
	}
	if found < 5000 {
		t.Errorf("only %d reshapes without a copy", found)
	}
}

// TestCollapseKeepsElements does the same for merged axes of two operands.
func TestCollapseKeepsElements(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		shape, a := randomView(r)
		b := BroadcastStrides(shape, Strides(shape), shape)
		dims, s := Collapse(shape, a, b)
		if !slices.Equal(positions(dims, s[0]), positions(shape, a)) ||
			!slices.Equal(positions(dims, s[1]), positions(shape, b)) {
			t.Fatalf("%v with %v and %v collapses to %v with %v", shape, a, b, dims, s)
		}
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct {
		a, b, want Shape
		ok         bool
	}{
		{Shape{}, Shape{}, Shape{}, true},
		{Shape{3}, Shape{}, Shape{3}, true},
		{Shape{1}, Shape{4}, Shape{4}, true},
		{Shape{2, 1, 3}, Shape{5, 1}, Shape{2, 5, 3}, true},
		{Shape{1, 3}, Shape{2, 1}, Shape{2, 3}, true},
		{Shape{0, 3}, Shape{1, 3}, Shape{0, 3}, true},
		{Shape{2}, Shape{3}, nil, false},
		{Shape{0}, Shape{2}, nil, false},
	} {
		keepA, keepB := slices.Clone(c.a), slices.Clone(c.b)
		for range 2 {
			got, ok := Broadcast(c.a, c.b)
			if ok != c.ok || ok && !Equal(got, c.want) {
				t.Errorf("%v and %v meet in %v (%v), want %v", c.a, c.b, got, ok, c.want)
			}
			c.a, c.b = c.b, c.a
		}
		if !slices.Equal(c.a, keepA) || !slices.Equal(c.b, keepB) {
			t.Errorf("broadcasting %v and %v changed them", keepA, keepB)
		}
	}
}

func TestCheckedSize(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		n     int
		ok    bool
	}{
		{Shape{}, 1, true}, {Shape{3, 4}, 12, true}, {Shape{1 << 62, 4}, 0, false}, {Shape{1 << 62, 4, 0}, 0, false},
		{Shape{0, 5}, 0, true}, {Shape{-1}, 0, false},
	} {
		if n, ok := CheckedSize(c.shape, 8); n != c.n || ok != c.ok {
			t.Errorf("%v has size %d (%v), want %d (%v)", c.shape, n, ok, c.n, c.ok)
		}
	}
}

// TestExtentHoldsAllElements compares it with where the elements are found to lie.
func TestExtentHoldsAllElements(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		shape, strides := randomView(r)
		if len(shape) > 0 && r.IntN(8) == 0 {
			shape[r.IntN(len(shape))] = 0
		}
		first, last, n := 0, 0, Size(shape)
		for i := range n {
			at := 0
			for axis := len(shape) - 1; axis >= 0; axis-- {
				at += i % shape[axis] * strides[axis]
				i /= shape[axis]
			}
			first, last = min(first, at), max(last, at)
		}
		if n > 0 {
			last++
		}
		if lo, hi := Extent(shape, strides); lo != first || hi != last {
			t.Fatalf("shape %v, strides %v: from %d to %d, not from %d to %d", shape, strides, lo, hi, first, last)
		}
	}
}
