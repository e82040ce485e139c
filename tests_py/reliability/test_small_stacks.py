"""Everything works on threads with small stacks: kernels keep their tiles elsewhere, and what is called is not deep."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = '''
import sys, threading
import numpy as np
import mlx_go.core as mx
from mlx_go import nn

def elementwise():
    a = mx.ones(300) + mx.ones(300)
    mx.eval(a * 2 - mx.sin(a), mx.ones((20, 30)).T + 1, (a > 1) & (a < 3), mx.power(a, 3.5).astype(mx.float16))
    mx.eval(mx.compile(lambda x: mx.exp(x) * x + mx.tanh(x) / (1 + x))(a))

def copies():
    mx.eval(mx.ones((40, 50), dtype=mx.float16).T.astype(mx.float32), mx.arange(300), mx.full((9, 9), 3), mx.ones((64, 64)).T + 0)
    mx.eval(mx.concatenate([mx.ones((3, 4)), mx.zeros((3, 4)).astype(mx.int32)]), mx.repeat(mx.arange(9), 3), mx.tile(mx.arange(9), 3))

def reductions():
    for d in (mx.float32, mx.float16, mx.float64, mx.int32, mx.bool_, mx.complex64):
        x = mx.ones((30, 40, 5)).astype(d)
        for axis in (None, 0, 1, 2):
            mx.eval(x.sum(axis), x.max(axis), x.argmax(axis), x.mean(axis), x.all(axis))
        mx.eval(mx.cumsum(x, 0), mx.cumsum(x, 1), mx.sort(x, 1), mx.argsort(x, 0))
    mx.eval(mx.var(mx.ones((50, 60)), 0), mx.median(mx.ones((50, 60)), 1), mx.topk(mx.arange(2000), 7), mx.sort(mx.random.normal((5000,))))

def rows():
    for d in (mx.float32, mx.float16, mx.float64):
        for n in (7, 3000, 9000, 150000):
            x = mx.ones((2, n)).astype(d)
            mx.eval(mx.softmax(x, -1), mx.logsumexp(x, -1), mx.fast.layer_norm(x, None, None, 1e-5), mx.fast.rms_norm(x, None, 1e-5))

def products():
    for d in (mx.float32, mx.float16, mx.bfloat16, mx.float64, mx.complex64):
        for m, k, n in ((1, 50, 60), (3, 200, 100), (30, 40, 50), (130, 300, 140)):
            a, b = mx.ones((m, k)).astype(d), mx.ones((k, n)).astype(d)
            mx.eval(a @ b, mx.ones((n, k)).astype(d) @ mx.ones((m, k)).astype(d).T)
    mx.eval(mx.addmm(mx.ones((30, 50)), mx.ones((30, 40)), mx.ones((40, 50))), mx.einsum("ij,jk->", mx.ones((3, 4)), mx.ones((4, 5))))

def convolutions():
    for d in (mx.float32, mx.float16):
        x = mx.ones((2, 16, 16, 8)).astype(d)
        f = lambda x, w, g: mx.conv2d(x, w, padding=1, groups=g).sum()
        for w, g in ((mx.ones((16, 3, 3, 8)), 1), (mx.ones((8, 3, 3, 1)), 8)):
            mx.eval(mx.grad(f, [0, 1])(x, w.astype(d), g))

def indices():
    x = mx.ones((40, 50))
    x[mx.array([1, 2])] = 3
    x[x > 2] = 1
    mx.eval(x, x[mx.array([3, 4])], mx.take(x, mx.array([1, 5])), mx.take_along_axis(x, mx.zeros((40, 1), dtype=mx.int32), 1))
    x.at[mx.array([1, 1])].add(2).tolist()

def randoms():
    mx.eval(mx.random.normal((300,)), mx.random.randint(0, 9, (30,)), mx.random.categorical(mx.ones((9, 9))), mx.random.permutation(30))

def transforms():
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 3))
    loss = nn.value_and_grad(model, lambda x, y: nn.losses.cross_entropy(model(x), y).mean())
    mx.eval(loss(mx.ones((5, 8)), mx.array([0, 1, 2, 1, 0])))
    mx.eval(mx.vmap(mx.grad(lambda x: mx.sin(x).sum()))(mx.ones((3, 4))), mx.vmap(lambda a, b: a @ b)(mx.ones((2, 3, 4)), mx.ones((2, 4, 5))))

def outside():
    a = mx.array(np.arange(12.).reshape(3, 4))
    np.asarray(a), a.tolist(), repr(a), str(mx.ones((50, 50))), memoryview(a), a.item if a.size == 1 else None
    mx.array([[1, 2], [3, 4]]), mx.array(np.ones((3, 3))[::-1])
    mx.eval([mx.ones(3) + i for i in range(100)])

run, kib = globals()[sys.argv[1]], int(sys.argv[2])
run()  # on the main thread: what is imported and compiled late is there
threading.stack_size(kib << 10)
failed = []
def target():
    try:
        run()
    except BaseException as e:
        failed.append(e)
for _ in range(2):
    t = threading.Thread(target=target)
    t.start()
    t.join()
assert not failed, failed
print("done")
'''

PARTS = ["elementwise", "copies", "reductions", "rows", "products", "convolutions", "indices", "randoms", "transforms", "outside"]


@pytest.mark.parametrize("part", PARTS)
def test_threads_with_64_kib(part: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, part, "64"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and done.stdout == "done\n", done.stdout + done.stderr[-3000:]
