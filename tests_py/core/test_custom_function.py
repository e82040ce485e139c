"""custom_function: rules written in Python, in the middle of transforms."""

from __future__ import annotations

import copy
import gc
import pickle
import signal
import threading
import weakref
from typing import Any

import mlx.core as mlx
import numpy as np
import pytest

import mlx_go.core as mx
from mlx_go import nn


def square(lib: Any, **rules: Any) -> Any:
    f = lib.custom_function(lambda x: x * x)
    for name, rule in rules.items():
        getattr(f, name)(rule)
    return f


def flat(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: flat(v) for k, v in x.items()}
    return [flat(v) for v in x] if isinstance(x, (list, tuple)) else x.tolist() if hasattr(x, "tolist") else x


def wrong_vjp(p: Any, c: Any, o: Any) -> Any:
    """Not the derivative of the square, so that one sees who was asked."""
    return c * p * p * p


# What MLX gives, too: functions of the library.
SAME: dict[str, Any] = {
    "value": lambda lib: square(lib, vjp=wrong_vjp)(lib.array(3.0)),
    "grad": lambda lib: lib.grad(square(lib, vjp=wrong_vjp))(lib.array(3.0)),
    "grad of grad": lambda lib: lib.grad(lib.grad(square(lib, vjp=wrong_vjp)))(lib.array(3.0)),
    "grad of grad by the output": lambda lib: lib.grad(lib.grad(square(lib, vjp=lambda p, c, o: c * o)))(
        lib.array(3.0)
    ),
    "vmap of grad": lambda lib: lib.vmap(lib.grad(square(lib, vjp=wrong_vjp)))(lib.array([1.0, 2.0, 3.0])),
    "compile of grad": lambda lib: lib.compile(lib.grad(square(lib, vjp=wrong_vjp)))(lib.array(3.0)),
    "grad of compile": lambda lib: lib.grad(lib.compile(square(lib, vjp=wrong_vjp)))(lib.array(3.0)),
    "grad of checkpoint": lambda lib: lib.grad(lib.checkpoint(lambda x: square(lib, vjp=wrong_vjp)(x * 2) * x))(
        lib.array(3.0)
    ),
    "jvp of grad": lambda lib: lib.jvp(lib.grad(square(lib, vjp=wrong_vjp)), [lib.array(3.0)], [lib.array(2.0)]),
    "jvp without a rule": lambda lib: lib.jvp(square(lib, vjp=wrong_vjp), [lib.array(3.0)], [lib.array(2.0)]),
    "jvp": lambda lib: lib.jvp(square(lib, jvp=lambda p, t: t * p * 10), [lib.array(3.0)], [lib.array(2.0)]),
    "grad of jvp": lambda lib: lib.grad(
        lambda x: lib.jvp(square(lib, jvp=lambda p, t: t * p * 10), [x], [lib.array(2.0)])[1][0]
    )(lib.array(3.0)),
    "grad without a rule": lambda lib: lib.grad(square(lib, jvp=lambda p, t: t * p * 10))(lib.array(3.0)),
    "vmap": lambda lib: lib.vmap(square(lib, vmap=lambda i, a: (i * 3, a)))(lib.array([1.0, 2.0, 3.0])),
    "vmap without a rule": lambda lib: lib.vmap(square(lib, vjp=wrong_vjp))(lib.array([1.0, 2.0, 3.0])),
    "chain": lambda lib: lib.grad(lambda x: square(lib, vjp=wrong_vjp)(lib.sin(square(lib, vjp=wrong_vjp)(x))))(
        lib.array(0.5)
    ),
    "not on the way": lambda lib: lib.grad(lambda x: square(lib, vjp=lambda p, c, o: 1 / 0)(lib.array(2.0)) * x)(
        lib.array(3.0)
    ),
    "captured": lambda lib: lib.grad(lambda x, y: captured(lib, x, y), argnums=(0, 1))(lib.array(2.0), lib.array(3.0)),
    "same argument twice": lambda lib: lib.grad(lambda x: product(lib, vjp=lambda p, c, o: (c * 5, c * 7))(x, x))(
        lib.array(3.0)
    ),
    "the argument itself": lambda lib: lib.grad(identity(lib))(lib.array(3.0)),
    "trees": lambda lib: lib.grad(lambda d, x: trees(lib)(d, x)["o"], argnums=(0, 1))(
        {"a": lib.array(2.0), "b": lib.array(3.0)}, [lib.array(4.0), lib.array(5.0)]
    ),
    "one constant": lambda lib: lib.grad(lambda x: product(lib, vjp=lambda p, c, o: (c * p[1], None))(x, 3))(
        lib.array(2.0)
    ),
    "one constant, left out": lambda lib: lib.grad(lambda x: product(lib, vjp=lambda p, c, o: c * p[1])(x, 3))(
        lib.array(2.0)
    ),
    "rule for keywords": lambda lib: lib.grad(lambda x: with_keyword(lib)(x, k=lib.array(5.0)))(lib.array(2.0)),
    "integer results": lambda lib: lib.grad(lambda x: integers(lib)(x)[0])(lib.array(3.0)),
    "tangents of two": lambda lib: lib.jvp(
        product(lib, jvp=lambda p, t: p[0] * t[1] * 7), [lib.array(2.0), lib.array(3.0)], [lib.array(1.0)] * 2
    ),
    "no tangent": lambda lib: lib.jvp(
        lambda x: product(lib, jvp=lambda p, t: p[0] * 3 if t[1] is None else None)(x, lib.array(3.0)),
        [lib.array(2.0)],
        [lib.array(1.0)],
    ),
    "tangents left out": lambda lib: lib.jvp(two(lib, jvp=lambda p, t: [t, None]), [lib.array(2.0)], [lib.array(1.0)]),
    "a batch and one for all": lambda lib: lib.vmap(
        product(lib, vmap=lambda i, a: (i[0] + i[1] * 100, a[0]) if a == (0, None) else None), in_axes=(0, None)
    )(lib.array([1.0, 2.0]), lib.array(3.0)),
    "axes of trees": lambda lib: lib.vmap(
        lambda x, y: product(lib, vmap=lambda i, a: (i[0]["a"], a[0]["a"]))({"a": x, "b": [y]}, 3), in_axes=(0, None)
    )(lib.array([1.0, 2.0]), lib.array(3.0)),
}


