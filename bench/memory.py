"""Memory of the array pipeline, a link and an identifier: `python -m bench.memory [PEOPLE]`.

A process of its own folds observations of one source or of two, and resolves the links, with limits off; counted is
its highest memory after the observations are there, without those columns and the values, which are given. A second
process does the same of three times as many, and the differences are shared out: 40 bytes for each identifier, the rest
to the links.

The tables that come out take 30 bytes for each link of a source, and 9 for each pair that is weighed; 16 more where
some pair has two sources, as its ends and times are then no longer those of the evidence.
"""

from __future__ import annotations

import subprocess
import sys

STEPS = ("fold", "resolve")
BAR = 40
PEOPLE = 100_000

ALONE = """
import sys
import numpy as np
from bench.graphs import identity_graph
from bench.load import peak_of
from identity_graph.policy import Policy
from identity_graph.resolve import fold_links, resolve_links
from identity_graph.tables import IdentifierTable, ObservationTable

def run(people, sources):
    n, a, b = identity_graph(people)
    keep = a != b
    a, b = a[keep], b[keep]
    event = np.repeat(np.arange(len(a)), 2)
    seen = ObservationTable(event, np.stack([a, b], axis=1).ravel().astype(np.int64), event.copy(),
                            (event % len(sources)).astype(np.int16))
    identifiers, values = IdentifierTable(np.arange(n), np.zeros(n, np.int16), ["email"]), [""] * n
    policy = Policy.default().without_limits()
    none = np.empty(0, np.int32)
    del a, b, keep
    marks = [reset()]
    links = fold_links(identifiers, values, seen, sources, policy)
    marks.append(peak_of("self"))
    resolve_links(identifiers, values, links, (none, none), sources, policy)
    marks.append(peak_of("self"))
    return len(links), n, marks

def reset():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the high-water mark begins anew
    return peak_of("self")

sources = ["shop", "web"][:int(sys.argv[2])]
run(1000, sources)
links, n, marks = run(int(sys.argv[1]), sources)
print(links, n, *marks)
"""


def measured(people: int, sources: int) -> list[int]:
    """Links, identifiers, and the high-water marks in KiB: before, and after each step."""
    command = [sys.executable, "-c", ALONE, str(people), str(sources)]
    return [int(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    for sources in (1, 2):
        few, many = measured(people, sources), measured(3 * people, sources)
        links, identifiers = many[0] - few[0], many[1] - few[1]
        print(f"memory: {many[0]:,} links by source, {many[1]:,} identifiers, sources: {sources}")
        for step, name in enumerate(STEPS, start=3):
            grown = ((many[step] - many[2]) - (few[step] - few[2])) * 1024
            share = (grown - BAR * identifiers) / links
            print(f"memory: up to {name}, bytes a link {share:.0f} (bar {BAR}, beside {BAR} an identifier)")


if __name__ == "__main__":
    main()
