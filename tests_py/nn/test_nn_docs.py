"""The examples in the docstrings of nn, optimizers and utils run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import mlx_go.core as mx
import mlx_go.nn as nn
import mlx_go.optimizers as optim
from mlx_go import utils

MODULES = ["mlx_go.utils", "mlx_go.nn", "mlx_go.optimizers"]
for package in (nn, optim):
    MODULES += [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]

# Modules whose contents are documented where they are defined.
WITHOUT_EXAMPLES = {"mlx_go.nn.layers"}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    names = {"mx": mx, "nn": nn, "optim": optim, **{n: getattr(utils, n) for n in utils.__all__}}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(importlib.import_module(name), extraglobs=names):
        out = []
        runner.run(test, out=out.append)
        assert not runner.summarize(verbose=False).failed, "".join(out)
    assert runner.tries > 0 or name in WITHOUT_EXAMPLES


def test_every_public_name_has_a_docstring_with_an_example():
    missing = []
    for module in (nn.layers, nn.losses, nn.init, nn.utils, optim, utils):
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "").startswith("mlx_go")
            if name[0] == "_" or not own or not callable(value):
                continue
            doc = value.__doc__ or ""
            # An activation class points to its function.
            if ">>>" not in doc and not doc.startswith("Applies :func:"):
                missing.append(f"{module.__name__}.{name}")
    assert missing == []
