"""Module: the container that layers and models are built from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import mlx_go.core as mx
from mlx_go.utils import tree_flatten, tree_unflatten

_MISSING = object()
_array = mx.array


class Module(dict):
    """Base class of all layers and models.

    A module is a dictionary of its state: attributes that are arrays, modules,
    lists, tuples or dictionaries are stored as its items, everything else as an
    ordinary Python attribute. Arrays found in it, at any depth of modules,
    lists and dictionaries, are its parameters, unless their name starts with an
    underscore.

    Parameters can be frozen (:meth:`freeze`), which excludes them from
    :meth:`trainable_parameters` and so from the gradients of
    :func:`mlx_go.nn.value_and_grad`.

    Example:
        >>> import mlx_go.core as mx
        >>> import mlx_go.nn as nn
        >>> class MLP(nn.Module):
        ...     def __init__(self, dims: int):
        ...         super().__init__()
        ...         self.hidden = nn.Linear(dims, 16)
        ...         self.out = nn.Linear(16, 1)
        ...     def __call__(self, x):
        ...         return self.out(nn.relu(self.hidden(x)))
        >>> MLP(4)(mx.zeros((2, 4))).shape
        (2, 1)
    """

    # Class-level defaults keep a subclass usable that forgot super().__init__().
    _training: bool = True
    _no_grad: set[str] | frozenset[str] = frozenset()
    # State that is saved with the parameters but must never receive gradients,
    # whatever unfreeze() is called on: a decayed running mean is a wrong mean.
    _never_trainable: frozenset[str] = frozenset()

    # Modules override __call__; the annotation is for type checkers only.
    __call__: Callable

    def __init__(self) -> None:
        """To be called by the ``__init__`` of every subclass."""
        self._no_grad = set()
        self._training = True

    # -- attributes ---------------------------------------------------------

    @property
    def training(self) -> bool:
        """Whether the module is in training mode (see :meth:`train`)."""
        return self._training

    @property
    def state(self) -> Module:
        """The module itself, as the dictionary of its state.

        It is a reference: writing to it changes the module. Pass it to
        ``mx.compile`` as captured input and output, or to ``mx.eval``.
        """
        return self

    def __getattr__(self, key: str) -> Any:
        # Only reached when ordinary lookup failed.
        value = dict.get(self, key, _MISSING)
        if value is _MISSING:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {key!r}")
        return value

    def __setattr__(self, key: str, value: Any) -> None:
        if isinstance(value, (_array, dict, list, tuple)):
            if not hasattr(getattr(type(self), key, None), "__set__"):
                # The dictionary holds it now; a shadow of the same name would win lookups.
                self.__dict__.pop(key, None)
                self[key] = value
                return
        object.__setattr__(self, key, value)
        self.pop(key, None)

    def __delattr__(self, key: str) -> None:
        if key in self:
            del self[key]
        else:
            object.__delattr__(self, key)

    # -- repr ---------------------------------------------------------------

    def _extra_repr(self) -> str:
        """What ``repr`` shows between the parentheses; for subclasses to override."""
        return ""

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}({self._extra_repr()}"]
        for name, child in tree_flatten(self.children(), is_leaf=Module.is_module):
            if Module.is_module(child):
                body = repr(child).replace("\n", "\n  ")
                lines.append(f"\n  ({name}): {body}")
        if len(lines) > 1:
            lines.append("\n")
        lines.append(")")
        return "".join(lines)

    # -- filters ------------------------------------------------------------

    @staticmethod
    def is_module(value: Any) -> bool:
        """Return whether ``value`` is a :class:`Module`."""
        return isinstance(value, Module)

    @staticmethod
    def valid_child_filter(module: Module, key: str, value: Any) -> bool:
        """Select what can be or contain a child module."""
        return isinstance(value, (dict, list))

    @staticmethod
    def valid_parameter_filter(module: Module, key: str, value: Any) -> bool:
        """Select what can be or contain a parameter."""
        return isinstance(value, (dict, list, _array)) and not key.startswith("_")

    @staticmethod
    def trainable_parameter_filter(module: Module, key: str, value: Any) -> bool:
        """Select what can be or contain a parameter that is not frozen."""
        return Module.valid_parameter_filter(module, key, value) and key not in module._no_grad

    # -- traversal ----------------------------------------------------------

    def filter_and_map(
        self,
        filter_fn: Callable[[Module, str, Any], bool],
        map_fn: Callable | None = None,
        is_leaf_fn: Callable[[Module, str, Any], bool] | None = None,
    ) -> dict[str, Any]:
        """Recursively select and transform the contents of the module.

        Args:
            filter_fn: Called with the containing module, the key and the value;
                what it refuses is dropped (inside a list or dictionary, replaced
                by ``{}``). Keys inside containers are dotted: ``"layers.0"``.
            map_fn: Applied to the selected leaves. Default: the identity.
            is_leaf_fn: Called like ``filter_fn``; decides what is not entered.
                Default: everything but modules, dictionaries and lists.

        Returns:
            A tree of dictionaries and lists.

        Example:
            >>> nn.Linear(2, 3).filter_and_map(nn.Module.valid_parameter_filter, lambda p: p.shape)
            {'weight': (3, 2), 'bias': (3,)}
        """
        return {k: _unwrap(self, k, v, filter_fn, map_fn, is_leaf_fn) for k, v in self.items() if filter_fn(self, k, v)}

    def parameters(self) -> dict[str, Any]:
        """Return all arrays of the module, at any depth, as a tree.

        Example:
            >>> {k: v.shape for k, v in nn.Linear(2, 3).parameters().items()}
            {'weight': (3, 2), 'bias': (3,)}
        """
        return _collect(self, False)

    def trainable_parameters(self) -> dict[str, Any]:
        """Return the arrays of the module that are not frozen, as a tree.

        Example:
            >>> list(nn.Linear(2, 3).freeze(keys="bias").trainable_parameters())
            ['weight']
        """
        return _collect(self, True)

    # Transforms of functions that take a module differentiate with respect to these.
    __mlx_parameters__ = trainable_parameters

    def children(self) -> dict[str, Any]:
        """Return the direct child modules as a tree."""
        return self.filter_and_map(Module.valid_child_filter, is_leaf_fn=lambda m, k, v: isinstance(v, Module))

    def leaf_modules(self) -> dict[str, Any]:
        """Return, as a tree, the submodules that contain no other module."""

        def is_leaf(module: Module, key: str, value: Any) -> bool:
            return isinstance(value, Module) and not any(
                isinstance(c, Module) for _, c in tree_flatten(value.children(), is_leaf=Module.is_module)
            )

        return self.filter_and_map(Module.valid_child_filter, is_leaf_fn=is_leaf)

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module and all it contains, with their dotted names.

        Example:
            >>> [name for name, _ in nn.Sequential(nn.ReLU(), nn.Tanh()).named_modules()]
            ['', 'layers.1', 'layers.0']
        """
        found: list[tuple[str, Module]] = []
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            name, module = stack.pop()
            found.append((name, module))
            prefix = f".{name}" if name else ""
            stack.extend(
                (n, m) for n, m in tree_flatten(module.children(), prefix, Module.is_module) if isinstance(m, Module)
            )
        return found

    def modules(self) -> list[Module]:
        """Return this module and all modules it contains."""
        return [m for _, m in self.named_modules()]

    def apply_to_modules(self, apply_fn: Callable[[str, Module], Any]) -> Module:
        """Call ``apply_fn(name, module)`` for this module and all it contains.

        Returns:
            This module.
        """
        # Children are listed after the call, so that a function which replaces
        # submodules sees the new ones.
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            name, module = stack.pop()
            apply_fn(name, module)
            prefix = f".{name}" if name else ""
            stack.extend(
                (n, m) for n, m in tree_flatten(module.children(), prefix, Module.is_module) if isinstance(m, Module)
            )
        return self

    # -- changing the contents ----------------------------------------------

    def update(self, parameters: dict, strict: bool = True) -> Module:  # type: ignore[override]
        """Replace parameters by those of a tree like :meth:`parameters` returns.

        The tree may be partial; what it does not mention stays.

        Args:
            parameters: The new parameters.
            strict: If ``True``, a name that the module does not have, or a value
                that is not an array, is a ``ValueError``; otherwise unknown names
                are ignored.

        Returns:
            This module.

        Example:
            >>> layer = nn.Linear(2, 3)
            >>> layer.update({"bias": mx.ones((3,))}).bias
            array([1, 1, 1], dtype=float32)
        """
        _update(self, parameters, strict)
        return self

    def apply(
        self,
        map_fn: Callable[[mx.array], mx.array],
        filter_fn: Callable[[Module, str, Any], bool] | None = None,
    ) -> Module:
        """Replace every parameter ``p`` by ``map_fn(p)``.

        Args:
            map_fn: From an array to an array.
            filter_fn: Selects the arrays, as in :meth:`filter_and_map`. Default:
                all parameters.

        Returns:
            This module.

        Example:
            >>> nn.Linear(2, 3).apply(lambda p: p.astype(mx.float16)).weight.dtype
            mlx.core.float16
        """
        self.update(self.filter_and_map(filter_fn or Module.valid_parameter_filter, map_fn))
        return self

    def update_modules(self, modules: dict, strict: bool = True) -> Module:
        """Replace child modules by those of a tree like :meth:`leaf_modules` returns.

        The tree may be partial; empty dictionaries are skipped.

        Args:
            modules: The new modules.
            strict: If ``True``, a place where the module has no submodule is a
                ``ValueError``; otherwise it is ignored.

        Returns:
            This module.

        Example:
            >>> nn.Sequential(nn.ReLU()).update_modules({"layers": [nn.Tanh()]})
            Sequential(
              (layers.0): Tanh()
            )
        """
        _update_modules(self, modules, strict)
        return self

    def set_dtype(
        self,
        dtype: mx.Dtype,
        predicate: Callable[[mx.Dtype], bool] | None = lambda x: mx.issubdtype(x, mx.floating),
    ) -> None:
        """Cast the parameters to ``dtype``.

        Args:
            dtype: The new dtype.
            predicate: Called with the dtype of a parameter; selects which are
                cast. Default: floating ones. ``None`` casts all.
        """
        if predicate is None:
            self.apply(lambda p: p.astype(dtype))
        else:
            self.apply(lambda p: p.astype(dtype) if predicate(p.dtype) else p)

    # -- training mode ------------------------------------------------------

    def _set_training_mode(self, mode: bool) -> None:
        self._training = mode

    def train(self, mode: bool = True) -> Module:
        """Set training mode (or leave it, with ``mode=False``) here and in all submodules.

        Layers such as :class:`Dropout` and :class:`BatchNorm` act differently in
        training.

        Returns:
            This module.
        """
        return self.apply_to_modules(lambda _, m: m._set_training_mode(mode))

    def eval(self) -> Module:
        """Leave training mode: ``train(False)``."""
        return self.train(False)

    # -- freezing -----------------------------------------------------------

    def freeze(
        self,
        *,
        recurse: bool = True,
        keys: str | list[str] | None = None,
        strict: bool = False,
    ) -> Module:
        """Exclude parameters from training.

        Args:
            recurse: Whether to freeze in submodules too.
            keys: The names to freeze, e.g. ``"bias"``. Default: all.
            strict: If ``True``, a name found nowhere is a ``KeyError``.

        Returns:
            This module.

        Example:
            >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
            >>> _ = model.freeze()
            >>> _ = model.layers[1].unfreeze()
            >>> [k for k, _ in tree_flatten(model.trainable_parameters())]
            ['layers.1.weight', 'layers.1.bias']
        """
        for module, names in self._select(recurse, keys, strict):
            if names is None:
                names = [
                    k
                    for k, _ in tree_flatten(
                        module.filter_and_map(
                            lambda m, k, v: not isinstance(v, Module) and Module.valid_parameter_filter(m, k, v)
                        )
                    )
                ]
            module._no_grad = {*module._no_grad, *names}
        return self

    def unfreeze(
        self,
        *,
        recurse: bool = True,
        keys: str | list[str] | None = None,
        strict: bool = False,
    ) -> Module:
        """Undo :meth:`freeze`, for all parameters or those named by ``keys``.

        State that is never trained, like the running statistics of
        :class:`BatchNorm`, stays frozen.

        Args:
            recurse: Whether to unfreeze in submodules too.
            keys: The names to unfreeze. Default: all.
            strict: If ``True``, a name found nowhere is a ``KeyError``.

        Returns:
            This module.
        """
        for module, names in self._select(recurse, keys, strict):
            kept = set() if names is None else {k for k in module._no_grad if k not in names}
            kept.update(k for k in module._never_trainable if k in module)
            module._no_grad = kept
        return self

    def _select(
        self, recurse: bool, keys: str | list[str] | None, strict: bool
    ) -> list[tuple[Module, list[str] | None]]:
        modules = self.modules() if recurse else [self]
        if keys is None:
            return [(m, None) for m in modules]
        names = [keys] if isinstance(keys, str) else list(keys)
        for name in names:
            if not isinstance(name, str):
                raise TypeError(
                    f"[Module] keys must be a string or a list of strings but contains {type(name).__name__}."
                )
            if strict and not any(name in m for m in modules):
                raise KeyError(f"Module doesn't contain member {name}.")
        return [(m, names) for m in modules]

    # -- files --------------------------------------------------------------

    def load_weights(
        self,
        file_or_weights: str | os.PathLike | list[tuple[str, mx.array]],
        strict: bool = True,
    ) -> Module:
        """Set the parameters from a ``.npz`` or ``.safetensors`` file or from a list.

        Args:
            file_or_weights: A path, or pairs (or a dictionary) of dotted parameter
                name and array.
            strict: If ``True``, names and shapes must be exactly those of the
                module (``ValueError`` otherwise); if ``False``, what the module
                does not have is ignored, and shapes are not checked.

        Returns:
            This module.

        Example:
            >>> layer = nn.Linear(2, 1)
            >>> _ = layer.load_weights([("weight", mx.ones((1, 2))), ("bias", mx.zeros((1,)))])
        """
        weights: list[tuple[str, Any]]
        if isinstance(file_or_weights, (str, bytes, os.PathLike)):
            weights = list(mx.load(file_or_weights).items())
        elif isinstance(file_or_weights, dict):
            weights = list(file_or_weights.items())
        else:
            weights = list(file_or_weights)

        if strict:
            new = dict(weights)
            current = dict(tree_flatten(self.parameters()))
            extra = sorted(new.keys() - current.keys())
            if extra:
                raise ValueError(f"Received {len(extra)} parameters not in model: \n" + ",\n".join(extra) + ".")
            missing = sorted(current.keys() - new.keys())
            if missing:
                raise ValueError(f"Missing {len(missing)} parameters: \n" + ",\n".join(missing) + ".")
            for name, old in current.items():
                value = new[name]
                if not isinstance(value, _array):
                    raise ValueError(f"Expected mx.array but received {type(value)} for parameter {name}")
                if value.shape != old.shape:
                    raise ValueError(
                        f"Expected shape {old.shape} but received shape {value.shape} for parameter {name}"
                    )

        if weights:
            self.update(tree_unflatten(weights), strict=False)
        return self

    def save_weights(self, file: str | os.PathLike) -> None:
        """Save the parameters to a ``.npz`` or ``.safetensors`` file, by extension.

        Example:
            >>> nn.Linear(2, 1).save_weights("/tmp/layer.safetensors")
        """
        path = os.fsdecode(file)
        flat: dict[str, mx.array] = dict(tree_flatten(self.parameters()))
        if path.endswith(".npz"):
            mx.savez(path, **flat)
        elif path.endswith(".safetensors"):
            mx.save_safetensors(path, flat)
        else:
            raise ValueError(f"Unsupported file extension for {path}. Use '.npz' or '.safetensors'.")


