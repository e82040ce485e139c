"""Layers whose parameters are shared out between the processes of a group."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module
from mlx_go.nn.layers.linear import Linear
from mlx_go.nn.layers.quantized import QuantizedLinear, _format, _product, _take_quantized, _uniform
from mlx_go.utils import tree_flatten, tree_map, tree_map_with_path

Group = mx.distributed.Group


@lru_cache
def sum_gradients(group: Group) -> Callable[[mx.array], mx.array]:
    """Return a function that is the identity, and whose gradient is summed over the group."""
    if group.size() > 1:
        raise ValueError(f"[sum_gradients] there are groups of one process only, not of {group.size()}")
    return lambda x: x


def _part(weight: mx.array, axis: int, segments: int | list, group: Group) -> mx.array:
    """The share of this process: of every segment along the axis its rank's part."""
    parts = [mx.split(s, group.size(), axis=axis)[group.rank()] for s in mx.split(weight, segments, axis=axis)]
    return mx.contiguous(mx.concatenate(parts, axis=axis))


def _all_to_sharded(path: str, weight: mx.array) -> int:
    return max(weight.ndim - 2, 0)


def _sharded_to_all(path: str, weight: mx.array) -> int | None:
    return None if path.endswith("bias") else -1


_SHARDINGS: dict[str, Callable] = {"all-to-sharded": _all_to_sharded, "sharded-to-all": _sharded_to_all}


def _check_sharding(sharding: object) -> None:
    if sharding not in _SHARDINGS:
        raise ValueError(f"Sharding type {sharding!r} is not one of {', '.join(map(repr, _SHARDINGS))}")


def _sharded(parameters: dict, axis_of: Callable, segments: int | list, group: Group) -> dict:
    def share(path: str, weight: Any) -> Any:
        if not isinstance(weight, mx.array):
            return weight
        where = axis_of(path, weight)
        if where is None:
            return weight
        axis, parts = where if isinstance(where, tuple) else (where, segments)
        return _part(weight, axis, parts, group)

    return tree_map_with_path(share, parameters)


def shard_inplace(
    module: Module,
    sharding: str | Callable,
    *,
    segments: int | list = 1,
    group: Group | None = None,
) -> None:
    """Replace the parameters of a module by this process's share.

    Args:
        module: The module.
        sharding: ``"all-to-sharded"``, ``"sharded-to-all"``, or a function of a parameter's path
            and value that returns the axis to share out, the axis and the segments, or ``None``.
        segments: How many matrices a parameter holds, or where they begin: 3 for a joint
            matrix of queries, keys and values.
        group: The processes; None is all of them.

    Example:
        >>> layer = nn.Linear(2, 3)
        >>> nn.layers.distributed.shard_inplace(layer, "all-to-sharded")
        >>> layer.weight.shape
        (3, 2)
    """
    if not callable(sharding):
        _check_sharding(sharding)
        sharding = _SHARDINGS[sharding]
    group = group or mx.distributed.init()
    module.update(_sharded(module.parameters(), sharding, segments, group))


def shard_linear(module: Module, sharding: str, *, segments: int | list = 1, group: Group | None = None) -> Module:
    """Return a layer that computes what a linear layer does and holds this process's share of it.

    Args:
        module: The linear layer, which stays as it is.
        sharding: ``"all-to-sharded"`` or ``"sharded-to-all"``.
        segments: How many matrices its weight holds, or where they begin.
        group: The processes; None is all of them.

    Example:
        >>> nn.layers.distributed.shard_linear(nn.Linear(2, 3), "sharded-to-all")
        ShardedToAllLinear(input_dims=2, output_dims=3, bias=True)
    """
    _check_sharding(sharding)
    if isinstance(module, QuantizedLinear):
        quantized = QuantizedAllToShardedLinear if sharding == "all-to-sharded" else QuantizedShardedToAllLinear
        return quantized.from_quantized_linear(module, segments=segments, group=group)
    if not isinstance(module, Linear):
        raise ValueError(f"[shard_linear] a linear layer is required, not {type(module).__name__}")
    layer = AllToShardedLinear if sharding == "all-to-sharded" else ShardedToAllLinear
    return layer.from_linear(module, segments=segments, group=group)


