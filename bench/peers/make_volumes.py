#!/usr/bin/env python3
"""Writes the benchmark volumes and point sets: make_volumes.py SOURCE_VOLUME OUT [encoding_compression ...]

SOURCE_VOLUME is a Precomputed uint64 segmentation that CloudVolume can read (1024 x 1024 x 512, chunks of 128 x 128 x 64).
OUT gets one volume per name (cseg_gzip, raw_gzip, cseg_sharded, ...). It also gets three files per point set: NAME.npz for the Python peers,
NAME.f64 (points, xyz interleaved) and NAME.u64 (true labels) for graphene-points. Without names, only the point sets are written.
The script needs the packages in requirements.txt beside this file.
"""
import json, multiprocessing, os, sys
import numpy as np
from cloudfiles import CloudFiles
from cloudvolume import CloudVolume, chunks
from cloudvolume.datasource.precomputed.common import compressed_morton_code
from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

CHUNK = (128, 128, 64)
ENCODINGS = {"raw": "raw", "cseg": "compressed_segmentation", "crackle": "crackle", "compresso": "compresso"}
# 512 chunks in 8 shards of 8 minishards.
SHARDING = {"@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": 3, "hash": "identity", "minishard_bits": 3, "shard_bits": 3,
            "minishard_index_encoding": "gzip", "data_encoding": "gzip"}
labels = None


def encode(job):
    encoding, cell = job
    region = tuple(slice(c * s, min((c + 1) * s, n)) for c, s, n in zip(cell, CHUNK, labels.shape))
    return region, chunks.encode(np.asfortranarray(labels[region])[..., np.newaxis], encoding, block_size=(8, 8, 8))


def write(job):
    path, encoding, compression, cell = job
    region, data = encode((encoding, cell))
    CloudFiles("file://" + path).put("_".join(f"{s.start}-{s.stop}" for s in region), data, compress=None if compression == "none" else compression)


def write_shards(path, encoding, cells, grid, pool):
    encoded = pool.map(encode, [(encoding, cell) for cell in cells])
    by_id = {int(compressed_morton_code(list(cell), grid)): data for cell, (_, data) in zip(cells, encoded)}
    for name, data in ShardingSpecification.from_dict(SHARDING).synthesize_shards(by_id).items():
        with open(os.path.join(path, name), "wb") as f: f.write(data)


def walks(rng, count, steps, size):
    """Returns points along random walks, as synapses lie along neurites: up to 12 voxels per step in x and y, 3 in z."""
    points = []
    for _ in range(count):
        p, d = rng.rand(3) * size, rng.normal(size=3)
        for _ in range(steps):
            d = 0.9 * d + 0.4 * rng.normal(size=3)
            p = np.clip(p + d / np.linalg.norm(d) * np.array([12, 12, 3]), 0, size - 1)
            points.append(np.floor(p))
    return np.array(points)


def main():
    global labels
    source, out, names = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:]
    labels = np.asarray(CloudVolume("file://" + os.path.abspath(source), progress=False)[:, :, :])[..., 0]
    size = np.array(labels.shape)
    for name in names:
        short, compression = name.split("_")
        path = os.path.join(out, name, "8_8_40")
        os.makedirs(path, exist_ok=True)
        scale = {"encoding": ENCODINGS[short], "chunk_sizes": [CHUNK], "key": "8_8_40", "resolution": [8, 8, 40], "voxel_offset": [0, 0, 0], "size": size.tolist()}
        if compression == "sharded": scale["sharding"] = SHARDING
        if short == "cseg": scale["compressed_segmentation_block_size"] = [8, 8, 8]
        with open(os.path.join(out, name, "info"), "w") as f:
            json.dump({"@type": "neuroglancer_multiscale_volume", "type": "segmentation", "data_type": "uint64", "num_channels": 1, "scales": [scale]}, f)
        grid = [-(-n // c) for n, c in zip(size, CHUNK)]
        cells = [(x, y, z) for z in range(grid[2]) for y in range(grid[1]) for x in range(grid[0])]
        with multiprocessing.get_context("fork").Pool() as pool:
            if compression == "sharded": write_shards(path, ENCODINGS[short], cells, grid, pool)
            else: pool.map(write, [(path, ENCODINGS[short], compression, cell) for cell in cells])
        print(name, len(cells), "chunks", flush=True)
    rng = np.random.RandomState(1)
    sets = {f"u{n}": np.stack([rng.randint(0, s, int(n.replace("k", "000").replace("M", "000000"))) for s in size], 1) for n in ("1k", "10k", "100k", "1M")}
    sets["c10k"] = walks(rng, 40, 250, size)
    sets["c100k"] = walks(rng, 400, 250, size)
    sets["n10k"] = walks(rng, 1, 10000, size)  # along one neuron
    for name, points in sets.items():
        points = points.astype(np.int64)
        truth = labels[points[:, 0], points[:, 1], points[:, 2]]
        np.savez(os.path.join(out, name + ".npz"), points=points, labels=truth)
        points.astype("<f8").tofile(os.path.join(out, name + ".f64"))
        truth.astype("<u8").tofile(os.path.join(out, name + ".u64"))


if __name__ == "__main__":
    main()
