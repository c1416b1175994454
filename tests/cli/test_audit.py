"""audit verify, list, head."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import answer, failure, run


def test_a_log_without_keys(copied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", copied)
    path = tmp_path / "log" / "audit.jsonl"
    assert failure("audit", "list", status=2) == "AUDIT_FILE"
    monkeypatch.setenv("IDENTITY_GRAPH_AUDIT", str(path))
    assert failure("audit", "verify", status=2) == "AUDIT_FILE"  # nothing was done yet
    run("scrub")
    run("stats")
    run("query", "-", input='mutation { deleteSegment(name: "none") }')
    assert failure("forget", "email:nobody@example.org", "--yes", status=7) == "PERSON_UNKNOWN"
    listed = [(one["action"], one["outcome"]) for one in answer("audit", "list")]
    assert listed == [
        ("scrub", "begun"),
        ("scrub", "done"),
        ("Mutation.deleteSegment", "begun"),
        ("Mutation.deleteSegment", "done"),
        ("forget person", "begun"),
        ("forget person", "failed: PERSON_UNKNOWN"),
    ]
    assert "deleteSegment" in run("audit", "list", "--last", "1", "--action", "Mutation.deleteSegment").stdout
    kept, public_key = tmp_path / "head.json", tmp_path / "public.pem"
    kept.write_text(run("audit", "head").stdout)
    public_key.write_text(run("forget", "public-key").stdout)
    assert "Valid: 6 entries" in run("audit", "verify", "--head", kept, "--key", public_key).stdout
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    result = run("audit", "verify", status=3)
    assert "AUDIT_BROKEN" in result.stderr and "line 3" in result.stderr
