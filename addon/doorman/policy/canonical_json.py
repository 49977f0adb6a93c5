"""One form for every way to write the same JSON value, and its digest.

What a person approves, and what an idempotency key stands for, is a request, not the
bytes that it came in: the order of the keys, 1 or 1.0, and the two ways to write é in
Unicode make no difference.
"""

import hashlib
import json
import math
import unicodedata


def canonical(value):
    """:return: the same value, as every equal value is written
    :raise ValueError: if it is not a JSON value, or two of its keys become the same
    """
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("no number of JSON")
        return int(value) if value == int(value) else value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("the keys of an object are texts")
        written = {canonical(key): canonical(item) for key, item in value.items()}
        if len(written) != len(value):
            raise ValueError("two keys are the same")
        return written
    raise ValueError(f"{type(value).__name__} is not a JSON value")


def text(value):
    """:return: the canonical form, as JSON text"""
    return json.dumps(
        canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def digest(value):
    """:return: SHA-256 of the canonical form, 64 hex digits"""
    return hashlib.sha256(text(value).encode()).hexdigest()


def of_request(request):
    """What a request would do: two with the same digest do the same.

    :param dict request: model, method, ids, kwargs, context
    """
    return digest(
        [request.get(k) for k in ("model", "method", "ids", "kwargs", "context")]
    )
