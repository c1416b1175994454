"""The log of privileged actions: every one is in it, nobody is named, and whatever is changed later is found."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from identity_graph.access import AccessRules, Caller, Door, Role
from identity_graph.api import create_app
from identity_graph.audit import FIRST, SIGNED_EVERY, AuditLog, entries, hash_of, verify_log
from identity_graph.errors import InputError
from identity_graph.signing import Signer
from tests.access import listed
from tests.access.conftest import Guarded
from tests.access.documents import document
from tests.api.conftest import ANN, PATIENT, email_of, operation_text
from tests.cli.calling import ROOT

ENTRIES = 130  # so that one of them is signed, and the last one is not
CHANGES = 10_000
OFFICER = Caller(Role.PRIVACY_OFFICER, "key 0123456789ab")

WRITER = """
import sys
from pathlib import Path
from identity_graph.audit import AuditLog
from identity_graph.signing import Signer
log = AuditLog(Path(sys.argv[1]), Signer(Path(sys.argv[2])))
for number in range(int(sys.argv[3])):
    log.add("key", "admin", "copy", "done", f"number {number}")
    print(number, flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl", Signer(tmp_path / "signing.pem"))


def public(log: AuditLog) -> bytes:
    return log._signer.public()


def broken(log: AuditLog, earlier: bytes | None = None) -> str:
    """What `verify_log` says is wrong."""
    with pytest.raises(InputError) as raised:
        verify_log(log.path, public(log), earlier)
    assert raised.value.code == "AUDIT_BROKEN"
    return raised.value.message


def filled(log: AuditLog, count: int = ENTRIES) -> list[bytes]:
    """The lines."""
    for number in range(count):
        log.add("key", "admin", "key create", "done", f"number {number}")
    return log.path.read_bytes().splitlines(keepends=True)


def test_an_action_is_recorded_before_and_after(log: AuditLog) -> None:
    with log.recorded(OFFICER, "forget person") as ending:
        assert [entry["outcome"] for entry in entries(log.path)] == ["begun"]
        ending.target = "receipt 1"
    with pytest.raises(InputError), log.recorded(None, "copy"):
        raise InputError("COPY_TARGET", "it is not empty")
    log.refused(Caller(Role.ADMIN, "subject ann@example.org"), "scrub")
    found = [
        tuple(entry[name] for name in ("number", "action", "target", "outcome", "of")) for entry in entries(log.path)
    ]
    assert found == [
        (1, "forget person", "", "begun", None),
        (2, "forget person", "receipt 1", "done", 1),
        (3, "copy", "", "begun", None),
        (4, "copy", "", "failed: COPY_TARGET", 3),
        (5, "scrub", "", "refused", None),
    ]
    actors = [entry["actor"] for entry in entries(log.path)]
    assert actors[0] == OFFICER.name and actors[2] == "user of this machine"
    assert re.fullmatch(r"subject [0-9a-f]{16}", actors[4]) and b"ann" not in log.path.read_bytes()
    assert verify_log(log.path, public(log)) == 5


def test_every_change_is_found(log: AuditLog) -> None:
    """Edits, drops, swaps, repeats, lines of one's own with sound hashes, and cut ends; of the log and of its head."""
    lines, head = filled(log), log.head.read_bytes()
    dice = random.Random(7)
    for _ in range(CHANGES):
        changed, first = tampered(lines, dice)
        log.path.write_bytes(b"".join(changed))
        said = broken(log)
        line = re.search(r"lines? (\d+)|entries (\d+) to", said)
        assert line, said
        if first is not None:
            assert int(line[1] or line[2]) == first, (said, first)
    log.path.write_bytes(b"".join(lines))
    for _ in range(CHANGES // 10):
        log.head.write_bytes(bitten(head, dice))
        broken(log)
    log.head.unlink()
    assert "is missing" in broken(log)
    log.head.write_bytes(head)
    assert verify_log(log.path, public(log)) == ENTRIES


def tampered(lines: list[bytes], dice: random.Random) -> tuple[list[bytes], int | None]:
    """The lines after a change, and the first that is not as it was, where that can be known. The last one is in the
    head, too, so that it is not missing where it is missing here."""
    kind = dice.randrange(6)
    changed, at = list(lines), dice.randrange(len(lines) - (kind in (1, 4)))
    if kind == 0:
        changed[at] = bitten(lines[at], dice)
        return changed, at + 1
    if kind == 1:
        del changed[at]
        return changed, at + 1
    if kind == 2:
        other = dice.choice([place for place in range(len(lines)) if place != at])
        changed[at], changed[other] = changed[other], changed[at]
        return changed, min(at, other) + 1
    if kind == 3:
        changed.insert(at, lines[at])
        return changed, at + 2
    if kind == 4:
        return lines[:at], at + 1
    return forged(lines, at), None


def bitten(content: bytes, dice: random.Random) -> bytes:
    """One byte is another one."""
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ dice.randrange(1, 256)]) + content[at + 1 :]


def forged(lines: list[bytes], at: int) -> list[bytes]:
    """All hashes from there on are made again, as somebody can who has the file and not the key."""
    changed = lines[:at]
    last = orjson.loads(lines[at - 1])["hash"] if at else FIRST
    for line in lines[at:]:
        entry = orjson.loads(line)
        signed = {name: entry.pop(name) for name in ("key", "signature") if name in entry}
        entry |= {"actor": "somebody else", "previous": last}
        del entry["hash"]
        last = entry["hash"] = hash_of(entry)
        changed.append(orjson.dumps(entry | signed) + b"\n")
    return changed


