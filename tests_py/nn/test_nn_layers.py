"""Every layer against the oracle: repr, initial weights, state, results, gradients."""

import re

import numpy as np
import pytest
from nn_oracle import assert_same, both, needs_oracle, omx, onn, outcome, random_array, to_oracle

import mlx_go.core as mx
import mlx_go.nn as nn
from mlx_go.utils import tree_flatten

pytestmark = needs_oracle

# (constructor, shapes of the inputs)
LAYERS = [
    ("Identity(2, a=3)", (2, 3)),
    ("Linear(2, 3)", (4, 5, 2)),
    ("Linear(2, 3, bias=False)", (4, 2)),
    ("Linear(2, 3)", (2,)),
    ("Bilinear(2, 3, 4)", (5, 2), (5, 3)),
    ("Bilinear(2, 3, 4, bias=False)", (5, 6, 2), (5, 6, 3)),
    ("Conv1d(2, 4, 3)", (2, 9, 2)),
    ("Conv1d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)", (2, 9, 2)),
    ("Conv2d(2, 4, 3)", (2, 9, 8, 2)),
    ("Conv2d(4, 6, (3, 1), stride=(2, 1), padding=(1, 0), dilation=2, groups=2, bias=False)", (2, 9, 8, 4)),
    ("Conv3d(2, 4, 3)", (1, 5, 5, 5, 2)),
    ("Conv3d(2, 4, (3, 2, 1), 2, 1, 1, False)", (1, 5, 5, 5, 2)),
    ("ConvTranspose1d(2, 4, 3)", (2, 5, 2)),
    ("ConvTranspose1d(2, 4, 3, 2, 1, 2, 1, False)", (2, 5, 2)),
    ("ConvTranspose2d(2, 4, 3)", (2, 5, 5, 2)),
    ("ConvTranspose2d(2, 4, (3, 2), 2, 1, 2, 1, False)", (2, 5, 5, 2)),
    ("ConvTranspose3d(2, 4, 3)", (1, 3, 3, 3, 2)),
    ("ConvTranspose3d(2, 4, 3, 2, 1, 1, 1, False)", (1, 3, 3, 3, 2)),
    ("LayerNorm(4)", (3, 4)),
    ("LayerNorm(4, affine=False)", (2, 3, 4)),
    ("LayerNorm(4, bias=False, eps=1e-3)", (3, 4)),
    ("RMSNorm(4)", (3, 4)),
    ("RMSNorm(4, eps=0.1)", (2, 3, 4)),
    ("GroupNorm(2, 4)", (3, 5, 4)),
    ("GroupNorm(2, 4)", (3, 5, 6, 4)),
    ("GroupNorm(2, 4, affine=False, pytorch_compatible=True)", (3, 5, 6, 4)),
    ("InstanceNorm(3)", (2, 5, 3)),
    ("InstanceNorm(3, affine=True)", (2, 5, 6, 3)),
    ("BatchNorm(4)", (5, 4)),
    ("BatchNorm(4, momentum=0.5)", (5, 6, 4)),
    ("BatchNorm(4)", (5, 3, 2, 4)),
    ("BatchNorm(4, affine=False, track_running_stats=False)", (5, 4)),
    ("MaxPool1d(2)", (2, 7, 3)),
    ("MaxPool1d((2,), 1, 1)", (2, 7, 3)),
    ("MaxPool2d(2)", (2, 7, 6, 3)),
    ("MaxPool2d((2, 3), (1, 2), (1, 0))", (2, 7, 6, 3)),
    ("MaxPool2d(5)", (1, 3, 3, 1)),
    ("MaxPool3d(2)", (2, 5, 4, 6, 3)),
    ("AvgPool1d(2)", (2, 7, 3)),
    ("AvgPool2d(2, stride=1)", (2, 7, 6, 3)),
    ("AvgPool2d(3, 3, 1)", (2, 7, 6, 3)),
    ("AvgPool3d(2, (1, 2, 1), 1)", (2, 5, 4, 6, 3)),
    ("Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 1), nn.tanh))", (4, 2)),
    ("RoPE(4)", (2, 3, 5, 6)),
    ("RoPE(4, True, 100, 0.5)", (2, 3, 5, 4)),
    ("ALiBi()", (2, 6, 3, 4)),
    ("SinusoidalPositionalEncoding(6)", (5,)),
    ("SinusoidalPositionalEncoding(6, cos_first=True, full_turns=True, scale=2)", (2, 3)),
    ("SinusoidalPositionalEncoding(2, scale=1)", (2, 3)),
    ("RNN(3, 4)", (5, 3)),
    ("RNN(3, 4)", (2, 5, 3)),
    ("RNN(3, 4, False, nn.silu)", (2, 5, 3), (2, 4)),
    ("GRU(3, 4)", (2, 5, 3)),
    ("GRU(3, 4, False)", (5, 3)),
    ("GRU(3, 4)", (2, 5, 3), (2, 4)),
    ("LSTM(3, 4)", (2, 5, 3)),
    ("LSTM(3, 4, False)", (5, 3)),
    ("LSTM(3, 4)", (2, 5, 3), (2, 4), (2, 4)),
    ("MultiHeadAttention(8, 2)", (2, 5, 8), (2, 3, 8), (2, 3, 8)),
    ("MultiHeadAttention(8, 2, 3, 4, 5, 6, 7, bias=True)", (2, 5, 3), (2, 4, 4), (2, 4, 5), (5, 4)),
    ("TransformerEncoderLayer(8, 2)", (2, 5, 8), (5, 5)),
    ("TransformerEncoder(2, 8, 4, norm_first=False, mlp_dims=6)", (2, 5, 8), (5, 5)),
    ("TransformerDecoderLayer(8, 2)", (2, 5, 8), (2, 3, 8), (5, 5), (5, 3)),
    ("TransformerDecoder(1, 8, 2, norm_first=False, activation=nn.gelu)", (2, 5, 8), (2, 3, 8), (5, 5), (5, 3)),
    ("Transformer(8, 2, 1, 2)", (2, 3, 8), (2, 5, 8), (3, 3), (5, 5), (5, 3)),
]
LAYERS += [
    (layer, (6, 4))
    for layer in (
        "CELU()", "CELU(2.0)", "ELU(2)", "GELU()", "GELU('tanh')", "GELU('fast')", "GELU('precise')", "GLU()",
        "GLU(0)", "HardShrink()", "HardTanh()", "Hardswish()", "LeakyReLU()", "LeakyReLU(0.3)", "LogSigmoid()",
        "LogSoftmax()", "Mish()", "PReLU()", "PReLU(4, 0.1)", "ReLU()", "ReLU2()", "ReLU6()", "SELU()", "SiLU()",
        "Sigmoid()", "Softmax()", "Softmin()", "Softplus()", "Softshrink()", "Softsign()", "Step()", "Step(1.5)",
        "Tanh()",
    )
]  # fmt: skip
LAYERS += [
    (f"Upsample({scale}, {mode!r}, {align})", (2, 5, 7, 3))
    for scale in (2, 3, 1.5, 0.5, 0.7, (2, 1.3))
    for mode in ("nearest", "linear", "cubic")
    for align in (False, True)
]
LAYERS += [
    (f"Upsample({scale}, {mode!r}, antialias=True)", (2, 7, 6, 3))
    for scale in (2, 1.5, 0.5, 0.7, 0.3)
    for mode in ("linear", "cubic")
]


