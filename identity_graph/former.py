"""Identifiers as versions before this one wrote them. Whoever was erased by such a form must not come back by today's.

A tombstone is a keyed hash, of which nothing can be written anew. So what is read now is asked for under the rules of
then, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from identity_graph.errors import InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise, normalise_namespace

Rule = Callable[[Any, str | None], Identifier]
"""What a version made of a raw value and a region. Raises InputError for what it refused."""

FORMER: dict[str, tuple[Rule, ...]] = {}
"""Of each namespace whose values once came out otherwise, its rules of then. Whoever changes what `normalise` makes of
any value raises NORMALISER_VERSION and moves the rule that it was into this table, for good."""


def former_forms(namespace: str, raw: Any, region: str | None = None) -> list[Identifier]:
    """What else a raw value was before, newest last. Nearly always nothing. Raises NAMESPACE_INVALID."""
    found: list[Identifier] = []
    for rule in FORMER.get(normalise_namespace(namespace), ()) if FORMER else ():
        with suppress(InputError):
            found.append(rule(raw, region))
    return [one for one in dict.fromkeys(found) if one != _today(namespace, raw, region)]


def forms(namespace: str, raw: Any) -> list[Identifier]:
    """What a raw value is, and then what else it was. Raises as `normalise` does."""
    return [normalise(namespace, raw), *former_forms(namespace, raw)]


def forms_of(identifier: tuple[str, str]) -> Sequence[tuple[str, str]]:
    """Of an identifier that this version or one before it wrote: itself, and what it was in others."""
    if identifier[0] not in FORMER:
        return (identifier,)
    today = _today(*identifier, None)
    found = [identifier, *former_forms(*identifier), *([today] if today else [])]
    return list(dict.fromkeys(found))


def normalise_then() -> list[Callable[..., Identifier]]:
    """Functions like `normalise`, of which each gives values one former form if they have one, else today's."""
    return [partial(_then, number) for number in range(max(map(len, FORMER.values()), default=0))]


def _then(number: int, namespace: str, raw: Any, *, region: str | None = None) -> Identifier:
    rules = FORMER.get(normalise_namespace(namespace), ())
    if number < len(rules):
        with suppress(InputError):
            return rules[number](raw, region)
    return normalise(namespace, raw, region=region)


def _today(namespace: str, raw: Any, region: str | None) -> Identifier | None:
    try:
        return normalise(namespace, raw, region=region)
    except InputError:
        return None
