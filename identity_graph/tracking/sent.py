"""What a library sent: one message, or a batch of them, with what is said of all of them."""

from __future__ import annotations

import json
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
    found, exact = _read(body)
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
        [message if sure and message.__class__ is dict else _checked(message, exact) for message in messages],
        found.get("sentAt") if kind != "import" else None,
        key if isinstance(key, str) else None,
    )


def _read(body: bytes) -> tuple[Any, bool]:
    """The JSON, and whether it is exact: no number in it was rounded and no key lost, and nothing is in it that JSON
    must not hold."""
    try:
        found = orjson.loads(body)
        if not may_deceive(body) and not repeats(body, found):
            return found, True
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass
    try:
        # NaN, half of a surrogate pair, a key that is there twice: of one message, not of all
        return json.loads(body.decode(), object_pairs_hook=all_pairs), False
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


def _checked(message: Any, exact: bool) -> dict[str, Any] | tuple[bytes, Refusal]:
    raw = _raw(message, exact)
    if len(raw) > MAX_MESSAGE:
        return raw, ("MESSAGE_TOO_LARGE", f"the message is larger than {MAX_MESSAGE:,} bytes")
    if exact and message.__class__ is dict and _flat(raw):
        found: dict[str, Any] = message
        return found
    read = read_json(raw)
    return read if isinstance(read, dict) else (raw, read or ("NOT_JSON", "the message is empty"))


def _raw(message: Any, exact: bool) -> bytes:
    if exact:
        try:
            return orjson.dumps(message)
        except orjson.JSONEncodeError:
            pass  # it reads four times as deep as it writes
    try:
        return write_record(message)
    except RecursionError:
        raise _invalid("the body nests too deep") from None


def _invalid(message: str) -> QueryError:
    return QueryError("MESSAGE_INVALID", message)
