"""What transforms take and give: modules, named tuples, subclasses, registered types; pickles of what they make; threads."""

from __future__ import annotations

import copy
import pickle
import threading
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

import mlx_go.core as mx
from mlx_go import nn, optimizers
from mlx_go.utils import register_tree, tree_flatten, tree_map, tree_map_with_path, tree_reduce

pytestmark = pytest.mark.smoke

Pair = namedtuple("Pair", "w b")


class Typed(NamedTuple):
    w: mx.array
    b: mx.array


class Params(dict):
    pass


class Layers(list):
    pass


@register_tree
@dataclass(frozen=True)
class Line:
    w: mx.array
    b: mx.array
    name: str = field(default="line", metadata={"static": True})


class Opaque:
    def __init__(self, w, b):
        self.parts = [w, b]
        self.checked = True


register_tree(
    Opaque, flatten=lambda o: (o.parts, o.checked), unflatten=lambda checked, parts: Opaque(*parts if checked else None)
)


def one(v: float) -> mx.array:
    return mx.array([float(v)])


MAKERS: list[tuple[Any, Any]] = [
    (Pair, lambda t: (t.w, t.b)),
    (Typed, lambda t: (t.w, t.b)),
    (lambda w, b: OrderedDict(w=w, b=b), lambda t: (t["w"], t["b"])),
    (lambda w, b: defaultdict(list, w=w, b=b), lambda t: (t["w"], t["b"])),
    (lambda w, b: Params(w=w, b=b), lambda t: (t["w"], t["b"])),
    (lambda w, b: Layers([w, b]), lambda t: (t[0], t[1])),
    (Line, lambda t: (t.w, t.b)),
    (Opaque, lambda t: (t.parts[0], t.parts[1])),
]


@pytest.mark.parametrize("make,parts", MAKERS)
def test_types_are_kept(make: Any, parts: Any) -> None:
    tree = make(one(2), one(3))
    kind = type(tree)

    def product(t):
        assert type(t) is kind
        w, b = parts(t)
        return (w * b).sum()

    def double(t):
        w, b = parts(t)
        return make(w * 2, b)

    for nest, get in ((lambda t: t, lambda t: t), (lambda t: {"in": [t]}, lambda t: t["in"][0])):
        g = get(mx.grad(lambda t: product(get(t)))(nest(tree)))
        assert type(g) is kind and [p.item() for p in parts(g)] == [3, 2]
        for transform in (mx.compile, mx.checkpoint, mx.vmap, lambda f: mx.compile(mx.vmap(f))):
            for _ in range(2):
                out = get(transform(lambda t: nest(double(get(t))))(nest(tree)))
                assert type(out) is kind and [p.item() for p in parts(out)] == [4, 3]
    assert mx.jvp(lambda w, b: product(make(w, b)), list(parts(tree)), [one(1), one(0)])[1][0].item() == 3
    assert [p.item() for p in parts(tree)] == [2, 3]
    mx.eval(tree, [double(tree)])
    if isinstance(tree, defaultdict):
        assert mx.compile(lambda t: t)(tree).default_factory is list


def test_registered_types_in_utils() -> None:
    line = Line(one(1), one(2), "l")
    assert [(k, v.item()) for k, v in tree_flatten({"a": line})] == [("a.w", 1), ("a.b", 2)]
    assert tree_map(lambda x, y: x + y, line, line).b.item() == 4
    assert tree_map(lambda x: x, line).name == "l"
    assert tree_map_with_path(lambda path, x: path, [line])[0].w == "0.w"
    assert tree_map(lambda x: 0, line, is_leaf=lambda x: isinstance(x, Line)) == 0
    assert tree_reduce(lambda n, x: n + x.item(), line, 0) == 3
    opt = optimizers.SGD(1.0)
    new = opt.apply_gradients(mx.grad(lambda t: (t.w * t.b).sum())(line), line)
    assert type(new) is Line and new.w.item() == -1
    adam = optimizers.Adam(0.1)
    adam.init({"line": line, "pair": Pair(one(1), one(2))})
    trees = {"line": line, "pair": Pair(one(1), one(2))}
    new = adam.apply_gradients(trees, trees)
    assert type(new["line"]) is Line and type(new["pair"]) is Pair and set(adam.state["line"]["b"]) == {"m", "v"}
    with pytest.raises(TypeError, match="no dataclass"):
        register_tree(object)
    with pytest.raises(TypeError, match="cannot be registered"):
        register_tree(Params, flatten=lambda d: (d, None), unflatten=lambda s, d: d)
    with pytest.raises(TypeError, match="come together"):
        register_tree(Opaque, flatten=lambda o: o)

    @dataclass
    class Unregistered:
        w: mx.array

    with pytest.raises(ValueError, match="trees of them, not"):
        mx.grad(lambda t: t.w.sum())(Unregistered(one(1)))


