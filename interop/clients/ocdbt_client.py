"""Writes OCDBT databases with TensorStore, and reads voxels from them."""
import os
import random

import numpy as np
import tensorstore as ts

import wire

SIZE = (150, 140, 60)
CHUNK = [32, 28, 20]
FOLDER = "seg/ws/"


def file_at(*parts):
    return {"driver": "file", "path": os.path.join(*parts)}


def write_labels(kvstore, commits, seed):
    """Writes a volume, and changes boxes of it; each change is one commit."""
    rng = np.random.default_rng(seed)
    store = ts.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {**kvstore, "path": FOLDER},
            "multiscale_metadata": {"type": "segmentation", "data_type": "uint64", "num_channels": 1},
            "scale_metadata": {
                "size": list(SIZE),
                "resolution": [8, 8, 40],
                "encoding": "compressed_segmentation" if seed % 2 else "raw",
                **({"compressed_segmentation_block_size": [8, 8, 8]} if seed % 2 else {}),
                "chunk_size": CHUNK,
                "voxel_offset": [-7, 5, 11],
            },
            "open": True,
            "create": True,
        }
    ).result()
    origin = store.domain.origin[:3]
    for commit in range(commits):
        low = [int(rng.integers(0, size)) for size in SIZE]
        high = [int(rng.integers(lo + 1, size + 1)) for lo, size in zip(low, SIZE)]
        if commit == 0:
            low, high = [0, 0, 0], [SIZE[0], SIZE[1], SIZE[2] // 2]
        box = tuple(slice(int(o) + lo, int(o) + hi) for o, lo, hi in zip(origin, low, high))
        shape = [hi - lo for lo, hi in zip(low, high)] + [1]
        # Few labels, constant along x, and background: some chunks are not stored.
        labels = np.repeat(rng.integers(2**60, 2**60 + 5, [1] + shape[1:], dtype=np.uint64), shape[0], axis=0)
        labels[: shape[0] // 3] = 0
        with ts.Transaction(atomic=True) as txn:
            store.with_transaction(txn)[box[0], box[1], box[2], :] = labels


CONFIGS = {
    "usual": {},
    "tiny": {"max_decoded_node_bytes": 200, "max_inline_value_bytes": 0, "version_tree_arity_log2": 1},
    "inline": {"max_decoded_node_bytes": 50000, "max_inline_value_bytes": 20000, "version_tree_arity_log2": 2},
    "plain": {"compression": None, "max_decoded_node_bytes": 3000},
    "numbered": {"manifest_kind": "numbered", "max_decoded_node_bytes": 1000, "version_tree_arity_log2": 1},
}
FORKED = "usual"


class Client:
    def make(self, folder, commits):
        """Writes one database for each configuration, and a fork. Returns their latest generations."""
        latest = {}
        for seed, (name, config) in enumerate(CONFIGS.items()):
            spec = {"driver": "ocdbt", "base": file_at(folder, name, ""), "config": config}
            write_labels(spec, commits, seed)
            latest[name] = self.latest(spec)
        os.makedirs(os.path.join(folder, "fork"))
        with open(os.path.join(folder, FORKED, "manifest.ocdbt"), "rb") as source:
            with open(os.path.join(folder, "fork", "manifest.ocdbt"), "wb") as target:
                target.write(source.read())
        prefixes = {f"{kind}_data_prefix": "graph_" for kind in ("value", "btree_node", "version_tree_node")}
        fork = {"driver": "ocdbt", "base": self.fork(folder), **prefixes}
        write_labels(fork, 3, 0)
        latest["fork"] = self.latest(fork)
        return latest

    def fork(self, folder):
        return {
            "driver": "kvstack",
            "layers": [
                {"base": file_at(folder, FORKED, "")},
                {"exact": "manifest.ocdbt", "base": file_at(folder, "fork", "manifest.ocdbt")},
                {"prefix": "graph_", "base": file_at(folder, "fork", "data", "")},
            ],
        }

    def latest(self, spec):
        kv = ts.KvStore.open(spec, context=ts.Context()).result()
        generation = 1
        while True:
            try:
                version = ts.KvStore.open({**spec, "version": generation + 1}, context=ts.Context()).result()
                version.read("absent").result()
            except ValueError:
                return generation
            generation += 1

    def points(self, spec, version, points):
        """Reads voxels from a volume at a version, with an empty cache of 100 MB. Missing: the path is wrong."""
        context = ts.Context({"cache_pool": {"total_bytes_limit": 100_000_000}})
        kvstore = {**spec, "path": FOLDER, **({} if version is None else {"version": int(version)})}
        store = ts.open({"driver": "neuroglancer_precomputed", "kvstore": kvstore}, context=context).result()
        x, y, z = points.reshape(-1, 3).T
        return store[x, y, z, 0].read().result()


wire.serve(Client())
