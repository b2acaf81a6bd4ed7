"""Measures the codecs of CloudVolume, as CloudVolume calls them.

Each line of standard input names one chunk: `FILE ENCODING`. The script prints one JSON line for each.
"""
import gzip, hashlib, json, sys, time
import numpy as np
from cloudvolume import chunks

SHAPE = (128, 128, 64, 1)
KEYWORDS = dict(shape=SHAPE, dtype=np.uint64, block_size=(8, 8, 8))


def median_us(run, times):
    seconds = []
    for i in range(times):
        began = time.perf_counter()
        run(i)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[times // 2] * 1e6


for line in sys.stdin:
    file, encoding = line.split()
    data = gzip.decompress(open(file, "rb").read())
    whole = np.asfortranarray(chunks.decode(data, encoding, num_threads=1, **KEYWORDS))
    print(json.dumps({
        "hash": hashlib.sha256(whole.tobytes("F")).hexdigest(),
        "one voxel": median_us(lambda i: chunks.read_voxel([i * 53 % 128, i * 29 % 128, i * 37 % 64], data, encoding, **KEYWORDS), 40),
        "whole chunk": median_us(lambda i: chunks.decode(data, encoding, num_threads=1, **KEYWORDS), 9),
    }), flush=True)