def cases(layers):
    """Parametrize by constructor and shapes, with readable names."""
    ids = [f"{text}-{'-'.join('x'.join(map(str, s)) for s in shapes)}" for text, *shapes in layers]
    return pytest.mark.parametrize(("text", "shapes"), [(t, s) for t, *s in layers], ids=ids)


def build(text):
    return eval("nn." + text, {"nn": nn}), eval("nn." + text, {"nn": onn})


def without_addresses(text):
    return re.sub(r"<[^>]*>", "<>", text)


def random_weights(layer, seed=100):
    """Replace the weights by random ones; those of norms start as ones and would hide a lot."""
    new = {}
    for i, (name, p) in enumerate(tree_flatten(layer.parameters())):
        values = random_array(tuple(p.shape), seed=seed + i, scale=0.5)
        new[name] = mx.array(np.abs(values) + 0.1 if "running_var" in name else values)
    layer.load_weights(list(new.items()))


@cases(LAYERS)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_forward(text, shapes, training):
    ours, theirs = build(text)
    assert without_addresses(repr(ours)) == without_addresses(repr(theirs))
    assert [k for k, _ in tree_flatten(ours.parameters())] == [k for k, _ in tree_flatten(theirs.parameters())]
    random_weights(ours)
    theirs.update(to_oracle(ours.parameters()))
    ours.train(training)
    theirs.train(training)
    inputs = [both(random_array(shape, seed=i)) for i, shape in enumerate(shapes)]
    result = ours(*(a for a, _ in inputs))
    expected = theirs(*(b for _, b in inputs))
    assert_same(result, expected, text, tolerance=None if "Step" in text else (5e-5, 2e-5))
    assert_same(ours.parameters(), theirs.parameters(), "parameters afterwards")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
