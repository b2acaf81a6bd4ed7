"""Asks a transform service with fafbseg-py, and with requests as a script in plain Python does."""
import functools

import requests
from fafbseg import flywire, spine
from fafbseg.spine.base import TransformService

import wire


@functools.cache
def service(url):
    return TransformService(base_url=url)


class Client:
    def info(self, url):
        return service(url).info

    def get_segids(self, url, points, **options):
        """`points`: xyz interleaved."""
        return service(url).get_segids(points.reshape(-1, 3), **options)

    def locs_to_supervoxels(self, url, points, **options):
        """Asks as a user of FlyWire does: by the name of a CAVE dataset, at the first service that knows it."""
        spine.lookup_services[:] = [service(url)]
        return flywire.locs_to_supervoxels(points.reshape(-1, 3), **options)

    def post(self, url, **options):
        """Sends one request with `requests`. Integers in the answer keep their digits."""
        reply = requests.post(url, **options)
        reply.raise_for_status()
        return reply.json()


wire.serve(Client())
