"""Many records at once become what each becomes by itself: the mapper of one record is the oracle."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.event_table import EventTable
from identity_graph.loaders import Loader, known_loaders, parse_loader, read_loader
from identity_graph.model import Event
from tests.inputs.values import values
from tests.loader_samples import NOW, records


class Watched(dict[str, Any]):
    """A record of which one can see whether anybody still has it."""


ALL = """
source = "all"
keyed_lists = [{ list = "params", key = "key", value = ["value.text", "value.number"] }]
json = ["packed"]
[event]
id = ["id", "deep.id"]
time = ["time", "deep.time"]
name = ["name", "type"]
source = "from"
[identifiers]
email = ["email", "deep.email"]
phone = "phone"
user_id = "user"
cookie = ["cookies[].id", "deep.cookie"]
"*" = "ids"
[[identifier_pairs]]
namespace = "pairs[].type"
value = "pairs[].id"
[[identifier_pairs]]
namespace = "kind"
value = "kept"
[traits]
plan = "deep.plan"
points = { path = "points", type = "number" }
member = { value = true }
"*" = "traits"
[properties]
tags = "tags[].name"
type = "type"
"*" = ["properties", "."]
[[same_person]]
when = { type = "alias" }
a = { namespace = "user_id", value = "user" }
b = { namespace = "user_id", value = "previous" }
[[same_person]]
a = { namespace = "email", value = "email" }
b = { namespace = "cookie", value = "deep.cookie" }
[[not_the_person]]
when = { type = "group" }
paths = ["traits", "deep.email"]
"""
EVERYTHING = parse_loader(ALL)
WITHIN = parse_loader(ALL.replace('["id", "deep.id"]', '{ path = ["id", "deep.id"], within = "source" }'))
LOADERS = st.sampled_from([EVERYTHING, WITHIN])


def one_by_one(loader: Loader, found: Sequence[dict[str, Any]]) -> list[Event | tuple[str, str]]:
    answers: list[Event | tuple[str, str]] = []
    for record in found:
        try:
            # As a table has it: canonical, and the same of what is equal.
            answers += EventTable.of([loader.event(record, received=NOW, fallback_time=7)])
        except InputError as error:
            answers.append((error.code, error.message))
    return answers


def at_once(loader: Loader, found: Sequence[dict[str, Any]]) -> list[Event | tuple[str, str]]:
    events, places, refused = loader.events(found, received=NOW, fallback_time=7)
    answers: dict[int, Event | tuple[str, str]] = dict(zip(places, events, strict=True))
    assert not answers.keys() & {place for place, _ in refused}
    assert len(events.named) == len(set(events.named))
    used = set(events.seen.tolist()) | {end for pair in events.stated for end in pair[1:3]}
    assert used == set(range(len(events.named)))
    answers |= {place: (error.code, error.message) for place, error in refused}
    return [answers[place] for place in range(len(found))]


@pytest.mark.parametrize("name", known_loaders())
def test_samples(name: str) -> None:
    found = records(name) * 15
    assert at_once(read_loader(name), found) == one_by_one(read_loader(name), found)


TEXTS = st.sampled_from((
    "", " ", "a", "Ann@Example.org", "ann@example.org", "A.nn+x@gmail.com", "+12015550123", "(020) 7946 0958", "null",
    "\u212aate@example.org", "x" * 300, "\0", "\x85", "alias", "group", "5", "2025-01-02T03:04:05Z", "2999-01-01",
    "8BE66EEC-41ee-1761-e5d1-bb2c469f8c83", "email", "not a namespace",
))  # fmt: skip
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(-1e20, 1e20)
KEYS = st.sampled_from((
    "id", "time", "name", "type", "from", "email", "phone", "user", "cookies", "cookie", "ids", "pairs", "kind", "kept",
    "deep", "plan", "points", "traits", "tags", "properties", "previous", "params", "packed", "value", "key", "text",
))  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)
GOOD = {
    "id": st.uuids().map(str) | st.sampled_from(["7", "x" * 250]),
    "from": st.sampled_from(["a", "a:b", "shop"]),
    "time": st.sampled_from(["2025-01-02T03:04:05Z", "2025-01-02", 1735787045000]),
    "name": st.sampled_from(["Seen", "Bought"]),
    "email": st.sampled_from(["ann@example.org", "bob@example.org", "Bob@Example.org", "b.ob@gmail.com"]),
    "user": st.sampled_from(["u1", "u2", "ann@example.org"]),
    "previous": st.sampled_from(["u1", "u3"]),
    "type": st.sampled_from(["track", "alias", "group"]),
    "deep": st.fixed_dictionaries({"cookie": st.sampled_from(["c1", "c2", "C2"])}, optional={"plan": TEXTS}),
    "traits": st.fixed_dictionaries({"a": SCALARS, "b": st.just({"c": 1})}),
    "points": st.sampled_from(["12", 1.5, "x"]),
    "ids": st.fixed_dictionaries({"email": st.just("eve@example.org"), "Braze_ID": TEXTS}),
}


@st.composite
def many(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of few shapes; in some of them one value is anything."""
    shapes = draw(st.lists(st.sets(st.sampled_from(sorted(GOOD)), min_size=3), min_size=1, max_size=3))
    found = []
    for _ in range(draw(st.integers(12, 60))):
        record = {key: draw(GOOD[key]) for key in sorted(draw(st.sampled_from(shapes)))}
        if draw(st.integers(0, 5)) == 0:
            record[draw(KEYS)] = draw(VALUES)
        found.append(record)
    return found


