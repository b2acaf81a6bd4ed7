#!/usr/bin/env python3
"""Measures CloudVolume's get_roots in one process, as ../measure-roots.mjs does for graphene-points:

  roots.py --base URL --n IDS --distinct DISTINCT
"""
import argparse, json, os, resource, tempfile, time, urllib.request
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--base", required=True)
for name in ("n", "distinct"): parser.add_argument("--" + name, type=int, required=True)
a = parser.parse_args()
os.environ["CLOUD_VOLUME_DIR"] = tempfile.mkdtemp()
from cloudvolume import CloudVolume

k = np.arange(a.n, dtype=np.int64)
i = k if a.distinct == a.n else (k * 7919 + 13) % a.distinct
x, y = i * 40503 // 16 % 60, i * 30011 // 128 % 60
ids = ((1 << 56) + (x << 46) + (y << 36) + i + 1).astype(np.uint64)
del k, i, x, y

volume = CloudVolume(f"graphene://{a.base}/segmentation/table/t", secrets={"token": "0123abcd"}, progress=False, use_https=False)
count = lambda: json.loads(urllib.request.urlopen(a.base + "/count").read())


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, round(used.ru_maxrss / 1024, 1)


before = usage()[1]
count()
cpu, began = usage()[0], time.perf_counter()
roots = volume.get_roots(ids)
seconds, used, peak = time.perf_counter() - began, usage()[0] - cpu, usage()[1]
wrong = int((np.asarray(roots) != ids + np.uint64(6 << 56)).sum())
print(json.dumps({"wall_s": seconds, "cpu_s": used, "before_mb": before, "peak_mb": peak, "wrong": wrong, **count()}))
