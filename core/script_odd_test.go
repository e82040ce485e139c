package core_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// Texts that are scripts but for some of their parts: bytes changed at random are hardly ever JSON.

// odd changes parts of JSON: others of the same text, or of none, take their place.
type odd struct {
	r     *rand.Rand
	parts []any // what there is to take
}

func (o *odd) collect(x any) {
	o.parts = append(o.parts, x)
	switch x := x.(type) {
	case []any:
		for _, v := range x {
			o.collect(v)
		}
	case map[string]any:
		keys := []string{}
		for k := range x {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			o.parts = append(o.parts, k)
			o.collect(x[k])
		}
	}
}

var oddNumbers = []int{-1, 0, 1, 2, 3, 5, 1 << 8, 1 << 20, 1<<31 - 1, -1 << 31, 1<<62 - 1, -1 << 63, core.NoAxis}

func (o *odd) other(x any) any {
	if _, number := x.(json.Number); number && o.r.IntN(4) > 0 {
		return json.Number(strconv.Itoa(oddNumbers[o.r.IntN(len(oddNumbers))]))
	}
	if _, text := x.(string); text && o.r.IntN(3) == 0 {
		return core.Funcs[o.r.IntN(len(core.Funcs))].Name
	}
	for range 20 { // of the same kind, most likely
		y := o.parts[o.r.IntN(len(o.parts))]
		if kindOf(x) == kindOf(y) || o.r.IntN(20) == 0 {
			return y
		}
	}
	return nil
}

func kindOf(x any) int {
	switch x.(type) {
	case json.Number:
		return 1
	case string:
		return 2
	case []any:
		return 3
	case map[string]any:
		return 4
	}
	return 0
}

// change is x with about one part in n changed.
func (o *odd) change(x any, n int) any {
	if o.r.IntN(n) == 0 {
		return o.other(x)
	}
	switch x := x.(type) {
	case []any:
		out := []any{}
		for _, v := range x {
			switch o.r.IntN(3 * n) {
			case 0: // left out
			case 1:
				out = append(out, v, v)
			default:
				out = append(out, o.change(v, n))
			}
		}
		return out
	case map[string]any:
		out := map[string]any{}
		keys := []string{}
		for k := range x {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if o.r.IntN(6*n) > 0 {
				out[k] = o.change(x[k], n)
			}
		}
		return out
	}
	return x
}

func oddScript(t *testing.T, text string, constants int, seed uint64) {
	o := &odd{r: rand.New(rand.NewPCG(seed, 1))}
	var x any
	d := json.NewDecoder(bytesOf(text))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		t.Fatal(err)
	}
	o.collect(x)
	changed, err := json.Marshal(o.change(x, 5+o.r.IntN(200)))
	if err != nil {
		t.Fatal(err)
	}
	readAndPlay(t, string(changed), func() []*core.Array {
		arrays := make([]*core.Array, constants)
		for i := range arrays {
			arrays[i] = vector(dtype.Int32, []int{2}, []float64{1, 0})
			if o.r.IntN(2) == 0 {
				arrays[i] = core.KeyOf(seed)
			}
		}
		return arrays
	})
}

// TestOddScripts: whatever is wrong with a part of a script, nothing but an error of ours comes of it.
func TestOddScripts(t *testing.T) {
	core.Lock()
	texts, counts := []string{}, []int{}
	for _, name := range writtenNames() {
		text, constants := textOf(t, name)
		texts, counts = append(texts, text), append(counts, len(constants))
	}
	core.Unlock()
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	for seed := range rounds {
		k := seed % len(texts)
		oddScript(t, texts[k], counts[k], uint64(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// FuzzOddScript is TestOddScripts for as long as one likes.
func FuzzOddScript(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		core.Lock()
		names := writtenNames()
		text, constants := textOf(t, names[seed%uint64(len(names))])
		core.Unlock()
		oddScript(t, text, len(constants), seed)
	})
}
