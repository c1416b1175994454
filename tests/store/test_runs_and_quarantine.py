"""Runs, what they set aside, and what there is."""

from __future__ import annotations

from dataclasses import replace

from identity_graph.model import Origin, Reason, Refused, Run, RunState
from identity_graph.store.protocols import Batch, Store, SuppressedRow
from tests.store.building import NOW, batch, begin, event, load, numbers, publication, publish_persons


def test_a_run_ends_as_it_is_told(store: Store) -> None:
    run = begin(store)
    ended = replace(run, state=RunState.FAILED, ended=NOW + 9, message="the disk is full", suppressed=0)
    store.operations.end_run(ended)
    assert store.operations.runs() == [ended]


def test_runs_are_newest_first_and_paged(store: Store) -> None:
    made = [Run(f"r{n}", "load", RunState.RUNNING, started=NOW + n // 2, default_time=n) for n in range(6)]
    for run in made:
        store.operations.begin_run(run)
    assert store.operations.runs() == made[::-1]
    assert store.operations.runs(limit=2) == [made[5], made[4]]
    assert store.operations.runs(before="r4", limit=3) == [made[3], made[2], made[1]]
    assert store.operations.runs(before="r0") == store.operations.runs(before="unknown") == []


def test_an_interrupted_load_is_taken_up_where_it_stands(store: Store) -> None:
    run = begin(store, fingerprint="f1", loader="crm")
    after = store.evidence.append(run, batch([event("a")], position=7, offset=700))
    assert begin(store, fingerprint="f1", loader="crm") == after == store.operations.interrupted("f1", "crm")
    assert store.operations.interrupted("f1", "web") is store.operations.interrupted("f2", "crm") is None
    assert begin(store, fingerprint="f1", loader="web").id != run.id
    assert begin(store, fingerprint="f2", loader="crm").id != run.id
    assert begin(store).id != run.id


def test_a_failed_load_runs_again_and_a_finished_one_does_not(store: Store) -> None:
    run = begin(store, fingerprint="f", loader="crm")
    store.operations.end_run(replace(run, state=RunState.FAILED, ended=NOW, message="no room", position=3))
    taken = begin(store, fingerprint="f", loader="crm")
    assert taken == replace(run, position=3)
    store.evidence.append(taken, batch([event("a")], position=4))
    store.operations.end_run(replace(taken, state=RunState.DONE, ended=NOW))
    assert store.operations.interrupted("f", "crm") is None
    assert begin(store, fingerprint="f", loader="crm").id != run.id


def test_quarantine_is_in_order_filtered_and_released(store: Store) -> None:
    refused = [
        Refused(Origin(line, 10 * line, b"\xff\0%d" % line), code, f"line {line}")
        for line, code in enumerate(["NOT_JSON", "NOT_UTF8", "NOT_JSON"], 1)
    ]
    run = store.evidence.append(begin(store, loader="segment"), batch([], refused=refused))
    found = store.operations.quarantined()
    assert [(each.line, each.offset, each.code, each.message, each.record) for each in found] == [
        (record.origin.line, record.origin.offset, record.code, record.message, record.origin.raw) for record in refused
    ]
    assert {(each.run_id, each.source, each.loader) for each in found} == {(run.id, "crm", "segment")}
    first, second, third = (each.number for each in found)
    assert [each.number for each in store.operations.quarantined(code="NOT_JSON")] == [first, third]
    assert [each.number for each in store.operations.quarantined(after=first, limit=1)] == [second]
    assert store.operations.newest_quarantined() == third
    store.operations.release([third, 999])
    store.operations.release([])
    assert [each.number for each in store.operations.quarantined()] == [first, second]
    store.evidence.append(run, batch([], refused=refused[2:]))
    assert store.operations.newest_quarantined() > third


def test_a_record_is_set_aside_once_however_often_it_comes(store: Store) -> None:
    refused = [Refused(Origin(line, 10 * line, b"{}"), "NO_IDENTIFIER", "nobody") for line in (1, 2)]
    reused = batch([event("e", "cookie:1"), event("e", "cookie:2")], refused=refused)
    first, second = (store.evidence.append(begin(store), reused) for _ in range(2))
    assert (first.accepted, first.duplicate, first.quarantined) == (1, 0, 3)
    assert (second.read, second.accepted, second.duplicate, second.quarantined) == (4, 0, 1, 3)
    found = store.operations.quarantined()
    assert [record.run_id for record in found] == [first.id] * 3
    elsewhere = [Refused(Origin(3, 10, b"{}"), "NO_IDENTIFIER", "nobody"), refused[0]]
    third = store.evidence.append(begin(store), batch([], refused=elsewhere))
    assert third.quarantined == 2 and len(store.operations.quarantined()) == 4
    again = replace(batch([], refused=refused), replayed=True)
    assert store.evidence.append(begin(store), again).quarantined == 2
    assert len(store.operations.quarantined()) == 6
    store.operations.release([record.number for record in store.operations.quarantined()])
    assert store.evidence.append(begin(store), batch([], refused=refused)).quarantined == 2


def test_counts(store: Store) -> None:
    assert set(store.operations.counts().values()) >= {0}
    load(store, event("a", "email:a@x.org", "cookie:1"), event("b", "cookie:1", "cookie:2"))
    a, one, two = numbers(store, "email:a@x.org", "cookie:1", "cookie:2")
    found = publish_persons(store, {"p1": ["email:a@x.org", "cookie:1"], "p2": ["cookie:2"]})
    store.persons.publish(
        publication(
            pruned=[(two, "HUB")],
            retired=[(found["p2"], found["p1"])],
            suppressed=[SuppressedRow(a, one, Reason("LIMIT", ""))],
        )
    )
    counts = store.operations.counts()
    assert counts.pop("bytes", 1) > 0  # a server does not say
    assert counts == {
        "events": 2,
        "identifiers": 3,
        "observations": 4,
        "persons": 1,
        "retired_persons": 1,
        "memberships": 2,
        "largest_person": 2,
        "hubs": 1,
        "pruned": 1,
        "suppressed_links": 1,
        "segments": 0,
        "changes": 0,
        "quarantined": 0,
        "tombstones": 0,
    }


def test_a_run_tells_the_first_and_the_last_record_that_it_set_aside(store: Store) -> None:
    def refused(line: int, code: str) -> Refused:
        return Refused(Origin(line, 10 * line, b"ann@example.org"), code, "ann@example.org is nobody")

    reused = batch([event("e", "cookie:1"), event("e", "cookie:2")], refused=[refused(8, "NOT_JSON")])
    run = store.evidence.append(begin(store), reused)
    assert (run.first_error, run.last_error) == ("ID_REUSE, line 2", "NOT_JSON, line 8")
    run = store.evidence.append(run, batch([event("f")], position=3))
    assert run.last_error == "NOT_JSON, line 8"
    run = store.evidence.append(run, batch([], refused=[refused(20, "NOT_UTF8"), refused(19, "NOT_JSON")], position=4))
    assert (run.first_error, run.last_error) == ("ID_REUSE, line 2", "NOT_UTF8, line 20")
    assert store.operations.runs() == [run]


def test_a_paused_run_goes_on_with_its_trail(store: Store) -> None:
    run = begin(store, fingerprint="f", loader="crm", file="a.jsonl", policy="rules", normaliser=1)
    after = store.evidence.append(run, Batch([], [], [], 3, 300, trail="t"))
    assert (after.trail, after.offset) == ("t", 300)
    store.operations.end_run(replace(after, state=RunState.PAUSED, ended=NOW))
    assert begin(store, fingerprint="f", loader="crm") == after


def test_records_in_quarantine_have_a_time_and_a_size(store: Store) -> None:
    first = [Refused(Origin(1, 0, b"{" * 7), "NOT_JSON", "no"), Refused(Origin(2, 9, b""), "NOT_JSON", "no")]
    run = store.evidence.append(begin(store), Batch([], [], first, 2, 20, time=NOW))
    store.evidence.append(run, Batch([], [], [Refused(Origin(3, 20, b"{}"), "NOT_JSON", "no")], 3, 30, time=NOW + 5))
    records = store.operations.quarantined()
    assert [record.time for record in records] == [NOW, NOW, NOW + 5]
    rows = [(record.number, record.time, len(record.record)) for record in records]
    assert store.operations.quarantine_sizes(0, 9) == rows and [size for *_, size in rows] == [7, 0, 2]
    assert store.operations.quarantine_sizes(rows[0][0], 1) == rows[1:2]
