"""Memory of the array pipeline, a link and an identifier: `python -m bench.memory [PEOPLE]`.

A process of its own folds observations, weighs the links and groups the identifiers, with limits off; counted is
its highest memory after the observations are there, without those columns and the values, which are given. A second
process does the same of three times as many, and the differences are shared out: 40 bytes for each identifier, the rest
to the links.
"""

from __future__ import annotations

import subprocess
import sys

STEPS = ("fold", "weigh", "group")
BAR = 40
PEOPLE = 100_000

ALONE = """
import sys
from dataclasses import replace
import numpy as np
from bench.graphs import identity_graph
from bench.load import peak_of
from identity_graph.policy import Policy
from identity_graph.resolve.fold import fold
from identity_graph.resolve.groups import group
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.weights import weigh

def run(people):
    n, a, b = identity_graph(people)
    keep = a != b
    a, b = a[keep], b[keep]
    event = np.repeat(np.arange(len(a)), 2)
    identifier = np.stack([a, b], axis=1).ravel()
    time, source = event.copy(), np.zeros(len(event), np.int16)
    namespace, names, values = np.zeros(n, np.int16), ["email"], [""] * n
    policy = Policy.default().without_limits()
    rules = Rules.of(policy, names, ["web"])
    none = np.empty(0, np.int32)
    del a, b, keep
    marks = [reset()]
    links = fold(event, identifier, time, source, namespace=namespace, namespaces=names, values=values,
                 priority=rules.priority, pairwise_up_to=8)
    marks.append(peak_of("self"))
    weighed = weigh(links, (none, none), namespace, rules, now=0)
    marks.append(peak_of("self"))
    every = np.ones(len(weighed), np.bool_), np.ones(n, np.bool_)
    group(weighed, *every, namespace, values, policy, rules)
    marks.append(peak_of("self"))
    return len(links), n, marks

def reset():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the high-water mark begins anew
    return peak_of("self")

run(1000)
links, n, marks = run(int(sys.argv[1]))
print(links, n, *marks)
"""


def measured(people: int) -> list[int]:
    """Links, identifiers, and the high-water marks in KiB: before, and after each step."""
    command = [sys.executable, "-c", ALONE, str(people)]
    return [int(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    few, many = measured(people), measured(3 * people)
    links, identifiers = many[0] - few[0], many[1] - few[1]
    print(f"memory: {many[0]:,} links, {many[1]:,} identifiers")
    for step, name in enumerate(STEPS, start=3):
        grown = ((many[step] - many[2]) - (few[step] - few[2])) * 1024
        share = (grown - BAR * identifiers) / links
        print(f"memory: up to {name}, bytes a link {share:.0f} (bar {BAR}, beside {BAR} an identifier)")


if __name__ == "__main__":
    main()
