"""Members in files: whole or not at all, harmless in spreadsheets, hashed for ad platforms."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import orjson
import polars as pl
import pytest

from identity_graph.destinations import Destination
from identity_graph.errors import InputError, NotFound
from identity_graph.roster import Roster
from tests.activation.conftest import Town, pros
from tests.story.worlds import event

EVIL = "=HYPERLINK(1)"


def told(town: Town, name: str, **more: object) -> tuple[Path, int]:
    file = town.folder / name
    given = {"identifiers": ("email", "phone"), "traits": ("plan", "words", "tags", "none")} | more
    return file, town.graph.activation.write(Destination("FILE", "pros", file, **given))  # type: ignore[arg-type]


@pytest.fixture
def people(town: Town) -> Town:
    town.tell(pros(1, 2))
    town.tell(
        [
            event("more", 3, "user_id:u0001", "email:u1.second@example.org", "phone:+442079460958"),
            event("words", 4, "user_id:u0002", traits={"words": EVIL, "tags": ["a", "b"]}),
            event("nobody", 5, "user_id:u0003", "phone:+442079460959;ext=12", traits={"plan": "pro"}),
        ]
    )
    return town


def test_the_three_formats_say_the_same(people: Town) -> None:
    lines, count = told(people, "out/pros.jsonl")
    rows = [orjson.loads(line) for line in lines.read_bytes().splitlines()]
    assert count == len(rows) == 3
    by_id = {row["person_id"]: row for row in rows}
    assert by_id[people.id(1)] == {
        "person_id": people.id(1),
        "email": ["u1.second@example.org", "u1@example.org"],
        "phone": ["+442079460958"],
        "plan": "pro",
        "words": None,
        "tags": None,
        "none": None,
    }
    table, _ = told(people, "pros.parquet")
    found = pl.read_parquet(table)
    assert found.columns == list(rows[0])
    assert found["email"].to_list() == [row["email"] for row in rows]
    assert found["tags"].to_list() == [orjson.dumps(row["tags"]).decode() if row["tags"] else None for row in rows]
    sheet, _ = told(people, "pros.csv")
    cells = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"))))
    assert [orjson.loads(row["email"]) for row in cells] == [row["email"] for row in rows]
    assert {row["words"] for row in cells} == {"'" + EVIL, ""}
    assert lines.stat().st_mode & 0o777 == 0o600  # people are in it


def test_an_empty_segment_makes_an_empty_file(town: Town) -> None:
    assert told(town, "pros.csv")[1] == 0
    assert pl.read_parquet(told(town, "pros.parquet")[0]).shape == (0, 7)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("platform", "header", "plus"), [("google", "Email,Phone", "+"), ("meta", "email,phone", "")])
def test_audiences(people: Town, platform: str, header: str, plus: str) -> None:
    file, count = told(people, "ads.csv", audience=platform)
    lines = file.read_bytes().decode("ascii").split("\r\n")
    assert lines[0] == header and lines[-1] == ""
    assert count == 2  # of the third there is nothing that a platform takes
    assert set(lines[1:-1]) == {
        f"{sha('u1.second@example.org')},{sha(plus + '442079460958')}",
        f"{sha('u1@example.org')},",
        f"{sha('u2@example.org')},",
    }


def test_a_file_that_cannot_be_written_is_left_as_it_was(people: Town) -> None:
    file, _ = told(people, "kept/pros.jsonl")
    before = file.read_bytes()
    people.tell(pros(9))
    (people.folder / "kept" / "wall").write_text("")
    with pytest.raises(InputError) as failed:
        told(people, "kept/wall/pros.jsonl")
    assert failed.value.code == "OUTPUT_FAILED"
    with pytest.raises(NotFound) as unknown:
        people.graph.activation.write(Destination("FILE", "none", file))
    assert unknown.value.code == "SEGMENT_UNKNOWN"
    assert file.read_bytes() == before and sorted(path.name for path in file.parent.iterdir()) == ["pros.jsonl", "wall"]


def test_who_is_erased_while_it_is_made_is_not_in_it(people: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Roster.content
    erased = people.id(2)

    def slowly(self: Roster, *given: object) -> tuple[bytes, int]:
        found = made(self, *given)  # type: ignore[arg-type]
        if people.graph.people.find([erased])[0]:
            people.forget(2)
        return found

    monkeypatch.setattr(Roster, "content", slowly)
    file, count = told(people, "pros.jsonl")
    assert count == 2 and erased not in file.read_text() and "u2@example.org" not in file.read_text()
