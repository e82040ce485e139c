package core

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Einstein summation. Subscripts are parsed to labels, one per axis; the order of contractions
// is found greedily (Smith and Gray, opt_einsum, 2018); each contraction of two operands is one
// batched matrix product.

func init() {
	register(Func{Name: "einsum", Sig: "(subscripts: str, *operands) -> array",
		Call: callN(func(a *Args) *Array { return Einsum(a.string(by.subscripts), a.arrays(by.operands)) })})
}

// term is an operand of a contraction: a label per axis.
type term []rune

// ellipsisLabel names the axes of an ellipsis, counted from the last one.
func ellipsisLabel(fromEnd int) rune { return rune(0xE000 + fromEnd) }

// contraction is a parsed einsum.
type contraction struct {
	text  string
	terms []term
	out   term
	size  map[rune]int
}

func parseEinsum(op, subscripts string, xs []*Array) *contraction {
	fail := func(kind errs.ErrorKind, format string, args ...any) {
		errs.Throw(kind, "[%s] %s in '%s'", op, fmt.Sprintf(format, args...), subscripts)
	}
	if len(xs) == 0 {
		fail(errs.ValueError, "at least one operand is required")
	}
	text := strings.ReplaceAll(subscripts, " ", "")
	left, right, explicit := strings.Cut(text, "->")
	c := &contraction{text: text, size: map[rune]int{}}
	ins := strings.Split(left, ",")
	if len(ins) != len(xs) {
		fail(errs.ValueError, "%d operands are given for %d subscripts", len(xs), len(ins))
	}
	longest := 0
	for i, in := range ins {
		shape := xs[i].shape
		t := parseTerm(in, func(letters int) int {
			if n := len(shape) - letters; n > longest {
				longest = n
			}
			return len(shape) - letters
		}, fail)
		if len(t) != len(shape) {
			fail(errs.ValueError, "subscript '%s' does not name the %d axes of operand %d of shape %s", in, len(shape),
				i, layout.Format(shape))
		}
		for k, label := range t {
			switch old, seen := c.size[label]; {
			case !seen || old == 1:
				c.size[label] = shape[k]
			case shape[k] != 1 && shape[k] != old:
				fail(errs.ValueError,
					"axis %d of operand %d of shape %s does not match extent %d of the same subscript", k, i,
					layout.Format(shape), old)
			}
		}
		c.terms = append(c.terms, t)
	}
	if explicit {
		c.out = parseTerm(right, func(int) int { return longest }, fail)
		for i, label := range c.out {
			if slices.Contains(c.out[:i], label) {
				fail(errs.ValueError, "subscript '%c' is repeated in the result", label)
			}
			if _, ok := c.size[label]; !ok {
				fail(errs.ValueError, "subscript '%c' of the result is in no operand", label)
			}
		}
		return c
	}
	for i := longest - 1; i >= 0; i-- {
		c.out = append(c.out, ellipsisLabel(i))
	}
	var once term
	for label := range c.size {
		if label < 0xE000 && strings.Count(left, string(label)) == 1 {
			once = append(once, label)
		}
	}
	slices.Sort(once)
	c.out = append(c.out, once...)
	return c
}

// parseTerm reads one subscript; rest says how many axes an ellipsis stands for beside letters.
func parseTerm(text string, rest func(letters int) int, fail func(errs.ErrorKind, string, ...any)) term {
	before, after, dots := strings.Cut(text, "...")
	if strings.Contains(after, "...") {
		fail(errs.ValueError, "subscript '%s' has more than one ellipsis", text)
	}
	for _, r := range before + after {
		if r < 'A' || r > 'Z' && r < 'a' || r > 'z' {
			fail(errs.ValueError, "subscripts must be letters, not '%c',", r)
		}
	}
	t := term(before)
	if dots {
		for i := rest(len(before)+len(after)) - 1; i >= 0; i-- {
			t = append(t, ellipsisLabel(i))
		}
	}
	return append(t, term(after)...)
}

// product is the number of elements of a tensor with the given labels.
func (c *contraction) product(labels term) int {
	n := 1
	for _, label := range labels {
		n *= c.size[label]
	}
	return n
}

// merged gives, for contracting the terms at positions, all their labels and those that remain,
// being in the result or in another term.
func (c *contraction) merged(terms []term, positions []int) (all, kept term) {
	for _, p := range positions {
		for _, label := range terms[p] {
			if !slices.Contains(all, label) {
				all = append(all, label)
			}
		}
	}
	for _, label := range all {
		needed := slices.Contains(c.out, label)
		for i, t := range terms {
			needed = needed || !slices.Contains(positions, i) && slices.Contains(t, label)
		}
		if needed {
			kept = append(kept, label)
		}
	}
	return all, kept
}

