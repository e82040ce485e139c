"""install_as_mlx, each time in a process of its own: it changes what ``import mlx`` means."""

import os
import subprocess
import sys
import textwrap

import pytest
from nn_oracle import omx


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ.copy(),
        check=False,
    )


def succeeds(code):
    result = run(code)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_modules_are_the_same_objects():
    succeeds(
        """
        import mlx_go
        assert mlx_go.install_as_mlx() is None
        assert mlx_go.install_as_mlx() is None
        import mlx
        import mlx.core as mx
        import mlx.core.random
        import mlx.nn as nn
        import mlx.nn.losses
        import mlx.optimizers as optim
        import mlx.optimizers.schedulers
        from mlx.nn.layers.base import Module
        from mlx.utils import tree_flatten
        import mlx_go.core, mlx_go.nn, mlx_go.optimizers, mlx_go.utils
        assert mlx is mlx_go and mx is mlx_go.core and nn is mlx_go.nn and optim is mlx_go.optimizers
        assert mlx.core.random is mlx_go.core.random
        assert Module is mlx_go.nn.Module and tree_flatten is mlx_go.utils.tree_flatten
        assert mlx.nn.losses is mlx_go.nn.losses
        # The modules keep their own names, so that they can be reloaded and pickled.
        assert nn.__spec__.name == nn.__name__ == "mlx_go.nn"
        import importlib, pickle
        importlib.reload(mlx.utils)
        assert type(pickle.loads(pickle.dumps(nn.Linear(1, 1)))) is nn.Linear
        mlx_go.install_as_mlx()
        import sys
        assert not [name for name in sys.modules if name.startswith("mlx.") and name.endswith(".mx")]
        """
    )


def test_nothing_is_imported_before_it_is_asked_for():
    out = succeeds(
        """
        import sys, mlx_go
        before = set(sys.modules)
        mlx_go.install_as_mlx()
        print(sorted(set(sys.modules) - before))
        """
    )
    # The installing module itself may be imported at the call.
    assert set(eval(out)) <= {
        "mlx",
        "mlx_go._install",
        "importlib.abc",
        "importlib.util",
        "importlib.resources.abc",
    } | {name for name in eval(out) if name.startswith("importlib")}


def test_what_does_not_exist_is_not_found():
    out = succeeds(
        """
        import mlx_go
        mlx_go.install_as_mlx()
        for name in ("mlx.nope", "mlx.core.nope", "mlx.nn.nope"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error)
        """
    )
    assert out.count("No module named") == 3


@pytest.mark.parametrize("first", ["mlx.core", "mlx.utils"])
def test_refuses_when_the_real_one_is_there(first):
    if omx is None:
        pytest.skip("needs MLX, whose wheel is not installed")
    result = run(f"import {first}\nimport mlx_go\nmlx_go.install_as_mlx()")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("RuntimeError: [install_as_mlx] mlx is already imported from ")
    assert os.path.exists(last.split(" from ")[1].split(". Call")[0])
