#!/usr/bin/env python3
"""Writes image volumes like electron microscopy, and points in them with the values that CloudVolume reads: make_images.py FOLDER [ENCODING …]

Each volume has 64 chunks of 128 x 128 x 64 voxels. points.f64 has 160 voxels of every chunk, shuffled: x, y, z as float64.
ENCODING/values.f64 has their values. Everything is seeded.
"""
import os
import sys

import numpy as np
from cloudvolume import CloudVolume

CHUNK, GRID, PER_CHUNK = (128, 128, 64), (4, 4, 4), 160
ENCODINGS = {"jpeg": "uint8", "png": "uint8", "fpzip": "float32", "zfpc": "float32", "jxl": "uint8"}


def like_em(seed):
    """Blobs of about 10 voxels and noise, 0 to 255."""
    rng = np.random.default_rng(seed)
    waves = np.fft.rfftn(rng.normal(size=CHUNK))
    axes = [np.fft.fftfreq(CHUNK[0]), np.fft.fftfreq(CHUNK[1]), np.fft.rfftfreq(CHUNK[2])]
    distance = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    blobs = np.fft.irfftn(waves * np.exp(-36 * distance), s=CHUNK, axes=(0, 1, 2))
    return np.clip(128 + 40 * blobs / blobs.std() + rng.normal(size=CHUNK) * 6, 0, 255)


if __name__ == "__main__":
    folder, *wanted = sys.argv[1:]
    size = [c * g for c, g in zip(CHUNK, GRID)]
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(5)
    corners = np.array(list(np.ndindex(*GRID))) * CHUNK
    points = np.concatenate([corner + rng.integers(0, CHUNK, (PER_CHUNK, 3)) for corner in corners])
    points = points[rng.permutation(len(points))]
    points.astype("<f8").tofile(os.path.join(folder, "points.f64"))
    for encoding in wanted or ENCODINGS:
        data_type = ENCODINGS[encoding]
        info = CloudVolume.create_new_info(
            1, "image", data_type, encoding, resolution=(4, 4, 40), voxel_offset=(0, 0, 0), chunk_size=CHUNK, volume_size=size
        )
        volume = CloudVolume("file://" + os.path.abspath(os.path.join(folder, encoding)), info=info, progress=False, compress=False)
        volume.commit_info()
        values = np.zeros(len(points))
        for seed, corner in enumerate(corners):
            box = tuple(slice(int(c), int(c + s)) for c, s in zip(corner, CHUNK))
            volume[box] = like_em(seed).astype(data_type)[..., np.newaxis]
            inside = np.all((points >= corner) & (points < corner + CHUNK), axis=1)
            x, y, z = (points[inside] - corner).T
            values[inside] = np.asarray(volume[box])[x, y, z, 0]
        values.astype("<f8").tofile(os.path.join(folder, encoding, "values.f64"))
        print(encoding, flush=True)
