"""A file of people to erase: each line has its answer, and a kill in the middle changes none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from identity_graph import IdentityGraph, forget_batch
from identity_graph.erasing import ErasureState
from identity_graph.errors import InputError
from identity_graph.model import Event, Scope, SharedRule
from identity_graph.signing import render, verify
from tests.story.worlds import event, household, key, told

pytestmark = pytest.mark.usefixtures("each_store")
PEOPLE = 7


def crowd() -> list[Event]:
    return [
        one
        for n in range(PEOPLE)
        for one in (
            event(f"a{n}", n, f"user_id:u{n}", f"email:p{n}@example.org", "ip:203.0.113.7"),
            event(f"b{n}", 100 + n, f"email:p{n}@example.org", f"cookie:c{n}"),
        )
    ]


LINES = ["email:P0@example.org", "cookie:c1", "", "email:nobody@example.org", "nonsense", "email:no at", "user_id:u0"]
CODES = [None, None, "PERSON_UNKNOWN", "KEY_INVALID", "EMAIL_NO_AT", "PERSON_UNKNOWN"]


def answers(graph: IdentityGraph, batch: str) -> list[tuple[int, str | None]]:
    return [(one.line, one.code or None) for one in graph.forget_batch.results(batch)]


@pytest.mark.parametrize("ending", ["txt", "csv", "jsonl"])
def test_each_line_has_its_answer(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"people.{ending}"
    rows = [line.partition(":")[::2] for line in LINES if line]
    text = {
        "txt": "\n".join(LINES),
        "csv": "namespace,value\n" + "".join(f"{space},{value}\n" for space, value in rows),
        "jsonl": "\n".join(json.dumps({"namespace": a, "value": b}) if b else a for a, b in rows),
    }
    file.write_text(text[ending])
    with told(crowd()) as graph:
        done = graph.forget_batch.run(file)
        assert (done.lines, done.erased) == (6, 2)
        assert [code for _, code in answers(graph, done.batch)] == CODES
        for one in graph.forget_batch.results(done.batch):
            assert one.state in (ErasureState.SCRUBBED, ErasureState.REFUSED)
            if one.state is ErasureState.SCRUBBED:
                assert verify(render(one.document), graph.signer.public())["events"] == 2
            assert "@" not in one.pack()
        assert graph.people.count() == PEOPLE - 2
        digest = graph.digest()
        again = graph.forget_batch.run(file)
        assert again == done and graph.digest() == digest
        assert graph.ingest.events(crowd()).suppressed == 4
    with told([one for one in crowd() if one.id not in {"a0", "b0", "a1", "b1"}]) as without:
        assert without.digest() == digest


def test_one_identifier_of_each(tmp_path: Path) -> None:
    (file := tmp_path / "people.txt").write_text("cookie:c0\ncookie:c1\n")
    with told(crowd()) as graph:
        done = graph.forget_batch.run(file, Scope.EXACT)
        assert (done.erased, graph.people.count()) == (2, PEOPLE)
        assert graph.forget_batch.run(file).batch != done.batch


def test_who_shares_an_identifier_can_be_left_for_a_decision(tmp_path: Path) -> None:
    """The three of a household have a landline; the crowd shares an address of a network alone, which joins nobody."""
    (file := tmp_path / "people.txt").write_text("email:ned@example.org\nemail:p0@example.org\n")
    with told([*crowd(), *household()]) as graph:
        strict = graph.forget_batch.run(file, shared=SharedRule.REFUSE)
        assert answers(graph, strict.batch) == [(1, "IDENTIFIERS_SHARED"), (2, None)]
        assert strict.erased == 1 and graph.people.find_by_identifier([key("email:ned@example.org")]) != [None]
        assert graph.forget_batch.run(file, shared=SharedRule.REFUSE) == strict
        assert answers(graph, graph.forget_batch.run(file).batch) == [(1, None), (2, "PERSON_UNKNOWN")]
        digest = graph.digest()
    gone = {"a0", "b0", "h-ned"}
    with told([one for one in [*crowd(), *household()] if one.id not in gone]) as without:
        assert without.digest() == digest


def test_a_kill_in_the_middle_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_batch, "GROUP", 2)
    (file := tmp_path / "people.txt").write_text("\n".join(f"email:p{n}@example.org" for n in range(PEOPLE - 1)))
    with told(crowd()) as graph:
        told_of: list[int] = []

        def die(done: int) -> None:
            told_of.append(done)
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            graph.forget_batch.run(file, hear=die)
        assert graph.people.count() == PEOPLE - 4
        done = graph.forget_batch.run(file, hear=told_of.append)
        assert told_of == [2, 4, 6] and (done.lines, done.erased) == (6, 6)
        assert answers(graph, done.batch) == [(n, None) for n in range(1, 7)]
        assert graph.store.erasures.open() == [] and graph.people.count() == 1


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email\nx\n")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with told(crowd()) as graph:
        for name, code in (("none", "SOURCE_MISSING"), ("a.csv", "SOURCE_COLUMNS"), ("b.txt", "SOURCE_FORMAT")):
            with pytest.raises(InputError) as caught:
                graph.forget_batch.run(tmp_path / name)
            assert caught.value.code == code
        assert graph.people.count() == PEOPLE
