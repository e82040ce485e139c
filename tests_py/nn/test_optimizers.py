"""Optimizers and schedules: the oracle's trajectories, state trees and errors."""

import copy
import pickle

import numpy as np
import pytest
from nn_oracle import assert_same, both, needs_oracle, omx, onn, ooptim, outcome, random_array, to_oracle

import mlx_go.core as mx
import mlx_go.nn as nn
import mlx_go.optimizers as optim
from mlx_go.utils import tree_flatten, tree_map, tree_unflatten

OPTIMIZERS = [
    "SGD(0.1)",
    "SGD(0.1, weight_decay=0.3)",
    "SGD(0.1, momentum=0.9)",
    "SGD(0.1, momentum=0.9, dampening=0.3)",
    "SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1)",
    "SGD(step_decay(0.1, 0.5, 3))",
    "RMSprop(0.1)",
    "RMSprop(0.1, 0.5, 1e-2)",
    "Adagrad(0.1)",
    "Adagrad(0.1, eps=0.1)",
    "AdaDelta(0.1)",
    "AdaDelta(1.0, 0.5, 1e-3)",
    "Adam(0.1)",
    "Adam(0.1, [0.8, 0.9], 1e-3)",
    "Adam(cosine_decay(0.1, 8), bias_correction=True)",
    "AdamW(0.1)",
    "AdamW(0.1, weight_decay=0.3, bias_correction=True)",
    "AdamW(linear_schedule(0.0, 0.1, 5), weight_decay=0.3)",
    "Adamax(0.1)",
    "Adamax(0.1, [0.5, 0.6], 0.1)",
    "Lion(0.1)",
    "Lion(0.1, [0.5, 0.6], 0.3)",
    "Adafactor()",
    "Adafactor(weight_decay=0.1, warmup_init=True)",
    "Adafactor(0.1, relative_step=False, beta_1=0.9)",
    "Adafactor(0.1, scale_parameter=False, relative_step=False, clip_threshold=0.5)",
    "Adafactor(0.1, scale_parameter=False, decay_rate=-0.5)",
    "Muon(0.1)",
    "Muon(0.1, nesterov=False)",
    "Muon(0.1, momentum=0.5, weight_decay=0.3, ns_steps=3)",
    "MultiOptimizer([Muon(0.1), SGD(0.2, momentum=0.5)], [lambda path, w: w.ndim == 2])",
    "MultiOptimizer([Lion(0.1), Adam(0.1), SGD(0.2)], [lambda p, w: p.endswith('c'), lambda p, w: w.ndim > 1])",
]

SHAPES = {"w": (4, 3), "wide": (2, 5), "b": (3,), "l": [{"c": (4, 2, 3)}, {}], "s": ()}


def is_shape(node):
    return isinstance(node, tuple)


def tree_of(dtype, seed):
    """The same random tree for either library."""
    flat = tree_flatten(SHAPES, is_leaf=is_shape)
    pairs = [both(random_array(shape, dtype, seed + i, scale=1.0), dtype) for i, (_, shape) in enumerate(flat)]
    trees = []
    for side in (0, 1):
        leaves = iter([p[side] for p in pairs])
        trees.append(tree_map(lambda _: next(leaves), SHAPES, is_leaf=is_shape))
    return trees


def make(text, module):
    return eval(text, dict(vars(module)))


@needs_oracle
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("text", OPTIMIZERS)
def test_trajectory(text, dtype):
    ours, theirs = make(text, optim), make(text, ooptim)
    assert_same(ours.state, theirs.state, "initial state")
    params, expected = tree_of(dtype, 0)
    # Ten steps let rounding in half precision drift apart; where signs decide, by whole steps.
    bound = {"float32": (1e-4, 2e-5), "float16": (5e-2, 5e-2), "bfloat16": (0.25, 0.25)}[dtype]
    for step in range(10):
        grads, oracle_grads = tree_of(dtype, 100 * (step + 1))
        params = ours.apply_gradients(grads, params)
        expected = theirs.apply_gradients(oracle_grads, expected)
        if "MultiOptimizer" in text:
            # The oracle merges the parts in an order of its own and drops the empty ends of lists.
            params = {k: params[k] for k in SHAPES}
            expected = {k: expected[k] for k in SHAPES}
            params["l"], expected["l"] = params["l"][:1], expected["l"][:1]
        assert_same(params, expected, f"parameters after {step + 1} steps", tolerance=bound)
        assert_same(ours.state, theirs.state, f"state after {step + 1} steps", tolerance=bound)
        if "MultiOptimizer" in text:
            params["l"], expected["l"] = [*params["l"], {}], [*expected["l"], {}]
        if step == 4:
            ours.learning_rate = theirs.learning_rate = 0.05


