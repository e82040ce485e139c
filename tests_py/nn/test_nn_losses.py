"""Losses and initializers against the oracle."""

import math

import numpy as np
import pytest
from nn_oracle import assert_same, both, needs_oracle, omx, onn, outcome, random_array

import mlx_go.core as mx
import mlx_go.nn as nn

REDUCTIONS = ["none", "mean", "sum"]


def log_softmax(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))).astype(np.float32)


def signs(shape, seed):
    return np.sign(random_array(shape, seed=seed)).astype(np.float32)


def classes(shape, n, seed=0, dtype=np.int32):
    return np.random.default_rng(seed).integers(0, n, shape).astype(dtype)


A, B, C = (random_array((4, 5), seed=i) for i in range(3))
WEIGHTS = np.abs(random_array((4,), seed=9))

# (name, arguments, keyword arguments)
LOSSES = [
    ("cross_entropy", (A, classes((4,), 5)), {}),
    ("cross_entropy", (A, classes((4,), 5, dtype=np.int64)), {"label_smoothing": 0.2}),
    ("cross_entropy", (A, classes((4,), 5, dtype=np.uint8)), {"weights": WEIGHTS}),
    ("cross_entropy", (A, classes((5,), 4)), {"axis": 0}),
    ("cross_entropy", (random_array((2, 5, 3)), classes((2, 3), 5)), {"axis": 1, "label_smoothing": 0.1}),
    ("cross_entropy", (A, np.exp(log_softmax(B))), {}),
    ("cross_entropy", (A, np.exp(log_softmax(B))), {"weights": WEIGHTS, "label_smoothing": 0.3}),
    ("cross_entropy", (A * 100, classes((4,), 5)), {}),
    ("binary_cross_entropy", (A, (B > 0).astype(np.float32)), {}),
    ("binary_cross_entropy", (A * 50, np.abs(np.tanh(B))), {"weights": np.abs(C)}),
    ("binary_cross_entropy", (1 / (1 + np.exp(-A)), (B > 0).astype(np.float32)), {"with_logits": False}),
    ("binary_cross_entropy", ((A > 0).astype(np.float32), (B > 0).astype(np.float32)), {"with_logits": False}),
    ("l1_loss", (A, B), {}),
    ("mse_loss", (A, B), {}),
    ("nll_loss", (log_softmax(A), classes((4,), 5)), {}),
    ("nll_loss", (log_softmax(A, 0), classes((5,), 4)), {"axis": 0}),
    ("gaussian_nll_loss", (A, B, np.abs(C)), {}),
    ("gaussian_nll_loss", (A, B, C), {"full": True, "eps": 0.1}),
    ("kl_div_loss", (log_softmax(A), log_softmax(B)), {}),
    ("kl_div_loss", (log_softmax(A, 0), log_softmax(B, 0)), {"axis": 0}),
    ("smooth_l1_loss", (A, B), {}),
    ("smooth_l1_loss", (A, B), {"beta": 0.3}),
    ("triplet_loss", (A, B, C), {}),
    ("triplet_loss", (A, B, C), {"axis": 0, "margin": 0.1, "eps": 1e-2}),
    ("triplet_loss", (A, B, C), {"p": 4}),
    ("hinge_loss", (A, signs((4, 5), 7)), {}),
    ("huber_loss", (A, B), {}),
    ("huber_loss", (A, B), {"delta": 0.2}),
    ("log_cosh_loss", (A * 40, B), {}),
    ("cosine_similarity_loss", (A, B), {}),
    ("cosine_similarity_loss", (A * 0, B), {"axis": 0, "eps": 0.1}),
    ("margin_ranking_loss", (A, B, signs((4, 5), 8)), {}),
    ("margin_ranking_loss", (A, B, signs((4, 5), 8)), {"margin": 0.7}),
]


def convert(values, index):
    return both(values)[index] if isinstance(values, np.ndarray) else values


@needs_oracle
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("name", "args", "kwargs"), LOSSES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(LOSSES)])
def test_loss(name, args, kwargs, reduction, dtype):
    results = []
    for index, (net, core) in enumerate(((nn, mx), (onn, omx))):
        inputs = [convert(a, index) for a in args]
        inputs = [a.astype(getattr(core, dtype)) if a.dtype == core.float32 else a for a in inputs]
        options = {k: convert(v, index) for k, v in kwargs.items()}
        results.append(getattr(net.losses, name)(*inputs, **options, reduction=reduction))
    bound = 2e-5 if dtype == "float32" else 3e-2
    assert_same(*results, name, tolerance=(bound, bound))


