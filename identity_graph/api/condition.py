"""Segment conditions as typed input. `as_mapping` gives the JSON form that the model keeps: data, never code."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import strawberry

from identity_graph.api.scalars import JSON, DateTime, Duration
from identity_graph.times import format_time


@strawberry.enum(
    description="Of a property; of events themselves COUNT, FIRST, LAST and DAYS_SINCE. "
    "Recency is DAYS_SINCE, frequency COUNT, monetary value SUM."
)
class Measure(Enum):
    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVERAGE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    FIRST = "FIRST"
    LAST = "LAST"
    DISTINCT = "DISTINCT"
    MOST_FREQUENT = strawberry.enum_value("MOST_FREQUENT", description="Of those equally frequent, the last seen.")
    DAYS_SINCE = strawberry.enum_value("DAYS_SINCE", description="Whole days since the last; moves with the clock.")


@strawberry.input(description="Both ends belong to it; one may be left out.")
class RangeInput:
    from_: JSON | None = strawberry.field(name="from", default=strawberry.UNSET)
    to: JSON | None = strawberry.UNSET


@strawberry.input(one_of=True)
class ValueTestInput:
    equals: JSON | None = strawberry.UNSET
    in_: list[JSON] | None = strawberry.field(name="in", default=strawberry.UNSET)
    range: RangeInput | None = strawberry.UNSET
    prefix: str | None = strawberry.UNSET
    contains: str | None = strawberry.UNSET
    exists: bool | None = strawberry.UNSET
    older_than: Duration | None = strawberry.UNSET
    newer_than: Duration | None = strawberry.UNSET


@strawberry.input
class PropertyTestInput:
    name: str
    is_: ValueTestInput = strawberry.field(name="is")


@strawberry.input
class TraitConditionInput(PropertyTestInput):
    stated: ValueTestInput | None = strawberry.field(
        default=strawberry.UNSET, description="When it was stated, so that olderThan asks for the age of the trait."
    )


@strawberry.input(description="An event that passes all of this.")
class EventTestInput:
    names: list[str] | None = strawberry.UNSET
    sources: list[str] | None = strawberry.UNSET
    where: list[PropertyTestInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Tests on properties, all of which an event must pass."
    )
    within: Duration | None = strawberry.field(default=strawberry.UNSET, description="Until now.")
    from_: DateTime | None = strawberry.field(name="from", default=strawberry.UNSET)
    to: DateTime | None = strawberry.UNSET


@strawberry.input(description="A measure over the person's events that pass.")
class MeasureInput(EventTestInput):
    measure: Measure = Measure.COUNT
    property: str | None = strawberry.field(default=strawberry.UNSET, description="What is measured, unless events.")


@strawberry.input(description="A measure over the person's events that pass, tested. Who did not: COUNT equals 0.")
class EventConditionInput(MeasureInput):
    is_: ValueTestInput = strawberry.field(name="is")


@strawberry.input(description="Events that pass one after the other, oldest first; others may lie between.")
class SequenceConditionInput:
    steps: list[EventTestInput] = strawberry.field(description="At least two.")
    within: Duration | None = strawberry.field(
        default=strawberry.UNSET, description="From one step to the next, at most."
    )


@strawberry.input
class IdentifierConditionInput:
    namespace: str
    count: RangeInput | None = strawberry.field(default=strawberry.UNSET, description="How many; at least one.")


@strawberry.input
class ComputedConditionInput:
    name: str
    is_: ValueTestInput = strawberry.field(name="is")


@strawberry.input(
    description="In which part of everybody a computed trait that is a number puts a person, 1 the lowest of as many"
    " equal parts; equal numbers are in one. Members of a saved segment with it are found anew by each `resolve`, else"
    " once an hour."
)
class QuantileConditionInput:
    name: str = strawberry.field(description="The computed trait.")
    parts: int = strawberry.field(default=5, description="2 to 100.")
    is_: ValueTestInput = strawberry.field(name="is")


@strawberry.input(
    description="The status that stands of what was said of a purpose, tested as a text: GRANTED, DENIED, REVOKED."
)
class ConsentConditionInput:
    purpose: str
    is_: ValueTestInput = strawberry.field(name="is")


@strawberry.input(one_of=True)
class ConditionInput:
    all: list[ConditionInput] | None = strawberry.UNSET
    any: list[ConditionInput] | None = strawberry.UNSET
    not_: ConditionInput | None = strawberry.field(name="not", default=strawberry.UNSET)
    trait: TraitConditionInput | None = strawberry.UNSET
    event: EventConditionInput | None = strawberry.UNSET
    sequence: SequenceConditionInput | None = strawberry.UNSET
    computed: ComputedConditionInput | None = strawberry.UNSET
    quantile: QuantileConditionInput | None = strawberry.UNSET
    identifier: IdentifierConditionInput | None = strawberry.UNSET
    consent: ConsentConditionInput | None = strawberry.UNSET
    segment: str | None = strawberry.field(default=strawberry.UNSET, description="Members of that segment.")


def as_mapping(given: Any) -> dict[str, Any]:
    """What was given, under the names of the schema.

    >>> as_mapping(TraitConditionInput(name="plan", is_=ValueTestInput(in_=["pro", "team"])))
    {'name': 'plan', 'is': {'in': ['pro', 'team']}}
    """
    found = {}
    for field in fields(given):
        value = getattr(given, field.name)
        if value is not strawberry.UNSET:
            name = field.name.rstrip("_")
            head, *rest = name.split("_")
            time = name in ("from", "to") and isinstance(given, EventTestInput) and value is not None
            found[head + "".join(map(str.title, rest))] = format_time(value) if time else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return as_mapping(value) if is_dataclass(value) else value
