"""Layers that share out their parameters: on one process beside the oracle, their parts for more by themselves."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from nn_oracle import needs_oracle, omx, onn, outils, to_numpy

import mlx_go.core as mx
import mlx_go.nn as nn
from mlx_go import utils
from mlx_go._distributed_utils.common import Host, Hostfile
from mlx_go.nn.layers import distributed

LAYERS = ("AllToShardedLinear", "ShardedToAllLinear")
LIBS = [(mx, nn, utils)] + ([(omx, onn, outils)] if omx else [])


def linear(lib, lib_nn, bias=True):
    layer = lib_nn.Linear(8, 6, bias=bias)
    rng = np.random.default_rng(0)
    layer.weight = lib.array(rng.uniform(-1, 1, (6, 8)).astype(np.float32))
    if bias:
        layer.bias = lib.array(rng.uniform(-1, 1, 6).astype(np.float32))
    return layer


@needs_oracle
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
def test_layers_like_the_oracle(name, bias):
    results = []
    for lib, lib_nn, lib_utils in LIBS:
        layer = getattr(lib_nn, name).from_linear(linear(lib, lib_nn, bias), segments=2)
        x = lib.array(np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8))
        value, grads = lib_nn.value_and_grad(layer, lambda x: (layer(x) ** 2).sum())(x)
        results.append((repr(layer), to_numpy(value), [(k, to_numpy(g)) for k, g in lib_utils.tree_flatten(grads)]))
        assert repr(getattr(lib_nn, name)(8, 6, bias)) == repr(layer)
    ours, theirs = results
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    assert sorted(k for k, _ in ours[2]) == sorted(k for k, _ in theirs[2])
    for key, grad in ours[2]:
        np.testing.assert_allclose(grad, dict(theirs[2])[key], rtol=1e-5, atol=1e-6)


@needs_oracle
@pytest.mark.parametrize(
    "name", [*LAYERS, "FullyShardedModule", "fully_shard", "shard_inplace", "shard_linear", "sum_gradients"]
)
def test_signatures(name):
    def names(f):
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    theirs = getattr(onn.layers.distributed, name)
    assert names(getattr(distributed, name)) == names(theirs)
    if name in LAYERS:
        assert names(getattr(distributed, name).from_linear) == names(theirs.from_linear)


@needs_oracle
@pytest.mark.parametrize("name", ["average_gradients", "clip_grad_norm_sharded"])
@pytest.mark.parametrize("max_norm", [1.0, 100.0])
def test_functions_of_gradients(name, max_norm):
    results = []
    for lib, lib_nn, lib_utils in LIBS:
        tree = {"a": lib.array([3.0, 4.0]), "b": [lib.array([[12.0]])]}
        f = getattr(lib_nn.utils, name)
        out = f(tree) if name == "average_gradients" else f(tree, max_norm)
        results.append([(k, to_numpy(v)) for k, v in lib_utils.tree_flatten(out)])
    for (key, mine), (want_key, theirs) in zip(*results, strict=True):
        assert key == want_key
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    assert inspect.signature(getattr(nn.utils, name)).parameters.keys() == inspect.signature(f).parameters.keys()


class Member:
    """A process of a group of three; layers ask a group for no more than this until they communicate."""

    def __init__(self, rank):
        self._rank = rank

    def rank(self):
        return self._rank

    def size(self):
        return 3


@pytest.mark.parametrize("sharding", ["all-to-sharded", "sharded-to-all"])
@pytest.mark.parametrize("segments", [1, 2])
def test_the_shares_of_three_processes_are_the_layer(sharding, segments):
    dims = {"all-to-sharded": (4, 12), "sharded-to-all": (12, 4)}[sharding]
    whole = nn.Linear(*dims)
    shares = [distributed.shard_linear(whole, sharding, segments=segments, group=Member(rank)) for rank in range(3)]
    assert repr(shares[1]) == repr(distributed.shard_linear(whole, sharding))
    axis = 0 if sharding == "all-to-sharded" else 1
    got = mx.concatenate(
        [mx.split(s.weight, segments, axis=axis)[i] for i in range(segments) for s in shares], axis=axis
    )
    assert mx.array_equal(got, whole.weight)
    if axis == 0:
        got = mx.concatenate([mx.split(s.bias, segments)[i] for i in range(segments) for s in shares])
    else:
        got = shares[2].bias
    assert mx.array_equal(got, whole.bias)


def test_shard_inplace_by_a_function():
    layer = nn.Linear(6, 4)
    weight = mx.array(layer.weight)
    seen = []

    def where(path, value):
        seen.append((path, value.shape))
        return (1, 2) if path == "weight" else None

    assert distributed.shard_inplace(layer, where, group=Member(1)) is None
    assert sorted(seen) == [("bias", (4,)), ("weight", (4, 6))]
    assert mx.array_equal(layer.weight, mx.concatenate([weight[:, 1:2], weight[:, 4:5]], axis=1))
    assert layer.bias.shape == (4,)


def test_what_cannot_be_shared_out_is_refused():
    with pytest.raises(ValueError, match="all-to-sharded"):
        distributed.shard_inplace(nn.Linear(6, 4), "sideways")
    with pytest.raises(ValueError, match="linear layer"):
        distributed.shard_linear(nn.Conv1d(6, 4, 1), "all-to-sharded")
    with pytest.raises(ValueError, match="3 processes"):
        nn.AllToShardedLinear(6, 4, group=Member(0))
    with pytest.raises(ValueError, match="3 processes"):
        nn.ShardedToAllLinear(4, 6, group=Member(0))


@needs_oracle
def test_fully_sharded_modules():
    for lib, lib_nn, _ in LIBS:
        layer = linear(lib, lib_nn)
        assert lib_nn.fully_shard(layer) is layer
        want = layer(lib.ones((2, 8)))
        whole = lib_nn.FullyShardedModule(layer)
        assert "num_sharded_params=2" in repr(whole) and list(whole) == ["module"]
        assert lib.allclose(whole(lib.ones((2, 8))), want).item()
        grads = lib_nn.value_and_grad(whole, lambda x: whole(x).sum())(lib.ones((2, 8)))[1]
        assert grads["module"]["bias"].tolist() == [2.0] * 6
        half = lib_nn.FullyShardedModule(layer, compute_dtype=lib.bfloat16)
        assert half(lib.ones((2, 8), lib.bfloat16)).dtype == lib.bfloat16 and layer.weight.dtype == lib.float32
        table = lib_nn.FullyShardedModule(lib_nn.Embedding(4, 8))
        assert tuple(table.as_linear(lib.ones((1, 8))).shape) == (1, 4)


def test_hostfiles(tmp_path):
    path = tmp_path / "hosts.json"
    hosts = [{"ssh": "a", "ips": ["1.2.3.4"], "rdma": [None, "x"]}, {"ssh": "b"}]
    want = [Host(0, "a", ["1.2.3.4"], [None, "x"]), Host(1, "b", [], [])]
    path.write_text(json.dumps(hosts))
    assert Hostfile.from_file(path) == Hostfile(want)
    path.write_text(json.dumps({"hosts": hosts, "backend": "ring", "envs": ["A=1"]}))
    read = Hostfile.from_file(path)
    assert read == Hostfile(want, "ring", ["A=1"])
    path.write_text(json.dumps(read.to_json()))
    assert Hostfile.from_file(path) == read
    names = Hostfile.from_list("a,127.0.0.1", 2).hosts
    assert [(h.rank, h.ssh_hostname, h.ips) for h in names] == [
        (0, "a", []),
        (1, "a", []),
        (2, "127.0.0.1", ["127.0.0.1"]),
        (3, "127.0.0.1", ["127.0.0.1"]),
    ]
    for text in ("{", "3", '[{"ips": []}]'):
        path.write_text(text)
        with pytest.raises(ValueError, match="hosts"):
            Hostfile.from_file(path)
    with pytest.raises(ValueError, match="does not exist"):
        Hostfile.from_file(tmp_path / "none.json")
