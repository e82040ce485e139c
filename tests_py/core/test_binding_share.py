"""Memory shared with NumPy, PyTorch and anything that speaks the buffer protocol or DLPack."""

import copy
import ctypes
import gc
import mmap
import pickle
import threading
import weakref

import numpy as np
import pytest
from oracle import DTYPES, dt, mx, name_of

PLAIN = [n for n in DTYPES if n != "bfloat16"]


@pytest.mark.parametrize("name", PLAIN)
def test_buffer_round_trip(name):
    a = mx.array([[1, 0, 1], [2, 3, 1]]).astype(dt(mx, name))
    m = memoryview(a)
    assert m.shape == (2, 3) and m.itemsize == a.itemsize
    n = np.asarray(a)
    assert n.dtype == np.dtype(name) and n.tolist() == a.tolist()
    assert np.shares_memory(n, np.asarray(a))
    if name == "float64":
        assert mx.array(n).dtype == mx.float32
        assert mx.array(n, mx.float64).dtype == mx.float64
    else:
        assert mx.array(n).dtype == a.dtype and mx.array(n).tolist() == a.tolist()


@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: mx.broadcast_to(a[0], (4, 3))])
def test_views_export_their_strides(view):
    a = mx.array(np.arange(6, dtype=np.int32).reshape(2, 3))
    expected = np.array(view(a).tolist())
    n = np.asarray(view(a))
    assert (n == expected).all()
    assert bytes(view(a)) == expected.astype(np.int32).tobytes()
    assert (np.from_dlpack(view(a)) == expected).all()
    assert b"".join([view(a)]) == expected.astype(np.int32).tobytes()  # asks for contiguous memory


def test_numpy_layouts():
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for n in (base, base.T, base[::-1], base[:, ::2, ::-1], base[:0], np.asfortranarray(base), base[0, 0, 0], np.array(2.5)):
        assert mx.array(n).tolist() == n.tolist()
    wide = (base + 1j).astype(np.complex128).T
    assert mx.array(wide).dtype == mx.complex64 and mx.array(wide).tolist() == wide.tolist()


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([None]), np.array([1, 2], dtype=">i4"), np.zeros(2, [("x", "i4")])], ids=str)
def test_numpy_dtypes_that_do_not_exist_here(bad):
    with pytest.raises((TypeError, ValueError)):
        mx.array(bad)


def test_bfloat16_through_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="NumPy has bfloat16 only through it")
    a = mx.array([1.5, -2.0], mx.bfloat16)
    n = np.array(a)
    assert n.dtype == ml_dtypes.bfloat16 and n.tolist() == [1.5, -2.0]
    b = mx.array(n)
    assert b.dtype == mx.bfloat16 and b.tolist() == a.tolist()
    with pytest.raises(BufferError, match="bfloat16"):
        memoryview(a)


def test_bfloat16_without_ml_dtypes(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(TypeError, match="ml_dtypes"):
        np.array(mx.array([1.5], mx.bfloat16))


def test_array_method():
    a = mx.array([1.0, 2.0])
    assert a.__array__().dtype == np.float32
    assert a.__array__(np.float64).dtype == np.float64
    assert np.shares_memory(a.__array__(), a.__array__())
    assert not np.shares_memory(a.__array__(copy=True), a.__array__())
    with pytest.raises(ValueError):
        a.__array__(np.float64, copy=False)


def test_exports_outlive_the_array():
    a = mx.array([1.0, 2.0, 3.0])
    n = np.asarray(a)
    v = np.from_dlpack(a)
    a += 1
    assert n.tolist() == v.tolist() == [1, 2, 3]
    del a
    gc.collect()
    junk = [mx.zeros((3,)) + i for i in range(50)]
    mx.eval(junk)
    assert n.tolist() == v.tolist() == [1, 2, 3]


def test_writing_through_a_view():
    a = mx.array([1.0, 2.0])
    np.asarray(a)[0] = 7
    assert a.tolist() == [7, 2]


class Holder:
    def __init__(self, array):
        self.array = array

    def __mlx_array__(self):
        return self.array


class Capsule:
    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self):
        return self.capsule

    def __dlpack_device__(self):
        return (1, 0)


