"""While a server runs, destinations follow what is published, and a slow one holds nobody up."""

from __future__ import annotations

from functools import partial

from starlette.testclient import TestClient

from identity_graph.api import create_app
from tests import conftest
from tests.activation.conftest import Town, pros
from tests.activation.receiver import hangs

soon = partial(conftest.soon, within=120.0)


def test_destinations_follow(town: Town) -> None:
    town.tell(pros(1))
    file = town.folder / "pros.jsonl"
    hook = {"segment": "pros", "url": town.receiver.url, "secret_env": "HOOK_SECRET", "first_wait": 0.01}
    town.graph.activation = town.destinations(
        hook=hook,
        slow=hook | {"timeout": 2, "attempts": 1},
        file={"segment": "pros", "file": "pros.jsonl", "identifiers": ["email"]},
        asked={"segment": "pros", "file": "asked.jsonl", "on_publication": False},
    )
    town.receiver.next.append(hangs)  # one of the two hooks
    with TestClient(create_app(town.graph)) as client:
        soon(lambda: file.exists() and "u1@" in file.read_text())
        soon(lambda: f"MEMBER {town.id(1)}" in town.receiver.told())
        town.tell([*pros(2), *pros(1, plan="free", minute=1)])
        soon(lambda: {f"ENTERED {town.id(2)}", f"LEFT {town.id(1)}"} <= set(town.receiver.told()))
        soon(lambda: "u2@" in file.read_text() and "u1@" not in file.read_text())
        erased = town.id(2)
        town.forget(2)
        soon(lambda: f"ERASED {erased}" in town.receiver.told())
        soon(lambda: "u2@" not in file.read_text())
        town.receiver.default = 503
        town.tell(pros(3))
        soon(lambda: 'destination_failing{destination="slow"} 1.0' in client.get("/metrics").text)
        assert 'destination_failing{destination="file"} 0.0' in client.get("/metrics").text
    assert not (town.folder / "asked.jsonl").exists()
