"""A slice of the machine of random steps is the same again by its seed."""

from __future__ import annotations

import pytest

from identity_graph.model import Event
from tests.story.slices import main, run_slice
from tests.story.test_machine import Machine


def test_a_seed_replays_its_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[Event]] = []
    take_in = Machine.take_in

    def heard(machine: Machine, events: list[Event]) -> None:
        told.append(events)
        take_in(machine, events)

    monkeypatch.setattr(Machine, "take_in", heard)

    def sliced(seed: int) -> tuple[int, list[list[Event]]]:
        told.clear()
        return run_slice(seed, examples=4, steps=8), told[:]

    first, again, other = sliced(5), sliced(5), sliced(6)
    assert first == again != other
    assert first[0] >= 8 and first[1]


def test_seeds_count_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tests.story.slices.run_slice", lambda number: 1_000 * number)
    main(7, 2)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" in ")[0] for line in said] == ["seed 7: 7,000 steps", "seed 8: 8,000 steps"]
