"""Looks up root IDs of supervoxels at a timestamp, on a PyChunkedGraph server. Standard library only."""
import struct
import time
import urllib.error
import urllib.request


def roots_at(server, table, supervoxels, timestamp, token=None, attempts=3):
    """Returns roots in the order of `supervoxels`, at `timestamp` (unix seconds). Retries 429 and 5xx."""
    url = f"{server}/segmentation/api/v1/table/{table}/roots_binary?timestamp={timestamp}"
    headers = {"Content-Type": "application/octet-stream"}  # urllib would say that it is a form, and the server gives no IDs for a form
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = struct.pack(f"<{len(supervoxels)}Q", *supervoxels)
    for attempt in range(attempts):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers)) as response:
                answer = response.read()
            break
        except urllib.error.HTTPError as error:
            if attempt == attempts - 1 or (error.code != 429 and error.code < 500):
                raise
            time.sleep(float(error.headers.get("Retry-After", "0")))
    if len(answer) != len(body):
        raise ValueError(f"sent {len(supervoxels)} IDs, got {len(answer)} bytes")
    return list(struct.unpack(f"<{len(supervoxels)}Q", answer))
