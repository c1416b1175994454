"""Loader files: the grammar and its errors."""

from __future__ import annotations

from pathlib import Path as FilePath

import pytest

from identity_graph.errors import LoaderError
from identity_graph.loaders import known_loaders, read_loader
from identity_graph.loaders.file import parse_file
from tests.unit.test_loaders import LEAST, NOW, record


def test_the_loaders_that_ship() -> None:
    assert known_loaders() == [
        "access_log",
        "app",
        "crm",
        "events",
        "ga4",
        "graphql",
        "loyalty",
        "orders",
        "rudder",
        "segment",
        "shopify_customers",
        "shopify_orders",
        "snowplow",
        "web",
    ]


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
        assert "crm, events, ga4, graphql, loyalty" in raised.value.help


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
        (LEAST.replace('id = "id"', 'id = { path = "id" }'), "LOADER_VALUE", r"line 4: event.id: \{'path': 'id'\}"),
        (
            LEAST.replace('id = "id"', 'id = { path = [], within = "source" }'),
            "LOADER_VALUE",
            r"line 4: event.id: \{'pa",
        ),
        (
            LEAST.replace('id = "id"', 'id = { path = "id", within = "file" }'),
            "LOADER_VALUE",
            r"line 4: event.id.within: 'file'",
        ),
        (
            LEAST.replace('id = "id"', 'id = { path = "id", of = "source" }'),
            "LOADER_KEY",
            r"line 4: event.id.of: no su",
        ),
        (LEAST.replace('id = "id"', "id = [7]"), "LOADER_VALUE", r"line 4: event.id: 7 is not a path"),
        (LEAST.replace("email =", '"E mail" ='), "LOADER_VALUE", r"line 8: identifiers.E mail: 'E mail' is not a na"),
        (LEAST.replace('email = "email"', ""), "LOADER_VALUE", r"line 7: identifiers: names no identifier"),
        (LEAST.replace('"email"', '"."'), "LOADER_VALUE", r"line 8: identifiers.email: takes"),
        (
            LEAST.replace('"email"', '{ path = "email" }'),
            "LOADER_VALUE",
            r"line 8: identifiers.email: \{'path': 'email'\}",
        ),
        (
            LEAST.replace('"email"', '{ path = "email", else = "written" }'),
            "LOADER_KEY",
            r"line 8: identifiers.email.else: no such key",
        ),
        (
            LEAST.replace('"email"', '{ path = "email", otherwise = "phone" }'),
            "LOADER_VALUE",
            r"line 8: identifiers.email.otherwise: 'phone'",
        ),
        (LEAST + 'phone = ["tel", ["x"]]\n', "LOADER_VALUE", r"line 9: identifiers.phone: \['x'\]"),
        (LEAST + '[traits]\na = { path = "a", type = "date" }', "LOADER_VALUE", r"line 10: traits.a.type: 'date'"),
        (LEAST + '[traits]\na = { type = "number" }', "LOADER_VALUE", r"line 10: traits.a: has no path"),
        (LEAST + '[traits]\n"*" = "."', "LOADER_VALUE", r"line 10: traits.\*: takes"),
        ('format = "xml"\n' + LEAST, "LOADER_VALUE", r"line 1: format: 'xml'"),
        ('csv = { delimiter = ";;" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.delimiter: ';;'"),
        ('csv = { encoding = "utf-16" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.encoding: 'utf-16'"),
        ('csv = { encoding = "klingon" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.encoding: 'klingon'"),
        ('csv = { quote = "x" }\n' + LEAST, "LOADER_KEY", r"line 1: csv.quote: no such key"),
        ('csv = { quotes = "no" }\n' + LEAST, "LOADER_VALUE", r"line 1: csv.quotes: 'no'"),
        ("csv = { header = ['a', 'a'] }\n" + LEAST, "LOADER_VALUE", r"line 1: csv.header: is not a list of names"),
        ("csv = { text_mark = '--' }\n" + LEAST, "LOADER_VALUE", r"line 1: csv.text_mark: '--'"),
        ('format = "lines"\n' + LEAST, "LOADER_VALUE", r"lines: goes with the format"),
        ("lines = { pattern = '{a}' }\n" + LEAST, "LOADER_VALUE", r"line 1: lines: goes with the format"),
        (
            "format = 'lines'\nlines = { pattern = '{a}{b}' }\n" + LEAST,
            "LOADER_VALUE",
            r"line 2: lines.pattern: has two fields with nothing between them",
        ),
        (LEAST.replace("time =", 'time_format = "%Q"\ntime ='), "LOADER_VALUE", r"line 5: event.time_format: '%Q'"),
        ('json = "a[].b"\n' + LEAST, "LOADER_VALUE", r"line 1: json: 'a\[\].b' fans out"),
        (LEAST + '[[keyed_lists]]\nlist = "a"\nkey = "k"', "LOADER_VALUE", r"keyed_lists.value: names no path"),
        (LEAST + '[[keyed_lists]]\nkey = "k"\nvalue = "v"', "LOADER_VALUE", r"keyed_lists.list: is not one path"),
        ("csv = 7\n" + LEAST, "LOADER_VALUE", r"line 1: csv: 7 is not a table"),
        ('phone_region = "USA"\n' + LEAST, "LOADER_VALUE", r"line 1: phone_region: 'USA'"),
        ('phone_region = "XX"\n' + LEAST, "LOADER_VALUE", r"line 1: phone_region: 'XX'"),
        ('\nphone_region = "UK"\n' + LEAST, "LOADER_VALUE", r"line 2: phone_region: 'UK'"),
        ('phone_region = "001"\n' + LEAST, "LOADER_VALUE", r"line 1: phone_region: '001'"),
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


@pytest.mark.parametrize("region", ["US", "gb", "De", "AC"])
def test_regions_of_phone_numbers(region: str) -> None:
    assert parse_file(f'phone_region = "{region}"\n' + LEAST).phone_region == region.upper()


def test_a_region_without_numbers_is_told_what_is_allowed() -> None:
    with pytest.raises(LoaderError) as raised:
        parse_file('phone_region = "UK"\n' + LEAST)
    assert {"US", "GB", "DE"} <= set(raised.value.help.replace(",", " ").replace(".", " ").split())
    assert "UK" not in raised.value.help


def test_a_file_that_is_not_text(tmp_path: FilePath) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LoaderError) as raised:
        read_loader(path)
    assert raised.value.code == "LOADER_SYNTAX"
