"""What changes the store. Each is safe to repeat."""

from __future__ import annotations

from typing import Any

import strawberry

from identity_graph import model
from identity_graph.api.activation import Activation
from identity_graph.api.computed import ComputedTrait
from identity_graph.api.condition import ConditionInput, MeasureInput, as_mapping
from identity_graph.api.context import Info, reads_of
from identity_graph.api.erasure import Erasure, Receipt
from identity_graph.api.event_input import EventInput, ingest_loader
from identity_graph.api.field import mutation
from identity_graph.api.link import Explanation
from identity_graph.api.lookup import IdentifierInput, PersonBy
from identity_graph.api.node import quarantine_number
from identity_graph.api.person import Person
from identity_graph.api.restriction import Restriction
from identity_graph.api.run import Run
from identity_graph.api.scalars import DateTime
from identity_graph.api.segment import Segment
from identity_graph.erasing import ErasureRequest
from identity_graph.errors import InputError, NotFound
from identity_graph.model import SharedRule

MOST_EVENTS = 1_000
MOST_ERASURES = 100


@strawberry.type
class Mutation:
    @mutation(
        Run,
        f"Store events, durably and in one transaction. At most {MOST_EVENTS:,}. An event whose id is stored already "
        "counts as a duplicate; one that is refused is set aside with the reason, see `quarantine`, and the others are "
        "kept. They join persons at the next `resolve`.",
    )
    async def ingest(self, info: Info, events: list[EventInput]) -> Any:
        if len(events) > MOST_EVENTS:
            raise InputError(
                "BATCH_TOO_LARGE",
                f"ingest was given {len(events):,} events; {MOST_EVENTS:,} are allowed",
                help="Send fewer at once, or load a file with identity-graph load.",
            )
        records = [event.record() for event in events]
        return await _change(info, info.context.graph.ingest.records, ingest_loader(), records)

    @mutation(
        Run,
        "Publish the persons that follow from the evidence: what arrived since the last time, or all.",
    )
    async def resolve(self, info: Info, full: bool = False) -> Any:
        return await _change(info, info.context.graph.resolver.resolve, full)

    @mutation(Segment, "Create or replace a segment, and find its members.")
    async def save_segment(
        self, info: Info, name: str, condition: ConditionInput, description: str | None = strawberry.UNSET
    ) -> Any:
        words = description if isinstance(description, str) else ""
        return await _change(info, info.context.graph.segments.save, name, words, as_mapping(condition))

    @mutation(bool, "Whether there was one. The persons stay.")
    async def delete_segment(self, info: Info, name: str) -> Any:
        return await _change(info, info.context.graph.segments.delete, name)

    @mutation(ComputedTrait, "Declare or replace a computed trait; at most 100. Segments that ask for it follow.")
    async def save_computed_trait(self, info: Info, name: str, definition: MeasureInput) -> Any:
        kept = await _change(info, info.context.graph.computed.save, name, as_mapping(definition))
        return ComputedTrait(name=name, definition=kept)

    @mutation(bool, "Whether there was one. Refused where a segment asks for it.")
    async def delete_computed_trait(self, info: Info, name: str) -> Any:
        return await _change(info, info.context.graph.computed.delete, name)

    @mutation(
        Run,
        "Load records again that were set aside: these, those of one reason, or all.",
    )
    async def replay_quarantine(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = strawberry.UNSET,
        code: str | None = strawberry.UNSET,
    ) -> Any:
        numbers = [_number(id) for id in ids] if isinstance(ids, list) else None
        reason = code if isinstance(code, str) else None
        return await _change(info, info.context.graph.ingest.replay, numbers, reason)

    @mutation(
        Explanation,
        "State that two identifiers are one person, whatever the limits; until the opposite is stated. Kept as "
        "evidence, and resolved at once.",
    )
    async def link(self, info: Info, a: IdentifierInput, b: IdentifierInput, reason: str) -> Any:
        stating, user = info.context.graph.stating, info.context.user
        return await _change(
            info, stating.link, a.canonical(), b.canonical(), reason, user, [*a.formerly(), *b.formerly()]
        )

    @mutation(
        Explanation,
        "State that two identifiers are not one person, whatever links them; until the opposite is stated. Kept as "
        "evidence, and resolved at once.",
    )
    async def unlink(self, info: Info, a: IdentifierInput, b: IdentifierInput, reason: str) -> Any:
        stating, user = info.context.graph.stating, info.context.user
        return await _change(
            info, stating.unlink, a.canonical(), b.canonical(), reason, user, [*a.formerly(), *b.formerly()]
        )

    @mutation(
        Person | None,
        "State that whoever has this identifier said yes or no to a purpose of the policy. Kept as evidence, and "
        "heeded at once; answers with the person, null where the identifier is nobody's.",
    )
    async def state_consent(
        self,
        info: Info,
        of: IdentifierInput,
        purpose: str,
        status: model.ConsentStatus,
        expires_at: DateTime | None = strawberry.UNSET,
    ) -> Any:
        end = expires_at if isinstance(expires_at, int) else None
        stating, user = info.context.graph.stating, info.context.user
        return await _change(info, stating.consent, of.canonical(), purpose, status, end, user, of.formerly())

    @mutation(
        Activation,
        "Deliver to a destination what it was not told yet: the members or the changes of its segment. Where it does "
        "not take them, that is said, and they wait.",
    )
    async def activate(self, info: Info, destination: str) -> Any:
        return await _change(info, info.context.graph.activation.run, destination)

    @mutation(Activation, "Send messages that became dead letters once more, each under its id: these, or all.")
    async def send_again(self, info: Info, ids: list[strawberry.ID] | None = strawberry.UNSET) -> Any:
        chosen = [str(id) for id in ids] if isinstance(ids, list) else None
        return await _change(info, info.context.graph.activation.send_again, chosen)

    @mutation(
        Restriction | None,
        "Hide a person from everybody but privacy officers, at once: from every answer, list, segment and delivery. It "
        "holds to the identifiers that the person has, whatever is resolved later. Null where nobody is found.",
    )
    async def restrict(self, info: Info, by: PersonBy) -> Any:
        graph = info.context.graph

        def act() -> Any:
            person = by.anybody(graph)[1]
            return person and graph.restrictions.restrict(person.id)

        return await _change(info, act)

    @mutation(bool, "Show a restricted person again. Whether it was restricted.")
    async def unrestrict(self, info: Info, by: PersonBy) -> Any:
        graph = info.context.graph

        def act() -> bool:
            person = by.anybody(graph)[1]
            return person is not None and graph.restrictions.unrestrict(person.id)

        return await _change(info, act)

    @mutation(bool, "Let an erased identifier come back in new events; nothing is restored. Whether it was one.")
    async def unsuppress(self, info: Info, identifier: IdentifierInput) -> Any:
        return await _change(info, info.context.graph.forget.unsuppress, identifier.canonical(), identifier.formerly())

    @mutation(
        Receipt,
        "Erase the person of a preview, and keep what it was known by from coming back.",
    )
    async def erase(self, info: Info, token: str, shared: SharedRule = SharedRule.DETACH) -> Any:
        receipt = await _change(info, info.context.graph.forget.erase, token, shared)
        if info.context.ending:
            info.context.ending.target = f"receipt {receipt.id}"
        return receipt

    @mutation(
        list[Erasure],
        "Erase the persons of up to a hundred previews. Each is answered in its place; one that changed since its "
        "preview, or shares an identifier where that is refused, is refused, and the others are erased.",
    )
    async def erase_all(self, info: Info, tokens: list[str], shared: SharedRule = SharedRule.DETACH) -> Any:
        if len(tokens) > MOST_ERASURES:
            raise InputError("BATCH_TOO_LARGE", f"{len(tokens)} tokens, and {MOST_ERASURES} are the most at once")
        return _erasures(info, await _change(info, info.context.graph.forget.erase_all, tokens, shared))

    @mutation(list[Erasure], "Finish erasures that were interrupted; of one whose person changed since, look again.")
    async def resume_erasures(self, info: Info) -> Any:
        return _erasures(info, await _change(info, info.context.graph.forget.resume))


def _erasures(info: Info, done: list[ErasureRequest]) -> list[Erasure]:
    found = [Erasure.of(one) for one in done]
    if info.context.ending:
        info.context.ending.target = " ".join(f"receipt {one.receipt.id}" for one in found if one.receipt)
    return found


async def _change(info: Info, function: Any, *arguments: Any) -> Any:
    try:
        return await reads_of(info).waves.call(function, *arguments)
    finally:
        info.context.changed()


def _number(id: str) -> int:
    number = quarantine_number(id)
    if number is None:
        raise NotFound("QUARANTINE_UNKNOWN", "no quarantined record has this id", help="Ids are those of `quarantine`.")
    return number
