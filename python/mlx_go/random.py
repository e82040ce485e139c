"""Random numbers: counter-based, from an explicit key or from the global state."""

from __future__ import annotations

from ._core import _functions, _random_state, _set_random_state, array

for _name, _f in _functions.items():
    if _name.startswith("random."):
        globals()[_name.partition(".")[2]] = _f
del _name, _f


class _RandomState:
    """The key that functions without one advance, as a tree of one array for eval and compile."""

    __slots__ = ()

    def __mlx_tree__(self) -> array:
        return _random_state()

    def __mlx_tree_set__(self, key: array) -> None:
        _set_random_state(key)

    def __getitem__(self, index: int) -> array:
        if index not in (0, -1):
            raise IndexError("[random] the state is one key")
        return _random_state()

    def __setitem__(self, index: int, key: array) -> None:
        if index not in (0, -1):
            raise IndexError("[random] the state is one key")
        _set_random_state(key)

    def __len__(self) -> int:
        return 1


state = _RandomState()
