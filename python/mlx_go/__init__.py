"""mlx_go: arrays for machine learning, with a core in Go and the API of MLX."""

from ._install import install_as_mlx
from ._version import __version__

__all__ = ["__version__", "install_as_mlx"]
