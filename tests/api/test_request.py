"""Reading a request: what is taken, and with which code everything else is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from identity_graph.api.request import MAX_NESTING, from_body, from_parameters, read_body
from identity_graph.api.terms import MAX_BODY
from identity_graph.errors import QueryError


def nested(levels: int) -> bytes:
    return b'{"query": "{a}", "variables": ' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"1",
        b'"{ a }"',
        b"[]",
        b'[{"query": "{ a }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ a }"]}',
        b'{"query": "{ a }", "operationName": 1}',
        b'{"query": "{ a }", "operationName": {}}',
        b'{"query": "{ a }", "variables": "{}"}',
        b'{"query": "{ a }", "variables": []}',
        b'{"query": "{ a }", "extensions": 1}',
        b'{"query": "{ a }", "query": "{ b }"}',
        b'{"query": "{ a }", "variables": {"a": 1, "a": 2}}',
        b'{"query": "{ a }", "variables": {"a": NaN}}',
        b'{"query": "{ a }", "variables": {"a": Infinity}}',
        b'{"query": "{ a }", "variables": {"a": 1e999}}',
        b'{"query": "{ a }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
        b'{"query": "{ a }", "variables": {"a": "\\ud800"}}',
        b'{"query": "\xff"}',
        b'\xef\xbb\xbf{"query": "{ a }"}',
        b'{"query": "{ a }"} {}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        nested(MAX_NESTING + 1),
        nested(5_000),
    ],
    ids=lambda body: repr(body[:48]),
)
def test_a_body_that_is_no_request_is_refused_with_its_code(body: bytes) -> None:
    with pytest.raises(QueryError) as caught:
        from_body(body)
    assert caught.value.code == "BODY_INVALID"
    assert caught.value.help


def test_what_is_well_formed_is_taken_as_it_is() -> None:
    body = '{"query": "{ ä }", "variables": {"n": 123456789012345678901, "t": "😀"}, "operationName": "O", "more": 1}'
    request = from_body(body.encode())
    assert request.query == "{ ä }"
    assert request.variables == {"n": 123456789012345678901, "t": "😀"}
    assert request.operation_name == "O"
    assert from_body(b'{"query": "{a}", "variables": null, "operationName": null, "extensions": null}').variables == {}
    assert from_body(nested(MAX_NESTING - 1)).variables


def test_parameters_of_a_url_are_read_alike() -> None:
    request = from_parameters([("query", "{ a }"), ("variables", '{"a": 1}'), ("operationName", "O")])
    assert request == from_body(b'{"query": "{ a }", "variables": {"a": 1}, "operationName": "O"}')
    assert from_parameters([("query", "{ a }"), ("variables", "")]).variables == {}


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("query", "{ a }"), ("query", "{ b }")],
        [("query", "{ a }"), ("variables", "[1]")],
        [("query", "{ a }"), ("variables", "{")],
        [("query", "{ a }"), ("variables", '{"a": "\ud800"}')],
        [("query", "\ud800")],
    ],
)
def test_parameters_that_are_no_request_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(QueryError) as caught:
        from_parameters(pairs)
    assert caught.value.code == "BODY_INVALID"


class Stream:
    """A body that counts how much of it was asked for."""

    def __init__(self, *, chunks: int, size: int) -> None:
        self.chunks, self.size, self.given = chunks, size, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.chunks):
            self.given += self.size
            yield b"x" * self.size


def test_a_body_is_given_up_where_it_becomes_too_large() -> None:
    stream = Stream(chunks=1_000, size=64_000)
    with pytest.raises(QueryError) as caught:
        anyio.run(read_body, stream)
    assert caught.value.code == "BODY_TOO_LARGE"
    assert stream.given <= MAX_BODY + 64_000


def test_a_declared_length_that_is_too_large_is_not_even_read() -> None:
    stream = Stream(chunks=1, size=10)
    with pytest.raises(QueryError) as caught:
        anyio.run(read_body, stream, "9" * 30)
    assert caught.value.code == "BODY_TOO_LARGE"
    assert stream.given == 0


@pytest.mark.parametrize("declared", [None, "10", "-1", "ten", "²"])
def test_a_small_body_is_read_whole(declared: str | None) -> None:
    assert anyio.run(read_body, Stream(chunks=16, size=MAX_BODY // 16), declared) == b"x" * MAX_BODY
