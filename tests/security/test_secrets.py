"""No secret is ever printed or logged: not by any verb, not where it fails, not by a server."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from identity_graph.cli import app
from tests.cli.calling import ROOT, RUNNER
from tests.cli.conftest import clean_environment as clean_environment
from tests.readme import verbs

PASSWORD = "pass-7f3a-word"
TOMBSTONE = "7f3a" * 16
SECRETS = {
    "IDENTITY_GRAPH_STORE": f"neo4j://neo4j:{PASSWORD}@127.0.0.1:9/neo4j",
    "IDENTITY_GRAPH_KEY": "ig_7f3a7f3a7f3a_" + "7f3b" * 16,
    "IDENTITY_GRAPH_WRITE_KEYS": "write-7f3a-key=shop",
    "IDENTITY_GRAPH_TOMBSTONE_KEY": TOMBSTONE,
    "IDENTITY_GRAPH_BACKUP_PASSPHRASE": "phrase-7f3a-one two",
    "IDENTITY_GRAPH_SECRET_OF_HOOK": "whsec_" + base64.b64encode(b"7f3a" * 8).decode(),
}
TEXTS = [
    *(PASSWORD, TOMBSTONE, "7f3b" * 16, "write-7f3a-key", "phrase-7f3a-one"),
    SECRETS["IDENTITY_GRAPH_SECRET_OF_HOOK"].removeprefix("whsec_"),
]
DESTINATIONS = '[hook]\nsegment = "all"\nurl = "http://127.0.0.1:9/"\nsecret_env = "IDENTITY_GRAPH_SECRET_OF_HOOK"\n'
STORES = {"file": "sqlite:///people.db", "server": SECRETS["IDENTITY_GRAPH_STORE"]}


def told(text: str) -> list[str]:
    return [secret for secret in TEXTS if secret in text or secret.upper() in text]


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "destinations.toml").write_text(DESTINATIONS)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IDENTITY_GRAPH_DESTINATIONS", "destinations.toml")


@pytest.mark.parametrize(("where", "debug"), [("file", "1"), ("server", "0")])
def test_no_verb_tells_a_secret(
    where: str, debug: str, secrets: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each with arguments that lead it astray, and in debug, too, where more is shown."""
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", STORES[where])
    monkeypatch.setenv("IDENTITY_GRAPH_DEBUG", debug)
    monkeypatch.setattr("identity_graph.store.neo4j.connection.CONNECT", 0.2)
    if where == "file":
        RUNNER.invoke(app, ["demo", "--keep", "people.db"])
    for name, command in verbs():
        if name in ("demo", "world", "serve", "load"):
            continue
        required = [one for one in command.params if one.param_type_name == "argument" and one.required]
        for more in (["x"] * len(required), ["user_id:u1"] * len(required), ["--no-such-option"]):
            done = RUNNER.invoke(app, [*name.split(), *more], input="")
            shown = done.output + done.stderr + repr(done.exception)
            assert told(shown) == [], (name, more, shown)
    assert told(caplog.text) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOMBSTONE_KEY", TOMBSTONE[:-1]),
        ("WRITE_KEYS", "write-7f3a-key=, write-7f3a-key="),
        ("STORE", f"neo4j://neo4j:{PASSWORD}/x@host:port/neo4j"),
        ("STORE", f"unknown://{PASSWORD}@host"),
        ("SECRET_OF_HOOK", SECRETS["IDENTITY_GRAPH_SECRET_OF_HOOK"] + "!"),
    ],
)
def test_nor_one_that_is_wrong(name: str, value: str, secrets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", "sqlite:///people.db")
    RUNNER.invoke(app, ["demo", "--keep", "people.db"])
    monkeypatch.setenv(f"IDENTITY_GRAPH_{name}", value)
    for words in ("stats", "serve --open --port 0 --trusted-only", "activate run hook", "load --loader web x.jsonl"):
        done = RUNNER.invoke(app, words.split())
        shown = done.output + done.stderr + repr(done.exception)
        assert told(shown) == [] and value not in shown, (words, shown)


def test_nor_does_a_server(secrets: None, tmp_path: Path) -> None:
    """Not in what it says, nor in its metrics."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IDENTITY_GRAPH_STORE": "sqlite:///people.db"}
    script = (
        "import urllib.request, sys\nbase = sys.argv[1]\n"
        "for path in ('/health', '/metrics', '/schema.graphql', '/graphql', '/v1/track?writeKey=write-7f3a-key'):\n"
        "    try: print(urllib.request.urlopen(base + path, timeout=120).read().decode())\n"
        "    except Exception as error: print(error)\n"
    )
    command = [sys.executable, "-m", "identity_graph", "serve", "--open", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        assert process.stderr
        first = ""
        while "GraphQL at" not in first:
            line = process.stderr.readline()
            assert line, first
            first += line
        base = first.split("GraphQL at ")[1].split("/graphql")[0]
        asked = subprocess.run([sys.executable, "-c", script, base], capture_output=True, text=True, check=True)
        process.terminate()
        out, rest = process.communicate(timeout=120)
    assert "identity_graph" in asked.stdout
    assert told(first + out + rest + asked.stdout) == []