def test_an_older_copy_is_found_by_a_head_that_was_kept(log: AuditLog) -> None:
    filled(log, 3)
    older = log.path.read_bytes(), log.head.read_bytes()
    filled(log, 2)
    kept = log.head.read_bytes()
    assert verify_log(log.path, public(log), kept) == 5
    assert verify_log(log.path, public(log), older[1]) == 5
    log.path.write_bytes(older[0])
    log.head.write_bytes(older[1])
    assert verify_log(log.path, public(log)) == 3
    assert "entries 4 to 5 are missing" in broken(log, kept)
    filled(log, 2)  # another course of things: as long as the first, and not the same
    assert "line 5 is not the one that was signed" in broken(log, kept)


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
@pytest.mark.parametrize("count", [1, 2, SIGNED_EVERY])
def test_an_entry_that_was_cut_off_is_finished(log: AuditLog, count: int, cut: int) -> None:
    lines = filled(log, count)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[: len(whole) - len(lines[-1])] + lines[-1][:cut])
    assert verify_log(log.path, public(log)) == count
    assert log.add("key", "admin", "copy", "done") == count + 1
    assert log.path.read_bytes().startswith(whole)
    assert verify_log(log.path, public(log)) == count + 1


@pytest.mark.parametrize("harm", [b"", b"x", b"{}\n"])
def test_nothing_is_added_to_a_log_that_was_changed(log: AuditLog, harm: bytes) -> None:
    lines = filled(log, 3)
    log.path.write_bytes(lines[0] + (harm or b""))
    with pytest.raises(InputError) as raised, log.recorded(OFFICER, "forget person"):
        pytest.fail("it must not be done")
    assert raised.value.code == "AUDIT_BROKEN"
    log.head.unlink()
    with pytest.raises(InputError):
        log.add("key", "admin", "copy", "done")


def test_processes_take_turns_and_may_be_killed(log: AuditLog, tmp_path: Path) -> None:
    public(log)  # makes the key
    command = [sys.executable, "-c", WRITER, str(log.path), str(log._signer.place)]
    said = 0
    for round_ in range(5):
        writers = [subprocess.Popen([*command, "100000"], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
        for writer in writers:
            assert writer.stdout and writer.stdout.readline()
        time.sleep(0.02 * round_)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            said += 1 + len(writer.communicate()[0].splitlines())
        assert verify_log(log.path, public(log)) >= said
    assert log.add("key", "admin", "copy", "done") >= said


# ---- what is recorded


@pytest.fixture
def audited(guarded: Guarded, log: AuditLog) -> Guarded:
    app = create_app(guarded.open.graph, terms=PATIENT, door=Door(guarded.file), audit=log)
    return replace(guarded, client=TestClient(app, raise_server_exceptions=False))


@pytest.mark.parametrize("role", Role)
def test_every_privileged_field_is_recorded(audited: Guarded, log: AuditLog, role: Role) -> None:
    rules = AccessRules.shipped()
    roots = [field for field in listed.fields() if field.startswith(("Query.", "Mutation.")) and "._" not in field]
    for field in roots:
        before = list(entries(log.path)) if log.path.exists() else []
        audited.ask(role, document(field, rules.fields_of(role))[0])
        new = [] if not log.path.exists() else list(entries(log.path))[len(before) :]
        if not rules.privileged(rules.fields, field):
            assert new == [], field
        elif role in rules.fields[field]:
            assert [one["outcome"].split(":")[0] for one in new] in (["begun", "done"], ["begun", "failed"]), field
        else:
            assert [one["outcome"] for one in new] == ["refused"], field
        assert all((one["action"], one["role"]) == (field, role) for one in new)
    verify_log(log.path, public(log))


def test_what_a_mutation_came_to(audited: Guarded, log: AuditLog) -> None:
    token = audited.ask(Role.PRIVACY_OFFICER, operation_text("preview_erasure"), {"by": email_of(ANN)})
    erased = audited.ask(
        Role.PRIVACY_OFFICER, operation_text("erase"), {"token": token.json()["data"]["previewErasure"]["token"]}
    )
    receipt = erased.json()["data"]["erase"]["id"]
    audited.ask(Role.PRIVACY_OFFICER, operation_text("erase"), {"token": "none"})
    found = [(entry["action"], entry["target"], entry["outcome"]) for entry in entries(log.path)]
    assert found == [
        ("Query.previewErasure", "", "begun"),
        ("Query.previewErasure", "", "done"),
        ("Mutation.erase", "", "begun"),
        ("Mutation.erase", f"receipt {receipt}", "done"),
        ("Mutation.erase", "", "begun"),
        ("Mutation.erase", "", "failed: TOKEN_INVALID"),
    ]
    assert b"ann" not in log.path.read_bytes().lower()


def test_nothing_is_done_that_cannot_be_recorded(audited: Guarded, log: AuditLog) -> None:
    log.path.write_bytes(b"{}\n")
    saved = audited.ask(Role.ADMIN, operation_text("save_segment"), {"name": "x", "condition": {"segment": "vip"}})
    assert saved.json()["errors"][0]["extensions"]["code"] == "AUDIT_BROKEN"
    assert "x" not in [segment.name for segment in audited.open.graph.segments.all()]
