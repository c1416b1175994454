from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph.errors import SettingError
from identity_graph.settings import PREFIX, Settings, read_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_without_anything_set() -> None:
    settings = read_settings()
    assert settings.store == "sqlite:///identity_graph.db"
    assert settings.policy is None and settings.tombstone_key is None
    assert (settings.host, settings.port, settings.debug) == ("127.0.0.1", 8000, False)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", "sqlite:///people.db")
    monkeypatch.setenv("IDENTITY_GRAPH_POLICY", "strict.toml")
    monkeypatch.setenv("IDENTITY_GRAPH_PORT", "0")
    settings = read_settings()
    assert (settings.store, settings.policy, settings.port) == ("sqlite:///people.db", Path("strict.toml"), 0)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_PORT", "")
    assert read_settings().port == 8000


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("PORT", "65536"), ("PORT", "-1"), ("DEBUG", "perhaps")])
def test_a_wrong_value_names_its_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingError) as caught:
        read_settings()
    assert caught.value.code == "SETTING_INVALID" and caught.value.message.startswith(PREFIX + name)
    assert PREFIX + name in caught.value.help


def test_the_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", "hunter2-hunter2")
    settings = read_settings()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.tombstone_key is not None and settings.tombstone_key.get_secret_value() == "hunter2-hunter2"


def test_every_field_says_what_it_is() -> None:
    assert all(field.description and field.description.endswith(".") for field in Settings.model_fields.values())