@needs_oracle
@pytest.mark.parametrize("text", OPTIMIZERS)
def test_init_makes_the_state(text):
    ours, theirs = make(text, optim), make(text, ooptim)
    params, expected = tree_of("float32", 0)
    ours.init(params)
    theirs.init(expected)
    assert_same(ours.state, theirs.state)
    ours.init(params)
    assert_same(ours.state, theirs.state)


@needs_oracle
def test_mixed_dtypes():
    """The learning rate takes the dtype of each gradient; promotion follows from there."""
    for text in ("SGD(0.1)", "SGD(0.1, momentum=0.9)", "Adam(0.1)", "Lion(0.1, weight_decay=0.1)"):
        results = []
        for core, module in ((mx, optim), (omx, ooptim)):
            params = {"a": core.ones((2, 2), dtype=core.float16), "b": core.ones((2,), dtype=core.bfloat16)}
            grads = {"a": core.full((2, 2), 0.5), "b": core.full((2,), 0.5, dtype=core.bfloat16)}
            optimizer = make(text, module)
            for _ in range(2):
                params = optimizer.apply_gradients(grads, params)
            results.append((params, optimizer.state if "momentum" in text or "Adam" in text else {}))
        assert_same(*results, text, tolerance=(1e-2, 1e-2))


def test_update_changes_the_model():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    model.layers[0].freeze()
    before = dict(tree_flatten(model.parameters()))
    optimizer = optim.SGD(0.5)
    grads = tree_map(mx.ones_like, model.trainable_parameters())
    assert optimizer.update(model, grads) is None
    after = dict(tree_flatten(model.parameters()))
    assert after["layers.0.weight"] is before["layers.0.weight"]
    np.testing.assert_allclose(
        np.array(after["layers.2.weight"]), np.array(before["layers.2.weight"]) - 0.5, rtol=1e-6, atol=1e-6
    )
    assert optimizer.step.item() == 1
    optimizer.update(model, {})
    assert optimizer.step.item() == 2


def test_parameters_that_appear_later():
    """Unfreezing in the middle of training starts the new parameters from fresh state."""
    model = nn.Linear(2, 1)
    model.freeze(keys="bias")
    optimizer = optim.Adam(0.1)
    optimizer.update(model, tree_map(mx.ones_like, model.trainable_parameters()))
    assert list(optimizer.state) == ["step", "learning_rate", "weight"]
    model.unfreeze()
    optimizer.update(model, tree_map(mx.ones_like, model.trainable_parameters()))
    assert list(optimizer.state) == ["step", "learning_rate", "weight", "bias"]


@pytest.mark.parametrize("text", ["Adam(0.1)", "SGD(0.1, momentum=0.9)", OPTIMIZERS[-2]])
def test_state_can_be_saved_and_restored(text, tmp_path):
    params, _ = ({k: mx.array(random_array(s, seed=1)) for k, s in (("w", (2, 2)), ("b", (3,)))}, None)
    grads = tree_map(mx.ones_like, params)
    first = make(text, optim)
    params = first.apply_gradients(grads, params)
    file = str(tmp_path / "state.safetensors")
    mx.save_safetensors(file, tree_flatten(first.state, destination={}))
    second = make(text, optim)
    second.state = tree_unflatten(mx.load(file))
    a = first.apply_gradients(grads, params)
    b = second.apply_gradients(grads, params)
    for (name, x), (_, y) in zip(tree_flatten(a), tree_flatten(b)):
        np.testing.assert_array_equal(np.array(x), np.array(y), err_msg=name)
    for twin in (copy.deepcopy(first), pickle.loads(pickle.dumps(first)) if "lambda" not in text else first):
        assert twin.learning_rate.item() == first.learning_rate.item()


@needs_oracle
def test_learning_rate():
    for module in (optim, ooptim):
        optimizer = module.SGD(module.step_decay(0.1, 0.5, 2))
        seen = [optimizer.learning_rate.item()]
        for _ in range(4):
            optimizer.apply_gradients({}, {})
            seen.append(optimizer.learning_rate.item())
        np.testing.assert_allclose(seen, [0.1, 0.1, 0.1, 0.05, 0.05], rtol=1e-6)
        optimizer.learning_rate = 0.5
        assert optimizer.learning_rate.item() == 0.5
    assert optim.Adam(mx.array(0.25)).learning_rate.item() == 0.25
    fixed = optim.Adam(0.1)
    fixed.learning_rate = mx.array(0.5)
    assert fixed.state["learning_rate"].item() == 0.5


