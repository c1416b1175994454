"""Resolving a whole store beside reading its links as columns: `python -m bench.resolve [PEOPLE]`.

Both start from the same file, of a seeded world; best of five, interleaved. Each resolution publishes from nothing into
a copy of its own, and all must publish the same persons.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from identity_graph.loaders import read_loader
from identity_graph.policy import Policy
from identity_graph.service import IdentityGraph
from identity_graph.store import open_store
from identity_graph.world import World

FILES = {
    "web": "web.jsonl",
    "app": "app.jsonl",
    "crm": "crm.csv",
    "orders": "orders.parquet",
    "loyalty": "loyalty.csv.gz",
}
ROUNDS = 5
BAR = 3.0


def prepare(folder: Path, people: int) -> Path:
    """A store with the events of a world, not resolved yet."""
    World(people, seed=1).write(folder)
    path = folder / "evidence.db"
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        for loader, file in FILES.items():
            graph.ingest.load(read_loader(loader), folder / file)
        graph.store.privacy.scrub()
    return path


def read(path: Path) -> tuple[float, int]:
    """Seconds to have the links of a store as columns, and their number."""
    store = open_store(f"sqlite:///{path}")
    start = time.perf_counter()
    evidence = store.evidence
    links = evidence.link_table(*evidence.identifier_table(), Policy.default(), evidence.statements())
    taken = time.perf_counter() - start
    store.close()
    return taken, len(links)


def resolve(path: Path) -> tuple[float, str]:
    """Seconds to publish the persons of a store, and the digest of what was published."""
    copy = path.with_suffix(".copy.db")
    shutil.copyfile(path, copy)
    with IdentityGraph.open(f"sqlite:///{copy}") as graph:
        start = time.perf_counter()
        graph.resolver.resolve()
        taken = time.perf_counter() - start
        digest = graph.digest()
    copy.unlink()
    return taken, digest


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        path = prepare(Path(folder), people)
        resolve(path)  # compiles the kernels, once
        reads, resolutions = [], []
        for _ in range(ROUNDS):
            reads.append(read(path))
            resolutions.append(resolve(path))
        assert len({links for _, links in reads}) == 1
        assert len({digest for _, digest in resolutions}) == 1
        ratio = min(resolutions)[0] / min(reads)[0]
        print(f"resolve: {reads[0][1]:,} links of {people:,} people")
        print(f"resolve: publishing all persons takes {ratio:.2f}x the reading of the links as columns (bar {BAR}x)")


if __name__ == "__main__":
    main()
