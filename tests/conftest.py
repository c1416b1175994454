"""The store under test, one parameter per implementation; Neo4j; and a clock that only tests move."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.neo4j.database import emptied
from tests.neo4j.jars import Unavailable
from tests.neo4j.launcher import Neo4j
from tests.story.places import few, place

# One line per store: how a test gets the URL of an empty one.
STORES: dict[str, Callable[[pytest.FixtureRequest], str]] = {
    "sqlite": lambda request: f"sqlite:///{request.getfixturevalue('tmp_path') / 'people.db'}",
    "sqlite-memory": lambda request: "sqlite:///:memory:",
    "neo4j": lambda request: emptied(request.getfixturevalue("neo4j_url")),
}

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
settings.register_profile(
    "nightly", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# As a machine is that runs all tests: neither how long an example takes nor how long it is drawn fails a law.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightly" if NIGHTLY else "busy")

FIXTURE_SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
"""Not checked of a law whose examples share a fixture. What a law names takes the place of what the profile names."""


def law(examples: int) -> settings:
    """For a law over whole worlds: as many examples, the same each time; with HYPOTHESIS_PROFILE=nightly fifty times as
    many, and others each time."""
    return settings(max_examples=examples * (50 if NIGHTLY else 1), deadline=None, derandomize=not NIGHTLY)


MEMORY = Path("/dev/shm")
ROOM = 6 * 2**30  # bytes, for the files of the tests and for their servers


def pytest_configure() -> None:
    """What tests write lies in memory where there is room, unless TMPDIR names a place: every commit waits for a disk,
    and no test can tell whether it did. Cuts of the power are made up from the calls: see `durability.recording`."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and room_in_memory() > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def room_in_memory() -> int:
    available = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return min(shutil.disk_usage(MEMORY).free, int(available[1]) * 1024 if available else 0)


