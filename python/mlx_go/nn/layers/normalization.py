"""Normalization layers, features last."""

from __future__ import annotations

import mlx_go.core as mx
from mlx_go.nn import _halves
from mlx_go.nn.layers.base import Module


def _standardized(x: mx.array, axis: int | tuple[int, ...], eps: float) -> mx.array:
    """``x`` with mean 0 and variance 1 along ``axis``, by way of float32 for halves."""
    w = _halves.widened(x)
    mean = mx.mean(w, axis=axis, keepdims=True)
    var = mx.var(w, axis=axis, keepdims=True)
    return _halves.rounded((w - mean) * mx.rsqrt(var + eps), x)


class InstanceNorm(Module):
    """Normalize every channel of every sample over its spatial axes (arXiv:1607.08022).

    Inputs have shape ``(N, ..., C)`` with at least one spatial axis.

    Args:
        dims: The number of channels ``C``.
        eps: Added to the variance.
        affine: Whether to learn a scale and an offset per channel.

    Example:
        >>> nn.InstanceNorm(3)(mx.zeros((2, 4, 4, 3))).shape
        (2, 4, 4, 3)
    """

    def __init__(self, dims: int, eps: float = 1e-5, affine: bool = False) -> None:
        super().__init__()
        if affine:
            self.weight = mx.ones((dims,))
            self.bias = mx.zeros((dims,))
        self.dims = dims
        self.eps = eps

    def _extra_repr(self) -> str:
        return f"{self.dims}, eps={self.eps}, affine={'weight' in self}"

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim < 3:
            raise ValueError(
                "InstanceNorm expects inputs with at least 3 dimensions (N, ..., C) but the "
                f"input has {x.ndim} dimensions."
            )
        x = _standardized(x, tuple(range(1, x.ndim - 1)), self.eps)
        return self["weight"] * x + self["bias"] if "weight" in self else x


class LayerNorm(Module):
    r"""Normalize the last axis (arXiv:1607.06450).

    :math:`y = (x - E[x]) / \sqrt{Var[x] + \epsilon} \cdot \gamma + \beta`, accumulated in
    float32.

    Args:
        dims: The size of the last axis.
        eps: Added to the variance.
        affine: Whether to learn the scale :math:`\gamma`.
        bias: Whether to learn the offset :math:`\beta` too.

    Example:
        >>> nn.LayerNorm(2)(mx.array([[1.0, 3.0]]))
        array([[-0.999995, 0.999995]], dtype=float32)
    """

    def __init__(self, dims: int, eps: float = 1e-5, affine: bool = True, bias: bool = True) -> None:
        super().__init__()
        if affine:
            self.weight = mx.ones((dims,))
            if bias:
                self.bias = mx.zeros((dims,))
        self.eps = eps
        self.dims = dims

    def _extra_repr(self) -> str:
        return f"{self.dims}, eps={self.eps}, affine={'weight' in self}"

    def __call__(self, x: mx.array) -> mx.array:
        return mx.fast.layer_norm(x, self.get("weight"), self.get("bias"), self.eps)


class RMSNorm(Module):
    r"""Divide the last axis by its root mean square (arXiv:1910.07467).

    :math:`y = x / \sqrt{E[x^2] + \epsilon} \cdot \gamma`, accumulated in float32.

    Args:
        dims: The size of the last axis.
        eps: Added to the mean square.

    Example:
        >>> nn.RMSNorm(2)(mx.array([[3.0, 3.0]]))
        array([[0.999999, 0.999999]], dtype=float32)
    """

    def __init__(self, dims: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = mx.ones((dims,))
        self.eps = eps

    def _extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}"

    def __call__(self, x: mx.array) -> mx.array:
        return mx.fast.rms_norm(x, self["weight"], self.eps)


