"""Every shipped loader against its sample: what is expected comes out, every path is used, and nothing is lost."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from identity_graph.errors import InputError
from identity_graph.files import data_folder
from identity_graph.loaders import event_view, known_loaders, read_loader
from tests.loader_samples import NOW, SAMPLES, expected_file, outcome, records, sample_file


def test_every_loader_has_a_sample_and_every_sample_a_loader() -> None:
    for name in known_loaders():
        assert sample_file(name).is_file() and expected_file(name).is_file()
    assert sorted({path.name.partition(".")[0] for path in SAMPLES.iterdir()}) == known_loaders()
    assert len(list(SAMPLES.iterdir())) == 2 * len(known_loaders())


@pytest.mark.parametrize("name", known_loaders())
def test_a_sample_becomes_what_is_expected(name: str) -> None:
    expected = [orjson.loads(line) for line in expected_file(name).read_bytes().splitlines()]
    assert list(outcome(name)) == expected


def like_another(name: str) -> bool:
    return "like" in tomllib.loads((data_folder("loaders") / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in known_loaders() if not like_another(name)])
def test_the_sample_has_a_value_at_every_path_of_the_loader(name: str) -> None:
    file = read_loader(name).file
    paths = [*file.taken(), *file.trait_objects, *file.property_objects]
    paths += [path for field in file.properties for path in field.paths]
    paths += [path for rule in file.not_the_person for path in rule.paths]
    values = records(name)
    assert [path.text for path in paths if path.steps and not any(path.every()(value) for value in values)] == []


@pytest.mark.parametrize("name", known_loaders())
def test_nothing_of_a_sample_is_lost(name: str) -> None:
    """Every value of a record is in its event, but for times that did not become the event's."""
    loader = read_loader(name)
    for value in records(name):
        try:
            found = event_view(loader.event(value, received=NOW, fallback_time=NOW))
        except InputError:
            continue
        kept = {str(leaf) for leaf in leaves(found)} | {key.partition(":")[2] for key in found["identifiers"]}
        kept.add(found["id"].removeprefix(f"{found['source']}:"))
        passed_over = {str(path.one()(value)) for path in loader.file.time}
        for leaf in leaves(value):
            forms = {str(leaf), str(leaf).lower(), re.sub(r"[ -]", "", str(leaf)).upper(), number(str(leaf))}
            forms |= {"+" + re.sub(r"\D", "", str(leaf)), "+1" + re.sub(r"\D", "", str(leaf))}
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
