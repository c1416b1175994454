"""A table that lacks columns that its loader names: never in silence."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pytest

from identity_graph.errors import InputError
from identity_graph.ingest import steps
from identity_graph.loaders import known_loaders, parse_loader, read_loader
from identity_graph.model import RunState
from identity_graph.records import Reader
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.cli.calling import answer, failure, run
from tests.conftest import Clock
from tests.loader_samples import sample_file
from tests.story.ingesting import counts, ingest_into, write

TEXT = (
    'source = "x"\n[event]\nid = "id"\ntime = ["t", "other"]\nname = { value = "Seen" }\n'
    '[identifiers]\nuser_id = "uid"\nemail = ["mail", "mail2"]\n[properties]\nplan = "plan.name"\n"*" = "."\n'
)
WHOLE = {"id": ["1"], "t": ["2026-01-01"], "other": [None], "uid": ["u"], "mail": ["a@x.org"], "mail2": [None]}
WHOLE |= {"plan": ["gold"]}


@pytest.fixture
def store() -> Store:
    return open_store("sqlite:///:memory:")


def table(path: Path, *without: str) -> Path:
    frame = pl.DataFrame({name: column for name, column in WHOLE.items() if name not in without})
    content = io.BytesIO()
    frame.write_parquet(content) if ".parquet" in path.name else frame.write_csv(content)
    return write(path, gzip.compress(content.getvalue()) if path.suffix == ".gz" else content.getvalue())


KINDS = ["x.csv", "x.csv.gz", "x.parquet", "x.parquet.gz"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("without", "key"),
    [(["id"], "event.id from it"), (["t", "other"], "event.time from it"), (["id", "t", "other"], "event.id from it")],
)
def test_no_column_of_ids_or_times(store: Store, tmp_path: Path, name: str, without: list[str], key: str) -> None:
    with pytest.raises(InputError, match=key) as raised:
        ingest_into(store, Clock()).load(parse_loader(TEXT), table(tmp_path / name, *without))
    assert raised.value.code == "SOURCE_COLUMNS"
    assert "uid" in raised.value.help and key.split()[0] in raised.value.help
    (run,) = store.operations.runs()
    assert (run.state, run.read) == (RunState.FAILED, 0)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("without", "said"),
    [
        ([], ""),
        (["t"], "the loader names columns that are not there: t"),
        (["mail", "mail2", "plan", "other"], "the loader names columns that are not there: other, mail, mail2, plan"),
    ],
)
@pytest.mark.parametrize("processes", [0, 1])
def test_another_column_is_named(
    store: Store, tmp_path: Path, name: str, without: list[str], said: str, processes: int
) -> None:
    path = table(tmp_path / name, *without)
    for expected in ((1, 1, 0, 0, 0), (1, 0, 1, 0, 0)):
        ended = ingest_into(store, Clock()).load(parse_loader(TEXT), path, processes=processes)
        assert (counts(ended), ended.message) == (expected, said)
    assert [one.message for one in store.operations.runs()] == [said, said]


def test_a_file_that_is_not_mapped_again(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_graph.ingest.ingest.LARGE", 10)
    path = table(tmp_path / "x.csv", "plan")
    messages = [ingest_into(store, Clock()).load(parse_loader(TEXT), path).message for _ in range(2)]
    assert messages == ["the loader names columns that are not there: plan"] * 2


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_time_that_was_given_stands_in(store: Store, tmp_path: Path, name: str) -> None:
    path = table(tmp_path / name, "t", "other")
    ended = ingest_into(store, Clock()).load(parse_loader(TEXT), path, time=0)
    assert (ended.accepted, ended.message) == (1, "the loader names columns that are not there: t, other")


def test_a_constant_time_and_no_ids(store: Store, tmp_path: Path) -> None:
    loader = parse_loader(TEXT.replace('id = "id"\n', "").replace('["t", "other"]', '{ value = "2026-01-01" }'))
    assert ingest_into(store, Clock()).load(loader, table(tmp_path / "x.csv", "id", "t", "other")).message == ""


def test_a_column_that_only_a_folder_names(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "day=2026-01-01"
    folder.mkdir()
    loader = parse_loader(TEXT.replace('["t", "other"]', '"day"'))
    with pytest.raises(InputError) as raised:
        ingest_into(store, Clock()).load(loader, table(folder / "part-0.parquet"))
    assert raised.value.code == "SOURCE_COLUMNS" and "names of folders" in raised.value.help


def test_a_table_without_a_header(store: Store, tmp_path: Path) -> None:
    loader = parse_loader('format = "csv"\ncsv = { header = ["id", "uid"] }\n' + TEXT)
    with pytest.raises(InputError, match=r"event\.time"):
        ingest_into(store, Clock()).load(loader, write(tmp_path / "x.csv", b"1,u\n"))


@pytest.mark.parametrize("name", known_loaders())
def test_the_samples_have_the_columns_of_their_loaders(name: str) -> None:
    with Reader(sample_file(name), read_loader(name).form) as reader:
        list(reader)
        assert reader.missing == ()


def test_renamed_columns_of_a_crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "BLOCK", 500)
    sample = sample_file("crm").read_text()
    Path("times.csv").write_text(sample.replace("updated_at", "updated", 1))
    Path("mails.csv").write_text(sample.replace(",email", ",mail", 1))
    Path("again.csv").write_text(sample.replace(",email", ",mail", 1).replace("plan", "tariff", 1))
    Path("more.csv").write_text(sample.replace(",email", ",mail", 1) + "\n")
    assert failure("load", "-l", "crm", "times.csv", status=3) == "SOURCE_COLUMNS"
    assert failure("loader", "check", "crm", "--sample", "times.csv", status=3) == "SOURCE_COLUMNS"
    said = run("load", "-l", "crm", "mails.csv", "again.csv", "more.csv").stderr.splitlines()
    assert said[:2] == [
        "mails.csv and 1 more: the loader names columns that are not there: email",
        "again.csv: the loader names columns that are not there: email, plan",
    ]
    named = {Path(one["file"]).name: one["message"] for one in answer("runs", "list")}
    assert named["mails.csv"] == "the loader names columns that are not there: email"
    assert answer("loader", "check", "crm", "--sample", "mails.csv")["sample"]["missing"] == ["email"]
    words = run("loader", "check", "crm", "--sample", "mails.csv").stdout
    assert "mails.csv: the loader names columns that are not there: email\n" in words
