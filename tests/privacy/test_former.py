"""Who was erased stays so when a later version writes the same raw value otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import InputError
from identity_graph.event_table import EventTable
from identity_graph.former import FORMER, former_forms, forms, forms_of
from identity_graph.ingest.crew import Crew
from identity_graph.loaders import parse_loader, read_loader
from identity_graph.model import Event, Identifier
from identity_graph.normalise import normalise
from identity_graph.tracking.mapper import LARGE
from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys
from tests.cli.calling import answer, failure
from tests.conftest import soon
from tests.privacy.upgraded import upgraded
from tests.story.worlds import new_graph, tell

pytestmark = pytest.mark.usefixtures("each_store")
RAW, THEN, NOW = (
    "Ann+News@Example.org",
    Identifier("email", "ann+news@example.org"),
    Identifier("email", "ann@example.org"),
)
OTHER = "ben@example.org"
LOADER = """
source = "shop"
[event]
id = "id"
time = "at"
name = { value = "Seen" }
[identifiers]
email = "mail"
cookie = "cookie"
"""
STATED = (
    LOADER
    + """
[[same_person]]
a = { namespace = "email", value = "mail" }
b = { namespace = "cookie", value = "cookie" }
"""
)
Sent = Callable[[IdentityGraph, Path], tuple[int, int]]
number = count()


def records(mail: str, how_many: int = 3) -> list[dict[str, Any]]:
    """Each with an id and a cookie that nobody has seen."""
    fresh = [next(number) for _ in range(how_many)]
    return [{"id": f"r{n}", "at": "2026-01-01T00:00:00Z", "mail": mail, "cookie": f"new-{n}"} for n in fresh]


def by_file(ending: str, processes: int = 0, loader: str = LOADER) -> Sent:
    def load(graph: IdentityGraph, folder: Path) -> tuple[int, int]:
        sent = [*records(RAW, 20), *records(OTHER, 20)]
        path = folder / f"{next(number)}.{ending}"
        if ending == "csv":
            lines = [",".join(sent[0]), *(",".join(one.values()) for one in sent)]
        else:
            lines = list(map(json.dumps, sent))
        path.write_text("\n".join(lines) + "\n")
        run = graph.ingest.load(parse_loader(loader), path, processes=processes)
        assert run.read == 40
        return run.accepted - 20, run.suppressed

    return load


def by_records(graph: IdentityGraph, _: Path) -> tuple[int, int]:
    run = graph.ingest.records(parse_loader(LOADER), records(RAW))
    return run.accepted, run.suppressed


def by_quarantine(graph: IdentityGraph, folder: Path) -> tuple[int, int]:
    """Records without a time, which a mended loader then reads."""
    path = folder / "shop.toml"
    source = folder / f"{next(number)}.jsonl"
    source.write_text("".join(json.dumps(one | {"at": "never"}) + "\n" for one in records(RAW)))
    path.write_text(LOADER)
    assert graph.ingest.load(read_loader(path), source).quarantined == 3
    path.write_text(LOADER.replace('time = "at"', 'time = { value = "2026-01-01T00:00:00Z" }'))
    run = graph.ingest.replay()
    return run.accepted, run.suppressed


def by_tracking(size: int) -> Sent:
    """Small requests are mapped by the server itself, large ones by another process."""

    def track(graph: IdentityGraph, _: Path) -> tuple[int, int]:
        service = Tracking(graph.store, graph.resolver, WriteKeys(), graph.clock, graph.new_id)
        try:
            if size:
                assert service._mapper
                soon(lambda: service._mapper is not None and service._mapper.ready)
            messages = [
                {
                    "type": "identify",
                    "messageId": one["id"],
                    "anonymousId": one["cookie"],
                    "traits": {"email": RAW, "filled": "x" * size},
                }
                for one in records(RAW)
            ]
            service.store(json.dumps({"batch": messages}).encode(), "batch", "key").result(120)
        finally:
            service.close()
        (run,) = [run for run in graph.store.operations.runs(limit=1) if run.kind == "track"]
        return run.accepted, run.suppressed

    return track


def by_link(graph: IdentityGraph, _: Path) -> tuple[int, int]:
    a, b = normalise("email", RAW), Identifier("cookie", f"new-{next(number)}")
    graph.stating.link(a, b, "told", formerly=former_forms("email", RAW))
    (run,) = graph.store.operations.runs(limit=1)
    return run.accepted, run.suppressed


def by_canonical_event(graph: IdentityGraph, _: Path) -> tuple[int, int]:
    """As a version before this one, or a file that it left, says it."""
    run = graph.ingest.events([Event(f"r{next(number)}", 5, "web", "Seen", [THEN], {}, {})])
    return run.accepted, run.suppressed


ENTRIES: dict[str, Sent] = {
    "jsonl": by_file("jsonl"),
    "csv": by_file("csv"),
    "stated": by_file("jsonl", 0, STATED),
    "worker": by_file("jsonl", 1),
    "records": by_records,
    "quarantine": by_quarantine,
    "tracking": by_tracking(0),
    "tracking worker": by_tracking(LARGE),
    "link": by_link,
    "canonical": by_canonical_event,
}


@pytest.fixture
def graph() -> Iterator[IdentityGraph]:
    with new_graph() as graph:
        yield graph


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is mapped in this process by a crew that has another."""
    own = Crew._map
    monkeypatch.setattr(
        Crew,
        "_map",
        lambda crew, piece: crew._threads.submit(crew._ask, piece).result() if crew._size else own(crew, piece),
    )


