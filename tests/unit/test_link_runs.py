"""Links counted together through files are those counted together in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.resolve.fold import merge
from identity_graph.store.neo4j.link_runs import LinkRuns
from identity_graph.tables import EvidenceTable
from tests.conftest import law

ROWS = st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(0, 2), st.integers(1, 5), st.integers(0, 99))


def table(rows: list[tuple[int, int, int, int, int]]) -> EvidenceTable:
    """One as a store folds it: sorted, no row twice."""
    a, gap, source, count, time = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    links = EvidenceTable(
        a.astype(np.int32),
        (a + gap).astype(np.int32),
        source.astype(np.int16),
        count.astype(np.int32),
        time,
        time + count,
    )
    return merge([links])


def as_rows(links: EvidenceTable) -> list[tuple[int, ...]]:
    columns = (links.a, links.b, links.source, links.count, links.first_seen, links.last_seen)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@law(200)
@given(st.lists(st.lists(ROWS, max_size=12), max_size=12), st.integers(1, 30))
def test_merged_through_files_as_in_memory(tables: list[list[tuple[int, int, int, int, int]]], rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = LinkRuns(Path(folder), rows)
        for each in tables:
            runs.add(table(each))
        pieces = list(runs.merged())
    found = [row for piece in pieces for row in as_rows(piece)]
    assert found == as_rows(merge([table(each) for each in tables]))


def test_no_piece_is_much_larger_than_memory_takes(tmp_path: Path) -> None:
    runs = LinkRuns(tmp_path, 100)
    for start in range(40):
        runs.add(table([(n + start, 1, 0, 1, n) for n in range(60)]))
    assert len(list(tmp_path.iterdir())) > 2
    pieces = list(runs.merged())
    assert max(map(len, pieces)) <= 120
    assert sum(map(len, pieces)) == 99
    assert int(sum(piece.count.sum() for piece in pieces)) == 40 * 60
