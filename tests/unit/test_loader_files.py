"""Loader files: the grammar, its errors, and every shipped loader against its sample."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest

from identity_graph.errors import LoaderError
from identity_graph.files import data_folder
from identity_graph.loaders import known_loaders, read_loader
from identity_graph.model import Event
from identity_graph.times import format_time
from tests.unit.test_loaders import LEAST, NOW, record

# ---- shipped loaders ----------------------------------------------------------------------------------------------


def sample_file(name: str) -> FilePath:
    (path,) = [p for p in (data_folder("loaders") / "samples").glob(f"{name}.*") if p.suffix in (".jsonl", ".csv")]
    return path


def sample(name: str) -> list[Any]:
    path = sample_file(name)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shown(found: Event) -> dict[str, Any]:
    return {
        "id": found.id,
        "time": format_time(found.time),
        "source": found.source,
        "name": found.name,
        "identifiers": [identifier.key for identifier in found.identifiers],
        "traits": found.traits,
        "properties": found.properties,
        "same_person": [[a.key, b.key] for a, b in found.same_person],
    }


def test_the_loaders_that_ship() -> None:
    assert known_loaders() == ["app", "crm", "events", "graphql", "loyalty", "orders", "segment", "web"]


@pytest.mark.parametrize("name", known_loaders())
def test_sample(name: str) -> None:
    loader = read_loader(name)
    expected = sample_file(name).with_name(f"{name}.expected.json")
    found = [shown(loader.event(value, received=NOW)) for value in sample(name)]
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(known_loaders()) - {"web", "app"}))
def test_the_sample_has_a_value_at_every_path_of_the_loader(name: str) -> None:
    file = read_loader(name).file
    paths = [*file.taken(), *file.trait_objects, *file.property_objects]
    paths += [path for field in file.properties for path in field.paths]
    paths += [path for rule in file.not_the_person for path in rule.paths]
    values = sample(name)
    assert [path.text for path in paths if path.steps and not any(path.every()(value) for value in values)] == []


@pytest.mark.parametrize("name", known_loaders())
def test_nothing_of_a_sample_is_lost(name: str) -> None:
    """Every value of a record is in its event, but for times that did not become the event's."""
    loader = read_loader(name)
    for value in sample(name):
        found = shown(loader.event(value, received=NOW))
        kept = {str(leaf) for leaf in leaves(found)} | {key.partition(":")[2] for key in found["identifiers"]}
        passed_over = {str(path.one()(value)) for path in loader.file.time}
        for leaf in leaves(value):
            forms = {str(leaf), str(leaf).lower(), re.sub(r"[ -]", "", str(leaf)).upper(), number(str(leaf))}
            forms |= {"+1" + re.sub(r"\D", "", str(leaf))}
            assert leaf in (None, "") or forms & kept or str(leaf) in passed_over | stated_namespaces(found), leaf


def stated_namespaces(found: dict[str, Any]) -> set[str]:
    return {key.partition(":")[0] for key in found["identifiers"]}


def number(text: str) -> str:
    return str(float(text)) if re.fullmatch(r"\d+\.\d+", text) else text


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_a_loader_file_of_ones_own(tmp_path: FilePath) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(LEAST, encoding="utf-8")
    for reference in (path, str(path)):
        loader = read_loader(reference)
        assert (loader.name, loader.source, loader.reference) == ("shop", "shop", str(path.resolve()))
        assert read_loader(loader.reference).file == loader.file


def test_a_loader_like_another(tmp_path: FilePath) -> None:
    (tmp_path / "one.toml").write_text(LEAST, encoding="utf-8")
    two = tmp_path / "two.toml"
    two.write_text('source = "two"\nlike = "one"\n[identifiers]\nphone = "tel"\n', encoding="utf-8")
    found = read_loader(two).event(record(tel="+12025550143"), received=NOW)
    assert (found.source, [i.key for i in found.identifiers]) == ("two", ["phone:+12025550143"])
    assert read_loader(two).file.digest != read_loader(tmp_path / "one.toml").file.digest
    three = tmp_path / "three.toml"
    three.write_text('source = "three"\nlike = "two"\n', encoding="utf-8")
    with pytest.raises(LoaderError, match=r"three.toml, line 2: like: two is itself like another"):
        read_loader(three)


# ---- errors of the file -------------------------------------------------------------------------------------------


