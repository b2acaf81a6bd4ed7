"""Reads requests from standard input and writes answers to standard output, as one JSON line each.

IDs and other integers travel as text or as bytes, so that they never lose digits in a double.
"""
import base64
import datetime
import json
import os
import sys
import traceback

import numpy as np


def _from_wire(value):
    if set(value) == {"dtype", "base64"}:
        return np.frombuffer(base64.b64decode(value["base64"]), dtype=value["dtype"])
    if set(value) == {"int"}:
        return int(value["int"])
    if set(value) == {"shape", "values"}:
        return np.array(value["values"]).reshape(value["shape"])
    if set(value) == {"ms"}:
        return datetime.datetime.fromtimestamp(value["ms"] / 1000, datetime.timezone.utc)
    return value


def _to_wire(value):
    if isinstance(value, np.ndarray) and value.dtype.kind in "uif":
        flat = np.asarray(value).ravel(order="F")  # x fastest
        return {"dtype": flat.dtype.str, "base64": base64.b64encode(flat.tobytes()).decode()}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if hasattr(value, "to_dict"):  # a data frame
        return _to_wire(value.to_dict("records"))
    if value is not None and type(value).__name__ == "Version":
        return str(value)
    if isinstance(value, dict):
        return {str(key): _to_wire(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [_to_wire(item) for item in value]
    return value


def serve(client):
    """Answers requests with the methods of `client` until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keeps the output of libraries apart from the answers
    for line in sys.stdin:
        request = json.loads(line, object_hook=_from_wire)
        try:
            answer = {"answer": _to_wire(getattr(client, request["call"])(**request["args"]))}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:1000]}
        print(json.dumps(answer), file=answers, flush=True)
