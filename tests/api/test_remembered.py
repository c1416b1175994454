"""What is remembered between requests is what the store says, until anybody writes to it; then nothing of it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.api import supply as supplies
from identity_graph.api.supply import Remembered, Supply
from identity_graph.model import Event, Identifier
from identity_graph.times import parse_time
from tests.api.conftest import ANN, CAROL, DAY, Api, email_of, event, operation_text
from tests.api.test_plan import Ways
from tests.conftest import Clock

PLANNED: dict[str, dict[str, Any]] = {
    "person": {"by": email_of(ANN)},
    "person_by_email": {"email": ANN},
    "people": {"by": [email_of(ANN), {"id": "nobody"}, email_of(CAROL)]},
    "profile": {"by": email_of(ANN)},
    "journey": {"by": email_of(ANN)},
    "sessions": {"by": email_of(ANN)},
    "links": {"by": email_of(ANN)},
    "segments": {},
}
PLAN = f'{{ person(by: {{identifier: {{namespace: "email", value: "{ANN}"}}}}) {{ profile {{ values }} updatedAt }} }}'


@pytest.mark.parametrize("name", PLANNED)
def test_everyday_operations_have_plans_and_are_remembered(api: Api, name: str) -> None:
    text, variables = operation_text(name), PLANNED[name]
    ways = Ways(api)
    first = ways.short(text, variables)
    assert first is not None
    heard: list[str] = []
    with api.graph.store.trace(heard.append):
        again = ways.short(text, variables)
    assert again == first == ways.general(text, variables).data
    assert heard == [] or name == "segments"


def test_one_role_is_never_shown_what_another_one_was(api: Api) -> None:
    ways = Ways(api)
    by = {"id": api.person_id(ANN)}
    query = "query ($by: PersonBy!) { person(by: $by) { key identifiers { identifier { key value } } } }"
    open_, veiled = (ways.short(query, {"by": by}, veiled=role) for role in (False, True))
    assert open_ and veiled and ANN in str(open_) and ANN not in str(veiled)
    assert ways.short(query, {"by": by}) == open_
    assert ways.short(query, {"by": by}, veiled=True) == veiled == ways.general(query, {"by": by}, veiled=True).data


def test_what_anybody_writes_is_seen_at_once(api: Api, tmp_path: Path) -> None:
    """By the service itself, and by another process beside it."""

    def plan() -> Any:
        return api.ask(PLAN)["person"]["profile"]["values"]["plan"]

    assert plan() == plan() == "pro"
    api.run(
        "ingest", events=[event("w1", "2025-12-28T10:00:00Z", "crm", "Changed", {"user_id": "u1"}, {"plan": "gold"})]
    )
    assert plan() == "gold"
    with IdentityGraph.open(f"sqlite:///{tmp_path / 'people.db'}") as other:
        time = parse_time("2025-12-29T10:00:00Z")
        other.ingest.events(
            [Event("w2", time, "crm", "Changed", (Identifier("user_id", "u1"),), {"plan": "silver"}, {})]
        )
    assert plan() == "silver"
    api.run("erase", token=api.run("preview_erasure", by=email_of(ANN))["previewErasure"]["token"])
    assert api.ask(PLAN) == {"person": None}


def test_what_was_read_while_somebody_wrote_is_not_remembered(api: Api) -> None:
    remembered = Remembered(api.graph.store)
    version, known = remembered.now()
    assert version is not None
    supply = Supply(known, None)
    supply.found["segments"]["vip"] = None
    assert remembered.keep(version, known, supply) and "vip" in remembered.now()[1]["segments"]
    api.run("ingest", events=[event("w3", "2025-12-28T10:00:00Z", "crm", "Changed", {"user_id": "u1"})])
    assert not remembered.keep(version, known, supply)
    assert not any(remembered.now()[1].values())


def test_what_the_clock_decides_is_computed_anew(api: Api, clock: Clock) -> None:
    """Also where the same was asked before in the same request, so that nothing had to be read for it."""
    recent = {"names": ["Order Completed"], "measure": "DAYS_SINCE"}
    api.run("save_computed_trait", name="quiet", definition=recent)
    ways = Ways(api)
    both = "a: person(by: $by) { computedTraits { value } } b: person(by: $by) { id computedTraits { value } }"
    query = f"query ($by: PersonBy!) {{ {both} }}"
    seen = []
    for _ in range(2):
        found = ways.short(query, {"by": email_of(ANN)})
        assert found == ways.general(query, {"by": email_of(ANN)}).data
        seen.append(found)
        clock.tick(30 * DAY)
    assert seen[0] != seen[1]


def test_no_more_is_remembered_than_there_is_room_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplies, "ROWS", 50)
    ways = Ways(api)
    for first in range(1, 30):
        query = PLAN.replace("updatedAt", f"journey(first: {first}) {{ nodes {{ id }} }}")
        assert ways.short(query, {}) == ways.general(query, {}).data
        assert ways.quick._remembered._rows < 100
