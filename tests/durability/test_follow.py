"""`load --follow` in a process of its own, while other processes write what it follows."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
import pytest

from identity_graph import IdentityGraph, Policy
from identity_graph.errors import HELP, PolicyError
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier, Run, RunState
from identity_graph.store import open_store
from tests import nursery
from tests.nursery import Forked
from tests.tracking.serving import environment

ROOT = Path(__file__).parents[2]
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it
WRITER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    for line in open(sys.argv[2], "rb"):
        half = len(line) // 2
        file.write(line[:half])
        file.write(line[half:])
"""
"""Appends lines by halves, as a writer with a buffer does."""


def line(number: int) -> bytes:
    """Every seventh is refused, every ninth is an earlier one again."""
    if number % 9 == 8:
        return line(number - 5)
    email = "nobody at home" if number % 7 == 3 else f"p{number % 97}@example.org"
    event = {"id": f"e{number}", "time": "2026-01-02", "name": "Seen", "identifiers": {"email": email}}
    return orjson.dumps(event | {"identifiers": {"email": email, "device_id": f"d{number % 89}"}}) + b"\n"


def lines(*numbers: int) -> bytes:
    return b"".join(map(line, numbers))


def command(store: str, file: str | Path, *more: str, loader: str = "events") -> list[str]:
    words = ["load", "--follow", "--loader", loader, str(file), "--store", store, "--json", *more]
    return ["-m", "identity_graph", *words]


@contextmanager
def following(
    store: str, file: str | Path, *more: str, loader: str = "events", stdin: IO[bytes] | None = None
) -> Iterator[Forked]:
    """Once it follows."""
    with Forked(command(store, file, *more, loader=loader), environment(), stdin=stdin) as process:
        assert process.stderr.readline().startswith("Following")
        yield process


def stop(process: Forked, by: signal.Signals = signal.SIGTERM) -> list[dict[str, Any]]:
    """The runs that it tells of when it is told to end."""
    process.send_signal(by)
    output, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return list(json.loads(output)["runs"])


def wait(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(store: str) -> list[Run]:
    opened = open_store(store)
    try:
        return opened.operations.runs()[::-1]
    finally:
        opened.close()


def read(store: str) -> list[int]:
    """Of each run: how many records it read."""
    return [run.read for run in runs(store)]


def state(store: str) -> tuple[list[bytes], list[tuple[str, bytes]]]:
    opened = open_store(store)
    try:
        aside = [(record.code, record.record) for record in opened.operations.quarantined(limit=10**6)]
        return list(opened.operations.canonical_lines()), sorted(aside)
    finally:
        opened.close()


def loaded(folder: Path, content: bytes) -> str:
    """A store that these lines were loaded into at once."""
    (folder / "whole.jsonl").write_bytes(content)
    url = f"sqlite:///{folder / 'whole.db'}"
    with IdentityGraph.open(url) as graph:
        graph.ingest.load(read_loader("events"), folder / "whole.jsonl")
    return url


def counts(run: dict[str, Any]) -> Sequence[int]:
    return [run[name] for name in ("read", "accepted", "duplicate", "quarantined", "suppressed")]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_appended_lines_are_stored_and_the_next_process_goes_on(
    shared_url: str, tmp_path: Path, by: signal.Signals
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(0, 1))
    with following(shared_url, file) as process:
        wait(lambda: read(shared_url) == [2])
        with file.open("ab") as writer:
            writer.write(line(2) + line(4)[:20])  # half a line is not read
        wait(lambda: read(shared_url) == [3])
        with file.open("ab") as writer:
            writer.write(line(4)[20:] + line(3))
        wait(lambda: read(shared_url) == [5])
        (told,) = stop(process, by)
    assert (told["state"], told["file"], told["kind"]) == ("PAUSED", str(file), "follow")
    assert counts(told) == [5, 4, 0, 1, 0] and told["lastError"] == "EMAIL_NO_AT, line 5"
    with file.open("ab") as writer:
        writer.write(lines(5, 6, 10))
    with following(shared_url, file) as process:
        wait(lambda: read(shared_url) == [8])
        (told,) = stop(process)
    assert counts(told) == [8, 6, 0, 2, 0] and told["lastError"] == "EMAIL_NO_AT, line 8"
    assert state(shared_url) == state(loaded(tmp_path, file.read_bytes()))


def test_killed_and_run_again(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    url, file, source = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "events.jsonl", tmp_path / "source.jsonl"
    total = 20_000
    source.write_bytes(lines(*range(total)))
    file.touch()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(source)])
    killed = 0
    for _ in range(6):
        before = sum(read(url)) if (tmp_path / "people.db").exists() else 0
        with following(url, file) as process:
            wait(lambda before=before: sum(read(url)) > min(before, total - 1))  # type: ignore[misc]
            time.sleep(dice.random() * 0.3)
            process.kill()
            killed += 1
    writer.communicate(timeout=300)
    with following(url, file) as process:
        wait(lambda: read(url) == [total])
        (told,) = stop(process)
    print(f"seed {SEED}: killed {killed} times")
    assert counts(told)[0] == sum(counts(told)[1:]) == total
    calm = loaded(tmp_path, source.read_bytes())
    assert state(url) == state(calm)
    (whole,) = runs(calm)
    assert counts(told) == [whole.read, whole.accepted, whole.duplicate, whole.quarantined, whole.suppressed]