def test_static_fields_choose_the_graph() -> None:
    runs = []
    f = mx.compile(lambda t: runs.append(t.name) or t.w * len(t.name))
    assert f(Line(one(1), one(1), "ab")).item() == 2 and f(Line(one(1), one(1), "abc")).item() == 3
    assert f(Line(one(5), one(1), "ab")).item() == 10 and runs == ["ab", "abc"]


class Net(nn.Module):
    def __init__(self, act=nn.relu, scale=1.0):
        super().__init__()
        self.first, self.blocks = nn.Linear(2, 3), [nn.Linear(3, 3), act, {"last": nn.Linear(3, 1)}]
        self.norm = nn.BatchNorm(3)
        self.scale = scale

    def __call__(self, x):
        return self.blocks[2]["last"](self.norm(self.blocks[1](self.blocks[0](self.first(x))))) * self.scale


def test_modules_as_arguments() -> None:
    mx.random.seed(5)
    model, x = Net(), mx.random.normal((4, 2))
    model.first.freeze(keys="bias")
    model.eval()
    before = dict(tree_flatten(model.parameters()))
    value, gradients = mx.value_and_grad(lambda m, x: m(x).sum())(model, x)
    want_value, want = nn.value_and_grad(model, lambda x: model(x).sum())(x)
    assert value.item() == want_value.item() and "bias" not in gradients["first"]
    got_flat, want_flat = dict(tree_flatten(gradients)), dict(tree_flatten(want))
    assert got_flat.keys() == want_flat.keys() and all(mx.array_equal(got_flat[k], want_flat[k]) for k in want_flat)
    assert type(gradients) is dict and all(v is before[k] for k, v in tree_flatten(model.parameters()))
    both = mx.grad(lambda d: (d["net"](x) * d["k"]).sum())({"net": model, "k": one(2)})
    assert mx.allclose(both["net"]["first"]["weight"], 2 * gradients["first"]["weight"])
    optimizers.SGD(0.1).update(model, gradients)
    assert not mx.array_equal(model.first.weight, before["first.weight"])
    with pytest.raises(ValueError, match="same module was given twice"):
        mx.grad(lambda a, b: a(x).sum(), argnums=(0, 1))(model, model)


def test_batch_norm_in_a_module_argument() -> None:
    model = nn.BatchNorm(2)
    mx.grad(lambda m, x: m(x).sum())(model, mx.array([[1.0, 2.0], [3.0, 4.0]]))
    assert model.running_mean.tolist() == pytest.approx([0.2, 0.3])


def test_compile_and_vmap_of_modules() -> None:
    mx.random.seed(5)
    model, x = Net(), mx.random.normal((4, 2))
    runs = []

    def forward(m, x):
        runs.append(type(m))
        return m(x)

    run = mx.compile(forward)
    model.eval()
    for _ in range(2):
        assert mx.allclose(run(model, x), model(x))
    assert runs == [Net]
    model.scale = 3.0
    assert mx.allclose(run(model, x), model(x))
    model.train()
    assert mx.allclose(run(model, x), model(x), atol=1e-5)
    assert len(runs) == 3
    model.eval()
    other = Net(act=nn.tanh)
    other.eval()
    assert mx.allclose(run(other, x), other(x))
    rows = mx.vmap(lambda m, x: m(x[None])[0], in_axes=(None, 0))
    assert mx.allclose(rows(model, x), model(x), atol=1e-6)

    singles = [nn.Linear(2, 2) for _ in range(3)]
    stacked = nn.Linear(2, 2)
    stacked.update(tree_map(lambda *a: mx.stack(a), *[s.parameters() for s in singles]))
    out = mx.vmap(lambda m, x: m(x))(stacked, mx.stack([x] * 3))
    assert all(mx.allclose(out[i], s(x), atol=1e-6) for i, s in enumerate(singles))