def erase(graph: IdentityGraph, *forms: Identifier) -> None:
    asked, person = graph.restrictions.find_any(forms)
    assert person
    preview = graph.forget.preview(person.id, asked)
    assert preview and asked in preview.exclusive
    graph.forget.erase(preview.token)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.usefixtures("by_worker")
def test_what_was_erased_before_an_upgrade_stays_out(entry: str, graph: IdentityGraph, tmp_path: Path) -> None:
    tell(graph, [Event("first", 5, "web", "Seen", [normalise("email", RAW)], {}, {})])
    erase(graph, THEN)
    with upgraded(tmp_path):
        assert normalise("email", RAW) == NOW
        accepted, suppressed = ENTRIES[entry](graph, tmp_path)
        graph.resolver.resolve()
        assert (accepted, suppressed > 0) == (0, True)
        assert graph.people.find_by_identifier([THEN, NOW]) == [None, None]
        assert graph.forget.unsuppress(NOW, former_forms("email", RAW))
        accepted, suppressed = ENTRIES[entry](graph, tmp_path)
        assert accepted > 0 == suppressed


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry != "canonical"])
@pytest.mark.usefixtures("by_worker")
def test_it_would_come_back_where_nobody_knew_the_rule_of_then(
    entry: str, graph: IdentityGraph, tmp_path: Path
) -> None:
    tell(graph, [Event("first", 5, "web", "Seen", [normalise("email", RAW)], {}, {})])
    erase(graph, THEN)
    with upgraded(tmp_path, remembered=False):
        accepted, suppressed = ENTRIES[entry](graph, tmp_path)
        graph.resolver.resolve()
        assert accepted > 0 == suppressed
        assert graph.people.find_by_identifier([NOW]) != [None]


def test_what_is_stored_in_a_former_form_is_found_and_erased(graph: IdentityGraph, tmp_path: Path) -> None:
    tell(graph, [Event("first", 5, "web", "Seen", [normalise("email", RAW)], {}, {})])
    with upgraded(tmp_path):
        assert graph.restrictions.find(NOW) is None
        erase(graph, *forms("email", RAW))
        assert graph.restrictions.find_any(forms("email", RAW)) == (NOW, None)
        assert by_records(graph, tmp_path) == (0, 3)


