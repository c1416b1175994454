"""Real records whose truth is known: the persons that are found are as good as joining on equal values, or it is said
where they are not, and why."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.labelled import CONTACTS, CUSTOMERS, SPLINK, TRIALS, Labelled, Trial, reached, rows
from bench.quality import main
from identity_graph.errors import InputError
from identity_graph.normalise import normalise
from identity_graph.quality import Quality, measure
from tests.story.test_real_data import data

# Floors that are not reached, with the least that is. Two reasons, each with a test below: an address that is none sets
# its whole record aside; and what one record copies from two people glues them together, once several identifiers join.
SHORT = {
    (SPLINK.name, "email", 5): (1.0, 0.397),
    (CONTACTS.name, "email", 1): (0.905, 0.357),
    (CUSTOMERS.name, "email", 1): (0.433, 0.407),
    (CONTACTS.name, "email", 3): (0.795, 0.527),
    (CONTACTS.name, "written_email", 3): (0.829, 0.687),
    (CUSTOMERS.name, "email", 3): (0.255, 0.646),
    (CUSTOMERS.name, "written_email", 3): (0.340, 1.0),
}


def short(trial: Trial) -> tuple[float, float] | None:
    email = next((one for one in trial.identifiers if "email" in one), "")
    return SHORT.get((trial.data.name, email, len(trial.identifiers)))


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


@pytest.mark.parametrize("of", [CONTACTS, CUSTOMERS], ids=lambda of: of.name)
def test_an_address_falls_short_by_the_values_that_are_none(of: Labelled) -> None:
    file = data(of.path)
    truth = of.truth()
    found, written = named(of, "email").found(), named(of, "written_email").found()
    refused = [row["email"] for row in rows(file) if row[of.record] not in found and row["email"]]
    assert 100 < len(refused) < 500
    for value in refused:
        with pytest.raises(InputError) as refusal:
            normalise("email", value)
        assert refusal.value.code.startswith("EMAIL_")
    read = {record: owner for record, owner in truth.items() if record in found}
    ours, theirs = measure(found, read), measure(written, read)
    assert (ours.found_pairs, ours.right_pairs) == (theirs.found_pairs, theirs.right_pairs)


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
