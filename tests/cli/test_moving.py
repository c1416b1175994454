"""copy and export by the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from identity_graph.errors import CODES
from tests.cli.calling import answer, failure, on_terminal, run


def test_a_copy_has_the_digest_of_its_source(loaded: str, tmp_path: Path) -> None:
    to = f"sqlite:///{tmp_path / 'copy.db'}"
    copied = answer("copy", "--from", loaded, "--to", to)
    assert copied["verified"] is True and copied["tombstoneKey"] is None
    assert answer("digest", "--store", to) == answer("digest", "--store", loaded)
    assert run("persons", "--store", to).stdout == run("persons", "--store", loaded).stdout
    # Again: nothing to do.
    said = run("copy", "--store", loaded, "--to", to).stdout
    assert said == (
        f"{copied['copied']['events']:,} events, {copied['copied']['identifiers']:,} identifiers and"
        f" {copied['copied']['persons']:,} persons: the copy is equal to its source.\n"
    )


def test_the_key_of_the_tombstones_is_not_forgotten(copied: str, tmp_path: Path, member: tuple[str, str, str]) -> None:
    run("forget", member[1], "--yes", "--store", copied)
    to = f"sqlite:///{tmp_path / 'second.db'}"
    done = run("copy", "--from", copied, "--to", to, "--json")
    assert json.loads(done.stdout)["tombstoneKey"] is False
    assert f"copy {tmp_path / 'people.db.key'} to {tmp_path / 'second.db.key'} (mode 0600)" in done.stderr
    (tmp_path / "second.db.key").write_bytes((tmp_path / "people.db.key").read_bytes())
    again = run("copy", "--from", copied, "--to", to, "--json")
    assert json.loads(again.stdout)["tombstoneKey"] is True and again.stderr == ""


def test_what_cannot_be_copied(loaded: str, copied: str, tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path / 'nowhere.db'}"
    assert failure("copy", "--from", nowhere, "--to", f"{nowhere}2", status=6) == "STORE_OPEN"
    assert not list(tmp_path.glob("nowhere*"))
    run("copy", "--from", loaded, "--to", loaded, status=2)
    run("copy", "--to", "sqlite:///identity_graph.db", status=2)
    run("copy", "--from", loaded, status=2)
    assert failure("copy", "--from", loaded, "--to", copied, status=6) == "COPY_TARGET"
    assert {"COPY_TARGET", "COPY_DIFFERS"} <= CODES.keys()


def test_somebody_at_a_terminal_sees_it_go_on(loaded: str, tmp_path: Path) -> None:
    status, shown = on_terminal("copy", "--from", loaded, "--to", f"sqlite:///{tmp_path / 'copy.db'}")
    assert status == 0 and "rows" in shown and "copy" in shown


def test_files_for_the_importer(loaded: str, tmp_path: Path) -> None:
    counts = answer("stats", "--store", loaded)
    written = answer("export", "--format", "neo4j-import", tmp_path / "files", "--store", loaded)["written"]
    for name, count in (
        ("Event", "events"),
        ("Identifier", "identifiers"),
        ("Person", "persons"),
        ("OBSERVED", "observations"),
        ("IDENTIFIES", "memberships"),
        ("SUPPRESSED", "suppressed_links"),
        ("Change", "changes"),
    ):
        assert written[name] == counts[count], name
    assert "neo4j-admin database import full" in (tmp_path / "files" / "README.txt").read_text()
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
    # The files are of people: they are not written over, and not beside others.
    words = ["export", "--format", "neo4j-import", str(tmp_path / "files"), "--store", loaded]
    assert failure(*words, status=3) == "OUTPUT_FAILED"
    run("export", tmp_path / "more", "--store", loaded, status=2)
    run("export", tmp_path / "more", "--format", "gremlin", "--store", loaded, status=2)
    said = run("export", "-f", "neo4j-import", tmp_path / "more", "--store", loaded).stdout
    assert said.endswith(f"How to import them is in {tmp_path / 'more' / 'README.txt'}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; run the tests as another user too")
def test_a_folder_that_cannot_be_written(loaded: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    words = ["export", "-f", "neo4j-import", str(tmp_path / "files"), "--store", loaded]
    assert failure(*words, status=3) == "OUTPUT_FAILED"
