package dtype

import (
	"math"
	"testing"
)

// TestPromotionLattice holds what makes promotion independent of order and grouping where it is: it commutes, is
// idempotent, never loses the group, and bool is neutral.
func TestPromotionLattice(t *testing.T) {
	for _, a := range All {
		if Promote(a, a) != a || Promote(a, Bool) != a {
			t.Errorf("%s does not promote to itself", a)
		}
		for _, b := range All {
			p := Promote(a, b)
			if p != Promote(b, a) {
				t.Errorf("%s and %s give %s one way and %s the other", a, b, p, Promote(b, a))
			}
			if p.Group() < a.Group() && !(a.IsInteger() && b.IsInteger()) {
				t.Errorf("%s and %s give %s", a, b, p)
			}
			if Promote(p, a) != p && p != Float32 {
				t.Errorf("%s does not hold %s", p, a)
			}
		}
	}
	for _, c := range []struct{ a, b, want Dtype }{
		{Uint8, Int8, Int16}, {Uint32, Int8, Int64}, {Uint64, Int64, Float32}, {Float16, BFloat16, Float32},
		{Int64, Float16, Float16}, {Float64, BFloat16, Float64}, {Float64, Complex64, Complex64},
		{Uint16, Int64, Int64},
	} {
		if got := Promote(c.a, c.b); got != c.want {
			t.Errorf("%s and %s give %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, d := range All {
		if got, ok := Parse(d.String()); !ok || got != d {
			t.Errorf("%s parses as %s", d, got)
		}
	}
	if _, ok := Parse("float8"); ok {
		t.Error("float8 is a dtype")
	}
}

// TestHalvesRoundTrip widens and narrows every 16-bit pattern.
func TestHalvesRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		for _, c := range []struct {
			name string
			to   func(uint16) float32
			from func(float32) uint16
		}{{"float16", Float16To, Float16From}, {"bfloat16", BFloat16To, BFloat16From}} {
			f := c.to(h)
			back := c.from(f)
			if f != f {
				if g := c.to(back); g == g {
					t.Fatalf("%s NaN %#x narrows to %#x", c.name, h, back)
				}
			} else if back != h {
				t.Fatalf("%s %#x widens to %g and narrows to %#x", c.name, h, f, back)
			}
		}
	}
}

// TestFloat16Rounds compares with the nearest value found by search: between neighbors ties go to even.
func TestFloat16Rounds(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		lo, hi := float64(Float16To(h)), float64(Float16To(h+1))
		mid := float32((lo + hi) / 2)
		even := h + h&1
		if got := Float16From(mid); got != even {
			t.Fatalf("%g between %#x and %#x rounds to %#x, want %#x", mid, h, h+1, got, even)
		}
		if got := Float16From(math.Nextafter32(mid, float32(math.Inf(1)))); got != h+1 {
			t.Fatalf("above the middle of %#x and the next rounds to %#x", h, got)
		}
	}
	if got := Float16From(65519.996); got != 0x7bff {
		t.Errorf("65519.996 rounds to %#x, want the largest float16", got)
	}
	if got := Float16From(65520); got != 0x7c00 {
		t.Errorf("65520 rounds to %#x, want infinity", got)
	}
}
