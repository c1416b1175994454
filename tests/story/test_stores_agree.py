"""One answer from SQLite and from Neo4j, whoever of the two engines found it there."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier
from identity_graph.policy import MEASURES, Policy, Similarity
from identity_graph.times import DAY
from identity_graph.world import NAMES, World
from tests.conftest import NIGHTLY, law
from tests.neo4j.database import emptied
from tests.story.ingesting import jsonl
from tests.story.picture import picture
from tests.story.places import MEMORY
from tests.story.regimes import REGIMES
from tests.story.test_real_data import LOADERS, data, rudder_messages
from tests.story.worlds import (
    MINUTE,
    event,
    fading,
    key,
    kiosk,
    new_graph,
    person,
    persons,
    policies,
    save_segments,
    tight,
    town,
    world_ends,
    worlds,
)
from tests.unit.real_files import real_file

KIM = "email:kim@example.org"
ENGINES = ("gds", "arrays")
FREE = Policy.default().without_limits()
Look = Callable[[IdentityGraph], Any]


def windowed() -> Policy:
    """Limits within a time, and evidence that expires."""
    own = {"user_id": (1, 3, 40), "email": (2, 10, None), "device_id": (3, 5, 60), "loyalty_id": (1, 2, 45)}
    namespaces = {
        name: replace(tight().rule(name), limit=limit, window=days * DAY, expires=expires and expires * DAY)
        for name, (limit, days, expires) in own.items()
    }
    return replace(tight(), namespaces={**tight().namespaces, **namespaces})


RULES = {
    "default": Policy.default(),
    "newest": tight("newest", 5),
    "fading": fading(),
    "windowed": windowed(),
    "free": FREE,
    "pairs of wide events": replace(tight(), pairwise_up_to=12),
    "stars of narrow events": replace(tight(), pairwise_up_to=3),
    "strict": replace(Policy.default(), min_weight=0.6, sources={"web": 0.7}),
}


@dataclass
class Both:
    """The same evidence in SQLite's memory and on the server."""

    here: IdentityGraph
    there: IdentityGraph

    def tell(self, events: Sequence[Event]) -> None:
        for graph in (self.here, self.there):
            graph.ingest.events(events)

    def agree(self, policy: Policy, look: Look) -> Any:
        """The answer of the three: all is resolved anew in each way, and looked at."""
        answers = []
        for graph, engine in ((self.here, "arrays"), *((self.there, engine) for engine in ENGINES)):
            under = self.under(graph, policy, engine)
            assert under.engine.name == engine
            under.resolver.resolve(full=True)
            answers.append(look(under))
        assert answers[0] == answers[1], "gds"
        assert answers[0] == answers[2], "arrays"
        return answers[0]

    def under(self, graph: IdentityGraph, policy: Policy, engine: str = "auto") -> IdentityGraph:
        return IdentityGraph(graph.store, policy, engine=engine, clock=graph.clock, new_id=graph.resolver._new_id)

    def arrive(self, policy: Policy, events: Sequence[Event]) -> None:
        """Told and resolved as they come, without resolving everything."""
        self.tell(events)
        for graph in (self.here, self.there):
            self.under(graph, policy).resolver.resolve()

    def forget(self, policy: Policy, text: str) -> None:
        receipts = []
        for graph in (self.here, self.there):
            forget = self.under(graph, policy).forget
            preview = forget.preview(person(graph, text))
            assert preview
            receipts.append(forget.erase(preview.token).document)
        same = ("events", "identifiersErased", "identifiersKept", "tombstones", "verified")
        assert [receipts[0][name] for name in same] == [receipts[1][name] for name in same]


@contextmanager
def both(server: str, clock: Callable[[], int] = world_ends) -> Iterator[Both]:
    with new_graph(url=MEMORY, clock=clock) as here, new_graph(url=emptied(server), clock=clock) as there:
        yield Both(here, there)


def groups(graph: IdentityGraph) -> tuple[str, set[frozenset[str]]]:
    return graph.digest(), persons(graph)


def compared(graph: IdentityGraph) -> tuple[str, set[frozenset[str]], list[Any], list[Any]]:
    """Besides, the similar links to the last bit, and why the first few are there."""
    table, values = graph.store.evidence.identifier_table()
    spaces = [table.namespaces[one] for one in table.namespace.tolist()]
    keys = [Identifier(*one) for one in zip(spaces, values, strict=True)]
    of = dict(zip(table.number.tolist(), keys, strict=True))
    rows = {row for found in graph.store.persons.similar(list(of)) for row in found}
    links = sorted(
        (*sorted((of[row.a], of[row.b])), row.weight, row.last_seen, sorted(of[one] for one in row.shared))
        for row in rows
    )
    return *groups(graph), links, [graph.people.explain(a, b) for a, b, *_ in links[:5]]