def test_own_optimizer():
    class Counting(optim.Optimizer):
        def __init__(self):
            super().__init__()
            self._maybe_schedule("scale", lambda step: step * 2)

        def init_single(self, parameter, state):
            state["count"] = mx.array(0)

        def apply_single(self, gradient, parameter, state):
            state["count"] = state["count"] + 1
            return parameter - gradient

    optimizer = Counting()
    params = {"w": mx.array([3.0]), "l": [{"b": mx.array([1.0])}]}
    for _ in range(2):
        params = optimizer.apply_gradients(tree_map(mx.ones_like, params), params)
    assert params["w"].tolist() == [1] and params["l"][0]["b"].tolist() == [-1]
    assert optimizer.state["l"][0]["b"]["count"].item() == 2
    assert optimizer.state["scale"].item() == 2
    with pytest.raises(NotImplementedError):
        optim.Optimizer().apply_gradients({"w": mx.array(1.0)}, {"w": mx.array(1.0)})


def test_options_may_differ_between_parameters():
    """Scalars are computed once per update, but not for a subclass that changes what they depend on."""

    class Split(optim.AdamW):
        def apply_single(self, gradient, parameter, state):
            self.learning_rate = 0.1 if gradient.ndim else 0.2
            self.weight_decay = 0.5 if gradient.ndim else 0.0
            self.betas = (0.9, 0.99) if gradient.ndim else (0.5, 0.6)
            return super().apply_single(gradient, parameter, state)

    params = {"a": mx.array([1.0]), "b": mx.array(1.0), "c": mx.array([1.0])}
    grads = {"a": mx.array([0.5]), "b": mx.array(0.5), "c": mx.array([0.5])}
    together = Split(1.0, bias_correction=True)
    for _ in range(3):
        params = together.apply_gradients(grads, params)
    for key, options in (("a", (0.1, (0.9, 0.99), 1e-8, 0.5)), ("b", (0.2, (0.5, 0.6), 1e-8, 0.0))):
        alone = optim.AdamW(*options, bias_correction=True)
        expected = {key: mx.ones_like(grads[key])}
        for _ in range(3):
            expected = alone.apply_gradients({key: grads[key]}, expected)
        np.testing.assert_allclose(np.array(params[key]), np.array(expected[key]), rtol=1e-6)
    np.testing.assert_array_equal(np.array(params["a"]), np.array(params["c"]))


def test_arrays_and_tuples_as_trees():
    optimizer = optim.SGD(0.1, momentum=0.5)
    for expected in (1.9, 1.75):
        pass
    w = mx.array([2.0])
    w = optimizer.apply_gradients(mx.array([1.0]), w)
    w = optimizer.apply_gradients(mx.array([1.0]), w)
    np.testing.assert_allclose(w.tolist(), [expected], rtol=1e-6)
    grads = (mx.array([1.0]), [mx.array([1.0])])
    a, (b,) = optim.Adam(0.1).apply_gradients(grads, (mx.array([1.0]), [mx.array([2.0])]))
    assert a.item() < 1 and b.item() < 2


ERRORS = [
    "SGD(0.1, nesterov=True)",
    "SGD(0.1, momentum=0.9, dampening=0.1, nesterov=True)",
    "RMSprop(0.1, alpha=-1)",
    "RMSprop(0.1, eps=-1)",
    "Adagrad(0.1, eps=-1)",
    "AdaDelta(0.1, rho=-1)",
    "AdaDelta(0.1, eps=-1)",
    "Adam(0.1, eps=-1)",
    "Adamax(0.1, eps=-1)",
    "MultiOptimizer([SGD(0.1)], [lambda p, w: True])",
    "MultiOptimizer([SGD(0.1), SGD(0.1)])",
    "join_schedules([lambda s: s], [1])",
    "join_schedules([], [])",
    "linear_schedule(0, 0.1, 0)",
    "cosine_decay(0.1, 0)",
    "step_decay(0.1, 0.9, 0)",
]


