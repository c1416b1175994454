"""Real files, resolved: who is one person in them, and who is not in spite of junk ids."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import ChangeKind
from identity_graph.policy import Policy
from tests.story.test_real_data import LOADERS, data
from tests.story.worlds import key, new_graph, person, persons


@contextmanager
def resolved(policy: Policy | None, *loads: tuple[str, str]) -> Iterator[IdentityGraph]:
    """A graph of these files (loader, path), resolved after each."""
    files = [(loader, data(path)) for loader, path in loads]
    with new_graph(policy) as graph:
        for loader, path in files:
            graph.ingest.load(read_loader(LOADERS / loader), path, time=0)
            graph.resolver.resolve()
        yield graph


def test_junk_ids_of_1434_real_messages_join_nobody() -> None:
    with resolved(None, ("rudder.toml", "rudder_events/events_dev.ndjson")) as graph:
        policy = graph.policy
        said = graph.store.evidence.statements()
        stated = np.unique(np.concatenate([said.a, said.b])).tolist()
        aliases = {row.identifier.key for row in graph.store.evidence.identifiers_by_number(stated) if row}
        sizes = []
        for group in persons(graph):
            members = [key(one) for one in group]
            sizes.append(len(members))
            assert not any(policy.blocks(*one) for one in members)
            spaces = Counter(one.namespace for one in members)
            over = {space for space, count in spaces.items() if count > (policy.rule(space).limit or count)}
            assert not over or group & aliases, group
        assert len(sizes) > 100 and max(sizes) <= 40
        everything, values = graph.store.evidence.identifier_table()
        junk = [value for value in values if value.casefold() in policy.blocked.values]
        assert len(junk) > 5 and len(everything) > 400
        published = persons(graph)
        graph.resolver.resolve(full=True)
        assert persons(graph) == published


def test_three_accounts_each_are_300_persons_and_what_they_watched() -> None:
    loads = [
        ("video_accounts.toml", "video_accounts/entity.csv"),
        ("video_plays.toml", "video_accounts/video_play.csv"),
    ]
    with resolved(None, *loads) as graph:
        accounts = [sorted(one for one in group if one.startswith("account:")) for group in persons(graph)]
        assert [len(found) for found in accounts] == [3] * 300
        plays = defaultdict(list)
        with data("video_accounts/video_play.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["account"].isdigit():
                    plays[f"account:{row['account']}"].append(row["id"])
        ids = [person(graph, found[0]) for found in accounts]
        for found, journey in zip(accounts, graph.people.journeys(ids), strict=True):
            watched = sorted(one.event.id for one in journey if one.event.name == "Video Played")
            assert watched == sorted(id for account in found for id in plays[account])
            assert [one.event.time for one in journey] == sorted(one.event.time for one in journey)
        assert sum(len(of) for of in plays.values()) == 10_000
        changes = Counter(one.kind for one in graph.store.persons.changes(limit=10_000))
        assert changes == {ChangeKind.CREATED: 300}


def test_retail_without_limits_is_components_and_with_limits_is_safe() -> None:
    answer = json.loads(data("retail/retail_50k_seed42.reference.json").read_bytes())
    free = Policy.default().without_limits()
    with resolved(free, ("retail.toml", "retail/retail_50k_seed42.csv.gz")) as graph:
        assert graph.people.count() == answer["components_email_phone_loyalty"] == 39_822
        strict = IdentityGraph(graph.store, Policy.default(), clock=graph.clock)
        strict.resolver.resolve()
        counts = Counter((id, namespace) for id, namespace, _ in strict.people.memberships().rows())
        assert max(counts.values()) <= 5  # the limit of namespaces that no rule names
        assert strict.people.count() > 39_822


def test_cookies_of_two_sites_are_one_person_that_grows() -> None:
    folder = "small_identity_graphs/treasuredata"
    with resolved(Policy.default().without_limits(), ("treasuredata.toml", f"{folder}_ex1.csv")) as graph:
        assert [len(group) for group in persons(graph)] == [34]
        (before,) = graph.people.page()
        loader = read_loader(LOADERS / "treasuredata.toml")
        graph.ingest.load(loader, data(f"{folder}_ex5_increment.csv"), time=0)
        graph.resolver.resolve()
        assert [len(group) for group in persons(graph)] == [44]
        assert [one.id for one in graph.people.page()] == [before.id]
