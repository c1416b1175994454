"""backup and restore by the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_graph.store import open_store
from tests.cli.calling import answer, failure, run
from tests.neo4j.database import emptied

SEALED = ("backup.igb", "--key", "backup.age")


@pytest.fixture
def saved(copied: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store of which there is a backup."""
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", copied)
    said = run("backup", *SEALED)
    assert "keep it apart" in said.stderr and "persons are in backup.igb" in said.stdout
    yield copied


def state(*more: str) -> Any:
    counts = answer("stats", *more)
    counts.pop("bytes", None)
    return counts, run("digest", *more).stdout, run("persons", *more).stdout


def test_there_and_back(saved: str, tmp_path: Path) -> None:
    back = ("--store", f"sqlite:///{tmp_path / 'back.db'}")
    assert failure("restore", *SEALED, *back, status=2) == "ERASED_REGISTER"
    assert not list(tmp_path.glob("back.db*"))
    run("restore", *SEALED, *back, "--nothing-erased")
    assert state(*back) == state()
    assert sorted(one.name for one in tmp_path.glob("back.db*")) == ["back.db"]
    checked = answer("restore", *SEALED, "--check")
    assert checked["digest"] == answer("digest")["digest"] and checked["counts"]["events"] == state()[0]["events"]


def test_whom_was_erased_since_is_gone(saved: str, tmp_path: Path, member: tuple[str, str, str]) -> None:
    run("forget", member[1], "--yes", "--receipt", "receipt.json")
    before = state()[:2]
    assert failure("restore", *SEALED, status=6) == "RESTORE_TARGET"
    done = answer("restore", *SEALED, "--replace", "--nothing-erased")  # as the store that is replaced knows better
    assert done["erasedAgain"]["events"] > 0 and done["erasedAgain"]["persons"] == 1
    assert state()[1] == before[1] and state()[0]["events"] == before[0]["events"]
    assert failure("person", member[1], status=7) == "PERSON_UNKNOWN"
    # The store lost, the register and the key kept elsewhere.
    store = Path(saved.removeprefix("sqlite:///"))
    shutil.copy(f"{store}.erased", "elsewhere")
    for one in tmp_path.glob(f"{store.name}*"):
        if one.suffix != ".key":
            one.unlink()
    said = run("restore", *SEALED, "--erased", "elsewhere").stdout
    assert "persons that were erased since" in said
    assert state()[1] == before[1]
    assert failure("person", member[1], status=7) == "PERSON_UNKNOWN"


def test_nobody_may_have_it_open(saved: str) -> None:
    other = open_store(saved)
    before = state()
    assert failure("restore", *SEALED, "--replace", "--nothing-erased", status=6) == "STORE_BUSY"
    assert state() == before
    other.close()
    run("restore", *SEALED, "--replace", "--nothing-erased")
    assert state() == before


def test_into_a_server(
    saved: str, neo4j_url: str, member: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("forget", member[1], "--yes", "--receipt", "receipt.json")
    store = saved.removeprefix("sqlite:///")
    monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", Path(f"{store}.key").read_bytes().hex())
    there = ("--store", emptied(neo4j_url))
    run("restore", *SEALED, *there, "--erased", f"{store}.erased")
    assert run("digest", *there).stdout == run("digest").stdout
    assert failure("person", member[1], *there, status=7) == "PERSON_UNKNOWN"
    run("restore", *SEALED, *there, "--erased", f"{store}.erased")  # what is done is done
    run("segment", "save", "some", "-", *there, input='{"identifier": {"namespace": "email"}}')
    assert failure("restore", *SEALED, *there, "--erased", f"{store}.erased", status=6) == "COPY_TARGET"
    # And from there.
    run("backup", "server.igb", "--key", "backup.age", *there)
    back = ("--store", "sqlite:///back.db")
    run("restore", "server.igb", "--key", "backup.age", *back, "--nothing-erased")
    assert run("digest", *back).stdout == run("digest").stdout


def test_keys_and_passphrases(saved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure("backup", "two.igb", status=2) == "BACKUP_KEY"
    assert failure("restore", "backup.igb", status=2) == "BACKUP_KEY"
    monkeypatch.setenv("IDENTITY_GRAPH_BACKUP_PASSPHRASE", "one two three")
    said = run("backup", "two.igb")
    assert "three" not in said.output
    run("restore", "two.igb", "--check")
    assert failure("restore", *SEALED[:1], "--check", status=2) == "BACKUP_KEY"
    monkeypatch.setenv("IDENTITY_GRAPH_BACKUP_PASSPHRASE", "one two four")
    assert failure("restore", "two.igb", "--check", status=2) == "BACKUP_KEY"
    monkeypatch.setenv("IDENTITY_GRAPH_BACKUP_KEY", "backup.age")
    run("restore", "backup.igb", "--check")


def test_what_is_refused(saved: str, tmp_path: Path) -> None:
    assert failure("backup", *SEALED, status=3) == "OUTPUT_FAILED"
    sealed = Path("backup.igb").read_bytes()
    Path("backup.igb").write_bytes(sealed[:-100])
    to = ("--store", "sqlite:///new.db", "--nothing-erased")
    assert failure("restore", *SEALED, *to, status=3) == "BACKUP_INVALID"
    assert failure("restore", "nowhere", "--key", "backup.age", *to, status=3) == "SOURCE_MISSING"
    run("restore", *SEALED, "--store", "sqlite:///:memory:", status=2)
    run("restore", *SEALED, *to, "--erased", "somewhere", status=2)
    assert not list(tmp_path.glob("new.db*"))
    Path("register").write_text("{}")
    Path("backup.igb").write_bytes(sealed)
    words = ("restore", *SEALED, "--store", "sqlite:///new.db", "--erased", "register")
    assert failure(*words, status=2) == "ERASED_REGISTER"


def test_a_policy_that_is_another(saved: str, member: tuple[str, str, str]) -> None:
    """Persons are resolved again without whom was erased, by the rules that they were published by."""
    run("forget", member[1], "--yes", "--receipt", "receipt.json")
    Path("other.toml").write_text("min_weight = 0.3\n")
    words = ("restore", *SEALED, "--replace")
    assert failure(*words, "--policy", "other.toml", status=4) == "POLICY_DIFFERS"
    run(*words)
    assert json.loads(run("restore", *SEALED, "--check", "--json").stdout)["pieces"] > 10