COPIES = {
    "array": mx.array, "array of a dtype": lambda a: mx.array(a, mx.float32), "copy": copy.copy, "deepcopy": copy.deepcopy,
    "asarray": lambda a: mx.asarray(a, copy=True), "from_dlpack": lambda a: mx.from_dlpack(a, copy=True), "pickle": lambda a: pickle.loads(pickle.dumps(a)),
    "a list": lambda a: mx.array([a])[0], "__mlx_array__": lambda a: mx.array(Holder(a)), "asarray of a holder": lambda a: mx.asarray(Holder(a), copy=True), "__dlpack__": lambda a: mx.from_dlpack(Capsule(a.__dlpack__(copy=True)), copy=False),
}  # fmt: skip


@pytest.mark.parametrize("name", COPIES)
def test_copies_share_no_memory(name):
    a = mx.array([1.0, 2.0, 3.0, 4.0])
    memory = np.asarray(a)
    for source in (a, a[1:], a.reshape(2, 2).T, mx.asarray(memory, copy=False)[::2]):
        before = np.array(source).copy().tolist()
        b = COPIES[name](source)
        memory += 10
        assert b.tolist() == before
        np.asarray(b)[0] = -1
        assert -1 not in memory
    before = memory.astype(np.int32).tolist()
    for convert in (lambda a: mx.array(a, mx.int32), lambda a: mx.asarray(a, mx.int32), lambda a: mx.array([a, a], mx.int32)[1]):
        b = convert(a)
        memory += 10
        assert b.tolist() == before
        memory -= 10
    for source in (mx.array([], mx.int32), mx.array(3), mx.array([True]), mx.array([1j])):
        b = COPIES[name](source) if name != "array of a dtype" else mx.array(source, source.dtype)
        assert b is not source and b.shape == source.shape and b.tolist() == source.tolist()
        assert b.dtype == source.dtype


@pytest.mark.parametrize("name", [n for n in COPIES if n not in ("from_dlpack", "pickle", "__dlpack__")])
def test_copies_belong_to_the_graph(name):
    f = lambda x: (COPIES[name](x * 2) * x).sum()
    x = mx.array([1.0, 2.0])
    assert mx.grad(f)(x).tolist() == [4, 8]
    assert mx.grad(lambda x: (mx.eval(x), f(x))[1])(x).tolist() == [4, 8]
    assert mx.vmap(f)(mx.stack([x, x + 1])).tolist() == [10, 26]
    assert mx.compile(f)(x).item() == 10


def test_asarray_of_an_array_is_itself():
    a = mx.array([1.0, 2.0])
    for copied in (None, False):
        assert mx.asarray(a, copy=copied) is a and mx.asarray(a, mx.float32, copy=copied) is a
    assert mx.asarray(a, copy=True) is not a and mx.asarray(a, mx.int32) is not a
    assert np.shares_memory(np.asarray(mx.asarray(Holder(a))), np.asarray(a))
    with pytest.raises(ValueError, match="dtype"):
        mx.asarray(Holder(a), mx.int32, copy=False)
    inside = []
    mx.vmap(lambda x: (inside.append(mx.asarray(x) is x), x)[1])(a)
    mx.grad(lambda x: (inside.append(mx.asarray(x, copy=False) is x), x.sum())[1])(a)
    assert inside == [True, True]


