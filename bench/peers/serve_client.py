#!/usr/bin/env python3
"""One client process of ../serve.ts: THREADS threads that ask for BATCH points at a time, for SECONDS seconds, and check every answer.

  serve_client.py --peer service|cloudvolume --url URL --points FILE_WITHOUT_SUFFIX [--threads 25] [--batch 100] [--seconds 10] [--form json|binary] [--pause]

The points are those of make_volumes.py. A thread takes each batch at a place of its own. --url is the volume in the service (.../v1/NAME), or its cloud path.
It waits for a line on standard input after it is ready, and prints one line of JSON. With --pause, a refused request (429) is sent again after Retry-After.
"""
import argparse, http.client, json, os, random, resource, sys, tempfile, threading, time
from urllib.parse import urlsplit
import numpy as np

parser = argparse.ArgumentParser()
for name in ("peer", "url", "points"): parser.add_argument("--" + name, required=True)
for name, value in (("threads", 25), ("batch", 100), ("seed", 0)): parser.add_argument("--" + name, type=int, default=value)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--requests", type=int, help="the number of requests of each thread, instead of --seconds")
parser.add_argument("--form", choices=("json", "binary"), default="json")
parser.add_argument("--pause", action="store_true")
a = parser.parse_args()
points = np.fromfile(a.points + ".f64", dtype="<f8").reshape(-1, 3)
truth = np.fromfile(a.points + ".u64", dtype="<u8")
offsets = [random.Random(f"{a.seed} {thread}") for thread in range(a.threads)]


def batch_at(rng):
    start = rng.randrange(0, max(1, len(points) - a.batch + 1))
    return points[start : start + a.batch], truth[start : start + a.batch]


class Refused(Exception):
    def __init__(self, after): self.after = after


def service():
    """Returns a function that makes a function of one thread: points in, labels out."""
    parts = urlsplit(a.url)

    def of_thread():
        connection = http.client.HTTPConnection(parts.netloc, timeout=300)

        def ask(chosen):
            if a.form == "json":
                body, kind = json.dumps({"points": chosen.astype(np.int64).tolist()}), "application/json"
            else:
                body, kind = chosen.astype("<f8").tobytes(), "application/octet-stream"
            connection.request("POST", parts.path + "/points", body, {"Content-Type": kind, "Accept": kind})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 429: raise Refused(float(answer.headers["Retry-After"]))
            if answer.status != 200: raise RuntimeError(f"{answer.status} {content[:300]}")
            if a.form == "json": return np.array([int(label or 0) for label in json.loads(content)["supervoxel_id"]], dtype=np.uint64)
            return np.frombuffer(content, dtype="<u8", count=len(chosen))

        return ask

    return of_thread


def cloudvolume():
    os.environ["CLOUD_VOLUME_DIR"] = tempfile.mkdtemp()
    from cloudvolume import CloudVolume
    volume = CloudVolume(a.url, progress=False, fill_missing=True)

    def ask(chosen):
        tuples = list(map(tuple, chosen.astype(np.int64).tolist()))
        answer = volume.scattered_points(tuples)
        return np.array([answer[point] for point in tuples], dtype=np.uint64)

    return lambda: ask


of_thread = service() if a.peer == "service" else cloudvolume()
latencies, refusals, failures = [], [], []
wrong = asked = 0
lock = threading.Lock()


def work(rng, end):
    global wrong, asked
    ask, made = of_thread(), 0
    while (made < a.requests) if a.requests else (time.perf_counter() < end):
        chosen, labels = batch_at(rng)
        began = time.perf_counter()
        try:
            answer = ask(chosen)
        except Refused as refused:
            with lock: refusals.append(time.perf_counter() - began)
            time.sleep(refused.after if a.pause else 0)
            continue
        except Exception as error:
            with lock: failures.append(repr(error)[:300])
            return
        took = time.perf_counter() - began
        made += 1
        bad = int((answer != labels).sum()) if len(answer) == len(labels) else len(labels)
        with lock:
            latencies.append(took)
            asked += len(labels)
            wrong += bad


print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter()
workers = [threading.Thread(target=work, args=(rng, began + a.seconds)) for rng in offsets]
for worker in workers: worker.start()
for worker in workers: worker.join()
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": seconds, "requests": len(latencies), "points": asked, "wrong": wrong, "failures": failures[:5], "failed": len(failures),
    "refused": len(refusals), "slowest_refusal_ms": max(refusals, default=0) * 1000, "cpu_s": used.ru_utime + used.ru_stime,
    "latencies_ms": [round(1000 * latency, 2) for latency in latencies],
}), flush=True)
