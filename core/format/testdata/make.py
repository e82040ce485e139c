"""Writes the golden files: python make.py, with numpy, ml_dtypes, safetensors and mlx[cpu] 0.32.4.

The bytes of every array are 0, 1, 2, ... in little-endian, row-major order (0, 1, 0, 1, ...
for bool), so that the tests know the contents without a second copy of them.
"""

import pathlib

import ml_dtypes
import mlx.core as mx
import numpy as np
import safetensors.numpy

HERE = pathlib.Path(__file__).parent
DTYPES = {
    "bool": np.bool_, "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32,
    "uint64": np.uint64, "int8": np.int8, "int16": np.int16, "int32": np.int32,
    "int64": np.int64, "float16": np.float16, "float32": np.float32, "float64": np.float64,
    "bfloat16": ml_dtypes.bfloat16, "complex64": np.complex64,
}  # fmt: skip


def counting(name, shape):
    dtype = np.dtype(DTYPES[name])
    n = int(np.prod(shape)) * dtype.itemsize
    data = (np.arange(n) % (2 if name == "bool" else 256)).astype(np.uint8)
    return data.view(dtype).reshape(shape)


def to_mlx(a):
    if a.dtype == ml_dtypes.bfloat16:
        return mx.view(mx.array(a.view(np.uint16)), mx.bfloat16)
    return mx.array(a)


def main():
    for name in DTYPES:
        a = counting(name, (2, 3))
        np.save(HERE / f"numpy_{name}.npy", a)
        if a.dtype.itemsize > 1 and name != "bfloat16":
            np.save(HERE / f"numpy_{name}_big.npy", a.byteswap().view(a.dtype.newbyteorder(">")))
    f32 = counting("float32", (2, 3, 4))
    np.save(HERE / "numpy_fortran.npy", np.asfortranarray(f32))
    np.save(HERE / "numpy_scalar.npy", counting("float32", ()))
    np.save(HERE / "numpy_empty.npy", counting("float32", (3, 0, 2)))
    np.save(HERE / "numpy_rank5.npy", counting("int16", (1, 2, 1, 3, 2)))
    for version in (2, 3):
        with open(HERE / f"numpy_version{version}.npy", "wb") as f:
            np.lib.format.write_array(f, f32, version=(version, 0))

    several = {"w": f32, "layer/b": counting("bfloat16", (5,)), "é": counting("int64", ())}
    np.savez(HERE / "numpy_stored.npz", **several)
    np.savez_compressed(HERE / "numpy_deflated.npz", **several)
    mx.savez(str(HERE / "mlx_stored.npz"), **{k: to_mlx(v) for k, v in several.items()})
    mx.savez_compressed(str(HERE / "mlx_deflated.npz"), **{k: to_mlx(v) for k, v in several.items()})
    mx.save(str(HERE / "mlx_bfloat16.npy"), to_mlx(counting("bfloat16", (2, 3))))
    mx.save(str(HERE / "mlx_float32.npy"), to_mlx(counting("float32", (2, 3))))

    every = {name: counting(name, (2, 3)) for name in DTYPES}
    every["empty"] = counting("float32", (0, 4))
    every["scalar"] = counting("int32", ())
    every['\\"\n\x01\x7f é \u2028 😀/<>&'] = counting("uint8", (3,))
    safetensors.numpy.save_file(every, HERE / "safetensors_all.safetensors")
    safetensors.numpy.save_file({}, HERE / "safetensors_none.safetensors")
    few = {"b": every["float32"], "a": every["float32"], "c": every["int64"]}
    safetensors.numpy.save_file(few, HERE / "safetensors_metadata.safetensors", {"format": "\tpt"})
    narrow = {k: to_mlx(v) for k, v in every.items() if v.dtype != np.float64}
    mx.save_safetensors(str(HERE / "mlx_all.safetensors"), narrow)
    mx.save_safetensors(str(HERE / "mlx_metadata.safetensors"), {"a": narrow["float32"]}, {"k": "v"})

    some = {"a.weight": to_mlx(counting("float32", (2, 3))), "b": mx.array(3.0), "c": mx.array([[-1, 2]], mx.int8)}
    some["d"] = to_mlx(counting("float16", (3,)))
    pairs = {"text": "words", "list": ["a", "", "c"], "number": mx.array(7), "numbers": mx.array([1.0, 2.5])}
    mx.save_gguf(str(HERE / "mlx.gguf"), some, pairs | {"flag": mx.array(True)})


if __name__ == "__main__":
    main()