def test_share_without_copying():
    n = np.arange(4, dtype=np.float32)
    alive = weakref.ref(n)
    for share in (lambda x: mx.asarray(x, copy=False), lambda x: mx.from_dlpack(x, copy=False)):
        a = share(n)
        n[0] += 1
        assert a.tolist() == n.tolist()
        assert (a + 1).tolist() == (n + 1).tolist()
    before = n.copy()
    a += 1  # a new node; the shared memory is never written
    assert (n == before).all()
    part = mx.asarray(n, copy=False)[1:]
    mx.eval(part)
    del n, a
    gc.collect()
    mx.synchronize()
    assert alive() is not None and part.tolist() == before[1:].tolist()
    del part
    mx.synchronize()
    gc.collect()
    assert alive() is None


def test_shared_memory_is_given_back_on_any_thread():
    """A worker's arrays do not pile up while the main thread, which alone serves pending calls, waits for it."""
    alive, most = [], []

    def work():
        for _ in range(40):
            n = np.zeros(1 << 18, np.float32).view(type("Owner", (np.ndarray,), {}))
            alive.append(n_is := weakref.ref(n, lambda r: alive.remove(r)))
            a = mx.asarray(n, copy=False)
            del n
            mx.eval(a + 1)
            assert n_is() is not None
            del a
            mx.eval(mx.array(1) + 1)
            most.append(len(alive))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(most) == 40 and max(most) <= 2


def test_what_is_given_back_may_use_arrays_itself():
    """An owner's destructor computes, raises and frees further shared memory."""
    log = []

    class Owner(np.ndarray):
        def __del__(self):
            log.append(mx.asarray(np.ones(3, np.float32), copy=False).sum().item())
            raise KeyError("from a destructor")

    def drop():
        a = mx.asarray(np.zeros(1 << 18, np.float32).view(Owner), copy=False)
        b = mx.asarray(memoryview(mx.asarray(np.zeros(1 << 18, np.float32).view(Owner), copy=False)), copy=False)
        del a, b

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.unraisablehook", lambda u: log.append(type(u.exc_value)))
        for _ in range(20):
            drop()
        mx.synchronize()
        gc.collect()
    assert log.count(3.0) == 40 == log.count(KeyError)


def test_read_only_memory_stays_read_only():
    n = np.frombuffer(b"\0" * 8, np.float32)
    a = mx.asarray(n, copy=False)
    assert memoryview(a).readonly and not np.asarray(a).flags.writeable
    with pytest.raises(BufferError):
        a.__dlpack__()
    assert np.from_dlpack(a).tolist() == [0, 0]
    assert not memoryview(mx.array(n)).readonly


def test_read_only_memory_stays_so_when_a_neighbor_dies(tmp_path):
    """Whether memory may be written is a property of who owns it, not of an address."""
    data = bytes(range(16))
    (tmp_path / "file").write_bytes(data)
    with open(tmp_path / "file", "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for owner in (data, mapped):
            first, second = (mx.asarray(np.frombuffer(owner, np.uint8), copy=False) for _ in range(2))
            part = second[4:8]
            mx.eval(part)
            again = mx.asarray(memoryview(second), copy=False)
            del first
            mx.synchronize()
            for a in (second, part, again):
                assert memoryview(a).readonly
                with pytest.raises(BufferError, match="read-only"):
                    a.__dlpack__()
            assert not memoryview(mx.array(second) + 0).readonly
            writable = mx.asarray(bytearray(owner), copy=False)
            assert not memoryview(writable).readonly
            del second, part, again, a
            mx.synchronize()


def test_copy_false_refuses():
    for value, dtype in (([1, 2], None), (3, None), (np.ones(2), mx.int32), (np.ones(2, np.complex128), None)):
        with pytest.raises(ValueError, match="copy"):
            mx.asarray(value, dtype, copy=False)
    a = mx.array([1, 2])
    assert mx.asarray(a, copy=False).tolist() == [1, 2]
    with pytest.raises(ValueError):
        mx.asarray(a, mx.float32, copy=False)
    b = mx.asarray(a, copy=True)
    np.asarray(b)[0] = 9
    assert a.tolist() == [1, 2]
    with pytest.raises(TypeError):
        mx.from_dlpack([1])


def test_dlpack_arguments():
    a = mx.array([1.0])
    assert a.__dlpack_device__() == (1, 0)
    assert '"dltensor"' in repr(a.__dlpack__()) and '"dltensor_versioned"' in repr(a.__dlpack__(max_version=(1, 1)))
    with pytest.raises(ValueError):
        a.__dlpack__(stream=1)
    with pytest.raises(BufferError):
        a.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError):
        a.__dlpack__(max_version=1)

    class Old:
        def __dlpack__(self):
            return a.__dlpack__()

        def __dlpack_device__(self):
            return (1, 0)

    class Used:
        capsule = a.__dlpack__()

        def __dlpack__(self, **kwargs):
            return self.capsule

    assert mx.from_dlpack(Old()).tolist() == [1.0]
    used = Used()
    mx.from_dlpack(used)
    with pytest.raises(TypeError, match="unused"):
        mx.from_dlpack(used)


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "bool"])
def test_torch(name):
    torch = pytest.importorskip("torch", reason="DLPack with PyTorch")
    t = torch.arange(6).reshape(2, 3).to(getattr(torch, name)).T
    a = mx.from_dlpack(t)
    assert name_of(a) == ("float32" if name == "float64" else name)
    assert a.tolist() == t.tolist()
    back = torch.from_dlpack(mx.array([[1, 0], [3, 4]]).astype(dt(mx, name)))
    assert back.dtype == getattr(torch, name)
    shared = mx.from_dlpack(t, copy=False)
    assert shared.tolist() == t.tolist() and name_of(shared) == name


