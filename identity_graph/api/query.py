"""The questions."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any

import strawberry

from identity_graph import model
from identity_graph.api.change import FEED, Change, change_key
from identity_graph.api.computed import ComputedTrait
from identity_graph.api.condition import ConditionInput, as_mapping
from identity_graph.api.connection import Connection, CountedConnection
from identity_graph.api.context import Info, Reads, reads_of
from identity_graph.api.erasure import ErasurePreview
from identity_graph.api.event import Event
from identity_graph.api.federation import ENTITY, Subgraph, find_entity
from identity_graph.api.field import field
from identity_graph.api.identifier import Identifier
from identity_graph.api.link import Explanation
from identity_graph.api.lookup import IdentifierInput, PersonBy
from identity_graph.api.node import QUARANTINE, SEGMENT, Node, quarantine_number
from identity_graph.api.paging import Window, given
from identity_graph.api.person import Person
from identity_graph.api.restriction import Restriction
from identity_graph.api.run import QuarantinedRecord, Run
from identity_graph.api.scalars import Representation
from identity_graph.api.segment import Segment, SegmentPreview
from identity_graph.api.stats import Stats
from identity_graph.api.view import ForPurpose, Look, look
from identity_graph.errors import AccessError, InputError
from identity_graph.event_table import canonical_json
from identity_graph.listing import Page

MOST_KEYS = 100


@strawberry.type
class Query:
    @field(Node | None, "Whatever has this id; null where nothing has.")
    async def node(self, info: Info, id: strawberry.ID) -> Any:
        return await _node(reads_of(info), str(id))

    @field(Person | None)
    def person(
        self, info: Info, by: PersonBy, view: Look = strawberry.UNSET, purpose: ForPurpose = strawberry.UNSET
    ) -> Any:
        look(info, view, purpose)
        return by.find(info)

    @field(
        list[Person | None],
        f"Aligned with `by`: null where nobody is found. At most {MOST_KEYS}.",
    )
    def people(
        self, info: Info, by: list[PersonBy], view: Look = strawberry.UNSET, purpose: ForPurpose = strawberry.UNSET
    ) -> Any:
        look(info, view, purpose)
        _refuse_over("people", len(by))
        return [one.find(info) for one in by]

    @field(
        CountedConnection[Person],
        "All, or those who meet a condition; `last` gives those at the end of the order. In order of ID, CREATED and"
        " UPDATED all are paged along an index; for any other list everybody is looked at for each page, so keep a"
        " segment of what is paged often.",
    )
    async def persons(
        self,
        info: Info,
        condition: ConditionInput | None = strawberry.UNSET,
        order_by: model.PersonOrder = model.PersonOrder.ID,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
    ) -> Any:
        tree = as_mapping(given(condition)) if given(condition) is not None else None
        if tree is not None and info.context.veiled:
            raise AccessError(
                "FORBIDDEN", "a condition is not for the role analyst", help="It would let names be guessed."
            )
        by_id, of = order_by is model.PersonOrder.ID, "persons"
        if tree is not None or not by_id:
            of = f"persons {order_by} {canonical_json(tree)}"
        window = Window.read(
            of,
            (str,) if by_id else (int, int),
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )
        reads, page = reads_of(info), info.context.listing.page

        def read() -> tuple[Page, int]:
            rows, count = page(order_by, tree, after=window.key, limit=window.limit + 1, backward=window.backward)
            reads.people.expect([person for _, person in rows])
            return rows, count

        rows, count = await reads.waves.call(read)
        return window.fetched(rows, itemgetter(0), count).map(itemgetter(1))

    @field(Identifier | None, "Null if it was never observed.")
    def identifier(self, info: Info, by: IdentifierInput) -> Any:
        identifier = by.canonical()
        return reads_of(info).identifiers.load(identifier, lambda facts: facts and facts.identifier)

    @field(Explanation, "Why, or why not, two identifiers are one person.")
    def explain(
        self,
        info: Info,
        a: IdentifierInput,
        b: IdentifierInput,
        view: Look = strawberry.UNSET,
        purpose: ForPurpose = strawberry.UNSET,
    ) -> Any:
        look(info, view, purpose)
        reads = reads_of(info)
        return reads.waves.call(reads.people.explain, a.canonical(), b.canonical())

    @field(Connection[Change], "What happened to persons, oldest first.")
    async def changes(
        self,
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        kinds: list[model.ChangeKind] | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(FEED, (int,), first=given(first), after=given(after))
        persons = info.context.store.persons

        def read() -> list[model.Change]:
            return persons.changes(after=_number(window), limit=window.limit + 1, kinds=given(kinds) or ())

        return window.fetched(await reads_of(info).waves.call(read), change_key)

    @field(Segment | None)
    def segment(self, info: Info, name: str, purpose: ForPurpose = strawberry.UNSET) -> Any:
        look(info, None, purpose)
        return reads_of(info).segments.load(name)

    @field(list[Segment], "In order of name.")
    def segments(self, info: Info) -> Any:
        return reads_of(info).waves.call(info.context.graph.segments.all)

    @field(list[ComputedTrait], "In order of name.")
    async def computed_traits(self, info: Info) -> Any:
        found = await reads_of(info).waves.call(info.context.graph.computed.all)
        return [ComputedTrait(name=name, definition=definition) for name, definition in found.items()]

    @field(SegmentPreview, "Who would be in a segment, without saving it.")
    async def preview_segment(self, info: Info, condition: ConditionInput) -> Any:
        reads = reads_of(info)
        size, ids = await reads.waves.call(info.context.graph.segments.preview, as_mapping(condition))
        persons = await reads.persons.load_all(ids)
        return SegmentPreview(size=size, sample=[person for person in persons if person is not None])  # type: ignore[misc]

    @field(ErasurePreview | None, "What erasing a person, or one identifier of it, would take.")
    def preview_erasure(self, info: Info, by: PersonBy, scope: model.Scope = model.Scope.CONNECTED) -> Any:
        graph = info.context.graph

        def look() -> model.ErasurePreview | None:
            asked, person = by.anybody(graph)
            return graph.forget.preview(person.id, asked, scope) if person else None

        return reads_of(info).waves.call(look)

    @field(list[Restriction], "Persons that nobody but a privacy officer sees, in order of id.")
    def restrictions(self, info: Info) -> Any:
        return reads_of(info).waves.call(info.context.graph.restrictions.all)

    @field(Run | None)
    def run(self, info: Info, id: strawberry.ID) -> Any:
        return reads_of(info).runs.load(str(id))

    @field(Connection[Run], "Newest first.")
    async def runs(self, info: Info, first: int | None = strawberry.UNSET, after: str | None = strawberry.UNSET) -> Any:
        window = Window.read("runs", (str,), first=given(first), after=given(after))
        operations = info.context.graph.store.operations
        start = str(window.key[0]) if window.key else ""
        rows = await reads_of(info).waves.call(lambda: operations.runs(before=start, limit=window.limit + 1))
        return window.fetched(rows, lambda run: (run.id,))

    @field(Connection[QuarantinedRecord], "Records set aside, in order of arrival.")
    async def quarantine(
        self,
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        code: Annotated[str | None, strawberry.argument(description="Only of this reason.")] = strawberry.UNSET,
    ) -> Any:
        window = Window.read(f"quarantine {given(code)}", (int,), first=given(first), after=given(after))
        operations = info.context.graph.store.operations

        def read() -> list[model.Quarantined]:
            return operations.quarantined(after=_number(window), limit=window.limit + 1, code=given(code))

        return window.fetched(await reads_of(info).waves.call(read), lambda record: (record.number,))

    @field(Subgraph, "Apollo Federation's: this service as a subgraph.", name="_service")
    def federated(self) -> Any:
        return Subgraph()

    @field(
        list[ENTITY | None],
        f"Apollo Federation's: persons by id or key, aligned, null where nobody is found. At most {MOST_KEYS}.",
        name="_entities",
    )
    def entities(self, info: Info, representations: list[Representation]) -> Any:
        _refuse_over("_entities", len(representations))
        return [find_entity(info, representation) for representation in representations]

    @field(Stats)
    async def stats(self, info: Info) -> Any:
        return Stats.of(await reads_of(info).waves.call(info.context.graph.store.operations.counts))


def _refuse_over(name: str, keys: int) -> None:
    if keys > MOST_KEYS:
        message = f"{name} was asked for {keys} persons; {MOST_KEYS} are allowed"
        raise InputError("BATCH_TOO_LARGE", message, help="Ask in several requests.")


def _number(window: Window) -> int:
    return int(window.key[0]) if window.key else 0


async def _node(reads: Reads, id: str) -> Any:
    if id.startswith(SEGMENT):
        return (await reads.segments.load_all([id.removeprefix(SEGMENT)]))[0]
    if id.startswith(QUARANTINE):
        number = quarantine_number(id)
        return None if number is None else (await reads.quarantined.load_all([number]))[0]
    (person,) = await reads.persons.load_all([id])
    if person is not None:
        return person
    (run,) = await reads.runs.load_all([id])
    if run is not None:
        return run
    (event,) = await reads.events.load_all([id])
    return Event.of(event)
