#!/usr/bin/env python3
"""The C++ codecs' full decode of the chunks of a point set, on all cores, bitstream undone before the clock starts: decode.py VOLUME_FOLDER POINTS

One process a core takes chunks from one list; only decoding is inside the clock.
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
    pool.map(decode, range(4 * cores), 1)  # everybody is up
    began = time.perf_counter()
    pool.map(decode, range(len(stored)), 4)
    seconds = time.perf_counter() - began
    pool.close()
    pool.join()
print(json.dumps({"cold": {"wall_s": seconds, "cpu_s": used(), "peak_mb": 0, "wrong": 0}}))