def test_foreign_operands():
    a, i = mx.array([1.0, 2.0]), mx.array([1, 2])
    ones = np.ones(2)
    for r in (a + ones, ones.tolist() and a * ones, a == ones, a @ ones):
        assert isinstance(r, mx.array)
    assert (i + np.float32(0.5)).tolist() == [1.5, 2.5]
    assert (i + np.int64(1)).dtype == mx.int32
    assert (i + np.float64(1)).dtype == mx.float32
    assert isinstance(np.ones(2) + a, mx.array)

    class Likes:
        def __mlx_array__(self):
            return mx.array([10, 20])

    class Other:
        def __radd__(self, x):
            return "mine"

        def __array_ufunc__(self):
            return None

    assert (a + Likes()).tolist() == [11, 22]
    assert a + Other() == "mine"
    for bad in ("x", None, [1, 2], {}):
        with pytest.raises(TypeError):
            a + bad
        with pytest.raises(TypeError):
            bad < a
        assert (a == bad) is False and (a != bad) is True


def test_bools_are_0_and_1_whatever_their_bytes(tmp_path):
    """Elsewhere any byte but 0 may be true. Here kernels count and compare bools, so every way in makes them 0 and 1."""
    values, odd = np.array([0, 1, 2, 255], np.uint8), [False, True, True, True]
    strange = values.view(bool)

    np.save(tmp_path / "a.npy", strange)
    np.savez(tmp_path / "a.npz", a=strange)
    header = b'{"a":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}}'
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + values.tobytes())
    pickled = mx.array(0)
    pickled.__setstate__((values.tobytes(), (4,), mx.bool_))
    of_mlx = mx.array(0)
    of_mlx.__setstate__((strange, 0))
    with open(tmp_path / "a.npy", "rb") as stream:
        streamed = mx.load(stream, format="npy")
    ways = {
        "view": mx.array(values).view(mx.bool_),
        "view of a wider dtype": mx.array(values.view(np.uint32)).view(mx.bool_),
        "view in vmap": mx.vmap(lambda x: mx.view(x, mx.bool_))(mx.array(values).reshape(1, 4))[0],
        "NumPy": mx.array(strange),
        "NumPy, strided": mx.array(np.repeat(values, 2).view(bool)[::2]),
        "NumPy, backwards": mx.array(strange[::-1])[::-1],
        "a buffer": mx.array(memoryview(values.tobytes()).cast("?")),
        "ctypes": mx.array((ctypes.c_bool * 4).from_buffer_copy(values)),
        "DLPack": mx.from_dlpack(Capsule(strange.__dlpack__())),
        "DLPack, as an operand": mx.array([False] * 4) | Capsule(strange.__dlpack__()),  # not a NumPy array, which comes by its buffer
        "a pickle": pickled,
        "a pickle of MLX": of_mlx,
        "npy": mx.load(tmp_path / "a.npy"),
        "npy, a stream": streamed,
        "npz": mx.load(tmp_path / "a.npz")["a"],
        "safetensors": mx.load(tmp_path / "a.safetensors")["a"],
    }
    for way, a in ways.items():
        assert a.dtype == mx.bool_ and a.tolist() == odd, way
        assert a.sum().item() == 3 and (a == mx.array(odd)).all().item(), way
        assert a.astype(mx.uint8).tolist() == [0, 1, 1, 1] and bytes(a) == b"\0\1\1\1", way
    for share in (lambda x: mx.asarray(x, copy=False), lambda x: mx.from_dlpack(Capsule(x.__dlpack__()), copy=False)):
        with pytest.raises(ValueError, match="neither 0 nor 1"):
            share(strange)
    for fine in (np.array(odd), np.array(odd)[::-1], np.zeros((3, 0), bool)):
        assert mx.asarray(fine, copy=False).tolist() == fine.tolist()