# Transposed and 3-d convolutions are left out: the oracle sums them in half precision.
@cases([c for c in LAYERS if not c[0].startswith(("ConvTranspose", "Conv3d"))])
def test_forward_in_half_precision(text, shapes, dtype):
    ours, theirs = build(text)
    random_weights(ours)
    ours.set_dtype(getattr(mx, dtype))
    theirs.update(to_oracle(ours.parameters()))
    inputs = [both(random_array(shape, dtype, seed=i, scale=1.0), dtype) for i, shape in enumerate(shapes)]
    result = ours(*(a for a, _ in inputs))
    expected = theirs(*(b for _, b in inputs))
    bound = 4e-2 if dtype == "float16" else 2e-1
    assert_same(result, expected, text, tolerance=(bound, bound))


def loss_of(layer, core):
    def loss(*inputs):
        out = layer(*inputs)
        parts = out if isinstance(out, tuple) else (out,)
        return sum((core.sin(p.astype(core.float32)).sum() for p in parts), core.array(0.0))

    return loss


# The results of Step are integers, and that of the large pool is empty.
@cases([c for c in LAYERS if not c[0].startswith(("Step", "MaxPool2d(5)"))])
def test_gradients(text, shapes):
    ours, theirs = build(text)
    random_weights(ours)
    theirs.update(to_oracle(ours.parameters()))
    inputs = [both(random_array(shape, seed=i, scale=1.0)) for i, shape in enumerate(shapes)]
    mine, their = [a for a, _ in inputs], [b for _, b in inputs]
    if tree_flatten(ours.trainable_parameters()):
        value, grads = nn.value_and_grad(ours, loss_of(ours, mx))(*mine)
        expected_value, expected = onn.value_and_grad(theirs, loss_of(theirs, omx))(*their)
        assert_same(value, expected_value, text, tolerance=(1e-4, 1e-4))
        assert_same(grads, expected, text, tolerance=(1e-3, 1e-3))
    grad = mx.grad(loss_of(ours, mx))(*mine)
    assert_same(grad, omx.grad(loss_of(theirs, omx))(*their), text, tolerance=(1e-3, 1e-3))


@pytest.mark.parametrize("text", sorted({t for t, *_ in LAYERS if tree_flatten(build(t)[0].parameters())}))
def test_same_seed_same_weights(text):
    results = []
    for core, net in ((mx, nn), (omx, onn)):
        core.random.seed(3)
        results.append(eval("nn." + text, {"nn": net}).parameters())
    assert_same(*results, text)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Dropout()", (50,)),
        ("Dropout(0.0)", (50,)),
        ("Dropout2d(0.1)", (3, 4, 5, 6)),
        ("Dropout2d(0.5)", (4, 5, 6)),
        ("Dropout3d(0.2)", (2, 3, 4, 5, 6)),
        ("Dropout3d(0.4)", (3, 4, 5, 6)),
        ("TransformerEncoderLayer(6, 2, dropout=0.3)", (2, 5, 6)),
        ("TransformerDecoderLayer(6, 2, dropout=0.3, norm_first=False)", (2, 5, 6)),
    ],
)
def test_same_seed_same_dropout(text, shape):
    ours, theirs = build(text)
    assert repr(ours) == repr(theirs)
    theirs.update(to_oracle(ours.parameters()))
    a, b = both(random_array(shape))
    extra = ((a, None, None), (b, None, None)) if "Decoder" in text else ((None,), (None,))
    for training in (True, False):
        results = []
        for core, layer, x, more in ((mx, ours, a, extra[0]), (omx, theirs, b, extra[1])):
            core.random.seed(11)
            layer.train(training)
            results.append(layer(x, *more) if "Transformer" in text else layer(x))
        assert_same(*results, text)


def test_embedding():
    ours, theirs = nn.Embedding(10, 4), onn.Embedding(10, 4)
    assert repr(ours) == repr(theirs)
    theirs.update(to_oracle(ours.parameters()))
    for ids in (np.array([[1, 2], [9, 0]], np.int32), np.array(3, np.uint32), np.array([-1], np.int64)):
        a, b = both(ids)
        assert_same(ours(a), theirs(b))
    a, b = both(random_array((3, 4)))
    assert_same(ours.as_linear(a), theirs.as_linear(b))
    with pytest.raises((ValueError, TypeError)):
        mx.eval(ours(a))


