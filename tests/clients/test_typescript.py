"""Clients in TypeScript, made by graphql-codegen from what ships, against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, is_object_type

from identity_graph.files import data_folder
from tests.npm import node_with
from tests.tracking.serving import Serving, serving

HERE = Path(__file__).parent
CODEGEN = "node_modules/@graphql-codegen/cli/cjs/bin.js"
TSC = "node_modules/typescript/bin/tsc"
STRICT = "--strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --skipLibCheck --types node"
TARGET = "--module nodenext --target es2022 --outDir built"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('clients') / 'people.db'}") as started:
        yield started


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node, and a folder with what codegen made of the schema and of every operation."""
    node, packages = node_with(HERE / "package.json")
    folder = tmp_path_factory.mktemp("client")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    (folder / "graphql").symlink_to(data_folder("graphql"))
    for name in ("package.json", "codegen.json", "session.ts"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    run(node, folder, CODEGEN, "--config", "codegen.json")
    return node, folder


def run(node: str, folder: Path, *command: str) -> str:
    done = subprocess.run([node, *command], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_client_made_of_the_schema_compiles_and_runs(made: tuple[str, Path], server: Serving) -> None:
    node, folder = made
    run(node, folder, TSC, "session.ts", *STRICT.split(), *TARGET.split())
    answer = json.loads(run(node, folder, "built/session.js", server.url))
    assert answer == {
        "accepted": 5,
        "created": "DONE",
        "keys": ["email:ann@example.org", "user_id:u1"],
        "plan": "pro",
        "people": [False, True, True],
        "latest": ["2025-12-01T03:00:00Z", "2025-12-01T04:00:00Z"],
        "seen": [f"event-{number}" for number in range(5)],
        "refused": "PAGE_INVALID",
    }


def test_a_field_that_does_not_exist_does_not_compile(made: tuple[str, Path]) -> None:
    node, folder = made
    wrong = (folder / "session.ts").read_text().replace("person.profile.traits.find", "person.profile.treats.find")
    (folder / "wrong.ts").write_text(wrong)
    command = [node, TSC, "wrong.ts", *STRICT.split(), "--module", "nodenext", "--target", "es2022", "--noEmit"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode and "'treats' does not exist" in done.stdout


def test_a_supergraph_is_composed_with_a_service_that_knows_persons_by_identifier(
    made: tuple[str, Path], server: Serving
) -> None:
    node, folder = made
    answer: dict[str, Any] = json.loads(run(node, folder, str(HERE / "compose.mjs"), server.url))
    assert answer["errors"] == []
    person = build_schema(answer["sdl"], assume_valid_sdl=True).type_map["Person"]
    assert is_object_type(person)
    assert {"id", "key", "profile", "journey", "orders"} <= person.fields.keys()
