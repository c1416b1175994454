"""What the policy keeps no longer is deleted, and the rest is as if it had never been: in either store the same as in
another one, in memory, that never had it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph, retention
from identity_graph.errors import PolicyError
from identity_graph.model import ChangeKind, Event
from identity_graph.policy import Keep, Policy
from identity_graph.sweeping import Sweeping
from identity_graph.times import DAY
from tests.conftest import Clock, law, soon
from tests.story.places import MEMORY
from tests.story.worlds import START, event, key, new_graph, person, persons, save_segments, tell, told, worlds

pytestmark = pytest.mark.usefixtures("each_store")

POLICY = Policy.parse(
    """
[[retention]]
name = "Order Completed"
keep = "none"
[[retention]]
source = "web"
keep = "10 days"
[[retention]]
source = "app"
keep = "20 days"
"""
)
HOUR = 60


def at(days: float) -> Clock:
    """A clock so long after the events' first minute."""
    clock = Clock()
    clock.now = START + round(days * DAY)
    return clock


def seen() -> list[Event]:
    return [
        event("1", 0, "cookie:c", "user_id:ann", traits={"city": "Bonn"}),
        event("2", 0, "user_id:ann", name="Order Completed"),
        event("3", 0, "user_id:ann", "device_id:d", source="app"),
        event("4", 0, "cookie:gone"),
        event("5", 3 * 24 * HOUR, "user_id:ann", "email:ann@example.org"),
        event("6", 0, "user_id:ann", "phone:+12125650000", source="crm"),
    ]


def test_each_event_is_kept_as_the_first_rule_says_that_fits_it() -> None:
    with told(seen(), POLICY, clock=at(12)) as graph:
        gone = person(graph, "cookie:gone")
        before = graph.digest()
        assert graph.retention.due() == {("web", "Page Viewed"): 2} and graph.digest() == before
        swept = graph.retention.sweep()
        assert (swept.events, swept.identifiers, swept.persons) == (2, 2, 1)
        assert graph.retention.due() == {}
        ann = "device_id:d email:ann@example.org phone:+12125650000 user_id:ann"
        assert persons(graph) == {frozenset(ann.split())}
        assert graph.people.profiles([person(graph, "user_id:ann")])[0].values == {}
        assert graph.people.find([gone]) == [None] and graph.people.identifiers([key("cookie:c")]) == [None]
        last = graph.store.persons.changes(kinds=[ChangeKind.ERASED])[-1]
        assert (last.person_id, last.cause, last.policy) == (gone, "retention", POLICY.digest)
        graph.clock.now += 9 * DAY  # type: ignore[attr-defined]
        assert graph.retention.sweep().events == 2  # of the app, and the web's that was younger
        assert persons(graph) == {frozenset({"user_id:ann", "phone:+12125650000"})}
        assert graph.retention.sweep() == retention.Swept()


def test_a_policy_without_rules_deletes_nothing_and_another_policy_is_refused() -> None:
    with told(seen(), clock=at(9999)) as graph:
        assert not graph.retention.limited and graph.retention.sweep() == retention.Swept()
        other = IdentityGraph(graph.store, replace(POLICY, min_weight=0.5), clock=graph.clock)
        before = graph.digest()
        with pytest.raises(PolicyError) as error:
            other.retention.sweep()
        assert error.value.code == "POLICY_DIFFERS" and graph.digest() == before


def test_what_was_never_resolved_is_deleted_too() -> None:
    with new_graph(POLICY, clock=at(12)) as graph:
        graph.ingest.events(seen())
        assert graph.retention.sweep().events == 2
        assert graph.store.persons.resolved()[1] is None
        graph.resolver.resolve()
        with told([one for one in seen() if one.id not in "14"], POLICY, url=MEMORY) as other:
            assert graph.digest() == other.digest()


@law(60)
@given(worlds(), st.sampled_from([1, 2, 3, 5000]), st.sampled_from([0, 1, 2, 24, 130, 160]), st.booleans())
def test_the_rest_is_as_if_what_is_deleted_had_never_been(
    world: Sequence[Event], at_once: int, hours: int, later: bool
) -> None:
    """Persons, profiles and segments too; also where more arrives afterwards."""
    policy = replace(
        Policy.default(),
        retention=(Keep(None, name="Order Completed"), Keep(5 * DAY, source="x"), Keep(55 * DAY, source="y")),
    )
    now = START + 55 * DAY + hours * DAY // 24
    kept = [one for one in world if (life := policy.life(one.source, one.name)) is None or one.time >= now - life]
    more = [event("late", 54 * 24 * HOUR, "user_id:late", *(one.key for one in world[0].identifiers))] if later else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "AT_ONCE", at_once)
        with new_graph(policy, clock=lambda: now) as graph, new_graph(policy, url=MEMORY, clock=lambda: now) as other:
            for one in (graph, other):
                save_segments(one)
            tell(graph, world)
            swept = graph.retention.sweep()
            assert swept.events == len({one.id for one in world}) - len({one.id for one in kept})
            assert not graph.retention.due()
            tell(graph, more)
            tell(other, [*kept, *more])
            assert graph.digest() == other.digest() and persons(graph) == persons(other)
            assert described(graph) == described(other)


