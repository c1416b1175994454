"""What a library sent: one message, or a batch of them, with what is said of all of them."""

from __future__ import annotations

import json
import re
from math import isfinite
from secrets import token_hex
from typing import Any, NamedTuple

import orjson

from identity_graph.errors import QueryError
from identity_graph.records.event_bytes import write_record
from identity_graph.records.json_record import MAX_DEPTH, Refusal, Twice, all_pairs, may_deceive, read_json, repeats

MAX_BODY = 500 << 10
MAX_MESSAGE = 32 << 10
MAX_MESSAGES = 5_000  # of a batch; empty ones would fit by the hundred thousand, and quarantine would keep each

TYPES = ("identify", "track", "page", "screen", "group", "alias", "merge")
BATCHES = ("batch", "import")
SHARED = ("context", "integrations")


class Sent(NamedTuple):
    """`messages` are objects, or what became of something else: its bytes, and the code and message of its refusal.

    `sent_at` is what the sender's clock said, None where its times are not to be corrected by it.
    """

    messages: list[dict[str, Any] | tuple[bytes, Refusal]]
    sent_at: Any
    key: str | None


def read_sent(body: bytes, kind: str) -> Sent:
    """Of a request to the path of this kind: one of TYPES or of BATCHES. Raises MESSAGE_INVALID, MESSAGE_TOO_LARGE.

    A message of a batch that cannot be read, or is too large, is refused alone.
    """
    if kind in TYPES and len(body) > MAX_MESSAGE:
        raise QueryError("MESSAGE_TOO_LARGE", f"the message is larger than {MAX_MESSAGE:,} bytes")
    found, written = _read(body)
    exact = written is None
    if not isinstance(found, dict):
        raise _invalid("the body is not a JSON object")
    key = found.get("writeKey")
    if kind in TYPES:
        found["type"] = kind
        messages: Any = [found]
    else:
        if any(isinstance(each, Twice) for each in (found, *map(found.get, SHARED))):
            raise _invalid("the body names a key twice, or what it says of all messages does")
        messages = found.get("batch")
        if not isinstance(messages, list):
            raise _invalid("the body has no list 'batch'")
        if len(messages) > MAX_MESSAGES:
            raise QueryError("MESSAGE_TOO_LARGE", f"the batch has more than {MAX_MESSAGES:,} messages")
        for name in SHARED:
            _spread(found.get(name), name, messages)
    sure = exact and len(body) <= MAX_MESSAGE and _flat(body)
    return Sent(
        [message if sure and message.__class__ is dict else _checked(message, written) for message in messages],
        found.get("sentAt") if kind != "import" else None,
        key if key.__class__ is str else None,
    )


class _Boundless(str):
    """Stands for a number that is larger than a double."""


class _AsWritten:
    """Writes what was read, numbers that no double holds as they were sent: `json` would read `1e999` as Infinity."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._mark = token_hex(16)  # which nobody can have sent
        self._marked = re.compile(rb'"%s(\d+)"' % self._mark.encode())

    def fraction(self, text: str) -> float | _Boundless:
        number = float(text)
        if isfinite(number):
            return number
        self._texts.append(text.encode())
        return _Boundless(f"{self._mark}{len(self._texts) - 1}")

    def write(self, found: Any) -> bytes:
        raw = write_record(found)
        return self._marked.sub(lambda match: self._texts[int(match[1])], raw) if self._texts else raw


def _read(body: bytes) -> tuple[Any, _AsWritten | None]:
    """The JSON, and None if it is exact: no number in it was rounded and no key lost, and nothing is in it that JSON
    must not hold. Else who writes it again."""
    try:
        found = orjson.loads(body)
        if not may_deceive(body) and not repeats(body, found):
            return found, None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass
    try:
        # NaN, half of a surrogate pair, a key that is there twice: of one message, not of all
        written = _AsWritten()
        found = json.loads(body.decode(), object_pairs_hook=all_pairs, parse_float=written.fraction)
        return found, written
    except UnicodeDecodeError:
        raise _invalid("the body is not UTF-8") from None
    except RecursionError:
        raise _invalid("the body nests too deep") from None
    except ValueError:
        raise _invalid("the body is not JSON") from None


def _spread(shared: Any, name: str, messages: list[Any]) -> None:
    """What is said of a batch holds for each message that does not say otherwise."""
    if isinstance(shared, dict) and shared:
        for message in messages:
            if isinstance(message, dict):
                own = message.get(name)
                if own is None or (isinstance(own, dict) and not isinstance(own, Twice)):
                    message[name] = shared | (own or {})


def _flat(raw: bytes) -> bool:
    """Whether it is seen at once that nothing in it nests too deep."""
    return raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH


def _checked(message: Any, written: _AsWritten | None) -> dict[str, Any] | tuple[bytes, Refusal]:
    raw = _raw(message, written)
    if len(raw) > MAX_MESSAGE:
        return raw, ("MESSAGE_TOO_LARGE", f"the message is larger than {MAX_MESSAGE:,} bytes")
    if written is None and message.__class__ is dict and _flat(raw):
        found: dict[str, Any] = message
        return found
    read = read_json(raw)
    return read if isinstance(read, dict) else (raw, read or ("NOT_JSON", "the message is empty"))


def _raw(message: Any, written: _AsWritten | None) -> bytes:
    if written is None:
        try:
            return orjson.dumps(message)
        except orjson.JSONEncodeError:
            pass  # it reads four times as deep as it writes
    try:
        return written.write(message) if written else write_record(message)
    except RecursionError:
        raise _invalid("the body nests too deep") from None


def _invalid(message: str) -> QueryError:
    return QueryError("MESSAGE_INVALID", message)
