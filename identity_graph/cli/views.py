"""Words of the model as JSON objects, under the names that GraphQL uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from identity_graph.cli.show import FIRST
from identity_graph.times import format_time

if TYPE_CHECKING:
    from identity_graph.model import (
        ErasurePreview,
        Event,
        Explanation,
        Link,
        Person,
        Quarantined,
        Reason,
        Restriction,
        Run,
        Segment,
    )
    from identity_graph.people import People

COUNTS = ("read", "accepted", "duplicate", "quarantined", "suppressed")


def run_view(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "source": run.source or None,
        "state": run.state.value,
        "startedAt": format_time(run.started),
        "endedAt": None if run.ended is None else format_time(run.ended),
        **{name: getattr(run, name) for name in COUNTS},
        "progress": run.progress,
        "rate": run.rate,
        "message": run.message or None,
        "loader": run.loader or None,
        "file": run.file or None,
        "fingerprint": run.fingerprint,
        "firstError": run.first_error or None,
        "lastError": run.last_error or None,
        "policy": run.policy or None,
        "normaliser": run.normaliser,
    }


def person_view(people: People, person: Person) -> dict[str, Any]:
    """The person with its identifiers, traits and segments."""
    (members,), (profile,), (confidence,), (segments,) = (
        people.members([person.id]),
        people.profiles([person.id]),
        people.confidences([person.id]),
        people.segments([person.id]),
    )
    return {
        "id": person.id,
        "requestedId": person.requested_id,
        "confidence": confidence,
        "createdAt": format_time(person.created),
        "updatedAt": format_time(person.updated),
        "identifiers": [
            {
                "namespace": member.identifier.namespace,
                "value": member.identifier.value,
                "confidence": member.confidence,
                "since": format_time(member.since),
            }
            for member in members
        ],
        "traits": [
            {"name": trait.name, "value": trait.value, "source": trait.source, "time": format_time(trait.time)}
            for trait in profile.traits
        ],
        "segments": list(segments),
    }


def reason_view(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "message": reason.message,
        "namespace": reason.namespace,
        "values": list(reason.values),
    }


def link_view(link: Link) -> dict[str, Any]:
    return {
        "a": link.a.key,
        "b": link.b.key,
        "kind": link.kind.value,
        "weight": link.weight,
        "count": link.count,
        "firstSeen": format_time(link.first_seen),
        "lastSeen": format_time(link.last_seen),
        "sources": list(link.sources),
        "suppressed": link.suppressed and reason_view(link.suppressed),
        "shared": [one.key for one in link.shared],
    }


def explanation_view(explanation: Explanation, evidence: Sequence[Sequence[Event]] | None = None) -> dict[str, Any]:
    """With the events of each link of the path, the first of them."""
    path = [link_view(link) for link in explanation.path]
    for link, events in zip(path, evidence or (), strict=False):
        link["evidence"] = [
            {"id": event.id, "time": format_time(event.time), "name": event.name, "source": event.source}
            for event in events[:FIRST]
        ]
    return {
        "samePerson": explanation.same_person,
        "confidence": explanation.confidence,
        "message": explanation.message,
        "path": path,
        "obstacles": [reason_view(reason) for reason in explanation.obstacles],
    }


def quarantined_view(record: Quarantined) -> dict[str, Any]:
    return {
        "number": record.number,
        "run": record.run_id,
        "source": record.source,
        "loader": record.loader,
        "line": record.line,
        "offset": record.offset,
        "code": record.code,
        "message": record.message,
        "help": record.help,
        "setAsideAt": format_time(record.time),
        "record": record.record.decode("utf-8", "backslashreplace"),
    }


def segment_view(segment: Segment) -> dict[str, Any]:
    return {
        "name": segment.name,
        "description": segment.description or None,
        "condition": segment.condition,
        "size": segment.size,
        "createdAt": format_time(segment.created),
    }


def preview_view(preview: ErasurePreview) -> dict[str, Any]:
    return {
        "scope": preview.scope,
        "personId": preview.person_id,
        "exclusive": [identifier.key for identifier in preview.exclusive],
        "beside": [identifier.key for identifier in preview.beside],
        "shared": [identifier.key for identifier in preview.shared],
        "events": preview.events,
        "quarantined": preview.quarantined,
        "segments": list(preview.segments),
        "kept": preview.kept and preview.kept.key,
        "contested": [identifier.key for identifier in preview.contested],
    }


def restriction_view(one: Restriction) -> dict[str, Any]:
    return {"personId": one.person_id, "since": format_time(one.since), "identifiers": one.identifiers}
