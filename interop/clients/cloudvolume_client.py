"""Answers with CloudVolume. Timestamps are seconds since 1970; CloudVolume rounds fractions up."""
import functools

import numpy as np
from cloudvolume import Bbox, CloudVolume

import wire


TOKEN = "0123456789abcdef"


@functools.cache
def volume(path, mip):
    secrets = {"secrets": {"token": TOKEN}} if path.startswith("graphene://") else {}
    return CloudVolume(path, mip=mip, **secrets, bounded=False, fill_missing=True, progress=False, use_https=True, lru_bytes=100_000_000)


class Client:
    def whole(self, path, mip):
        """Returns every voxel of a scale; x fastest, channels last."""
        at = volume(path, mip)
        return np.asarray(at.download(at.bounds, mip=mip))

    def download(self, path, mip, box, **options):
        return np.asarray(volume(path, mip).download(Bbox(box[:3], box[3:]), mip=mip, **options))

    def scattered_points(self, path, mip, points, **options):
        """Returns one value per point, in the order of `points`: voxels of mip 0, xyz interleaved."""
        found = volume(path, mip).scattered_points(points.reshape(-1, 3), mip=mip, **options)
        voxel = volume(path, mip).point_to_mip
        return np.array([found[tuple(voxel(point, mip=0, to_mip=mip))] for point in points.reshape(-1, 3)], dtype=np.uint64)

    def get_roots(self, path, ids, **options):
        return volume(path, 0).get_roots(ids, **options)

    def get_leaves(self, path, root, box, **options):
        return volume(path, 0).get_leaves(root, Bbox(box[:3], box[3:]), mip=0, **options)

    def get_chunk_mappings(self, path, chunk, timestamp):
        return volume(path, 0).get_chunk_mappings(chunk, timestamp=timestamp)


wire.serve(Client())