def described(graph: IdentityGraph) -> dict[frozenset[str], object]:
    ids = [one.id for one in graph.people.page()]
    people = graph.people
    found = zip(people.members(ids), people.profiles(ids), people.segments(ids), strict=True)
    return {frozenset(one.identifier.key for one in rows): (profile, names) for rows, profile, names in found}


def test_a_sweep_that_is_ended_in_the_middle_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    with told(seen(), POLICY, clock=at(12)) as graph:
        publish, times = graph.resolver.publish, 0

        def failing(**more: object) -> str:
            nonlocal times
            times += more.get("cause") == "retention"
            if times == 2:
                raise RuntimeError("ended here")
            return publish(**more)  # type: ignore[arg-type, return-value]

        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(graph.resolver, "publish", failing)
            graph.retention.sweep()
        with told(seen()[1:], POLICY, url=MEMORY) as half:  # the first is gone, and the second as it was
            assert graph.digest() == half.digest()
        assert graph.retention.sweep().events == 1
        with told([one for one in seen() if one.id not in "14"], POLICY, url=MEMORY) as other:
            assert graph.digest() == other.digest()


KILLED = """
import os, signal, sys
from identity_graph import IdentityGraph, Policy, retention
retention.AT_ONCE = 1
url, policy, now, at = sys.argv[1:]
graph = IdentityGraph.open(url, Policy.parse(policy), clock=lambda: int(now))
erase, left = graph.store.privacy.erase, int(at)
def killed(erasure):
    global left
    erase(erasure)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
graph.store.privacy.erase = killed
graph.retention.sweep()
"""


@pytest.mark.parametrize("at_", [1, 2, 3])
def test_a_kill_in_the_middle_leaves_nothing_half_done(shared_url: str, at_: int) -> None:
    """After the deletion, before the persons are resolved again and all is committed."""
    old = [event(f"o{n}", n, f"cookie:o{n}", "user_id:ann") for n in range(3)]
    with new_graph(POLICY, url=shared_url, clock=at(12)) as graph:
        tell(graph, [*old, *seen()[1:3]])
        now = graph.clock()
    given = [shared_url, POLICY.to_toml(), str(now), str(at_)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *given], timeout=300, check=False)
    assert killed.returncode == -signal.SIGKILL
    with new_graph(POLICY, url=shared_url, clock=at(12)) as graph:
        with told([*old[at_ - 1 :], *seen()[1:3]], POLICY, url=MEMORY) as half:
            assert graph.digest() == half.digest()
        assert graph.retention.sweep().events == 4 - at_
        with told(seen()[1:3], POLICY, url=MEMORY) as other:
            assert graph.digest() == other.digest()


def test_a_server_sweeps_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "identity_graph.sweeping")
    with told(seen(), POLICY, clock=at(12)) as graph:
        sweeping = Sweeping.retention(graph.retention, every=0.02)
        sweeping.begin()
        try:
            soon(lambda: sweeping.deleted == 2)
            graph.clock.now += 9 * DAY  # type: ignore[attr-defined]
            soon(lambda: sweeping.deleted == 4)
        finally:
            sweeping.close()
        assert not sweeping.trouble and not graph.retention.due()
    assert "deleted from evidence, as the policy says: 2" in caplog.messages


def test_nothing_of_it_is_left_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with new_graph(POLICY, url=f"sqlite:///{path}", clock=at(12)) as graph:
        tell(graph, [event("1", 0, "cookie:needle-in-a-file", traits={"note": "haystack"}), *seen()[1:3]])
        files = [*tmp_path.glob("people.db*")]
        assert any(b"needle-in-a-file" in file.read_bytes() for file in files)
        assert graph.retention.sweep().scrubbed
        for file in tmp_path.glob("people.db*"):
            content = file.read_bytes()
            assert b"needle-in-a-file" not in content and b"haystack" not in content, file