# ---- worlds


def crowds() -> list[Event]:
    """Events that saw more than links are kept of, of people who are known elsewhere; some state who is one person."""
    cards = [f"loyalty_id:W{n}" for n in range(6)]
    screens = [f"cookie:w{n}" for n in range(7)]
    return [
        event("w1", 5, "user_id:ann", "email:kim@example.org", *screens),
        event("w2", 6, *cards, *screens[:4], source="store"),
        event("w3", 7, *screens, "ip:203.0.113.7", "user_id:anonymous", "device_id:kiosk", source="app"),
        event("w4", 8, *screens[:5], *cards[:5], same=[(cards[0], cards[4]), (screens[1], cards[2])]),
        event("w5", 9, "user_id:old-tom", "email:sue@example.org", same=[("user_id:ann", "user_id:bob")]),
        event("w6", 80_000, *screens[:4], *cards[:5]),
    ]


def test_a_town_and_its_crowds_under_every_policy(neo4j_url: str) -> None:
    keys = [key(one) for one in ("user_id:ann", "user_id:bob", "cookie:w1", "loyalty_id:W0", "device_id:kiosk")]
    seen = []
    with both(neo4j_url) as pair:
        for graph in (pair.here, pair.there):
            save_segments(graph)
        pair.tell([*town(), *kiosk(30), *crowds()])
        for name, policy in RULES.items():
            found = pair.agree(policy, lambda graph: picture(graph, keys))
            seen.append((name, found["digest"]))
    assert len({digest for _, digest in seen}) > len(seen) // 2, seen


def test_a_limit_within_a_time_counts_also_what_joins_nobody(neo4j_url: str) -> None:
    """A card that was seen again, with a program that says its user is anonymous, is as new as another one."""
    policy = Policy.parse('[namespaces.loyalty_id]\nlimit = "1 per 10 days"\n')
    month, last, anybody = 30 * DAY // MINUTE, "loyalty_id:LC2", "user_id:anonymous"
    with both(neo4j_url) as pair:
        pair.tell([event("1", 0, "loyalty_id:LC1", KIM), event("2", month, last, KIM)])
        assert len(pair.agree(policy, persons)) == 1
        pair.tell([event("3", month, "loyalty_id:LC1", anybody)])
        assert pair.agree(policy, persons) == {frozenset({last, KIM}), frozenset({"loyalty_id:LC1"})}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_life_of_files_merges_erasures_and_new_rules(neo4j_url: str, tmp_path: Path, seed: int) -> None:
    World(people=10, seed=seed).write(tmp_path)
    default, fading = RULES["default"], RULES["fading"]
    with both(neo4j_url) as pair:
        for graph in (pair.here, pair.there):
            save_segments(graph)
        for number, (name, file) in enumerate(NAMES.items()):
            for graph in (pair.here, pair.there):
                graph.ingest.load(read_loader(name), tmp_path / file, time=0)
            if number % 2:
                pair.agree(default, groups)
        before, everybody = pair.agree(default, groups)
        largest, second, third = [
            sorted(one)[0] for one in sorted(everybody, key=lambda one: (-len(one), sorted(one)))
        ][:3]
        pair.arrive(default, [event("join", 0, largest, second, "loyalty_id:FOUND", "cookie:found")])
        digest, merged = pair.agree(default, groups)
        assert digest != before
        pair.forget(default, "loyalty_id:FOUND")
        assert pair.agree(default, groups)[1] != merged
        for name in ("windowed", "fading", "newest"):
            pair.agree(RULES[name], groups)
        pair.agree(fading, groups)
        pair.forget(fading, third)
        pair.arrive(fading, [event("again", 100_000, third, "cookie:found")])
        pair.agree(fading, picture)


@law(10)
@given(
    worlds(widest=11),
    policies | st.sampled_from(list(RULES.values())),
    st.integers(0, 25),
    st.randoms(use_true_random=False),
)
def test_any_world(neo4j_url, events, policy, first, random):  # type: ignore[no-untyped-def]
    keys = {one for event in events for one in event.identifiers}
    with both(neo4j_url) as pair:
        pair.tell(events[:first])
        pair.agree(policy, groups)
        pair.arrive(policy, events[first:])
        _, everybody = pair.agree(policy, groups)
        if everybody:
            pair.forget(policy, min(random.choice(sorted(everybody, key=sorted))))
        pair.agree(policy, lambda graph: picture(graph, keys))


