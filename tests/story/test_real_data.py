"""Real files that this project did not write: every record is accounted for, and the published answers come out."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from identity_graph.loaders import read_loader
from identity_graph.model import Run
from identity_graph.store.protocols import Store
from tests.conftest import Clock
from tests.story.ingesting import counts, ingest_into, jsonl, quarantine

HERE = Path(__file__).parents[2]
DATA = Path(os.environ.get("IDENTITY_GRAPH_TEST_DATA") or HERE.parent / "shared" / "data")
LOADERS = Path(__file__).parent / "loaders"


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is missing: put the test data there, or its folder into IDENTITY_GRAPH_TEST_DATA")
    return path


def loaded(store: Store, loader: str | Path, *files: Path) -> list[Run]:
    ingest = ingest_into(store, Clock())
    return [ingest.load(read_loader(loader), file, time=0, batch=1000) for file in files]


def codes(store: Store) -> Counter[str]:
    return Counter(record.code for record in quarantine(store))


def components(store: Store) -> list[set[int]]:
    """Of identifiers that one event saw, by networkx."""
    seen = store.evidence.observation_table()
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_edges_from(zip((-1 - seen.event).tolist(), seen.identifier.tolist(), strict=True))
    return [{node for node in found if node >= 0} for found in nx.connected_components(graph)]


def sizes(store: Store, namespace: str) -> list[int]:
    """How many identifiers of a namespace each component has, largest first."""
    table, _ = store.evidence.identifier_table()
    wanted = table.namespaces.index(namespace)
    mine = set(table.number[table.namespace == wanted].tolist())
    return sorted((len(found & mine) for found in components(store)), reverse=True)


# ---- RudderStack's and Segment's messages -------------------------------------------------------------------------


NOBODY = ("NO_IDENTIFIER", "IDENTIFIER_EMPTY")


def rudder_messages() -> list[dict[str, Any]]:
    lines = data("rudder_events/events_dev.ndjson").read_bytes().splitlines()
    return [json.loads(line)["message"] for line in lines]


def test_every_rudder_message_is_stored_or_has_a_reason(store: Store) -> None:
    file = data("rudder_events/events_dev.ndjson")
    (run,) = loaded(store, LOADERS / "rudder.toml", file)
    read, accepted, duplicate, quarantined, suppressed = counts(run)
    assert (read, duplicate, suppressed) == (1434, 0, 0)
    assert accepted == store.operations.counts()["events"]
    reasons = codes(store)
    assert reasons.total() == quarantined
    others = {"NO_IDENTIFIER": 159, "IDENTIFIER_EMPTY": 8, "TS_INVALID": 26, "EVENT_NAME_INVALID": 4}
    assert others == {code: n for code, n in reasons.items() if not code.startswith(("PHONE_", "EMAIL_", "VALUE_"))}
    # Nobody is named by what plain code finds to be empty, and only by that.
    unnamed = {n for n, message in enumerate(rudder_messages()) if not names_somebody(message)}
    refused = {record.line - 1: record.code for record in quarantine(store)}
    assert {n for n, code in refused.items() if code in NOBODY} == {
        n for n in unnamed if refused.get(n) not in ("TS_INVALID", "EVENT_NAME_INVALID")
    }
    again = loaded(store, LOADERS / "rudder.toml", file)
    assert counts(again[0]) == (1434, 0, accepted, quarantined, 0)


def names_somebody(message: dict[str, Any]) -> bool:
    context = message.get("context") or {}
    traits = {} if message.get("type") == "group" else message.get("traits") or {}
    found: list[Any] = [message.get("userId"), message.get("anonymousId"), context.get("ip")]
    device = context.get("device") or {}
    found += [device.get("id"), device.get("advertisingId")]
    for place in (traits, context.get("traits"), message.get("properties")):
        found += [place.get("email"), place.get("phone")] if isinstance(place, dict) else []
    if message.get("type") == "alias":
        found.append(message.get("userId") and message.get("previousId"))
    return any(value is not None and str(value).strip() for value in found)


def test_rudder_messages_as_they_are_sent(store: Store, tmp_path: Path) -> None:
    """Under their own ids, which copied examples share: the first of an id is stored, another body set aside."""
    path = tmp_path / "rudder.jsonl"
    path.write_bytes(jsonl(*rudder_messages()))
    (run,) = loaded(store, "segment", path)
    read, accepted, duplicate, quarantined, _ = counts(run)
    assert read == 1434
    assert accepted + duplicate + codes(store)["ID_REUSE"] + (quarantined - codes(store)["ID_REUSE"]) == 1434
    ids = {message.get("messageId") for message in rudder_messages()} - {None}
    assert codes(store)["ID_REUSE"] > 400
    assert accepted > len(ids) / 2
    assert sum(codes(store)[code] for code in NOBODY) == 167


def test_payloads_of_the_segment_documentation(store: Store, tmp_path: Path) -> None:
    lines = data("segment_payloads/payloads.ndjson").read_bytes().splitlines()
    path = tmp_path / "payloads.jsonl"
    path.write_bytes(jsonl(*(json.loads(line)["message"] for line in lines)))
    (run,) = loaded(store, "segment", path)
    assert counts(run) == (82, 67, 0, 15, 0)
    # Answers of an API rather than events, examples cut to one call without a user, copies under one message id, and
    # a phone number that does not say its country.
    assert codes(store) == {"EVENT_NAME_MISSING": 5, "NO_IDENTIFIER": 4, "ID_REUSE": 5, "PHONE_NO_COUNTRY": 1}
    aliases = [row for row in store.evidence.events([record.id for record in events_of(path)]) if row]
    assert any(row.event.same_person for row in aliases)


def events_of(path: Path) -> list[Any]:
    loader = read_loader("segment")
    messages = [json.loads(line) for line in path.read_bytes().splitlines()]
    aliases = [message for message in messages if message.get("type") == "alias"]
    assert aliases
    return [loader.event(message, received=2**60, fallback_time=0) for message in aliases]


def test_payloads_that_are_not_json_as_printed(store: Store, tmp_path: Path) -> None:
    lines = data("segment_payloads/not_json_as_printed.ndjson").read_bytes().splitlines()
    path = tmp_path / "payloads.jsonl"
    path.write_text("\n".join(json.loads(line)["raw"].replace("\n", " ") for line in lines), encoding="utf-8")
    (run,) = loaded(store, "segment", path)
    assert counts(run) == (13, 0, 0, 13, 0)
    assert codes(store) == {"NOT_JSON": 13}


# ---- published answers --------------------------------------------------------------------------------------------


def test_retail(store: Store) -> None:
    file = data("retail/retail_50k_seed42.csv.gz")
    answer = json.loads(data("retail/retail_50k_seed42.reference.json").read_bytes())
    (run,) = loaded(store, LOADERS / "retail.toml", file)
    assert counts(run) == (50_000, 50_000, 0, 0, 0)
    found = sizes(store, "record")
    assert len(found) == answer["components_email_phone_loyalty"] == 39_822
    assert (found[0], found.count(1), sum(found)) == (answer["largest"], answer["singletons"], 50_000)


def test_video_accounts_and_plays(store: Store) -> None:
    accounts, plays = data("video_accounts/entity.csv"), data("video_accounts/video_play.csv")
    (run,) = loaded(store, LOADERS / "video_accounts.toml", accounts)
    assert counts(run) == (900, 900, 0, 0, 0)
    assert sizes(store, "account") == [3] * 300
    (run,) = loaded(store, LOADERS / "video_plays.toml", plays)
    # Nine times a row holds the names of the columns again: those are no plays.
    assert counts(run) == (10_009, 10_000, 0, 9, 0)
    assert codes(store) == {"TS_INVALID": 9}
    assert all(b",account,video,play_date" in record.record.partition(b"\n")[2] for record in quarantine(store))
    assert sizes(store, "account") == [3] * 300


def test_cookies_of_two_sites(store: Store) -> None:
    folder = data("small_identity_graphs")
    first, second = folder / "treasuredata_ex1.csv", folder / "treasuredata_ex5_increment.csv"
    empty = sum(line.endswith(",,") for line in first.read_text(encoding="utf-8").splitlines())
    (run,) = loaded(store, LOADERS / "treasuredata.toml", first)
    assert counts(run) == (72, 72 - empty, 0, empty, 0)
    assert [len(found) for found in components(store)] == [34]
    loaded(store, LOADERS / "treasuredata.toml", second)
    assert [len(found) for found in components(store)] == [44]


def test_edges_whose_ends_name_their_namespace(store: Store) -> None:
    (run,) = loaded(store, LOADERS / "edges.toml", data("small_identity_graphs/danafholmes_idr_test.csv"))
    assert counts(run) == (9, 9, 0, 0, 0)
    assert len(components(store)) == 2


def test_cookie_sessions(store: Store, tmp_path: Path) -> None:
    file = data("small_identity_graphs/snypher_cookie_data_full.csv")
    packed = tmp_path / "sessions.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    first, second = loaded(store, LOADERS / "cookie_sessions.toml", file, packed)
    assert counts(first) == (25_011, 25_011, 0, 0, 0)
    assert counts(second) == (25_011, 0, 25_011, 0, 0)
