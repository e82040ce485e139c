package reference_test

import (
	"testing"

	"github.com/mlx-go/mlx_go/backends/backendtest"
	"github.com/mlx-go/mlx_go/backends/reference"
)

// TestBackend runs the cases of every backend over the reference itself: its guards, errors and
// cancellation; results agree by construction.
func TestBackend(t *testing.T) { backendtest.RunAll(t, reference.New()) }