COMPARED, BESIDE = ("cookie", "email", "user_id"), ("ip", "device_id", "left")
rules = st.builds(
    Similarity,
    st.lists(st.sampled_from(COMPARED), min_size=1, unique=True).map(tuple),
    st.lists(st.sampled_from(BESIDE), min_size=1, unique=True).map(tuple),
    st.sampled_from(MEASURES),
    st.sampled_from([1e-6, 0.3, 0.5, 1.0]),
    st.sampled_from([1, 2, 10]),
    st.sampled_from([0.2, 0.5, 1.0]),
)


@st.composite
def visits(draw: st.DrawFn) -> list[Event]:
    """Of few at few places, so that many are alike."""
    places = [[f"{space}:{value}" for value in "abc"] for space in BESIDE]
    return [
        event(
            f"visit{number}",
            draw(st.sampled_from([0, 60, 30_000, 80_000])),
            f"{draw(st.sampled_from(COMPARED))}:{draw(st.sampled_from('abcdef'))}",
            *(draw(st.sampled_from(place)) for place in places[: draw(st.integers(1, 3))]),
        )
        for number in range(draw(st.integers(2, 20)))
    ]


@law(15)
@given(
    worlds(most=12, widest=11),
    policies | st.sampled_from(list(REGIMES.values())),
    st.lists(rules, min_size=1, max_size=3),
    visits(),
)
def test_any_world_where_similarity_joins(neo4j_url, events, policy, similarity, later):  # type: ignore[no-untyped-def]
    policy = replace(policy, similarity=tuple(similarity))
    with both(neo4j_url) as pair:
        pair.tell(events)
        pair.agree(policy, compared)
        pair.arrive(policy, later)
        _, everybody, *_ = pair.agree(policy, compared)
        if everybody:
            pair.forget(policy, min(min(everybody, key=sorted)))
        pair.agree(policy, compared)


# ---- real files

Files = list[tuple[str | Path, Path]]


def messages(folder: Path, name: str, found: Sequence[Any]) -> Files:
    path = folder / name
    path.write_bytes(jsonl(*found))
    return [("segment", path)]


def payloads() -> list[Any]:
    lines = data("segment_payloads/payloads.ndjson").read_bytes().splitlines()
    return [json.loads(line)["message"] for line in lines]


def files(*named: tuple[str, str]) -> Callable[[Path], Files]:
    return lambda folder: [(LOADERS / loader, data(path)) for loader, path in named]


def part_of(loader: str, path: str, most: int = 8_000) -> Callable[[Path], Files]:
    """The first thousands of its records, and all of them at night: a server stores some thousand a second."""

    def cut(folder: Path) -> Files:
        whole, part = data(path), folder / "part.csv"
        text = gzip.decompress(whole.read_bytes()) if whole.suffix == ".gz" else whole.read_bytes()
        part.write_bytes(b"".join(text.splitlines(keepends=True)[: None if NIGHTLY else most]))
        return [(LOADERS / loader, part)]

    return cut


SMALL = "small_identity_graphs"
REAL: dict[str, Callable[[Path], Files]] = {
    "rudder": files(("rudder.toml", "rudder_events/events_dev.ndjson")),
    "rudder as sent": lambda folder: messages(folder, "rudder.jsonl", rudder_messages()),
    "payloads of Segment": lambda folder: messages(folder, "payloads.jsonl", payloads()),
    "video": files(
        ("video_accounts.toml", "video_accounts/entity.csv"), ("video_plays.toml", "video_accounts/video_play.csv")
    ),
    "cookies": files(
        ("treasuredata.toml", f"{SMALL}/treasuredata_ex1.csv"),
        ("treasuredata.toml", f"{SMALL}/treasuredata_ex5_increment.csv"),
    ),
    "edges": files(("edges.toml", f"{SMALL}/danafholmes_idr_test.csv")),
    "sessions": part_of("cookie_sessions.toml", f"{SMALL}/snypher_cookie_data_full.csv"),
    "febrl 1": files(("febrl.toml", "febrl/dataset1.csv")),
    "febrl 3": part_of("febrl.toml", "febrl/dataset3.csv", 1_500),
    "splink": files(("splink_fake.toml", "splink_fake/fake_1000.csv")),
    "dupehell": files(
        ("dupehell_contacts.toml", "dupehell/dev_crm_contact_medium_seed42.csv.gz"),
        ("dupehell_customers.toml", "dupehell/dev_ecommerce_customer_medium_seed42.csv.gz"),
    ),
    "retail": part_of("retail.toml", "retail/retail_50k_seed42.csv.gz"),
}


