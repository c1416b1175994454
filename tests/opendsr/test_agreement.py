"""The file of what is agreed, the key and the certificate; and the verbs of the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from identity_graph.cli import app
from identity_graph.errors import SettingError
from identity_graph.opendsr import Agreement
from tests.cli.calling import RUNNER
from tests.opendsr.authority import Authority, self_signed, write_key
from tests.opendsr.conftest import agreed

EC = ec.generate_private_key(ec.SECP256R1())


def refusal(folder: Path, text: str) -> str:
    path = folder / "opendsr.toml"
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        Agreement.read(path).seal()
    assert caught.value.code == "OPENDSR_INVALID"
    return caught.value.message


WRONG = {
    "domain": ('domain = "localhost"', 'domain = "Example.org"'),
    "pending": ('pending = "1 hour"', 'pending = "soon"'),
    "expected": ("attempts = 6", 'expected = "1m"'),
    "identities.shoe_size": ("controller_customer_id", "shoe_size"),
    "extension": ('cookie = "cookie"', 'email = "email"'),
    "formats": ("attempts = 6", 'formats = ["rot13"]'),
    "attempts": ("attempts = 6", "attempts = 0"),
    "unknown": ("attempts = 6", "unknown = 1"),
    "shared": ('shared = "detach"', 'shared = "ask"'),
    "url": ("http://localhost:0", "https://example.org/x"),
    "no namespace": ('email = "email"', 'email = "no namespace"'),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_allowed_is_named(tmp_path: Path, name: str) -> None:
    right = agreed(tmp_path).read_text()
    assert WRONG[name][0] in right
    assert name.rpartition(".")[2] in refusal(tmp_path, right.replace(*WRONG[name]))


def test_no_toml_and_no_file(tmp_path: Path) -> None:
    assert "opendsr.toml" in refusal(tmp_path, "domain = ")
    with pytest.raises(SettingError, match="No such file"):
        Agreement.read(tmp_path / "nothing.toml")


BAD: dict[str, Any] = {
    "is signed by itself": lambda authority: (EC, self_signed(EC, "localhost")),
    "is not for localhost": lambda authority: (EC, authority.certificate(EC, "example.org")),
    "and a wildcard": lambda authority: (EC, authority.certificate(EC, "*.localhost")),
    "is good from": lambda authority: (EC, authority.certificate(EC, "localhost", days=(-9, -1))),
    "is not of the key": lambda authority: (EC, authority.certificate(ec.generate_private_key(EC.curve), "localhost")),
    "holds no certificate": lambda authority: (EC, b"-----BEGIN"),
    "2048 bits": lambda authority: (rsa.generate_private_key(65537, 1024), b""),
    "nor one of the curves": lambda authority: (ec.generate_private_key(ec.SECP256K1()), b""),
    "neither an RSA key": lambda authority: (ed25519.Ed25519PrivateKey.generate(), b""),
}


@pytest.mark.parametrize("words", BAD)
def test_a_certificate_that_controllers_would_not_take(tmp_path: Path, words: str) -> None:
    key, certificate = BAD[words](Authority())
    write_key(tmp_path / "opendsr.key", key)
    (tmp_path / "opendsr.pem").write_bytes(certificate)
    assert words in refusal(tmp_path, agreed(tmp_path).read_text())


def test_addresses_without_named_hosts(tmp_path: Path) -> None:
    Authority().equip(tmp_path, "localhost")
    agreement = Agreement.read(agreed(tmp_path)).model_copy(update={"callback_hosts": ()})
    assert agreement.may_call("https://example.org/x")
    for url in ("http://example.org/x", "https://ann@example.org", "https:///x", "https://a b", "https://[", "x"):
        assert not agreement.may_call(url), url


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_OPENDSR", str(agreed(tmp_path)))
    asked = RUNNER.invoke(app, ["opendsr", "csr"])
    found = x509.load_pem_x509_csr(asked.stdout.encode())
    assert asked.exit_code == 0 and found.is_signature_valid
    assert RUNNER.invoke(app, ["opendsr", "check"]).exit_code == 2
    own = (tmp_path / "opendsr.key").read_bytes()
    assert (tmp_path / "opendsr.key").stat().st_mode & 0o777 == 0o600
    RUNNER.invoke(app, ["opendsr", "csr"])
    assert (tmp_path / "opendsr.key").read_bytes() == own
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(own, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    (tmp_path / "opendsr.pem").write_bytes(Authority().certificate(key, "localhost"))
    checked = RUNNER.invoke(app, ["opendsr", "check"])
    assert checked.exit_code == 0 and json.loads(checked.stdout)["api_version"] == "2.0"
    store = ["--store", f"sqlite:///{tmp_path / 'people.db'}"]
    RUNNER.invoke(app, ["demo", "--keep", str(tmp_path / "people.db"), "--people", "10"])
    assert RUNNER.invoke(app, ["opendsr", "list", "--json", *store]).stdout.strip() == "[]"
    assert "0 callbacks" in RUNNER.invoke(app, ["opendsr", "retry", *store]).stdout
    monkeypatch.delenv("IDENTITY_GRAPH_OPENDSR")
    assert "IDENTITY_GRAPH_OPENDSR" in RUNNER.invoke(app, ["opendsr", "csr"]).stderr
