"""Three thousand values by each way in: no crash, no silent change, no false merge, and every one accounted for."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph, Policy
from identity_graph.api import create_app
from identity_graph.cli import app
from identity_graph.errors import CODES, InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise
from identity_graph.tracking.sent import MAX_BODY
from tests.api.conftest import PATIENT
from tests.cli.calling import RUNNER, run
from tests.conftest import Clock
from tests.inputs import normal
from tests.inputs.doors import DOORS, Value, batches, has_surrogate, id_in
from tests.inputs.values import values
from tests.neo4j.database import emptied
from tests.tracking.serving import serving

COUNT, SEED = 3_000, 20260101
NAMESPACES = ("user_id", "user_id", "user_id", "loyalty_id", "email")


def made() -> list[Value]:
    found = []
    for number, raw in enumerate(values(COUNT, SEED)):
        namespace = NAMESPACES[number % len(NAMESPACES)]
        found.append(Value(number, namespace, f"{raw}@example.org" if namespace == "email" else raw))
    return found


VALUES = made()
RULES = Policy.default()


def expected(value: Value) -> str | None:
    """What it may be stored as; None: it is refused. Of an address it is for `email-validator` to say which."""
    if value.namespace == "user_id":
        return normal.plain(value.raw)
    if value.namespace == "loyalty_id":
        return normal.loyalty_id(value.raw)
    try:
        return normalise("email", value.raw).value
    except InputError:
        return None


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("store_url", ["sqlite-memory", "neo4j"], indirect=True)
def test_each_value_is_stored_as_documented_or_refused_and_joins_nobody_elses(
    store_url: str, door: str, tmp_path: Path, clock: Clock
) -> None:
    with IdentityGraph.open(store_url, clock=clock) as graph:
        turned = DOORS[door](graph, VALUES, tmp_path)

        graph.resolver.resolve()
        check_stored(graph, turned)
        check_counts(graph, len(VALUES) - len(turned))
        check_persons(graph)


@pytest.mark.parametrize("store_url", ["sqlite", "neo4j"], indirect=True)
def test_each_value_over_a_real_socket(store_url: str) -> None:
    turned: dict[str, str] = {}
    with serving(store_url) as server:
        for part, body in batches(VALUES):
            if len(body) > MAX_BODY:  # whoever sends so much may find the line cut before the answer is read
                turned |= dict.fromkeys((value.id for value in part), "MESSAGE_TOO_LARGE")
                continue
            assert server.send("/v1/batch", body).status == 200
        server.stop()
    with IdentityGraph.open(store_url) as graph:
        check_stored(graph, turned)
        check_counts(graph, len(VALUES) - len(turned))
        check_persons(graph)


def check_stored(graph: IdentityGraph, turned: dict[str, str]) -> None:
    refused = {id_in(one.record): one.code for one in graph.store.operations.quarantined(limit=10**6)}
    assert {*refused.values(), *turned.values()} <= CODES.keys() - {"INTERNAL"}
    rows = graph.store.evidence.events([value.id for value in VALUES])
    for value, row in zip(VALUES, rows, strict=True):
        kept = expected(value)
        where = (value.id, value.namespace, value.raw[:60])
        assert (row is not None) + (value.id in refused) + (value.id in turned) == 1, where
        if row is None:
            too_much = has_surrogate(value.raw) or len(value.raw) > 7_000
            assert not kept or too_much, (*where, refused.get(value.id))
            continue
        keys = {identifier.key for identifier in row.event.identifiers}
        assert keys == {f"anonymous_id:{value.anchor}"} | ({f"{value.namespace}:{kept}"} if kept else set()), where
        assert kept is not None, where
        assert row.event.traits == {"said": value.raw}, where


def check_counts(graph: IdentityGraph, sent: int) -> None:
    runs = [one for one in graph.store.operations.runs(limit=10**6) if one.kind != "resolve"]
    assert all(one.read == one.accepted + one.duplicate + one.quarantined + one.suppressed for one in runs)
    counts = graph.store.operations.counts()
    assert sum(one.read for one in runs) == sent
    assert sum(one.accepted for one in runs) == counts["events"]
    assert sum(one.quarantined for one in runs) == counts["quarantined"]


def check_persons(graph: IdentityGraph) -> None:
    """Anchors are one person where their values have one normal form that is somebody's; else each is its own."""
    persons = defaultdict(set)
    for person, namespace, value in graph.people.memberships().iter_rows():
        persons[person].add(Identifier(namespace, value))
    own = {member: frozenset(members) for members in persons.values() for member in members}
    rows = graph.store.evidence.events([value.id for value in VALUES])
    alike = defaultdict(set)
    for row in rows:
        if row is not None:
            anchor, *others = sorted(row.event.identifiers, key=lambda each: each.namespace != "anonymous_id")
            for other in others:
                alike[other].add(anchor)
    for other, anchors in alike.items():
        if other in own:
            assert own[other] == {other, *anchors}, other
        else:
            assert RULES.blocks(*other), other
            assert all(own[anchor] == {anchor} for anchor in anchors), other


