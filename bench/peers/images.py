"""Reads points of the volumes of make_images.py with CloudVolume: images.py FOLDER ENCODING LRU_BYTES COUNT CHUNKS.

With an LRU, the points are read once before the clock starts. With a COUNT of 1, 6 points are read one by one; the time of
the first and the median of the others count. Prints one JSON line.
"""
import json
import os
import sys
import tempfile
import time

import numpy as np

os.environ["CLOUD_VOLUME_DIR"] = tempfile.mkdtemp()
from cloudvolume import CloudVolume  # noqa: E402

folder, encoding, lru, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
is_single = count == 1
if is_single:
    count = 6
points = np.fromfile(os.path.join(folder, "points.f64"), dtype="<f8").reshape(-1, 3).astype(np.int64)
truth = np.fromfile(os.path.join(folder, encoding, "values.f64"), dtype="<f8")
chosen = np.flatnonzero(points[:, 0] < 8 * int(sys.argv[5]))[:count]
points, truth = points[chosen], truth[chosen]
volume = CloudVolume("file://" + os.path.abspath(os.path.join(folder, encoding)), progress=False, lru_bytes=lru)
tuples = list(map(tuple, points.tolist()))
answer, times = {}, []


def read(some):
    began = time.perf_counter()
    answer.update(volume.scattered_points(some))
    times.append(time.perf_counter() - began)


if is_single:
    for one in tuples:
        read([one])
else:
    if lru > 0:
        read(tuples)
    read(tuples)
wrong = sum(float(np.ravel(answer[p])[0]) != t for p, t in zip(tuples, truth.tolist()))
first, later = (times[0], sorted(times[1:])[2]) if is_single else (times[-1], None)
print(json.dumps({"seconds": first, "later": later, "wrong": wrong}))
