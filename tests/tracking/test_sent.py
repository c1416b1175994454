"""Bodies as bytes: what is read of them is what was meant, and no body is a defect of the server."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import QueryError
from identity_graph.records.json_record import read_json
from identity_graph.tracking.sent import MAX_MESSAGE, read_sent
from tests.conftest import law

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("depth", [60, 64, 65, 200, 260, 900, 990, 1_020, 1_030, 5_000, 100_000])
def test_a_deep_message_is_refused_alone_or_with_its_body(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = b'{"batch":[{"userId":"u"},' + deep + b"]}"
    try:
        good, found = read_sent(body, "batch").messages
    except QueryError as error:
        assert error.code == "MESSAGE_INVALID" and depth > 900
        return
    assert good == {"userId": "u"}
    if isinstance(found, dict):
        assert depth <= 64
    else:
        assert depth > 64 and found[1][0] == "RECORD_TOO_DEEP"


@law(300)
@given(
    body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()),
    kind=st.sampled_from(["track", "batch"]),
)
def test_whatever_comes_is_read_or_refused(body: bytes, kind: str) -> None:
    try:
        read_sent(body, kind)
    except QueryError as error:
        assert error.code == "MESSAGE_INVALID"


@law(300)
@given(messages=st.lists(VALUES, max_size=8))
def test_each_message_of_a_batch_is_as_it_was_sent_or_refused(messages: list[Any]) -> None:
    found = read_sent(json.dumps({"batch": messages}).encode(), "batch").messages
    assert len(found) == len(messages)
    for sent, read in zip(messages, found, strict=True):
        if isinstance(read, dict):
            assert json.dumps(read, sort_keys=True) == json.dumps(sent, sort_keys=True)
        else:
            raw, (code, _) = read
            assert code in ("NOT_OBJECT", "NUMBER_RANGE", "NUMBER_NOT_FINITE", "TEXT_SURROGATE")
            assert code != "NOT_OBJECT" or not isinstance(sent, dict)
            assert json.dumps(json.loads(raw), sort_keys=True) == json.dumps(sent, sort_keys=True)


def test_the_largest_message_is_the_largest_to_the_byte() -> None:
    frame = len(json.dumps({"userId": ""}))
    for size in (MAX_MESSAGE, MAX_MESSAGE + 1):
        body = json.dumps({"userId": "x" * (size - frame)}).encode()
        assert len(body) == size
        if size > MAX_MESSAGE:
            with pytest.raises(QueryError) as caught:
                read_sent(body, "track")
            assert caught.value.code == "MESSAGE_TOO_LARGE"
        else:
            assert len(read_sent(body, "track").messages) == 1


def test_what_the_path_says_is_what_it_is() -> None:
    assert read_sent(b'{"type": "alias", "userId": "u"}', "track").messages == [{"type": "track", "userId": "u"}]
    sent = read_sent(b'{"batch": [{"type": "alias"}], "sentAt": "then", "writeKey": 7}', "batch")
    assert (sent.messages, sent.sent_at, sent.key) == ([{"type": "alias"}], "then", None)
    assert read_sent(b'{"batch": [], "sentAt": "then"}', "import").sent_at is None


@pytest.mark.parametrize("number", [b"1e999", b"-1E+400", b"123456789.5e9999"])
@pytest.mark.parametrize("kind", ["track", "batch"])
def test_a_number_that_no_double_holds_is_kept_as_it_was_sent(number: bytes, kind: str) -> None:
    """As a line of a file is: its bytes are refused once more, for the same reason."""
    message = b'{"a":[%s,1.5],"b":"Infinity","type":"track"}' % number
    body = (
        message if kind == "track" else b'{"writeKey":%s,"sentAt":%s,"batch":[%s,{"a":1}]}' % (number, number, message)
    )
    sent = read_sent(body, kind)
    found = sent.messages[0]
    assert isinstance(found, tuple)
    raw, refusal = found
    assert (raw, refusal[0], sent.key) == (message, "NUMBER_RANGE", None)
    assert read_json(raw) == refusal and sent.messages[1:] == ([] if kind == "track" else [{"a": 1}])


def test_many_such_numbers_take_no_longer_than_others() -> None:
    """Each is written once, not looked for in the whole of the body."""
    numbers = b",".join([b"1e999"] * 80_000)
    begun = process_time()
    (found,) = read_sent(b'{"batch":[{"a":[%s]}]}' % numbers, "batch").messages
    assert isinstance(found, tuple)
    raw, (code, _) = found
    assert (code, raw) == ("MESSAGE_TOO_LARGE", b'{"a":[%s]}' % numbers)
    assert process_time() - begun < 5
