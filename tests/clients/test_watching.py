"""The clients by which apps subscribe, graphql-ws and graphql-sse, against a real server over each store."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from identity_graph.files import data_folder
from tests.neo4j.database import emptied
from tests.npm import node_with
from tests.tracking.serving import serving

HERE = Path(__file__).parent


@pytest.mark.parametrize("kind", ["sqlite", "neo4j"])
def test_changes_and_runs_are_watched_by_the_clients_of_apps(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    node, packages = node_with(HERE / "package.json")
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "graphql").symlink_to(data_folder("graphql"))
    (tmp_path / "watch.mjs").write_bytes((HERE / "watch.mjs").read_bytes())
    url = f"sqlite:///{tmp_path / 'people.db'}"
    if kind == "neo4j":
        url = emptied(request.getfixturevalue("neo4j_url"))
    with serving(url) as server:
        command = [node, "watch.mjs", server.url]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    refused = [["RUN_UNKNOWN"], ["PAGE_INVALID"]]
    assert json.loads(done.stdout) == {
        "socket": {"plans": ["u1", "u2"], "states": [["DONE", 1]], "refused": refused},
        "sse": {"plans": ["u5", "u6"], "states": [["DONE", 1]], "refused": refused},
    }
