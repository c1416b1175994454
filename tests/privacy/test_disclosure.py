"""Disclosure: what a person may see is what an erasure takes, and what it weakens; no more and no less."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from identity_graph.disclosure import Disclosure
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier, Scope
from identity_graph.times import format_time
from tests.conftest import law
from tests.story.worlds import fading, new_graph, policies, save_segments, told, two_cards, worlds

pytestmark = pytest.mark.usefixtures("each_store")
SCHEMA = Draft202012Validator(Disclosure.model_json_schema(mode="serialization"))


def document(found: Disclosure) -> dict[str, Any]:
    """As it is handed out."""
    written: dict[str, Any] = json.loads(found.model_dump_json(by_alias=True))
    return written


@law(15)
@given(worlds(), policies | st.builds(fading), st.sampled_from(Scope), st.randoms(use_true_random=False))
def test_what_is_disclosed_is_what_is_erased(events, policy, scope, random):  # type: ignore[no-untyped-def]
    with new_graph(policy) as graph:
        save_segments(graph)
        graph.ingest.events(events)
        if random.random() < 0.5:
            graph.resolver.resolve()
        graph.resolver.resolve()
        everybody = graph.people.page()
        if not everybody:
            return
        victim = random.choice(everybody).id
        own = {one.identifier for one in graph.people.members([victim])[0]}
        asked = random.choice(sorted(own))
        found = graph.disclosures.of(victim, asked, scope)
        preview = graph.forget.preview(victim, asked, scope)
        assert found and preview and found.scope == preview.scope == scope
        SCHEMA.validate(document(found))
        keys = {Identifier(one.namespace, one.value): one for one in found.identifiers}
        shared = {key for key, one in keys.items() if one.shared}
        members = {key for key, one in keys.items() if one.member}
        assert shared == set(preview.shared)
        assert {*keys} - shared == {*preview.exclusive, *preview.beside}
        assert members == own & {*keys}
        if scope is Scope.CONNECTED:
            assert members == own and tuple(found.segments) == preview.segments
            (profile,) = graph.people.profiles([victim])
            assert {trait.name: trait.value for trait in found.traits} == profile.values
        else:
            assert asked in members and found.segments == []
            assert {asked.key} <= set(found.events[0].identifiers) if found.events else True
            stated = {name for event in found.events for name in event.traits}
            assert {trait.name for trait in found.traits} <= stated
        assert len(found.events) == preview.events
        told_of = {event.id: event for event in events}
        for event in found.events:
            original = told_of[event.id]
            assert event.time == format_time(original.time) and event.source == original.source
            assert event.identifiers == sorted({one.key for one in original.identifiers})
            assert (event.traits, event.properties) == (original.traits, original.properties)
        graph.forget.erase(preview.token)
        assert graph.store.evidence.events([event.id for event in found.events]) == [None] * len(found.events)
        left = graph.store.evidence.events(list(told_of))
        assert {row.event.id for row in left if row} == set(told_of) - {event.id for event in found.events}
        for identifier, one in keys.items():
            (row,) = graph.store.evidence.identifiers([identifier])
            assert (row is not None) == one.shared


def test_it_is_told_in_the_form_that_its_schema_says() -> None:
    with told(two_cards()) as graph:
        (first, *_) = graph.people.page()
        found = graph.disclosures.of(first.id)
        assert found
        written = document(found)
        assert Disclosure.model_validate(written) == found
        assert set(written) == set(Disclosure.model_json_schema()["properties"])
        SCHEMA.validate(written)
        for name, value in written.items():
            assert not SCHEMA.is_valid({other: written[other] for other in written if other != name}), name
            assert not SCHEMA.is_valid(written | {name: [value]}), name
        assert not SCHEMA.is_valid(written | {"more": 1})
        assert graph.disclosures.of("nobody") is None


def test_records_that_were_set_aside_are_disclosed() -> None:
    with told(two_cards()) as graph:
        (person,) = graph.people.find_by_identifier([Identifier("email", "kim@example.org")])
        assert person
        before = graph.disclosures.of(person.id)
        assert before and before.quarantined == []
        event = {"id": "", "time": "2026-01-01", "name": "Seen", "identifiers": {"email": "kim@example.org"}}
        other = event | {"identifiers": {"email": "lee@example.org"}}
        run = graph.ingest.records(read_loader("events"), [event | {"time": "never"}, other | {"time": "never"}])
        assert run.quarantined == 2
        found = graph.disclosures.of(person.id)
        assert found
        (record,) = found.quarantined
        assert record.code == "TS_INVALID" and "kim@example.org" in record.record
        preview = graph.forget.preview(person.id)
        assert preview and preview.quarantined == 1
