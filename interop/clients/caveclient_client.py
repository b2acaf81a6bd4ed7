"""CAVEclient's answers: its client of the chunkedgraph alone, made directly; and what a whole CAVEclient finds out when it starts."""
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


class Client:
    def ask(self, server, table, method, **options):
        """A method of ChunkedGraphClient, or one of its properties."""
        member = getattr(chunkedgraph(server, table), method)
        return member(**options) if callable(member) else member


wire.serve(Client())