def captured(lib: Any, x: Any, y: Any) -> Any:
    f = lib.custom_function(lambda x: x * y)
    f.vjp(lambda p, c, o: c * 100)
    return f(x)


def product(lib: Any, **rules: Any) -> Any:
    f = lib.custom_function(lambda x, y: x["a"] * x["b"][0] * y if isinstance(x, dict) else x * y)
    for name, rule in rules.items():
        getattr(f, name)(rule)
    return f


def two(lib: Any, **rules: Any) -> Any:
    f = lib.custom_function(lambda x: [x * x, x + 1])
    for name, rule in rules.items():
        getattr(f, name)(rule)
    return f


def identity(lib: Any) -> Any:
    f = lib.custom_function(lambda x: x)
    f.vjp(lambda p, c, o: c * 5)
    return lambda x: f(f(x))


def trees(lib: Any) -> Any:
    f = lib.custom_function(lambda d, x: {"o": d["a"] * x[0], "p": (d["b"] + x[1],)})
    f.vjp(lambda p, c, o: ({"a": c["o"] * 2, "b": c["p"][0]}, [o["o"], o["p"][0]]))
    return f


def with_keyword(lib: Any) -> Any:
    f = lib.custom_function(lambda x, k=None: x * k)
    f.vjp(lambda p, c, o, k: c * p + k)
    return f


def integers(lib: Any) -> Any:
    f = lib.custom_function(lambda x: (x * x, (x > 1), x.astype(lib.int32)))
    f.vjp(lambda p, c, o: c[0] + c[1].astype(lib.float32) + c[2].astype(lib.float32))
    return f


@pytest.mark.parametrize("name", SAME)
def test_gives_what_mlx_gives(name: str) -> None:
    got, want = flat(SAME[name](mx)), flat(SAME[name](mlx))
    assert type(got) is type(want)
    if isinstance(want, dict):
        assert got == want
    elif name == "trees":
        assert got == want
    else:
        np.testing.assert_allclose(np.array(got), np.array(want), rtol=1e-5)


# ---- where MLX loses the rule, or lacks it ----


def test_batches_have_the_rules_of_their_function() -> None:
    x = mx.array([1.0, 2.0, 3.0])
    f = square(mx, vjp=wrong_vjp)
    one_by_one = [mx.grad(f)(v).item() for v in x]
    assert mx.grad(lambda x: mx.vmap(f)(x).sum())(x).tolist() == one_by_one
    twice = mx.grad(lambda x: mx.vmap(mx.vmap(f), in_axes=1)(x).sum())(mx.stack([x, x * 2]))
    assert twice.tolist() == [one_by_one, [mx.grad(f)(v * 2).item() for v in x]]
    g = square(mx, jvp=lambda p, t: t * p * 10)
    assert mx.jvp(mx.vmap(g), [x], [x])[1][0].tolist() == (x * x * 10).tolist()
    h = square(mx, vmap=lambda i, a: (i * 3, a), vjp=wrong_vjp)
    assert mx.vmap(h)(x).tolist() == (x * 3).tolist()
    assert mx.grad(lambda x: mx.vmap(h)(x).sum())(x).tolist() == one_by_one


