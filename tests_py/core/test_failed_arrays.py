"""Arrays whose evaluation fails: everything that reads them raises, as often as it is tried, and the process lives on."""

import copy
import pickle

import numpy as np
import pytest

import mlx_go.core as mx


def _endless():
    return mx.broadcast_to(mx.array(1.0), (1 << 40,))


def _outside():
    return mx.array([1.0, 2.0])[mx.array([7])]


def _masked():
    a = mx.array([1.0, 2.0, 3.0])
    a[mx.array([True, False, True])] = mx.array([1.0, 2.0, 3.0])
    return a


def _updated():
    return mx.array([1.0, 2.0]).at[mx.array([7])].add(1.0)


FAILED = {
    "memory": (MemoryError, lambda: _endless() + 1),
    "memory of a view": (MemoryError, lambda: (_endless() + 1)[5:6]),
    "memory of one result of several": (MemoryError, lambda: mx.divmod(_endless(), mx.array(2.0))[1]),
    "memory of an input": (MemoryError, lambda: mx.cumsum(_endless()).sum().reshape(1)),
    "index": (IndexError, _outside),
    "index of an input": (IndexError, lambda: _outside() + 1),
    "index of an input of a view": (IndexError, lambda: (_outside() * 2).reshape(1, 1).T[0]),
    "index along an axis": (IndexError, lambda: mx.take_along_axis(mx.array([1.0, 2.0]), mx.array([7]), 0)),
    "index of an update": (IndexError, _updated),
    "number of values": (ValueError, _masked),
}

READ = {
    "repr": repr,
    "str": str,
    "item": lambda a: a[:1].item(),
    "tolist": lambda a: a[:1].tolist(),
    "bool": lambda a: bool(a[:1]),
    "float": lambda a: float(a[0]),
    "int": lambda a: int(a[0]),
    "iter": lambda a: [x.item() for x in a[:1]],
    "in": lambda a: 5 in a[:1],
    "numpy": np.array,
    "asarray": np.asarray,
    "dlpack": np.from_dlpack,
    "buffer": memoryview,
    "bytes": lambda a: bytes(a[:1]),
    "pickle": pickle.dumps,
    "deepcopy": lambda a: mx.eval(copy.deepcopy(a)),
    "copy": lambda a: mx.eval(copy.copy(a)),
    "eval": mx.eval,
    "mask": lambda a: mx.eval(mx.ones((1,))[a[:1] > 0]),
    "condition": lambda a: 1 if a[0] == 1 else 0,
}


@pytest.mark.parametrize("name", FAILED)
@pytest.mark.parametrize("first", [False, True], ids=["one array", "an array each"])
def test_readers_raise_as_often_as_they_read(name, first):
    error, make = FAILED[name]
    a = make()
    for how, read in READ.items():
        a = make() if first else a
        for _ in range(3):
            with pytest.raises(error):
                read(a)
                pytest.fail(f"{how} gives something")
        assert isinstance(hash(a), int) and a.size and len(a) == a.shape[0]
        assert (mx.array([1.0]) + 1).item() == 2.0
    mx.synchronize()


@pytest.mark.parametrize("name", FAILED)
def test_files_of_failed_arrays_are_not_written(name, tmp_path):
    error, make = FAILED[name]
    a = make()
    for save, file in ((mx.save, "a.npy"), (mx.savez, "a.npz")):
        for _ in range(2):
            with pytest.raises(error):
                save(tmp_path / file, a)
    assert not list(tmp_path.iterdir())
