#!/usr/bin/env python3
"""Measures one case of a peer in one process, as ../measure.mjs does for graphene-points:

  measure.py --peer cloudvolume|tensorstore --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--cache BYTES] [--take N] [--again N]
"""
import argparse, json, os, resource, tempfile, time
import numpy as np

parser = argparse.ArgumentParser()
for name in ("peer", "base", "volume", "points"): parser.add_argument("--" + name, required=True)
parser.add_argument("--cache", type=float, default=0)
parser.add_argument("--take", type=int)
parser.add_argument("--again", type=int, default=0)
a = parser.parse_args()
points = np.fromfile(a.points + ".f64", dtype="<f8").reshape(-1, 3).astype(np.int64)
truth = np.fromfile(a.points + ".u64", dtype="<u8")
if a.take: points, truth = np.resize(points, (a.take, 3)), np.resize(truth, a.take)

if a.peer == "cloudvolume":
    os.environ["CLOUD_VOLUME_DIR"] = tempfile.mkdtemp()
    from cloudvolume import CloudVolume
    volume = CloudVolume(f"precomputed://{a.base}/{a.volume}", progress=False, fill_missing=True, lru_bytes=int(a.cache))
    tuples = list(map(tuple, points.tolist()))
    read = lambda: volume.scattered_points(tuples)
    labels = lambda answer: np.array([answer[p] for p in tuples], dtype=np.uint64)
else:
    import tensorstore
    context = tensorstore.Context({"cache_pool": {"total_bytes_limit": int(a.cache)}})
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "http", "base_url": f"{a.base}/{a.volume}/"}, "open": True, "recheck_cached_data": "open"}
    volume = tensorstore.open(spec, context=context).result()
    x, y, z = (np.ascontiguousarray(points[:, axis]) for axis in range(3))
    read = lambda: volume.vindex[x, y, z, 0].read().result()
    labels = np.asarray


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, round(used.ru_maxrss / 1024, 1)


before = usage()[1]


def run():
    cpu, began = usage()[0], time.perf_counter()
    answer = read()
    seconds, (used, peak) = time.perf_counter() - began, usage()
    return {"wall_s": seconds, "cpu_s": used - cpu, "peak_mb": peak, "wrong": int((labels(answer) != truth).sum())}


cold = run()
again = sorted((run() for _ in range(a.again)), key=lambda measured: measured["wall_s"])
print(json.dumps({"points": len(points), "before_mb": before, "cold": cold, "again": again[a.again // 2] if again else None}))
