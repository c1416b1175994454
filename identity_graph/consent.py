"""What people said to being used for a purpose, and what of it stands.

An event states consent by its property `consent`: purpose -> true, false, "granted", "denied", "revoked", or an object
of `status` and `expires`; or, out of a table, by properties `consent.PURPOSE`. What cannot be read is a no.

One rule says what stands, whatever the order and through whichever identifier of the person it came: of the statements
of a purpose that count the newest, of equally new ones the stricter. What has expired does not count, nor does a yes
that is dated in the future.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from identity_graph.errors import InputError
from identity_graph.model import Consent, ConsentStatus, Event
from identity_graph.policy import Policy
from identity_graph.times import LATEST, parse_time

PROPERTY = "consent"
SALE = "sale_or_sharing"
"""The purpose to which a browser's `Sec-GPC: 1` objects."""

_WORDS = {
    "granted": ConsentStatus.GRANTED,
    "true": ConsentStatus.GRANTED,
    "yes": ConsentStatus.GRANTED,
    "1": ConsentStatus.GRANTED,
    "revoked": ConsentStatus.REVOKED,
}
_PREFIX = PROPERTY + "."

Consents = Mapping[str, Consent]


def stated(event: Event) -> Iterator[Consent]:
    """What an event says of consent.

    >>> event = Event("1", 5, "web", "Choice Made", (), {}, {"consent": {"ads": False, "mail": "granted"}})
    >>> [(one.purpose, one.status.value) for one in stated(event)]
    [('ads', 'DENIED'), ('mail', 'GRANTED')]
    """
    for name, value in event.properties.items():
        if name == PROPERTY and isinstance(value, Mapping):
            said = value.items()
        elif name.startswith(_PREFIX):
            said = {name.removeprefix(_PREFIX): value}.items()
        else:
            continue
        for purpose, one in said:
            if one is not None and purpose:
                status, expires = _read(one)
                yield Consent(purpose, status, event.source, event.time, expires, event.id)


def _read(value: Any) -> tuple[ConsentStatus, int | None]:
    expires = None
    if isinstance(value, Mapping):
        try:
            expires = None if value.get("expires") is None else parse_time(value["expires"])
        except InputError:
            return ConsentStatus.DENIED, None
        value = value.get("status")
    return _WORDS.get(str(value).lower(), ConsentStatus.DENIED), expires


def standing(statements: Iterable[Consent], now: int) -> dict[str, Consent]:
    """Of each purpose, in order of its name, the statement that stands at a time. Statements may come in any order, in
    parts, and more than once: what stands of parts together is what stands of all."""
    found: dict[str, Consent] = {}
    for one in statements:
        if (one.expires is not None and one.expires <= now) or (one.granted and one.time > now):
            continue
        before = found.get(one.purpose)
        if before is None or _rank(one) > _rank(before):
            found[one.purpose] = one
    return dict(sorted(found.items()))


def status(events: Iterable[Event], purpose: str, now: int) -> str | None:
    """What stands of one purpose, None where nothing was said."""
    stands = standing((one for event in events for one in stated(event)), now).get(purpose)
    return stands.status.value if stands else None


def _rank(one: Consent) -> tuple[int, bool, int, str, str, str]:
    """The stricter: a no before a yes, the no that lasts longer, the yes that ends sooner."""
    end = LATEST + 1 if one.expires is None else one.expires
    return one.time, not one.granted, -end if one.granted else end, one.status, one.source, one.event_id


def allows(consents: Consents, purpose: str, policy: Policy) -> bool:
    """Whether who said this may be used for the purpose. Raises PURPOSE_UNKNOWN."""
    return all(_one(consents.get(name), policy, name) for name in (purpose, *policy.purpose(purpose).needs))


def _one(said: Consent | None, policy: Policy, purpose: str) -> bool:
    return policy.purpose(purpose).opt_out if said is None else said.granted
