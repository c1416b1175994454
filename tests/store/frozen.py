"""Freezes a small store of this version of the program, as SQL: `python -m tests.store.frozen`.

Once for each version of the store, by the program that first had it. What was frozen is never written again: later
programs must open it.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import apsw
import apsw.shell

from identity_graph import IdentityGraph
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.sqlite import layers
from identity_graph.store.sqlite.migrating import VERSION
from tests.story.ingesting import EVENTS, jsonl, native
from tests.story.worlds import event, household, key, numbered, person, save_segments, tell, world_ends

VERSIONS = Path(__file__).parent / "versions"
KEY = "5a" * 32
GONE = "email:gone@example.org"


def live(graph: IdentityGraph, folder: Path) -> None:
    save_segments(graph)
    file = folder / "broken.jsonl"
    file.write_bytes(jsonl(native(1), b"{broken", native(2, time="never"), native(3)))
    graph.ingest.load(EVENTS, file)
    tell(graph, [*household(), event("gone", 3, GONE, "cookie:gone", "ip:192.0.2.7")])
    tell(graph, [event("said", 5, "user_id:a", "user_id:b", same=[("user_id:a", "user_id:b")])])
    tell(graph, [event("one", 0, "cookie:one"), event("two", 1, "cookie:two")])
    tell(graph, [event("join", 2, "cookie:one", "cookie:two", traits={"plan": "pro"}, properties={"n": 1})])
    graph.stating.unlink(key("user_id:a"), key("cookie:one"), "two people")
    preview = graph.forget.preview(person(graph, GONE))
    assert preview
    graph.forget.erase(preview.token)


def state(graph: IdentityGraph) -> dict[str, Any]:
    """What a later program must find. It may count more."""
    counts = {name: count for name, count in graph.store.operations.counts().items() if name != "bytes"}
    members = sorted(graph.people.memberships().rows())
    return {"digest": graph.digest(), "counts": counts, "members": [list(row) for row in members]}


def freeze() -> None:
    os.environ[VARIABLE] = KEY
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.db"
        layers.LARGE = 2  # so few events are parts already
        with IdentityGraph.open(f"sqlite:///{path}", clock=world_ends, new_id=numbered("p")) as graph:
            live(graph, Path(folder))
            found = state(graph)
        database = apsw.Connection(str(path))
        out = io.StringIO()
        apsw.shell.Shell(db=database, stdout=out).process_command(".dump")  # type: ignore[no-untyped-call]
        marks = [f"PRAGMA {name} = {database.pragma(name)};\n" for name in ("application_id", "user_version")]
        database.close()
    dumped = "".join(line for line in out.getvalue().splitlines(keepends=True) if not line.startswith("-- "))
    (VERSIONS / f"sqlite-{VERSION}.sql").write_text(dumped + "".join(marks), encoding="utf-8")
    (VERSIONS / f"sqlite-{VERSION}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    freeze()