@needs_oracle
@pytest.mark.parametrize("text", ERRORS)
def test_errors(text):
    messages = []
    for module in (optim, ooptim):
        with pytest.raises(ValueError) as error:
            make(text, module)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_errors_of_updates():
    optimizer = optim.SGD(0.1)
    with pytest.raises(KeyError):
        optimizer.apply_gradients({"nope": mx.array(1.0)}, {"w": mx.array(1.0)})
    with pytest.raises(TypeError, match="tree of arrays"):
        optimizer.apply_gradients({"w": 1.0}, {"w": mx.array(1.0)})
    with pytest.raises(ValueError, match="learning_rate is required"):
        optim.Adafactor(relative_step=False)
    several = optim.MultiOptimizer([optim.SGD(0.1), optim.SGD(0.1)], [lambda p, w: True])
    for state in ({"x": 1}, {"states": [{}]}):
        with pytest.raises(ValueError, match="Invalid state"):
            several.state = state


SCHEDULES = [
    "exponential_decay(0.1, 0.9)",
    "step_decay(0.1, 0.9, 2)",
    "cosine_decay(0.1, 10)",
    "cosine_decay(0.1, 10, end=0.01)",
    "linear_schedule(0, 0.1, 10)",
    "linear_schedule(0, 1, 10)",
    "join_schedules([linear_schedule(0, 0.1, 3), cosine_decay(0.1, 10)], [3])",
    "join_schedules([linear_schedule(0, 0.1, 3), step_decay(0.1, 0.5, 2), exponential_decay(0.05, 0.9)], [3, 8])",
]


@needs_oracle
@pytest.mark.parametrize("text", SCHEDULES)
def test_schedules(text):
    ours, theirs = make(text, optim), make(text, ooptim)
    for step in range(25):
        for dtype in (np.uint64, np.int32):
            a, b = both(np.array(step, dtype))
            assert_same(ours(a), theirs(b), f"{text} at {step}", tolerance=(1e-5, 1e-7))
        np.testing.assert_allclose(float(ours(step)), float(theirs(step)), rtol=1e-5, atol=1e-7)


@needs_oracle
def test_clip_grad_norm():
    cases = [
        ({"a": [3.0, 4.0]}, 1.0, "float32"),
        ({"a": [3.0, 4.0]}, 10.0, "float32"),
        ({"a": [300.0, 400.0]}, 1.0, "float16"),
        ({"a": [3.0, 4.0], "b": [[1.0], [2.0]]}, 1.0, "bfloat16"),
        ({"a": [3, 4]}, 1.0, "int32"),
        ({}, 1.0, "float32"),
    ]
    for tree, bound, dtype in cases:
        mine = tree_map(lambda v: mx.array(v).astype(getattr(mx, dtype)), tree, is_leaf=lambda n: isinstance(n, list))
        clipped, norm = optim.clip_grad_norm(mine, bound)
        expected, expected_norm = ooptim.clip_grad_norm(to_oracle(mine), bound)
        assert_same(clipped, expected)
        # The oracle sums bfloat16 gradients in bfloat16.
        assert norm.dtype == mx.float32
        np.testing.assert_allclose(norm.item(), expected_norm.item(), rtol=1e-6 if dtype != "bfloat16" else 1e-2)


@needs_oracle
def test_a_training_run_stays_on_the_oracle():
    """Twenty steps of AdamW with a schedule and clipping on a small regression."""
    x, y = random_array((64, 4), seed=1), random_array((64, 1), seed=2)
    mx.random.seed(0)
    curves = []
    weights = None
    for core, net, opt in ((mx, nn, optim), (omx, onn, ooptim)):
        model = net.Sequential(net.Linear(4, 16), net.GELU(), net.LayerNorm(16), net.Linear(16, 1))
        if weights is None:
            weights = model.parameters()
        else:
            model.update(to_oracle(weights))
        inputs, targets = core.array(x), core.array(y)
        step = net.value_and_grad(model, lambda a, b: net.losses.mse_loss(model(a), b))
        optimizer = opt.AdamW(opt.cosine_decay(0.05, 20))
        curve = []
        for _ in range(20):
            loss, grads = step(inputs, targets)
            grads, _ = opt.clip_grad_norm(grads, 1.0)
            optimizer.update(model, grads)
            core.eval(model.parameters(), optimizer.state)
            curve.append(loss.item())
        curves.append(curve)
    assert curves[0][-1] < 0.5 * curves[0][0]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-3)


