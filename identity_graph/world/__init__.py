"""A world of made-up people whose truth is known: five event files, and who is who in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from identity_graph.world.dice import Dice
from identity_graph.world.files import NAMES, Files
from identity_graph.world.life import Life
from identity_graph.world.moments import END, Calendar
from identity_graph.world.people import Cast
from identity_graph.world.records import Records
from identity_graph.world.truth import Ledger, Truth

__all__ = ["END", "EVENTS_A_PERSON", "NAMES", "Truth", "World"]

EVENTS_A_PERSON = 50
"""About; for choosing how many people make how many events."""


@dataclass(frozen=True, slots=True)
class World:
    """Seeded people over the two years before `END`: the same people, seed and sessions give the same bytes.

    There are households with shared tablets, landlines and mailboxes, cookies that are reset, second devices, e-mail
    addresses in other letters, with plus tags and with slips, phone numbers that become another person's, kiosks in
    stores, the phone of a call centre, crawlers, second cards, borrowed cards, marriages that change an address, and
    people who never log in. Small worlds lack the kiosk and the call centre.
    """

    people: int
    seed: int = 0
    sessions: float = 6.0

    def write(self, folder: str | Path, *, keep_events: bool = True) -> Truth:
        """Write web.jsonl, app.jsonl, crm.csv, orders.parquet and loyalty.csv.gz into the folder; answer the truth.

        Events come nearly in the order of time, as visits overlap; some 80,000 of them a second. Of the truth, the
        events take 120 bytes of memory each and grow with the world: without `keep_events` they are left out of it.
        """
        dice = Dice(self.seed)
        cast = Cast(self.people, dice)
        ledger = Ledger(keep_events)
        with Files(folder) as files:
            life = Life(cast, dice, Records(dice, files, ledger))
            for moment in Calendar(cast, dice, self.sessions):
                life.live(moment)
        return ledger.truth(files.lines)
