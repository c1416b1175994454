"""After `forget` has returned no file of the store holds the person, in any encoding, while others have it open."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier
from identity_graph.world import NAMES, World
from tests.privacy.scanner import Scanner, encodings
from tests.story.worlds import numbered, world_ends

ROOT = Path(__file__).parents[2]
_OTHER = """
import sys
from identity_graph import IdentityGraph
with IdentityGraph.open(sys.argv[1]) as graph:
    print(len(graph.people.profiles([one.id for one in graph.people.page()])), flush=True)
    sys.stdin.read()
"""


@contextmanager
def open_elsewhere(url: str) -> Iterator[None]:
    """Another process has read the store and keeps it open: SQLite then leaves the log where it is."""
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout and other.stdin
        assert int(other.stdout.readline()) > 10
        yield
        other.stdin.close()
        assert other.wait(120) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A world's files in a store that lies in a folder of its own."""
    files, folder = tmp_path / "files", tmp_path / "store"
    folder.mkdir()
    World(people=30, seed=8).write(files)
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", clock=world_ends, new_id=numbered()) as graph:
        for name in NAMES:
            graph.ingest.load(read_loader(name), files / NAMES[name])
            graph.resolver.resolve()
    return folder


def reachable(graph: IdentityGraph, count: int) -> list[Identifier]:
    """Addresses of several persons, which are nobody else's."""
    found: list[Identifier] = []
    for one in graph.people.page():
        preview = graph.forget.preview(one.id)
        assert preview
        found += [own for own in preview.exclusive if own.namespace == "email" and "@" in own.value][:1]
    assert len(found) >= count
    return found[:count]


@pytest.mark.parametrize("scrubbed", [True, False], ids=["scrubbed", "not scrubbed: the scan must find it"])
def test_no_byte_of_the_person_is_left(folder: Path, scrubbed: bool) -> None:
    url = f"sqlite:///{folder / 'people.db'}"
    with open_elsewhere(url), IdentityGraph.open(url, clock=world_ends, new_id=numbered("n")) as graph:
        victims = reachable(graph, 5)
        for victim in victims:
            (person,) = graph.people.find_by_identifier([victim])
            assert person
            preview = graph.forget.preview(person.id)
            assert preview
            values = [one.value for one in preview.exclusive if len(one.value) > 7]
            assert victim.value in values
            assert {name for name, _, _ in Scanner(values).scan([folder])} >= {"people.db"}
            if not scrubbed:
                graph.store.privacy.scrub = lambda: None  # type: ignore[method-assign]
            receipt = graph.forget.erase(preview.token)
            assert receipt.document["scrubbed"]
            left = Scanner(values).scan([folder])
            if not scrubbed:
                assert {value for _, value, _ in left} == set(values)
                return
            assert left == set()


def test_the_scan_finds_what_it_looks_for(tmp_path: Path) -> None:
    value = "ann.lee@example.org"
    for number, (encoding, pattern) in enumerate(encodings(value).items()):
        file = tmp_path / f"{number}"
        shift = int(encoding[-1]) if encoding.startswith("base64") else None
        around = (
            b"\1" * number + pattern + b"\2" if shift is None else b64encode(b"xyz"[:shift] + value.encode() + b"more")
        )
        file.write_bytes(around)
        assert (file.name, value, encoding) in Scanner([value]).scan([tmp_path])
        file.unlink()


MANY = 1_000
SPACES = ("anonymous_id", "cookie", "device_id", "email", "loyalty_id", "phone", "user_id")
DESTINATIONS = """
[crm]
segment = "all"
file = "exports/crm.csv"
identifiers = ["email", "user_id"]
traits = ["email", "phone"]
[ads]
segment = "all"
file = "exports/ads.csv"
audience = "google"
"""


