"""A sealed file opens as it was written, by its key alone, or not at all."""

from __future__ import annotations

import os
import random
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import IdentityGraphError
from identity_graph.sealing import Sealed, SealKey, seal
from identity_graph.secret_file import writing_secret
from tests.conftest import NIGHTLY, law

CHUNK = 64 * 1024 + 16  # of the format: what is authenticated at once


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SealKey:
    made = SealKey(place=tmp_path_factory.mktemp("keys") / "backup.age")
    assert made.make() and not made.make()
    return made


def sealed(path: Path, parts: Iterator[bytes] | list[bytes], key: SealKey) -> Sealed:
    path.unlink(missing_ok=True)
    with writing_secret(path) as file:
        seal(parts, file, key)
    return Sealed(path, key)


def opened(found: Sealed) -> bytes:
    parts: list[bytes] = []
    found.unseal(parts.append)
    return b"".join(parts)


def code(found: Sealed) -> str:
    with pytest.raises(IdentityGraphError) as caught:
        opened(found)
    return caught.value.code


@law(30)
@given(parts=st.lists(st.binary(max_size=200_000), max_size=6))
def test_what_was_sealed_comes_out(parts: list[bytes], key: SealKey, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = sealed(tmp_path_factory.getbasetemp() / "law", parts, key)
    assert opened(found) == b"".join(parts) == opened(found)


def test_by_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert opened(sealed(path, [b"words"], SealKey("open sesame"))) == b"words"
    assert b"sesame" not in path.read_bytes()
    assert code(Sealed(path, SealKey("open simsim"))) == "BACKUP_KEY"
    assert code(Sealed(path, SealKey(""))) == "BACKUP_KEY"
    front, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(front[:-9] + b"AAAAAAAA=" + b"\n" + rest)
    assert code(Sealed(path, SealKey("open sesame"))) == "BACKUP_KEY"


def test_a_public_key_seals_and_does_not_open(tmp_path: Path, key: SealKey) -> None:
    assert key.place
    public = tmp_path / "public.age"
    public.write_text(key.place.read_text().splitlines()[0].removeprefix("# public key: "))
    found = sealed(tmp_path / "file", [b"words"], SealKey(place=public))
    assert code(found) == "BACKUP_KEY"
    assert opened(Sealed(found.path, key)) == b"words"


def test_keys_that_are_none(tmp_path: Path, key: SealKey) -> None:
    found = sealed(tmp_path / "file", [b"words"], key)
    assert code(Sealed(found.path, SealKey("a passphrase"))) == "BACKUP_KEY"
    other = SealKey(place=tmp_path / "other.age")
    assert code(Sealed(found.path, other)) == "BACKUP_KEY"
    other.make()
    assert code(Sealed(found.path, other)) == "BACKUP_KEY"
    for text in ("", "AGE-SECRET-KEY-1NO", "age1no"):
        (tmp_path / "bad.age").write_text(text)
        bad = SealKey(place=tmp_path / "bad.age")
        assert code(Sealed(found.path, bad)) == "BACKUP_KEY"
        with pytest.raises(IdentityGraphError, match="no key of age"):
            bad.recipient()
    assert code(Sealed(tmp_path / "nowhere", key)) == "SOURCE_MISSING"


def test_every_change_is_found(tmp_path: Path, key: SealKey) -> None:
    """A bit, a cut, a chunk left out, two in each other's place, one of another file, something more."""
    dice = random.Random(8)
    path = tmp_path / "file"
    found = sealed(path, [os.urandom(300_000)], key)
    whole = path.read_bytes()
    other = sealed(tmp_path / "other", [os.urandom(300_000)], key).path.read_bytes()
    heads = whole.index(b"\n---") + 1
    start = whole.index(b"\n", heads) + 1 + 16
    for _ in range(10_000 if NIGHTLY else 1_000):
        changed = bytearray(whole)
        a, b = (start + CHUNK * n for n in sorted(dice.sample(range(3), 2)))
        kind = dice.randrange(6)
        if kind == 0:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del changed[dice.randrange(len(changed)) :]
        elif kind == 2:
            del changed[a : a + CHUNK]
        elif kind == 3:
            changed[a : a + CHUNK], changed[b : b + CHUNK] = changed[b : b + CHUNK], changed[a : a + CHUNK]
        elif kind == 4:
            changed[a : a + CHUNK] = other[a : a + CHUNK]
        else:
            changed += dice.randbytes(1 + dice.randrange(20))
        path.write_bytes(changed)
        assert code(found) in ("BACKUP_INVALID", "BACKUP_KEY")
    path.write_bytes(whole)
    assert len(opened(found)) == 300_000


def test_what_the_taker_raises_comes_out(tmp_path: Path, key: SealKey) -> None:
    found = sealed(tmp_path / "file", [b"words"], key)

    def full(part: bytes) -> None:
        raise OSError(28, "no room")

    with pytest.raises(OSError, match="no room"):
        found.unseal(full)


def test_it_takes_little_memory(tmp_path: Path, key: SealKey) -> None:
    part = os.urandom(1 << 20)
    tracemalloc.start()
    try:
        found = sealed(tmp_path / "file", (part for _ in range(48)), key)
        count = 0

        def take(one: bytes) -> None:
            nonlocal count
            count += len(one)

        found.unseal(take)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 48 << 20 and peak < 16 << 20


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    with pytest.raises(KeyError), writing_secret(path) as file:
        file.write(b"half")
        raise KeyError
    assert list(path.parent.iterdir()) == []
    (path.parent / "file.part").write_bytes(b"what was left by a kill, and is longer")
    with writing_secret(path) as file:
        file.write(b"whole")
        with pytest.raises(OSError, match="another process"), writing_secret(path):
            pass
    assert path.read_bytes() == b"whole" and [one.name for one in path.parent.iterdir()] == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError), writing_secret(path):
        pass
    with writing_secret(path, replace=True) as file:
        file.write(b"anew")
    assert path.read_bytes() == b"anew"
