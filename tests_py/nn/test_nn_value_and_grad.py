"""nn.value_and_grad and nn.utils.checkpoint."""

import inspect

import numpy as np
import pytest
from nn_oracle import assert_same, both, needs_oracle, onn, random_array, to_numpy, to_oracle

import mlx_go.core as mx
import mlx_go.nn as nn
import mlx_go.optimizers as optim
from mlx_go.utils import tree_flatten


def test_value_aux_and_arguments():
    model = nn.Linear(2, 1)
    model.freeze(keys="bias")

    def loss(net, x, scale=1):
        return net(x).sum() * scale, x, "extra"

    (value, x, extra), grads = nn.value_and_grad(model, loss)(model, mx.ones((3, 2)), scale=2)
    assert list(grads) == ["weight"]
    assert grads["weight"].tolist() == [[6, 6]]
    assert x.shape == (3, 2) and extra == "extra"
    expected = 2 * (to_numpy(model.weight).sum() + to_numpy(model.bias)[0]) * 3
    np.testing.assert_allclose(value.item(), expected, rtol=1e-5)
    assert nn.value_and_grad(model, loss).__name__ == "loss"


def test_parameters_are_put_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    before = tree_flatten(model.parameters())
    nn.value_and_grad(model, lambda x: model(x).sum())(mx.ones((1, 2)))
    assert all(a is b for (_, a), (_, b) in zip(before, tree_flatten(model.parameters())))

    def fails(x):
        raise RuntimeError("in the loss")

    with pytest.raises(RuntimeError, match="in the loss"):
        nn.value_and_grad(model, fails)(mx.ones((1, 2)))
    assert all(a is b for (_, a), (_, b) in zip(before, tree_flatten(model.parameters())))


def test_what_the_function_replaces_stays():
    model = nn.Linear(1, 1)

    def loss(x):
        y = model(x).sum()
        model.weight = model.weight * 0
        return y

    nn.value_and_grad(model, loss)(mx.ones((1, 1)))
    assert model.weight.tolist() == [[0]]
    norm = nn.BatchNorm(2)
    nn.value_and_grad(norm, lambda x: norm(x).sum())(mx.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(norm.running_mean.tolist(), [0.2, 0.3], rtol=1e-6)


def test_all_frozen_is_an_error():
    model = nn.Linear(2, 1)
    model.freeze()
    with pytest.raises(ValueError, match="no trainable parameters"):
        nn.value_and_grad(model, lambda x: model(x).sum())(mx.ones((1, 2)))


def test_value_must_be_scalar():
    model = nn.Linear(2, 1)
    with pytest.raises(ValueError):
        nn.value_and_grad(model, lambda x: model(x))(mx.ones((3, 2)))


def test_shared_module_gets_its_gradient_once():
    shared = nn.Linear(2, 2, bias=False)
    model = nn.Sequential(shared, shared)
    x = mx.array([[1.0, 2.0]])
    _, grads = nn.value_and_grad(model, lambda x: model(x).sum())(x)
    total = grads["layers"][0]["weight"] + grads["layers"][1]["weight"]
    expected = mx.grad(lambda w: ((x @ w.T) @ w.T).sum())(shared.weight)
    np.testing.assert_allclose(to_numpy(total), to_numpy(expected), rtol=1e-5)


def net(nn):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm(4), {"pool": nn.MaxPool2d(2)}]
            self.head = nn.Linear(64, 3)
            self.scale = self.head.bias * 0 + 1.5

        def __call__(self, x):
            conv, norm, rest = self.body
            x = rest["pool"](nn.relu(norm(conv(x))))
            return self.head(x.reshape(x.shape[0], -1)) * self.scale

    return Net()


@needs_oracle
def test_network_same_as_oracle():
    ours, theirs = net(nn), net(onn)
    theirs.update(to_oracle(ours.parameters()))
    x, ox = both(random_array((5, 8, 8, 1)))
    y, oy = both(np.array([0, 2, 1, 1, 0], np.int32))

    def loss(model, losses):
        return lambda x, y: losses.cross_entropy(model(x), y, reduction="mean")

    for _ in range(2):
        value, grads = nn.value_and_grad(ours, loss(ours, nn.losses))(x, y)
        expected_value, expected = onn.value_and_grad(theirs, loss(theirs, onn.losses))(ox, oy)
        assert_same(value, expected_value)
        assert_same(grads, expected, tolerance=(1e-3, 1e-4))
        assert_same(ours.parameters(), theirs.parameters())


