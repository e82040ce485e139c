"""Arguments with which every function can be called, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def of(values: Any, dtype: Any = np.float32) -> Callable[[Any], Any]:
    return lambda m: m.array(np.array(values, dtype))


def ones(*shape: int) -> Callable[[Any], Any]:
    return lambda m: m.ones(shape)


A = of([[0.5, 0.25, 0.75], [0.125, 1.0, 0.375]])
I = of([[1, 2, 3], [4, 5, 6]], np.int32)
V = of([1, 2, 3])


def T(m: Any) -> Any:
    return A(m).T


def quantized(part: int) -> Callable[[Any], Any]:
    return lambda m: m.quantize(m.ones((2, 64)), 32)[part]


QUANTIZED_FACTORS: dict[str, Any] = {
    "w": quantized(0), "scales": quantized(1), "biases": quantized(2), "transpose": True, "group_size": 32, "bits": 4,
    "mode": "affine",
}  # fmt: skip
BOTH_QUANTIZED: dict[str, Any] = {
    "scales": None, "group_size": 16, "bits": 4, "mode": "nvfp4",
    "global_scale_x": lambda m: m.array(1.0), "global_scale_w": lambda m: m.array(2.0),
}  # fmt: skip

# Arguments by the name of the parameter; functions are called with the library.
USUAL: dict[str, Any] = {
    "a": A, "b": A, "c": A, "x": A, "y": A, "array": A, "logits": A, "condition": lambda m: I(m) > 2, "self": A,
    "axis": 0, "axis1": 0, "axis2": 1, "axes": (1, 0), "source": 0, "destination": 1, "start_axis": 0, "end_axis": 1,
    "keepdims": True, "ddof": 1, "reverse": True, "inclusive": False, "precise": True, "stream": lambda m: m.cpu,
    "dtype": lambda m: m.float32, "shape": (2, 3), "indices": lambda m: m.array([0, 1]), "values": 9.0, "vals": 2.0,
    "n": 2, "m": 3, "k": 1, "M": 4, "start": 0, "stop": 5, "num": 3, "endpoint": False, "repeats": 2, "reps": 2,
    "rtol": 1e-3, "atol": 1e-3, "equal_nan": True, "nan": 0.0, "posinf": 1.0, "neginf": -1.0, "decimals": 1,
    "kth": 1, "side": "right", "size": 4, "return_index": True, "return_inverse": True, "return_counts": True,
    "fill_value": 0, "a_min": 0.3, "a_max": 0.6, "shift": 1, "offset": 0, "allow_col_major": True, "mode": "same",
    "alpha": 2.0, "beta": 3.0, "start_indices": lambda m: m.array([0]), "slice_size": (1, 3), "eps": 1e-3,
    "stride": 1, "padding": 1, "dilation": 1, "groups": 1, "output_padding": 0, "kernel_dilation": 1,
    "input_dilation": 1,
    "flip": True, "key": lambda m: m.random.key(3), "seed": 3, "low": 0, "high": 5, "loc": 1.0, "scale": 2.0, "p": 0.5,
    "lower": -1.0, "upper": 1.0, "num_samples": 2, "from_": lambda m: m.float32, "to": lambda m: m.float64,
    "kind": "integral", "arg1": lambda m: m.float32, "arg2": lambda m: m.floating, "copy": True, "precision": 3,
    "device": lambda m: m.cpu, "device_type": lambda m: m.cpu, "d": lambda m: m.cpu,
}  # fmt: skip
SPECIAL: dict[str, dict[str, Any]] = {
    "matmul": {"b": T}, "addmm": {"c": of(np.eye(2)), "b": T}, "tensordot": {"b": T, "axes": 1}, "vecdot": {"axis": -1},
    "take": {"axis": 1}, "take_along_axis": {"indices": lambda m: m.array([[0, 1, 0]])},
    "put_along_axis": {"indices": lambda m: m.array([[0, 1, 0]]), "values": lambda m: m.array([[9.0, 8.0, 7.0]])},
    "unflatten": {"shape": (1, 2)}, "as_strided": {"shape": (2, 2), "strides": (1, 1)},
    "split": {"indices_or_sections": 2},
    "broadcast_to": {"shape": (2, 2, 3)}, "reshape": {"shape": (3, 2)}, "squeeze": {"a": lambda m: A(m)[None]},
    "pad": {"pad_width": 1, "mode": "constant", "constant_values": 3.0}, "convolve": {"a": V, "v": V},
    **{
        f"conv{t}{n}d": {"input": ones(1, *(5,) * n, 2), "weight": ones(4, *(3,) * n, 2)}
        for n in (1, 2, 3) for t in ("", "_transpose")
    },
    "conv_general": {"input": ones(1, 5, 2), "weight": ones(4, 3, 2)},
    "hadamard_transform": {"a": ones(2, 4), "scale": 0.5},
    **{f"bitwise_{op}": {"a": I, "b": I} for op in ("and", "or", "xor", "invert")}, "left_shift": {"a": I, "b": 1},
    "right_shift": {"a": I, "b": 1}, "view": {"dtype": lambda m: m.int32}, "unique": {"a": I},
    "searchsorted": {"sorted_sequence": V, "values": V},
    **{f: {"arrays": lambda m: [A(m), A(m)]} for f in ("concatenate", "concat", "stack")},
    "gather_mm": {
        "a": ones(2, 3, 4), "b": ones(2, 4, 5), "lhs_indices": of([0], np.uint32), "rhs_indices": of([1], np.uint32),
        "sorted_indices": False,
    },
    "segmented_mm": {"a": ones(2, 4), "b": ones(4, 3), "segments": of([[0, 2], [2, 4]], np.uint32)},
    "block_masked_mm": {
        "a": ones(32, 32), "b": ones(32, 32), "block_size": 32,
        **{f"mask_{side}": ones(1, 1) for side in ("out", "lhs", "rhs")},
    },
    "quantize": {"w": ones(2, 64), "group_size": 16, "bits": 4, "mode": "nvfp4", "global_scale": lambda m: m.array(1.0)},
    "dequantize": {
        "w": quantized(0), "scales": quantized(1), "biases": quantized(2), "group_size": 32, "bits": 4, "mode": "affine",
        "global_scale": None,
    },
    "quantized_matmul": {**QUANTIZED_FACTORS, "x": ones(3, 64)},
    "gather_qmm": {
        **QUANTIZED_FACTORS, "x": ones(3, 1, 64), "lhs_indices": of([0, 2], np.uint32), "rhs_indices": of([0, 0], np.uint32),
        "global_scale": None, "sorted_indices": True,
    },
    "qqmm": {**BOTH_QUANTIZED, "x": ones(3, 64), "w": ones(2, 64)},
    "gather_qqmm": {
        **BOTH_QUANTIZED, "x": ones(3, 1, 64), "w": ones(2, 5, 64), "lhs_indices": of([0, 2], np.uint32),
        "rhs_indices": of([1, 0], np.uint32), "sorted_indices": True,
    },
    "to_fp8": {"x": A}, "from_fp8": {"x": of([[1, 200]], np.uint8)},
    "linspace": {"stop": 1}, "slice": {"axes": (0,)}, "slice_update": {"update": ones(1, 3), "axes": (0,)},
    "depends": {"inputs": A, "dependencies": A}, "asarray": {"a": [1.0, 2.0]},
    "from_dlpack": {"x": np.ones(3, np.float32)},
    "fast.rms_norm": {"x": A, "weight": V}, "fast.layer_norm": {"x": A, "weight": V, "bias": V},
    "linalg.norm": {"ord": 1, "axis": 1}, "linalg.cross": {"a": A, "b": V, "axis": -1},
    **{f"fft.{f}": {"n": 5, "d": 0.5} for f in ("fftfreq", "rfftfreq")},
    **{f"fft.{f}": {"axes": [1]} for f in ("fftshift", "ifftshift")},
    "fast.rope": {
        "a": ones(2, 3, 4), "dims": 4, "traditional": False, "base": 100.0, "scale": 0.5, "offset": 1, "freqs": None,
    },
    "fast.scaled_dot_product_attention": {
        "q": ones(1, 2, 3, 4), "k": ones(1, 1, 5, 4), "v": ones(1, 1, 5, 4), "scale": 0.5, "mask": "causal",
        "sinks": ones(2), "force_fused": False,
    },
    "fast.cross_entropy": {"logits": A, "targets": of([0, 2], np.int32)},
    "fast.gated_delta_update": {
        "q": ones(1, 2, 1, 4), "k": ones(1, 2, 1, 4), "v": ones(1, 2, 2, 3), "gamma": ones(1, 2, 2), "beta": ones(1, 2, 2),
        "initial_state": ones(1, 2, 3, 4), "mask": of([[True, False]], np.bool_),
    },
    "random.categorical": {"axis": -1, "shape": (5, 2), "num_samples": None}, "random.laplace": {"loc": 0.0},
    "random.multivariate_normal": {"mean": of([0, 0]), "cov": of(np.eye(2)), "shape": (3,)},
    "random.randint": {"dtype": lambda m: m.int32},
}  # fmt: skip