@settings(deadline=None)
@given(LOADERS, many())
def test_records_that_are_alike_but_for_some(loader: Loader, found: list[dict[str, Any]]) -> None:
    assert at_once(loader, found) == one_by_one(loader, found)


@settings(deadline=None)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=3), st.integers(12, 30))
def test_records_of_any_kind(kinds: list[dict[str, Any]], times: int) -> None:
    found = kinds * times
    assert at_once(EVERYTHING, found) == one_by_one(EVERYTHING, found)
    for loader in (read_loader("segment"), read_loader("events")):
        assert at_once(loader, found) == one_by_one(loader, found)


@pytest.mark.parametrize("key", ["id", "time", "name", "from", "email", "phone", "user", "cookie", "points", "type"])
def test_naughty_values(key: str) -> None:
    texts = [text for text in values(1000, seed=5) if text.encode(errors="ignore").decode() == text]
    found = [{"id": f"e{number}", "name": "Seen", "user": "u"} | {key: value} for number, value in enumerate(texts)]
    for loader in (EVERYTHING, WITHIN):
        assert at_once(loader, found) == one_by_one(loader, found)


@pytest.mark.parametrize(
    "key", ["id", "time", "name", "from", "email", "user", "type", "deep", "ids", "pairs", "traits"]
)
@pytest.mark.parametrize("value", [5, True, [1], {"a": 1}, 1.5])
def test_values_of_another_kind_in_all(key: str, value: Any) -> None:
    found = [{"name": "Seen", "user": f"u{number}"} | {key: value} for number in range(20)]
    for loader in (EVERYTHING, WITHIN):
        assert at_once(loader, found) == one_by_one(loader, found)


def test_no_records() -> None:
    assert at_once(EVERYTHING, []) == []


@pytest.mark.parametrize("flaw", [{"email": "no at sign"}, {"time": "2025-02-31"}, {"packed": "no JSON"}, {"user": {}}])
def test_what_is_refused_holds_no_records(flaw: dict[str, Any]) -> None:
    found = [Watched({"name": "Seen", "user": "u"} | flaw) for _ in range(20)]
    watched = [weakref.ref(record) for record in found]
    refused = EVERYTHING.events(found, received=NOW, fallback_time=7).refused
    assert len(refused) == 20
    del found
    assert not any(record() for record in watched)  # a load runs without the collector of cycles
