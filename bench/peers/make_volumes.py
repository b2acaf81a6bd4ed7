#!/usr/bin/env python3
"""Writes the benchmark volumes and point sets: make_volumes.py SOURCE_VOLUME OUT [NAME ...] [--oversegment X,Y,Z] [--offset X,Y,Z]

SOURCE_VOLUME is a Precomputed uint64 segmentation that CloudVolume can read (1024 x 1024 x 512, chunks of 128 x 128 x 64).
NAME is ENCODING[SIDE]_COMPRESSION: cseg_gzip, raw_gzip, cseg_sharded, cseg64_gzip, ... SIDE is the chunk size in x and y, 128 by default; chunks
are 64 voxels deep. OUT gets one volume per name. It also gets three files per point set: NAME.npz for the Python peers, NAME.f64 (points, xyz
interleaved) and NAME.u64 (true labels) for graphene-points. Without names, only the point sets are written.
--oversegment cuts each label by a warped grid of that spacing, in voxels: the pieces get IDs as a chunkedgraph numbers supervoxels, and the volume
gets point sets of its own. --offset is the volume's voxel offset; all points include it.
The script needs the packages in requirements.txt beside this file.
"""
import argparse, json, multiprocessing, os, re
import fastremap
import numpy as np
from cloudfiles import CloudFiles
from cloudvolume import CloudVolume, chunks
from cloudvolume.datasource.precomputed.common import compressed_morton_code
from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

ENCODINGS = {"raw": "raw", "cseg": "compressed_segmentation", "crackle": "crackle", "compresso": "compresso"}
GRAPH_CHUNK = (256, 256, 128)
labels = None
offset = np.zeros(3, int)


def sharding(count):
    """Returns the specification of 8 shards of 8 minishards for that number of chunks."""
    return {"@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": max(0, (count - 1).bit_length() - 6), "hash": "identity", "minishard_bits": 3,
            "shard_bits": 3, "minishard_index_encoding": "gzip", "data_encoding": "gzip"}


