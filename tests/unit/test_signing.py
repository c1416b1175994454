"""Signed documents: whoever has the public key finds every change."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from identity_graph.errors import IdentityGraphError
from identity_graph.signing import Signer, render, verify

DOCUMENT = {"receipt": "0190-1", "events": 3, "verified": True, "policy": "ab", "note": "Zoë", "scrubbed": False}


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "keys" / "signing.pem")


def refusal(content: bytes, public: bytes) -> str:
    with pytest.raises(IdentityGraphError) as caught:
        verify(content, public)
    return caught.value.code


def test_what_was_signed_is_valid(signer: Signer) -> None:
    signed = signer.sign(DOCUMENT)
    assert list(signed) == [*DOCUMENT, "key", "signature"]
    assert verify(render(signed), signer.public()) == {**DOCUMENT, "key": signed["key"]}
    assert Signer(signer.place).sign(DOCUMENT) == signed, "by the same key, of another process"


def test_the_key_is_for_its_owner_alone(signer: Signer) -> None:
    signer.public()
    assert stat.S_IMODE(signer.place.stat().st_mode) == 0o600
    assert stat.S_IMODE(signer.place.parent.stat().st_mode) == 0o700


def test_any_change_is_found(signer: Signer) -> None:
    content, public = render(signer.sign(DOCUMENT)), signer.public()
    dice = random.Random(11)
    for _ in range(10_000):
        place = dice.randrange(len(content))
        kind = dice.choice(["flip", "drop", "add", "swap", "cut"])
        other = bytearray(content)
        if kind == "flip":
            other[place] ^= 1 << dice.randrange(8)
        elif kind == "drop":
            del other[place]
        elif kind == "add":
            other.insert(place, dice.randrange(256))
        elif kind == "swap":
            second = dice.randrange(len(content))
            other[place], other[second] = other[second], other[place]
        else:
            del other[place:]
        if bytes(other) != content:
            assert refusal(bytes(other), public) == "SIGNATURE_INVALID"


def rewritten(signed: dict[str, Any]) -> list[bytes]:
    """The same to whoever parses it, and what a forger would try."""
    pairs = list(signed.items())
    without = {name: value for name, value in pairs if name != "signature"}
    return [
        json.dumps(signed).encode(),
        render(dict(sorted(pairs))),
        render(dict(pairs[::-1])),
        render(signed) + b"\n",
        render(signed).replace(b'"events": 3', b'"events": 4,\n  "events": 3'),
        render(without),
        render({**signed, "signature": None}),
        render({**signed, "signature": ""}),
        render({**signed, "signature": signed["signature"] + "\n"}),
        render({**signed, "signature": [signed["signature"]]}),
        render({**signed, "more": 1}),
        render({**without, "events": 4, "signature": signed["signature"]}),
        b"[]\n",
        b"",
        b"\xff",
    ]


def test_the_same_in_other_words_is_not_what_was_written(signer: Signer) -> None:
    signed = signer.sign(DOCUMENT)
    for content in rewritten(signed):
        assert content != render(signed)
        assert refusal(content, signer.public()) == "SIGNATURE_INVALID"


def test_another_key(signer: Signer, tmp_path: Path) -> None:
    other = Signer(tmp_path / "other.pem")
    assert refusal(render(other.sign(DOCUMENT)), signer.public()) == "SIGNATURE_INVALID"
    renamed = {**other.sign(DOCUMENT), "key": signer.sign(DOCUMENT)["key"]}
    assert refusal(render(renamed), signer.public()) == "SIGNATURE_INVALID"


def test_what_is_no_public_key(signer: Signer) -> None:
    content = render(signer.sign(DOCUMENT))
    elliptic = generate_private_key(SECP256R1()).public_key()
    for key in (b"", b"key", signer.place.read_bytes()):
        assert refusal(content, key) == "SIGNING_KEY"
    assert refusal(content, elliptic.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)) == "SIGNING_KEY"
    assert load_pem_public_key(signer.public())


def test_what_is_no_private_key(tmp_path: Path) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    elliptic = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for number, content in enumerate((b"", b"nonsense", locked, elliptic)):
        place = tmp_path / f"{number}.pem"
        place.write_bytes(content)
        with pytest.raises(IdentityGraphError) as caught:
            Signer(place).sign(DOCUMENT)
        assert caught.value.code == "SIGNING_KEY" and str(place) in caught.value.message
        assert place.read_bytes() == content, "it is not written over"
    with pytest.raises(IdentityGraphError) as caught:
        Signer(tmp_path).sign(DOCUMENT)
    assert caught.value.code == "SIGNING_KEY"