def test_the_names_of_the_oracle_are_there():
    names = set(optim.__all__) - {"optimizers", "schedulers"}
    for name in names:
        assert hasattr(optim.optimizers, name) or hasattr(optim.schedulers, name)
    if ooptim is not None:
        assert (
            outcome(
                lambda: (
                    {
                        n
                        for n in vars(ooptim)
                        if n[0] != "_"
                        and n[0].isupper()
                        and n not in ("Callable", "List", "Optional", "Tuple", "Union")
                    }
                    <= set(vars(optim)) | {"Module"}
                )
            )
            is True
        )


EVERY = {
    "SGD": lambda r: optim.SGD(r, momentum=0.9),
    "RMSprop": optim.RMSprop,
    "Adagrad": optim.Adagrad,
    "AdaDelta": optim.AdaDelta,
    "Adam": lambda r: optim.Adam(r, bias_correction=True),
    "AdamW": optim.AdamW,
    "Adamax": optim.Adamax,
    "Lion": optim.Lion,
    "Adafactor": lambda r: optim.Adafactor(r, relative_step=False),
    "Muon": optim.Muon,
    "MultiOptimizer": lambda r: optim.MultiOptimizer([optim.Muon(r), optim.Adam(r)], [lambda path, w: w.ndim == 2]),
}
RATES = {
    "a number": lambda make: 0.125,
    "an integer": lambda make: 1,
    "a NumPy number": lambda make: np.float32(0.125),
    "a NumPy array": lambda make: np.array(0.125),
    "an array": lambda make: mx.array(0.125),
    "float64": lambda make: mx.array(0.125, mx.float64),
    "float16": lambda make: mx.array(0.125, mx.float16),
}


def three_steps(optimizer, dtype, compiled):
    params = {"w": mx.ones((3, 2), dtype), "b": mx.array([1.0, 2.0], dtype)}
    grads = {"w": mx.arange(1, 7).reshape(3, 2).astype(dtype) * 0.5, "b": mx.array([0.25, -0.5], dtype)}
    optimizer.init(params)
    step = optimizer.apply_gradients
    if compiled:
        step = mx.compile(lambda g, p: optimizer.apply_gradients(g, p), inputs=optimizer.state, outputs=optimizer.state)
    for _ in range(3):
        params = step(grads, params)
        mx.eval(params, optimizer.state)
    assert all(p.dtype == dtype for p in params.values()) and isinstance(optimizer.learning_rate, mx.array)
    return {k: np.array(v.astype(mx.float32)) for k, v in params.items()}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", EVERY)
def test_rates_and_schedules_of_any_number(name, rate, compiled):
    """A schedule may give what a rate may be: numbers of Python and NumPy, and arrays."""
    value = RATES[rate](None)
    for dtype in (mx.float32, mx.bfloat16):
        want = three_steps(EVERY[name](mx.array(float(value))), dtype, False)
        for given in (value, lambda step: value, lambda step: (step + 1) / (step + 1) * value):
            got = three_steps(EVERY[name](given), dtype, compiled)
            for k in want:
                np.testing.assert_allclose(got[k], want[k], rtol=1e-5 if dtype == mx.float32 else 2e-2)


def test_schedules_that_read_the_step():
    rates = []
    optimizer = optim.SGD(lambda step: 0.5 if int(step) < 2 else 0.25)
    for _ in range(4):
        optimizer.apply_gradients({"w": mx.ones(2)}, {"w": mx.ones(2)})
        rates.append(optimizer.learning_rate.item())
    assert rates == [0.5, 0.5, 0.25, 0.25]
    joined = optim.join_schedules([lambda step: 0.5, lambda step: np.float32(0.25)], [2])
    assert [float(joined(mx.array(i))) for i in range(4)] == rates


@pytest.mark.parametrize("bad", [None, "0.1", [0.1], 1j, lambda step: None, lambda step: "0.1"], ids=repr)
def test_rates_that_are_no_numbers(bad):
    with pytest.raises(TypeError, match="learning_rate must be a number, or a schedule that gives one"):
        optim.Adam(bad)
    with pytest.raises(TypeError, match="learning_rate"):
        optimizer = optim.Adam(0.1)
        optimizer.learning_rate = bad


def test_a_rate_is_the_optimizers_own():
    rate = mx.array(0.5)
    optimizer = optim.SGD(rate)
    rate *= 0
    assert optimizer.learning_rate.item() == 0.5
    optimizer.state["learning_rate"] = 0.25  # as from a file of numbers
    assert optimizer.apply_gradients({"w": mx.ones(1)}, {"w": mx.ones(1)})["w"].item() == 0.75
