"""runs: what was loaded and resolved."""

from __future__ import annotations

import json
from pathlib import Path

from identity_graph import Policy
from identity_graph.normalise import NORMALISER_VERSION
from tests.cli.calling import answer, failure, run


def test_runs_tell_what_was_loaded_and_by_which_rules() -> None:
    lines = [json.dumps({"id": str(n), "name": "Seen", "identifiers": {"email": f"p{n}@example.org"}}) for n in (1, 2)]
    Path("bad.jsonl").write_text("\n".join([lines[0], "{", lines[1], "not this either"]))
    run("load", "--loader", "events", "bad.jsonl")
    run("resolve")
    resolved, loaded = answer("runs", "list")
    assert (loaded["kind"], loaded["file"], loaded["loader"], loaded["source"]) == (
        "load",
        "bad.jsonl",
        "events",
        "events",
    )
    assert (loaded["firstError"], loaded["lastError"]) == ("JSON_CUT, line 2", "NOT_JSON, line 4")
    assert (loaded["read"], loaded["accepted"], loaded["quarantined"]) == (4, 2, 2)
    assert loaded["rate"] > 0 and len(loaded["fingerprint"]) == 64
    rules = (Policy.default().digest, NORMALISER_VERSION)
    assert (loaded["policy"], loaded["normaliser"]) == (resolved["policy"], resolved["normaliser"]) == rules
    assert answer("runs", "show", loaded["id"]) == loaded

    words = run("runs", "list").stdout.splitlines()
    assert words[0].split()[:6] == ["id", "started", "kind", "source", "file", "state"]
    assert "bad.jsonl" in words[2] and len(words) == 3
    assert answer("runs", "list", "--before", resolved["id"]) == [loaded]
    assert answer("runs", "list", "--limit", "1") == [resolved]
    asked = "{ runs { nodes { id loader file fingerprint rate policy normaliser firstError lastError } } }"
    Path("asked.graphql").write_text(asked)
    nodes = answer("query", "asked.graphql")["data"]["runs"]["nodes"]
    assert nodes == [{name: one[name] for name in nodes[0]} for one in (resolved, loaded)]


def test_an_unknown_run() -> None:
    run("load", "--loader", "events", "-", input="")
    assert failure("runs", "show", "nobody", status=7) == "RUN_UNKNOWN"
