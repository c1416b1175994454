"""Tables in, persons out: whatever library the table is of, and with the answers that others published."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError, PolicyError
from identity_graph.frames import components, resolve
from identity_graph.model import Event, Identifier
from identity_graph.policy import Blocked, Policy, Rule, Similarity
from identity_graph.service import IdentityGraph
from identity_graph.times import DAY
from identity_graph.view import View
from tests.unit.naive import persons as naive
from tests.unit.real_files import real_file
from tests.unit.test_resolve import policies, worlds

SEEN: dict[str, list[Any]] = {
    "event": [1, 1, 2, 2, 3, 4],
    "namespace": ["email", "cookie", "cookie", "user_id", "cookie", "email"],
    "value": ["ann@example.org", "c1", "c1", "u1", "c2", "null"],
}
PERSONS = [
    (0, "cookie", "c1", None),
    (0, "email", "ann@example.org", None),
    (0, "user_id", "u1", None),
    (1, "cookie", "c2", None),
    (None, "email", "null", "BLOCKED"),
]


def pandas(table: dict[str, Any], **more: Any) -> Any:
    return pytest.importorskip("pandas").DataFrame(table, **more)


def arrow(table: dict[str, Any]) -> Any:
    return pytest.importorskip("pyarrow").table(table)


TABLES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
    "polars categorical": lambda table: pl.DataFrame(table).with_columns(
        pl.col("namespace", "value").cast(pl.Categorical)
    ),
    "pandas": pandas,
    "pandas objects": lambda table: pandas(table).astype(object),
    "pandas categories": lambda table: pandas(table).astype({"namespace": "category", "value": "category"}),
    "pandas with an index": lambda table: pandas(table, index=[9] * len(table["event"])),
    "arrow": arrow,
    "arrow batches": lambda table: arrow(table).to_reader(max_chunksize=2),
    "arrow dictionaries": lambda table: arrow(table).set_column(
        1, "namespace", arrow(table).column("namespace").dictionary_encode()
    ),
    "a mapping": lambda table: table,
}


@pytest.mark.parametrize("kind", TABLES)
def test_any_kind_of_table(kind: str) -> None:
    found = resolve(TABLES[kind](SEEN))
    assert found.schema == {"person": pl.Int64, "namespace": pl.String, "value": pl.String, "pruned": pl.String}
    assert found.rows() == PERSONS


@pytest.mark.parametrize("make", [pl.DataFrame, pandas, arrow])
def test_times_are_moments_or_microseconds(make: Callable[[dict[str, Any]], Any]) -> None:
    """Two users of one cookie: the newer has it, however its time is written."""
    day = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    seen = {"event": [1, 1, 2, 2], "namespace": ["cookie", "user_id"] * 2, "value": ["c", "new", "c", "old"]}
    naive_day, zone = day.replace(tzinfo=None), dt.timezone(dt.timedelta(hours=5))
    hours = dt.timedelta(hours=2)
    for new, old in ((5, 4), (day, day - hours), (naive_day, naive_day - hours), (day.astimezone(zone), day - hours)):
        if isinstance(old, dt.datetime) and old.tzinfo:
            old = old.astimezone(new.tzinfo)  # type: ignore[union-attr]
        rows = resolve(make(seen | {"time": [new, new, old, old]})).rows()
        assert [row[:3] for row in rows][:2] == [(0, "cookie", "c"), (0, "user_id", "new")]


def test_numbers_are_texts() -> None:
    found = resolve({"event": ["a", "a"], "namespace": ["user_id", "loyalty_id"], "value": [17, 18]})
    assert found["value"].to_list() == ["18", "17"]


@pytest.mark.parametrize(
    "columns", [["event", "namespace", "value"], ["event", "namespace", "value", "time"], ["a", "b"]]
)
@pytest.mark.parametrize("make", [pl.DataFrame, pandas])
def test_nobody_in_an_empty_table(columns: list[str], make: Callable[[dict[str, Any]], Any]) -> None:
    found = resolve(make({name: [] for name in columns}))
    assert found.schema == {"person": pl.Int64, "namespace": pl.String, "value": pl.String, "pruned": pl.String}
    assert found.height == 0


NAN = float("nan")
LINKS = {"a": ["email:x@y.org"], "b": ["user_id:1"]}


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        (5, "FRAME_INVALID", "not a table"),
        ({"x": [1]}, "FRAME_INVALID", "columns x"),
        ({}, "FRAME_INVALID", "the table has no columns"),
        (pl.LazyFrame({"event": ["x"]}).cast({"event": pl.Int64}), "FRAME_INVALID", "not a table"),
        (pl.scan_parquet("no/such.parquet"), "FRAME_INVALID", "not a table"),
        (SEEN | {"event": pl.Series([object()] * 6, dtype=pl.Object)}, "FRAME_INVALID", "event is Object"),
        (SEEN | {"event": [[1]] * 6}, "FRAME_INVALID", "event is List"),
        (SEEN | {"event": [{"id": 1}] * 6}, "FRAME_INVALID", "event is Struct"),
        (SEEN | {"event": [1.0, 1.0, NAN, NAN, 3.0, 4.0]}, "FRAME_INVALID", "event has 2 NaNs"),
        (SEEN | {"event": [2.0**53 + 2, 1.0, 2.0, 2.0, 3.0, 4.0]}, "FRAME_INVALID", "event has 1 numbers so large"),
        (SEEN | {"source": [["a"]] * 6}, "FRAME_INVALID", "source is List"),
        (SEEN | {"source": [b"\xff"] * 6}, "FRAME_INVALID", "source is Binary"),
        (SEEN | {"source": [NAN] * 6}, "FRAME_INVALID", "source is Float64"),
        (SEEN | {"source": pl.Series([object()] * 6, dtype=pl.Object)}, "FRAME_INVALID", "source is Object"),
        (SEEN | {"namespace": pl.Series([object()] * 6, dtype=pl.Object)}, "FRAME_INVALID", "namespace is Object"),
        (SEEN | {"time": [NAN] * 6}, "FRAME_INVALID", "time is Float64"),
        (SEEN | {"time": pl.Series([object()] * 6, dtype=pl.Object)}, "FRAME_INVALID", "time is Object"),
        (SEEN | {"time": [dt.timedelta(1)] * 6}, "FRAME_INVALID", "time is Duration"),
        (LINKS | {"a": [b"\xff"]}, "FRAME_INVALID", "a is Binary"),
        (LINKS | {"count": [NAN]}, "FRAME_INVALID", "count"),
        (LINKS | {"count": [["1"]]}, "FRAME_INVALID", "count"),
        (LINKS | {"source": [dt.timedelta(1)]}, "FRAME_INVALID", "source is Duration"),
        (SEEN | {"value": ["a", None, None, "b", "c", "d"]}, "FRAME_INVALID", "value has 2 nulls"),
        (SEEN | {"event": [1, None, 2, 2, 3, 4]}, "FRAME_INVALID", "event has 1 nulls"),
        (SEEN | {"value": ["a", "", "", "b", "c", "d"]}, "FRAME_INVALID", "value has 2 empty"),
        (SEEN | {"value": [1.0, 2, 3, 4, 5, 6]}, "FRAME_INVALID", "value is Float64"),
        (SEEN | {"value": [b"\xff"] * 6}, "FRAME_INVALID", "value is Binary"),
        (SEEN | {"value": [["a"]] * 6}, "FRAME_INVALID", "value is List"),
        (SEEN | {"namespace": ["Email"] * 6}, "NAMESPACE_INVALID", "'Email'"),
        (SEEN | {"namespace": [""] * 6}, "NAMESPACE_INVALID", "''"),
        (SEEN | {"time": ["2026"] * 6}, "FRAME_INVALID", "time is String"),
        (SEEN | {"time": [1.5] * 6}, "FRAME_INVALID", "time is Float64"),
        (SEEN | {"time": [2**62] * 6}, "FRAME_INVALID", "years 1 to 9999"),
        (SEEN | {"time": pl.Series([2**64 - 1] * 6, dtype=pl.UInt64)}, "FRAME_INVALID", "years 1 to 9999"),
        (SEEN | {"time": pl.Series([2**60] * 6).cast(pl.Datetime("ms"))}, "FRAME_INVALID", "years 1 to 9999"),
        (SEEN | {"time": pl.Series([10**9] * 6, dtype=pl.Int32).cast(pl.Date)}, "FRAME_INVALID", "years 1 to 9999"),
        (SEEN | {"time": [1, 2, 3, 3, 4, 5]}, "FRAME_INVALID", "2 rows give an event that was at another time"),
        (SEEN | {"source": ["a", "b", "c", "c", "d", "d"]}, "FRAME_INVALID", "from another source"),
        (LINKS | {"a": [None]}, "FRAME_INVALID", "a has 1 nulls"),
        (LINKS | {"a": ["x@y.org"]}, "KEY_INVALID", "'x@y.org'"),
        (LINKS | {"a": ["email:"]}, "KEY_INVALID", "'email:'"),
        (LINKS | {"b": [":1"]}, "KEY_INVALID", "':1'"),
        (LINKS | {"b": ["User:1"]}, "NAMESPACE_INVALID", "'User'"),
        (LINKS | {"count": [0]}, "FRAME_INVALID", "count"),
        (LINKS | {"count": [None]}, "FRAME_INVALID", "count has 1 nulls"),
        (LINKS | {"count": [1.0]}, "FRAME_INVALID", "count"),
        (LINKS | {"count": ["1"]}, "FRAME_INVALID", "count"),
        (LINKS | {"count": pl.Series([2**63], dtype=pl.UInt64)}, "FRAME_INVALID", "count"),
        (LINKS | {"last_seen": ["now"]}, "FRAME_INVALID", "last_seen is String"),
        (LINKS | {"weight": [float("nan")]}, "FRAME_INVALID", "weights"),
        (pl.LazyFrame(LINKS | {"weight": [0.5]}), "FRAME_INVALID", "weights"),
    ],
)  # fmt: skip
def test_what_is_refused(frame: Any, code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(frame)
    assert caught.value.code == code and words in caught.value.message and caught.value.help


KINDS = (pl.Object, pl.List(pl.Int64), pl.Struct({"a": pl.Int64}), pl.Binary, pl.Duration, pl.Float64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "names",
    [("event", "namespace", "value", "time", "source"), ("a", "b", "count", "first_seen", "last_seen", "source")],
)
def test_a_column_of_nothing_is_of_any_type(names: tuple[str, ...], kind: Any) -> None:
    for one in names:
        table = {name: pl.Series([], dtype=kind if name == one else pl.Null) for name in names}
        assert resolve(table).height == 0


@pytest.mark.parametrize(
    "events",
    [
        pl.Series([1.0, 1.0, 2.0, 2.0, 3.0, 4.0]),
        pl.Series(["x", "x", "y", "y", "z", "w"], dtype=pl.Categorical),
        pl.Series([b"\xff", b"\xff", b"\xfe", b"\xfe", b"", b"x"]),
        pl.Series([dt.date(2026, 1, n) for n in (1, 1, 2, 2, 3, 4)]),
    ],
)
def test_events_are_anything_that_equals_itself(events: pl.Series) -> None:
    assert resolve(SEEN | {"event": events}).rows() == PERSONS


def test_the_one_time_that_is_known_of_a_link_is_both() -> None:
    """Old enough to be expired, as the other was seen a year later."""
    old, new = dt.datetime(2025, 1, 1), dt.datetime(2026, 1, 1)
    times = {"first_seen": [old, None], "last_seen": [None, new]}
    table = pl.DataFrame({"a": ["cookie:1", "cookie:2"], "b": ["user_id:1", "user_id:2"], **times})
    policy = Policy.parse("[namespaces.cookie]\nexpires = '90 days'\n")
    for unit in ("ms", "us", "ns"):
        found = resolve(table.with_columns(pl.col("first_seen", "last_seen").cast(pl.Datetime(unit))), policy)
        assert found["person"].n_unique() == 3
    assert resolve(table.cast({"first_seen": pl.Date, "last_seen": pl.Date}), policy)["person"].n_unique() == 3


SIMILAR = Similarity(("cookie",), ("ip",))
DEFAULT = Policy.default()


def test_rules_of_similarity_may_name_what_has_the_rules_of_any_other() -> None:
    policy = replace(DEFAULT, similarity=(Similarity(("account",), ("flag",), min=0.5, trust=0.9),))
    seen = {
        "event": [1, 1, 2, 2],
        "namespace": ["account", "flag"] * 2,
        "value": ["a-1001", "f-1001", "b-1001", "f-1001"],
    }
    assert resolve(seen, policy)["person"].n_unique() == 1


def test_numbers_of_a_policy_may_be_those_of_numpy() -> None:
    import numpy as np

    for weight in np.linspace(0.1, 0.9, 3):
        policy = replace(
            DEFAULT, min_weight=weight, sources={"crm": weight}, similarity=(replace(SIMILAR, min=weight),)
        )
        assert resolve(LINKS, policy).height == 2


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        (replace(DEFAULT, similarity=(replace(SIMILAR, trust=NAN),)), "similarity.1.trust"),
        (replace(DEFAULT, similarity=(replace(SIMILAR, min=NAN),)), "similarity.1.min"),
        (replace(DEFAULT, similarity=(replace(SIMILAR, trust=5.0),)), "similarity.1.trust"),
        (replace(DEFAULT, similarity=(replace(SIMILAR, top_k=-1),)), "similarity.1.top_k"),
        (replace(DEFAULT, similarity=(replace(SIMILAR, measure="dice"),)), "similarity.1.measure"),
        (replace(DEFAULT, similarity=(replace(SIMILAR, by=()),)), "similarity.1.by"),
        (replace(DEFAULT, min_weight=NAN), "min_weight"),
        (replace(DEFAULT, sources={"crm": NAN}), "sources.crm.trust"),
        (replace(DEFAULT, default_rule=Rule(limit=2**40)), "default.limit"),
        (replace(DEFAULT, default_rule=Rule(limit=0)), "default.limit"),
        (replace(DEFAULT, default_rule=Rule(priority=2**40)), "default.priority"),
        (replace(DEFAULT, default_rule=Rule(hub_cap="x")), "the policy"),  # type: ignore[arg-type]
        (replace(DEFAULT, default_rule=Rule(half_life="x")), "the policy"),  # type: ignore[arg-type]
        (replace(DEFAULT, blocked=Blocked(patterns=("(a",))), "blocked.patterns"),
    ],
)
def test_rules_made_in_python_that_no_file_could_say_are_refused(policy: Policy, key: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: resolve(LINKS, policy),
        lambda: IdentityGraph.open("sqlite:///:memory:", policy),
        lambda: View(policy=policy),
    ]
    for act in acts:
        with pytest.raises(PolicyError) as caught:
            act()
        assert caught.value.code == "POLICY_VALUE" and key in caught.value.message


@pytest.mark.parametrize("policy", ["policy.toml", Path("policy.toml"), {"min_weight": 0.5}])
def test_what_is_no_policy_is_refused(policy: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        resolve(LINKS, policy)
    assert caught.value.code == "POLICY_VALUE" and "Policy.read" in caught.value.help


def test_more_namespaces_than_there_can_be() -> None:
    names = [f"n{n}" for n in range(2**15 + 1)]
    with pytest.raises(InputError, match="32,769 namespaces"):
        resolve({"event": names, "namespace": names, "value": names})


# ---- what it means


def observations(events: list[Event]) -> dict[str, Any]:
    rows = [(e.id, one.namespace, one.value, e.time, e.source) for e in events for one in e.identifiers]
    names = ("event", "namespace", "value", "time", "source")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in names}


def persons(found: pl.DataFrame) -> set[frozenset[Identifier]]:
    groups: dict[int, set[Identifier]] = {}
    for person, namespace, value, pruned in found.rows():
        assert (person is None) == (pruned is not None)
        if person is not None:
            groups.setdefault(person, set()).add(Identifier(namespace, value))
    assert sorted(groups) == list(range(len(groups)))
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=100, deadline=None)
@given(worlds(), policies(), st.randoms(use_true_random=False))
def test_observations_in_any_order_give_the_plain_answer(events: list[Event], policy: Policy, random: Any) -> None:
    events = [one._replace(same_person=()) for one in events]
    frame = pl.DataFrame(observations(events))
    rows = [n for n in range(frame.height) for _ in range(random.randint(1, 2))]  # some of them twice
    random.shuffle(rows)
    found = resolve(frame[rows], policy)
    assert persons(found) == naive(events, policy, shown=persons(found))
    assert found.sort("person", "namespace", "value", nulls_last=True).equals(found)


@pytest.mark.parametrize("order", ["strongest", "newest", "cut"])
@settings(max_examples=100, deadline=None)
@given(worlds(), policies(), st.randoms(use_true_random=False))
def test_equal_tables_have_equal_answers(order: Any, events: list[Event], policy: Policy, random: Any) -> None:
    """Also the numbers of the persons, of whom the one of the smallest identifier comes first."""
    policy = replace(policy, order=order)
    frame = pl.DataFrame(observations([one._replace(same_person=()) for one in events]))
    keys = pl.format("{}:{}", "namespace", "value")
    links = frame.select(a=keys, b=keys.reverse()) if frame.height else pl.DataFrame({"a": [], "b": []})
    for table in (frame, links):
        found = resolve(table, policy)
        firsts = found.drop_nulls("person").unique("person", keep="first", maintain_order=True)
        assert firsts["person"].to_list() == list(range(firsts.height))
        assert firsts.sort("namespace", "value").equals(firsts)
        rows = list(range(table.height))
        random.shuffle(rows)
        assert resolve(table[rows], policy).equals(found)
    turned = links.select(a="b", b="a")
    assert resolve(turned, policy).equals(resolve(links, policy))


@settings(max_examples=100, deadline=None)
@given(worlds(), policies())
def test_links_and_observations_agree(events: list[Event], policy: Policy) -> None:
    events = [one._replace(same_person=()) for one in events if 1 < len(one.identifiers) <= policy.pairwise_up_to]
    counts: Counter[tuple[str, str, str]] = Counter()
    times: dict[tuple[str, str, str], list[int]] = {}
    for event in events:
        for a, b in combinations([one.key for one in event.identifiers], 2):
            counts[b, a, event.source] += 1
            times.setdefault((b, a, event.source), []).append(event.time)
    rows = [(*pair, count, min(times[pair]), max(times[pair])) for pair, count in counts.items()]
    schema = {"a": pl.String, "b": pl.String, "source": pl.String, "count": pl.Int64, "first_seen": pl.Int64}
    links = pl.DataFrame(rows, schema=schema | {"last_seen": pl.Int64}, orient="row")
    found = resolve(links, policy)
    assert persons(found) == naive(events, policy, shown=persons(found))
    same = found.drop("person").sort(pl.all())
    assert resolve(observations(events), policy).drop("person").sort(pl.all()).equals(same)


FREE = Policy.default().without_limits()


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_without_limits_persons_are_components(events: list[Event]) -> None:
    """By the short way and by the long one, which any rule asks for."""
    keys = [[one.key for one in event.identifiers] for event in events]
    pairs = [(own[0], other) for own in keys for other in own]
    links = pl.DataFrame(pairs, schema=["a", "b"], orient="row", schema_overrides={"a": pl.String, "b": pl.String})
    found = resolve(links, FREE)
    assert found.equals(resolve(links, replace(FREE, max_identifiers=2**30)))
    alone = components(links)
    keyed = found.select(pl.format("{}:{}", "namespace", "value").alias("key"), "person")
    both = alone.join(keyed, on="key", validate="1:1")
    assert both.height == alone.height == found.height
    together = both.select("component", "person").n_unique()  # each numbers in an order of its own
    assert together == both["component"].n_unique() == both["person"].n_unique()


def test_components_of_any_texts_without_a_policy() -> None:
    table = {"a": ["x", "null", "y", "z"], "b": ["y", "w", "y", "null"], "count": [0, 0, 0, 0]}
    expected = [("x", 0), ("y", 0), ("null", 1), ("w", 1), ("z", 1)]
    assert components(table).rows() == components(pl.LazyFrame(table)).rows() == expected
    assert components(table).schema == {"key": pl.String, "component": pl.Int64}
    assert components({"a": [17], "b": [18]}).rows() == [("17", 0), ("18", 0)]
    assert components({"a": [], "b": []}).rows() == []
    for bad in ({"x": ["y"]}, {"a": ["x"], "b": [None]}, pl.LazyFrame({"x": ["y"]})):
        with pytest.raises(InputError) as caught:
            components(bad)
        assert caught.value.code == "FRAME_INVALID"


def test_a_lazy_table_is_read_no_further_than_needed(tmp_path: Path) -> None:
    path = tmp_path / "links.parquet"
    pl.DataFrame(LINKS | {"other": ["x"]}).write_parquet(path)
    lazy = pl.scan_parquet(path).with_columns(pl.col("other").cast(pl.Int64, strict=True))
    assert resolve(lazy).height == 2 and components(lazy).height == 2


def test_evidence_before_1970_ages_as_any_other() -> None:
    policy = Policy(min_weight=0.4, default_rule=Rule(trust=1, half_life=DAY))
    old = {"a": ["left:1", "left:2"], "b": ["right:1", "right:2"], "first_seen": [-90 * DAY, -80 * DAY]}
    assert resolve(old, policy)["person"].n_unique() == 3
    assert resolve(old | {"last_seen": [-80 * DAY] * 2}, policy)["person"].n_unique() == 2


# ---- published answers


def long(path: Any, event: str, renamed: dict[str, str], *, own: str = "") -> pl.DataFrame:
    """A row for each value of these columns; `own` is the namespace of the record itself."""
    table = pl.read_csv(path, infer_schema=False).with_row_index("row").with_columns(pl.col(event).alias("own"))
    named = table.rename(renamed).unpivot([*renamed.values(), *(["own"] if own else [])], index="row")
    return named.select(
        event="row", namespace=pl.col("variable").replace("own", own), value="value"
    ).filter(pl.col("value").is_not_null() & (pl.col("value") != ""))  # fmt: skip


def test_retail_has_its_published_components() -> None:
    path = real_file("retail/retail_50k_seed42.csv.gz")
    names = {name: name for name in ("email", "phone", "loyalty_id")}
    found = resolve(long(path, "rec", names, own="record"), FREE)
    records = found.filter(pl.col("namespace") == "record").select(rec="value", person="person")
    assert (records.height, records["person"].n_unique()) == (50_000, 39_822)
    answer = pl.read_csv(path, infer_schema=False).select("rec", "component_min_rec").join(records, on="rec")
    assert answer.select("component_min_rec", "person").n_unique() == 39_822 == answer["component_min_rec"].n_unique()


@pytest.mark.parametrize(
    "columns", [["email"], ["phone"], ["device"], ["address"], ["email", "phone", "device", "address"]]
)
def test_video_accounts_are_300_persons_of_three(columns: list[str]) -> None:
    path = real_file("video_accounts/entity.csv")
    found = resolve(long(path, "id", {name: name for name in columns}, own="account"), FREE)
    accounts = found.filter(pl.col("namespace") == "account").group_by("person").len()
    assert accounts["len"].to_list() == [3] * 300


def test_cookies_of_two_sites_are_one_person_before_and_after_more() -> None:
    folder = real_file("small_identity_graphs")
    names = {"td_client_id": "td_client_id", "td_global_id": "td_global_id"}
    first, more = (long(folder / f, "date", names) for f in ("treasuredata_ex1.csv", "treasuredata_ex5_increment.csv"))
    both = pl.concat([first, more.with_columns(pl.col("event") + 1000)])
    for table, size in ((first, 34), (both, 44)):
        found = resolve(table, FREE)
        assert (found.height, found["person"].n_unique()) == (size, 1)
