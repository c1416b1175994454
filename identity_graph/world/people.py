"""Who lives in the world and what they own, before anything happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from unicodedata import normalize

from identity_graph.normalise import normalise
from identity_graph.world.dice import Dice
from identity_graph.world.names import AREAS, BROWSERS, CITIES, FIRST, LAST, MAIL_HOSTS, WORK_HOSTS


@dataclass(slots=True, eq=False)
class Client:
    """A browser or an installation of the app. `owner` is a person's label, None where several share it.

    `user` is who is logged in. A `faulty` one sends the word "undefined" as the user while nobody is.
    """

    owner: str | None
    anonymous_id: str
    agent: str = ""
    device_id: str | None = None
    platform: str = ""
    at_work: bool = False
    faulty: bool = False
    user: Person | None = None


@dataclass(slots=True, eq=False)
class Household:
    """People at one address: one name, one network, perhaps a telephone, a mailbox and a tablet for all."""

    last_name: str
    city: str
    ip: str
    landline: str | None = None
    mailbox: str | None = None
    tablet: Client | None = None
    members: list[Person] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Person:
    """One human being. `user_id` is None for those who never sign up; others may log in once they are `member`."""

    number: int
    label: str
    household: Household
    first_name: str
    last_name: str
    birthday: str
    city: str
    plan: str
    habit: float
    email: str | None = None
    second_email: str | None = None
    phone: str | None = None
    next_phone: str | None = None
    user_id: str | None = None
    member: bool = False
    by_agent: bool = False
    cards: list[str] = field(default_factory=list)
    browsers: list[Client] = field(default_factory=list)
    app: Client | None = None


class Cast:
    """Everybody, their things, and the things that belong to nobody: kiosks, a call centre, crawlers.

    Of `people`, four in five sign up; of the others, half buy as guests and half only look.
    """

    def __init__(self, people: int, dice: Dice) -> None:
        self.dice = dice
        self.people: list[Person] = []
        self.households: list[Household] = []
        self.recycled: list[tuple[Person, Person]] = []
        self._phones = 0
        self._cards = 0
        self._mailboxes: set[str] = set()
        while len(self.people) < people:
            self._move_in(min(dice.pick((1, 1, 2, 2, 3, 4, 5)), people - len(self.people)))
        self.members = [person for person in self.people if person.user_id]
        self.kiosks = [self.tablet(at_work=True) for _ in range(1 + people // 2000)] if len(self.members) >= 15 else []
        self.call_centre = self.new_phone()
        if len(self.members) >= 10:
            for person in dice.sample(self.members, max(8, len(self.members) * 3 // 100)):
                person.by_agent = True
        self.crawlers = [
            Client(None, dice.pick(("anonymous", "null", "00000000-0000-0000-0000-000000000000", "")))
            for _ in range(1 + people // 150)
        ]
        self._recycle_phones()

    def _move_in(self, size: int) -> None:
        dice = self.dice
        home = Household(dice.pick(LAST), dice.pick(CITIES), self.new_ip())
        if size > 1:
            home.landline = self.new_phone() if dice.chance(0.3) else None
            home.mailbox = self.new_email("family", home.last_name) if dice.chance(0.1) else None
            home.tablet = self.tablet() if dice.chance(0.4) else None
        for _ in range(size):
            home.members.append(self._born(home))
        self.households.append(home)
        self.people += home.members

    def _born(self, home: Household) -> Person:
        dice = self.dice
        number = len(self.people) + len(home.members)
        person = Person(
            number=number,
            label=f"P{number:06d}",
            household=home,
            first_name=dice.pick(FIRST),
            last_name=home.last_name if dice.chance(0.85) else dice.pick(LAST),
            birthday=f"{dice.between(1940, 2007)}-{dice.between(1, 12):02d}-{dice.between(1, 28):02d}",
            city=home.city,
            plan="free",
            habit=0.55 + 0.4 * dice.random(),
        )
        person.browsers.append(self.browser(person))
        kind = dice.random()
        if kind >= 0.9:
            return person
        person.email = self.new_email(person.first_name, person.last_name)
        person.phone = self.new_phone() if dice.chance(0.9) else None
        if kind < 0.8:
            person.user_id = f"u{100_000 + number}"
            if dice.chance(0.3):
                person.browsers.append(self.browser(person, at_work=True))
            if dice.chance(0.55):
                person.app = self.app(person)
            if home.mailbox and dice.chance(0.5):
                person.second_email = home.mailbox
            elif dice.chance(0.1):
                person.second_email = self.new_email(person.first_name, person.last_name, WORK_HOSTS)
        return person

    def _recycle_phones(self) -> None:
        """Some numbers are given up and become another person's."""
        owners = [person for person in self.members if person.phone]
        owners = self.dice.sample(owners, len(owners))
        changes = max(1, len(owners) // 50) if len(owners) > 3 else 0
        for giver, taker in zip(owners[:changes], owners[changes : 2 * changes], strict=True):
            giver.next_phone = self.new_phone()
            taker.next_phone = giver.phone
            self.recycled.append((giver, taker))

    def browser(self, person: Person, *, at_work: bool = False) -> Client:
        faulty = self.dice.chance(0.03)
        agent = self.dice.pick(BROWSERS)
        return Client(person.label, self.dice.uuid(), agent=agent, at_work=at_work, faulty=faulty)

    def app(self, person: Person) -> Client:
        """iOS writes its ids in capitals, Android in 16 digits."""
        if self.dice.chance(0.5):
            return Client(person.label, self.dice.uuid(), device_id=self.dice.uuid().upper(), platform="ios")
        return Client(person.label, self.dice.uuid(), device_id=self.dice.hexadecimal(16), platform="android")

    def tablet(self, *, at_work: bool = False) -> Client:
        return Client(None, self.dice.uuid(), device_id=self.dice.uuid().upper(), platform="ios", at_work=at_work)

    def new_phone(self) -> str:
        """A North American number nobody had; 555-5555 is left out, because it means nobody."""
        while True:
            series, area = divmod(self._phones, len(AREAS))
            exchange, line = divmod(series, 10_000)
            self._phones += 1
            number = f"+1{AREAS[area]}{555 + exchange}{line * 7919 % 10_000:04d}"
            if not number.endswith("5555555"):
                return number

    def new_card(self) -> str:
        self._cards += 1
        return f"LC{self._cards * 7_919_777 % 100_000_000:08d}"

    def new_ip(self) -> str:
        """Out of 100.64.0.0/10, which no public host has."""
        return f"100.{self.dice.between(64, 127)}.{self.dice.below(256)}.{self.dice.between(1, 254)}"

    def new_email(self, first: str, last: str, hosts: tuple[str, ...] = MAIL_HOSTS) -> str:
        """An address nobody has, however it is spelt."""
        dice = self.dice
        host = "gmail.com" if hosts is MAIL_HOSTS and dice.chance(0.4) else dice.pick(hosts)
        first, last = _plain(first), _plain(last)
        local = dice.pick(
            (f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{last}.{first}", f"{first}_{last}")
        )
        suffix = "" if host != "gmail.com" else str(dice.between(1000, 99999))
        while True:
            address = f"{local}{suffix}@{host}"
            mailbox = normalise("email", address).value
            if mailbox not in self._mailboxes:
                self._mailboxes.add(mailbox)
                return address
            suffix = str(dice.between(10, 999_999))


def _plain(name: str) -> str:
    return "".join(letter for letter in normalize("NFD", name).lower() if letter.isascii() and letter.isalpha())
