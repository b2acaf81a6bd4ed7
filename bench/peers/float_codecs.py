"""Writes chunks of floats as CloudVolume writes them, and measures its decoders.

Each line of standard input names one case: `NAME FILE`. The script writes the chunk to FILE and prints one JSON line. Times are
milliseconds of CPU, the least of three.
"""
import hashlib
import json
import sys
import time

import fpzip
import numpy as np
import zfpc

SHAPE = (128, 128, 64, 1)
SETTINGS = {"lossless": {}, "tolerance": {"tolerance": 0.5}, "precision": {"precision": 16}, "rate": {"rate": 8}}


def compress(data, encoding, mode):
    """`mode` is a setting, for zfpc with the dimensions that are correlated if not all are: `rate-xy`."""
    setting, _, dimensions = mode.partition("-")
    if encoding == "fpzip":
        return fpzip.compress(data, order="F", **SETTINGS[setting])
    correlated = {"correlated_dims": [axis in dimensions for axis in "xyzc"]} if dimensions else {}
    return zfpc.compress(data, **SETTINGS[setting], **correlated)


def like_em(dtype):
    """Blobs of about 10 voxels and noise, 0 to 255."""
    rng = np.random.default_rng(3)
    waves = np.fft.rfftn(rng.normal(size=SHAPE[:3]))
    axes = [np.fft.fftfreq(SHAPE[0]), np.fft.fftfreq(SHAPE[1]), np.fft.rfftfreq(SHAPE[2])]
    distance = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    blobs = np.fft.irfftn(waves * np.exp(-36 * distance), s=SHAPE[:3], axes=(0, 1, 2))
    values = 128 + 40 * blobs / blobs.std() + rng.normal(size=SHAPE[:3]) * 6
    return np.asfortranarray(np.clip(values, 0, 255).astype(dtype)[..., np.newaxis])


def least_ms(run):
    def once():
        began = time.process_time()
        run()
        return time.process_time() - began
    return 1000 * min(once() for _ in range(3))


written = {}
for line in sys.stdin:
    name, file = line.split()
    encoding, dtype, mode = name.split("/")
    if name not in written:
        data = like_em(dtype)
        written[name] = compress(data, encoding, mode)
        with open(file, "wb") as out:
            out.write(written[name])
    chunk = written[name]
    decode = (lambda: fpzip.decompress(chunk, order="F")) if encoding == "fpzip" else (lambda: zfpc.decompress(chunk))
    print(json.dumps({"hash": hashlib.sha256(decode().tobytes("F")).hexdigest(), "ms": least_ms(decode)}), flush=True)
