"""Results that fit their dtype are right where sums, squares and large offsets on the way do not fit it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx
from mlx_go import nn

HALVES = [mx.float16, mx.bfloat16]
OFFSETS = [0.0, 1e3, 1e6, -1e6]


def test_log_softmax_far_from_zero() -> None:
    np.testing.assert_allclose(nn.log_softmax(mx.array([[1e8, 1e8]])), [[-np.log(2)] * 2], rtol=1e-6)
    np.testing.assert_allclose(nn.log_softmax(mx.array([[-3e38, -3e38]])), [[-np.log(2)] * 2], rtol=1e-6)
    assert nn.log_softmax(mx.array([4, 4])).dtype == mx.float32
    np.testing.assert_allclose(nn.log_softmax(mx.array([-128, 127], dtype=mx.int8)), [-255, 0])
    x = mx.array([2.0, -1.0, 0.5])
    for axis in (0, -1, [0]):
        np.testing.assert_allclose(np.exp(np.asarray(nn.log_softmax(x, axis=axis))), mx.softmax(x), rtol=1e-6)


@pytest.mark.parametrize("offset", OFFSETS)
def test_cross_entropy_far_from_zero(offset: float) -> None:
    logits, by_class = mx.array([[2.0, -1.0]]) + offset, mx.array([0])
    want = np.log1p(np.exp(-3.0))
    np.testing.assert_allclose(nn.losses.cross_entropy(logits, by_class), [want], rtol=2e-6)
    np.testing.assert_allclose(nn.losses.cross_entropy(logits, mx.array([[1.0, 0.0]])), [want], rtol=2e-6)
    np.testing.assert_allclose(nn.losses.cross_entropy(logits, mx.array([[2.0, 1.0]])), [3 * want + 3], rtol=2e-6)
    smooth = nn.losses.cross_entropy(logits, by_class, label_smoothing=0.2)
    np.testing.assert_allclose(smooth, [0.9 * want + 0.1 * (want + 3)], rtol=2e-6)
    grad = mx.grad(lambda x: nn.losses.cross_entropy(x, by_class).sum())(logits)
    p = 1 / (1 + np.exp(3.0))
    np.testing.assert_allclose(grad, [[-p, p]], rtol=1e-5)
    np.testing.assert_allclose(mx.exp(-nn.losses.nll_loss(nn.log_softmax(logits), by_class)), [1 - p], rtol=2e-6)


def test_binary_cross_entropy_of_sure_predictions() -> None:
    x, t = mx.array([20.0, -20.0, 1e6, 50.0, -50.0]), mx.array([1.0, 0.0, 1.0, 0.0, 1.0])
    loss = nn.losses.binary_cross_entropy(x, t, reduction="none")
    np.testing.assert_allclose(loss, [np.exp(-20), np.exp(-20), 0, 50, 50], rtol=1e-6)
    grad = mx.grad(lambda x: nn.losses.binary_cross_entropy(x, mx.array([0.25, 1.0]), reduction="sum"))(mx.zeros(2))
    np.testing.assert_allclose(grad, [0.25, -0.5], rtol=1e-6)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("size", [30.0, 512.0])
def test_normalization_of_halves(dtype: mx.Dtype, size: float) -> None:
    signs = mx.where(mx.arange(4 * 64 * 64) % 2 == 0, -size, size).reshape(4, 64, 64, 1)
    x = mx.concatenate([signs, mx.full(signs.shape, size)], axis=-1).astype(dtype)
    for layer in (nn.BatchNorm(2), nn.InstanceNorm(2), nn.GroupNorm(2, 2), nn.GroupNorm(2, 2, pytorch_compatible=True)):
        y = layer(x)
        np.testing.assert_allclose(y[..., 0].astype(mx.float32), np.sign(np.asarray(signs))[..., 0], atol=0.01, err_msg=str(layer))
        np.testing.assert_array_equal(y[..., 1].astype(mx.float32), 0)
        layer.set_dtype(dtype)
        assert layer(x).dtype == dtype
    batch = nn.BatchNorm(2)
    batch.set_dtype(dtype)
    batch(x)
    assert batch.running_mean.dtype == batch.running_var.dtype == dtype
    batch.eval()
    assert batch(x).dtype == dtype
    assert nn.BatchNorm(2).eval()(x).dtype == mx.float32
    layer = nn.LayerNorm(4096)
    y = layer(mx.concatenate([mx.full((1, 2048), -size), mx.full((1, 2048), size)], axis=1).astype(dtype))
    np.testing.assert_allclose(mx.abs(y.astype(mx.float32)), 1, atol=0.01)


@pytest.mark.parametrize("dtype", HALVES)
def test_pooling_of_halves(dtype: mx.Dtype) -> None:
    x = mx.full((1, 128, 128, 2), 30, dtype=dtype)
    assert nn.AvgPool2d(128)(x).tolist() == [[[[30.0, 30.0]]]]
    assert nn.AvgPool2d(3, 1)(x).astype(mx.float32).max().item() == 30


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    ("loss", "want"),
    [
        (lambda a, b: nn.losses.mse_loss(a, b), 9e4 / 100),
        (lambda a, b: nn.losses.l1_loss(a, b), 3.0),
        (lambda a, b: nn.losses.cosine_similarity_loss(a[None] + 300, a[None] + 300), 1.0),
        (lambda a, b: nn.losses.triplet_loss(a[None], b[None], a[None], margin=0), 300.0),
        (lambda a, b: nn.losses.gaussian_nll_loss(a, b, mx.full(a.shape, 1e4, dtype=a.dtype), reduction="sum"), 50 * np.log(1e4) + 4.5),
        (lambda a, b: nn.losses.smooth_l1_loss(a, b, beta=1000), 0.45),
        (lambda a, b: nn.losses.huber_loss(a, b, delta=400, reduction="mean"), 450.0),
    ],
)
def test_losses_of_halves(dtype: mx.Dtype, loss: Any, want: float) -> None:
    """One difference of 300 among 100: its square does not fit float16, the loss does."""
    a = mx.zeros((100,)).astype(dtype)
    b = mx.where(mx.arange(100) == 7, 300, 0).astype(dtype)
    got = loss(a, b)
    assert got.dtype == dtype
    np.testing.assert_allclose(got.astype(mx.float32).item(), want, rtol=0.01)
