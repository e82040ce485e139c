package render

import (
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/backends/cpu/kernels"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

func TestRenderC(t *testing.T) {
	for _, c := range []struct {
		row  string
		d    dtype.Dtype
		want string
	}{
		{"add", dtype.Float32, "(a + b)"},
		{"add", dtype.Int8, "i8_add(a, b)"},
		{"add", dtype.Bool, "(a || b)"},
		{"rsqrt", dtype.Float64, "(1.0 / f64_sqrt(a))"},
		{"rsqrt", dtype.Complex64, "c64_div(c64_of(1.0f, 0.0f), c64_sqrt(a))"},
		{"degrees", dtype.Float32, "(a * 57.29578f)"},
		{"isposinf", dtype.Complex64, "((f32_isinf(c64_re(a)) && (c64_re(a) > 0.0f)) && (c64_im(a) == 0.0f))"},
		{"where", dtype.Complex64, "(condition ? x : y)"},
		{"bitwise_invert", dtype.Uint16, "(uint16_t)(~a)"},
		{"imag", dtype.Int64, "(int64_t)0"},
		{"conjugate", dtype.Complex64, "f32_cplx(c64_re(a), (-c64_im(a)))"},
	} {
		if got := Render(table.FindRow(c.row), c.d, C); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.row, c.d, got, c.want)
		}
	}
}

// TestRowsFresh fails when the table was edited without go generate.
func TestRowsFresh(t *testing.T) {
	have, err := kernels.Source("zrows.h")
	if err != nil {
		t.Fatal(err)
	}
	if have != Rows() {
		t.Error("backends/cpu/kernels/zrows.h is out of date: run go generate ./...")
	}
	if n := strings.Count(have, "\nROW"); n < 500 {
		t.Errorf("only %d loops", n)
	}
}
