"""Writes float chunks with fpzip, in C++, and says what fpzip reads back."""
import fpzip
import numpy as np

import wire

SIZES = [(1, 1, 1), (2, 1, 1), (1, 3, 1), (1, 1, 5), (3, 2, 1), (5, 4, 3), (17, 1, 9), (1, 23, 4), (16, 16, 8), (31, 7, 5), (64, 33, 3)]
FILLS = ["smooth", "noise", "steps", "constant", "zeros", "special", "nan", "tiny", "bits"]


def fill(kind, shape, dtype, rng):
    x, y, z, c = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    if kind == "smooth":
        data = np.sin(x / 7) * np.cos(y / 5) + z / 11 - c + rng.normal(0, 1e-3, shape)
    elif kind == "noise":
        data = rng.normal(0, 1, shape) * 10.0 ** rng.integers(-1, 2, shape)
    elif kind == "steps":
        data = np.floor((x + 2 * y - z) / 3) - c
    elif kind == "constant":
        data = np.full(shape, rng.normal())
    elif kind == "zeros":
        data = np.where(rng.random(shape) < 0.5, 0.0, -0.0)
    elif kind == "special":
        data = rng.choice([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 3.4e38, -3.4e38], shape)
    elif kind == "nan":
        data = np.where(rng.random(shape) < 0.1, rng.choice([np.nan, -np.nan, np.inf, -np.inf], shape), rng.normal(0, 1, shape))
    elif kind == "tiny":
        data = rng.normal(0, 1, shape) * float(np.finfo(dtype).tiny) * 2
    else:  # any bits in some places, which gives NaN of any payload, signalling ones too
        # The wrapper of fpzip writes out of bounds if a stream is longer than its data, so they must be few.
        bits = np.frombuffer(rng.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype=dtype)
        special = np.array([np.nan, -np.nan, np.inf, -np.inf], dtype=dtype)
        bits = np.where(rng.random(bits.size) < 0.5, bits, rng.choice(special, bits.size))
        return np.asfortranarray(np.where(rng.random(shape) < 0.05, bits.reshape(shape), dtype(1)))
    with np.errstate(over="ignore"):
        return np.asfortranarray(data.astype(dtype))


class Client:
    def chunk(self, number):
        """Returns the chunk of a number: its stream and its raw bytes."""
        number = int(number)
        rng = np.random.default_rng(number)
        dtype = np.float32 if number % 5 < 3 else np.float64
        kind = FILLS[number % len(FILLS)]
        size = SIZES[number % len(SIZES)]
        channels = int(rng.integers(1, 5)) if number % 3 == 0 else 1
        step = np.dtype(dtype).itemsize // 4
        # Every precision comes with noise, too: 0 stands for all bits.
        precision = 0 if number % 2 else step * int(2 + (number // 2) % 31)
        if kind == "nan" or kind == "bits":
            precision = precision if precision == 0 or precision > 12 * step else 0
        encoding = "kempressed" if number % 7 == 0 else "fpzip"
        data = fill(kind, (*size, channels), dtype, rng)
        if encoding == "kempressed":
            stream = fpzip.compress(2.0 + np.swapaxes(data, 2, 3), order="F")
            raw = np.swapaxes(fpzip.decompress(stream, order="F"), 3, 2) - np.float32(2.0)
            precision = 0
        else:
            stream = fpzip.compress(data, precision=precision, order="F")
            raw = fpzip.decompress(stream, order="F")
        assert raw.dtype == dtype, raw.dtype
        return {
            "name": f"{number}: {encoding} {np.dtype(dtype)} {size} x {channels}, {kind}, precision {precision}",
            "encoding": encoding,
            "dataType": str(np.dtype(dtype)),
            "chunkSize": list(size),
            "channels": channels,
            "stream": np.frombuffer(stream, dtype=np.uint8),
            "raw": np.frombuffer(raw.tobytes("F"), dtype=np.uint8),
        }


if __name__ == "__main__":
    wire.serve(Client())