def test_rope_offsets():
    ours, theirs = nn.RoPE(4), onn.RoPE(4)
    a, b = both(random_array((2, 3, 5, 6)))
    assert_same(ours(a, offset=7), theirs(b, offset=7))
    assert_same(ours(a, offset=mx.array(3)), theirs(b, offset=omx.array(3)))
    assert_same(ours(a, offset=mx.array([3, 1])), theirs(b, offset=omx.array([3, 1])))


@pytest.mark.parametrize(("dims", "shape"), [(4, (1, 2, 3)), (0, (1, 2, 4)), (3, (1, 2, 4)), (4, (3, 4)), (4, (4,))])
def test_rope_errors(dims, shape):
    for net, core in ((nn, mx), (onn, omx)):
        assert outcome(lambda: net.RoPE(dims)(core.zeros(shape))) is ValueError


def test_alibi_matrices():
    for args in ((3, 4, 2), (3, 4, 3), (4, 4, 12, 1), (2, 5, 8)):
        assert_same(nn.ALiBi.create_alibi_matrix(*args), onn.ALiBi.create_alibi_matrix(*args))
    for heads in (1, 2, 3, 6, 8, 12):
        assert_same(nn.ALiBi.create_alibi_slope(heads), onn.ALiBi.create_alibi_slope(heads))
    a, b = both(random_array((1, 2, 3, 4)))
    m, n = both(random_array((3, 4)))
    assert_same(nn.ALiBi()(a, offset=1, mask=m), onn.ALiBi()(b, offset=1, mask=n))


def test_attention_masks():
    ours, theirs = nn.MultiHeadAttention(8, 2), onn.MultiHeadAttention(8, 2)
    theirs.update(to_oracle(ours.parameters()))
    a, b = both(random_array((2, 5, 8)))
    for name in ("float32", "float16", "bfloat16"):
        masks = [
            net.MultiHeadAttention.create_additive_causal_mask(5, getattr(core, name))
            for net, core in ((nn, mx), (onn, omx))
        ]
        assert_same(*masks, tolerance=(0, 0))
    mask = nn.MultiHeadAttention.create_additive_causal_mask(5)
    assert_same(ours(a, a, a, mask), theirs(b, b, b, to_oracle(mask)), tolerance=(5e-5, 2e-5))
    allowed = mask == 0
    assert_same(ours(a, a, a, allowed), theirs(b, b, b, to_oracle(allowed)), tolerance=(5e-5, 2e-5))


def test_pool_ties_share_the_gradient():
    for text, shape in (
        ("MaxPool2d(2)", (1, 4, 4, 1)),
        ("MaxPool2d(2, 1)", (1, 4, 4, 1)),
        ("MaxPool1d(3, 2)", (1, 7, 2)),
    ):
        ours, theirs = build(text)
        a, b = both(np.zeros(shape, np.float32))
        assert_same(mx.grad(lambda x: ours(x).sum())(a), omx.grad(lambda x: theirs(x).sum())(b), text)


def test_pools_of_integers():
    values = np.arange(-8, 4, dtype=np.int32).reshape(1, 6, 2)
    for text in ("MaxPool1d(2)", "AvgPool1d(2)"):
        ours, theirs = build(text)
        a, b = both(values)
        assert_same(ours(a), theirs(b), text)
    padded = nn.MaxPool1d(2, 2, 1)(mx.array(values))
    assert padded[0, :, 0].tolist() == [-8, -4, 0, 2]


def test_activation_gradients_stay_finite():
    x = mx.array([-1e4, -100.0, 0.0, 100.0, 1e4])
    for fn in (nn.elu, nn.celu, nn.selu, nn.softplus, nn.log_sigmoid, nn.mish, nn.silu, nn.gelu):
        grad = mx.grad(lambda v: fn(v).sum())(x)
        assert mx.all(mx.isfinite(grad)).item(), fn.__name__


