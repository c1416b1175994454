"""Every way in by which values come: each puts them into a graph, one event a value, and none says what came of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.loaders import read_loader
from tests.api.conftest import PATIENT, operation_text
from tests.story.ingesting import EVENTS

TIME = "2025-06-01T00:00:00Z"
LOADER = """
source = "inputs"
format = "csv"
[event]
id = "id"
time = "time"
name = { value = "Seen" }
[identifiers]
anonymous_id = "anchor"
user_id = "user_id"
loyalty_id = "loyalty_id"
email = "email"
[traits]
said = "said"
"""
COLUMNS = ("id", "time", "anchor", "user_id", "loyalty_id", "email", "said")


class Value(NamedTuple):
    """A raw value, in an event of its own with an anchor that no other event has."""

    number: int
    namespace: str
    raw: str

    @property
    def id(self) -> str:
        return f"value-{self.number:06}"

    @property
    def anchor(self) -> str:
        return f"anchor-{self.number:06}"

    @property
    def identifiers(self) -> list[dict[str, str]]:
        return [
            {"namespace": "anonymous_id", "value": self.anchor},
            {"namespace": self.namespace, "value": self.raw},
        ]


def id_in(text: str | bytes) -> str:
    found = re.search("value-[0-9]{6}", text if isinstance(text, str) else text.decode("utf-8", "replace"))
    assert found, text[:200]
    return found[0]


def jsonl(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    path = folder / "values.jsonl"
    with path.open("w", encoding="utf-8", newline="") as file:
        for value in values:
            event = {"id": value.id, "time": TIME, "name": "Seen", "identifiers": value.identifiers}
            plain = value.number % 2 and not has_surrogate(value.raw)
            file.write(json.dumps(event | {"traits": {"said": value.raw}}, ensure_ascii=not plain) + "\n")
    graph.ingest.load(EVENTS, path)
    return {}


def csv_file(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    (folder / "inputs.toml").write_text(LOADER, encoding="utf-8")
    path = folder / "values.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for value in values:
            row = {"id": value.id, "time": TIME, "anchor": value.anchor, "said": value.raw}
            writer.writerow(row | {value.namespace: value.raw})
    graph.ingest.load(read_loader(folder / "inputs.toml"), path)
    return {}


def batches(values: Sequence[Value]) -> Iterator[tuple[list[Value], bytes]]:
    """Requests of the tracking API."""

    def message(value: Value) -> dict[str, Any]:
        external = [{"type": value.namespace, "id": value.raw}]
        sent = {"type": "identify", "messageId": value.id, "anonymousId": value.anchor, "timestamp": TIME}
        return sent | {"context": {"externalIds": external}, "traits": {"said": value.raw}}

    for part in parts(values, 300, 400_000):
        yield part, json.dumps({"batch": [message(value) for value in part]}).encode()


def tracking(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    turned: dict[str, str] = {}
    with TestClient(create_app(graph, terms=PATIENT)) as client:
        for part, body in batches(values):
            answer = client.post("/v1/batch", content=body, headers={"authorization": "Basic YTo="})
            assert answer.status_code in (200, 400, 413), answer.text
            if answer.status_code != 200:
                turned |= dict.fromkeys((value.id for value in part), answer.json()["code"])
    return turned


def graphql_variables(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    def given(value: Value) -> dict[str, Any]:
        event = {"id": value.id, "time": TIME, "source": "inputs", "name": "Seen"}
        return event | {"identifiers": value.identifiers, "traits": {"said": value.raw}}

    turned: dict[str, str] = {}
    with TestClient(create_app(graph, terms=PATIENT)) as client:
        for part in parts(values, 500, 400_000):
            body = {"query": operation_text("ingest"), "variables": {"events": [given(value) for value in part]}}
            turned |= asked(client, body, part)
    return turned


def graphql_literals(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    turned: dict[str, str] = {}
    with TestClient(create_app(graph, terms=PATIENT)) as client:
        for part in parts(values, 50, 7_000):
            events = " ".join(
                f'{{id: "{value.id}", time: "{TIME}", source: "inputs", name: "Seen", '
                f"traits: {{said: {json.dumps(value.raw)}}}"
                f' identifiers: [{{namespace: "anonymous_id", value: "{value.anchor}"}}'
                f' {{namespace: "{value.namespace}", value: {json.dumps(value.raw)}}}]}}'
                for value in part
            )
            turned |= asked(client, {"query": f"mutation {{ ingest(events: [{events}]) {{ read }} }}"}, part)
    return turned


def must_link(graph: IdentityGraph, values: Sequence[Value], folder: Path) -> dict[str, str]:
    """Each value is stated to be its anchor's person: by a file of such statements, as Segment's alias is one."""
    (folder / "stated.toml").write_text(
        'source = "stated"\nformat = "jsonl"\n[event]\nid = "id"\ntime = "time"\nname = { value = "Seen" }\n'
        '[traits]\nsaid = "said"\n'
        + "".join(
            f'[[same_person]]\nwhen = {{ namespace = "{namespace}" }}\n'
            'a = { namespace = "anonymous_id", value = "anchor" }\n'
            f'b = {{ namespace = "{namespace}", value = "said" }}\n'
            for namespace in ("user_id", "loyalty_id", "email")
        ),
        encoding="utf-8",
    )
    path = folder / "stated.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for value in values:
            event = {"id": value.id, "time": TIME, "anchor": value.anchor, "namespace": value.namespace}
            file.write(json.dumps(event | {"said": value.raw}) + "\n")
    graph.ingest.load(read_loader(folder / "stated.toml"), path)
    return {}


DOORS: dict[str, Callable[[IdentityGraph, Sequence[Value], Path], dict[str, str]]] = {
    "jsonl": jsonl,
    "csv": csv_file,
    "tracking": tracking,
    "graphql variables": graphql_variables,
    "graphql literals": graphql_literals,
    "must-link": must_link,
}
"""Each answers the codes of values whose whole request was refused, by event id."""


def asked(client: TestClient, body: dict[str, Any], part: Sequence[Value]) -> dict[str, str]:
    answer = client.post("/graphql", content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code < 500
    errors = answer.json().get("errors")
    if not errors:
        return {}
    assert len({error["extensions"]["code"] for error in errors}) == 1, errors
    return dict.fromkeys((value.id for value in part), errors[0]["extensions"]["code"])


def parts(values: Sequence[Value], most: int, size: int) -> Iterator[list[Value]]:
    """Requests of so many values, and about so many bytes. What JSON cannot say goes alone: it takes others along."""
    part: list[Value] = []
    held = 0
    for value in values:
        if has_surrogate(value.raw) or len(value.raw) * 12 > size:
            yield [value]
            continue
        cost = 250 + 2 * len(json.dumps(value.raw))
        if part and (len(part) == most or held + cost > size):
            yield part
            part, held = [], 0
        part.append(value)
        held += cost
    if part:
        yield part


def has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
