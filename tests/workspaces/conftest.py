"""Five workspaces in one service, each with canaries: texts that must never be met anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph.access import Role
from identity_graph.access.keys import KeysFile
from identity_graph.api.terms import Terms
from identity_graph.cli.command import Command
from identity_graph.cli.workspaces import workspaces_app
from identity_graph.settings import read_settings

NAMES = ("ant", "bee", "cat", "dog", "elk")
POLICY = """
[purposes.ads]
choice = "opt-in"
"""


@dataclass
class Service:
    """`keys` are the texts by workspace and role."""

    folder: Path
    client: TestClient
    keys: dict[str, dict[Role, str]]

    def ask(self, name: str, key: str, query: str, variables: dict[str, Any] | None = None) -> Any:
        body = {"query": query, "variables": variables or {}}
        return self.client.post(f"/w/{name}/graphql", json=body, headers={"authorization": f"Bearer {key}"})


def write_workspaces(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    tables = []
    for name in names:
        (folder / name).mkdir()
        (folder / name / "policy.toml").write_text(POLICY)
        tables.append(
            f'[{name}]\nstore = "sqlite:///{folder / name / "people.db"}"\npolicy = "{name}/policy.toml"\n'
            f'keys = "{name}/keys.json"\nwrite_keys_env = "{name.upper()}_WRITE_KEYS"\n'
            f'signing_key = "{name}/signing.pem"\n'
        )
    file = folder / "workspaces.toml"
    file.write_text("\n".join(tables))
    return file


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    file = write_workspaces(tmp_path)
    for name in NAMES:
        monkeypatch.setenv(f"{name.upper()}_WRITE_KEYS", f"write-{name}")
    keys = {name: {role: KeysFile(tmp_path / name / "keys.json").create(role)[1] for role in Role} for name in NAMES}
    settings = read_settings()
    command = Command(settings, settings.store, None, False)
    terms = Terms(deadline=60.0)
    with workspaces_app(command, file, terms) as app, TestClient(app, raise_server_exceptions=False) as client:
        yield Service(tmp_path, client, keys)
