"""People who share one junk e-mail beside as many with addresses of their own: `python -m bench.junk [PEOPLE]`.

Each person is one event of a user, a cookie and an address, from a file into a new store, and resolved. In the one
world the address is the same for everybody, and none that a rule blocks: that it means nobody is to be found out. As
many events and observations in both, one round after a small one; nobody may be joined with anybody.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from bench.races import ratio
from identity_graph.loaders import read_loader
from identity_graph.service import IdentityGraph

PEOPLE = 1_000_000
JUNK = "shop@till.example"


def write(path: Path, people: int, address: str | None) -> None:
    with path.open("w", encoding="utf-8") as file:
        for one in range(people):
            own = {"user_id": f"u{one}", "cookie": f"c{one:08x}", "email": address or f"p{one}@mail.example"}
            record = {"id": f"e{one}", "time": 1_767_225_600_000 + one, "name": "Seen", "identifiers": own}
            file.write(json.dumps(record) + "\n")


def cost(folder: Path, path: Path, people: int) -> tuple[float, float]:
    """Seconds to load and to resolve."""
    with IdentityGraph.open(f"sqlite:///{folder}/{path.stem}-{people}.db") as graph:
        start = time.perf_counter()
        run = graph.ingest.load(read_loader("events"), path)
        loaded = time.perf_counter()
        graph.resolver.resolve()
        end = time.perf_counter()
        assert run.accepted == people
        sizes = graph.people.memberships().group_by("person_id").len()["len"]
        assert len(sizes) == people, len(sizes)
        assert set(sizes) == {2 if path.stem == "junk" else 3}
    return loaded - start, end - loaded


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with tempfile.TemporaryDirectory() as name:
        for count in (min(people, 1_000), people):
            took = {}
            for world, address in (("own", None), ("junk", JUNK)):
                path = Path(name) / f"{world}.jsonl"
                write(path, count, address)
                took[world] = cost(Path(name), path, count)
    load, resolve = zip(took["junk"], took["own"], strict=True)
    print(f"junk: {people:,} people share one address; none is joined with another")
    ratio("junk: loading and resolving beside addresses of their own", sum(took["junk"]), sum(took["own"]), "bar 1.2")
    ratio("junk: loading alone", *load, "bar 1.2")
    ratio("junk: resolving alone", *resolve, "no bar")


if __name__ == "__main__":
    main()