def test_what_is_erased_after_it_stays_out_in_a_former_form(graph: IdentityGraph, tmp_path: Path) -> None:
    """Of pieces, as a backup has them, that a version before wrote."""
    old = EventTable.of([Event("old", 5, "web", "Seen", [THEN], {}, {})])
    with upgraded(tmp_path):
        tell(graph, [Event("first", 5, "web", "Seen", [NOW], {}, {})])
        erase(graph, NOW)
        assert graph.store.privacy.buried_events(old).tolist() == [True]
        assert graph.store.privacy.tombstoned([THEN, NOW, Identifier("cookie", "c")]) == [True, True, False]


def test_who_is_restricted_after_it_is_known_in_a_former_form(graph: IdentityGraph, tmp_path: Path) -> None:
    with upgraded(tmp_path), graph.store.transaction():
        then, now, other = graph.store.privacy.marks([THEN, NOW, Identifier("email", OTHER)])
        assert now == then[1:] and len(then) == 2 and set(other).isdisjoint(then)


def test_an_event_is_told_by_its_own_value(graph: IdentityGraph, tmp_path: Path) -> None:
    """Two raw values of then are one identifier now: only what was erased stays out, in whatever order they come."""
    tell(graph, [Event("first", 5, "web", "Seen", [normalise("email", RAW)], {}, {})])
    erase(graph, THEN)
    with upgraded(tmp_path):
        loader, sent = parse_loader(LOADER), [*records(RAW, 2), *records("ann+other@example.org", 2)]
        run = graph.ingest.records(loader, [sent[0], sent[2], sent[1], sent[3]])
        assert (run.accepted, run.suppressed) == (2, 2)


def test_forms(tmp_path: Path) -> None:
    assert FORMER == {} and former_forms("email", RAW) == [] and forms("email", RAW) == [THEN]
    with upgraded(tmp_path):
        assert forms("Email", RAW) == [NOW, THEN]
        assert forms("email", OTHER) == [Identifier("email", OTHER)] and former_forms("cookie", "c") == []
        assert list(forms_of(THEN)) == [THEN, NOW] and list(forms_of(("cookie", "c"))) == [("cookie", "c")]
        with pytest.raises(InputError):
            forms("email", "no address")


def test_the_desk_finds_by_the_raw_value_who_is_stored_in_a_former_form(shared_url: str, tmp_path: Path) -> None:
    with IdentityGraph.open(shared_url) as graph:
        tell(graph, [Event("first", 5, "web", "Seen", [normalise("email", RAW)], {}, {})])
    query = tmp_path / "preview.graphql"
    query.write_text(
        f'{{ previewErasure(by: {{identifier: {{namespace: "email", value: "{RAW}"}}}}, scope: EXACT)'
        " { exclusive { key } } }"
    )
    batch = tmp_path / "batch.csv"
    batch.write_text(f"namespace,value\nemail,{RAW}\n")
    at = ("--store", shared_url)
    with upgraded(tmp_path):
        found = answer("query", query, *at)
        assert found["data"]["previewErasure"]["exclusive"] == [{"key": THEN.key}]
        assert answer("disclose", f"email:{RAW}", "--scope", "exact", *at)["identifiers"]
        done = answer("forget", f"email:{RAW}", "--yes", "--receipt", tmp_path / "receipt.json", *at)
        assert done["document"]["identifiersErased"] == 1
        assert failure("forget", f"email:{RAW}", "--preview", *at, status=7) == "PERSON_UNKNOWN"
        assert answer("forget", "unsuppress", f"email:{RAW}", *at) == {"unsuppressed": True}
        with IdentityGraph.open(shared_url) as graph:
            assert by_records(graph, tmp_path) == (3, 0)
            tell(graph, [Event("again", 5, "web", "Seen", [THEN], {}, {})])
        assert answer("forget", "batch", batch, "--yes", *at)["erased"] == 1
