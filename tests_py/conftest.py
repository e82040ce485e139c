"""Puts the helpers of the tests on the path: pytest imports tests by file, not by package."""

import os
import signal
import sys
from pathlib import Path

import pytest

# A shell lets jobs in the background ignore SIGINT, and what they start inherits that; the Ctrl-C tests need it delivered.
signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.insert(0, str(Path(__file__).parent))

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # smoke tests run without it
    pass
else:
    # No deadline: a shared machine stalls now and then. Derandomized unless asked otherwise, so that a run repeats.
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    settings.register_profile(
        "ci", deadline=None, derandomize=True, max_examples=60, suppress_health_check=quiet, database=None
    )
    settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=quiet)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def _tested_device():
    """The device that MLX_GO_TEST_DEVICE names, on which the suite runs; None: the one that is the default anyway."""
    import mlx_go.core as mx

    name = os.environ.get("MLX_GO_TEST_DEVICE")
    return getattr(mx, name) if name else None


def pytest_sessionstart(session):
    if device := _tested_device():
        import mlx_go.core as mx

        mx.set_default_device(device)


def pytest_terminal_summary(terminalreporter):
    if device := _tested_device():
        import mlx_go.core as mx

        terminalreporter.write_line(f"{device}: {mx.device_info(device)}")


@pytest.fixture(autouse=True)
def _keep_defaults():
    """Tests leave the default device, the memory limits and the print options as they found them."""
    import mlx_go.core as mx

    device, options = mx.default_device(), mx.get_printoptions().precision
    yield
    mx.set_default_device(device)
    mx.set_printoptions(precision=options)