def test_a_file_that_is_renamed_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "events.jsonl"
    file.write_bytes(lines(0))
    with following(url, file) as process, file.open("ab", buffering=0) as old:
        wait(lambda: read(url) == [1])
        file.rename(tmp_path / "events.jsonl.1")
        file.write_bytes(lines(1, 2))
        old.write(line(4) + line(5).rstrip())  # who writes has not heard of it yet, and ends without a newline
        wait(lambda: read(url) == [3, 2])
        file.unlink()
        file.write_bytes(lines(6))
        wait(lambda: read(url) == [3, 2, 1])
        told = stop(process)
    assert [run["state"] for run in told] == ["DONE", "DONE", "PAUSED"]
    assert state(url) == state(loaded(tmp_path, lines(0, 4, 5, 1, 2, 6)))


def test_a_file_that_is_truncated_is_read_from_its_beginning(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "events.jsonl"
    file.write_bytes(lines(0, 1, 2))
    with following(url, file) as process:
        wait(lambda: read(url) == [3])
        file.write_bytes(b"")
        with file.open("ab") as writer:
            writer.write(lines(0, 4))
        wait(lambda: read(url) == [3, 2])
        # As long as before, with the same first line.
        content = lines(0, 5)
        assert len(content) == file.stat().st_size
        file.write_bytes(content + lines(6))
        wait(lambda: read(url) == [3, 2, 3])
        first, second, third = stop(process)
    assert first["message"] == second["message"] == "the file was truncated" and third["state"] == "PAUSED"
    assert counts(third) == [3, 2, 1, 0, 0]
    # While nobody looks, by another content of the same first line.
    file.write_bytes(lines(0, 9, 10, 11, 12))
    with following(url, file) as process:
        wait(lambda: read(url) == [3, 2, 3, 5])
        stop(process)
    assert runs(url)[2].message == "the file was truncated and written anew"
    assert state(url) == state(loaded(tmp_path, lines(0, 1, 2, 4, 5, 6, 9, 10, 11, 12)))


def test_what_was_renamed_while_nobody_looked_is_read_to_its_end_first(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "events.jsonl"
    file.write_bytes(lines(0, 1))
    with following(url, file) as process:
        wait(lambda: read(url) == [2])
        process.kill()
    with file.open("ab") as writer:
        writer.write(lines(2))
    (tmp_path / "events.jsonl.bak").write_bytes(lines(5))  # nothing that was followed
    file.rename(tmp_path / "events.jsonl.1")
    file.write_bytes(lines(0, 4))  # its first line is that of the other
    with following(url, file) as process:
        wait(lambda: read(url) == [3, 2])
        renamed, new = stop(process)
    assert (renamed["state"], new["state"]) == ("DONE", "PAUSED")
    assert state(url) == state(loaded(tmp_path, lines(0, 1, 2, 0, 4)))


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "events.jsonl"
    with following(url, file) as process:
        assert "waiting for it" in process.stderr.readline()
        file.write_bytes(lines(0)[:10])
        file.write_bytes(lines(0))
        wait(lambda: read(url) == [1])
        stop(process)


def test_what_another_process_writes_to_standard_input(tmp_path: Path) -> None:
    url, source = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "source.jsonl"
    content = lines(*range(5_000)).rstrip()
    source.write_bytes(content)
    writer = subprocess.Popen(["cat", str(source)], stdout=subprocess.PIPE)
    with writer, following(url, "-", stdin=writer.stdout) as process:
        assert process.wait(timeout=300) == 0
        (told,) = json.loads(process.stdout.read())["runs"]
    assert (told["state"], told["file"], counts(told)[0]) == ("DONE", "-", 5_000)
    assert state(url) == state(loaded(tmp_path, content))


def test_standard_input_is_stored_as_it_comes_and_repeated_lines_are_duplicates(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with following(url, "-", "--publish") as process:
        process.stdin.write(lines(0, 1).decode())
        process.stdin.flush()
        wait(lambda: 2 in read(url))
        with IdentityGraph.open(url) as graph:
            wait(lambda: graph.people.find_by_identifier([Identifier("email", "p1@example.org")])[0])
        process.kill()
    with following(url, "-", "--publish") as process:
        process.stdin.write(lines(0, 1, 2).decode())
        process.stdin.flush()
        wait(lambda: [run.read for run in runs(url) if run.kind == "follow"] == [2, 3])
        (told,) = stop(process)
        assert counts(told) == [3, 1, 2, 0, 0]
    follow = [run for run in runs(url) if run.kind == "follow"]
    assert [run.state for run in follow] == [RunState.RUNNING, RunState.DONE]
    with IdentityGraph.open(url) as graph:
        assert graph.people.find_by_identifier([Identifier("email", "p2@example.org")])[0]


def test_who_follows_and_cannot_publish_ends_with_why(shared_url: str, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("min_weight = 0.5\n")
    with IdentityGraph.open(shared_url, Policy.read(tmp_path / "other.toml")) as graph:
        graph.resolver.resolve()
    with following(shared_url, "-", "--publish") as process:
        output, said = process.communicate(lines(0, 1).decode(), timeout=300)
        assert process.returncode == PolicyError.exit_status, said
    assert counts(json.loads(output)["total"]) == [2, 2, 0, 0, 0]
    assert json.loads(said[said.index("{") :])["error"]["code"] == "POLICY_DIFFERS"
    assert said.startswith("persons are not published: POLICY_DIFFERS: ")
    assert HELP["POLICY_DIFFERS"] in said.partition("{")[0]
    with following(shared_url, "-") as process:
        assert process.communicate(lines(0, 1).decode(), timeout=300) and process.returncode == 0
    words = ["--publish", "--policy", str(tmp_path / "other.toml")]
    with following(shared_url, "-", *words) as process:
        assert process.communicate(lines(2).decode(), timeout=300) and process.returncode == 0
    with IdentityGraph.open(shared_url) as graph:
        assert all(graph.people.find_by_identifier([Identifier("email", f"p{n}@example.org") for n in range(3)]))


def test_an_endless_standard_input_ends_when_it_is_told_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    writer = subprocess.Popen(["yes", line(0).decode().rstrip()], stdout=subprocess.PIPE)
    with writer, following(url, "-", stdin=writer.stdout) as process:
        wait(lambda: sum(read(url)) > 1000)
        (told,) = stop(process)
        assert counts(told)[1] == 1 and counts(told)[2] == counts(told)[0] - 1
        writer.kill()


def test_lines_of_a_log(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'people.db'}", tmp_path / "access.log"
    sample = (ROOT / "loaders" / "samples" / "access_log.log").read_bytes().splitlines(keepends=True)
    file.write_bytes(sample[0])
    with following(url, file, loader="access_log") as process:
        wait(lambda: read(url) == [1])
        with file.open("ab") as writer:
            writer.write(b"\n" + b"".join(sample[1:]) + b"no such line\n")
        wait(lambda: read(url) == [sum(map(bool, map(bytes.strip, sample))) + 1])
        (told,) = stop(process)
    assert told["lastError"] == f"LINE_INVALID, line {len(sample) + 2}"
    whole = f"sqlite:///{tmp_path / 'whole.db'}"
    with IdentityGraph.open(whole) as graph:
        graph.ingest.load(read_loader("access_log"), file)
    assert state(url) == state(whole)


@pytest.mark.parametrize("name", ["events.csv", "events.jsonl.gz", "pipe", "nowhere/events.jsonl"])
def test_what_cannot_be_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "events.csv").write_text("id,email\n")
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress(lines(0)))
    os.mkfifo(tmp_path / "pipe")
    url = f"sqlite:///{tmp_path / 'people.db'}"
    words = command(url, tmp_path / name, loader="crm" if name == "events.csv" else "events")
    done = nursery.run(words)
    error = json.loads(done.stderr.partition("\n")[2])["error"]
    assert (done.returncode, error["code"]) == (3, "SOURCE_MISSING" if "nowhere" in name else "SOURCE_FORMAT")
    assert error["message"].startswith(str(tmp_path)) and error["help"]
