"""How good the persons are where the truth is known: `python -m bench.quality`.

One row a data set and choice of identifiers: persons found and true, precision and recall of pairs of records, and the
floor, which joining on equal values alone gives. By the default policy, where no other is named. Needs the folders
febrl, splink_fake and dupehell; see `labelled` for where they lie. What is absent is named, the others are measured.
"""

from __future__ import annotations

from bench.labelled import TRIALS, reached
from identity_graph.quality import measure


def main() -> None:
    absent = sorted({trial.data.file for trial in TRIALS if not trial.data.file.exists()})
    for file in absent:
        print(f"{file} is missing: put it there, or say by IDENTITY_GRAPH_TEST_DATA where the test data is")
    trials = [trial for trial in TRIALS if trial.data.file not in absent]
    if trials:
        print(f"{'data set':18}  {'identifiers':52}  {'found/true':>11}  {'P':>5}  {'R':>5}   floor P, R")
    for trial in trials:
        found, truth = trial.found(), trial.data.truth()
        quality = measure(found, truth)
        persons = f"{quality.persons + len(truth) - len(found):,}/{len(set(truth.values())):,}"
        row = f"{trial.data.name:18}  {' '.join(trial.identifiers):52}  {persons:>11}"
        row += f"  {quality.precision:.3f}  {quality.recall:.3f}"
        if trial.floor:
            by = f"  by {trial.policy}" if trial.policy else ""
            verdict = "" if reached(quality, trial.floor) else "  not reached"
            row += f"   {trial.floor[0]:.3f}, {trial.floor[1]:.3f}{by}{verdict}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
