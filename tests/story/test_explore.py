"""The saved queries of `cypher/explore/`, over a small town whose answers are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from neo4j import Record, Session

from identity_graph.store.neo4j.statements import statement
from identity_graph.times import format_time
from tests.conftest import Clock
from tests.cypher import EXPLORE, head
from tests.neo4j.database import connected, emptied
from tests.story.worlds import SEGMENTS, event, key, person, tell, told, town

ANN, BOB, EVE = "user_id:ann", "user_id:bob", "user_id:eve"
EVES = {"cookie:k-one", "cookie:k-two", "cookie:k-three", "email:eve@example.org", EVE}
TABLET = "device_id:tablet"
MORNING = Clock().now
# Seen once together; a detour was seen three times in each of two sources.
DETOUR = [
    event("zoe", 0, "cookie:zoe", "user_id:zoe"),
    *(event(f"z{n}", n, "cookie:zoe", "email:zoe@example.org", source="xyz"[n % 2]) for n in range(6)),
    *(event(f"y{n}", n, "email:zoe@example.org", "user_id:zoe", source="xyz"[n % 2]) for n in range(6)),
]
# Seen together once, and stated to be two; stated to be one, which is taken back.
STATED = [
    event("rik", 0, "cookie:rik", "user_id:rik"),
    event("apart", 1)._replace(apart=((key("cookie:rik"), key("user_id:rik")),)),
    event("same", 0, same=[("user_id:sam", "user_id:tam")]),
    event("back", 1)._replace(apart=((key("user_id:sam"), key("user_id:tam")),)),
]


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def session(neo4j_url: str, ids: dict[str, str]) -> Iterator[Session]:
    """The town, resolved; an hour later Eve logs in on the tablet of Ann and Bob, with a cookie of hers."""
    clock = Clock()
    with told([*town(), *DETOUR, *STATED], url=emptied(neo4j_url), clock=clock) as graph:
        graph.segments.save("pros", "who pays", SEGMENTS["pros"])
        clock.tick(3600)
        tell(graph, [event("late", 99, "cookie:k-two", EVE, TABLET)])
        ids.update({person(graph, one): one for one in (ANN, BOB, EVE, "cookie:rik", "user_id:rik")})
    with connected(neo4j_url) as driver, driver.session() as session:
        yield session


def ask(session: Session, name: str, **parameters: Any) -> list[Record]:
    """With the values of the examples in the file's head for what is left out."""
    said = head(f"explore/{name}")
    usual = {name: session.run(f"RETURN {text}").single(strict=True)[0] for name, text in said.examples.items()}
    assert set(parameters) <= set(usual)
    return list(session.run(statement(f"explore/{name}"), usual | parameters))


def pictures(records: list[Record], ids: dict[str, str]) -> set[tuple[str, ...]]:
    """What stands beside the nodes and relationships of each path; a person is called by its user id."""
    found = []
    for record in records:
        path = record["path"]
        nodes = [node.get("key") or node.get("name") or f"={ids.get(node['id'])}" for node in path.nodes]
        kinds = [link.type for link in path.relationships]
        found.append(tuple(word for pair in zip(nodes, [*kinds, ""], strict=True) for word in pair if word))
    assert len(set(found)) == len(found), "nothing is told twice"
    return set(found)


def test_a_person(session: Session, ids: dict[str, str]) -> None:
    shown = pictures(ask(session, "person", key="email:eve@example.org"), ids)
    me = f"={EVE}"
    members = {(me, "IDENTIFIES", key) for key in EVES}
    links = {one for one in shown if "SEEN_WITH" in one}
    assert {frozenset(one[2:5:2]) for one in links} == {
        frozenset(pair)
        for pair in [
            ("cookie:k-one", "email:eve@example.org"),
            ("cookie:k-two", "email:eve@example.org"),
            ("cookie:k-three", "email:eve@example.org"),
            ("cookie:k-two", EVE),
        ]
    }
    kept_apart = {
        (me, "IDENTIFIES", key, "SUPPRESSED", TABLET, "IDENTIFIES", f"={ANN}") for key in ("cookie:k-two", EVE)
    }
    assert shown == members | links | kept_apart | {(me, "MEMBER_OF", "pros")}
    assert pictures(ask(session, "person", key=EVE), ids) == shown
    assert ask(session, "person", key="email:nobody@example.org") == []


def test_stated_links_are_shown(session: Session, ids: dict[str, str]) -> None:
    shown = pictures(ask(session, "person", key="email:tom@example.org"), ids)
    assert sum("SAME_PERSON" in one for one in shown) == 1
    shown = pictures(ask(session, "person", key="user_id:rik"), ids)
    me, other = "=user_id:rik", "=cookie:rik"
    assert (me, "IDENTIFIES", "user_id:rik", "NOT_SAME_PERSON", "cookie:rik", "IDENTIFIES", other) in shown