def test_an_argument_that_is_no_batch_gets_the_sum() -> None:
    f = product(mx, vjp=lambda p, c, o: (c * 2, c * 3))
    x, y = mx.array([1.0, 2.0, 3.0]), mx.array(4.0)
    gx, gy = mx.grad(lambda x, y: mx.vmap(f, in_axes=(0, None))(x, y).sum(), argnums=(0, 1))(x, y)
    assert gx.tolist() == [2, 2, 2] and gy.item() == 9
    first = product(mx, vjp=lambda p, c, o: (c * 2, None))
    gx, gy = mx.grad(lambda x, y: mx.vmap(first, in_axes=(0, None))(x, y).sum(), argnums=(0, 1))(x, y)
    assert gx.tolist() == [2, 2, 2] and gy.item() == 0


def test_results_that_are_no_batch() -> None:
    f = two(mx, vmap=lambda i, a: ([i * 3, mx.array(7.0)], [0, None]))
    assert flat(mx.vmap(f)(mx.array([1.0, 2.0]))) == [[3, 6], [7, 7]]


def test_captured_arrays_that_are_batches() -> None:
    x = mx.array([1.0, 2.0])
    assert mx.vmap(lambda x, y: captured(mx, x, y))(x, x).tolist() == [1, 4]


def test_gradients_of_other_widths_convert() -> None:
    f = square(mx, vjp=lambda p, c, o: (c * p * 3).astype(mx.float32))
    g = mx.grad(f)(mx.array(2.0, mx.float16))
    assert g.dtype == mx.float16 and g.item() == 6


def test_methods_are_bound() -> None:
    class A:
        scale = 3

        @mx.custom_function
        def f(self, x: Any) -> Any:
            return x * self.scale

        @f.vjp
        def f(p: Any, c: Any, o: Any) -> Any:
            return None, c * p[0].scale * 100

    assert A().f(mx.array(2.0)).item() == 6
    assert mx.grad(A().f)(mx.array(2.0)).item() == 300


def test_it_is_a_decorator() -> None:
    @mx.custom_function
    def f(x: Any) -> Any:
        """Twice."""
        return x * 2

    @f.vjp
    def rule(p: Any, c: Any, o: Any) -> Any:
        return c * 5

    assert rule is f and f.__name__ == "f" and f.__doc__ == "Twice."
    assert mx.grad(f)(mx.array(1.0)).item() == 5
    assert mx.grad(f.vjp(lambda p, c, o: c * 6))(mx.array(1.0)).item() == 6


def module_rule(p: Any, c: Any, o: Any) -> Any:
    return c * 9


def module_function(x: Any) -> Any:
    return x * x


def test_copies_keep_their_rules() -> None:
    f = mx.custom_function(module_function).vjp(module_rule)
    for other in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        assert mx.grad(other)(mx.array(1.0)).item() == 9
        other.vjp(lambda p, c, o: c)
        assert mx.grad(f)(mx.array(1.0)).item() == 9


def test_arguments_updated_in_place_stay_the_callers() -> None:
    def f(x: Any) -> Any:
        x += 1
        return x * x

    x = mx.array(2.0)
    assert mx.custom_function(f).vjp(lambda p, c, o: c * p)(x).item() == 9 and x.item() == 2
    assert mx.grad(mx.custom_function(f).vjp(lambda p, c, o: c * p))(x).item() == 2


def test_functions_without_arrays() -> None:
    f = mx.custom_function(lambda *a: "text").vjp(module_rule)
    assert f() == f(mx.array(1)) == "text"
    assert mx.custom_function(lambda: mx.array(3)).vjp(module_rule)().item() == 3
    mixed = mx.custom_function(lambda x: (x, "hi", 3)).vjp(lambda p, c, o: c[0] * (o[2] if o[1] == "hi" else 0))
    assert mx.grad(lambda x: mixed(x)[0])(mx.array(1.0)).item() == 3