def test_addresses_of_one_normal_form_differ_in_case_or_spelling_alone() -> None:
    """An oracle of what `email-validator` decides: whatever it does, the local part stays."""
    for value in VALUES:
        if value.namespace == "email" and (kept := expected(value)) is not None and not normal.is_nobody(kept):
            told = normal.plain(value.raw)
            assert told is not None
            local, _, domain = kept.rpartition("@")
            assert domain == "example.org", value
            lowered = "".join(letter.lower() if letter.isascii() else letter for letter in told)
            assert lowered.removesuffix("@example.org") in (local, f'"{local}"'), value


@pytest.fixture(scope="module", params=["sqlite", "neo4j"])
def peopled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with every value that can be stored; on the server until the next test asks for an empty one."""
    folder = tmp_path_factory.mktemp("naughty")
    neo4j = request.param == "neo4j"
    url = emptied(request.getfixturevalue("neo4j_url")) if neo4j else f"sqlite:///{folder / 'people.db'}"
    with IdentityGraph.open(url) as graph:
        DOORS["jsonl"](graph, VALUES, folder)
        graph.resolver.resolve()
    yield url


LOOK = """query($by: [PersonBy!]!) { people(by: $by) { identifiers { identifier { key } } } }"""


def test_a_look_up_finds_the_anchor_of_its_value_or_nobody(peopled: str) -> None:
    good = [value for value in VALUES if expected(value) and not has_surrogate(value.raw)]
    bad = [value for value in VALUES if not expected(value)]
    with IdentityGraph.open(peopled) as graph, TestClient(create_app(graph, terms=PATIENT)) as client:
        for start in range(0, len(good), 100):
            part = good[start : start + 100]
            answer = client.post("/graphql", json={"query": LOOK, "variables": {"by": [by(value) for value in part]}})
            assert "errors" not in answer.json(), answer.text[:500]
            check_found(part, answer.json()["data"]["people"])
        for value in bad:
            body = json.dumps({"query": LOOK, "variables": {"by": [by(value)]}})
            answer = client.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert answer.status_code < 500
            (error,) = answer.json()["errors"]
            assert re.fullmatch("(VALUE|EMAIL)_[A-Z_]+|BODY_(INVALID|TOO_LARGE)", error["extensions"]["code"])


@pytest.mark.parametrize("peopled", ["sqlite"], indirect=True)  # what it makes of values comes before any store
def test_a_look_up_by_the_command_line_is_the_same(peopled: str, tmp_path: Path) -> None:
    good = [value for value in VALUES if expected(value) and not has_surrogate(value.raw)]
    query = tmp_path / "look.graphql"
    query.write_text(LOOK, encoding="utf-8")
    for start in range(0, len(good), 100):
        part = good[start : start + 100]
        variables = json.dumps({"by": [by(value) for value in part]})
        found = run("query", "--store", peopled, query, "--variables", variables).stdout
        check_found(part, json.loads(found)["data"]["people"])
    for value in VALUES[::20]:
        result = RUNNER.invoke(app, ["person", "--store", peopled, "--json", "--", f"{value.namespace}:{value.raw}"])
        assert "Traceback" not in result.stderr and result.exit_code in (0, 3, 7), (value, result.stderr)
        if result.exit_code == 0:
            check_found([value], [json.loads(result.stdout)])
        else:
            assert json.loads(result.stderr)["error"]["code"] in CODES
            assert not expected(value) or is_nobodys(value)


def by(value: Value) -> dict[str, object]:
    return {"identifier": {"namespace": value.namespace, "value": value.raw}}


def check_found(part: Sequence[Value], people: Sequence[object]) -> None:
    for value, person in zip(part, people, strict=True):
        keys = json.dumps(person, ensure_ascii=False)
        assert (value.anchor in keys) != is_nobodys(value) or len(value.raw) > 7_000, (value, keys[:300])


def is_nobodys(value: Value) -> bool:
    kept = expected(value)
    return kept is not None and RULES.blocks(value.namespace, kept)