@pytest.mark.parametrize(
    ("start", "end", "through", "least"),
    [
        ("cookie:k-one", "cookie:k-three", ["email:eve@example.org"], 1),
        ("cookie:zoe", "user_id:zoe", ["email:zoe@example.org"], 4),
        (ANN, BOB, [TABLET], 1),
        (ANN, "email:eve@example.org", [TABLET, "cookie:k-two"], 1),
        ("user_id:new-tom", "user_id:old-tom", [], 65_536),
    ],
)
def test_the_strongest_path(session: Session, start: str, end: str, through: list[str], least: int) -> None:
    for one, other, between in ((start, end, through), (end, start, through[::-1])):
        (record,) = ask(session, "strongest_path", **{"from": one, "to": other})
        assert [node["key"] for node in record["path"].nodes] == [one, *between, other]
        assert record["least"] == least


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("user_id:q01", "user_id:q02"),
        (ANN, "user_id:liv"),
        ("user_id:sam", "user_id:tam"),
        ("user_id:rik", "cookie:rik"),
        (ANN, ANN),
        (ANN, "user_id:nobody"),
        ("device_id:kiosk", ANN),
    ],
    ids=["through a hub", "nowhere", "taken back", "said to be two", "itself", "nobody", "of a hub"],
)
def test_there_is_no_path(session: Session, start: str, end: str) -> None:
    assert ask(session, "strongest_path", **{"from": start, "to": end}) == []


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("HUB", [("device_id:kiosk", 12, ["12 user_id"], 12)]),
        (
            "BLOCKED",
            [
                ("user_id:anonymous", 2, ["2 cookie"], 2),
                ("cookie:00000000-0000-0000-0000-000000000000", 1, ["1 email"], 1),
            ],
        ),
        ("NOT_JOINING", [("ip:203.0.113.7", 7, ["3 email", "3 user_id", "1 phone"], 3)]),
    ],
)
def test_who_joins_nobody_and_why(session: Session, reason: str, expected: list[tuple[Any, ...]]) -> None:
    assert [tuple(record) for record in ask(session, "hubs", reason=reason)] == expected
    assert len(ask(session, "hubs", reason=reason, limit=1)) == 1


def test_shared_devices(session: Session, ids: dict[str, str]) -> None:
    """The tablet; not the kiosk, which is a hub."""
    records = ask(session, "shared_devices")
    assert {(record["device"], record["persons"]) for record in records} == {(TABLET, 3)}
    owners = {ANN: ANN, BOB: BOB, EVE: EVE, "cookie:k-two": EVE}
    assert pictures(records, ids) == {
        (TABLET, "SEEN_WITH", key, "IDENTIFIES", f"={owner}") for key, owner in owners.items()
    }
    phones = ask(session, "shared_devices", namespace="phone", limit=1)
    assert {(record["device"], record["persons"]) for record in phones} == {("phone:+15550100300", 3)}
    assert ask(session, "shared_devices", namespace="device") == []


def test_suppressed_links(session: Session, ids: dict[str, str]) -> None:
    records = ask(session, "suppressed_links")
    events = {record["reason"]: record["events"] for record in records}
    assert (records[0]["reason"], records[0]["events"]) == (
        "a person has at most 1 user_id; joining would bring liv and max together",
        2,
    )
    for one, other in (("cookie:rik", "user_id:rik"), ("user_id:sam", "user_id:tam")):  # of each one event
        assert events[f"{one} and {other} are said not to be one person"] == 1
    assert pictures([one for one in records if "bring ann and" in one["reason"]], ids) == {
        (f"={ANN}", "IDENTIFIES", TABLET, "SUPPRESSED", BOB, "IDENTIFIES", f"={BOB}"),
        (f"={ANN}", "IDENTIFIES", TABLET, "SUPPRESSED", EVE, "IDENTIFIES", f"={EVE}"),
        (f"={ANN}", "IDENTIFIES", TABLET, "SUPPRESSED", "cookie:k-two", "IDENTIFIES", f"={EVE}"),
    }
    everything = session.run("MATCH ()-[link:SUPPRESSED]->() RETURN count(link)").single(strict=True)[0]
    assert len(records) == everything > 4
    assert len(ask(session, "suppressed_links", limit=1)) == 1


def test_what_the_latest_resolution_changed(session: Session, ids: dict[str, str]) -> None:
    (record,) = ask(session, "changes")
    assert record["time"].to_native() == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert (record["kind"], ids[record["person"]], record["cause"]) == ("ABSORBED", EVE, "evidence")
    assert record["identifiers"] == sorted(EVES)


def test_what_changed_since_a_time(session: Session) -> None:
    (latest,) = ask(session, "changes")
    assert ask(session, "changes", since=format_time(MORNING + 1_000)) == [latest]
    everything = ask(session, "changes", since=format_time(MORNING), limit=1_000)
    assert everything[0] == latest and {record["kind"] for record in everything[1:]} == {"CREATED"}
    persons = session.run("MATCH (person:Person) RETURN count(person)").single(strict=True)[0]
    assert len(everything) == persons + 1
    assert ask(session, "changes", since=format_time(MORNING), limit=3) == everything[:3]
    assert ask(session, "changes", since="2026-01-02") == []


def test_a_journey(session: Session) -> None:
    records = ask(session, "journey", key=ANN)
    assert [(str(r["time"].to_native()), r["source"], r["name"], r["by"]) for r in records] == [
        ("2025-11-01 00:00:00+00:00", "app", "Page Viewed", [TABLET, ANN]),
        ("2025-11-01 00:10:00+00:00", "app", "Page Viewed", [TABLET, ANN]),
        ("2025-11-01 00:20:00+00:00", "app", "Page Viewed", [TABLET]),
        ("2025-11-01 00:30:00+00:00", "app", "App Opened", [TABLET]),
        ("2025-11-01 01:39:00+00:00", "web", "Page Viewed", [TABLET]),
    ]
    assert records[0]["traits"] == '{"first_name":"Ann"}'
    assert ask(session, "journey", key=ANN, limit=2) == records[-2:]


def test_every_saved_query_is_run_here() -> None:
    """But that of communities, which is where there is a component that is too large."""
    asked = re.findall(r'ask\(session, "(\w+)"', Path(__file__).read_text(encoding="utf-8"))
    assert {name.removeprefix("explore/") for name in EXPLORE} == {*asked, "communities"}