def pieces(job):
    """Cuts the labels of one graph chunk. Returns its region and the IDs of the pieces."""
    corner, spacing = job
    region = tuple(slice(c, c + s) for c, s in zip(corner, GRAPH_CHUNK))
    x, y, z = np.ogrid[region]
    cut = [(x + 6 * np.sin(y / 17 + z / 11)) // spacing[0], (y + 6 * np.sin(x / 19 + z / 7)) // spacing[1], (z + 3 * np.sin(x / 23 + y / 29)) // spacing[2]]
    cell = sum((part + 8).astype(np.uint64) << np.uint64(10 * axis) for axis, part in enumerate(cut))
    source, names = fastremap.renumber(labels[region].astype(np.uint64))
    numbered, names = fastremap.renumber(np.where(source == 0, np.uint64(0), (source.astype(np.uint64) << np.uint64(32)) | cell))
    x, y, z = (c // s for c, s in zip(corner, GRAPH_CHUNK))
    first = (1 << 56) | (x << 46) | (y << 36) | (z << 26)
    segments = np.random.RandomState(first % 2**31).choice(2**21, size=len(names) + 1, replace=False)
    ids = segments.astype(np.uint64) + np.uint64(first + 1)
    ids[0] = 0
    return region, ids[numbered]


def encode(job):
    encoding, chunk, cell = job
    region = tuple(slice(c * s, min((c + 1) * s, n)) for c, s, n in zip(cell, chunk, labels.shape))
    return region, chunks.encode(np.asfortranarray(labels[region])[..., np.newaxis], encoding, block_size=(8, 8, 8))


def write(job):
    path, encoding, compression, chunk, cell = job
    region, data = encode((encoding, chunk, cell))
    name = "_".join(f"{s.start + o}-{s.stop + o}" for s, o in zip(region, offset))
    CloudFiles("file://" + path).put(name, data, compress=None if compression == "none" else compression)


def write_shards(path, encoding, chunk, cells, grid, pool):
    encoded = pool.map(encode, [(encoding, chunk, cell) for cell in cells])
    by_id = {int(compressed_morton_code(list(cell), grid)): data for cell, (_, data) in zip(cells, encoded)}
    for name, data in ShardingSpecification.from_dict(sharding(len(cells))).synthesize_shards(by_id).items():
        with open(os.path.join(path, name), "wb") as f: f.write(data)


def step(rng, p, d, size, reach):
    """Returns the next place and direction: up to `reach` voxels further in x and y, a quarter of that in z."""
    d = 0.9 * d + 0.4 * rng.normal(size=3)
    return np.clip(p + d / np.linalg.norm(d) * np.array([reach, reach, reach / 4]), 0, size - 1), d


def walks(rng, count, steps, size):
    """Returns points along random walks, as synapses lie along neurites."""
    points = []
    for _ in range(count):
        p, d = rng.rand(3) * size, rng.normal(size=3)
        for _ in range(steps):
            p, d = step(rng, p, d, size, 12)
            points.append(np.floor(p))
    return np.array(points)


def arbours(rng, count, points_each, size):
    """Returns points along walks that branch, as synapses lie along whole neurons: one branch every 100 points."""
    points = []
    for _ in range(count):
        tips = [(rng.rand(3) * size, rng.normal(size=3))]
        for k in range(points_each):
            at = rng.randint(len(tips))
            tips[at] = step(rng, *tips[at], size, 8)
            points.append(np.floor(tips[at][0]))
            if k % 100 == 99: tips.append((tips[at][0], rng.normal(size=3)))
    return np.array(points)


def uniform(rng, count, size):
    return np.stack([rng.randint(0, s, count) for s in size], 1)


def point_sets(size, oversegmented):
    rng = np.random.RandomState(1)
    if oversegmented:
        yield "a30k", arbours(rng, 30, 1000, size)
        for name, count in (("u30k", 30_000), ("u300k", 300_000), ("u3M", 3_000_000)): yield name, uniform(rng, count, size)
        return
    for name, count in (("u1k", 1000), ("u10k", 10_000), ("u100k", 100_000), ("u1M", 1_000_000)): yield name, uniform(rng, count, size)
    yield "c10k", walks(rng, 40, 250, size)
    yield "c100k", walks(rng, 400, 250, size)
    yield "n10k", walks(rng, 1, 10000, size)  # along one neuron


def write_volume(out, name):
    encoding, side, compression = re.fullmatch(r"([a-z]+)(\d*)_([a-z]+)", name).groups()
    chunk, size = (int(side or 128), int(side or 128), 64), labels.shape
    path = os.path.join(out, name, "8_8_40")
    os.makedirs(path, exist_ok=True)
    grid = [-(-n // c) for n, c in zip(size, chunk)]
    cells = [(x, y, z) for z in range(grid[2]) for y in range(grid[1]) for x in range(grid[0])]
    scale = {"encoding": ENCODINGS[encoding], "chunk_sizes": [chunk], "key": "8_8_40", "resolution": [8, 8, 40], "voxel_offset": offset.tolist(), "size": size}
    if compression == "sharded": scale["sharding"] = sharding(len(cells))
    if encoding == "cseg": scale["compressed_segmentation_block_size"] = [8, 8, 8]
    with open(os.path.join(out, name, "info"), "w") as f:
        json.dump({"@type": "neuroglancer_multiscale_volume", "type": "segmentation", "data_type": "uint64", "num_channels": 1, "scales": [scale]}, f)
    with multiprocessing.get_context("fork").Pool() as pool:
        if compression == "sharded": write_shards(path, ENCODINGS[encoding], chunk, cells, grid, pool)
        else: pool.map(write, [(path, ENCODINGS[encoding], compression, chunk, cell) for cell in cells])
    print(name, len(cells), "chunks", flush=True)


def main():
    global labels, offset
    triple = lambda text: np.array([int(n) for n in text.split(",")])
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("out", type=os.path.abspath)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--oversegment", type=triple)
    parser.add_argument("--offset", type=triple, default=offset)
    a = parser.parse_args()
    offset = a.offset
    labels = np.asarray(CloudVolume("file://" + os.path.abspath(a.source), progress=False)[:, :, :])[..., 0]
    if a.oversegment is not None:
        corners = [(x, y, z) for x in range(0, labels.shape[0], 256) for y in range(0, labels.shape[1], 256) for z in range(0, labels.shape[2], 128)]
        cut = np.empty(labels.shape, np.uint64, order="F")
        with multiprocessing.get_context("fork").Pool() as pool:
            for region, ids in pool.imap_unordered(pieces, [(corner, a.oversegment) for corner in corners]): cut[region] = ids
        labels = cut
    os.makedirs(a.out, exist_ok=True)
    for name, points in point_sets(np.array(labels.shape), a.oversegment is not None):
        points = points.astype(np.int64)
        truth = labels[points[:, 0], points[:, 1], points[:, 2]]
        points += offset
        np.savez(os.path.join(a.out, name + ".npz"), points=points, labels=truth)
        points.astype("<f8").tofile(os.path.join(a.out, name + ".f64"))
        truth.astype("<u8").tofile(os.path.join(a.out, name + ".u64"))
    for name in a.names: write_volume(a.out, name)


if __name__ == "__main__":
    main()
