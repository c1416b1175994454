"""GraphiQL as it comes with the package, opened by a browser that is made of JavaScript."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app, graphiql
from identity_graph.api.terms import Terms
from identity_graph.errors import SettingError
from identity_graph.files import data_folder
from tests.npm import node_with
from tests.tracking.serving import serving

HERE = Path(__file__).parent
TERMS = Terms(deadline=60, graphiql=True)
BROWSER = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def shipped() -> None:
    if not data_folder("graphiql").is_dir():
        reason = "this checkout was installed without npm, so without GraphiQL: install Node.js, then pip install -e ."
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.mark.usefixtures("shipped")
def test_it_starts_and_runs_a_query_and_asks_nobody_else(tmp_path: Path) -> None:
    node, packages = node_with(HERE / "package.json")
    with serving(f"sqlite:///{tmp_path / 'people.db'}", graphiql="true") as server:
        command = [node, str(HERE / "graphiql.mjs"), server.url]
        done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert (answer["started"], answer["errors"], answer["elsewhere"]) == (True, [], [])
        assert set(answer["asked"]) == {"/graphql"}
        assert json.loads(answer["result"]) == {"data": {"stats": {"events": 0}}}


@pytest.mark.usefixtures("shipped")
def test_a_browser_runs_nothing_but_what_comes_with_it() -> None:
    with IdentityGraph.open("sqlite:///:memory:") as graph:
        client = TestClient(create_app(graph, terms=TERMS))
        page = client.get("/graphql", headers=BROWSER)
        assert "default-src 'none'; connect-src 'self'" in page.headers["content-security-policy"]
        assert "'unsafe-eval'" not in page.headers["content-security-policy"]
        for name in ("react.js", "react-dom.js", "graphiql.js", "graphiql.css"):
            assert f'"graphiql/{name}"' in page.text
            assert client.get(f"/graphiql/{name}").status_code == 200
        assert client.get("/graphiql/../../errors.py").status_code == 404
        assert client.post("/graphql", json={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}


def test_it_is_off_unless_it_is_asked_for() -> None:
    with IdentityGraph.open("sqlite:///:memory:") as graph:
        client = TestClient(create_app(graph))
        assert "<script" not in client.get("/graphql", headers=BROWSER).text
        assert client.get("/graphiql/react.js").status_code == 404


def test_where_it_was_not_built_in_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(graphiql, "data_folder", lambda name: tmp_path / name)
    with IdentityGraph.open("sqlite:///:memory:") as graph, pytest.raises(SettingError) as caught:
        create_app(graph, terms=TERMS)
    assert caught.value.code == "SETTING_INVALID" and "Node.js" in caught.value.help
