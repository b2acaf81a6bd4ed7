"""Writes chunks with zfpc, and says what zfpy, which is zfp in C, reads back."""
import itertools
import struct

import numpy as np
import zfpc
import zfpy

import wire

FILLS = ["smooth", "noise", "constant", "zeros", "sparse", "steps", "tiny", "huge", "wide", "minus zero", "special", "bits"]
TYPES = [np.float32, np.float64, np.float32, np.float64, np.int32, np.int64]
MODES = ["lossless", "tolerance", "precision", "rate"]
MASKS = [mask for mask in itertools.product([True, False], repeat=4) if any(mask)]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0]


def fill(kind, shape, dtype, rng):
    if kind == "bits":
        bits = np.frombuffer(rng.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype=dtype)
        return bits.reshape(shape)
    x, y, z, c = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    is_float = np.dtype(dtype).kind == "f"
    largest = float(np.finfo(dtype).max) if is_float else 2.0 ** (8 * np.dtype(dtype).itemsize - 2)
    if kind == "smooth":
        data = 100 * np.sin(x / 5 + rng.random()) * np.cos(y / 7) + 9 * z - 40 * c
    elif kind == "noise":
        data = rng.normal(0, 1, shape) * 10.0 ** rng.integers(-5, 6)
    elif kind == "constant":
        data = np.full(shape, rng.normal(0, 100))
    elif kind == "zeros":
        data = np.zeros(shape)
    elif kind == "sparse":
        data = np.where(rng.random(shape) < 0.02, rng.normal(0, 100, shape), 0)
    elif kind == "steps":
        data = 64 * np.round(rng.random(shape) * 3)
    elif kind == "tiny":
        data = rng.normal(0, 1, shape) * (float(np.finfo(dtype).tiny) if is_float else 2)
    elif kind == "huge":
        data = rng.uniform(-1, 1, shape) * largest
    elif kind == "wide":
        data = rng.normal(0, 1, shape) * (10.0 ** rng.uniform(-30, 30, shape) if is_float else 10.0 ** rng.uniform(0, 8, shape))
    elif kind == "minus zero":
        data = np.where(rng.random(shape) < 0.5, -0.0, 0.0)
    else:
        data = rng.choice(SPECIAL, shape) if is_float else rng.integers(-1, 2, shape)
    with np.errstate(over="ignore"):
        return data.astype(dtype)


def mode_of(name, data, rng):
    if name == "tolerance":
        largest = float(np.abs(data.astype(np.float64)).max())
        return {"tolerance": float(rng.choice([0, 1e-9, 1e-4, 0.01, 0.3, 5, 1e4, largest / 1000]))}
    if name == "precision":
        return {"precision": int(rng.choice([1, 2, 5, 8, 12, 16, 20, 24, 31, 32, 33, 40, 52, 63, 64]))}
    if name == "rate":
        return {"rate": float(rng.choice([4, 5.5, 7.3, 8, 9, 12, 16, 20, 32, 48, 64]))}
    return {}


def decode(chunk, shape, mask, dtype):
    """Decodes each stream with zfpy; zfpc itself gives float32 for every type."""
    at, = struct.unpack_from("<Q", chunk, 23)
    places = [[slice(None)] if correlated else range(n) for n, correlated in zip(shape, mask)]
    out = np.empty(shape, dtype)
    for i, place in enumerate(itertools.product(*places[::-1])):  # the place in x is the fastest
        size, = struct.unpack_from("<Q", chunk, 31 + 8 * i)
        out[place[::-1]] = zfpy.decompress_numpy(chunk[at:at + size])
        at += size
    return out


class Client:
    def chunk(self, number):
        """Returns chunk `number` of an endless list, and its values in the raw encoding."""
        rng = np.random.default_rng([17, number])
        dtype, kind = TYPES[number % len(TYPES)], FILLS[number // len(TYPES) % len(FILLS)]
        name = MODES[number // 2 % len(MODES)]
        if kind in ("bits", "special") and np.dtype(dtype).kind == "f":
            name = "lossless"  # zfp does not promise anything else for NaN and infinities
        shape = tuple(int(n) for n in rng.integers(1, [12, 10, 9, 4]))
        mask = MASKS[0] if rng.random() < 0.4 else MASKS[rng.integers(len(MASKS))]
        data = np.asarray(fill(kind, shape, dtype, rng), order="F" if rng.random() < 0.5 else "C")
        mode = mode_of(name, data, rng)
        chunk = zfpc.compress(data, correlated_dims=list(mask), **mode)
        values = decode(chunk, shape, mask, dtype)
        if dtype == np.float32 and zfpc.decompress(chunk).tobytes("F") != values.tobytes("F"):
            raise AssertionError("zfpc and zfpy differ")
        axes = "".join(axis for axis, correlated in zip("xyzc", mask) if correlated)
        return {
            "name": f"chunk {number}: {kind}, {np.dtype(dtype)}, {shape}, {axes} correlated, {mode or 'lossless'}",
            "shape": list(shape), "dataType": str(np.dtype(dtype)),
            "chunk": np.frombuffer(chunk, dtype=np.uint8),
            "raw": np.frombuffer(values.tobytes("F"), dtype=np.uint8),
        }


if __name__ == "__main__":
    wire.serve(Client())