def _divided(name: str, dims: int, n: int) -> int:
    if dims % n:
        raise ValueError(f"Cannot share {name} of {dims} out between {n} processes")
    return dims // n


def _from_linear(cls: type, linear: Module, sharding: Callable, segments: int | list, group: Group | None) -> Any:
    """A layer of that class with this process's share of a linear layer."""
    group = group or mx.distributed.init()
    output_dims, input_dims = linear.weight.shape
    layer = cls(input_dims, output_dims, "bias" in linear, group)
    layer.update(_sharded(linear.parameters(), sharding, segments, group))
    return layer


class AllToShardedLinear(Module):
    """Affine map whose result is shared out: each process has all of the input and its part of the output.

    Args:
        input_dims: The size of the last axis of the input.
        output_dims: The size of the last axis of the output, of all processes together.
        bias: Whether to add a bias.
        group: The processes; None is all of them.

    Example:
        >>> nn.AllToShardedLinear(2, 3)(mx.zeros((5, 2))).shape
        (5, 3)
    """

    def __init__(self, input_dims: int, output_dims: int, bias: bool = True, group: Group | None = None) -> None:
        super().__init__()
        group = group or mx.distributed.init()
        self.group = group
        scale = math.sqrt(1.0 / input_dims)
        own = _divided("output_dims", output_dims, group.size())
        self.weight = mx.random.uniform(low=-scale, high=scale, shape=(own, input_dims))
        if bias:
            self.bias = mx.random.uniform(low=-scale, high=scale, shape=(own,))

    def _extra_repr(self) -> str:
        own, input_dims = self.weight.shape
        return f"input_dims={input_dims}, output_dims={own * self.group.size()}, bias={'bias' in self}"

    def __call__(self, x: mx.array) -> mx.array:
        x = sum_gradients(self.group)(x)
        if "bias" in self:
            return mx.addmm(self["bias"], x, self["weight"].T)
        return x @ self["weight"].T

    @classmethod
    def from_linear(
        cls, linear_layer: Module, *, segments: int | list = 1, group: Group | None = None
    ) -> AllToShardedLinear:
        """Return a layer with this process's share of a linear layer."""
        return _from_linear(cls, linear_layer, _all_to_sharded, segments, group)


class ShardedToAllLinear(Module):
    """Affine map of an input that is shared out: each process has its part of the input and all of the output.

    Args:
        input_dims: The size of the last axis of the input, of all processes together.
        output_dims: The size of the last axis of the output.
        bias: Whether to add a bias.
        group: The processes; None is all of them.

    Example:
        >>> nn.ShardedToAllLinear(2, 3)(mx.zeros((5, 2))).shape
        (5, 3)
    """

    def __init__(self, input_dims: int, output_dims: int, bias: bool = True, group: Group | None = None) -> None:
        super().__init__()
        group = group or mx.distributed.init()
        self.group = group
        scale = math.sqrt(1.0 / input_dims)
        own = _divided("input_dims", input_dims, group.size())
        self.weight = mx.random.uniform(low=-scale, high=scale, shape=(output_dims, own))
        if bias:
            self.bias = mx.random.uniform(low=-scale, high=scale, shape=(output_dims,))

    def _extra_repr(self) -> str:
        output_dims, own = self.weight.shape
        return f"input_dims={own * self.group.size()}, output_dims={output_dims}, bias={'bias' in self}"

    def __call__(self, x: mx.array) -> mx.array:
        x = mx.distributed.all_sum(x @ self["weight"].T, group=self.group)
        return x + self["bias"] if "bias" in self else x

    @classmethod
    def from_linear(
        cls, linear_layer: Module, *, segments: int | list = 1, group: Group | None = None
    ) -> ShardedToAllLinear:
        """Return a layer with this process's share of a linear layer."""
        return _from_linear(cls, linear_layer, _sharded_to_all, segments, group)