# In each file these find somebody.
ALIKE = (
    Similarity(("account", "user_id", "email"), ("ip",), min=0.3),
    Similarity(("anonymous_id",), ("user_id", "ip"), "cosine", 0.3, 2),
    Similarity(("cookie",), ("global_id",), "overlap", 0.5, 3),
    Similarity(("cookie",), ("user_id",), min=0.3),
    Similarity(("email",), ("customer_id",), min=0.3),
    Similarity(("email",), ("phone",), "cosine", 0.3),
    Similarity(("record",), ("surname", "birth_date"), min=0.3),
    Similarity(("raw_email",), ("raw_phone",), min=0.3, top_k=1),
)


@pytest.mark.parametrize("name", REAL)
def test_real_files(neo4j_url: str, tmp_path: Path, name: str) -> None:
    found = REAL[name](tmp_path)
    with both(neo4j_url) as pair:
        for loader, path in found:
            first, second = (graph.ingest.load(read_loader(loader), path, time=0) for graph in (pair.here, pair.there))
            assert second == replace(first, id=second.id)
        strict = pair.agree(Policy.default(), groups)
        free = pair.agree(FREE, groups)
        assert len(free[1]) <= len(strict[1])
        _, _, links, explained = pair.agree(replace(Policy.default(), similarity=ALIKE), compared)
        assert links and all(one.path or one.obstacles for one in explained)


# ---- published answers

MATRICES = ["A", "LFAT5", "LFAT5_hypersparse", "LFAT5_two", "bcsstk13", "jagmesh7", "karate", "tree-example", "zenios",
            "ldbc-cdlp-undirected-example", "ldbc-undirected-example", "ldbc-wcc-example"]  # fmt: skip
GRAPHS = {
    "wcc/dir-input": "wcc/dir-output",
    "wcc/undir-input": "wcc/undir-output",
    "example/example-directed-input": "example/example-directed-WCC",
    "example/example-undirected-input": "example/example-undirected-WCC",
}


def space(name: str) -> str:
    return "".join(one if one.isalnum() else "_" for one in name.lower())


def drawn(name: str, vertices: Sequence[int], edges: Sequence[tuple[int, int]]) -> Iterator[Event]:
    """A graph as a namespace: an event for each edge, once where it is there in both directions, and for each vertex
    that has none."""
    joined = {frozenset(ends): None for ends in edges if ends[0] != ends[1]}
    alone = set(vertices).difference(*joined)
    for number, ends in enumerate([*({one} for one in vertices if one in alone), *joined]):
        yield event(f"{name} {number}", 0, *(f"{space(name)}:{one}" for one in sorted(ends)))


def matrices() -> Iterator[tuple[str, int, list[Event]]]:
    folder = real_file("components/lagraph")
    published = {
        row["file"].removesuffix(".mtx"): row for row in json.loads((folder / "expected_components.json").read_text())
    }
    for name in MATRICES:
        with (folder / "edges" / f"{name}.csv").open() as file:
            edges = [(int(row["src"]), int(row["dst"])) for row in csv.DictReader(file)]
        vertices = range(1, published[name]["n_vertices"] + 1)
        yield name, published[name]["components_published"], list(drawn(name, vertices, edges))


def validation_graphs() -> Iterator[tuple[str, set[frozenset[str]], list[Event]]]:
    folder = real_file("components/ldbc")
    for name, answer in GRAPHS.items():
        lines = [
            [int(word) for word in line.split()] for line in (folder / name).read_text().splitlines() if line.strip()
        ]
        of: dict[int, set[str]] = {}
        for vertex, label in (map(int, line.split()) for line in (folder / answer).read_text().splitlines()):
            of.setdefault(label, set()).add(f"{space(name)}:{vertex}")
        edges = [(own, other) for own, *others in lines for other in others]
        yield name, {frozenset(one) for one in of.values()}, list(drawn(name, [own for own, *_ in lines], edges))


def test_published_components_come_from_the_server(neo4j_url: str) -> None:
    counts = {name: (count, events) for name, count, events in matrices()}
    exact = {name: (expected, events) for name, expected, events in validation_graphs()}
    with new_graph(FREE, url=emptied(neo4j_url), engine="gds") as graph:
        graph.ingest.events([*chain.from_iterable(events for _, events in (*counts.values(), *exact.values()))])
        graph.resolver.resolve()
        found: dict[str, set[frozenset[str]]] = {}
        for group in persons(graph):
            (name,) = {one.partition(":")[0] for one in group}
            found.setdefault(name, set()).add(group)
    assert {name: len(found[space(name)]) for name in counts} == {name: count for name, (count, _) in counts.items()}
    assert {name: found[space(name)] for name in exact} == {name: expected for name, (expected, _) in exact.items()}
