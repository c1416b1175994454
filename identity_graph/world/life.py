"""What people do, moment by moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from identity_graph.world.dice import Dice
from identity_graph.world.moments import Kind, Moment
from identity_graph.world.names import CITIES, CRAWLER, LAST, PAGES, PLANS, PRODUCTS
from identity_graph.world.people import Cast, Client, Person
from identity_graph.world.records import Records
from identity_graph.world.spelling import spell_card, spell_email, spell_phone
from identity_graph.world.truth import Ledger


class Life:
    """Turns moments into records."""

    def __init__(self, cast: Cast, dice: Dice, records: Records) -> None:
        self.cast = cast
        self.dice = dice
        self.records = records
        self.ledger: Ledger = records.ledger
        self._kiosk_visits = 0
        self._givers = {giver.number for giver, _ in cast.recycled}
        self._happens: dict[Kind, Callable[[Person], None]] = {
            Kind.VISIT: self.visit,
            Kind.SIGN_UP: self.sign_up,
            Kind.UPDATE: self.update,
            Kind.MARRY: self.marry,
            Kind.NEW_PHONE: self.change_phone,
            Kind.NEW_APP: self.change_app,
            Kind.CARD: self.take_card,
            Kind.SECOND_CARD: self.replace_card,
            Kind.STORE: self.buy_in_store,
            Kind.KIOSK: self.buy_at_kiosk,
        }

    def live(self, moment: Moment) -> None:
        self.records.now = moment.second * 1000
        if moment.kind is Kind.TABLET:
            self.use_tablet(moment.subject)
        elif moment.kind is Kind.CRAWL:
            self.crawl(self.cast.crawlers[moment.subject])
        else:
            self._happens[moment.kind](self.cast.people[moment.subject])

    # ---- on the web and in the app

    def visit(self, person: Person) -> None:
        dice = self.dice
        if person.app and person.member and dice.chance(0.45):
            self.visit_in_app(person, person.app)
            return
        client = person.browsers[-1] if dice.chance(0.3) else person.browsers[0]
        if dice.chance(0.1):
            self.ledger.case("cookie reset", "anonymous_id", client.anonymous_id)
            client.anonymous_id, client.user = dice.uuid(), None
        borrowed = dice.chance(0.01 if person.member else 0.001)
        actor = self.someone_else_at_home(person) if borrowed else person
        if client.user is not actor:
            client.user = None
        self.look_around(client, actor, dice.often(2))
        if actor.member and not client.user and dice.chance(actor.habit):
            client.user = actor
            self.identify(client, actor)
        elif actor.email and not client.user and dice.chance(0.12):
            self.identify(client, actor, spell_email(dice, actor.email))
        self.look_around(client, actor, dice.often(2))
        if dice.chance(0.12):
            self.buy_online(client, actor)
        if client.user and dice.chance(0.1 if client.user is person else 1.0):
            client.user = None

    def someone_else_at_home(self, person: Person) -> Person:
        others = [other for other in person.household.members if other.member and other is not person]
        return self.dice.pick(others) if others else person

    def visit_in_app(self, person: Person, client: Client) -> None:
        dice = self.dice
        if dice.chance(0.02):
            self.ledger.case("app installed again", "anonymous_id", client.anonymous_id)
            client.anonymous_id, client.user = dice.uuid(), None
        if not client.user and dice.chance(0.95):
            client.user = person
            self.identify(client, person)
        self.look_around(client, person, 1 + dice.often(4))
        if client.user and dice.chance(0.1):
            self.buy_online(client, person)

    def use_tablet(self, household: int) -> None:
        home = self.cast.households[household]
        tablet, actor = home.tablet, self.dice.pick(home.members)
        assert tablet is not None and tablet.device_id is not None
        self.ledger.case("shared tablet", "device_id", tablet.device_id)
        if actor.member and tablet.user is not actor and self.dice.chance(0.85):
            tablet.user = actor
            self.identify(tablet, actor)
        self.look_around(tablet, actor, 1 + self.dice.often(3))

    def look_around(self, client: Client, actor: Person, steps: int) -> None:
        dice = self.dice
        for _ in range(1 + steps):
            if dice.chance(0.55):
                name, path = dice.pick(PAGES)
                kind, properties = ("screen", {"tab": path[1:]}) if client.device_id else ("page", {"path": path})
                self.records.say(client, actor, kind, name, properties)
            else:
                product, price = dice.pick(PRODUCTS)
                name = "Product Added" if dice.chance(0.2) else "Product Viewed"
                self.records.say(client, actor, "track", name, {"product": product, "price": price, "currency": "USD"})

    def identify(self, client: Client, actor: Person, email: str | None = None) -> None:
        """At a login with what the account says; with an `email`, at a newsletter form with that alone."""
        if email is None:
            email = actor.email
            traits: dict[str, Any] = {
                "email": email,
                "firstName": actor.first_name,
                "lastName": actor.last_name,
                "plan": actor.plan,
            }
            if actor.phone and self.dice.chance(0.3):
                traits["phone"] = actor.phone
                self.ledger.saw("phone", actor.phone, actor.label)
        else:
            traits = {"email": email, "newsletter": True}
        assert email is not None
        self.ledger.saw("email", email, actor.label)
        self.records.say(client, actor, "identify", None, None, traits)

    def crawl(self, crawler: Client) -> None:
        """A program: a word in place of an id, or a new id at every step."""
        for _ in range(self.dice.between(10, 40)):
            client = Client(None, crawler.anonymous_id or self.dice.uuid(), agent=CRAWLER)
            self.ledger.case("crawler", "anonymous_id", client.anonymous_id)
            name, path = self.dice.pick(PAGES)
            self.records.say(client, None, "page", name, {"path": path})

    # ---- orders

    def buy_online(self, client: Client, actor: Person) -> None:
        dice = self.dice
        amount, items = self.basket()
        card = spell_card(dice, actor.cards[-1]) if actor.cards and dice.chance(0.2) else None
        if client.user:
            phone = spell_phone(dice, actor.phone) if actor.phone and dice.chance(0.6) else None
            self.records.order(actor, client.user, actor.email, phone, card, client, amount, items)
        elif actor.email:
            email = spell_email(dice, actor.email)
            phone = spell_phone(dice, actor.phone) if actor.phone and dice.chance(0.8) else None
            if dice.chance(0.05):
                email = email.replace("@", " at ")
            elif dice.chance(0.8):
                self.identify(client, actor, email)
            self.records.order(actor, None, email, phone, card, client, amount, items)
        else:
            return
        self.records.say(
            client, actor, "track", "Order Completed", {"total": amount, "items": items, "currency": "USD"}
        )

    def buy_in_store(self, person: Person) -> None:
        """The card shows who it is; now and then it is that of someone else at home."""
        dice = self.dice
        lender = self.someone_else_at_home(person) if dice.chance(0.03) and person.member else person
        holder = lender if lender.cards else person
        card = holder.cards[-1]
        if holder is not person:
            self.ledger.case("borrowed card", "loyalty_id", card)
        amount, items = self.basket()
        if dice.chance(0.4):
            phone = spell_phone(dice, person.phone) if person.phone and dice.chance(0.3) else None
            email = spell_email(dice, person.email) if person.email and dice.chance(0.1) else None
            at = dice.pick(self.cast.kiosks) if self.cast.kiosks and dice.chance(0.1) else None
            self.records.order(person, None, email, phone, spell_card(dice, card), at, amount, items, holder=holder)
        self.records.loyalty(person, holder, card, points=int(amount))

    def buy_at_kiosk(self, person: Person) -> None:
        kiosk = self.cast.kiosks[self._kiosk_visits % len(self.cast.kiosks)]
        self._kiosk_visits += 1
        assert kiosk.device_id is not None
        self.ledger.case("kiosk", "device_id", kiosk.device_id)
        self.ledger.case("kiosk", "anonymous_id", kiosk.anonymous_id)
        kiosk.user = person
        self.look_around(kiosk, person, self.dice.often(1))
        amount, items = self.basket()
        self.records.order(person, person, person.email, None, None, kiosk, amount, items)
        kiosk.user = None

    def basket(self) -> tuple[float, int]:
        items = 1 + self.dice.often(1.2)
        return round(sum(self.dice.pick(PRODUCTS)[1] for _ in range(items)), 2), items

    # ---- accounts and cards

    def sign_up(self, person: Person) -> None:
        person.member = True
        self.records.contact(person, self.cast.call_centre)

    def update(self, person: Person) -> None:
        person.plan = self.dice.pick(PLANS)
        if self.dice.chance(0.3):
            person.city = self.dice.pick(CITIES)
        self.records.contact(person, self.cast.call_centre)

    def marry(self, person: Person) -> None:
        """A new name, and an address that shows it."""
        assert person.email is not None
        person.last_name = self.dice.pick(LAST)
        old, person.email = person.email, self.cast.new_email(person.first_name, person.last_name)
        if self.dice.chance(0.6):
            person.second_email = old
        self.ledger.case("married", "email", person.email)
        self.records.contact(person, self.cast.call_centre)

    def change_phone(self, person: Person) -> None:
        if person.phone and person.number in self._givers:
            self.ledger.case("recycled phone", "phone", person.phone)
        person.phone = person.next_phone or self.cast.new_phone()
        self.records.contact(person, self.cast.call_centre)

    def change_app(self, person: Person) -> None:
        person.app = self.cast.app(person)
        assert person.app.device_id is not None
        self.ledger.case("second device", "device_id", person.app.device_id)
        self.visit_in_app(person, person.app)

    def take_card(self, person: Person) -> None:
        person.cards.append(self.cast.new_card())
        email = spell_email(self.dice, person.email) if person.email else None
        self.records.loyalty(person, person, person.cards[-1], email=email, phone=person.phone)

    def replace_card(self, person: Person) -> None:
        old = person.cards[-1]
        person.cards.append(self.cast.new_card())
        self.ledger.case("two cards", "loyalty_id", old)
        self.records.loyalty(person, person, person.cards[-1], old=old)
