"""What the program writes is for its owner alone, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph.store import open_store
from tests.cli.calling import run
from tests.cli.conftest import clean_environment as clean_environment

VICTIM = "email:ann@example.org"
EVENTS = b"""{"id": "1", "time": "2025-01-01T00:00:00Z", "email": "ann@example.org", "cookie": "c1"}
{"id": "2", "time": "2025-01-02T00:00:00Z", "email": "bob@example.org", "cookie": "c2"}
{"id": "3", "time": "never", "email": "eve@example.org"}
"""
LOADER = """source = "shop"
format = "jsonl"
[event]
id = "id"
time = "time"
name = { value = "Seen" }
[identifiers]
email = "email"
cookie = "cookie"
"""
DESTINATIONS = """[crm]
segment = "all"
file = "out/crm.jsonl"
identifiers = ["email"]

[hook]
segment = "all"
url = "http://127.0.0.1:9/"
secret_file = "secrets/hook"
attempts = 1
"""
GIVEN = {"events.jsonl", "loader.toml", "destinations.toml", "out"}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def others_may(folder: Path) -> list[str]:
    """Whatever is there that anybody but its owner may read, write or enter."""
    return [
        f"{path.relative_to(folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in sorted(folder.rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]


def test_no_file_is_for_others(open_umask: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store with its log, keys, exports, receipts, backups, the register and the audit log."""
    for name, content in {
        "events.jsonl": EVENTS,
        "loader.toml": LOADER.encode(),
        "destinations.toml": DESTINATIONS.encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "out").mkdir()
    for name, value in {
        "STORE": "sqlite:///people.db",
        "DESTINATIONS": "destinations.toml",
        "SIGNING_KEY": "deep/er/signing.pem",
        "AUDIT": "log/audit.jsonl",
        "ERASED": "far/away/register",
        "BACKUP_KEY": "secret/backup.age",
    }.items():
        monkeypatch.setenv(f"IDENTITY_GRAPH_{name}", value)
    run("load", "--loader", "loader.toml", "events.jsonl")
    run("resolve")
    run("segment", "save", "all", "-", input='{"identifier": {"namespace": "email"}}')
    store = open_store("sqlite:///people.db")  # so that its log and shared memory are there, too
    run("persons", "--format", "csv", "--output", "persons.csv")
    run("activate", "file", "all", "all.csv", "--identifiers", "email")
    run("activate", "run", "crm")
    run("activate", "run", "hook", status=11)
    run("disclose", VICTIM, "--output", "ann.json")
    run("disclose", VICTIM, "--format", "csv", "--output", "ann")
    run("export", "--format", "neo4j-import", "import")
    run("backup", "backup.igb")
    run("forget", VICTIM, "--yes")
    Path("gone.txt").touch(mode=0o600)
    run("forget", "batch", "gone.txt", "--yes", "--results", "results.jsonl")
    run("copy", "--to", "sqlite:///copy.db")
    monkeypatch.setenv("IDENTITY_GRAPH_KEYS", "keys/keys.json")
    run("key", "create", "--role", "admin")
    monkeypatch.delenv("IDENTITY_GRAPH_KEYS")
    (tmp_path / "back.db.key").write_bytes((tmp_path / "people.db.key").read_bytes())
    (tmp_path / "back.db.key").chmod(0o600)
    run("restore", "backup.igb", "--store", "sqlite:///back.db")
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    receipts = {name for name in made if name.startswith("receipt-")}
    assert len(receipts) == 1 and made >= {
        *("people.db", "people.db-wal", "people.db-shm", "people.db.key", "copy.db", "back.db"),
        *("persons.csv", "all.csv", "out/crm.jsonl", "secrets/hook", "ann.json", "ann/events.csv", "import/README.txt"),
        *("backup.igb", "secret/backup.age", "far/away/register", "deep/er/signing.pem", "log/audit.jsonl"),
        *("results.jsonl", "keys/keys.json", "keys/keys.json.lock", "keys/keys.json.secret"),
    }
    store.close()
    for name in GIVEN:
        (tmp_path / name).chmod(0o700)
    assert others_may(tmp_path) == []


def test_the_look_finds_what_is_for_others(open_umask: None, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    assert others_may(tmp_path) == ["folder 777", "folder/file 666"]