class _QuantizedSharded(Module):
    """A quantized layer of which each process holds a share. Nothing of it is ever trained."""

    def __init__(
        self,
        own: tuple[int, int],
        bias: int | None,
        group: Group,
        how: tuple[int | None, int | None, str],
    ) -> None:
        super().__init__()
        group_size, bits, self.mode = how
        self.group_size, self.bits = _format(self.mode, group_size, bits)
        self.group = group
        _take_quantized(self, _uniform(*own))
        if bias is not None:
            self.bias = mx.zeros((bias,))
        self.freeze()

    def _repr_of(self, output_dims: int, input_dims: int) -> str:
        return (
            f"input_dims={input_dims}, output_dims={output_dims}, bias={'bias' in self}, "
            f"group_size={self.group_size}, bits={self.bits}, mode={self.mode}"
        )

    def unfreeze(self, *args: Any, **kwargs: Any) -> Module:
        """Unfreeze what the layer may hold beside its parameters, which stay frozen."""
        super().unfreeze(*args, **kwargs)
        return self.freeze(recurse=False)

    @property
    def _own(self) -> tuple[int, int]:
        output_dims, words = self.weight.shape
        return output_dims, words * 32 // self.bits


class QuantizedAllToShardedLinear(_QuantizedSharded):
    """:class:`AllToShardedLinear` with a quantized matrix.

    Args:
        input_dims: The size of the last axis of the input.
        output_dims: The size of the last axis of the output, of all processes together.
        bias: Whether to add a bias.
        group_size: How many elements share a scale.
        bits: How many bits a code has.
        mode: What codes mean.
        group: The processes; None is all of them.

    Example:
        >>> nn.QuantizedAllToShardedLinear(64, 3)(mx.zeros((5, 64))).shape
        (5, 3)
    """

    def __init__(
        self,
        input_dims: int,
        output_dims: int,
        bias: bool = True,
        group_size: int = 64,
        bits: int = 4,
        mode: str = "affine",
        group: Group | None = None,
    ) -> None:
        group = group or mx.distributed.init()
        own = _divided("output_dims", output_dims, group.size())
        super().__init__((own, input_dims), own if bias else None, group, (group_size, bits, mode))

    def _extra_repr(self) -> str:
        own, input_dims = self._own
        return self._repr_of(own * self.group.size(), input_dims)

    def __call__(self, x: mx.array) -> mx.array:
        x = _product(self, sum_gradients(self.group)(x))
        return x + self["bias"] if "bias" in self else x

    @classmethod
    def from_quantized_linear(
        cls, quantized_linear_layer: Module, *, segments: int | list = 1, group: Group | None = None
    ) -> QuantizedAllToShardedLinear:
        """Return a layer with this process's share of a quantized linear layer."""
        return _quantized_share(cls, quantized_linear_layer, _all_to_sharded, segments, group)


