"""A store that an earlier version of the program wrote is opened, at once and wholly or not at all."""

from __future__ import annotations

import json
import random
import re
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import StoreError
from identity_graph.model import Identifier
from identity_graph.store import open_store
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.sqlite import migrating
from identity_graph.store.sqlite.migrating import OLDEST, VERSION
from tests.conftest import NIGHTLY
from tests.durability.recording import Call, Cuts
from tests.durability.test_power_loss import recorded
from tests.store.frozen import GONE, KEY, VERSIONS, state
from tests.story.worlds import event, numbered, tell, world_ends

ALL = range(OLDEST, VERSION + 1)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def written(version: int, path: Path) -> Path:
    """As that program left it."""
    database = apsw.Connection(str(path))
    database.execute((VERSIONS / f"sqlite-{version}.sql").read_text(encoding="utf-8"))
    database.close()
    return path


def opened(path: Path) -> IdentityGraph:
    return IdentityGraph.open(f"sqlite:///{path}", clock=world_ends, new_id=numbered("new"))


def tables(path: Path) -> dict[str, Any]:
    """Of each table its columns, and all indexes: what statements see, however it was written."""
    database = apsw.Connection(str(path))
    found: dict[str, Any] = {}
    rows: list[tuple[str, ...]] = list(database.execute("SELECT type, name, tbl_name FROM sqlite_schema"))
    for kind, name, table in rows:
        if kind == "table":
            columns = database.execute(f"PRAGMA table_xinfo({name})").fetchall()
            found[name] = [(*column[:4], *column[5:]) for column in columns]  # a column added later has a default
        elif kind == "index":
            found[name] = (table, database.execute(f"PRAGMA index_xinfo({name})").fetchall())
    database.close()
    return found


@pytest.mark.parametrize("version", ALL)
def test_every_version_opens(version: int, tmp_path: Path) -> None:
    path = written(version, tmp_path / "people.db")
    expected = json.loads((VERSIONS / f"sqlite-{version}.json").read_text())
    with opened(path) as graph:
        found = state(graph)
        assert {"digest": found["digest"], "members": found["members"]} == {
            "digest": expected["digest"],
            "members": expected["members"],
        }
        assert found["counts"].items() >= expected["counts"].items()
        assert graph.store.privacy.tombstoned([Identifier.parse(GONE)]) == [True]
        # It goes on as any other: loads, resolves, restricts and erases.
        tell(graph, [event("more", 9, "email:more@example.org", "cookie:more"), event("gone", 3, GONE)])
        assert graph.people.find_by_identifier([Identifier.parse(GONE)]) == [None]
        (found_,) = graph.people.find_by_identifier([Identifier.parse("email:more@example.org")])
        assert found_ and graph.restrictions.restrict(found_.id)
        preview = graph.forget.preview(found_.id)
        assert preview and graph.forget.erase(preview.token).document["verified"]
        assert graph.digest() == expected["digest"]
        assert graph.resolver.resolve(full=True).message == "nothing changed"


@pytest.mark.parametrize("version", ALL)
def test_its_tables_are_those_of_a_new_store(version: int, tmp_path: Path) -> None:
    """Where this fails the tables were changed: give them another VERSION and a script in migrations/, and freeze a
    store by `python -m tests.store.frozen`."""
    path = written(version, tmp_path / "people.db")
    open_store(f"sqlite:///{path}").close()
    open_store(f"sqlite:///{tmp_path / 'new.db'}").close()
    assert tables(path) == tables(tmp_path / "new.db")


def test_every_version_is_frozen_and_has_a_step() -> None:
    folder = Path(migrating.__file__).parent / "migrations"
    assert sorted(path.name for path in folder.glob("*.sql")) == [f"{n}.sql" for n in range(OLDEST + 1, VERSION + 1)]
    frozen = {int(re.findall(r"\d+", path.name)[0]) for path in VERSIONS.glob("sqlite-*.sql")}
    assert frozen == set(ALL)


@pytest.mark.parametrize("version", [OLDEST - 1, VERSION + 1])
def test_what_is_older_or_newer_is_refused(version: int, tmp_path: Path) -> None:
    path = written(OLDEST, tmp_path / "people.db")
    database = apsw.Connection(str(path))
    database.pragma("user_version", version)
    database.close()
    before = tables(path)
    with pytest.raises(StoreError) as caught:
        opened(path)
    assert caught.value.code == "STORE_VERSION" and f"version {version}" in caught.value.message
    assert tables(path) == before


def test_several_open_it_at_once(tmp_path: Path) -> None:
    path = written(OLDEST, tmp_path / "people.db")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            opened(path).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    with opened(path) as graph:
        assert state(graph)["digest"] == json.loads((VERSIONS / f"sqlite-{OLDEST}.json").read_text())["digest"]


def test_a_step_that_fails_leaves_it_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(OLDEST, tmp_path / "people.db")
    before = tables(path)
    with monkeypatch.context() as patch:
        read, last = migrating.script, f"migrations/{VERSION}"
        patch.setattr(
            migrating, "script", lambda name: read(name) + "CREATE TABLE run (again INTEGER)" * (name == last)
        )
        with pytest.raises(StoreError):
            opened(path)
    assert tables(path) == before
    opened(path).close()
    assert tables(path) != before


def test_the_power_is_cut_in_the_middle(tmp_path: Path) -> None:
    """It is then of the one version or of the other, with all that was in it, and opens."""
    path = written(OLDEST, tmp_path / "people.db")
    expected = json.loads((VERSIONS / f"sqlite-{OLDEST}.json").read_text())["digest"]
    before = tables(path)
    with recorded("full") as recording:
        recording.calls += [Call("write", path.name, 0, path.read_bytes()), Call("sync", path.name)]
        start = len(recording.calls)
        opened(path).close()
    after = tables(path)
    seed = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it
    print(f"seed {seed}")
    dice, cuts = random.Random(seed), Cuts(recording.calls)
    seen = set()
    for number in range(5_000 if NIGHTLY else 150):
        folder = tmp_path / f"cut{number}"
        folder.mkdir()
        cuts.after(dice.randrange(start, len(recording.calls) + 1), dice).write(folder)
        found = tables(folder / path.name)
        assert found in (before, after)
        seen.add(found == after)
        with opened(folder / path.name) as graph:
            assert graph.digest() == expected
        assert tables(folder / path.name) == after
    assert seen == {False, True}
