#!/usr/bin/env python3
"""Measures how long the C++ codecs take to decode all chunks of a point set: decode.py VOLUME_FOLDER POINTS

The chunks are read and decompressed before the clock starts. One process per core takes chunks from a shared list.
"""
import gzip, json, multiprocessing, os, resource, sys, time
import numpy as np
from cloudvolume import chunks

folder, points = sys.argv[1:]
with open(os.path.join(folder, "info")) as f: scale = json.load(f)["scales"][0]
size = np.array(scale["chunk_sizes"][0])
cells = np.unique(np.load(points + ".npz")["points"] // size, axis=0)
read = lambda cell: gzip.decompress(open(os.path.join(folder, scale["key"], "_".join(f"{a}-{b}" for a, b in zip(cell * size, (cell + 1) * size)) + ".gz"), "rb").read())
stored = [read(cell) for cell in cells]


def decode(index):
    chunks.decode(stored[index], scale["encoding"], shape=(*size.tolist(), 1), dtype=np.uint64, block_size=(8, 8, 8), num_threads=1)


def used():
    each = resource.getrusage(resource.RUSAGE_CHILDREN)
    return each.ru_utime + each.ru_stime


cores = os.cpu_count()
with multiprocessing.get_context("fork").Pool(cores) as pool:
    pool.map(decode, range(4 * cores), 1)  # waits until every process has started
    began = time.perf_counter()
    pool.map(decode, range(len(stored)), 4)
    seconds = time.perf_counter() - began
    pool.close()
    pool.join()
print(json.dumps({"cold": {"wall_s": seconds, "cpu_s": used(), "peak_mb": 0, "wrong": 0}}))