def _collect(module: Module, trainable: bool) -> dict[str, Any]:
    """Build the parameter tree: filter_and_map specialised, since every step calls it."""
    no_grad = module._no_grad if trainable else ()
    out: dict[str, Any] = {}
    for key, value in module.items():
        if key[0:1] == "_" or key in no_grad:
            continue
        if isinstance(value, _array):
            out[key] = value
        elif isinstance(value, Module):
            out[key] = _collect(value, trainable)
        elif isinstance(value, (dict, list)):
            out[key] = _collect_container(value, key, no_grad, trainable)
    return out


def _collect_container(container: dict | list, path: str, no_grad: Any, trainable: bool) -> dict | list:
    if isinstance(container, dict):
        return {k: _collect_entry(v, f"{path}.{k}", no_grad, trainable) for k, v in container.items()}
    return [_collect_entry(v, f"{path}.{i}", no_grad, trainable) for i, v in enumerate(container)]


def _collect_entry(value: Any, path: str, no_grad: Any, trainable: bool) -> Any:
    # {} keeps the position of what is not a parameter, so that trees line up.
    if path in no_grad:
        return {}
    if isinstance(value, _array):
        return value
    if isinstance(value, Module):
        return _collect(value, trainable)
    if isinstance(value, (dict, list)):
        return _collect_container(value, path, no_grad, trainable)
    return {}


