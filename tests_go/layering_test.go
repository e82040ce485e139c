// Package tests_go holds tests that look at the repository as a whole.
package tests_go

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mlx-go/mlx_go/"

// deps lists the packages of this module that pkg is built from, and whether any of its packages
// uses cgo. Environment settings are added to the command's.
func deps(t *testing.T, pkg string, env ...string) (own []string, cgo []string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{len .CgoFiles}} {{.Standard}}", "./"+pkg)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if f[2] == "true" {
			continue
		}
		if name, ok := strings.CutPrefix(f[0], module); ok {
			own = append(own, name)
		}
		if f[1] != "0" {
			cgo = append(cgo, f[0])
		}
	}
	return own, cgo
}

// TestLayering holds python -> capi -> core -> leaves <- backends: core knows no backend and no extension,
// leaves know no array, and backends know core's leaves but neither core nor each other: only the double computes by
// the reference.
func TestLayering(t *testing.T) {
	own, cgo := deps(t, "core")
	for _, p := range own {
		if p != "core" && !strings.HasPrefix(p, "core/") {
			t.Errorf("core depends on %s", p)
		}
	}
	if len(cgo) > 0 {
		t.Errorf("core uses cgo through %v", cgo)
	}
	for _, leaf := range []string{"dtype", "doc", "layout", "format", "signature", "errs", "table", "device"} {
		own, _ := deps(t, "core/"+leaf)
		if slices.Contains(own, "core") {
			t.Errorf("core/%s is a leaf, and depends on core", leaf)
		}
	}
	for _, b := range []string{"cpu", "reference", "double"} {
		own, _ := deps(t, "backends/"+b)
		if slices.Contains(own, "core") {
			t.Errorf("backends/%s depends on core, and not on its leaves alone", b)
		}
		for _, p := range own {
			if p == "capi" || strings.HasPrefix(p, "backends/") && !strings.HasPrefix(p, "backends/"+b) &&
				!strings.HasPrefix(p, "backends/internal/") && !(b == "double" && p == "backends/reference") {
				t.Errorf("backends/%s depends on %s", b, p)
			}
		}
	}
	own, _ = deps(t, "capi")
	for _, want := range []string{"core", "backends/cpu"} {
		if !slices.Contains(own, want) {
			t.Errorf("capi does not depend on %s", want)
		}
	}
}

// TestCoreBuildsWithoutCgo builds core and the reference backend with cgo off.
func TestCoreBuildsWithoutCgo(t *testing.T) {
	cmd := exec.Command("go", "build", "./core/...", "./backends/reference/...", "./backends/double/...",
		"./backends/backendtest/...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
