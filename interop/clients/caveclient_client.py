"""Answers with CAVEclient: with its ChunkedGraphClient alone, and with a whole client started by the name of a datastack."""
import functools

from caveclient import CAVEclient
from caveclient.auth import AuthClient
from caveclient.chunkedgraph import ChunkedGraphClient

import wire

TOKEN = "0123456789abcdef"


@functools.cache
def chunkedgraph(server, table):
    auth = AuthClient(token=TOKEN, server_address=server)
    return ChunkedGraphClient(server_address=server, table_name=table, auth_client=auth, max_retries=0)


def start(server, datastack, **options):
    return CAVEclient(datastack, server_address=server, auth_token=TOKEN, write_server_cache=False, max_retries=0, **options)


class Client:
    def start(self, server, datastack):
        """Returns the settings that a client finds by the name of a datastack alone."""
        client = start(server, datastack)
        versions = sorted(client.materialize.get_versions())
        return {
            "datastack": client.datastack_name,
            "segmentation": client.info.segmentation_source(),
            "resolution": list(client.info.viewer_resolution()),
            "versions": versions,
            "timestamps": {version: client.materialize.get_timestamp(version) for version in versions},
        }

    def roots_of_version(self, server, datastack, version, ids):
        return start(server, datastack, version=version).chunkedgraph.get_roots(ids)

    def call_chunkedgraph(self, server, table, method, **options):
        """Calls a method of ChunkedGraphClient, or reads a property."""
        member = getattr(chunkedgraph(server, table), method)
        return member(**options) if callable(member) else member


wire.serve(Client())
