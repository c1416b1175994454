"""After `forget` has returned no file of the store holds the person, in any encoding, while others have it open."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier
from identity_graph.world import NAMES, World
from tests.story.worlds import numbered, world_ends

ROOT = Path(__file__).parents[2]
_OTHER = """
import sys
from identity_graph import IdentityGraph
with IdentityGraph.open(sys.argv[1]) as graph:
    print(len(graph.people.profiles([one.id for one in graph.people.page()])), flush=True)
    sys.stdin.read()
"""


def encodings(value: str) -> dict[str, bytes]:
    """The value as a file may hold it. Of base64 the characters that do not depend on what is around it."""
    raw = value.encode()
    found = {
        "utf-8": raw,
        "upper case": value.upper().encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "backwards": raw[::-1],
        "URL": quote(value, safe="").encode(),
    }
    for hash in ("md5", "sha1", "sha256"):
        digest = hashlib.new(hash, raw)
        found |= {hash: digest.digest(), f"{hash} in hex": digest.hexdigest().encode()}
    for shift in range(3):
        coded = b64encode(bytes(shift) + raw)
        found[f"base64+{shift}"] = coded[(8 * shift + 5) // 6 : 8 * (shift + len(raw)) // 6]
    return found


def finds(folder: Path, values: list[str]) -> list[tuple[str, str, str]]:
    """File, value and encoding of everything that is found."""
    contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return [
        (name, value, encoding)
        for value in values
        for encoding, pattern in encodings(value).items()
        for name, content in contents.items()
        if pattern in content
    ]


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
        assert other.wait(30) == 0


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
            assert {name for name, _, _ in finds(folder, values)} >= {"people.db"}
            if not scrubbed:
                graph.store.privacy.scrub = lambda: None  # type: ignore[method-assign]
            receipt = graph.forget.erase(preview.token)
            assert receipt.document["scrubbed"]
            left = finds(folder, values)
            if not scrubbed:
                assert {value for _, value, _ in left} == set(values)
                return
            assert left == []


def test_the_scan_finds_what_it_looks_for(tmp_path: Path) -> None:
    value = "ann.lee@example.org"
    for number, (encoding, pattern) in enumerate(encodings(value).items()):
        file = tmp_path / f"{number}"
        shift = int(encoding[-1]) if encoding.startswith("base64") else 0
        around = b64encode(b"xyz"[:shift] + value.encode() + b"more") if "64" in encoding else b"\1" + pattern + b"\2"
        file.write_bytes(around)
        assert (file.name, value, encoding) in finds(tmp_path, [value])
        file.unlink()
