"""Small worlds with names, and random ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy
from identity_graph.store.neo4j.statements import statement
from identity_graph.store.protocols import Store
from identity_graph.times import DAY, parse_time
from identity_graph.world import END
from tests.conftest import Clock
from tests.story.places import Told, place

START = parse_time("2025-11-01T00:00:00Z")
MINUTE = DAY // 1440


def world_ends() -> int:
    """A clock by which all that happened in a `World` is past."""
    return parse_time(END)


def key(text: str) -> Identifier:
    return Identifier.parse(text)


def event(
    id: str,
    minute: float,
    *keys: str,
    source: str = "web",
    name: str = "Page Viewed",
    traits: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
    same: Sequence[tuple[str, str]] = (),
) -> Event:
    """`minute` counts from the start of November 2025; `same` are stated pairs."""
    stated = tuple((key(a), key(b)) for a, b in same)
    time = START + round(minute * MINUTE)
    return Event(id, time, source, name, tuple(map(key, keys)), traits or {}, properties or {}, stated)


def numbered(prefix: str = "p") -> Callable[[], str]:
    """Ids in order: p000001, p000002, ..."""
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers):06d}"


def new_graph(
    policy: Policy | None = None,
    *,
    url: str | None = None,
    clock: Callable[[], int] | None = None,
    engine: str = "auto",
) -> IdentityGraph:
    """In an empty store, see `places`, or in that of the URL."""
    graph = Told.open(url or place.fresh(), policy, engine=engine, clock=clock or Clock(), new_id=numbered())
    return graph if url else place.take(graph)


def told(events: Iterable[Event], policy: Policy | None = None, **more: Any) -> IdentityGraph:
    """A graph to which these events were told, resolved."""
    graph = new_graph(policy, **more)
    tell(graph, events)
    return graph


def tell(graph: IdentityGraph, events: Iterable[Event]) -> None:
    graph.ingest.events(list(events))
    graph.resolver.resolve()


def person(graph: IdentityGraph, text: str) -> str:
    """The id of the person that has the identifier."""
    (found,) = graph.people.find_by_identifier([key(text)])
    assert found, f"{text} is nobody's"
    return found.id


def persons(graph: IdentityGraph) -> set[frozenset[str]]:
    """Memberships without ids: the keys of each person."""
    rows = graph.people.memberships().rows()
    groups: dict[str, set[str]] = {}
    for id, namespace, value in rows:
        groups.setdefault(id, set()).add(f"{namespace}:{value}")
    return {frozenset(group) for group in groups.values()}


def spied(store: Store) -> list[int]:
    """From now on, how many observations each reading of them brought."""
    read, rows = store.evidence.observation_table, list[int]()

    def observation_table(numbers: Any = None) -> Any:
        found = read(numbers)
        rows.append(len(found))
        return found

    store.evidence.observation_table = observation_table  # type: ignore[method-assign]
    return rows


def changing(heard: Iterable[str]) -> list[str]:
    """Of traced statements those that write, a turn to write left out."""
    found = []
    for told in heard:
        text = statement(told) if re.fullmatch(r"[a-z]+/\w+", told) else told  # on a server they are heard by name
        if told != "store/hold" and re.search(r"\b(INSERT|UPDATE|DELETE|CREATE|MERGE|SET)\b", text):
            found.append(told)
    return found


# ---- worlds with names


def shared_tablet() -> list[Event]:
    """Ann and Bob log in on one tablet, Ann more often."""
    return [
        event("t1", 0, "user_id:ann", "device_id:tablet", source="app", traits={"first_name": "Ann"}),
        event("t2", 10, "user_id:ann", "device_id:tablet", source="app"),
        event("t3", 20, "user_id:bob", "device_id:tablet", source="app", traits={"first_name": "Bob"}),
        event("t4", 30, "device_id:tablet", source="app", name="App Opened"),
    ]


def cookie_reset() -> list[Event]:
    """Eve empties her browser twice; her address ties the three cookies together."""
    return [
        event("k1", 0, "cookie:k-one"),
        event("k2", 1, "cookie:k-one", "email:eve@example.org", name="Signed Up", traits={"plan": "free"}),
        event("k3", 600, "cookie:k-two", "email:eve@example.org"),
        event("k4", 1200, "cookie:k-three"),
        event("k5", 1201, "cookie:k-three", "email:eve@example.org", traits={"plan": "pro"}),
    ]


def two_cards() -> list[Event]:
    """Kim lost a loyalty card; orders are paid with either."""
    return [
        event("c1", 0, "loyalty_id:LC1", "email:kim@example.org", source="loyalty"),
        event("c2", 50, "loyalty_id:LC2", "email:kim@example.org", source="loyalty"),
        event("c3", 60, "loyalty_id:LC2", source="orders", name="Order Completed", properties={"total": 30}),
        event("c4", 70, "loyalty_id:LC1", source="orders", name="Order Completed", properties={"total": 12.5}),
    ]


def recycled_phone() -> list[Event]:
    """Liv's number becomes Max's a year later; she had used it more."""
    phone = "phone:+15550100200"
    return [
        *(event(f"l{n}", n, "user_id:liv", phone, source="crm") for n in range(3)),
        *(event(f"m{n}", 525_600 / 12 + n, "user_id:max", phone, source="crm") for n in range(2)),
    ]


def household() -> list[Event]:
    """Three people behind one landline and one address on the internet."""
    names = ("ned", "oli", "pat")
    return [
        event(f"h-{name}", n, f"user_id:{name}", f"email:{name}@example.org", "phone:+15550100300", "ip:203.0.113.7")
        for n, name in enumerate(names)
    ]


def kiosk(customers: int = 12) -> list[Event]:
    """More people log in on one device than any household has."""
    return [event(f"q{n}", n, f"user_id:q{n:02d}", "device_id:kiosk", source="store") for n in range(customers)]


def junk() -> list[Event]:
    """Programs that know nobody say so by name."""
    return [
        event("j1", 0, "user_id:anonymous", "cookie:j-one"),
        event("j2", 1, "user_id:anonymous", "cookie:j-two"),
        event("j3", 2, "cookie:00000000-0000-0000-0000-000000000000", "email:sue@example.org"),
    ]


def alias() -> list[Event]:
    """A program states that two user ids are one person; nothing else could join them."""
    return [
        event("a1", 0, "user_id:old-tom", "email:tom@example.org"),
        event("a2", 1, "user_id:new-tom"),
        event(
            "a3", 2, "user_id:new-tom", "user_id:old-tom", name="alias", same=[("user_id:new-tom", "user_id:old-tom")]
        ),
    ]


def town() -> list[Event]:
    """All of them at once: some share an internet address, nobody an identifier that joins."""
    worlds = (shared_tablet, cookie_reset, two_cards, recycled_phone, household, kiosk, junk, alias)
    return [one for world in worlds for one in world()]


# ---- random worlds

_VALUES: dict[str, Sequence[str]] = {
    "user_id": "abcd",
    "email": [f"{name}@x.org" for name in "abcdef"],
    "device_id": "abcd",
    "cookie": "abcdefgh",
    "ip": ["192.0.2.1", "192.0.2.2"],
    "loyalty_id": "ABCDE",
}
# Two namespaces of one rule and with the same values: only the namespace's name tells their identifiers apart.
_VALUES |= {"left": "ab", "right": "ab"}
KEYS = [f"{space}:{value}" for space, values in _VALUES.items() for value in values] + ["user_id:anonymous"]


def tight(order: str = "strongest", largest: int = 500) -> Policy:
    """The default's rules with caps so low that small worlds meet them."""
    default = Policy.default()
    capped = {name: replace(default.rule(name), hub_cap=cap) for name, cap in (("device_id", 3), ("cookie", 2))}
    namespaces = {**default.namespaces, **capped}
    return replace(default, order=order, max_identifiers=largest, pairwise_up_to=4, namespaces=namespaces)


