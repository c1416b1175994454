"""Work that was done, and records that were set aside by it."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.node import Node, quarantine_id
from identity_graph.api.reason import Reason
from identity_graph.api.scalars import DateTime

strawberry.enum(model.RunState)


@strawberry.type(
    description="One load or resolution. Of a load: read = accepted + duplicate + quarantined + suppressed."
)
class Run(Node):
    id: strawberry.ID
    kind: str
    state: model.RunState
    started: DateTime = strawberry.field(name="startedAt")
    ended: DateTime | None = strawberry.field(name="endedAt")
    read: int
    accepted: int
    duplicate: int
    quarantined: int
    suppressed: int
    fingerprint: str | None = strawberry.field(description="By which an interrupted load is found again.")
    progress: float | None = strawberry.field(description="How much is done, 0..1; null where nobody knows.")
    rate: float | None = strawberry.field(description="Records a second, interruptions included.")
    normaliser: int = strawberry.field(description="The version of what made values canonical.")

    @classmethod
    def is_type_of(cls, found: Any, _info: Any) -> bool:
        return isinstance(found, model.Run)

    @strawberry.field
    def source(run: Parent[model.Run]) -> str | None:
        return run.source or None

    @strawberry.field
    def message(run: Parent[model.Run]) -> str | None:
        return run.message or None

    @strawberry.field
    def loader(run: Parent[model.Run]) -> str | None:
        return run.loader or None

    @field(str | None, "As it was named; `-` is standard input.")
    def file(run: Parent[model.Run]) -> str | None:
        return run.file or None

    @field(str | None, "The digest of the rules that were given.")
    def policy(run: Parent[model.Run]) -> str | None:
        return run.policy or None

    @field(str | None, "Code and line of the first record that was set aside.")
    def first_error(run: Parent[model.Run]) -> str | None:
        return run.first_error or None

    @field(str | None, "Code and line of the last record that was set aside.")
    def last_error(run: Parent[model.Run]) -> str | None:
        return run.last_error or None


def _quarantine_id(record: Parent[model.Quarantined]) -> strawberry.ID:
    return quarantine_id(record.number)


@strawberry.type(description="A record that was set aside, with the reason and its content.")
class QuarantinedRecord(Node):
    id: strawberry.ID = strawberry.field(resolver=_quarantine_id)
    source: str
    line: int = strawberry.field(description="From 1.")
    time: DateTime = strawberry.field(name="setAsideAt")
    help: str = strawberry.field(description="What to do about it.")
    # GraphQL's Int ends at 2^31, and files do not.
    offset: float = strawberry.field(description="In bytes of the file, decompressed; a whole number.")

    @classmethod
    def is_type_of(cls, found: Any, _info: Any) -> bool:
        return isinstance(found, model.Quarantined)

    @field(Run | None)
    def run(record: Parent[model.Quarantined], info: Info) -> Any:
        return reads_of(info).runs.load(record.run_id)

    @field(Reason)
    def reason(record: Parent[model.Quarantined]) -> Any:
        return model.Reason(record.code, record.message)

    @field(str, "Its text; what is not UTF-8 is written as \\xNN.")
    def record(record: Parent[model.Quarantined]) -> str:
        return record.record.decode("utf-8", "backslashreplace")