TESTS = Path(__file__).parent
# Files of tests that take longest, the longest first. With several processes each gets whole files: begun at the end, a
# long one would keep one process busy while the others have nothing left.
LONGEST = (
    "story/test_stores_agree.py",
    "story/test_machine.py",
    "story/test_real_data.py",
    "story/test_knobs.py",
    "test_readme.py",
    "durability/test_tracking_kill.py",
    "test_compose.py",
    "store/test_cypher.py",
    "store/test_statements.py",
    "story/test_copy.py",
    "story/test_segments.py",
    "test_wheel.py",
    "story/test_export.py",
    "durability/test_neo4j_kill.py",
    "api/test_stores_answer_alike.py",
    "story/test_engines.py",
    "privacy/test_scrub.py",
    "activation/test_activation.py",
    "durability/test_neo4j_limits.py",
    "durability/test_follow.py",
    "story/test_selecting.py",
    "story/test_resolver.py",
    "api/test_schemathesis.py",
    "story/test_ingest.py",
    "opendsr/test_requests.py",
    "opendsr/test_serving.py",
    "story/test_digest.py",
    "backup/test_backup.py",
    "api/test_operations.py",
    "story/test_explain.py",
    "story/test_retention.py",
    "durability/test_power_loss.py",
    "clients/test_graphiql.py",
    "privacy/test_former.py",
    "cli/test_common.py",
    "api/test_hostile_documents.py",
    "opendsr/test_desk.py",
    "api/test_computed.py",
    "cli/test_backups.py",
    "privacy/test_restrict.py",
    "api/test_plan.py",
    "api/test_hostile.py",
    "neo4j/test_jars.py",
    "access/test_audit.py",
    "story/test_real_quality.py",
    "durability/test_neo4j_processes.py",
    "activation/test_serving.py",
    "access/test_matrix.py",
    "neo4j/test_launcher.py",
    "story/test_oversized.py",
    "story/test_views.py",
    "unit/test_similarity_gds.py",
    "unit/test_frames.py",
    "story/test_moment.py",
    "durability/test_kill.py",
    "story/test_crew.py",
    "durability/test_neo4j_cuts.py",
    "privacy/test_forget.py",
    "privacy/test_counterfactual.py",
    "story/test_order.py",
    "durability/test_neo4j_forget_kill.py",
    "story/test_demo.py",
    "story/test_consent.py",
    "store/test_neo4j_reached.py",
    "story/test_listing.py",
    "api/test_terms.py",
    "api/test_subscriptions.py",
    "story/test_similar.py",
    "story/test_people.py",
    "api/test_http.py",
    "durability/test_calls.py",
    "store/test_erase.py",
    "story/test_remembering.py",
    "story/test_stating.py",
    "story/test_replay.py",
    "store/test_subgraph.py",
    "api/test_federation.py",
    "durability/test_neo4j_opening.py",
    "unit/test_forest.py",
    "activation/test_kill.py",
    "store/test_deadline.py",
    "story/test_explore.py",
    "inputs/test_naughty.py",
    "backup/test_killed.py",
    "security/test_secrets.py",
    "tracking/test_storing.py",
    "cli/test_forget.py",
    "clients/test_typescript.py",
    "store/test_evidence_laws.py",
    "api/test_server.py",
    "api/test_consent.py",
    "cli/test_questions.py",
    "inputs/test_taxonomy.py",
    "api/test_injection.py",
    "activation/test_files.py",
    "api/test_erasure.py",
    "cli/test_data_in.py",
    "privacy/test_forget_batch.py",
    "privacy/test_disclosure.py",
    "privacy/test_resurrection.py",
    "privacy/test_resume.py",
    "durability/test_forget_calls.py",
    "backup/test_sealing.py",
    "store/test_link_table.py",
    "clients/test_watching.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


def soon(holds: Callable[[], bool], within: float = 60.0) -> None:
    """Wait until it holds; the machine may be busy with other things."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


class Clock:
    """2026-01-01T00:00:00Z, and a second more each time a test says so."""

    def __init__(self) -> None:
        self.now = 1_767_225_600_000_000

    def __call__(self) -> int:
        return self.now

    def tick(self, seconds: float = 1.0) -> int:
        self.now += round(seconds * 1_000_000)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session", autouse=True)
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys of tombstones of stores on a server lie in a folder of the user; tests have one of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest) -> str:
    return STORES[request.param](request)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=["sqlite", "neo4j"])
def each_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where `tests.story.worlds.new_graph` puts its graphs: SQLite's memory, then a server."""
    if request.param == "sqlite":
        yield
        return
    with place.on(request.getfixturevalue("neo4j_url")):
        yield


@pytest.fixture
def shared_url(each_store: None, tmp_path: Path) -> str:
    """Of an empty store there that may be opened twice."""
    return place.fresh() if place.server else f"sqlite:///{tmp_path / 'shared.db'}"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Of a law, fewer examples on a server."""
    law = getattr(pyfuncitem.obj, "hypothesis", None)
    if law is None or place.server is None:
        return (yield)
    whole = law.inner_test
    law.inner_test = few(whole)
    try:
        return (yield)
    finally:
        law.inner_test = whole


# Every test empties the database and fills it with something else. By that the server would plan each statement again
# every ten seconds, which took a quarter of the time of the laws that are tried on it; and for lists of one row, of
# ten, of a hundred once each, which took a sixth of the rest.
TESTED = {"dbms.cypher.min_replan_interval": "1h", "internal.cypher.use_parameter_size": "false"}
ELSEWHERE = "IDENTITY_GRAPH_TEST_NEO4J"  # the URL of a server that tests may fill and empty, and leave running


def without_neo4j(reason: str) -> NoReturn:
    """Nobody reads the skips of a CI, so there this fails."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def neo4j_process() -> Iterator[Neo4j]:
    """Started when the first test asks for it, for all of them."""
    if os.environ.get(ELSEWHERE):
        without_neo4j(f"it kills and starts a server of its own, and {ELSEWHERE} names one: unset that")
    try:
        with Neo4j(settings=TESTED) as server:
            yield server
    except Unavailable as error:
        without_neo4j(str(error))


@pytest.fixture
def neo4j_server(neo4j_process: Neo4j) -> Iterator[Neo4j]:
    """The server to kill, stop and start; it runs before and after each test."""
    yield neo4j_process
    if not neo4j_process.running:
        neo4j_process.start()


@pytest.fixture(scope="session")
def neo4j_url(request: pytest.FixtureRequest) -> str:
    """The one database of a server with Graph Data Science; see `tests.neo4j.database.emptied`."""
    return os.environ.get(ELSEWHERE) or str(request.getfixturevalue("neo4j_process").url)