def _unwrap(
    module: Module,
    key: str,
    value: Any,
    filter_fn: Callable,
    map_fn: Callable | None,
    is_leaf_fn: Callable | None,
) -> Any:
    if is_leaf_fn is None:
        leaf = not isinstance(value, (dict, list))
    else:
        leaf = is_leaf_fn(module, key, value)
    if leaf:
        return value if map_fn is None else map_fn(value)
    if isinstance(value, Module):
        return {
            k: _unwrap(value, k, v, filter_fn, map_fn, is_leaf_fn) for k, v in value.items() if filter_fn(value, k, v)
        }
    if isinstance(value, dict):
        entries = {}
        for k, v in value.items():
            path = f"{key}.{k}"
            entries[k] = _unwrap(module, path, v, filter_fn, map_fn, is_leaf_fn) if filter_fn(module, path, v) else {}
        return entries
    if isinstance(value, list):
        items = []
        for i, v in enumerate(value):
            path = f"{key}.{i}"
            items.append(_unwrap(module, path, v, filter_fn, map_fn, is_leaf_fn) if filter_fn(module, path, v) else {})
        return items
    raise RuntimeError(
        f"[filter_and_map] {key!r} of {type(module).__name__} is a {type(value).__name__}, "
        "which is_leaf_fn does not call a leaf and which cannot be entered."
    )