@needs_oracle
@pytest.mark.parametrize(("name", "args", "kwargs"), LOSSES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(LOSSES)])
def test_gradient(name, args, kwargs):
    results = []
    for index, (net, core) in enumerate(((nn, mx), (onn, omx))):
        inputs = [convert(a, index) for a in args]
        options = {k: convert(v, index) for k, v in kwargs.items()}
        loss = getattr(net.losses, name)
        results.append(core.grad(lambda x: loss(x, *inputs[1:], **options, reduction="sum"))(inputs[0]))
    if name == "binary_cross_entropy" and np.isin(args[0], (0, 1)).all():
        # The oracle's clipped logarithm has an infinite slope at 0.
        assert results[0].shape == args[0].shape
        return
    if name == "cosine_similarity_loss" and not args[0].any():
        return  # the norm has no gradient at the origin
    assert_same(*results, name, tolerance=(2e-4, 2e-4))


ERRORS = [
    ("mse_loss", [(2,), (3,)], {}),
    ("mse_loss", [(2,), (2,)], {"reduction": "x"}),
    ("l1_loss", [(2,), (1, 2)], {}),
    ("cross_entropy", [(2, 3), (4,)], {}),
    ("cross_entropy", [(2, 3), (2, 3)], {"label_smoothing": 1.0}),
    ("cross_entropy", [(2, 3), (2, 3)], {"label_smoothing": -0.1}),
    ("binary_cross_entropy", [(2, 3), (2,)], {}),
    ("kl_div_loss", [(2, 3), (2,)], {}),
    ("huber_loss", [(2, 3), (2,)], {}),
    ("smooth_l1_loss", [(2, 3), (2,)], {}),
    ("gaussian_nll_loss", [(2, 3), (2,), (2, 3)], {}),
    ("gaussian_nll_loss", [(2, 3), (2, 3), (2,)], {}),
    ("hinge_loss", [(2, 3), (2,)], {}),
    ("log_cosh_loss", [(2, 3), (2,)], {}),
    ("margin_ranking_loss", [(2,), (3,), (2,)], {}),
    ("margin_ranking_loss", [(2,), (2,), (3,)], {}),
]


@needs_oracle
@pytest.mark.parametrize(("name", "shapes", "kwargs"), ERRORS)
def test_errors(name, shapes, kwargs):
    for net, core in ((nn, mx), (onn, omx)):
        loss = getattr(net.losses, name)
        assert outcome(lambda: loss(*(core.zeros(s) for s in shapes), **kwargs)) is ValueError


def test_cross_entropy_of_targets_that_do_not_add_up_to_one():
    """Masked and weighted rows: the loss is linear in the targets."""
    targets = np.abs(B) * np.array([[1], [0], [0.5], [3]], np.float32)
    for smoothing in (0.0, 0.25):
        smooth = (1 - smoothing) * targets + smoothing / A.shape[1]
        options = {"label_smoothing": smoothing, "reduction": "none"}
        loss = nn.losses.cross_entropy(mx.array(A), mx.array(targets), **options)
        np.testing.assert_allclose(np.array(loss), -(smooth * log_softmax(A)).sum(-1), rtol=1e-4, atol=1e-5)
    _, slope = mx.value_and_grad(lambda x: nn.losses.cross_entropy(x, mx.array(targets)).sum())(mx.array(A))
    expected = np.exp(log_softmax(A)) * targets.sum(-1, keepdims=True) - targets
    np.testing.assert_allclose(np.array(slope), expected, rtol=1e-4, atol=1e-5)


def test_errors_of_weights_and_targets():
    logits, targets = mx.zeros((2, 3)), mx.array([0, 1])
    with pytest.raises(ValueError, match=r"Weights with shape \(3,\)"):
        nn.losses.cross_entropy(logits, targets, weights=mx.zeros((3,)))
    with pytest.raises(ValueError, match="out of bounds"):
        nn.losses.cross_entropy(logits, targets, axis=2)
    for loss in (nn.losses.cross_entropy, nn.losses.nll_loss):
        with pytest.raises(TypeError, match="must be integers"):
            loss(logits, mx.zeros((2,)))


