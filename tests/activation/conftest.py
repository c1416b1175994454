"""A town with a segment of those on the plan `pro`, a receiver, and destinations of both kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.activation import Activation
from identity_graph.model import Event
from identity_graph.policy import Policy
from identity_graph.times import now
from identity_graph.uuid7 import uuid7
from tests.activation.receiver import SECRET, Receiver, receiving
from tests.story.worlds import event, new_graph, tell

PRO = {"trait": {"name": "plan", "is": {"equals": "pro"}}}


def pros(*numbers: int, plan: str = "pro", minute: float = 0) -> list[Event]:
    """An event of each, which puts it on the plan."""
    return [
        event(
            f"{plan}{n}-{minute}",
            minute + n / 1000,
            f"user_id:u{n:04}",
            f"email:u{n}@example.org",
            traits={"plan": plan},
        )
        for n in numbers
    ]


@dataclass
class Town:
    graph: IdentityGraph
    receiver: Receiver
    folder: Path

    def destinations(self, **tables: dict[str, Any]) -> Activation:
        """Of the file with these tables."""
        path = self.folder / "destinations.toml"
        lines = []
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
        path.write_text("\n".join(lines))
        return Activation(self.graph.store, self.graph.people, self.graph.allowed, self.graph.clock, uuid7, path)

    def hook(self, **more: Any) -> Activation:
        """One destination, `hook`, that does not wait long."""
        table = {"segment": "pros", "url": self.receiver.url, "secret_env": "HOOK_SECRET", "first_wait": 0.001}
        return self.destinations(hook=table | {"timeout": 30, "attempts": 3} | more)

    def id(self, number: int) -> str:
        (found,) = self.graph.people.find_by_identifier([event("", 0, f"user_id:u{number:04}").identifiers[0]])
        assert found
        return found.id

    def tell(self, events: Sequence[Event]) -> None:
        tell(self.graph, events)

    def forget(self, number: int) -> None:
        preview = self.graph.forget.preview(self.id(number))
        assert preview
        self.graph.forget.erase(preview.token)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float | list) else f'"{value}"'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def town(each_store: None, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with new_graph(Policy.parse("[purposes.ads]"), clock=now) as graph:
        graph.segments.save("pros", "", PRO)
        yield Town(graph, receiver, tmp_path)