class QuantizedShardedToAllLinear(_QuantizedSharded):
    """:class:`ShardedToAllLinear` with a quantized matrix.

    Args:
        input_dims: The size of the last axis of the input, of all processes together.
        output_dims: The size of the last axis of the output.
        bias: Whether to add a bias.
        group_size: How many elements share a scale.
        bits: How many bits a code has.
        mode: What codes mean.
        group: The processes; None is all of them.

    Example:
        >>> nn.QuantizedShardedToAllLinear(64, 3)(mx.zeros((5, 64))).shape
        (5, 3)
    """

    def __init__(
        self,
        input_dims: int,
        output_dims: int,
        bias: bool = True,
        group_size: int = 64,
        bits: int = 4,
        mode: str = "affine",
        group: Group | None = None,
    ) -> None:
        group = group or mx.distributed.init()
        own = _divided("input_dims", input_dims, group.size())
        super().__init__((output_dims, own), output_dims if bias else None, group, (group_size, bits, mode))

    def _extra_repr(self) -> str:
        output_dims, own = self._own
        return self._repr_of(output_dims, own * self.group.size())

    def __call__(self, x: mx.array) -> mx.array:
        x = mx.distributed.all_sum(_product(self, x), group=self.group)
        return x + self["bias"] if "bias" in self else x

    @classmethod
    def from_quantized_linear(
        cls, quantized_linear_layer: Module, *, segments: int | list = 1, group: Group | None = None
    ) -> QuantizedShardedToAllLinear:
        """Return a layer with this process's share of a quantized linear layer."""
        return _quantized_share(cls, quantized_linear_layer, _sharded_to_all, segments, group)


def _quantized_share(
    cls: type, layer: Module, axis_of: Callable, segments: int | list, group: Group | None
) -> Any:
    group = group or mx.distributed.init()
    output_dims, words = layer.weight.shape
    how = (layer.group_size, layer.bits, layer.mode)
    share = cls(words * 32 // layer.bits, output_dims, "bias" in layer, *how, group=group)
    share.update(_sharded(layer.parameters(), axis_of, segments, group))
    return share


class FullyShardedModule(Module):
    """Computes what a module does, and holds this process's share of its parameters between calls.

    Parameters are shared out along their first axis, and gathered for a call.

    Args:
        module: The module whose parameters are shared out.
        group: The processes; None is all of them.
        compute_dtype: The dtype that gathered parameters have in calls.

    Example:
        >>> nn.FullyShardedModule(nn.Linear(2, 3))(mx.zeros((5, 2))).shape
        (5, 3)
    """

    def __init__(self, module: Module, group: Group | None = None, compute_dtype: mx.Dtype | None = None) -> None:
        super().__init__()
        group = group or mx.distributed.init()
        self._group = group
        self._compute_dtype = compute_dtype
        module.update(_sharded(module.parameters(), lambda path, weight: 0, 1, group))
        self.module = module

    def _extra_repr(self) -> str:
        return f"num_sharded_params={len(tree_flatten(self.module.parameters()))}"

    def _gathered(self, weight: mx.array) -> mx.array:
        whole = mx.distributed.all_gather(weight, group=self._group)
        if self._compute_dtype is None or not mx.issubdtype(whole.dtype, mx.floating):
            return whole
        return whole.astype(self._compute_dtype)

    def _with_all(self, call: Callable, args: tuple, kwargs: dict) -> Any:
        shares = self.module.parameters()
        self.module.update(tree_map(self._gathered, shares))
        try:
            return call(*args, **kwargs)
        finally:
            self.module.update(shares)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._with_all(self.module, args, kwargs)

    def as_linear(self, *args: Any, **kwargs: Any) -> Any:
        """The module's ``as_linear``, as of an embedding."""
        return self._with_all(self.module.as_linear, args, kwargs)


def fully_shard(module: Module, *, group: Group | None = None, compute_dtype: mx.Dtype | None = None) -> Module:
    """Return the module as a :class:`FullyShardedModule`, or unchanged where one process holds it anyway.

    Args:
        module: The module.
        group: The processes; None is all of them.
        compute_dtype: The dtype that gathered parameters have in calls.

    Example:
        >>> nn.fully_shard(nn.Linear(2, 3))
        Linear(input_dims=2, output_dims=3, bias=True)
    """
    group = group or mx.distributed.init()
    return module if group.size() == 1 else FullyShardedModule(module, group, compute_dtype)


__all__ = [
    "AllToShardedLinear",
    "FullyShardedModule",
    "QuantizedAllToShardedLinear",
    "QuantizedShardedToAllLinear",
    "ShardedToAllLinear",
    "fully_shard",
]