def _invalid(value: Any) -> ValueError:
    return ValueError(f"Received invalid type: {type(value).__name__}.")


def _is_empty(tree: Any) -> bool:
    return isinstance(tree, (dict, list)) and not tree


def _pairs(dst: Any, new: Any, strict: bool, what: str) -> list[tuple[Any, Any, Any]]:
    """Match a tree of replacements with a container: (key, current, new) for what both have."""
    if isinstance(new, dict) and isinstance(dst, dict):
        found = []
        for k, v in new.items():
            current = dict.get(dst, k, _MISSING)
            if current is not _MISSING:
                found.append((k, current, v))
            elif strict:
                raise ValueError(f'Module does not have {what} named "{k}".')
        return found
    if isinstance(new, list) and isinstance(dst, list):
        if strict and len(new) > len(dst):
            raise ValueError(f"List index {len(dst)} is out of bounds for destination of length {len(dst)}.")
        return [(i, dst[i], v) for i, v in enumerate(new[: len(dst)])]
    if strict and not _is_empty(new):
        if isinstance(new, dict) and isinstance(dst, list):
            for k in new:
                raise ValueError(f'Module does not have {what} named "{k}".')
        raise _invalid(new)
    return []


def _update(dst: Any, parameters: Any, strict: bool) -> None:
    for key, current, new in _pairs(dst, parameters, strict, "parameter"):
        if isinstance(current, _array):
            if isinstance(new, _array) or not (strict or isinstance(new, (dict, list))):
                dst[key] = new
            elif strict:
                raise _invalid(new)
        elif isinstance(current, (dict, list)):
            _update(current, new, strict)
        elif strict and not _is_empty(new):
            raise _invalid(new)


def _update_modules(dst: Any, modules: Any, strict: bool) -> None:
    for key, current, new in _pairs(dst, modules, strict, "sub-module"):
        if isinstance(current, Module) and isinstance(new, Module):
            dst[key] = new
        elif isinstance(current, (dict, list)):
            _update_modules(current, new, strict)
        elif strict and (isinstance(new, Module) or not _is_empty(new)):
            # A non-module is there: dropping the new module silently would hide a typo.
            raise _invalid(new)