def test_norms_of_odd_degree():
    a, p, n = mx.array([[0.0, 0.0]]), mx.array([[-3.0, 1.0]]), mx.array([[1.0, -1.0]])
    loss = nn.losses.triplet_loss(a, p, n, p=1, eps=0.0)
    assert math.isclose(loss.item(), 4 - 2 + 1, rel_tol=1e-6)


def test_smooth_l1_with_beta_zero_is_l1():
    a, b = mx.array([1.0, 2.0, 3.0]), mx.array([1.0, 0.0, 5.0])
    value, grad = mx.value_and_grad(lambda x: nn.losses.smooth_l1_loss(x, b, beta=0.0, reduction="sum"))(a)
    assert value.item() == 4
    assert grad.tolist()[1:] == [1, -1]


INITIALIZERS = [
    ("constant(0.5)", (2, 3), {}),
    ("normal(1.0, 0.1)", (2, 3), {}),
    ("uniform(-1, 2)", (2, 3), {}),
    ("identity()", (3, 3), {}),
    ("glorot_normal()", (2, 3), {}),
    ("glorot_normal()", (4, 3, 3, 2), {"gain": 2.0}),
    ("glorot_uniform()", (2, 3), {"gain": 2.0}),
    ("glorot_uniform()", (4, 5, 2), {}),
    ("he_normal()", (2, 3), {}),
    ("he_normal()", (4, 3, 3, 2), {"mode": "fan_out", "gain": 3.0}),
    ("he_uniform()", (2, 3), {"gain": 0.5}),
    ("he_uniform()", (4, 3, 2), {"mode": "fan_out"}),
]


@needs_oracle
@pytest.mark.parametrize(("text", "shape", "kwargs"), INITIALIZERS)
def test_initializers_with_the_same_seed(text, shape, kwargs):
    for dtype in ("float32", "float16"):
        results = []
        for net, core in ((nn, mx), (onn, omx)):
            core.random.seed(5)
            typed = text[:-1] + ("" if text.endswith("()") else ", ") + f"dtype=core.{dtype})"
            init = eval("init." + typed, {"init": net.init, "core": core})
            results.append(init(core.zeros(shape), **kwargs))
        assert_same(*results, text)


def test_sparse():
    weight = nn.init.sparse(0.3, mean=5.0, std=0.1)(mx.zeros((6, 10)))
    assert (weight == 0).sum(axis=1).tolist() == [3] * 6
    assert abs(mx.where(weight == 0, 5.0, weight).mean().item() - 5) < 0.1
    assert nn.init.sparse(0.5, dtype=mx.float16)(mx.zeros((2, 4))).dtype == mx.float16


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (50, 50)])
@pytest.mark.parametrize("with_qr", [True, False])
def test_orthogonal(shape, with_qr, monkeypatch):
    if not with_qr:

        class Core:
            linalg = None

            def __getattr__(self, name):
                return getattr(mx, name)

        monkeypatch.setattr(nn.init, "mx", Core())
    mx.random.seed(0)
    q = np.array(nn.init.orthogonal(gain=2.0)(mx.zeros(shape)))
    gram = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(gram, 4 * np.eye(min(shape)), atol=1e-4)


INIT_ERRORS = [
    ("he_normal()", (3,), {}),
    ("glorot_uniform()", (3,), {}),
    ("he_uniform()", (3, 3), {"mode": "x"}),
    ("identity()", (2, 3), {}),
    ("identity()", (2,), {}),
    ("sparse(0.5)", (2,), {}),
    ("orthogonal()", (2,), {}),
    ("orthogonal()", (2, 3, 4), {}),
]


@needs_oracle
@pytest.mark.parametrize(("text", "shape", "kwargs"), INIT_ERRORS)
def test_errors_of_initializers(text, shape, kwargs):
    messages = []
    for net, core in ((nn, mx), (onn, omx)):
        with pytest.raises(ValueError) as error:
            eval("init." + text, {"init": net.init})(core.zeros(shape), **kwargs)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
