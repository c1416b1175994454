"""A store is backed up and restored: the same store, but for whom was erased since, whatever interrupts it."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from identity_graph import IdentityGraph, copying
from identity_graph.backing_up import examine, read_lines
from identity_graph.erased_register import ErasedRegister
from identity_graph.sealing import Sealed, SealKey, seal
from tests.backup.conftest import backed_up, code, restored, tombstones
from tests.privacy.scanner import encodings
from tests.story.lived import assert_lives_on, opened, take_key, whole
from tests.story.worlds import event, key, person, tell


@pytest.mark.parametrize("kind", ["sqlite", "neo4j"])
def test_it_is_the_same_store(
    kind: str, lived: IdentityGraph, tmp_path: Path, folder: Path, seal_key: SealKey, request: pytest.FixtureRequest
) -> None:
    """Evidence, persons, ids, numbers, segments, quarantine, tombstones, runs: backed up from here or from a server."""
    before = whole(lived)
    if kind == "sqlite":
        sealed = backed_up(lived, tmp_path / "backup", seal_key)
    else:
        from tests.neo4j.database import emptied

        with opened(emptied(request.getfixturevalue("neo4j_url"))) as server:
            copying.copy(lived.store, server.store)
            sealed = backed_up(server, tmp_path / "backup", seal_key)
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        assert restored(sealed, back).erased.events == 0
        assert whole(back) == before
        take_key(lived, back)
        assert_lives_on(back, lived, folder)


def test_nothing_of_it_can_be_read(lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    content = backed_up(lived, tmp_path / "backup", seal_key).path.read_bytes()
    for word in ("email", "user_id", "example.org", "cookie:one"):
        assert not any(one in content for one in encodings(word).values()), word


@pytest.mark.parametrize("keys", [1, 2])
def test_whom_was_erased_since_is_not_restored(
    keys: int, lived: IdentityGraph, tmp_path: Path, seal_key: SealKey
) -> None:
    """Nor a record of it that had been set aside; and everybody else is as without it. Also by another key of the
    tombstones than there was when the backup was made."""
    victim = "email:victim@example.org"
    tell(lived, [event("v1", 1, victim, "cookie:victim"), event("v2", 2, "cookie:victim", "ip:192.0.2.200")])
    lived.resolver.resolve()
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    if keys == 2:
        lived.store.privacy.new_key()
    preview = lived.forget.preview(person(lived, victim))
    assert preview
    lived.forget.erase(preview.token)
    assert lived.register.place == tmp_path / "lived.db.erased"
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        take_key(lived, back)
        done = restored(sealed, back, lived.register)
        assert (done.erased.events, done.erased.identifiers, done.erased.persons) == (2, 3, 1)
        assert back.people.find_by_identifier([key(victim)]) == [None]
        assert back.digest() == lived.digest()
        assert back.store.privacy.tombstoned([key(victim)]) == [True]
        assert list(tombstones(back)) == list(tombstones(lived))
        held = [one.read_bytes() for one in tmp_path.glob("back.db*")]
        assert held and not any(one in content for one in encodings("victim@example.org").values() for content in held)
        # And it does not come back by a load.
        tell(back, [event("v1", 1, victim, "cookie:victim")])
        assert back.people.find_by_identifier([key(victim)]) == [None]


@pytest.mark.parametrize("keys", [1, 2])
@pytest.mark.parametrize("kind", ["sqlite", "neo4j"])
def test_who_was_restricted_since_is_so_in_what_is_restored(
    kind: str, keys: int, lived: IdentityGraph, tmp_path: Path, seal_key: SealKey, request: pytest.FixtureRequest
) -> None:
    """But not who was seen again, nor whoever has what was shared with somebody erased; who came after the backup
    cannot be, which is said."""
    zoe, other = "email:zoe@example.org", "cookie:wide-1"
    users = ("user_id:gone", "user_id:gone", "user_id:stays")
    tell(lived, [event(f"s{n}", n, user, "device_id:shared") for n, user in enumerate(users)])
    lived.resolver.resolve()
    lived.segments.save("mail", "", {"identifier": {"namespace": "email"}})
    zoes = person(lived, zoe)
    assert zoes in lived.segments.members("mail")
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    place = tmp_path / "elsewhere.erased"
    if kind == "neo4j":
        from tests.neo4j.database import emptied

        graph = opened(emptied(request.getfixturevalue("neo4j_url")))
        copying.copy(lived.store, graph.store)
        take_key(lived, graph)
    else:
        graph = lived
    with graph:
        graph.register.place = place
        assert graph.restrictions.restrict(person(graph, other))
        if keys == 2:
            graph.store.privacy.new_key()
        tell(graph, [event("n1", 9, "email:new@example.org")])
        graph.resolver.resolve()
        for name in (zoe, "email:new@example.org"):
            assert graph.restrictions.restrict(person(graph, name))
        found = graph.restrictions.find(key(other))
        assert found and graph.restrictions.unrestrict(found.id)
        gone = person(graph, "user_id:gone")
        assert graph.restrictions.restrict(gone)
        preview = graph.forget.preview(gone)
        assert preview and key("device_id:shared") in preview.shared
        graph.forget.erase(preview.token)
        hidden = graph.store.privacy.restricted()
        with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
            take_key(graph, back)
            done = restored(sealed, back, ErasedRegister(place))
            assert (done.restricted, done.unknown) == (len(hidden) - 1, 1)
            assert back.people.find_by_identifier([key(zoe)]) == [None]
            assert None not in back.people.find_by_identifier([key(other), key("device_id:shared")])
            assert zoes not in back.segments.members("mail")
            assert b"zoe" not in place.read_bytes()


def test_without_the_register_it_would_be(lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    """So that the test before shows something."""
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    found = person(lived, "email:zoe@example.org")
    preview = lived.forget.preview(found)
    assert preview
    lived.forget.erase(preview.token)
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        restored(sealed, back)
        assert person(back, "email:zoe@example.org") == found


# ---- the register


def test_the_register_follows(lived: IdentityGraph, tmp_path: Path) -> None:
    register = lived.register
    assert register.place

    def told() -> list[bytes]:
        return sorted(one for piece in register.pieces() for one in piece.tombstones)

    assert told() == list(tombstones(lived))
    before = told()
    tell(lived, [event("v1", 1, "email:victim@example.org")])
    for victim in ("email:victim@example.org", "email:zoe@example.org"):
        preview = lived.forget.preview(person(lived, victim))
        assert preview
        lived.forget.erase(preview.token)
        assert told() == list(tombstones(lived))
    assert len(told()) > len(before)
    # What is taken back is out of it, too.
    assert lived.forget.unsuppress(key("email:zoe@example.org"))
    assert told() == list(tombstones(lived))
    # One that was cut in the middle, and one that is gone, are written anew.
    content = register.place.read_bytes()
    for broken in (content[:-7], content[:50], b""):
        register.place.write_bytes(broken)
        if len(broken) > 50:
            assert len(told()) == len(list(tombstones(lived))) - 1
        register.follow(lived.store)
        assert told() == list(tombstones(lived))
    register.place.unlink()
    assert code(lambda: list(register.pieces())) == "ERASED_REGISTER"
    register.follow(lived.store)
    assert told() == list(tombstones(lived))
    # What a process did not come to tell, the next one tells.
    content = register.place.read_bytes()
    register.place.write_bytes(b"".join(content.splitlines(keepends=True)[:-2]))
    register.follow(lived.store)
    assert len(told()) == len(list(tombstones(lived))) - 2
    ErasedRegister(register.place).follow(lived.store)
    assert told() == list(tombstones(lived))


def test_a_store_begun_anew_takes_nobody_out_of_the_register(lived: IdentityGraph, tmp_path: Path) -> None:
    register = lived.register
    assert register.place
    before = {one for piece in register.pieces() for one in piece.tombstones}
    for key_file, kept in ((tmp_path / "lived.db.key", True), (None, False)):
        path = tmp_path / f"new{kept}.db"
        if key_file:
            shutil.copy(key_file, f"{path}.key")
        with IdentityGraph.open(f"sqlite:///{path}", erased=register.place) as graph:
            tell(graph, [event("n1", 1, "email:new@example.org")])
            preview = graph.forget.preview(person(graph, "email:new@example.org"))
            assert preview
            graph.forget.erase(preview.token)
        now = {one for piece in register.pieces() for one in piece.tombstones}
        assert (now > before) == kept
    (aside,) = tmp_path.glob("lived.db.erased.*")
    assert before < {one for piece in ErasedRegister(aside).pieces() for one in piece.tombstones}


def test_a_register_that_cannot_be_written_is_told(lived: IdentityGraph, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lived.register.place = tmp_path / "file" / "register"
    preview = lived.forget.preview(person(lived, "email:zoe@example.org"))
    assert preview
    assert code(lived.forget.erase, preview.token) == "ERASED_REGISTER"
    assert lived.people.find_by_identifier([key("email:zoe@example.org")]) == [None]
    lived.register.place = tmp_path / "register"
    (done,) = lived.forget.resume()
    assert done.document["scrubbed"] is True
    assert sum(len(piece.tombstones) for piece in lived.register.pieces()) == len(list(tombstones(lived)))


@pytest.mark.parametrize("which", ["missing", "another"])
def test_the_register_needs_its_key(which: str, lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        if which == "another":
            (tmp_path / "back.db.key").write_bytes(b"k" * 32)
        assert code(restored, sealed, back, lived.register) == "STORE_KEY"
        assert copying.is_empty(back.store)


# ---- under load, and killed


def test_it_is_of_one_moment(lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    """While another thread stores: what is in it is what was stored up to some event, and nothing of the next."""
    stop = threading.Event()
    stored = 0

    def load() -> None:
        nonlocal stored
        while not stop.is_set():
            stored += 1
            lived.ingest.events([event(f"load{stored}", 100 + stored, f"cookie:a{stored}", f"email:b{stored}@x.org")])

    thread = threading.Thread(target=load)
    thread.start()
    try:
        while stored < 20:
            time.sleep(0.01)
        first = stored
        sealed = backed_up(lived, tmp_path / "backup", seal_key)
        last = stored
    finally:
        stop.set()
        thread.join()
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        restored(sealed, back)
        there = [bool(row) for row in back.store.evidence.events([f"load{n}" for n in range(1, stored + 1)])]
        assert sorted(there, reverse=True) == there and first - 1 <= sum(there) <= last
        assert back.store.operations.counts()["events"] == examine(sealed).counts["events"]


# ---- what is none


def test_what_is_no_backup(lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    lines: list[bytes] = []
    read_lines(sealed, lines.append)

    def of(*changed: bytes) -> Sealed:
        path = tmp_path / "changed"
        with path.open("wb") as file:
            seal([line + b"\n" for line in changed], file, seal_key)
        return Sealed(path, seal_key)

    assert examine(of(*lines)) == examine(sealed)
    newer = lines[0].replace(b'"version":1', b'"version":2')
    for bad in (of(), of(b"{}"), of(b"[]", b"1"), of(*lines[:-1]), of(*lines[:4], *lines[5:]), of(newer, *lines[1:])):
        assert code(examine, bad) == "BACKUP_INVALID"
    no_piece = of(*lines[:4], b"[{]", *lines[5:])
    events = next(n for n, line in enumerate(lines[1:-1], 1) if not line.endswith(b",null]"))
    another = of(*lines[:events], b"[{},null]", *lines[events + 1 :])
    for bad in (no_piece, another):
        with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
            assert code(restored, bad, back) == "BACKUP_INVALID"
        for left in tmp_path.glob("back.db*"):
            left.unlink()
