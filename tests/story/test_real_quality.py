"""Real records whose truth is known: the persons that are found are as good as joining on equal values, or it is said
where they are not, and why."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from bench.labelled import CONTACTS, CUSTOMERS, SPLINK, TRIALS, Labelled, Trial, reached, rows
from bench.quality import main
from identity_graph.errors import InputError
from identity_graph.normalise import normalise
from identity_graph.quality import Quality
from tests.story.test_real_data import data

# Floors that are not reached, with the least that is: what one record copies from two people glues these together, once
# several identifiers join. See below for why, and for the policy that keeps them apart.
SHORT = {
    (CONTACTS.name, "email"): (0.828, 0.687),
    (CONTACTS.name, "written_email"): (0.828, 0.687),
    (CUSTOMERS.name, "email"): (0.325, 1.0),
    (CUSTOMERS.name, "written_email"): (0.340, 1.0),
}


def short(trial: Trial) -> tuple[float, float] | None:
    joint = len(trial.identifiers) == 3 and trial.policy is None
    return SHORT.get((trial.data.name, trial.identifiers[0])) if joint else None


def quality(trial: Trial) -> Quality:
    data(trial.data.path)
    return trial.quality()


def name(trial: Trial) -> str:
    return f"{trial.data.name}: {' '.join(trial.identifiers)}"


def named(of: Labelled, *identifiers: str) -> Trial:
    """The one of TRIALS with these identifiers, whichever others it has."""
    return min(
        (trial for trial in TRIALS if trial.data is of and set(identifiers) <= set(trial.identifiers)),
        key=lambda trial: len(trial.identifiers),
    )


@pytest.mark.parametrize("trial", [trial for trial in TRIALS if trial.floor], ids=name)
def test_persons_are_as_good_as_equal_values_or_known_to_be_less(trial: Trial) -> None:
    answer = quality(trial)
    assert trial.floor
    least = short(trial)
    assert reached(answer, trial.floor) == (least is None), (answer.precision, answer.recall)
    if least:
        assert answer.precision >= least[0] and answer.recall >= least[1]


@pytest.mark.parametrize(
    ("of", "pairs"),
    [(CONTACTS, 2), (CUSTOMERS, 5), (SPLINK, 0)],
    ids=lambda one: one.name if isinstance(one, Labelled) else str(one),
)
def test_what_is_no_address_joins_by_what_it_is(of: Labelled, pairs: int) -> None:
    """In the address of some records are digits, a few of them in two records of one person."""
    file = data(of.path)
    values: dict[str, list[str]] = {}
    for row in rows(file):
        if row["email"] and refused(row["email"]):
            values.setdefault(row["email"], []).append(of.owner(row))
    assert 20 < len(values) < 500
    assert sum(len(owners) - 1 for owners in values.values()) == pairs
    assert all(len(set(owners)) == 1 for owners in values.values())
    trial = named(of, "email")
    found, written = trial.quality(), replace(trial, identifiers=("written_email",)).quality()
    assert (found.found_pairs, found.right_pairs) == (written.found_pairs, written.right_pairs)


def refused(value: str) -> bool:
    try:
        normalise("email", value)
    except InputError as error:
        return error.code.startswith("EMAIL_")
    return False


def test_more_identifiers_find_more() -> None:
    data(CONTACTS.path)
    together = named(CONTACTS, "written_email", "written_phone").quality()
    for alone in ("written_email", "phone", "linkedin"):
        one = named(CONTACTS, alone).quality()
        assert one.recall < together.recall and one.f1 < together.f1
    assert (round(together.recall, 2), round(together.f1, 2)) == (0.69, 0.75)


@pytest.mark.parametrize("of", [CONTACTS, CUSTOMERS], ids=lambda of: of.name)
def test_precision_is_lost_to_records_that_copy_what_is_anothers(of: Labelled, tmp_path: Path) -> None:
    """Each of them carries what is one person's, or the address of one and the telephone or card of another: by these
    alone nothing tells it from a person who moved. Without them all is found that was, and nearly nothing else."""
    everything = rows(data(of.path))
    kept = [row for row in everything if row["match_type"] != "hard_neg"]
    assert 0.85 < len(kept) / len(everything) < 1
    file = tmp_path / "kept.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, everything[0])
        writer.writeheader()
        writer.writerows(kept)
    trial = named(of, "written_email", "written_phone")
    clean, copied = trial.quality(file), trial.quality()
    assert clean.precision > 0.98
    assert clean.right_pairs == copied.right_pairs
    assert copied.precision < 0.85


def test_the_table_has_a_row_for_each_trial_and_says_what_is_absent(capsys: pytest.CaptureFixture[str]) -> None:
    for trial in TRIALS:
        data(trial.data.path)
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(TRIALS)
    assert sum(line.endswith("not reached") for line in lines) == len(SHORT)


def test_no_rule_over_these_identifiers_reaches_the_floor_of_the_cards_with_the_addresses() -> None:
    """By cards alone every right pair is found, so a joint answer may have no wrong pair more. But who joins records by
    equal addresses, as the floor of these asks, joins records that have no card with people that they are not."""
    data(CUSTOMERS.path)
    everything = rows(CUSTOMERS.file)
    cards, addresses = (named(CUSTOMERS, name).quality() for name in ("loyalty_id", "email"))
    assert round(cards.recall, 3) == 1.0
    without = [row for row in everything if row["email"] and not row["loyalty_id"]]
    owners: dict[str, set[str]] = {}
    for row in everything:
        owners.setdefault(row["email"], set()).add(row["true_person"])
    assert len(without) > 200 and all(len(owners[row["email"]]) > 1 for row in without)
    assert all(row["match_type"] == "hard_neg" for row in without)
    assert addresses.found_pairs - addresses.right_pairs > len(without)
