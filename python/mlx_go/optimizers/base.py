"""The base of all optimizers: state, schedules, and the walk over the trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module
from mlx_go.nn.utils import _clip, _squared_norm
from mlx_go.utils import _children, _map_registered, _rebuild, tree_flatten, tree_merge, tree_unflatten

_array = mx.array


class Optimizer:
    """Base class of the optimizers.

    A subclass implements :meth:`init_single` and :meth:`apply_single` for one parameter;
    this class applies them to trees. The state is a tree of dictionaries that mirrors the
    parameters, with ``"step"``, ``"learning_rate"`` and other scalars beside it.

    Args:
        schedulers: From the name of a scalar of the state to its schedule.

    Example:
        >>> class Plain(optim.Optimizer):
        ...     def __init__(self, learning_rate):
        ...         super().__init__()
        ...         self._maybe_schedule("learning_rate", learning_rate)
        ...     def init_single(self, parameter, state):
        ...         pass
        ...     def apply_single(self, gradient, parameter, state):
        ...         return parameter - self.learning_rate * gradient
        >>> model = nn.Linear(2, 1)
        >>> Plain(0.1).update(model, model.parameters())
    """

    # Scalars of the running update, which are the same for all parameters of a dtype:
    # computed for each of them they are a fifth of the work on small ones.
    _scalars: dict[Any, tuple[Any, Any]] | None = None

    def __init__(self, schedulers: dict[str, Callable] | None = None) -> None:
        self._initialized = False
        self._state: dict[str, Any] = {"step": mx.array(0, mx.uint64)}
        self._schedulers = dict(schedulers or {})

    def update(self, model: Module, gradients: dict) -> None:
        """Apply gradients to a model in place.

        Args:
            model: The model.
            gradients: A tree as from :func:`mlx_go.nn.value_and_grad`.

        Example:
            >>> model = nn.Linear(2, 1)
            >>> step = nn.value_and_grad(model, lambda x: model(x).sum())
            >>> value, grads = step(mx.ones((3, 2)))
            >>> optim.SGD(0.1).update(model, grads)
        """
        model.update(self.apply_gradients(gradients, model))

    def init(self, parameters: dict) -> None:
        """Create the state of all parameters now instead of at the first update.

        State that exists is kept.

        Args:
            parameters: A tree of parameters.

        Example:
            >>> optimizer = optim.SGD(0.1, momentum=0.9)
            >>> optimizer.init(nn.Linear(2, 2).trainable_parameters())
            >>> optimizer.state.keys()
            dict_keys(['step', 'learning_rate', 'weight', 'bias'])
        """
        children = _children(parameters)
        self._init_tree(parameters if children is None else children, self._state)
        self._initialized = True

    def _init_tree(self, parameters: Any, state: Any) -> None:
        for key, value in _entries(parameters):
            if isinstance(value, _array):
                if not _get(state, key):
                    slot: dict[str, Any] = {}
                    _set(state, key, slot)
                    self.init_single(value, slot)
            elif isinstance(value, (dict, list, tuple)):
                self._init_tree(value, _enter(state, key, value))
            elif (children := _children(value)) is not None:
                self._init_tree(children, _enter(state, key, children))

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Fill the empty ``state`` of one parameter; for subclasses.

        Args:
            parameter: The parameter.
            state: A dictionary to fill.
        """
        raise NotImplementedError()

    def apply_gradients(self, gradients: dict, parameters: dict) -> dict:
        """Return updated parameters.

        Args:
            gradients: A tree of gradients.
            parameters: A tree, or a module, with at least the structure of ``gradients``.

        Returns:
            A tree of the structure of ``gradients``.

        Example:
            >>> params, grads = {"w": mx.array([1.0])}, {"w": mx.array([0.5])}
            >>> optim.SGD(0.5).apply_gradients(grads, params)
            {'w': array([0.75], dtype=float32)}
        """
        state = self._state
        step = self.step
        for name, schedule in self._schedulers.items():
            state[name] = _scalar(name, schedule(step))
        state["step"] = step + 1
        self._scalars = {}
        try:
            if isinstance(gradients, _array):
                return self._apply_root(gradients, parameters)
            result = self._apply_tree(gradients, parameters, state)
        finally:
            self._scalars = None
        self._initialized = True
        return result

    def _apply_root(self, gradient: mx.array, parameter: mx.array) -> Any:
        # A bare array has no key; its state lives under the empty one.
        slot = self._state.setdefault("", {})
        if not slot:
            self.init_single(parameter, slot)
        return self.apply_single(gradient, parameter, slot)

    def _apply_tree(self, gradients: Any, parameters: Any, state: Any) -> Any:
        apply_single = self.apply_single
        if isinstance(gradients, dict):
            out: dict[str, Any] = {}
            for key, gradient in gradients.items():
                if isinstance(gradient, _array):
                    slot = state.get(key)
                    if not slot:
                        slot = state[key] = {}
                        self.init_single(parameters[key], slot)
                    out[key] = apply_single(gradient, parameters[key], slot)
                else:
                    out[key] = self._apply_tree(gradient, parameters[key], _enter(state, key, gradient))
            return out
        if isinstance(gradients, (list, tuple)):
            items: list[Any] = []
            for i, gradient in enumerate(gradients):
                if isinstance(gradient, _array):
                    slot = _get(state, i)
                    if not slot:
                        slot = {}
                        _set(state, i, slot)
                        self.init_single(parameters[i], slot)
                    items.append(apply_single(gradient, parameters[i], slot))
                else:
                    items.append(self._apply_tree(gradient, parameters[i], _enter(state, i, gradient)))
            return _rebuild(gradients, items)
        if _children(gradients) is not None:
            return _map_registered(lambda g, p: self._apply_tree(g, p, state), gradients, parameters)
        raise TypeError(
            f"[{type(self).__name__}] gradients must be a tree of arrays but contain a {type(gradients).__name__}."
        )

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return one updated parameter and update its ``state``; for subclasses.

        Args:
            gradient: The gradient.
            parameter: The parameter.
            state: What :meth:`init_single` filled.
        """
        raise NotImplementedError()

    def _once(self, compute: Callable[..., Any], dtype: mx.Dtype, *options: Any) -> Any:
        """Return ``compute(self, dtype, *options)``, computed once per update for all parameters."""
        scalars = self._scalars
        if scalars is None:
            return compute(self, dtype, *options)
        # A subclass may set another learning rate or other options for some parameters.
        rate = self._state.get("learning_rate")
        key = (compute, dtype, options)
        found = scalars.get(key)
        if found is None or found[0] is not rate:
            found = scalars[key] = rate, compute(self, dtype, *options)
        return found[1]

    def _cast_rate(self, dtype: mx.Dtype) -> mx.array:
        return self.learning_rate.astype(dtype)

    def _rate(self, dtype: mx.Dtype) -> mx.array:
        """Return the learning rate in the dtype of a gradient."""
        return self._once(Optimizer._cast_rate, dtype)

    @property
    def state(self) -> dict:
        """The state, by reference. It can be set, e.g. to state that was saved.

        Example:
            >>> optim.SGD(0.1).state
            {'step': array(0, dtype=uint64), 'learning_rate': array(0.1, dtype=float32)}
        """
        return self._state

    @state.setter
    def state(self, state: dict) -> None:
        self._initialized = False
        self._state = state

    @property
    def step(self) -> mx.array:
        """The number of updates made, an integer scalar."""
        return self.state["step"]

    @property
    def learning_rate(self) -> mx.array:
        """The learning rate, a scalar array. Setting it lasts until a schedule replaces it."""
        return _scalar("learning_rate", self.state["learning_rate"])

    @learning_rate.setter
    def learning_rate(self, learning_rate: float | mx.array) -> None:
        self.state["learning_rate"] = mx.array(_scalar("learning_rate", learning_rate))

    def _maybe_schedule(self, name: str, param: Any) -> None:
        """Store a scalar in the state, computed every step if it is a schedule."""
        if callable(param):
            self._schedulers[name] = param
            self.state[name] = _scalar(name, param(self.step))
        else:
            self.state[name] = mx.array(_scalar(name, param))


def _scalar(name: str, value: Any) -> mx.array:
    """Return the value of an option, or of its schedule, as an array: both may be numbers of Python or NumPy."""
    if isinstance(value, _array):
        return value
    if isinstance(value, (str, bytes)) or (not isinstance(value, (bool, int, float)) and not hasattr(value, "dtype")):
        raise TypeError(f"[optimizers] {name} must be a number, or a schedule that gives one, not a {type(value).__name__}.")
    return mx.array(value)


def _entries(tree: Any) -> Any:
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree)


def _get(state: Any, key: Any) -> Any:
    if isinstance(state, dict):
        return state.get(key)
    return state[key] if key < len(state) else None


def _set(state: Any, key: Any, value: Any) -> None:
    if isinstance(state, list):
        # {} stands where a list holds nothing with state.
        while len(state) <= key:
            state.append({})
    state[key] = value


def _enter(state: Any, key: Any, like: Any) -> Any:
    """Return the container at ``key`` of the state, made to mirror ``like`` if missing."""
    if (children := _children(like)) is not None:
        return _enter(state, key, children)
    found = _get(state, key)
    if isinstance(like, dict):
        if isinstance(found, dict):
            return found
        made: Any = {}
    else:
        if isinstance(found, list):
            return found
        made = []
    _set(state, key, made)
    return made


class MultiOptimizer(Optimizer):
    """Use different optimizers for different parameters.

    Args:
        optimizers: The optimizers. The last takes the parameters that no filter selects.
        filters: One less than optimizers; each is called with the dotted path of a
            parameter and an array of its shape and dtype, and the first to return
            ``True`` selects its optimizer.

    Example:
        >>> optimizer = optim.MultiOptimizer(
        ...     [optim.Muon(0.02), optim.AdamW(0.001)], [lambda path, w: w.ndim == 2]
        ... )
    """

    def __init__(self, optimizers: list[Optimizer], filters: Sequence[Callable] = ()) -> None:
        super().__init__()
        if len(filters) != len(optimizers) - 1:
            raise ValueError(f"Given {len(filters)} filters but {len(optimizers) - 1} needed.")
        self.optimizers = list(optimizers)
        self.filters = [*filters, lambda path, weight: True]
        self._state = {}

    def _split(self, tree: dict) -> list[Any]:
        parts: list[list[tuple[str, Any]]] = [[] for _ in self.optimizers]
        for path, weight in tree_flatten(tree):
            for part, selects in zip(parts, self.filters):
                if selects(path, weight):
                    part.append((path, weight))
                    break
        return [tree_unflatten(part) if part else {} for part in parts]

    def init(self, parameters: dict) -> None:
        """Create the state of all parameters now; see :meth:`Optimizer.init`."""
        for optimizer, part in zip(self.optimizers, self._split(parameters)):
            optimizer.init(part)

    def apply_gradients(self, gradients: dict, parameters: dict) -> dict:
        """Return updated parameters; see :meth:`Optimizer.apply_gradients`."""
        tree: dict = {}
        for optimizer, part in zip(self.optimizers, self._split(gradients)):
            tree = tree_merge(tree, optimizer.apply_gradients(part, parameters))
        return tree

    @property
    def state(self) -> dict:
        """``{"states": [...]}`` with the states of the optimizers, by reference."""
        return {"states": [o.state for o in self.optimizers]}

    @state.setter
    def state(self, state: dict) -> None:
        if "states" not in state or len(state["states"]) != len(self.optimizers):
            raise ValueError("Invalid state provided")
        for optimizer, part in zip(self.optimizers, state["states"]):
            optimizer.state = part

    @property
    def step(self) -> mx.array:
        """The number of updates made, an integer scalar."""
        return self.optimizers[0].step

    @property
    def learning_rate(self) -> mx.array:
        """The learning rate of the first optimizer. Setting it sets that of all."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: float | mx.array) -> None:
        for optimizer in self.optimizers:
            optimizer.learning_rate = learning_rate


def clip_grad_norm(grads: Any, max_norm: float) -> tuple[Any, mx.array]:
    """Scale gradients down so that their global norm is at most ``max_norm``.

    The norm is computed in float32; gradients keep their dtypes.

    Args:
        grads: A tree of gradients.
        max_norm: The largest norm.

    Returns:
        The gradients, scaled if necessary, and the norm they had.

    Example:
        >>> optim.clip_grad_norm({"w": mx.array([3.0, 4.0])}, 1.0)
        ({'w': array([0.6, 0.8], dtype=float32)}, array(5, dtype=float32))
    """
    return _clip(grads, max_norm, _squared_norm(grads))
