"""The demo, as a newcomer runs it: in a process of its own, in an empty folder."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from identity_graph.world import NAMES
from tests.cli.calling import answer, failure, run
from tests.neo4j.database import emptied

ROOT = Path(__file__).parents[2]


def run_demo(folder: Path, *arguments: str) -> str:
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_GRAPH_")}
    environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "identity_graph", "demo", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(temporary.iterdir()) == [], "the temporary store is gone"
    temporary.rmdir()
    assert list(folder.iterdir()) == [], "nothing is left behind"
    return done.stdout


def spent() -> float:
    """Seconds of CPU that the processes took which this one began and saw end: others may be busy beside them."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    started = spent()
    output = run_demo(tmp_path_factory.mktemp("demo"))
    assert spent() - started < 200  # of which it needs 10; on a virtual machine, time of others is counted as its own
    return output


def part(shown: str, number: int) -> str:
    return re.split(r"\n\d  ", shown)[number]


def numbers(line: str) -> list[int]:
    return [int(word.replace(",", "")) for word in line.split()[-5:]]


def test_it_says_the_same_every_time(shown: str, tmp_path: Path) -> None:
    assert run_demo(tmp_path) == shown


def test_it_is_plain_text_where_there_is_no_terminal(shown: str) -> None:
    assert "\x1b" not in shown
    assert not [line for line in shown.splitlines() if line != line.rstrip()]


def test_the_load_accounts_for_every_record(shown: str) -> None:
    lines = part(shown, 1).rstrip().splitlines()
    rows = [numbers(line) for line in lines if line.startswith(tuple(NAMES.values()))]
    assert len(rows) == 5
    for read, accepted, duplicate, quarantined, suppressed in rows:
        assert read == accepted + duplicate + quarantined + suppressed > 0
    assert numbers(lines[-1]) == [sum(column) for column in zip(*rows, strict=True)]


def test_persons_are_measured_against_the_truth(shown: str) -> None:
    match = re.search(r"pairwise precision (\d\.\d+), recall (\d\.\d+)", part(shown, 2))
    assert match and float(match[1]) > 0.99 and float(match[2]) > 0.9


def test_one_person_has_a_profile_a_journey_and_segments(shown: str) -> None:
    text = part(shown, 3)
    assert re.search(r"segments: \w+, \w+", text)
    assert {"user_id", "email", "phone", "anonymous_id"} <= {word.partition(":")[0] for word in text.split()}
    assert {"crm", "app"} <= set(text.split())
    assert re.search(r"the last 6 of \d+ events:", text)


def test_it_says_why_two_are_one_person(shown: str) -> None:
    assert re.search(r"are one person: \d links join them", part(shown, 4))


def test_the_erased_person_does_not_come_back(shown: str) -> None:
    text = part(shown, 5)
    assert text.count("The same query finds nobody.") == 2
    assert "verified: True" in text and "everybody else is what it was" in text
    goes = re.search(r"goes:  (\d+) events", text)
    rows = [numbers(line) for line in text.splitlines() if line.startswith(tuple(NAMES.values()))]
    assert goes and sum(row[4] for row in rows) >= int(goes[1])
    assert sum(row[1] for row in rows) == 0, "nothing new comes in"


def test_it_says_what_to_run_next(shown: str) -> None:
    assert shown.endswith("\nNext: make serve\n")


@pytest.mark.parametrize("people", ["10", "37"])
def test_it_works_for_worlds_of_other_sizes(people: str, tmp_path: Path) -> None:
    assert run_demo(tmp_path, "--people", people).endswith("\nNext: make serve\n")


def test_a_world_can_be_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    run("demo", "--keep", path, "--people", "10")
    assert "segments" in run("stats", "--store", f"sqlite:///{path}").stdout
    assert failure("demo", "--keep", path, status=6) == "STORE_OPEN"


def test_a_world_can_be_kept_on_a_server(tmp_path: Path, neo4j_url: str) -> None:
    url = emptied(neo4j_url)
    kept = run("demo", "--keep", url, "--people", "10")
    assert kept.stderr.startswith("A world of 10 people: ")
    run("demo", "--keep", tmp_path / "kept.db", "--people", "10")
    assert run("digest", "--store", url).stdout == run("digest", "--store", f"sqlite:///{tmp_path / 'kept.db'}").stdout
    assert answer("segment", "list", "--store", url)
    assert failure("demo", "--keep", url, status=6) == "STORE_OPEN"
