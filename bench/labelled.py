"""Real files whose truth is known, loaded and resolved as any user would: who of their records is one person.

The files are not the project's: they lie in ../shared/data beside the checkout, or in the folder that
IDENTITY_GRAPH_TEST_DATA names. A trial takes some of the identifiers that a data set has, by its loader in
tests/story/loaders, and has the floor to reach: what joining on equal values alone gives.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from identity_graph import IdentityGraph
from identity_graph.loaders import Loader, read_loader
from identity_graph.policy import Policy
from identity_graph.quality import Quality, measure

HERE = Path(__file__).parents[1]
DATA = Path(os.environ.get("IDENTITY_GRAPH_TEST_DATA") or HERE.parent / "shared" / "data")
STORY = HERE / "tests" / "story"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file of records; `owner` is whose a record is by the file's own word."""

    name: str
    path: str
    loader: str
    record: str
    owner: Callable[[Row], str]

    @property
    def file(self) -> Path:
        return DATA / self.path

    def truth(self, file: Path | None = None) -> dict[str, str]:
        """Record -> person; of another file of the same form, if one is given."""
        return {row[self.record]: self.owner(row) for row in rows(file or self.file)}


@dataclass(frozen=True, slots=True)
class Trial:
    """`floor` is precision and recall to three digits; without one, the figures are for comparison. `policy` is a file
    in tests/story/policies, None the default policy."""

    data: Labelled
    identifiers: tuple[str, ...]
    floor: tuple[float, float] | None = None
    policy: str | None = None

    @contextmanager
    def resolved(self, file: Path | None = None) -> Iterator[IdentityGraph]:
        """A graph of the data set, or of another file of its form, with these identifiers alone."""
        everything = read_loader(STORY / "loaders" / self.data.loader).file
        chosen = tuple(one for one in everything.identifiers if one[0] in self.identifiers)
        policy = Policy.read(STORY / "policies" / self.policy) if self.policy else Policy.default()
        with IdentityGraph.open("sqlite:///:memory:", policy) as graph:
            graph.ingest.load(Loader(replace(everything, identifiers=chosen)), file or self.data.file, time=0)
            graph.resolver.resolve()
            yield graph

    def found(self, file: Path | None = None) -> dict[str, str]:
        """Record -> person id. Missing are records without an identifier that can be read or that joins."""
        records = list(self.data.truth(file))
        with self.resolved(file) as graph:
            events = graph.people.events(records)
        owners = {one.event.id: one.person_id for one in events if one}
        return {record: owner for record, owner in owners.items() if owner is not None}

    def quality(self, file: Path | None = None) -> Quality:
        """Of pairs of records."""
        return measure(self.found(file), self.data.truth(file))


def rows(file: Path) -> list[dict[str, str]]:
    """Of a CSV file, plain or compressed."""
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return list(csv.DictReader(text.decode().splitlines(), skipinitialspace=True))


def reached(quality: Quality, floor: tuple[float, float]) -> bool:
    """Floors were published with three digits, so that is what is compared."""
    return round(quality.precision, 3) >= floor[0] and round(quality.recall, 3) >= floor[1]


def _number(row: Row) -> str:
    return row["rec_id"].split("-")[1]  # rec-223-org, rec-223-dup-0


def _true_person(row: Row) -> str:
    return row["true_person"]


FEBRL1 = Labelled("febrl dataset1", "febrl/dataset1.csv", "febrl.toml", "rec_id", _number)
FEBRL3 = Labelled("febrl dataset3", "febrl/dataset3.csv", "febrl.toml", "rec_id", _number)
SPLINK = Labelled(
    "splink_fake", "splink_fake/fake_1000.csv", "splink_fake.toml", "unique_id", lambda row: row["cluster"]
)
CONTACTS = Labelled(
    "dupehell contacts",
    "dupehell/dev_crm_contact_medium_seed42.csv.gz",
    "dupehell_contacts.toml",
    "record_id",
    _true_person,
)
CUSTOMERS = Labelled(
    "dupehell customers",
    "dupehell/dev_ecommerce_customer_medium_seed42.csv.gz",
    "dupehell_customers.toml",
    "record_id",
    _true_person,
)

NAMED = ("record", "given_name", "surname", "birth_date")
BY_NAME = "name_and_birth_date.toml"
ONE_OF_EACH = "one_of_each.toml"

TRIALS = (
    Trial(FEBRL1, ("soc_sec_id",), (1.0, 0.900)),
    Trial(FEBRL1, NAMED, (1.0, 0.404), BY_NAME),
    Trial(FEBRL1, (*NAMED, "soc_sec_id"), (1.0, 0.900), BY_NAME),
    Trial(FEBRL3, ("soc_sec_id",), (1.0, 0.857)),
    Trial(FEBRL3, NAMED, (1.0, 0.292), BY_NAME),
    Trial(FEBRL3, (*NAMED, "soc_sec_id"), (1.0, 0.857), BY_NAME),
    Trial(SPLINK, ("email",), (1.0, 0.336)),
    Trial(SPLINK, (*NAMED, "email"), (1.0, 0.405), BY_NAME),
    Trial(SPLINK, (*NAMED, "written_email"), (1.0, 0.405), BY_NAME),
    Trial(CONTACTS, ("email",), (0.906, 0.359)),
    Trial(CONTACTS, ("written_email",), (0.906, 0.359)),
    Trial(CONTACTS, ("phone",)),
    Trial(CONTACTS, ("linkedin",)),
    Trial(CONTACTS, ("email", "phone", "linkedin"), (0.906, 0.359)),
    Trial(CONTACTS, ("written_email", "written_phone", "linkedin"), (0.906, 0.359)),
    Trial(CONTACTS, ("email", "phone", "linkedin"), (0.906, 0.359), ONE_OF_EACH),
    Trial(CUSTOMERS, ("email",), (0.435, 0.410)),
    Trial(CUSTOMERS, ("written_email",), (0.435, 0.410)),
    Trial(CUSTOMERS, ("phone",)),
    Trial(CUSTOMERS, ("loyalty_id",), (0.807, 1.0)),
    Trial(CUSTOMERS, ("email", "phone", "loyalty_id"), (0.807, 1.0)),
    Trial(CUSTOMERS, ("written_email", "written_phone", "loyalty_id"), (0.807, 1.0)),
)