ACTIVATIONS = [
    "celu", "elu", "gelu", "gelu_approx", "gelu_fast_approx", "hard_shrink", "hard_tanh", "hardswish", "leaky_relu",
    "log_sigmoid", "log_softmax", "mish", "relu", "relu2", "relu6", "selu", "sigmoid", "silu", "softmax", "softmin",
    "softplus", "softshrink", "softsign", "step", "tanh",
]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["int32", "float16", "bfloat16", "float32"])
def test_activation_functions(name, dtype):
    a, b = both(np.array([[-3, -1, 0, 1, 2, 7]], np.float32), dtype)
    result, expected = getattr(nn, name)(a), getattr(onn, name)(b)
    bound = {"float16": 5e-3, "bfloat16": 4e-2}.get(dtype, 1e-5)
    assert_same(result, expected, name, tolerance=(bound, bound))


ERRORS = [
    "Dropout(1.0)", "Dropout(-0.1)", "Dropout2d(1)", "Dropout3d(1.5)", "GELU('x')", "Conv2d(3, 4, 3, groups=2)",
    "Conv1d(3, 4, 3, groups=2)", "MultiHeadAttention(7, 2)", "MaxPool2d((1, 2, 3))", "MaxPool2d(2.0)",
    "MaxPool1d('a')", "MaxPool2d(2, padding=-1)", "AvgPool1d(2, padding=(1, 2))", "RNN(2, 3, nonlinearity=5)",
    "Upsample(2, 'foo')", "Upsample(2, 'linear', align_corners=True, antialias=True)",
    "Upsample(2, 'nearest', antialias=True)", "GroupNorm(3, 4)", "SinusoidalPositionalEncoding(5)",
]  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_errors_of_constructors(text):
    messages = []
    for net in (nn, onn):
        with pytest.raises(ValueError) as error:
            eval("nn." + text, {"nn": net})
        messages.append(str(error.value))
    assert messages[0] == messages[1]


CALL_ERRORS = [
    ("Dropout2d(0.5)", (2, 3)),
    ("Dropout3d(0.5)", (2, 3)),
    ("BatchNorm(3)", (3,)),
    ("BatchNorm(3)", (1, 3)),
    ("BatchNorm(3)", (1, 1, 1, 1, 3)),
    ("InstanceNorm(3)", (2, 3)),
    ("MaxPool2d(2)", (2, 2)),
    ("MaxPool2d(2)", (3, 3, 2)),
    ("Upsample(2)", (2, 2)),
    ("Upsample((2, 2))", (1, 2, 2)),
    ("Linear(2, 3)", (4, 5)),
    ("LayerNorm(3)", (2, 4)),
    ("RMSNorm(3)", (2, 4)),
    ("GroupNorm(2, 4)", (2, 3)),
    ("RNN(2, 3)", (4, 5)),
]


@pytest.mark.parametrize(("text", "shape"), CALL_ERRORS)
def test_errors_of_calls(text, shape):
    ours, theirs = build(text)
    a, b = both(np.zeros(shape, np.float32))
    assert outcome(lambda: mx.eval(ours(a))) is ValueError
    assert outcome(lambda: omx.eval(theirs(b))) is ValueError


def test_empty_sequences():
    assert nn.RNN(2, 3)(mx.zeros((4, 0, 2))).shape == (4, 0, 3)
    assert [a.shape for a in nn.LSTM(2, 3)(mx.zeros((0, 2)))] == [(0, 3), (0, 3)]


def test_rotation_without_the_fast_kernel(monkeypatch):
    from mlx_go.nn.layers import positional_encoding, transformer

    class Empty:
        pass

    class Core:
        fast = Empty()

        def __getattr__(self, name):
            return getattr(mx, name)

    for module in (positional_encoding, transformer):
        monkeypatch.setattr(module, "mx", Core())
    a, b = both(random_array((2, 3, 5, 6)))
    for args in ((4,), (4, True), (6, False, 100.0, 0.5)):
        assert_same(nn.RoPE(*args)(a, offset=2), onn.RoPE(*args)(b, offset=2))
    assert_same(nn.RoPE(4)(a, offset=mx.array([3, 1])), onn.RoPE(4)(b, offset=omx.array([3, 1])))
    ours, theirs = nn.MultiHeadAttention(8, 2), onn.MultiHeadAttention(8, 2)
    theirs.update(to_oracle(ours.parameters()))
    a, b = both(random_array((2, 5, 8)))
    for mask in (None, nn.MultiHeadAttention.create_additive_causal_mask(5), mx.array(np.tri(5, dtype=bool))):
        assert_same(ours(a, a, a, mask), theirs(b, b, b, to_oracle(mask)), tolerance=(5e-5, 2e-5))
