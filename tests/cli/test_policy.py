"""policy show, check, diff."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calling import ROOT, answer, run


def test_policy_show_is_the_policy_in_force(tmp_path: Path) -> None:
    shown = run("policy", "show").stdout
    assert shown == (ROOT / "identity_graph" / "policy.toml").read_text()
    (tmp_path / "mine.toml").write_text("min_weight = 0.5\n")
    assert "min_weight = 0.5" in run("policy", "show", "--policy", "mine.toml").stdout
    assert answer("policy", "show", "--policy", "mine.toml")["digest"] != answer("policy", "show")["digest"]


def test_policy_check(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text("[namespaces.email]\nlimit = '2 ever'\n")
    (tmp_path / "bad.toml").write_text("[namespaces.email]\nlimt = '2 ever'\n")
    assert len(answer("policy", "check", "good.toml")["digest"]) == 64
    result = run("policy", "check", "bad.toml", status=4)
    assert result.stderr.splitlines()[0] == "POLICY_KEY: bad.toml, line 2: namespaces.email.limt: no such key"


def test_policy_diff_tells_what_would_change(copied: str, tmp_path: Path) -> None:
    (tmp_path / "apart.toml").write_text("min_weight = 1.0\n[blocked]\nvalues = ['kiosk']\n")
    before = run("digest", "--store", copied).stdout
    found = answer("policy", "diff", "--store", copied, "apart.toml")
    rules = {rule["rule"]: (rule["now"], rule["then"]) for rule in found["rules"]}
    assert rules == {"min_weight": (0.2, 1.0), "blocked.values": ([], ["kiosk"])}
    assert found["persons"]["persons_then"] > found["persons"]["persons"] and found["persons"]["split"] > 0
    examples = found["persons"]["examples"]
    assert [one["kind"] for one in examples] == ["SPLIT"] * 5
    sizes = [sum(group["size"] for group in one["before"]) for one in examples]
    largest = answer("stats", "--store", copied)["largest_person"]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == largest
    ids = [group["id"] for group in examples[0]["before"]]
    assert [one["id"] for one in examples[0]["after"] if one["id"]] in (ids, []) and len(examples[0]["after"]) > 1
    assert run("digest", "--store", copied).stdout == before
    assert "  split: " in run("policy", "diff", "--store", copied, "apart.toml").stdout
    run("resolve", "--store", copied, "--policy", "apart.toml")
    assert answer("stats", "--store", copied)["persons"] == found["persons"]["persons_then"]
    words = run("policy", "diff", "--store", copied, "apart.toml").stdout
    assert "min_weight: 0.2 -> 1.0" in words and "blocked.values: nothing -> kiosk" in words


def test_policy_diff_names_what_differs_and_nothing_else(tmp_path: Path) -> None:
    """What only the new file names had the rules of any other before."""
    (tmp_path / "new.toml").write_text(
        '[namespaces.card]\nlimit = "1 ever"\n[sources.crm]\ntrust = 0.5\n[blocked]\ncookie = { patterns = ["^c$"] }\n'
    )
    (tmp_path / "other.toml").write_text('[default]\nlimit = "2 ever"\n')
    rules = {
        "blocked.cookie.patterns": ([], ["^c$"]),
        "namespaces.card.limit": ("5 ever", "1 ever"),
        "sources.crm.trust": (1.0, 0.5),
    }
    assert "nothing at sqlite:///none.db" in run("policy", "diff", "new.toml", "--store", "sqlite:///none.db").stdout
    found = answer("policy", "diff", "new.toml")["rules"]
    assert {rule["rule"]: (rule["now"], rule["then"]) for rule in found} == rules
    found = answer("policy", "diff", "other.toml", "--policy", "new.toml")["rules"]
    back = {name: (new, old) for name, (old, new) in rules.items()}
    back |= {"namespaces.card.limit": ("1 ever", "2 ever"), "default.limit": ("5 ever", "2 ever")}
    assert {rule["rule"]: (rule["now"], rule["then"]) for rule in found} == back


def test_policy_diff_says_where_the_persons_are_of_other_rules(copied: str, tmp_path: Path) -> None:
    (tmp_path / "win.toml").write_text("min_weight = 0.9\n")
    (tmp_path / "same.toml").write_text("version = 1\n")
    (tmp_path / "third.toml").write_text("min_weight = 0.5\n")
    win, default = (answer("policy", *words)["digest"] for words in (("check", "win.toml"), ("show",)))
    assert "published" not in run("policy", "diff", "--store", copied, "same.toml").stdout
    run("resolve", "--store", copied, "--policy", "win.toml")
    first = (
        f"The persons are published under the policy {win[:12]}; these are not the rules in force, {default[:12]}.\n"
    )

    words = run("policy", "diff", "--store", copied, "same.toml").stdout
    compared = "Rules are compared with those in force, persons with the published ones.\n"
    same = "The rules are the same as those in force.\n"
    assert words.startswith(f"{first}{compared}{same}persons: ") and "would be merged" in words
    found = answer("policy", "diff", "--store", copied, "same.toml")
    assert found["rules"] == [] and found["persons"]["published"] == win

    words = run("policy", "diff", "--store", copied, "third.toml").stdout
    assert words.startswith(f"{first}{compared}min_weight: 0.2 -> 0.5\npersons: ")

    words = run("policy", "diff", "--store", copied, "win.toml").stdout
    same = "win.toml has the rules that they are published under.\n"
    assert words.startswith(f"{first}{same}min_weight: 0.2 -> 0.9\npersons: ") and "would be" not in words

    words = run("policy", "diff", "--store", copied, "same.toml", "--policy", "win.toml").stdout
    assert words.startswith("min_weight: 0.9 -> 0.2\npersons: ")


def test_policy_diff_says_where_nobody_is_published(tmp_path: Path) -> None:
    line = {
        "id": "s1",
        "time": "2026-01-01",
        "name": "Seen",
        "identifiers": {"user_id": "u1", "email": "a@example.org"},
    }
    (tmp_path / "seen.jsonl").write_text(json.dumps(line))
    (tmp_path / "same.toml").write_text("")
    run("load", "--loader", "events", tmp_path / "seen.jsonl")
    said = "The rules are the same.\nNobody is published yet: identity-graph resolve does that.\npersons: 0 -> 1\n"
    assert run("policy", "diff", "same.toml").stdout.startswith(said)
    run("resolve")
    assert "Nobody" not in run("policy", "diff", "same.toml").stdout


def test_policy_diff_without_a_store(tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text("")
    first, *more = run("policy", "diff", "same.toml").stdout.splitlines()
    assert (
        first == "The rules are the same." and len(more) == 1 and more[0].startswith("There is nothing at sqlite:///")
    )
    assert list(tmp_path.glob("*.db")) == []