// flops is the cost of contracting n terms: a multiplication per further term and element, and an
// addition where something is summed.
func (c *contraction) flops(all, kept term, n int) int {
	factor := max(n-1, 1)
	if len(kept) < len(all) {
		factor++
	}
	return c.product(all) * factor
}

// unique drops repeated labels: a term with a diagonal taken.
func (t term) unique() term {
	var out term
	for _, label := range t {
		if !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}

// remaining are the terms after those at positions were replaced by one with labels kept.
func remaining(terms []term, positions []int, kept term) []term {
	var out []term
	for i, t := range terms {
		if !slices.Contains(positions, i) {
			out = append(out, t)
		}
	}
	return append(out, kept)
}

// path orders the contractions. In each step the pair that shrinks the operands most is
// contracted, as long as intermediate results stay within the largest operand or result and the
// whole within the cost of the naive sum; what is left then is contracted at once.
func (c *contraction) path() [][]int {
	terms := make([]term, len(c.terms))
	limit := c.product(c.out)
	for i, t := range c.terms {
		terms[i] = t.unique()
		limit = max(limit, c.product(terms[i]))
	}
	everything := func() []int { return allAxes(len(terms)) }
	all, kept := c.merged(terms, everything())
	naive, spent := c.flops(all, kept, len(terms)), 0
	var path [][]int
	for len(terms) > 2 {
		type candidate struct {
			pair          []int
			kept          term
			removed, cost int
		}
		var found []candidate
		for _, disjoint := range []bool{false, true} {
			for i := range terms {
				for j := i + 1; j < len(terms); j++ {
					if shareLabel(terms[i], terms[j]) == disjoint {
						continue
					}
					all, kept := c.merged(terms, []int{i, j})
					size := c.product(kept)
					cost := c.flops(all, kept, 2)
					if size > limit || spent+cost > naive {
						continue
					}
					found = append(found,
						candidate{[]int{i, j}, kept, c.product(terms[i]) + c.product(terms[j]) - size, cost})
				}
			}
			if len(found) > 0 {
				break
			}
		}
		if len(found) == 0 {
			break
		}
		sort.SliceStable(found, func(i, j int) bool {
			a, b := found[i], found[j]
			return a.removed > b.removed || a.removed == b.removed && a.cost < b.cost
		})
		best := found[0]
		path = append(path, best.pair)
		terms = remaining(terms, best.pair, best.kept)
		spent += best.cost
	}
	return append(path, everything())
}

func shareLabel(s, t term) bool {
	return slices.ContainsFunc(s, func(label rune) bool { return slices.Contains(t, label) })
}

// EinsumPath is the order in which Einsum contracts operands, each step naming positions in the
// list of what is left, and a report about its cost.
func EinsumPath(subscripts string, xs []*Array) (path [][]int, report string) {
	c := parseEinsum("einsum_path", subscripts, xs)
	path = c.path()
	terms := make([]term, len(c.terms))
	for i, t := range c.terms {
		terms[i] = t.unique()
	}
	all, kept := c.merged(terms, allAxes(len(terms)))
	naive, naiveScaling := c.flops(all, kept, len(terms)), len(all)
	cost, scaling := 0, 0
	for _, step := range path {
		all, kept := c.merged(terms, step)
		cost += c.flops(all, kept, len(step))
		scaling = max(scaling, len(all))
		terms = remaining(terms, step, kept)
	}
	return path,
		fmt.Sprintf("  Complete contraction:  %s\n         Naive scaling:  %d\n     Optimized scaling:  %d\n      "+
			"Naive FLOP count:  %d\n  Optimized FLOP count:  %d\n",
			c.text, naiveScaling, scaling, naive, cost)
}

// Einsum contracts operands as subscripts say.
func Einsum(subscripts string, xs []*Array) *Array {
	c := parseEinsum("einsum", subscripts, xs)
	xs = promoted(xs)
	first := xs[0]
	terms := make([]term, len(xs))
	for i, x := range xs {
		terms[i] = slices.Clone(c.terms[i])
		xs[i], terms[i] = c.simple(x, terms[i])
	}
	for _, step := range c.path() {
		x, t := xs[step[0]], terms[step[0]]
		left := slices.Clone(step[1:])
		for k, p := range left {
			// Labels that a later operand of this step still has are needed too.
			needed := slices.Clone(c.out)
			for i, other := range terms {
				if !slices.Contains(step, i) || slices.Contains(left[k+1:], i) {
					needed = append(needed, other...)
				}
			}
			x, t = contractPair(x, t, xs[p], terms[p], needed)
		}
		if len(step) == 1 {
			x, t = sumOut(x, t, c.out)
		}
		xs, terms = append(dropAt(xs, step), x), append(dropAt(terms, step), t)
	}
	return narrowed(c.finish(xs[0], terms[0]), first)
}

func dropAt[T any](list []T, positions []int) []T {
	var out []T
	for i, v := range list {
		if !slices.Contains(positions, i) {
			out = append(out, v)
		}
	}
	return out
}

// simple takes diagonals of repeated labels and drops axes of extent 1 that only broadcast.
func (c *contraction) simple(x *Array, t term) (*Array, term) {
	for i := 0; i < len(t); i++ {
		if x.shape[i] == 1 && c.size[t[i]] != 1 {
			x, t = Reshape(x, slices.Delete(slices.Clone(x.shape), i, i+1)), slices.Delete(t, i, i+1)
			i--
			continue
		}
		if j := slices.Index(t[:i], t[i]); j >= 0 {
			label := t[i]
			x = diagonal(x, 0, j, i)
			t = append(slices.Delete(slices.Delete(t, i, i+1), j, j+1), label)
			i = -1 // the axes have moved
		}
	}
	return x, t
}

// sumOut sums the axes whose labels are not needed.
func sumOut(x *Array, t, needed term) (*Array, term) {
	var axes []int
	var kept term
	for i, label := range t {
		if slices.Contains(needed, label) {
			kept = append(kept, label)
		} else {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return x, t
	}
	return wideSum(x, axes), kept
}

// contractPair multiplies two operands and sums over the labels that are not needed.
func contractPair(x *Array, s term, y *Array, t term, needed term) (*Array, term) {
	x, s = sumOut(x, s, append(slices.Clone(needed), t...))
	y, t = sumOut(y, t, append(slices.Clone(needed), s...))
	var batch, onlyX, onlyY, summed term
	for _, label := range s {
		switch {
		case !slices.Contains(t, label):
			onlyX = append(onlyX, label)
		case slices.Contains(needed, label):
			batch = append(batch, label)
		default:
			summed = append(summed, label)
		}
	}
	for _, label := range t {
		if !slices.Contains(s, label) {
			onlyY = append(onlyY, label)
		}
	}
	out := slices.Concat(batch, onlyX, onlyY)
	extent := func(z *Array, labels, in term) []int {
		shape := make([]int, len(labels))
		for i, label := range labels {
			shape[i] = z.shape[slices.Index(in, label)]
		}
		return shape
	}
	order := func(z *Array, in, to term) *Array {
		perm := make([]int, len(to))
		for i, label := range to {
			perm[i] = slices.Index(in, label)
		}
		return Transpose(z, perm)
	}
	b, m, n, k := extent(x, batch, s), extent(x, onlyX, s), extent(y, onlyY, t), extent(x, summed, s)
	shape := slices.Concat(b, m, n)
	d := x.dtype
	if d != y.dtype { // a sum has widened one of them
		p := promoted([]*Array{x, y})
		x, y, d = p[0], p[1], p[0].dtype
	}
	if len(summed) > 0 && d.IsInexact() {
		left := Reshape(order(x, s, slices.Concat(batch, onlyX, summed)),
			[]int{layout.Size(b), layout.Size(m), layout.Size(k)})
		right := Reshape(order(y, t, slices.Concat(batch, summed, onlyY)),
			[]int{layout.Size(b), layout.Size(k), layout.Size(n)})
		return Reshape(matMul(left, right), shape), out
	}
	// Without a sum, or in integers, which have no matrix product: align and multiply.
	ones := func(labels term) []int { return slices.Repeat([]int{1}, len(labels)) }
	left := Reshape(order(x, s, slices.Concat(batch, onlyX, summed)), slices.Concat(b, m, ones(onlyY), k))
	right := Reshape(order(y, t, slices.Concat(batch, onlyY, summed)), slices.Concat(b, ones(onlyX), n, k))
	return sumOut(mul(left, right), slices.Concat(out, summed), out)
}

// finish brings the only operand left to the order of the result.
func (c *contraction) finish(x *Array, t term) *Array {
	x, t = sumOut(x, t, c.out)
	perm := make([]int, len(c.out))
	for i, label := range c.out {
		perm[i] = slices.Index(t, label)
	}
	return Transpose(x, perm)
}