def test_unknown_loaders_list_the_known(tmp_path: FilePath) -> None:
    for name in ("crmm", str(tmp_path / "gone.toml"), tmp_path / "gone", "../crm"):
        with pytest.raises(LoaderError) as raised:
            read_loader(name)
        assert raised.value.code == "LOADER_UNKNOWN"
        assert "crm, events, graphql, loyalty" in raised.value.help


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("source = \n", "LOADER_SYNTAX", r"shop.toml: .*line 1"),
        (LEAST + "[trait]\n", "LOADER_KEY", r"shop.toml, line 9: trait: no such key"),
        (LEAST.replace("id =", "idd ="), "LOADER_KEY", r"line 4: event.idd: no such key"),
        (LEAST.replace('source = "shop"\n', ""), "LOADER_VALUE", r"shop.toml: source: left out"),
        (LEAST.replace('"shop"', "7"), "LOADER_VALUE", r"line 2: source: 7"),
        (LEAST.replace('{ value = "Seen" }', '{ valu = "Seen" }'), "LOADER_KEY", r"line 6: event.name.valu"),
        (LEAST.replace('{ value = "Seen" }', "{ value = 7 }"), "LOADER_VALUE", r"line 6: event.name: 7"),
        (LEAST.replace('name = { value = "Seen" }', ""), "LOADER_VALUE", r"line 3: event.name: left out"),
        (LEAST.replace('time = "time"', 'time = { value = "soon" }'), "LOADER_VALUE", r"line 5: event.time: 'soon'"),
        (LEAST.replace('"time"', '"a..b"'), "LOADER_VALUE", r"line 5: event.time: 'a..b': not a path at character 3"),
        (LEAST.replace('id = "id"', 'id = "ids[]"'), "LOADER_VALUE", r"line 4: event.id: 'ids\[\]' fans out"),
        (LEAST.replace('id = "id"', "id = [7]"), "LOADER_VALUE", r"line 4: event.id: 7 is not a path"),
        (LEAST.replace("email =", '"E mail" ='), "LOADER_VALUE", r"line 8: identifiers.E mail: 'E mail' is not a na"),
        (LEAST.replace('email = "email"', ""), "LOADER_VALUE", r"line 7: identifiers: names no identifier"),
        (LEAST.replace('"email"', '"."'), "LOADER_VALUE", r"line 8: identifiers.email: takes"),
        (LEAST + 'phone = ["tel", ["x"]]\n', "LOADER_VALUE", r"line 9: identifiers.phone: \['x'\]"),
        (LEAST + '[traits]\na = { path = "a", type = "date" }', "LOADER_VALUE", r"line 10: traits.a.type: 'date'"),
        (LEAST + '[traits]\na = { type = "number" }', "LOADER_VALUE", r"line 10: traits.a: has no path"),
        (LEAST + '[traits]\n"*" = "."', "LOADER_VALUE", r"line 10: traits.\*: takes"),
        ('format = "xml"\n' + LEAST, "LOADER_VALUE", r"line 1: format: 'xml'"),
        ('csv = { delimiter = ";;" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.delimiter: ';;'"),
        ('csv = { encoding = "utf-16" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.encoding: 'utf-16'"),
        ('csv = { encoding = "klingon" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.encoding: 'klingon'"),
        ('csv = { quote = "x" }\n' + LEAST, "LOADER_KEY", r"line 1: csv.quote: no such key"),
        ("csv = 7\n" + LEAST, "LOADER_VALUE", r"line 1: csv: 7 is not a table"),
        ('phone_region = "USA"\n' + LEAST, "LOADER_VALUE", r"line 1: phone_region: 'USA'"),
        (LEAST.replace('time = "time"', 'time = "time"\ntime_unit = "h"'), "LOADER_VALUE", r"line 6: event.time_unit"),
        ('like = "nobody"\n' + LEAST, "LOADER_UNKNOWN", r"nobody"),
        (
            LEAST + '[[identifier_pairs]]\nnamespace = "a[].t"\nvalue = "b[].v"',
            "LOADER_VALUE",
            r"line 11: identifier_pairs.value: a\[\].t and b\[\].v do not fan out over one list",
        ),
        (LEAST + '[[identifier_pairs]]\nnamespace = "t"', "LOADER_VALUE", r"identifier_pairs.value: is not one path"),
        (
            LEAST + "[[same_person]]\nwhen = { a = 1, b = 2 }\n"
            'a = { namespace = "user_id", value = "u" }\nb = { namespace = "user_id", value = "p" }',
            "LOADER_VALUE",
            r"line 10: same_person.when: has 2 fields",
        ),
        (LEAST + '[[same_person]]\na = { value = "u" }', "LOADER_VALUE", r"line 10: same_person.a: None is not a name"),
        (LEAST + "[same_person]\n", "LOADER_VALUE", r"line 9: same_person: is not a list of tables"),
        (
            LEAST + '[[not_the_person]]\nwhen = { type = "group" }',
            "LOADER_VALUE",
            r"line 9: not_the_person.paths: names no path",
        ),
        (
            LEAST + '[[not_the_person]]\nwhen = { type = 1.5 }\npaths = "a"',
            "LOADER_VALUE",
            r"line 10: not_the_person.when: 1.5",
        ),
    ],
)
def test_file_errors(tmp_path: FilePath, text: str, code: str, message: str) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LoaderError, match=message) as raised:
        read_loader(path)
    assert raised.value.code == code
    assert raised.value.help


def test_a_file_that_is_not_text(tmp_path: FilePath) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LoaderError) as raised:
        read_loader(path)
    assert raised.value.code == "LOADER_SYNTAX"
