package cpu

import (
	"testing"

	"github.com/mlx-go/mlx_go/backends/backendtest"
)

// TestBackend runs the cases that every backend must pass.
func TestBackend(t *testing.T) { backendtest.RunAll(t, Backend{}) }
