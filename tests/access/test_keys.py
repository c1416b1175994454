"""API keys: given once, known by a keyed hash, taken away at once."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from identity_graph.access import keys as keys_module
from identity_graph.access.keys import KeysFile
from identity_graph.access.rules import Role
from identity_graph.errors import AccessError
from tests.conftest import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "keys.json"


@pytest.fixture
def keys(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> KeysFile:
    monkeypatch.setattr(keys_module, "FRESH", 0.0)
    return KeysFile(path, clock)


def code_of(keys: KeysFile, text: str) -> str:
    with pytest.raises(AccessError) as raised:
        keys.caller(text)
    return raised.value.code


def test_a_key_opens_and_is_nowhere_in_the_files(keys: KeysFile, path: Path) -> None:
    key, text = keys.create(Role.ANALYST, "dashboards")
    caller = keys.caller(text)
    assert (caller.role, caller.name) == (Role.ANALYST, f"key {key.id}")
    assert text.startswith(f"ig_{key.id}_") and len(text) == 80
    secret = text.rpartition("_")[2].encode()
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert secret not in content and bytes.fromhex(secret.decode()) not in content
        if file.suffix != ".lock":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_almost_a_key_is_not(keys: KeysFile) -> None:
    assert code_of(keys, "ig_" + "0" * 12 + "_" + "0" * 64) == "UNAUTHENTICATED"
    _, text = keys.create(Role.ADMIN)
    _, other = keys.create(Role.ADMIN)
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    mixed = text[:16] + other[16:]
    for almost in ("", "ig_", text[:-1], text + "0", text.upper(), " " + text, wrong, mixed, text + "\n", "\ud800"):
        assert code_of(keys, almost) == "UNAUTHENTICATED", almost


def test_expired_and_revoked(keys: KeysFile, clock: Clock) -> None:
    key, text = keys.create(Role.INGEST, expires=clock.now + 1_000_000)
    assert keys.caller(text).role is Role.INGEST
    clock.tick(1)
    assert code_of(keys, text) == "UNAUTHENTICATED"
    key, text = keys.create(Role.INGEST)
    revoked = keys.revoke(key.id)
    assert code_of(keys, text) == "UNAUTHENTICATED"
    clock.tick(1)
    assert keys.revoke(key.id) == revoked, "again is no error, and changes nothing"
    assert [found.state(clock.now) for found in keys.all()] == ["expired", "revoked"]


def test_rotation_overlaps(keys: KeysFile, clock: Clock) -> None:
    old, before = keys.create(Role.APP_READER, "shop", clock.now + 100_000_000)
    clock.tick(10)
    new, after = keys.rotate(old.id, 5_000_000)
    assert (new.role, new.name, new.expires) == (old.role, old.name, clock.now + 100_000_000)
    assert keys.caller(before).role is keys.caller(after).role is Role.APP_READER
    clock.tick(5)
    assert code_of(keys, before) == "UNAUTHENTICATED" and keys.caller(after)
    with pytest.raises(AccessError, match="expired") as raised:
        keys.rotate(old.id, 0)
    assert raised.value.code == "KEY_UNKNOWN"


def test_rotation_never_makes_a_key_live_longer(keys: KeysFile, clock: Clock) -> None:
    old, before = keys.create(Role.APP_READER, expires=clock.now + 1_000_000)
    keys.rotate(old.id, 100_000_000)
    clock.tick(1)
    assert code_of(keys, before) == "UNAUTHENTICATED"


def test_scopes_stay_with_who_follows(keys: KeysFile) -> None:
    first, text = keys.create(Role.INGEST, scopes=["POST /v1/track", "load", "load"])
    assert first.scopes == ("POST /v1/track", "load") and keys.caller(text).scopes == {"POST /v1/track", "load"}
    after = keys.rotate(first.id, 0)[1]
    assert keys.caller(after).scopes == {"POST /v1/track", "load"}
    assert keys.caller(keys.create(Role.INGEST)[1]).scopes is None


@pytest.mark.parametrize(
    "scope", ["Query.person", "Person.id", "", "POST /v1/nothing", "GET /metrics", "forget person"]
)
def test_a_scope_that_the_role_may_not_begin_with(keys: KeysFile, scope: str) -> None:
    with pytest.raises(AccessError) as raised:
        keys.create(Role.INGEST, scopes=["load", scope])
    assert raised.value.code == "SCOPE_UNKNOWN" and keys.all() == []


def test_an_unknown_id(keys: KeysFile) -> None:
    for change in (lambda: keys.revoke("0" * 12), lambda: keys.rotate("nothing", 0)):
        with pytest.raises(AccessError) as raised:
            change()
        assert raised.value.code == "KEY_UNKNOWN"
    assert keys.all() == []


def test_another_process_is_seen(keys: KeysFile, path: Path, clock: Clock) -> None:
    assert not keys.any()
    other = KeysFile(path, clock)
    key, text = other.create(Role.AUDITOR)
    assert keys.caller(text).role is Role.AUDITOR
    other.revoke(key.id)
    assert code_of(keys, text) == "UNAUTHENTICATED"


def test_many_at_once(keys: KeysFile, path: Path, clock: Clock) -> None:
    def one(_: int) -> str:
        return KeysFile(path, clock).create(Role.INGEST)[1]

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(one, range(24)))
    assert len(keys.all()) == 24 and {keys.caller(text).role for text in texts} == {Role.INGEST}
    assert {file.name for file in path.parent.iterdir()} == {"keys.json", "keys.json.secret", "keys.json.lock"}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": 2, "keys": []}', '{"version": 1, "keys": [{}]}'])
def test_a_broken_file_lets_nobody_in(keys: KeysFile, path: Path, content: str) -> None:
    _, text = keys.create(Role.ADMIN)
    assert keys.caller(text)
    whole = path.read_bytes()
    path.write_text(content)
    assert code_of(keys, text) == "KEYS_FILE"
    with pytest.raises(AccessError):
        keys.create(Role.ADMIN)
    assert path.read_text() == content, "and it is not written over"
    path.write_bytes(whole)
    assert keys.caller(text)


def test_a_role_of_another_version_is_none(keys: KeysFile, path: Path) -> None:
    _, text = keys.create(Role.ADMIN)
    path.write_text(json.dumps(json.loads(path.read_text())).replace('"admin"', '"root"'))
    assert code_of(keys, text) == "KEYS_FILE"


def test_without_its_secret_or_its_file_nobody_is_known(keys: KeysFile, path: Path) -> None:
    _, text = keys.create(Role.ADMIN)
    secret = path.with_name("keys.json.secret")
    kept = secret.read_bytes()
    secret.unlink()
    assert code_of(keys, text) == "KEYS_FILE"
    with pytest.raises(AccessError):
        keys.create(Role.ADMIN)
    secret.write_bytes(bytes(32))
    assert code_of(keys, text) == "UNAUTHENTICATED", "another secret"
    secret.write_bytes(kept)
    assert keys.caller(text)
    path.unlink()
    assert code_of(keys, text) == "UNAUTHENTICATED"
