"""Ids and times of messages as the spec fills them in, and the keys by which they come."""

from __future__ import annotations

from typing import Any

import pytest

from identity_graph.errors import QueryError, SettingError
from identity_graph.times import SECOND, parse_time
from identity_graph.tracking.completing import TOLERANCE, Completing
from identity_graph.tracking.write_keys import WriteKeys

RECEIVED = parse_time("2026-01-02T12:00:00Z")


def completed(message: dict[str, Any], sent_at: Any = None) -> tuple[dict[str, Any], bool]:
    dated = Completing(RECEIVED, sent_at, lambda: "new-id").complete(message)
    return message, dated


@pytest.mark.parametrize("sent_at", [None, "", "2026-01-02T11:59:00Z", "2026-01-02T12:00:59.999Z", "not a time", {}])
def test_what_a_right_clock_said_stands(sent_at: Any) -> None:
    said = {"messageId": "m", "timestamp": "2025-12-31T23:59:59.123456+02:00"}
    assert completed(dict(said), sent_at) == (said, False)


@pytest.mark.parametrize(
    ("sent_at", "said", "right"),
    [
        ("2025-01-02T12:00:00Z", "2025-01-02T11:00:00Z", "2026-01-02T11:00:00Z"),
        ("2027-01-02T12:00:00.5Z", "2027-01-02T11:59:59.5Z", "2026-01-02T11:59:59Z"),
        (1_735_819_200_000, 1_735_819_199_000, "2026-01-02T11:59:59Z"),
    ],
)
def test_a_wrong_clock_is_corrected_by_what_it_said_when_it_sent(sent_at: Any, said: Any, right: str) -> None:
    message, dated = completed({"messageId": "m", "timestamp": said}, sent_at)
    assert (message["timestamp"], message["originalTimestamp"], dated) == (right, said, True)


def test_the_tolerance_is_a_minute() -> None:
    assert TOLERANCE == 60 * SECOND
    message, dated = completed({"timestamp": "2026-01-02T11:58:00Z"}, "2026-01-02T11:58:59.999Z")
    assert (message["timestamp"], dated) == ("2026-01-02T11:59:00.001000Z", True)


@pytest.mark.parametrize("said", [0, -1, 1_767_355_200, "1767355200"])
def test_a_number_of_another_unit_is_left_to_the_loader(said: Any) -> None:
    """Neither is it made a time by correcting it, nor does it say how wrong the clock is."""
    for sent_at in ("2020-01-01", "2026-01-02T12:00:00Z", None):
        sent = {"messageId": "m", "timestamp": said, "originalTimestamp": "2026-01-01"}
        message, _ = completed(sent, sent_at)
        assert message["timestamp"] == said
    assert completed({"messageId": "m", "timestamp": "2026-01-01"}, said) == (
        {"messageId": "m", "timestamp": "2026-01-01"},
        False,
    )


def test_a_time_that_is_none_is_left_to_the_loader() -> None:
    assert completed({"messageId": "m", "timestamp": "soon"}, "2020-01-01")[0]["timestamp"] == "soon"


def test_what_is_missing_is_filled_in_and_what_is_of_the_sending_goes() -> None:
    message, dated = completed({"writeKey": "k", "_metadata": {}, "userId": "u", "messageId": ""})
    assert (message, dated) == ({"userId": "u", "messageId": "new-id", "timestamp": "2026-01-02T12:00:00Z"}, True)
    message, dated = completed({"messageId": "m", "originalTimestamp": "2026-01-01"})
    assert (message, dated) == ({"messageId": "m", "originalTimestamp": "2026-01-01"}, False)


@pytest.mark.parametrize("text", ["", " ", ",", "a", "a,b", "a b=shop", "a=b=c"])
def test_keys_that_can_be_read(text: str) -> None:
    WriteKeys.parse(text)


@pytest.mark.parametrize("text", ["=shop", "hidden=", "hidden,hidden", "hidden=one hidden=two", "hidden=" + "x" * 65])
def test_keys_that_cannot_be_read_are_not_shown(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        WriteKeys.parse(text)
    assert caught.value.code == "SETTING_INVALID" and "hidden" not in caught.value.message + caught.value.help


def test_without_keys_any_is_taken_but_none_is_not() -> None:
    assert WriteKeys.parse("").source("anything") == "segment"
    for missing in (None, ""):
        with pytest.raises(QueryError, match="no write key"):
            WriteKeys().source(missing)
    with pytest.raises(QueryError, match="not one that is taken") as caught:
        WriteKeys.parse("a=shop").source("hidden")
    assert "hidden" not in caught.value.message