# ---- mistakes ----


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda p, c, o: (c,), "the vjp rule must return .* 2 arrays .* returned"),
        (lambda p, c, o: (c, c, c), "the vjp rule must return"),
        (lambda p, c, o: c, "the vjp rule must return"),
        (lambda p, c, o: (1.0, c), "the vjp rule must return"),
        (lambda p, c, o: "text", "the vjp rule must return"),
        (lambda p, c, o: (mx.ones(3), c), r"gave shape \(3\) .* as the gradient of argument 0, which has shape \(\)"),
        (lambda p, c, o: (c, mx.array(1)), "dtype int32 as the gradient of argument 1, which .* float32"),
        (lambda p, c, o: (c, c.astype(mx.complex64)), "dtype complex64 as the gradient of argument 1"),
    ],
)
def test_gradients_that_do_not_fit(rule: Any, message: str) -> None:
    f = product(mx, vjp=rule)
    with pytest.raises(ValueError, match=r"\[custom_function\] .*" + message):
        mx.grad(f, argnums=(0, 1))(mx.array(2.0), mx.array(3.0))
    assert mx.grad(product(mx, vjp=lambda p, c, o: (c, None)), argnums=(0, 1))(mx.array(2.0), mx.array(3.0))[1] == 0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda p, t: [t], "the jvp rule must return .* 2 arrays"),
        (lambda p, t: [t, mx.ones(2)], r"gave shape \(2\) .* as the tangent of result 1"),
        (lambda p, t: [t, mx.array(1)], "dtype int32 as the tangent of result 1"),
    ],
)
def test_tangents_that_do_not_fit(rule: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mx.jvp(two(mx, jvp=rule), [mx.array(2.0)], [mx.array(1.0)])


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (lambda i, a: i, ValueError, "must return a pair"),
        (lambda i, a: (i, 0), ValueError, "must return 2 arrays"),
        (lambda i, a: ([i, mx.ones((5, 7))], 0), ValueError, "3 examples of result 1, of shape .* not shape"),
        (lambda i, a: ([i, i.astype(mx.int32)], 0), ValueError, "dtype float32 each, not .* int32"),
        (lambda i, a: ([i, i], 0.5), ValueError, "axes of the vmap rule"),
        (lambda i, a: ([i, i], 4), ValueError, "axis 4 is out of bounds"),
    ],
)
def test_batches_that_do_not_fit(rule: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        mx.vmap(two(mx, vmap=rule))(mx.array([1.0, 2.0, 3.0]))


def test_keywords_have_gradients_only() -> None:
    f = mx.custom_function(lambda x, k=1: x * k)
    f.jvp(lambda p, t: t).vmap(lambda i, a: (i, a))
    with pytest.raises(ValueError, match=r"jvp rule takes positional arguments only, not \['k'\]"):
        mx.jvp(lambda x: f(x, k=x), [mx.array(1.0)], [mx.array(1.0)])
    with pytest.raises(ValueError, match="vmap rule takes positional arguments only"):
        mx.vmap(lambda x: f(x, k=2))(mx.array([1.0]))


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match="must be callable, not int"):
        mx.custom_function(3)
    for rule in ("vjp", "jvp", "vmap"):
        with pytest.raises(TypeError, match=rf"{rule}\(\): argument 'f' must be callable, not int"):
            getattr(mx.custom_function(abs), rule)(3)


# ---- Python in the middle of a transform ----


def failing(*args: Any) -> Any:
    raise ZeroDivisionError("in a rule")


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: mx.grad(f)(mx.array(2.0)),
        lambda f: mx.jvp(f, [mx.array(2.0)], [mx.array(1.0)]),
        lambda f: mx.vmap(f)(mx.array([1.0, 2.0])),
        lambda f: mx.grad(mx.checkpoint(lambda x: f(x * 2) * x))(mx.array(2.0)),
        lambda f: mx.compile(mx.grad(f))(mx.array(2.0)),
        lambda f: mx.grad(lambda x: mx.grad(f)(x))(mx.array(2.0)),
        lambda f: mx.grad(lambda x: mx.vmap(square(mx, vjp=failing))(x).sum())(mx.ones(3)),
    ],
)
def test_exceptions_of_rules_come_through(transform: Any) -> None:
    mx.synchronize()
    before = mx.get_active_memory()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="in a rule"):
            transform(square(mx, vjp=failing, jvp=failing, vmap=failing))
    gc.collect()
    assert mx.grad(square(mx, vjp=wrong_vjp))(mx.array(2.0)).item() == 8
    assert mx.get_active_memory() <= before + 4096


