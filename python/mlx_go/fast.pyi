# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

from ._custom_kernels import cuda_kernel as cuda_kernel, metal_kernel as metal_kernel
from ._custom_kernels import precompiled_cuda_kernel as precompiled_cuda_kernel

def cross_entropy(logits: array, targets: array, *, stream: StreamOrDevice = None) -> array:
    """Cross entropy with class indices as targets: logsumexp(logits) - logits[target] along the last axis, in one pass over the logits.

    Args:
        logits: Array of shape (..., C), floating point.
        targets: Integers of shape (...). Negative ones count from the end; what is out of bounds is an IndexError.

    Returns:
        The loss of each row, float32, of the shape of ``targets``.

    Example:
        >>> mx.fast.cross_entropy(mx.array([[0.0, 0.0]]), mx.array([1]))
        array([0.693147], dtype=float32)
    """
def gated_delta_update(q: array, k: array, v: array, gamma: array, beta: array, initial_state: array | None = None, mask: array | None = None, stream: StreamOrDevice = None) -> list[array]:
    """The gated delta rule (Yang et al., 2024). Each step forgets, corrects the state towards the value of its key, and reads the state: S = gamma S, S = S + beta (v - S k) k^T, y = S q.

    Args:
        q: Queries of shape (B, T, Hk, Dk).
        k: Keys of shape (B, T, Hk, Dk).
        v: Values of shape (B, T, Hv, Dv), where Hk divides Hv. Head h reads head h // (Hv // Hk) of queries and keys.
        gamma: What remains of the state, of shape (B, T, Hv), or (B, T, Hv, Dk) for each element of the key.
        beta: Rate of the correction, of shape (B, T, Hv).
        initial_state: State to begin with, which broadcasts to (B, Hv, Dv, Dk); None is zeros.
        mask: Array of shape (B, T): steps where it is False leave the state alone, and their y is zero.

    Returns:
        y of shape (B, T, Hv, Dv) and of the dtype to which ``q`` and ``k`` promote, and the last state (B, Hv, Dv, Dk), float32. float64 stays float64.

    Example:
        >>> x = mx.ones((1, 1, 1, 1))
        >>> y, state = mx.fast.gated_delta_update(x, x, 3 * x, x[0], x[0])
        >>> y.item(), state.item()
        (3.0, 3.0)
    """
def layer_norm(x: array, weight: array | None, bias: array | None, eps: float, *, stream: StreamOrDevice = None) -> array:
    """Layer normalization over the last axis (Ba et al., 2016), in float32 for halves.

    Args:
        x: Input of shape (..., D).
        weight: Scale of shape (D,) or None.
        bias: Shift of shape (D,) or None.
        eps: Added to the variance.

    Returns:
        An array of the shape of ``x``.

    Example:
        >>> mx.fast.layer_norm(mx.array([1.0, 3.0]), None, None, 0.0)
        array([-1, 1], dtype=float32)
    """
def rms_norm(x: array, weight: array | None, eps: float, *, stream: StreamOrDevice = None) -> array:
    """Root-mean-square normalization over the last axis (Zhang and Sennrich, 2019), in float32 for halves.

    Args:
        x: Input of shape (..., D).
        weight: Scale of shape (D,) or None.
        eps: Added to the mean square.

    Returns:
        An array of the shape of ``x``.

    Example:
        >>> mx.fast.rms_norm(mx.array([1.0, 1.0]), None, 0.0)
        array([1, 1], dtype=float32)
    """
def rope(a: array, dims: int, *, traditional: bool, base: float | None, scale: float, offset: int | array, freqs: array | None = None, stream: StreamOrDevice = None) -> array:
    """Rotary position embedding (Su et al., 2021): pairs of a row's elements turn by angles that grow with its position.

    Args:
        a: Input of shape (B, ..., T, D), floating point.
        dims: How many of the D elements turn, an even number; the others are left alone.
        traditional: Pair neighbors; otherwise the first half is paired with the second.
        base: Pair j turns by base^(-2j/dims) at every step; None where ``freqs`` are given.
        scale: Scale of the positions.
        offset: Position of the first row, or an integer array: a scalar, or one position for each of the B examples.
        freqs: Array of shape (dims/2,): pair j turns by 1/freqs[j] at every step. Either this or ``base`` is None.

    Returns:
        An array of the shape and dtype of ``a``. Angles are computed in float64, rotations in float32 for halves.

    Example:
        >>> x = mx.ones((1, 2, 2))
        >>> mx.fast.rope(x, 2, traditional=False, base=10000.0, scale=1.0, offset=0)
        array([[[1, 1],
                [-0.301169, 1.38177]]], dtype=float32)
    """
def scaled_dot_product_attention(q: array, k: array, v: array, *, scale: float, mask: None | str | array = None, sinks: array | None = None, force_fused: bool = False, stream: StreamOrDevice = None) -> array:
    """Multi-head attention, softmax(scale * q @ k^T + mask) @ v, without the scores in memory.

    Args:
        q: Queries of shape (B, H, Tq, D).
        k: Keys of shape (B, Hkv, Tk, D), where Hkv divides H. Query head h reads head h // (H // Hkv) of the keys.
        v: Values of shape (B, Hkv, Tk, Dv).
        scale: Scale of the products, usually D**-0.5.
        mask: ``"causal"`` hides what comes after a query, the last query being at the last key. An array that broadcasts to
            (B, H, Tq, Tk) is added to the scores; where a bool array is False, keys are hidden. A row whose keys are all
            hidden is the mean of the values.
        sinks: Array of shape (H,): one more score in each row of a head, with no value.
        force_fused: Accepted for compatibility: the kernel is always fused.

    Returns:
        An array of shape (B, H, Tq, Dv) and of the dtype to which queries, keys and values promote.

    Example:
        >>> k = mx.array([[[[0.0], [1.0]]]])
        >>> mx.fast.scaled_dot_product_attention(mx.zeros((1, 1, 1, 1)), k, k, scale=1.0)
        array([[[[0.5]]]], dtype=float32)
    """
