"""What a client asks: a GraphQL request, read strictly from a body or from the parameters of a URL.

Two readers of one JSON text must never understand different things, so a repeated key is refused, as is what
only some parsers take: NaN, half of a surrogate pair, a byte order mark, bytes that are not UTF-8.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from identity_graph.api.terms import MAX_BODY
from identity_graph.errors import QueryError

MAX_NESTING = 64
PATIENCE = 20.0  # seconds for a body to arrive
_HASH = re.compile("[0-9a-f]{64}")


class GraphQLRequest(NamedTuple):
    """`sha256` is that of the document, hexadecimal; without a `query` the client trusts that it is known here."""

    query: str | None
    variables: Mapping[str, Any]
    operation_name: str | None
    sha256: str | None = None


async def read_body(chunks: AsyncIterable[bytes], declared: str | None = None, most: int = MAX_BODY) -> bytes:
    """The body, given up as soon as it is too large: at its declared length, or in the middle of the stream.

    Raises BODY_TOO_LARGE, and BODY_INVALID when it does not arrive.
    """
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise _too_large(most)
    try:
        body = await arrived(chunks, most)
    except TimeoutError:
        raise _invalid(f"the body did not arrive within {PATIENCE:.0f} s") from None
    if body is None:
        raise _too_large(most)
    return body


async def arrived(chunks: AsyncIterable[bytes], most: int) -> bytes | None:
    """All of it; None as soon as there is more. Raises TimeoutError."""
    body = bytearray()
    async with asyncio.timeout(PATIENCE):
        async for chunk in chunks:
            if len(body) + len(chunk) > most:
                return None
            body += chunk
    return bytes(body)


def from_body(body: bytes) -> GraphQLRequest:
    """The request in a JSON body. Raises BODY_INVALID."""
    return from_mapping(strict_json(body, "the body"))


def from_parameters(pairs: Iterable[tuple[str, str]]) -> GraphQLRequest:
    """The request in a URL: `variables` and `extensions` are JSON texts. Raises BODY_INVALID."""
    parameters: dict[str, Any] = {}
    for name, value in pairs:
        if name in parameters:
            raise _invalid(f"the parameter {name[:40]!r} is given twice")
        parameters[name] = value
    for name in ("variables", "extensions"):
        if name in parameters:
            text = parameters[name]
            parameters[name] = strict_json(_encoded(text), f"the parameter {name!r}") if text else None
    return from_mapping(parameters)


def from_mapping(found: Any) -> GraphQLRequest:
    """Check the types of the members; others than the four of the specification are left alone.

    Raises BODY_INVALID.

    >>> from_mapping({"query": "{ stats { events } }"}).variables
    {}
    """
    if isinstance(found, list):
        raise _invalid("several requests in one body are not taken", help="Send them one by one.")
    if not isinstance(found, Mapping):
        raise _invalid(f"a request is a JSON object, not {_kind(found)}")
    query = found.get("query")
    if not isinstance(query, str | None):
        raise _invalid(f"'query' is a text, not {_kind(query)}")
    _encoded(query or "")
    name = found.get("operationName")
    if not isinstance(name, str | None):
        raise _invalid(f"'operationName' is a text, not {_kind(name)}")
    for member in ("variables", "extensions"):
        if not isinstance(found.get(member), Mapping | None):
            raise _invalid(f"{member!r} is an object, not {_kind(found[member])}")
    variables = found.get("variables") or {}
    _check_nesting(variables)
    sha256 = _sha256(found)
    if query is None and sha256 is None:
        raise _invalid("the request has no 'query'")
    return GraphQLRequest(query, variables, name, sha256)


def _sha256(found: Mapping[str, Any]) -> str | None:
    """As `extensions.persistedQuery.sha256Hash`, or as `documentId: "sha256:..."`."""
    persisted = (found.get("extensions") or {}).get("persistedQuery")
    named = found.get("documentId")
    if persisted is None and named is None:
        return None
    sha256: Any = None
    if isinstance(persisted, Mapping) and persisted.get("version") == 1:
        sha256 = persisted.get("sha256Hash")
    elif persisted is None and isinstance(named, str) and named.startswith("sha256:"):
        sha256 = named.removeprefix("sha256:")
    if not isinstance(sha256, str) or not _HASH.fullmatch(sha256):
        raise _invalid("the document is named by something else than its SHA-256")
    return sha256


def strict_json(text: bytes, where: str) -> Any:
    """Raises BODY_INVALID."""
    try:
        orjson.loads(text)
        # Again, because orjson keeps the last of two equal keys and rounds integers beyond 64 bits.
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise _invalid(f"{where} nests deeper than {MAX_NESTING} levels") from None
    except ValueError as error:
        reason = "two members of one name" if error.args == (_unique,) else "not JSON in UTF-8"
        raise _invalid(f"{where} is not understood: {reason}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(_unique)
    return found


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _invalid("a text holds half of a surrogate pair") from None


def _check_nesting(variables: Mapping[str, Any]) -> None:
    level: list[Any] = [variables]
    for _ in range(MAX_NESTING):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, Mapping) else value)
            if isinstance(child, Mapping | list)
        ]
        if not level:
            return
    raise _invalid(f"'variables' nests deeper than {MAX_NESTING} levels")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (Mapping, "an object"),
        (list, "a list"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), type(value).__name__)


def _invalid(message: str, help: str = "") -> QueryError:
    return QueryError("BODY_INVALID", message, help=help or 'Send {"query": "...", "variables": {...}} as JSON.')


def _too_large(most: int) -> QueryError:
    return QueryError(
        "BODY_TOO_LARGE",
        f"the body is larger than {most:,} bytes",
        help="Send fewer events at once, or load a file with identity-graph load.",
    )
