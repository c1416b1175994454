"""Errors as a client may see them, and as the log may.

A client sees the project's own errors whole, but for those of a store or of the file of keys, whose messages name
files. Whatever else went wrong is INTERNAL with the request's id. The log gets the kind of such an error and where it
happened, and never its message, the document or the variables: those hold people's addresses.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from identity_graph.errors import CODES, IdentityGraphError, StoreError

log = logging.getLogger("identity_graph.api")


def show(error: BaseException, request_id: str) -> dict[str, Any]:
    """One entry of `errors` in a response."""
    cause = _cause(error)
    shown = _shown(error, cause, request_id)
    if isinstance(error, GraphQLError):
        if error.locations:
            shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
        if error.path is not None:
            shown["path"] = list(error.path)
    return shown


def show_all(errors: Sequence[BaseException], request_id: str) -> list[dict[str, Any]]:
    return [show(error, request_id) for error in errors]


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _shown(error: BaseException, cause: BaseException, request_id: str) -> dict[str, Any]:
    if isinstance(cause, StoreError) and cause.code in ("STORE_TIMEOUT", "SEGMENT_NOT_READY"):
        log.warning("request %s: %s: %s", request_id, cause.code, cause.message)
        return _entry(CODES[cause.code], cause.code, cause.help)
    if isinstance(cause, StoreError) or getattr(cause, "code", "") == "KEYS_FILE":
        assert isinstance(cause, IdentityGraphError)
        log.error("request %s: %s: %s", request_id, cause.code, cause.message)
        return _entry(CODES[cause.code], cause.code, f"The log has more under request {request_id}.")
    if isinstance(cause, IdentityGraphError):
        return _entry(cause.message, cause.code, cause.help)
    if isinstance(cause, GraphQLError):
        assert isinstance(error, GraphQLError)
        return _entry(error.message, "QUERY_INVALID", "Compare the request with the schema at /schema.graphql.")
    log.error("request %s: %s at %s", request_id, type(cause).__qualname__, _places(cause))
    return _entry(f"a defect of the service; request {request_id}", "INTERNAL", CODES["INTERNAL"])


def _entry(message: str, code: str, help: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, "help": help}}


def _places(error: BaseException) -> str:
    """The way to the error, innermost first: file, line and function, and nothing of any value."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames)) or "nowhere"
