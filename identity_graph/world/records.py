"""What the systems around people write down: messages, orders, contacts, card entries, and beside them the truth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from identity_graph.times import EPOCH, MICROSECOND
from identity_graph.world.dice import Dice
from identity_graph.world.files import Files
from identity_graph.world.moments import DAYS, END
from identity_graph.world.names import STORES, TIERS
from identity_graph.world.people import Client, Person
from identity_graph.world.spelling import spell_card, spell_phone
from identity_graph.world.truth import Ledger, event_id, is_valid

_START = END - timedelta(days=DAYS)
_DATES = [(_START + timedelta(days=day)).date().isoformat() for day in range(DAYS)]
_START_MICROSECONDS = (_START - EPOCH) // MICROSECOND
_LIBRARY = {"name": "analytics.js", "version": "2.11.1"}
_APP = {"name": "Hearth", "version": "4.2.0"}
_NO_EMAIL = ("noemail@noemail.com", "test@test.com", "n/a", "none@none.com")
_NO_PHONE = ("n/a", "0000000000", "unknown", "9999999999")


class Records:
    """Writes to the files and to the ledger. `now` is in milliseconds of the world."""

    def __init__(self, dice: Dice, files: Files, ledger: Ledger) -> None:
        self.dice = dice
        self.files = files
        self.ledger = ledger
        self.now = 0
        self._numbers = dict.fromkeys(("crm", "loyalty", "orders"), 0)

    def say(
        self,
        client: Client,
        actor: Person | None,
        kind: str,
        name: str | None,
        properties: dict[str, Any] | None,
        traits: dict[str, Any] | None = None,
    ) -> None:
        """One message of the Segment spec; a few seconds pass."""
        dice, ledger = self.dice, self.ledger
        self.now += 2_000 + int(dice.random() * 60_000)
        message: dict[str, Any] = {
            "messageId": (number := dice.uuid()),
            "type": kind,
            "anonymousId": client.anonymous_id,
            "userId": (user := client.user.user_id if client.user else "undefined" if client.faulty else None),
            "timestamp": self._time(milliseconds=True),
        }
        if traits is not None:
            message["traits"] = traits
        else:
            message["event" if kind == "track" else "name"] = name
            message["properties"] = properties
        if client.device_id is None:
            ip = actor.household.ip if actor and not client.at_work else f"100.64.0.{dice.between(1, 9)}"
            message["context"] = {"ip": ip, "userAgent": client.agent, "library": _LIBRARY}
        else:
            at_home = actor and not client.at_work and dice.chance(0.6)
            ip = actor.household.ip if actor and at_home else f"100.64.1.{dice.between(1, 99)}"
            device = {"id": client.device_id, "type": client.platform}
            message["context"] = {"ip": ip, "device": device, "app": _APP}
            ledger.saw("device_id", client.device_id, client.owner)
        ledger.saw("anonymous_id", client.anonymous_id, client.owner)
        ledger.saw("ip", ip, None)
        if user:
            ledger.saw("user_id", user, client.user.label if client.user else None)
        ledger.acted(number, actor.label if actor else None)
        times = 2 if dice.chance(0.002) else 1
        ledger.repeated += times - 1
        self.files.message("app" if client.device_id else "web", message, times)

    def order(
        self,
        actor: Person,
        customer: Person | None,
        email: str | None,
        phone: str | None,
        card: str | None,
        client: Client | None,
        amount: float,
        items: int,
        *,
        holder: Person | None = None,
    ) -> None:
        number = self._number("orders", "O")
        self.ledger.acted(event_id("orders", number), actor.label)
        device = client.device_id if client else None
        if email and not is_valid("email", email):
            self.ledger.refused.add(event_id("orders", number))
        else:
            self._saw("user_id", customer.user_id if customer else None, customer)
            self._saw("email", email, customer or actor)
            self._saw("phone", phone, customer or actor)
            self._saw("loyalty_id", card, holder or actor)
            if device and client:
                self.ledger.saw("device_id", device, client.owner)
        time = _START_MICROSECONDS + self.now * 1000
        user = customer.user_id if customer else None
        self.files.order((number, user, email, phone, card, device, amount, "USD", items, time))

    def contact(self, person: Person, call_centre: str) -> None:
        """The CRM's row: agents type the number that they call from, and words where they know nothing."""
        dice, home = self.dice, person.household
        email, phone = person.email, person.phone and spell_phone(dice, person.phone)
        owner: Person | None = person
        if person.by_agent:
            phone, owner, person.by_agent = call_centre, None, False
            self.ledger.case("call centre", "phone", phone)
        elif home.landline and dice.chance(0.25):
            phone, owner = home.landline, None
            self.ledger.case("shared landline", "phone", home.landline)
        elif not phone or dice.chance(0.02):
            phone, owner = dice.pick(_NO_PHONE), None
        self._saw("phone", phone, owner)
        if dice.chance(0.01):
            email = dice.pick(_NO_EMAIL)
        self._saw("email", email, person if email == person.email else None)
        shared = person.second_email is not None and person.second_email == home.mailbox
        self._saw("email", person.second_email, None if shared else person)
        self._saw("user_id", person.user_id, person)
        number = self._number("crm", "C")
        self.ledger.acted(event_id("crm", number), person.label)
        row = (number, person.user_id, email, person.second_email, phone, person.first_name, person.last_name)
        self.files.row("crm", (*row, person.city, person.plan, person.birthday, self._time()))

    def loyalty(
        self,
        actor: Person,
        holder: Person,
        card: str,
        *,
        old: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        points: int = 0,
    ) -> None:
        dice = self.dice
        written, written_old = spell_card(dice, card), old and spell_card(dice, old)
        phone = phone and spell_phone(dice, phone)
        self._saw("loyalty_id", written, holder)
        self._saw("loyalty_id", written_old, holder)
        self._saw("email", email, actor)
        self._saw("phone", phone, actor)
        number = self._number("loyalty", "L")
        self.ledger.acted(event_id("loyalty", number), actor.label)
        row = (number, written, written_old, email, phone, points, dice.pick(TIERS), dice.pick(STORES), self._time())
        self.files.row("loyalty", row)

    def _saw(self, namespace: str, raw: str | None, owner: Person | None) -> None:
        if raw:
            self.ledger.saw(namespace, raw, owner.label if owner else None)

    def _number(self, source: str, letter: str) -> str:
        self._numbers[source] += 1
        return f"{letter}{self._numbers[source]:08d}"

    def _time(self, *, milliseconds: bool = False) -> str:
        seconds, rest = divmod(self.now, 1000)
        day, second = divmod(seconds, 86_400)
        tail = f".{rest:03d}Z" if milliseconds else "Z"
        return f"{_DATES[day]}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{tail}"
