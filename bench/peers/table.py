#!/usr/bin/env python3
"""Makes a table of points and its true answers: table.py VOLUME ROWS OUT

VOLUME is a folder with a Precomputed uint64 segmentation. OUT gets table.parquet (id, x, y, z, score; seeded points in no order) and
truth.parquet (the same IDs with supervoxel_id and root_id, null for background roots). CloudVolume reads the labels; the root of a supervoxel is that
of arithmetic-graph.ts: the ID with layer 7. The script needs pyarrow besides the packages of requirements.txt.
"""
import os, sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cloudvolume import CloudVolume

path, count, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
volume = CloudVolume("file://" + os.path.abspath(path), progress=False, fill_missing=True)
rng = np.random.RandomState(18)
low, high = (np.array(corner) for corner in (volume.bounds.minpt, volume.bounds.maxpt))
points = [rng.randint(a, b, count) for a, b in zip(low, high)]
ids = np.arange(count, dtype=np.int64) + 10**9
score = rng.rand(count).astype(np.float32)

labels = np.zeros(count, np.uint64)
slab = int(volume.chunk_size[2])
by_slab = np.argsort((points[2] - low[2]) // slab, kind="stable")
bounds = np.searchsorted(((points[2] - low[2]) // slab)[by_slab], np.arange((high[2] - low[2] + slab - 1) // slab + 1))
for k in range(len(bounds) - 1):
    z = low[2] + k * slab
    voxels = np.asarray(volume[low[0]:high[0], low[1]:high[1], z:min(high[2], z + slab)])[..., 0]
    rows = by_slab[bounds[k]:bounds[k + 1]]
    labels[rows] = voxels[points[0][rows] - low[0], points[1][rows] - low[1], points[2][rows] - z]

roots = np.where(labels == 0, np.uint64(0), (labels & np.uint64(2**56 - 1)) | np.uint64(7 << 56))
os.makedirs(out, exist_ok=True)
table = pa.table({"id": ids, "x": points[0], "y": points[1], "z": points[2], "score": score})
pq.write_table(table, os.path.join(out, "table.parquet"), compression="snappy")
pq.write_table(pa.table({"id": ids, "supervoxel_id": labels, "root_id": roots}), os.path.join(out, "truth.parquet"), compression="snappy")
print(len(np.unique(labels)), "distinct supervoxels")
