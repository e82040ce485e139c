module github.com/mlx-go/mlx_go

go 1.26.0

require golang.org/x/sys v0.49.0

require golang.org/x/sync v0.25.0