@pytest.mark.parametrize("schedule", [False, True])
def test_a_compiled_step_trains_as_the_function_does(schedule):
    """The idiom of MLX's examples: model, optimizer and random state are captured."""
    x, labels = mx.array(random_array((6, 4))), mx.array([0, 1, 2, 0, 1, 2])

    def run(compiled):
        mx.random.seed(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm(8), nn.Dropout(0.5), nn.Linear(8, 3))
        optimizer = optim.AdamW(optim.cosine_decay(0.1, 8) if schedule else 0.1)
        state = [model.state, optimizer.state, mx.random.state]

        def step(x, labels):
            loss = nn.value_and_grad(model, lambda: nn.losses.cross_entropy(model(x), labels, reduction="mean"))
            value, grads = loss()
            optimizer.update(model, grads)
            return value

        if compiled:
            step = mx.compile(step, inputs=state, outputs=state)
        losses = []
        for i in range(6):
            losses.append(step(x[: 6 - i // 4], labels[: 6 - i // 4]).item())
            if i == 2 and not schedule:
                optimizer.learning_rate = 0.01
        assert type(model.layers) is list and type(model.layers[1]) is nn.BatchNorm
        return losses, tree_flatten(model.parameters()), tree_flatten(optimizer.state), mx.random.state[0].tolist()

    (losses, *trees, key), (expected, *expected_trees, expected_key) = run(True), run(False)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert key == expected_key
    for tree, expected_tree in zip(trees, expected_trees):
        # The state of a parameter appears during the first, traced run.
        found, wanted = dict(tree), dict(expected_tree)
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_allclose(
                np.array(found[name]), np.array(wanted[name]), rtol=1e-4, atol=1e-6, err_msg=name
            )


@pytest.mark.parametrize("frozen", [False, True])
def test_checkpoint_changes_nothing(frozen):
    if not hasattr(mx, "checkpoint"):
        pytest.skip("this build has no mx.checkpoint, which nn.utils.checkpoint needs")
    mx.random.seed(0)
    model = nn.TransformerEncoder(2, 8, 2)
    if frozen:
        model.layers[0].freeze()
    x = mx.random.normal((2, 5, 8))
    step = nn.value_and_grad(model, lambda x: mx.sin(model(x, None)).sum())
    value, grads = step(x)
    before = tree_flatten(model.parameters())
    model.checkpoint = True
    again, recomputed = step(x)
    np.testing.assert_allclose(again.item(), value.item(), rtol=1e-5)
    for (name, a), (other, b) in zip(tree_flatten(grads), tree_flatten(recomputed), strict=True):
        assert name == other
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-4, atol=1e-5, err_msg=name)
    assert all(a is b for (_, a), (_, b) in zip(before, tree_flatten(model.parameters())))


def test_checkpoint_of_a_function():
    if not hasattr(mx, "checkpoint"):
        pytest.skip("this build has no mx.checkpoint, which nn.utils.checkpoint needs")
    layer = nn.Linear(2, 2)

    def double(x):
        return 2 * layer(x)

    wrapped = nn.utils.checkpoint(layer, double)
    assert wrapped.__name__ == "double"
    x = mx.ones((1, 2))
    np.testing.assert_allclose(to_numpy(wrapped(x)), to_numpy(double(x)), rtol=1e-6)


@needs_oracle
def test_the_names_of_the_oracle_are_there():
    left_out = {"AllToShardedLinear", "FullyShardedModule", "QQLinear", "QuantizedAllToShardedLinear"}
    left_out |= {"QuantizedEmbedding", "QuantizedLinear", "QuantizedShardedToAllLinear", "ShardedToAllLinear"}
    left_out |= {"average_gradients", "fully_shard", "quantize", "distributed", "quantized"}
    for ours, theirs in ((nn, onn), (nn.layers, onn.layers), (nn.losses, onn.losses), (nn.init, onn.init)):
        names = {n for n, v in vars(theirs).items() if n[0] != "_" and not inspect.ismodule(v)} - left_out
        names -= {"Callable", "Literal", "Optional", "get_args"}
        assert names <= set(dir(ours)), ours
    modules = {n for n, v in vars(onn.layers).items() if inspect.ismodule(v)} - left_out
    assert modules <= set(dir(nn.layers))
    assert {"init", "layers", "losses", "utils"} <= set(dir(nn))
