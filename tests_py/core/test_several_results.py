"""Functions whose results come of one kernel: divmod."""

import numpy as np
import pytest

import mlx_go.core as mx

DTYPES = ["bool_", "uint8", "int8", "int32", "uint64", "int64", "float16", "bfloat16", "float32"]


def _values(a):
    return np.array(a.astype(mx.float32) if a.dtype == mx.bfloat16 else a)


@pytest.mark.parametrize("right", DTYPES)
@pytest.mark.parametrize("left", DTYPES)
def test_both_results_are_those_of_the_single_functions(left, right):
    a = mx.array([7, 1, 5, 0, 100]).astype(getattr(mx, left))
    b = mx.array([[2], [3]]).astype(getattr(mx, right))
    for q, r in (mx.divmod(a, b), divmod(a, b)):
        for got, want in ((q, mx.floor_divide(a, b)), (r, mx.remainder(a, b))):
            assert got.dtype == want.dtype and got.shape == want.shape == (2, 5)
            np.testing.assert_array_equal(_values(got), _values(want))


@pytest.mark.parametrize("other", [2, -3, 2.5, np.array([2, -3, 4]), np.float32(2)])
def test_the_operator_takes_what_other_operators_take(other):
    a = mx.array([7, -7, 5])
    for x, y in ((a, other), (other, a)):
        if isinstance(x, (np.ndarray, np.generic)):
            continue  # NumPy's operator comes first and asks ufuncs one by one
        q, r = divmod(x, y)
        assert (q.dtype, r.dtype) == ((x // y).dtype, (x % y).dtype)
        assert q.tolist() == (x // y).tolist() and r.tolist() == (x % y).tolist()


def test_what_does_not_fit_is_refused():
    a = mx.array([1, 2])
    with pytest.raises(TypeError, match="unsupported operand"):
        divmod(a, "x")
    with pytest.raises(ValueError, match=r"\[divmod\] complex64"):
        divmod(a, 1j)
    with pytest.raises(ValueError, match=r"\[divmod\] shapes \(2\) and \(3\)"):
        divmod(a, mx.array([1, 2, 3]))


def test_derivatives_are_those_of_the_single_functions():
    # MLX has zero for all of them here, though not for remainder.
    a, b = mx.array([7.5, -3.25, 9.0]), mx.array([2.0, 1.5, -4.5])

    def results(both):
        def loss(a, b):
            q, r = both(a, b)
            return (q * r).sum() + (r * r).sum()

        grad = mx.grad(loss, argnums=(0, 1))
        out = [*grad(a, b), *mx.compile(grad)(a, b), *mx.grad(mx.checkpoint(loss), argnums=(0, 1))(a, b)]
        return out + mx.jvp(lambda a, b: list(both(a, b)), [a, b], [b, a])[1]

    for got, want in zip(results(mx.divmod), results(lambda x, y: (x // y, x % y))):
        assert got.tolist() == want.tolist()


def test_one_result_is_enough():
    a = mx.arange(1000)
    q, _ = divmod(a, 7)
    _, r = divmod(a, 7)
    assert (q * 7 + r).tolist() == a.tolist()


def test_batches_are_those_of_the_single_functions():
    # MLX has an IndexError here.
    a, b = mx.array([[7.5, -3.25, 9.0], [1, 2, 3]]), mx.array([2.0, 1.5, -4.5])
    for in_axes in ((0, None), (1, 0), (None, 0)):
        got = mx.vmap(mx.divmod, in_axes=in_axes, out_axes=(0, 1))(a, b)
        want = mx.vmap(lambda x, y: (x // y, x % y), in_axes=in_axes, out_axes=(0, 1))(a, b)
        assert [g.tolist() for g in got] == [w.tolist() for w in want]