class GroupNorm(Module):
    """Normalize groups of channels of every sample over space (arXiv:1803.08494).

    Inputs have shape ``(N, ..., C)``.

    Args:
        num_groups: The number of groups.
        dims: The number of channels ``C``.
        eps: Added to the variance.
        affine: Whether to learn a scale and an offset per channel.
        pytorch_compatible: If ``True``, a group is a run of consecutive channels, as
            in PyTorch; otherwise channel ``c`` belongs to group ``c % num_groups``.

    Example:
        >>> nn.GroupNorm(2, 4)(mx.zeros((2, 8, 8, 4))).shape
        (2, 8, 8, 4)
    """

    def __init__(
        self,
        num_groups: int,
        dims: int,
        eps: float = 1e-5,
        affine: bool = True,
        pytorch_compatible: bool = False,
    ) -> None:
        super().__init__()
        if num_groups < 1 or dims % num_groups != 0:
            raise ValueError(
                f"The number of features ({dims}) must be evenly divisible by the number of groups ({num_groups})."
            )
        if affine:
            self.bias = mx.zeros((dims,))
            self.weight = mx.ones((dims,))
        self.num_groups = num_groups
        self.dims = dims
        self.eps = eps
        self.pytorch_compatible = pytorch_compatible

    def _extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.dims}, eps={self.eps}, affine={'weight' in self}, "
            f"pytorch_compatible={self.pytorch_compatible}"
        )

    def _consecutive(self, x: mx.array) -> mx.array:
        batch, *rest, dims = x.shape
        groups = self.num_groups
        x = x.reshape(batch, -1, groups, dims // groups)
        x = x.transpose(0, 2, 1, 3).reshape(batch, groups, -1)
        x = mx.fast.layer_norm(x, None, None, self.eps)
        x = x.reshape(batch, groups, -1, dims // groups)
        return x.transpose(0, 2, 1, 3).reshape(batch, *rest, dims)

    def _interleaved(self, x: mx.array) -> mx.array:
        shape = x.shape
        x = x.reshape(shape[0], -1, self.num_groups)
        return _standardized(x, 1, self.eps).reshape(shape)

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim < 2 or x.shape[-1] != self.dims:
            raise ValueError(f"[GroupNorm] expected an input of shape (N, ..., {self.dims}) but got shape {x.shape}.")
        x = self._consecutive(x) if self.pytorch_compatible else self._interleaved(x)
        return self["weight"] * x + self["bias"] if "weight" in self else x


class BatchNorm(Module):
    r"""Normalize every channel over the batch and space (arXiv:1502.03167).

    In training the statistics of the batch are used, and running averages of them are
    kept; in evaluation mode the running averages are used. The running averages are
    parameters that are saved and loaded but never trained, and stay frozen whatever is
    unfrozen.

    Inputs have shape ``(N, C)``, ``(N, L, C)`` or ``(N, H, W, C)``.

    Args:
        num_features: The number of channels ``C``.
        eps: Added to the variance.
        momentum: The weight of the newest batch in the running averages.
        affine: Whether to learn a scale and an offset per channel.
        track_running_stats: Whether to keep running averages.

    Example:
        >>> nn.BatchNorm(4)(mx.random.normal((5, 4))).shape
        (5, 4)
    """

    _never_trainable = frozenset(("running_mean", "running_var"))

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = mx.ones((num_features,))
            self.bias = mx.zeros((num_features,))
        if track_running_stats:
            self.running_mean = mx.zeros((num_features,))
            self.running_var = mx.ones((num_features,))
            self.freeze(keys=["running_mean", "running_var"], recurse=False)

    def _extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={'weight' in self}, track_running_stats={self.track_running_stats}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim < 2 or x.ndim > 4:
            raise ValueError(f"Expected input tensor to have 2, 3 or 4 dimensions, but got {x.ndim}")
        axes = tuple(range(x.ndim - 1))
        training = self._training
        wide = _halves.widened(x)
        dtype = x.dtype
        if training or not self.track_running_stats:
            mean = mx.mean(wide, axis=axes)
            var = mx.var(wide, axis=axes)
        else:
            mean = _halves.widened(self["running_mean"])
            var = _halves.widened(self["running_var"])
            dtype = mx.result_type(x, self["running_mean"])

        if training and self.track_running_stats:
            count = x.size // x.shape[-1] if x.shape[-1] else 0
            if count < 2:
                raise ValueError("BatchNorm training requires more than one value per channel.")
            mu = self.momentum
            kept = mx.result_type(x, self["running_mean"])
            # The running variance estimates the population: Bessel's correction.
            self["running_mean"] = ((1 - mu) * self["running_mean"] + mu * mean).astype(kept)
            self["running_var"] = ((1 - mu) * self["running_var"] + (mu * count / (count - 1)) * var).astype(kept)

        x = (wide - mean) * mx.rsqrt(var + self.eps)
        if mx.issubdtype(dtype, mx.inexact):
            x = x.astype(dtype)
        return self["weight"] * x + self["bias"] if "weight" in self else x