def test_tensors_that_record_gradients():
    """Those of PyTorch refuse both protocols until they are detached."""

    class Tensor:
        def __init__(self, values, requires_grad):
            self.values, self.requires_grad = values, requires_grad

        def detach(self):
            return Tensor(self.values, False)

        def __dlpack__(self, **kwargs):
            if self.requires_grad:
                raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
            return self.values.__dlpack__(**kwargs)

        def __dlpack_device__(self):
            return self.values.__dlpack_device__()

        def __array__(self, dtype=None, copy=None):
            if self.requires_grad:
                raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
            return self.values

    values = np.array([[1, 2], [3, 4]], np.float32)
    for t in (Tensor(values, True), Tensor(values, False)):
        a = mx.array(t)
        assert a.tolist() == [[1, 2], [3, 4]] and mx.array([t, t]).shape == (2, 2, 2)
        assert mx.array(t, mx.int32).dtype == mx.int32 and (a + t).tolist() == [[2, 4], [6, 8]]
        values += 1
        assert a.tolist() == [[1, 2], [3, 4]]
        values -= 1
    with pytest.raises(BufferError, match="detach"):
        mx.asarray(Tensor(values, True), copy=False)


def test_ctypes_arrays():
    two = ((ctypes.c_int32 * 3) * 2)((1, 2, 3), (4, 5, 6))
    assert mx.array(two).tolist() == [[1, 2, 3], [4, 5, 6]] and mx.array(two).dtype == mx.int32
    for kind, name in ((ctypes.c_float, "float32"), (ctypes.c_double, "float32"), (ctypes.c_int64, "int64"), (ctypes.c_uint8, "uint8"),
                       (ctypes.c_int16, "int16"), (ctypes.c_bool, "bool"), (ctypes.c_ulong, "uint64")):
        a = mx.array((kind * 2)(0, 1))
        assert name_of(a) == name and a.tolist() == [0, 1]
        assert mx.array((kind * 0)()).shape == (0,) and mx.array(kind(1)).shape == ()
    shared = mx.asarray(two, copy=False)
    two[1][2] = 9
    assert shared.tolist() == [[1, 2, 3], [4, 5, 9]]

    class Pair(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]

    class Nothing(ctypes.Structure):
        _fields_ = []

    for bad in (Pair(1, 2), (Pair * 2)(), (Nothing * 2)(), (ctypes.c_longdouble * 2)(), (ctypes.c_int32.__ctype_be__ * 2)(), ctypes.c_wchar("a")):
        with pytest.raises(TypeError, match="format"):
            mx.array(bad)