def test_no_byte_of_a_thousand_people_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the privacy desk does it: in a process of its own, which writes a log and may write temporary files, beside
    one that has the store open; the destinations of a segment are written again."""
    folders = {name: tmp_path / name for name in ("files", "store", "logs", "temporary", "exports", "keys")}
    for folder in folders.values():
        folder.mkdir()
    files, scanned = folders.pop("files"), list(folders.values())
    (tmp_path / "destinations.toml").write_text(DESTINATIONS)
    for name, value in {
        "IDENTITY_GRAPH_STORE": f"sqlite:///{folders['store'] / 'people.db'}",
        "IDENTITY_GRAPH_DESTINATIONS": str(tmp_path / "destinations.toml"),
        "IDENTITY_GRAPH_SIGNING_KEY": str(folders["keys"] / "signing.pem"),
        "IDENTITY_GRAPH_AUDIT": str(folders["logs"] / "audit.jsonl"),
        "TMPDIR": str(folders["temporary"]),
        "PYTHONPATH": str(ROOT),
    }.items():
        monkeypatch.setenv(name, value)

    def call(*words: str | Path) -> None:
        with (folders["logs"] / "log.txt").open("ab") as log:
            command = [sys.executable, "-m", "identity_graph", *map(str, words)]
            subprocess.run(command, cwd=tmp_path, stdout=log, stderr=log, check=True)

    World(people=MANY + 100, seed=8, sessions=2).write(files)
    url = f"sqlite:///{folders['store'] / 'people.db'}"
    with IdentityGraph.open(url) as graph:
        for name in NAMES:
            graph.ingest.load(read_loader(name), files / NAMES[name])
        graph.resolver.resolve()
        graph.segments.save("all", "", {"trait": {"name": "email", "is": {"exists": True}}})
        asked, values = victims(graph)
        refused = [{"id": "", "time": "never", "identifiers": {"email": value}} for value in sorted(values)[::7]]
        graph.ingest.records(read_loader("events"), refused)
    (tmp_path / "asked.txt").write_text("\n".join(asked))
    call("activate", "run", "crm")
    call("activate", "run", "ads")
    scanner = Scanner(values)
    before = scanner.scan(scanned)
    assert {value for name, value, encoding in before if (name, encoding) == ("people.db", "utf-8")} == values
    assert {name for name, _, _ in before} >= {"people.db", "crm.csv", "ads.csv"}
    assert {encoding for name, _, encoding in before if name == "ads.csv"} >= {"sha256 in hex"}
    with open_elsewhere(url):
        call("forget", "batch", tmp_path / "asked.txt", "--yes", "--results", folders["exports"] / "results.jsonl")
        call("activate", "run", "crm")
        call("activate", "run", "ads")
        assert (folders["store"] / "people.db-wal").exists()
        with IdentityGraph.open(url) as graph:
            assert len(list(graph.store.erasures.requests(limit=5_000))) == MANY
            # An identifier may become somebody else's while others are erased: it is known still, and is to be found.
            keys = [Identifier(space, value) for value in sorted(values) for space in SPACES]
            known = {key.value for key, row in zip(keys, graph.people.identifiers(keys), strict=True) if row}
            assert len(known) < len(values) / 100
            assert {find for find in scanner.scan(scanned) if find[1] not in known} == set()


def everybody(graph: IdentityGraph) -> list[str]:
    ids: list[str] = []
    while page := graph.people.page(after=ids[-1] if ids else "", limit=1_000):
        ids += [one.id for one in page]
    return ids


def victims(graph: IdentityGraph) -> tuple[list[str], set[str]]:
    """Keys of a thousand persons, and the values that go with them."""
    asked: list[str] = []
    values: set[str] = set()
    for id in everybody(graph):
        preview = graph.forget.preview(id)
        assert preview
        if preview.exclusive and len(asked) < MANY:
            asked.append(preview.exclusive[0].key)
            values |= {one.value for one in preview.exclusive if len(one.value) >= 8}
    assert len(asked) == MANY
    return asked, values