def fading() -> Policy:
    """Rules under which evidence ages, and links fall below what joins."""
    namespaces = {name: replace(rule, half_life=7 * DAY) for name, rule in tight().namespaces.items()}
    return replace(tight(), namespaces=namespaces, min_weight=0.3)


policies = st.builds(tight, st.sampled_from(["strongest", "newest"]), st.sampled_from([500, 5]))


@st.composite
def worlds(draw: st.DrawFn, most: int = 25, widest: int = 7) -> list[Event]:
    """Events over few identifiers and few moments, so that everything collides."""
    found = []
    for number in range(draw(st.integers(1, most))):
        keys = draw(
            st.lists(st.sampled_from(KEYS), min_size=1, max_size=draw(st.sampled_from([2, 3, 4, widest])), unique=True)
        )
        stated = [(keys[0], keys[1])] if len(keys) > 1 and draw(st.integers(0, 19)) == 0 else []
        minute = draw(st.sampled_from([0, 1, 2, 60, 70_000, 80_000]))
        traits = {"plan": draw(st.sampled_from(["free", "pro", "team"]))} if draw(st.booleans()) else {}
        properties = {"total": draw(st.integers(0, 9))}
        name = draw(st.sampled_from(["Page Viewed", "Order Completed"]))
        found.append(
            event(
                f"e{number}", minute, *keys, source=draw(st.sampled_from("xyz")), name=name, traits=traits,
                properties=properties, same=stated,
            )
        )  # fmt: skip
    return found


SEGMENTS: dict[str, dict[str, Any]] = {
    "buyers": {
        "event": {"names": ["Order Completed"], "measure": "SUM", "property": "total", "is": {"range": {"from": 6}}}
    },
    "pros": {"trait": {"name": "plan", "is": {"equals": "pro"}}},
    "recent": {"event": {"within": "P30D", "is": {"range": {"from": 2}}}},
    "reached": {"identifier": {"namespace": "email"}},
    "targets": {"all": [{"segment": "buyers"}, {"not": {"segment": "reached"}}]},
}


def save_segments(graph: IdentityGraph) -> None:
    for name, condition in SEGMENTS.items():
        graph.segments.save(name, "", condition)
