"""The Python side of transforms: arguments, trees, results and errors, against the oracle."""

import functools

import pytest
from oracle import mlx, mx, needs_oracle


def plain(x):
    """Arrays of either library as lists, containers as they are."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(plain(v) for v in x)
    return (x.tolist(), str(x.dtype)) if hasattr(x, "tolist") else x


def inputs(m):
    a, i, s = m.array([1.0, 2.0, 3.0]), m.array([1, 2, 3]), m.array(2.0)
    return {"m": m, "a": a, "i": i, "s": s, "M": m.array([[1.0, 2.0], [3.0, 4.0]]), "D": {"a": a, "b": [a, (a, s)]},
            "f": lambda x: (x * x).sum(), "g": lambda x, y, z=1: (x * y).sum() * z}


SAME = """
m.grad(f)(a)
m.grad(g, argnums=1)(a, a * 2)
m.grad(g, argnums=(0, 1))(a, a * 2)
m.grad(g, argnums=[0])(a, a)
m.grad(g, argnames='y')(a, y=a * 3)
m.grad(g, argnames=['x', 'y'])(x=a, y=a * 3)
m.grad(g, argnums=0, argnames='y')(a, y=a)
m.grad(g, argnums=None)(a, a)
m.grad(g, argnames=['y', 'y'])(a, y=a)
m.value_and_grad(g, argnums=0, argnames=['y'])(a, y=a)
m.value_and_grad(f)(a)
m.value_and_grad(lambda x: ((x * x).sum(), {'aux': [x]}, 3))(a)
m.grad(lambda d: (d['a'] * d['b'][0] * d['b'][1][1]).sum())(D)
m.grad(lambda t: (t[0] * t[1]).sum())((a, a))
m.grad(lambda t: (t[0] * t[1]).sum())([a, a])
m.grad(lambda x: m.array(3.0))(a)
m.grad(f)(a.astype(m.float16))
m.grad(m.grad(lambda x: x**3))(s)
m.grad(lambda x: m.grad(lambda y: y * y * x)(x) * x)(s)
m.grad(lambda x: m.stop_gradient(x) * x)(s)
m.vjp(lambda x, y: x * y, [a, a], [a])
m.vjp(lambda x, y: (x * y, x), (a, a), (a, a))
m.jvp(lambda x, y: x * y, [a, a], [a, a])
m.jvp(lambda x, y: [x * y, x], (a, a), (a, a))
m.vmap(lambda x: x * 2)(M)
m.vmap(lambda x, y: x + y, in_axes=(0, 1))(M, M)
m.vmap(lambda x, y: x + y, in_axes=(0, None))(M, M)
m.vmap(lambda x, y: x + y, in_axes=-1)(M, M)
m.vmap(lambda x: x, out_axes=1)(M)
m.vmap(lambda x: (x, x + 1), out_axes=(0, 1))(M)
m.vmap(lambda x: [x, {'k': x + 1}])(M)
m.vmap(lambda d: d['a'] + d['b'])({'a': M, 'b': M})
m.vmap(lambda x: m.array(3.0))(M)
m.vmap(m.vmap(lambda x: x * x))(M)
m.vmap(m.grad(lambda x: x * x))(a)
m.grad(lambda x: m.vmap(lambda y: y * y)(x).sum())(a)
m.compile(lambda x, k: x * k)(a, 3)
m.compile(lambda x, k: x * k)(a, k=3.5)
m.compile(lambda x: (x, {'a': [x * 2]}, 'text', None))(a)
m.compile(lambda d: d['a'] * 2)(D)
m.compile(lambda x: 3)(a)
m.compile(m.grad(f))(a)
m.grad(m.compile(f))(a)
m.vmap(m.compile(lambda x: x * x))(M)
m.checkpoint(f)(a)
m.grad(m.checkpoint(f))(a)
""".strip().splitlines()


@needs_oracle
@pytest.mark.parametrize("expression", SAME)
def test_same_as_the_oracle(expression):
    assert plain(eval(expression, inputs(mx))) == plain(eval(expression, inputs(mlx)))


FAIL = """
m.grad(f)(2.0)
m.grad(lambda x: x * x)(a)
m.grad(lambda x: x * x)(m.array([1.0]))
m.grad(lambda x: 3.0)(a)
m.grad(lambda x: None)(a)
m.grad(lambda x: (x.sum(),))(a)
m.grad(lambda x: {'l': x.sum()})(a)
m.value_and_grad(lambda x: [x.sum()])(a)
m.grad(g, argnums=2)(a, a)
m.grad(g, argnums=-1)(a, a)
m.grad(g, argnums=())(a, a)
m.grad(g, argnums=(0, 0))(a, a)
m.grad(g, argnames='y')(a, a)
m.grad(g, argnums='x')
m.grad(3)
m.grad(lambda t: t[0].sum() * t[1])((a, 3))
m.vjp(lambda x: x * x, [a], [])
m.vjp(lambda x: x * x, [a], [s])
m.jvp(lambda x: x * x, [a], [s])
m.jvp(lambda x: x * x, [a], [])
m.vmap(lambda x, y: x + y, in_axes=(None, None))(M, M)
m.vmap(lambda x, y: x + y, in_axes=3)(M, M)
m.vmap(lambda x: x, out_axes=None)(M)
m.vmap(lambda x, y: x + y)(M, a)
m.vmap(lambda x, y: x + y)(M, s)
m.vmap(lambda x: 3)(M)
m.vmap(lambda x, y: x + y)(M, 2)
m.vmap(lambda x: x.item())(M[0])
m.vmap(lambda x, y: x, in_axes=(0,))(M, M)
m.vmap(lambda x: x)('a')
m.vmap(lambda x, k=0: x + k)(M, k=M)
m.compile(lambda x, o: x)(a, object())
m.compile(lambda x: x.item())(s)
""".strip().splitlines()


@needs_oracle
@pytest.mark.parametrize("expression", FAIL)
def test_same_error_class_as_the_oracle(expression):
    with pytest.raises(Exception) as theirs:
        eval(expression, inputs(mlx))
    with pytest.raises(Exception) as ours:
        eval(expression, inputs(mx))
    expected = {ValueError: (ValueError, IndexError)}.get(theirs.type, theirs.type)
    assert isinstance(ours.value, expected), (ours.value, theirs.value)


def test_in_axes_may_be_any_prefix():
    m = mx.array([[1.0, 2.0], [3.0, 4.0]])
    f = mx.vmap(lambda d, e: d["a"] + d["b"] + e[0], in_axes=({"a": 0, "b": None}, [1]))
    assert f({"a": m, "b": m[0]}, [m]).tolist() == [[3, 7], [6, 10]]


def test_compile_traces_once_per_shape_and_constant():
    runs = []

    @mx.compile
    def f(x, k=1):
        runs.append(x.shape)
        return x * k

    a, b = mx.array([1.0, 2.0]), mx.array([1.0])
    for _ in range(3):
        assert f(a).tolist() == [1, 2] and f(b).tolist() == [1] and f(a, 2).tolist() == [2, 4]
        assert f(a, k=2.0).tolist() == [2, 4] and f(a, True).dtype == mx.float32
    assert len(runs) == 5
    assert f.__name__ == "f"
    mx.disable_compile()
    try:
        f(a)
        assert len(runs) == 6
    finally:
        mx.enable_compile()


def test_compile_captures_state():
    state = {"n": mx.array(1.0), "deep": [mx.array([1.0, 2.0])]}
    seen = state["n"]

    @functools.partial(mx.compile, inputs=state, outputs=state)
    def step(x):
        state["n"] = state["n"] + x
        state["deep"][0] = state["deep"][0] * 2
        return state["n"] * 10

    for k in range(1, 4):
        assert step(mx.array(2.0)).item() == (1 + 2 * k) * 10
        assert state["n"].item() == 1 + 2 * k
        assert state["deep"][0].tolist() == [2.0**k, 2.0 * 2**k]
    assert seen.item() == 1.0


def test_compile_captures_random_state():
    f = mx.compile(lambda: mx.random.uniform(), inputs=mx.random.state, outputs=mx.random.state)
    mx.random.seed(3)
    ours = [f().item() for _ in range(4)]
    mx.random.seed(3)
    assert ours == [mx.random.uniform().item() for _ in range(4)]
    both = [mx.random.state, {"w": mx.array(1.0)}]
    g = mx.compile(lambda x: x * both[1]["w"] + mx.random.uniform(shape=(2,)), inputs=both, outputs=both)
    assert g(mx.array(1.0)).tolist() != g(mx.array(1.0)).tolist()
    both[1]["w"] = mx.array(100.0)
    assert g(mx.array(1.0))[0].item() >= 100


def test_compiled_graphs_are_freed():
    import gc

    gc.collect()
    before = mx.get_active_memory()
    for _ in range(20):
        big = mx.zeros((1 << 16,))
        mx.eval(big)
        mx.compile(lambda x, y=big: x + y)(mx.array(1.0))
        mx.compile(functools.partial(mx.add, big))(mx.array(1.0))
        big = None
    gc.collect()
    assert mx.get_active_memory() < before + (1 << 19)


def test_grad_sees_in_place_changes():
    def f(x):
        y = x
        y = y * 1
        y += x
        y[0] = 0
        return (y * y).sum()

    assert mx.grad(f)(mx.array([1.0, 2.0])).tolist() == [0, 16]


@pytest.mark.parametrize("op", ["grad", "value_and_grad", "vmap"])
def test_arguments_that_are_no_arrays_name_the_transform(op):
    with pytest.raises(ValueError, match=rf"\[{op}\] expected arrays, or trees of them, not <class 'float'>"):
        getattr(mx, op)(lambda x: x[0])([2.0, mx.array(1.0)])
