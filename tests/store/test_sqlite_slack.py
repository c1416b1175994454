"""What stands in the gaps of pages goes with a scrub, and no other process brings it back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import Identifier
from identity_graph.store.sqlite import slack
from identity_graph.store.sqlite.connection import PAGE_BYTES
from tests.store.building import event

LEFT = b"left of somebody who is no more"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of some pages; in the gap of each that has room for it stands what SQLite may leave there."""
    path = tmp_path / "people.db"
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        graph.ingest.events([event(f"e{n}", f"cookie:c{n}", f"email:a{n}@example.org") for n in range(500)])
        graph.resolver.resolve()
    assert soil(path) > 5
    return path


def soil(path: Path) -> int:
    content, soiled = bytearray(path.read_bytes()), 0
    for start in range(PAGE_BYTES, len(content), PAGE_BYTES):
        first, end = slack.gap(bytes(content[start : start + PAGE_BYTES]))
        if end - first > len(LEFT):
            content[start + first : start + first + len(LEFT)] = LEFT
            soiled += 1
    path.write_bytes(content)
    return soiled


def holds(path: Path) -> bool:
    return any(LEFT in one.read_bytes() for one in path.parent.iterdir())


def more(graph: IdentityGraph, number: int) -> None:
    graph.ingest.events([event(f"m{number}", f"cookie:c{number}", f"cookie:n{number}")])
    graph.resolver.resolve()


def test_a_scrub_empties_the_gaps(path: Path) -> None:
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        digest = graph.digest()
        assert holds(path) and graph.forget.scrub()
        assert not holds(path) and graph.digest() == digest
        more(graph, 1)
        assert graph.forget.scrub() and not holds(path)
        assert graph.store.operations.counts()["events"] == 501


def test_whoever_had_such_pages_in_memory_reads_them_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, keys = f"sqlite:///{path}", [Identifier("cookie", f"c{n}") for n in range(500)]
    soiled = slack.Slack.soiled
    with IdentityGraph.open(url) as graph, IdentityGraph.open(url) as other:

        def found(self: slack.Slack, among: Iterable[int] | None) -> list[int]:
            pages = soiled(self, among)
            with other.store.transaction():  # as the connection reads that writes; it writes nothing yet
                assert all(other.store.evidence.identifiers(keys))
            return pages

        monkeypatch.setattr(slack.Slack, "soiled", found)
        assert graph.forget.scrub() and not holds(path)
        for number in range(500):
            more(other, number)
        assert other.digest() == graph.digest()
        assert not holds(path)


def test_what_is_soiled_later_is_found(path: Path) -> None:
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        assert graph.forget.scrub() and not holds(path)
    assert soil(path) > 5
    with IdentityGraph.open(f"sqlite:///{path}") as graph, IdentityGraph.open(f"sqlite:///{path}") as other:
        more(other, 3)
        assert graph.forget.scrub() and not holds(path)
        for number in range(4, 100):
            more(other, number)
        assert graph.forget.scrub() and not holds(path)


def test_pages_are_looked_at_that_were_written_since(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look(page: bytes) -> bool:
        looked.append(len(page))
        return False

    monkeypatch.setattr(slack, "is_soiled", look)
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        pages = path.stat().st_size // PAGE_BYTES
        more(graph, 1)
        assert graph.forget.scrub()
        assert len(looked) >= pages - 1
        for number in (2, 3):
            looked.clear()
            more(graph, number)
            assert graph.forget.scrub()
            assert 0 < len(looked) < pages / 2


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (bytes([13, 0, 0, 0, 2, 0, 60, 0]) + bytes(92), (12, 60)),
        (bytes([5, 0, 0, 0, 1, 0, 90, 0]) + bytes(92), (14, 90)),
        (bytes([13, 0, 0, 0, 9, 0, 20, 0]) + bytes(92), (0, 0)),  # the head contradicts itself
        (bytes([0, 0, 0, 9]) + b"what overflows" * 7, (0, 0)),
    ],
)
def test_where_a_gap_is(page: bytes, found: tuple[int, int]) -> None:
    assert slack.gap(page) == found