def test_ctrl_c_in_a_rule() -> None:
    def rule(p: Any, c: Any, o: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        for _ in range(1000):
            pass
        return c

    with pytest.raises(KeyboardInterrupt):
        mx.grad(square(mx, vjp=rule))(mx.array(2.0))
    assert mx.grad(square(mx, vjp=wrong_vjp))(mx.array(2.0)).item() == 8


def test_rules_may_do_anything() -> None:
    inner = square(mx, vjp=wrong_vjp)
    traced = mx.compile(lambda x: x * 2 + 1)
    seen = []

    def rule(p: Any, c: Any, o: Any) -> Any:
        seen.append(p.item() + o.item())
        mx.eval(p * 3, o)
        gc.collect()
        g = mx.grad(inner)(p)
        h = mx.vmap(mx.grad(inner))(mx.stack([p, p])).sum()
        return c * (g + h + traced(p) + mx.jvp(mx.sin, [p], [p])[1][0])

    f = square(mx, vjp=rule)
    want = 3 * 8 + 5 + 2 * np.cos(2)
    assert mx.grad(f)(mx.array(2.0)).item() == pytest.approx(want, rel=1e-5)
    assert mx.grad(lambda x: f(x) + mx.exp(f(x)))(mx.array(2.0)).item() == pytest.approx(
        want * (1 + np.exp(4)), rel=1e-5
    )
    again = mx.grad(mx.checkpoint(lambda x: f(x) + mx.exp(f(x))))(mx.array(2.0)).item()
    assert again == pytest.approx(want * (1 + np.exp(4)), rel=1e-5)
    assert seen == [6] * 5


def test_a_rule_inside_of_a_checkpoint_inside_of_a_rule() -> None:
    f = square(mx, vjp=lambda p, c, o: mx.grad(mx.checkpoint(lambda x: square(mx, vjp=wrong_vjp)(x) * x))(p) * c)
    x = 2.0
    assert mx.grad(mx.checkpoint(f))(mx.array(x)).item() == x**3 * x + x**2
    assert mx.grad(lambda a: mx.checkpoint(f)(a) * a)(mx.array(x)).item() == (x**3 * x + x**2) * x + x**2


def test_threads() -> None:
    """Rules of several threads run at the same time, each in the middle of its own transform."""
    barrier = threading.Barrier(4)
    results: dict[int, Any] = {}

    def work(i: int) -> None:
        def rule(p: Any, c: Any, o: Any) -> Any:
            barrier.wait(600)  # all are within a transform
            return c * mx.grad(lambda x: (x * x * i).sum())(p).sum().item()

        f = square(mx, vjp=rule)
        x = mx.ones(8) * i
        results[i] = [mx.grad(lambda x: f(mx.sin(x)).sum())(x).tolist() for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(4):
        want = np.cos(float(i)) * 2 * i * 8 * np.sin(float(i))
        np.testing.assert_allclose(results[i], np.full((5, 8), want), rtol=1e-4, atol=1e-5)


def test_rules_go_with_their_results() -> None:
    class Captured:
        pass

    def make(transform: Any) -> tuple[Any, Any]:
        kept = Captured()
        f = mx.custom_function(lambda x: x * x)
        f.vjp(lambda p, c, o, kept=kept: c)
        return transform(f), weakref.ref(kept)

    for transform in (lambda f: f(mx.array(2.0)), lambda f: mx.grad(f)(mx.array(2.0))):
        y, kept = make(transform)
        mx.eval(y)
        gc.collect()
        y + 1
        del y
        mx.eval(mx.array(1) + 1)
        assert kept() is None
    y, kept = make(lambda f: f(mx.array(2.0)))
    del y
    mx.eval(mx.array(1) + 1)
    gc.collect()
    assert kept() is None


def test_a_straight_through_estimator_trains() -> None:
    """The use in mlx-lm's and others' quantization-aware training: rounding with the gradient of the identity."""

    @mx.custom_function
    def rounded(w: Any) -> Any:
        return mx.round(w * 4) / 4

    @rounded.vjp
    def straight(w: Any, c: Any, o: Any) -> Any:
        return c

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = mx.array([[0.1, -0.7], [0.6, 0.3]])

        def __call__(self, x: Any) -> Any:
            return x @ rounded(self.w)

    net, x = Net(), mx.array([[1.0, 2.0], [0.5, -1.0]])
    target = mx.array([[1.0, 0.25], [-0.5, 0.75]])
    step = nn.value_and_grad(net, lambda n: ((n(x) - target) ** 2).mean())
    first = step(net)[0].item()
    for _ in range(200):
        net.w = net.w - 0.1 * step(net)[1]["w"]
        mx.eval(net.w)
    assert step(net)[0].item() < first / 4
