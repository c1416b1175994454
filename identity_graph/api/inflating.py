"""Bodies that a sender compressed: a thousand bytes may hold a million, so it is counted while they come out."""

from __future__ import annotations

import zlib

from identity_graph.errors import QueryError


def inflated(body: bytes, most: int) -> bytes:
    """What was compressed by gzip. Raises MESSAGE_TOO_LARGE as soon as it is over `most` bytes, and MESSAGE_INVALID.

    >>> import gzip
    >>> inflated(gzip.compress(b"{}"), 100)
    b'{}'
    """
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        found = stream.decompress(body, most + 1)
    except zlib.error as error:
        raise QueryError("MESSAGE_INVALID", f"the body is not of gzip: {error}") from None
    if len(found) > most:
        raise QueryError("MESSAGE_TOO_LARGE", f"the body, unpacked, is larger than {most:,} bytes")
    if not stream.eof or stream.unused_data:
        raise QueryError("MESSAGE_INVALID", "the body of gzip ends in the middle, or something comes after its end")
    return found