def test_axes_of_one_tree() -> None:
    x = mx.array([[1.0, 2.0], [3.0, 4.0]])
    assert mx.vmap(lambda d: d["a"] * 2, in_axes={"a": 1})({"a": x}).tolist() == [[2, 6], [4, 8]]
    assert mx.vmap(lambda a: a, out_axes=(1,))(x).tolist() == x.T.tolist()
    with pytest.raises(ValueError, match="in_axes"):
        mx.vmap(lambda d, e: d["a"], in_axes={"a": 0})({"a": x}, x)


# ---- pickles and copies ----


def square(x):
    return (x * x).sum()


STATE = [one(1)]


def counting(x):
    STATE[0] += x
    return STATE[0]


@pytest.mark.parametrize("copied", [lambda f: pickle.loads(pickle.dumps(f)), copy.deepcopy, copy.copy])
def test_transformed_functions_are_copied(copied: Any) -> None:
    x = one(3)
    assert copied(mx.grad(square))(x).item() == 6
    assert copied(mx.value_and_grad(square, argnums=0))(x)[1].item() == 6
    assert copied(mx.compile(mx.grad(mx.checkpoint(square))))(x).item() == 6
    assert copied(mx.vmap(square, in_axes=0))(x).tolist() == [9]
    f = mx.compile(square)
    assert f(x).item() == 9 and copied(f)(x).item() == 9 and copied(f).__name__ == "square"


def test_copies_share_what_their_function_captured() -> None:
    STATE[0] = one(1)
    f = mx.compile(counting, inputs=STATE, outputs=STATE)
    assert f(one(1)).item() == 2 and copy.deepcopy(f)(one(1)).item() == 3 and f(one(1)).item() == 4
    model = nn.Linear(1, 1)
    other = copy.deepcopy(mx.compile(model, inputs=model.state))
    want = model(mx.ones((1, 1))).item()
    model.weight = model.weight + 1
    assert other(mx.ones((1, 1))).item() == want


def test_cloudpickle_of_local_functions() -> None:
    cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    k = one(2)
    for f in (mx.grad(lambda x: (x * k).sum()), mx.compile(lambda x: x * k), mx.vmap(lambda x: x * k[0])):
        assert pickle.loads(cloudpickle.dumps(f))(one(3)).tolist() == f(one(3)).tolist()


def test_as_methods() -> None:
    class Model:
        w = 3

        @mx.compile
        def run(self, x):
            return x * self.w

        @mx.grad
        def slope(self, x):
            return (x * x).sum()

    with pytest.raises(ValueError, match="compile"):  # an object is no constant
        Model().run(one(1))
    assert mx.grad(square).__wrapped__ is square and "grad of" in repr(mx.grad(square))


# ---- threads ----


def test_functions_that_call_each_other_from_two_threads() -> None:
    """Each is inside the traced run of one function when it calls the other: locks per function would be held crosswise."""
    for state in (None, [one(1)]):
        meet = threading.Barrier(2, timeout=20)
        fs: dict[str, Any] = {}

        def body(name, other, x, depth):
            if depth == 0:
                return x * 2
            if state is None and not meet.broken:
                try:
                    meet.wait(timeout=5)
                except threading.BrokenBarrierError:
                    pass
            y = fs[other](x, depth - 1)
            return y + (0 if state is None else state[0])

        for name, other in (("f", "g"), ("g", "f")):
            fs[name] = mx.compile(lambda x, depth, name=name, other=other: body(name, other, x, depth), inputs=state)
        results = {}
        threads = [threading.Thread(target=lambda n=n: results.update({n: fs[n](one(1), 3).item()})) for n in "fg"]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert results == dict.fromkeys("fg", 2 if state is None else 5)


def test_threads_share_a_model_that_is_traced() -> None:
    model = nn.Linear(4, 4)
    x = mx.ones((1, 4))
    want = model(x).tolist()
    for _ in range(5):
        runs = [mx.compile(lambda x, i=i: model(x) + 0 * i, inputs=model.state) for i in range(4)]
        failed: list[Any] = []

        def work():
            for run in runs:
                for _ in range(5):
                    got = run(x)
                    mx.eval(got)
                    if got.tolist() != want:
                        failed.append(got)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failed
