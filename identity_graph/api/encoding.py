"""Answers as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON, also of what orjson refuses: integers beyond 64 bits and lone surrogates in stored traits."""
    try:
        return orjson.dumps(body, default=_plain)
    except TypeError:
        return json.dumps(body, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__qualname__)
