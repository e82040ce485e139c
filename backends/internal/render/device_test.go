package render

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

var update = flag.Bool("update", false, "write the golden text anew")

// TestGoldenKernels shows what a row becomes on each device.
func TestGoldenKernels(t *testing.T) {
	var b strings.Builder
	for _, target := range []*Target{CUDA, Metal} {
		for _, c := range []struct {
			row string
			d   dtype.Dtype
		}{
			{"add", dtype.Float32}, {"add", dtype.Int8}, {"arcsinh", dtype.Float32}, {"power", dtype.Complex64},
			{"where", dtype.Float32}, {"isnan", dtype.Float32}, {"floor_divide", dtype.Int32}, {"exp", dtype.Float64},
		} {
			if r := table.FindRow(c.row); target.Has(r, c.d) {
				b.WriteString("// " + target.Name + "\n" + target.Kernel(r, c.d) + "\n")
			}
		}
	}
	const file = "testdata/kernels.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("kernel text changed; if that is meant, go test ./backends/internal/render -update\n%s", b.String())
	}
}

// TestEveryRowOnEveryDevice holds that the only gap is Metal's float64.
func TestEveryRowOnEveryDevice(t *testing.T) {
	for _, r := range table.Rows {
		for _, d := range r.ComputeDtypes() {
			if !CUDA.Has(r, d) {
				t.Errorf("CUDA has no %s of %s", r.Name, d)
			}
			if !Metal.Has(r, d) && d != dtype.Float64 {
				t.Errorf("Metal has no %s of %s", r.Name, d)
			}
		}
	}
}

// TestMetalCompilesAsCpp compiles every Metal kernel as C++ under the shim.
func TestMetalCompilesAsCpp(t *testing.T) {
	cxx, err := exec.LookPath("g++")
	if err != nil {
		if cxx, err = exec.LookPath("clang++"); err != nil {
			t.Skip("there is no C++ compiler")
		}
	}
	file := filepath.Join(t.TempDir(), "rows.cpp")
	if err := os.WriteFile(file, []byte(Metal.Source()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cxx, "-std=c++17", "-fsyntax-only", "-Wall", "-Werror", "-Wno-attributes",
		"-Wno-unknown-attributes", "-Wno-unused", "-Wno-tautological-compare", "-Wno-bool-operation",
		"-Imetalshim", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%.4000s", err, out)
	}
}
