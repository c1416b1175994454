"""The tracking API of the Segment spec: what its libraries send by POST to `/v1/track` and its like."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from identity_graph.access import Door
from identity_graph.api.admission import CHALLENGE, RATE_HEADERS, STATUS, is_bearer, let_in, with_rate
from identity_graph.api.endpoint import new_request_id
from identity_graph.api.inflating import inflated
from identity_graph.api.masking import show
from identity_graph.api.metrics import name_operation
from identity_graph.api.request import arrived
from identity_graph.errors import QueryError, StoreError
from identity_graph.tracking.sent import BATCHES, MAX_BODY, TYPES
from identity_graph.tracking.tracking import Tracking

RETRY_AFTER = "1"

_STATUS = STATUS | {
    "MESSAGE_INVALID": 400,
    "WRITE_KEY_INVALID": 401,
    "MESSAGE_TOO_LARGE": 413,
    "MEDIA_TYPE": 415,
    "SERVER_BUSY": 429,
}
_SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
"""As the library for browsers writes the paths."""

_SUCCESS = b'{"success":true}'


def track_routes(tracking: Tracking, door: Door | None = None) -> list[Route]:
    service = _Service(tracking, door)
    kinds = {kind: kind for kind in (*TYPES, *BATCHES)} | _SHORT
    return [Route(f"/v1/{path}", service.of(kind, path), methods=["POST", "OPTIONS"]) for path, kind in kinds.items()]


class _Service:
    def __init__(self, tracking: Tracking, door: Door | None) -> None:
        self._tracking = tracking
        self._door = door

    def of(self, kind: str, path: str) -> Any:
        async def answer(request: Request) -> Response:
            name_operation(request, kind)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=_allowed(request))
            try:
                await self._take(request, kind, path)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:
                return with_rate(request, _refusal(error))
            return with_rate(request, Response(_SUCCESS, headers=_HEADERS, media_type="application/json"))

        return answer

    async def _take(self, request: Request, kind: str, path: str) -> None:
        """Until it is durable."""
        headers = request.headers
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise QueryError("MEDIA_TYPE", "the body is compressed in another way than gzip", help="Send it by gzip.")
        known = self._door is not None and is_bearer(headers.get("authorization"))
        key = None
        if known:
            await let_in(self._door, request, f"POST /v1/{path}")
        else:
            key = _key(headers.get("authorization"))
            if key is None:
                key = request.query_params.get("writeKey")
            if key is not None:
                self._tracking.keys.source(key)
        length = headers.get("content-length", "")
        declared = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
        if declared is not None and declared > MAX_BODY:
            raise _too_large()
        with self._tracking.seat(MAX_BODY if declared is None or encoding == "gzip" else declared):
            body = await _read(request)
            if encoding == "gzip":
                body = inflated(body, MAX_BODY)
            objects = headers.get("sec-gpc", "").strip() == "1"  # Global Privacy Control: 1, or not there
            await asyncio.wrap_future(self._tracking.store(body, kind, key, known=known, objects=objects))


async def _read(request: Request) -> bytes:
    try:
        body = await arrived(request.stream(), MAX_BODY)
    except TimeoutError:
        raise QueryError("MESSAGE_INVALID", "the body did not arrive in time") from None
    if body is None:
        raise _too_large()
    return body


def _key(authorization: str | None) -> str | None:
    """The user of basic authentication; libraries send no password. None where there is none."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user.partition(":")[0]


_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": ", ".join(RATE_HEADERS),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}


def _allowed(request: Request) -> Mapping[str, str]:
    """Pages of any origin may send: a write key says who it is for, and nothing is answered that could leak."""
    return {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "86400",
        "vary": "access-control-request-headers",
    }


def _refusal(error: Exception) -> Response:
    """`code` and `message` stand where the libraries look for them."""
    request_id = new_request_id()
    shown = show(error, request_id)
    code = shown["extensions"]["code"]
    status = _STATUS.get(code, 503 if isinstance(error, StoreError) else 500)
    body = {"success": False, "code": code, "message": shown["message"], "help": shown["extensions"].get("help", "")}
    headers = _HEADERS | {"x-request-id": request_id}
    if status in (429, 503):
        headers["retry-after"] = RETRY_AFTER
    if status == 401:
        headers["www-authenticate"] = CHALLENGE if code == "UNAUTHENTICATED" else 'Basic realm="write key"'
    return Response(orjson.dumps(body), status, headers, "application/json")


def _too_large() -> QueryError:
    return QueryError("MESSAGE_TOO_LARGE", f"the body is larger than {MAX_BODY:,} bytes")
