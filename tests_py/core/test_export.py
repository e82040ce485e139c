"""Functions in files: export_function, exporter, import_function, export_to_dot."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from functions import arguments, arrays, functions
from oracle import mlx, mx, needs_oracle

import mlx_go.nn as nn


def data(*shape: int, seed: int = 0) -> Any:
    return mx.array(np.random.default_rng([seed, *shape]).uniform(0.1, 1, shape).astype(np.float32))


def same(got: Any, want: Any) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        inexact = mx.issubdtype(a.dtype, mx.inexact)
        assert mx.array_equal(a, b, equal_nan=inexact), (a, b)


def there_and_back(path: Path, f: Any, *args: Any, **kwargs: Any) -> Any:
    mx.export_function(str(path), f, *args, **kwargs)
    return mx.import_function(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "function.mlxfn"


# ---- every function ----

FUNCTIONS = functions()


def takes_arrays(name: str) -> bool:
    pos, kw = arguments(name, FUNCTIONS[name])
    return any(isinstance(v, mx.array) for v in (*pos, *kw.values()))


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "load" and takes_arrays(n)])
def test_every_function_comes_back(name: str, path: Path) -> None:
    f = FUNCTIONS[name]
    pos, kw = arguments(name, f)
    given = [v for v in (*pos, *kw.values()) if isinstance(v, mx.array)]

    def call(*own: Any) -> Any:
        left = iter(own)
        put = lambda v: next(left) if isinstance(v, mx.array) else v
        out = f(*[put(v) for v in pos], **{k: put(v) for k, v in kw.items()})
        return [a for a in arrays(out) if a is not None]

    mx.random.seed(3)
    g = there_and_back(path, call, *given)
    mx.random.seed(3)
    want = call(*given)
    same(g(*given), want)


# ---- what files hold ----


def test_constants_dtypes_and_arguments(path: Path) -> None:
    c = {str(d): mx.array([1, 0, 1]).astype(d) for d in mx._core._dtypes} if hasattr(mx, "_core") else {}
    from mlx_go import _core

    c = {str(d): mx.array([1, 0, 1]).astype(d) for d in _core._dtypes}

    def f(x: Any) -> Any:
        y = mx.pad(x, ((1, 0), (0, 2)), mode="constant", constant_values=float("-inf"))
        z = x + 1e-45 + 3 * x + True
        w = x * (1 - 2j) + mx.array(2**63, dtype=mx.uint64).astype(mx.float32)
        return [y, z, w, x.astype(mx.bfloat16), x[..., None, ::-2, 0:1], *(x.sum() + v.astype(mx.float32) for v in c.values())]

    x = data(3, 4)
    same(there_and_back(path, f, x)(x), f(x))


def test_shared_constants_are_stored_once(path: Path) -> None:
    w = data(100, 100)
    with mx.exporter(str(path), lambda x: x @ w) as export:
        for n in range(1, 6):
            export(data(n, 100))
    assert path.stat().st_size < 2 * w.nbytes
    f = mx.import_function(str(path))
    same(f(data(4, 100)), [data(4, 100) @ w])


def test_inputs_and_outputs(path: Path) -> None:
    x, y, z = data(3), data(2, 3), data(3, seed=2)
    f = lambda x, y, *, z: (x + z, y * z)
    for given in ((x, y), {"z": z}), ([x, y], {"z": z}):
        mx.export_function(str(path), f, *given)
        g = mx.import_function(str(path))
        for got in (g(x, y, z=z), g((x, y), {"z": z}), g([x, y], {"z": z})):
            assert type(got) is tuple
            same(got, f(x, y, z=z))
    g = there_and_back(path, lambda **k: k["a"] - k["b"], a=x, b=z)
    same(g(b=z, a=x), [x - z])
    same(g({"b": z, "a": x}), [x - z])
    same(there_and_back(path, lambda: [mx.arange(3)])(), [mx.arange(3)])
    same(there_and_back(path, lambda x: x, x)(z), [z])
    same(there_and_back(path, lambda x: [x, x], x)(z), [z, z])


def test_what_is_no_input_or_output(path: Path) -> None:
    x = data(3)
    for args in ((x, 2), ([x], x), ({"a": [x]},), ((x, [x]),), ({1: x},)):
        with pytest.raises(ValueError, match=r"\[export_function\] inputs can"):
            mx.export_function(str(path), lambda *a, **k: x, *args)
    for out in (3, None, {"a": x}, [x, [x]], (x, 1)):
        with pytest.raises(ValueError, match=r"\[export_function\] the function must return"):
            mx.export_function(str(path), lambda x, out=out: out, x)
    with pytest.raises(TypeError, match="'fun' must be callable"):
        mx.export_function(str(path), 3, x)
    with pytest.raises(TypeError, match="'metadata' must be"):
        mx.export_function(str(path), lambda x: x, x, metadata=3)
    with pytest.raises(KeyError, match="from within"):
        mx.export_function(str(path), lambda x: {}["from within"], x)
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        mx.export_function(str(path / "no" / "folder"), lambda x: x, x)


def test_calls_that_match_nothing(path: Path) -> None:
    f = there_and_back(path, lambda x, *, y: x + y, data(3), y=data(3))
    for args, kwargs in [
        ((data(4),), {"y": data(4)}), ((data(3), data(3)), {}), ((data(3),), {"z": data(3)}), ((), {}),
        ((data(3).astype(mx.int32),), {"y": data(3)}), ((data(1, 3),), {"y": data(3)}),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=r"(?s)no imported function matches.*1: \(3,\) float32.*Called with"):
            f(*args, **kwargs)
    with pytest.raises(ValueError, match=r"\[import_function::call\] inputs can"):
        f(1.0, y=2.0)


def test_several_signatures(path: Path) -> None:
    def f(*xs: Any, y: Any = None) -> Any:
        total = sum(xs)
        return total if y is None else total * y

    calls = [((data(3),), {}), ((data(3), data(3)), {}), ((data(2, 2),), {}), ((data(3),), {"y": data(3)})]
    with mx.exporter(str(path), f, metadata="{}") as export:
        assert isinstance(export, mx.FunctionExporter)
        for args, kwargs in calls:
            export(*args, **kwargs)
        with pytest.raises(RuntimeError, match="exported before"):
            export(data(3))
        assert not path.exists()
    g, metadata = mx.import_function(str(path), return_metadata=True)
    assert metadata == "{}"
    for args, kwargs in calls:
        same(g(*args, **kwargs), [f(*args, **kwargs)])
    with pytest.raises(RuntimeError, match="closed"):
        export(data(5))
    export.close()
    with pytest.raises(KeyError), mx.exporter(str(path.parent / "none"), f) as export:
        raise KeyError
    assert not (path.parent / "none").exists()


def test_metadata(path: Path) -> None:
    text = 'a "name" \\ \n\x00 é 漢'
    mx.export_function(str(path), lambda x: x, data(1), metadata=text)
    assert mx.import_function(str(path), return_metadata=True)[1] == text
    mx.export_function(path, lambda x: x, data(1))
    assert mx.import_function(path, True)[1] == ""
    with pytest.raises(ValueError, match="metadata"):
        mx.export_function(print, lambda x: x, data(1), metadata="no")


# ---- shapes ----


def test_shapeless(path: Path) -> None:
    def f(x: Any, w: Any) -> Any:
        y = mx.softmax(x @ w, -1) - x.mean(-1, keepdims=True)
        return y.reshape(-1), mx.grad(lambda w: (mx.tanh(x @ w) ** 2).mean())(w), mx.vmap(lambda r: r / r.sum())(x)

    g = there_and_back(path, f, data(3, 4), data(4, 2), shapeless=True)
    for n, m, k in ((3, 4, 2), (5, 6, 1), (1, 1, 1), (7, 2, 9)):
        args = data(n, m), data(m, k)
        same(g(*args), f(*args))
    with pytest.raises(ValueError, match=r"of any shape of these ranks"):
        g(data(3), data(3, 4))
    with pytest.raises(ValueError, match=r"\[matmul\]"):
        g(data(3, 4), data(5, 2))


def test_shapes_that_the_function_looked_at(path: Path) -> None:
    g = there_and_back(path, lambda x: x * x.shape[0], data(3, 4), shapeless=True)
    same(g(data(3, 4)), [data(3, 4) * 3])
    with pytest.raises(ValueError, match="looked at a shape"):
        g(data(4, 4))
    with mx.exporter(str(path), lambda x: x + len(x), shapeless=True) as export:
        export(data(2))
        export(data(2, 2))
        with pytest.raises(RuntimeError, match="exported before"):
            export(data(3))


# ---- transforms, within and around ----


def test_transforms_of_what_was_read(path: Path) -> None:
    f = lambda x: (mx.sin(x) * x.mean()).sum()
    g = there_and_back(path, f, data(4), shapeless=True)
    one = lambda x: g(x)[0]
    for n in (4, 7):
        x = data(n)
        same([mx.grad(one)(x)], [mx.grad(f)(x)])
        same([mx.vmap(one)(data(3, n))], [mx.vmap(f)(data(3, n))])
        same([mx.compile(one)(x), mx.compile(one, shapeless=True)(x), mx.checkpoint(one)(x)], [f(x)] * 3)
        same(mx.jvp(one, [x], [x])[1], mx.jvp(f, [x], [x])[1])
    compiled = mx.compile(one, shapeless=True)
    same([compiled(data(n)) for n in (3, 5, 3)], [f(data(n)) for n in (3, 5, 3)])


def test_what_was_read_is_written_again(path: Path) -> None:
    g = there_and_back(path, lambda x: mx.grad(lambda y: (y * y).mean())(x) + x[:1], data(4), shapeless=True)
    again = path.parent / "again"
    mx.export_function(str(again), lambda x: g(x)[0] * 2, data(4), shapeless=True)
    for n in (4, 2):
        same(mx.import_function(str(again))(data(n)), [g(data(n))[0] * 2])


def test_nested_transforms_in_files(path: Path) -> None:
    def f(x: Any) -> Any:
        inner = mx.checkpoint(lambda y: mx.exp(mx.sin(y)) * y.mean())
        second = mx.grad(lambda y: (mx.grad(lambda z: inner(z).sum())(y) ** 2).sum())(x)
        y = x.at[:1].add(2.0)
        y[1:] *= 2
        return second, y, mx.vmap(lambda r: mx.cumsum(r), in_axes=1, out_axes=1)(x), mx.compile(lambda v: v * 2)(x), divmod(x, 0.3)[1]

    g = there_and_back(path, f, data(3, 4), shapeless=True)
    for s in ((3, 4), (5, 2)):
        same(g(data(*s)), f(data(*s)))


def test_rules_in_files(path: Path) -> None:
    """A rule holds for the derivatives that the function takes; those of what was read go through the function."""

    @mx.custom_function
    def f(x: Any) -> Any:
        return x * 2

    @f.vjp
    def f_vjp(primals: Any, cotangent: Any, output: Any) -> Any:
        return cotangent * 7 * primals

    g = there_and_back(path, lambda x: (f(x), mx.grad(lambda x: f(x).sum())(x)), data(3), shapeless=True)
    for n in (3, 5):
        x = data(n)
        same(g(x), (x * 2, x * 7))
        same([mx.grad(lambda x: g(x)[0].sum())(x)], [mx.full((n,), 2.0)])
        same([mx.grad(lambda x: g(x)[1].sum())(x)], [mx.full((n,), 7.0)])
        same(mx.vmap(lambda r: g(r))(data(2, n)), (data(2, n) * 2, data(2, n) * 7))


def test_random_numbers_and_state(path: Path) -> None:
    f = lambda x: x + mx.random.uniform(shape=(3,)) + mx.random.normal((3,))
    g = there_and_back(path, f, data(3))
    before = mx.random.state[0]
    same(g(data(3)), g(data(3)))  # it draws from the state that it was exported with
    same([before], [mx.random.state[0]])
    drawn = there_and_back(path, lambda x, key: x + mx.random.normal((3,), key=key), data(3), mx.random.key(1))
    same(drawn(data(3), mx.random.key(2)), [data(3) + mx.random.normal((3,), key=mx.random.key(2))])


def test_modules(path: Path) -> None:
    mx.random.seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.gelu, nn.Linear(8, 2))
    g = there_and_back(path, model, data(3, 4), shapeless=True)
    for n in (3, 1, 6):
        same(g(data(n, 4)), [model(data(n, 4))])


def test_work_beside_the_function_is_refused(path: Path) -> None:
    import threading

    def f(x: Any) -> Any:
        out = []
        t = threading.Thread(target=lambda: out.append(x * 2))
        t.start()
        t.join()
        return out[0]

    with pytest.raises(RuntimeError, match="another thread"):
        mx.export_function(str(path), f, data(3))


def test_streams_are_those_of_the_caller(path: Path) -> None:
    s = mx.new_stream(mx.cpu)
    g = there_and_back(path, lambda x: mx.add(x, 1, stream=s) * 2, data(3))
    same(g(data(3)), [(data(3) + 1) * 2])


# ---- other processes, pickles ----


def test_a_fresh_process_runs_it(path: Path) -> None:
    w = data(4, 2)
    mx.export_function(str(path), lambda x, *, scale: mx.softmax(x @ w * scale, -1), data(3, 4), scale=mx.array(2.0), shapeless=True)
    code = (
        "import sys, mlx_go.core as mx\n"
        "f = mx.import_function(sys.argv[1])\n"
        "mx.save(sys.argv[2], f(mx.load(sys.argv[3]), scale=mx.array(3.0))[0])\n"
    )
    mx.save(str(path.parent / "x.npy"), data(5, 4))
    subprocess.run([sys.executable, "-c", code, path, path.parent / "y.npy", path.parent / "x.npy"], check=True)
    same([mx.load(str(path.parent / "y.npy"))], [mx.softmax(data(5, 4) @ w * 3.0, -1)])
    g = pickle.loads(pickle.dumps(mx.import_function(str(path))))
    same(g(data(2, 4), scale=mx.array(1.0)), [mx.softmax(data(2, 4) @ w, -1)])


def test_files_are_the_same_each_time(path: Path) -> None:
    def f(x: Any) -> Any:
        return mx.grad(mx.checkpoint(lambda y: (y * 2).sum()))(x)

    mx.export_function(str(path), f, data(3))
    first = path.read_bytes()
    data(3) + 1
    mx.export_function(str(path), f, data(3))
    assert path.read_bytes() == first


# ---- malformed files ----


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + n]), raw[8 + n :]


def put(path: Path, header: dict[str, Any], rest: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


SCRIPT_CHANGES: list[Any] = [
    lambda s: s.pop("inputs"), lambda s: s.update(version=2), lambda s: s.update(version=0), lambda s: s.update(more=1),
    lambda s: s.update(constants=0), lambda s: s["outs"].append(99), lambda s: s["outs"].append(-1),
    lambda s: s["steps"].reverse(), lambda s: s["steps"].pop(0), lambda s: s["steps"][0].update(do="fly"),
    lambda s: s["steps"][0].update(name="nothing"), lambda s: s["steps"][0]["args"].pop(), lambda s: s["steps"][0].update(args=3),
    lambda s: s["steps"][0].update(args=["a", "b"]), lambda s: s["steps"][0].update(args=[{"array": 0}, {"array": 77}]),
    lambda s: s["steps"][0].update(args=[{"array": 0}, {"array": 2}]), lambda s: s["steps"][0].update(args=[{}, {}]),
    lambda s: s["steps"][0].update(out=[{"at": 0, "dtype": "float32"}]), lambda s: s["steps"][0].update(out=[]),
    lambda s: s["steps"][0].update(out=[{"at": 2, "dtype": "float33"}]), lambda s: s["steps"][0].update(numbers=[1]),
    lambda s: s["steps"][0].update(lists=[[0]]), lambda s: s["inputs"][0].update(dtype="int"),
    lambda s: s["inputs"][0].update(shape=[-1]), lambda s: s["inputs"][0].update(shape=[2**62, 2**62]),
    lambda s: s["steps"].append({"do": "answer", "lists": [[0]]}), lambda s: s["steps"].append({"do": "end", "numbers": [4]}),
    lambda s: s["steps"].append({"do": "grad", "lists": [[0]]}), lambda s: s["steps"].append({"do": "placeholders"}),
    lambda s: s["steps"].append({"do": "check"}), lambda s: s.update(needs=[{"what": "value", "of": 0, "want": []}]),
    lambda s: s["steps"].append({"do": "function", "name": "sum", "named": {}}),
    lambda s: s["steps"].append({"do": "function", "name": "sum", "named": {"a": {"array": 0}, "axes": 1}}),
    lambda s: s["steps"].append({"do": "function", "name": "sum", "named": {"a": {"array": 0}, "axis": "x"}}),
    lambda s: s["steps"].append({"do": "index", "lists": [[0]], "items": [{"kind": "array"}]}),
    lambda s: s["steps"].append({"do": "index", "lists": [[0]], "items": [{"kind": "star"}]}),
    lambda s: s["steps"].append({"do": "custom", "lists": [[0], []], "numbers": [1]}),
    lambda s: s["steps"].append({"do": "astype", "lists": [[0]], "numbers": [99]}),
]  # fmt: skip


@pytest.mark.parametrize("change", range(len(SCRIPT_CHANGES)))
def test_malformed_scripts_are_refused(change: int, path: Path) -> None:
    c = data(3)
    mx.export_function(str(path), lambda x: (x * c + 1).sum(), data(3))
    header, rest = parts(path)
    script = json.loads(header["__metadata__"]["script.0"])
    SCRIPT_CHANGES[change](script)
    header["__metadata__"]["script.0"] = json.dumps(script)
    put(path, header, rest)
    with pytest.raises(ValueError, match=r"^\[import_function\]"):
        f = mx.import_function(str(path))
        f(data(3))
        raise ValueError("[import_function] that the call refuses") if not f(data(3)) else AssertionError


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("format"), lambda m: m.pop("version"), lambda m: m.update(version="2"), lambda m: m.pop("functions"),
        lambda m: m.update(functions="{"), lambda m: m.update(functions="{}"), lambda m: m.update(functions="[3]"),
        lambda m: m.update(functions="[" * 100000), lambda m: m.pop("script.0"), lambda m: m.update({"script.0": ""}),
        lambda m: m.update({"script.0": "[" * 100000}), lambda m: m.update({"script.0": "null"}),
        lambda m: m.update(functions=m["functions"].replace("false", "0")),
        lambda m: m.update(functions=m["functions"].replace('"0"', '"1"')),
        lambda m: m.update(functions=m["functions"].replace('"0"', "0")),
        lambda m: m.update(functions=m["functions"].replace("[]", '["a", "a"]')),
    ],
)  # fmt: skip
def test_malformed_files_are_refused(change: Any, path: Path) -> None:
    c = data(3)
    mx.export_function(str(path), lambda x: x * c, data(3))
    header, rest = parts(path)
    change(header["__metadata__"])
    put(path, header, rest)
    with pytest.raises(ValueError, match=r"^\[import_function\]"):
        mx.import_function(str(path))


def test_files_of_others_are_refused(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mx.import_function(str(path))
    mx.save_safetensors(str(path), {"a": data(2)})
    with pytest.raises(ValueError, match="no file with a function"):
        mx.import_function(str(path) + ".safetensors")
    path.write_bytes(b"garbage, and more garbage")
    with pytest.raises(ValueError, match="header length"):
        mx.import_function(str(path))
    mx.export_function(str(path), lambda x: x + data(3), data(3))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"\["):
        mx.import_function(str(path))
    with pytest.raises(TypeError, match="file must be"):
        mx.import_function(3)  # type: ignore[arg-type]


# ---- graphs ----


def told(lib: Any) -> list[dict[str, Any]]:
    c, out = lib.array([1.0, 2.0, 3.0]), []
    lib.export_function(out.append, lambda x, *, y: lib.exp(x * c) + y.reshape(3), lib.ones(3), y=lib.ones((1, 3)))
    return out


def test_callback() -> None:
    got = told(mx)
    assert [d["type"] for d in got] == ["inputs", "keyword_inputs", "outputs", "constants"] + ["primitive"] * 4
    assert got[0]["inputs"] == [("A", (3,), mx.float32), ("B", (1, 3), mx.float32)]
    assert got[1]["keywords"] == [("y", "B")]
    names = {"A", "B", *(name for name, _ in got[3]["constants"])}
    assert [c.tolist() for _, c in got[3]["constants"]] == [[1, 2, 3]]
    for d in got[4:]:
        assert {name for name, *_ in d["inputs"]} <= names
        names |= {name for name, *_ in d["outputs"]}
    assert [d["name"] for d in got[4:]] == ["multiply", "exp", "reshape", "add"]
    assert got[2]["outputs"] == got[-1]["outputs"] == [(got[-1]["outputs"][0][0], (3,), mx.float32)]


@needs_oracle
def test_callback_like_the_oracle() -> None:
    ours, theirs = told(mx), told(mlx)
    assert [(d["type"], sorted(d), d.get("name", "").lower()) for d in ours] == [
        (d["type"], sorted(d), d.get("name", "").lower()) for d in theirs
    ]


def edges(text: str) -> set[tuple[str, str]]:
    """Which ops feed which, and the names of sources and sinks."""
    labels = dict(re.findall(r'\{ (\d+) \[label ="(\w+)", shape=rectangle\]; \}', text))
    arrows = re.findall(r'^"?([^"\n]+?)"? -> "?([^"\n]+?)"?$', text, re.M)
    of = {b: labels[a].lower() for a, b in arrows if a in labels}
    return {(of.get(a, "source"), labels[b].lower()) for a, b in arrows if b in labels}


def drawn(lib: Any, path: Path) -> str:
    x, y = lib.array([1.0, 2.0]), lib.array([3.0, 4.0])
    a, b = lib.divmod(lib.exp(x * y), y)
    lib.export_to_dot(str(path), a + b, {"more": [lib.sin(x)]} if lib is mx else lib.sin(x), x=x)
    return path.read_text()


def test_export_to_dot(path: Path) -> None:
    text = drawn(mx, path)
    assert text.startswith("digraph {\n") and text.endswith("}\n")
    assert edges(text) == {
        ("source", "multiply"), ("multiply", "exp"), ("exp", "divmod"), ("source", "divmod"), ("divmod", "add"), ("source", "sin"),
    }  # fmt: skip
    assert '"x"' in text and text.count("rank=sink") == 2 and text.count("rank=source") == 2


@needs_oracle
def test_export_to_dot_like_the_oracle(path: Path) -> None:
    assert edges(drawn(mx, path)) == edges(drawn(mlx, path))


def test_export_to_dot_to_files_and_names() -> None:
    x = data(3)
    file = io.StringIO()
    mx.export_to_dot(file, **{'a "b" \\': mx.exp(x), "x": x})
    assert r'"a \"b\" \\"' in file.getvalue()
    file = io.StringIO()
    mx.export_to_dot(file)
    assert file.getvalue() == "digraph {\n}\n"
    y = x
    for _ in range(10000):
        y = y + x
    mx.export_to_dot(io.StringIO(), y)
    with pytest.raises(TypeError, match="'x' must be an array"):
        mx.export_to_dot(file, x=3)
    with pytest.raises(ValueError, match="export_to_dot"):
        mx.export_to_dot(file, 3)
