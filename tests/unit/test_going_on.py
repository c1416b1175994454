"""A file that is followed goes on where it was left: nothing before is read again, and lines keep their numbers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.records.growing import GrowingFile, Stopped
from identity_graph.records.lines import LONGEST, Cut, LongLine, cuts, line_after

PARTS = {"letter": b"a", "line": b"{}\n", "blank": b"\n\n", "mark": b"\xef\xbb\xbf", "long": b"x" * (LONGEST + 9)}


def lines(found: list[Cut]) -> list[tuple[int, int, bytes]]:
    numbered = []
    for line, offset, _, data in found:
        for number, raw in enumerate([data] if isinstance(data, LongLine) else data.split(b"\n"), line):
            numbered.append((number, offset, bytes(raw[:9])))
            offset += len(raw) + 1
    return numbered


@given(st.lists(st.sampled_from(list(PARTS)), max_size=12), st.integers(1, 40))
def test_lines_keep_their_numbers_wherever_reading_goes_on(parts: list[str], size: int) -> None:
    content = b"".join(map(PARTS.__getitem__, parts)) + b"\n"
    step = max(size, len(content) // 30)
    whole = list(cuts(content[at : at + step] for at in range(0, len(content), step)))
    for number, cut in enumerate(whole):
        after = cut[2]
        rest = cuts([content[after:]], after, offset=after, line=line_after(cut))
        assert lines(list(rest)) == lines(whole[number + 1 :])


def test_what_stands_before_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"first\nsecond\n")
    stop = threading.Event()
    with GrowingFile(path, stop, stop.set) as file:
        found = file.chunks(6)
        assert next(found) == b"second\n"
        with pytest.raises(Stopped):
            next(found)
