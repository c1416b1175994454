"""The file of destinations: what it may say, and that its secrets are told to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph.destinations import Destination, new_secret, read_destinations
from identity_graph.errors import SettingError
from tests.activation.receiver import KEY, SECRET

HOOK = '[crm]\nsegment = "gold"\nurl = "https://crm.example.org/hooks/T0K3N"\nsecret_env = "CRM"\n'


def read(folder: Path, text: str) -> dict[str, Destination]:
    path = folder / "destinations.toml"
    path.write_text(text)
    return read_destinations(path)


def test_both_kinds(tmp_path: Path) -> None:
    found = read(tmp_path, HOOK + '[ads]\nsegment = "gold"\nfile = "out/ads.csv"\naudience = "meta"\n')
    assert list(found) == ["crm", "ads"]
    assert found["crm"].place == "https://crm.example.org"  # what follows may be a secret
    assert found["ads"].file == tmp_path / "out" / "ads.csv" and found["ads"].audience == "meta"
    assert found["crm"].on_publication and found["crm"].attempts == 10


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[crm", "at end of document"),
        ('crm = "x"', "not a table"),
        ("[crm]\n", "no segment"),
        ('[crm]\nsegment = "gold"\n', "either a file or a url"),
        (HOOK + 'file = "x.csv"\n', "either a file or a url"),
        (HOOK + "surprise = 1\n", "no key 'surprise'"),
        (HOOK + 'attempts = "x"\n', "attempts must be of the type int"),
        (HOOK + "attempts = true\n", "attempts must be of the type int"),
        (HOOK + "attempts = 0\n", "attempts are 1 to 100"),
        (HOOK + "timeout = 61\n", "timeout up to 60"),
        (HOOK + "first_wait = nan\n", "first_wait"),
        (HOOK + 'identifiers = ["email", 1]\n', "a list of texts"),
        (HOOK + 'audience = "meta"\n', "an audience is a file"),
        (HOOK + 'secret_file = "x"\n', "the secret that signs"),
        (HOOK.replace('secret_env = "CRM"\n', ""), "the secret that signs"),
        (HOOK.replace("https://", "ftp://"), "not one of http or https"),
        (HOOK.replace("https://", "https://user:hunter2@"), "a user or a password"),
        (HOOK.replace("crm.example.org", "crm.example.org:x"), "not one of http or https"),
        (HOOK.replace("/hooks", "/ho oks"), "not one of http or https"),
        (HOOK.replace("/hooks", "\\r\\nx: y"), "not one of http or https"),
        ('[f]\nsegment = "gold"\nfile = "x.xls"\n', "must end in .csv or .jsonl or .parquet"),
        ('[f]\nsegment = "gold"\nfile = "x.jsonl"\naudience = "google"\n', "must end in .csv, as it is an audience"),
        ('[f]\nsegment = "gold"\nfile = "x.csv"\naudience = "x"\n', "one of google, meta"),
    ],
)
def test_what_is_not_allowed(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SettingError) as refused:
        read(tmp_path, text)
    assert refused.value.code == "DESTINATION_INVALID" and why in refused.value.message
    assert "T0K3N" not in refused.value.message and "hunter2" not in refused.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        read_destinations(tmp_path / "none.toml")


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = read(tmp_path, HOOK)["crm"]
    monkeypatch.setenv("CRM", SECRET)
    assert crm.secret() == KEY
    for wrong in ("", "hunter2", "whsec_hunter2", "whsec_aHVudGVyMg=="):
        monkeypatch.setenv("CRM", wrong)
        with pytest.raises(SettingError) as refused:
            crm.secret()
        assert "unter2" not in refused.value.message and "aHVud" not in refused.value.message
    kept = read(tmp_path, HOOK.replace('secret_env = "CRM"', 'secret_file = "keys/crm"'))["crm"]
    made = kept.secret()
    assert len(made) == 32 and kept.secret() == made  # made at first
    assert (tmp_path / "keys" / "crm").stat().st_mode & 0o777 == 0o600
    assert new_secret() != new_secret()
