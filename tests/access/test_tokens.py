"""Tokens: one way to be let in, and many ways to be turned away."""

from __future__ import annotations

import base64
import hmac
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from starlette.testclient import TestClient

from identity_graph.access import Door, Role
from identity_graph.access import tokens as tokens_module
from identity_graph.access.tokens import Issuer, Tokens
from identity_graph.api import create_app
from identity_graph.errors import AccessError, SettingError
from tests.access.conftest import Guarded
from tests.api.conftest import PATIENT

NOW = 1_767_225_600
RSA, OTHER_RSA = (RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}) for _ in range(2))
EC, OTHER_EC = (ECKey.generate_key("P-256", {"kid": "ec"}) for _ in range(2))
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
HIDDEN = OctKey.generate_key(256, {"kid": "oct"})
P384 = ECKey.generate_key("P-384", {"kid": "p384"})
FOR_SECRETS = RSAKey.generate_key(2048, {"kid": "enc"})
SIGNERS: dict[str, Any] = {"RS256": RSA, "ES256": EC, "Ed25519": ED, "EdDSA": ED}
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.org",
    "aud": "identity-graph",
    "sub": "ann",
    "role": "analyst",
    "iat": NOW - 10,
    "nbf": NOW - 10,
    "exp": NOW + 300,
}
LEFT_OUT = object()


def jwks() -> dict[str, Any]:
    public = [key.as_dict(private=False) for key in (RSA, EC, ED, P384)]
    public.append(FOR_SECRETS.as_dict(private=False) | {"use": "enc"})
    tomorrow = {"kty": "EC", "kid": "tomorrow", "crv": "P-1024", "x": "AA", "y": "AA"}
    return {"keys": [*public, HIDDEN.as_dict(private=True), tomorrow, {"kty": "new", "kid": "new"}, "nonsense"]}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jwks") / "jwks.json"
    path.write_text(json.dumps(jwks()))
    return path


@pytest.fixture(scope="module")
def tokens(keys: Path) -> Tokens:
    return Tokens(Issuer(str(keys), "https://id.example.org", "identity-graph"), lambda: NOW)


def signed(alg: str = "RS256", key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good token, but for what is said otherwise."""
    key = key or SIGNERS[alg]
    head = {"alg": alg, "kid": key.kid, "typ": "JWT"} | (header or {})
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    body = json.dumps({k: v for k, v in (CLAIMS | claims).items() if v is not LEFT_OUT})
    head = {name: value for name, value in head.items() if value is not LEFT_OUT}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of the name EdDSA, which many still use
        return jws.serialize_compact(head, body, key, registry=registry)


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(text: str) -> list[str]:
    return text.split(".")


def by_hand(header: Any, claims: Any = None, signature: bytes = b"") -> str:
    return f"{b64(header)}.{b64(CLAIMS if claims is None else claims)}.{b64(signature)}"


def confused(secret: bytes) -> str:
    """The public key as the secret of an HMAC: what a careless reader takes for right."""
    head, body = b64({"alg": "HS256", "kid": "rsa", "typ": "JWT"}), b64(CLAIMS)
    return f"{head}.{body}.{b64(hmac.digest(secret, f'{head}.{body}'.encode(), 'sha256'))}"


def changed(part: int, change: Callable[[str], str], alg: str = "RS256") -> str:
    split = parts(signed(alg))
    split[part] = change(split[part])
    return ".".join(split)


def flipped(text: str) -> str:
    return ("A" if text[0] != "A" else "B") + text[1:]


GOOD_HEADER = {"alg": "RS256", "kid": "rsa", "typ": "JWT"}
FORGED: dict[str, Callable[[], str]] = {
    # not a token
    "empty": lambda: "",
    "a word": lambda: "token",
    "dots": lambda: "..",
    "two parts": lambda: ".".join(parts(signed())[:2]),
    "four parts": lambda: signed() + ".x",
    "encrypted form": lambda: "a.b.c.d.e",
    "blank inside": lambda: signed().replace(".", ". ", 1),
    "not ascii": lambda: signed() + "é",
    "too large": lambda: signed(padding="x" * 9_000),
    "header is no json": lambda: changed(0, lambda _: b64(b"{")),
    "header is a list": lambda: changed(0, lambda _: b64([])),
    "header is nothing": lambda: changed(0, lambda _: ""),
    "header is deep": lambda: changed(0, lambda _: b64(b"[" * 4_000)),
    "claims are no json": lambda: by_hand(GOOD_HEADER, b"{"),
    "claims are a list": lambda: jws.serialize_compact(GOOD_HEADER, "[]", RSA),
    "claims are a text": lambda: jws.serialize_compact(GOOD_HEADER, '"x"', RSA),
    "claims are nothing": lambda: jws.serialize_compact(GOOD_HEADER, "", RSA),
    # algorithms
    "alg none": lambda: by_hand(GOOD_HEADER | {"alg": "none"}),
    "alg None": lambda: by_hand(GOOD_HEADER | {"alg": "None"}),
    "alg NONE with a signature": lambda: by_hand(GOOD_HEADER | {"alg": "NONE"}, signature=b"x" * 256),
    "alg empty": lambda: by_hand(GOOD_HEADER | {"alg": ""}),
    "alg missing": lambda: by_hand({"kid": "rsa"}),
    "alg null": lambda: by_hand(GOOD_HEADER | {"alg": None}),
    "alg a list": lambda: by_hand(GOOD_HEADER | {"alg": ["RS256"]}),
    "alg in small letters": lambda: by_hand(GOOD_HEADER | {"alg": "rs256"}),
    "alg unknown": lambda: by_hand(GOOD_HEADER | {"alg": "XX256"}),
    "alg HS256 by the public PEM": lambda: confused(RSA.as_pem(private=False)),
    "alg HS256 by the public PEM, stripped": lambda: confused(RSA.as_pem(private=False).strip()),
    "alg HS256 by the public JWK": lambda: confused(json.dumps(RSA.as_dict(private=False)).encode()),
    "alg HS256 by nothing": lambda: confused(b""),
    "alg HS256 by the symmetric key of the set": lambda: signed("HS256", HIDDEN),
    "alg RS384": lambda: signed("RS384", RSA),
    "alg RS512": lambda: signed("RS512", RSA),
    "alg PS256": lambda: signed("PS256", RSA),
    "alg ES384": lambda: signed("ES384", P384),
    "alg ES256 by the name of the RSA key": lambda: signed("ES256", EC, {"kid": "rsa"}),
    "alg RS256 by the name of the EC key": lambda: signed("RS256", RSA, {"kid": "ec"}),
    "alg said otherwise than signed": lambda: changed(0, lambda _: b64({"alg": "ES256", "kid": "ec"})),
    # keys
    "kid missing": lambda: signed(header={"kid": LEFT_OUT}),
    "kid null": lambda: by_hand(GOOD_HEADER | {"kid": None}),
    "kid a number": lambda: by_hand(GOOD_HEADER | {"kid": 1}),
    "kid unknown": lambda: signed(header={"kid": "other"}),
    "kid a path": lambda: signed(header={"kid": "../../../dev/null"}),
    "kid a statement": lambda: signed(header={"kid": "rsa' OR '1'='1"}),
    "kid of a key for secrets": lambda: signed("RS256", FOR_SECRETS),
    "another RSA key of that name": lambda: signed("RS256", OTHER_RSA),
    "another EC key of that name": lambda: signed("ES256", OTHER_EC),
    "jwk of its own": lambda: signed("RS256", OTHER_RSA, {"jwk": OTHER_RSA.as_dict(private=False)}),
    "jwk of ours": lambda: signed(header={"jwk": RSA.as_dict(private=False)}),
    "jku": lambda: signed(header={"jku": "https://evil.example/jwks.json"}),
    "x5u": lambda: signed(header={"x5u": "https://evil.example/cert.pem"}),
    "x5c": lambda: signed(header={"x5c": ["MIIB"]}),
    "crit": lambda: by_hand(GOOD_HEADER | {"crit": ["exp"]}, signature=b"x" * 256),
    "b64 false": lambda: by_hand(GOOD_HEADER | {"b64": False}, signature=b"x" * 256),
    "zip": lambda: signed(header={"zip": "DEF"}),
    "cty, a token inside": lambda: signed(header={"cty": "JWT"}),
    "typ of something else": lambda: signed(header={"typ": "logout+jwt"}),
    # signatures
    "signature missing": lambda: changed(2, lambda _: ""),
    "signature changed": lambda: changed(2, flipped),
    "signature cut": lambda: changed(2, lambda text: text[:-4]),
    "signature of zeros": lambda: changed(2, lambda _: b64(bytes(256))),
    "signature of zeros, EC": lambda: changed(2, lambda _: b64(bytes(64)), "ES256"),
    "signature of zeros, Ed25519": lambda: changed(2, lambda _: b64(bytes(64)), "Ed25519"),
    "signature of another token": lambda: ".".join([*parts(signed())[:2], parts(signed(sub="bob"))[2]]),
    "header changed": lambda: changed(0, lambda _: b64(GOOD_HEADER | {"typ": "at+jwt"})),
    "claims changed": lambda: changed(1, lambda _: b64(CLAIMS | {"role": "admin", "amr": ["mfa"]})),
    # claims
    "iss missing": lambda: signed(iss=LEFT_OUT),
    "iss another": lambda: signed(iss="https://id.example.org.evil.example"),
    "iss with a slash": lambda: signed(iss="https://id.example.org/"),
    "iss a list": lambda: signed(iss=["https://id.example.org"]),
    "aud missing": lambda: signed(aud=LEFT_OUT),
    "aud another": lambda: signed(aud="other"),
    "aud other ones": lambda: signed(aud=["other", "more"]),
    "aud an object": lambda: signed(aud={"identity-graph": 1}),
    "exp missing": lambda: signed(exp=LEFT_OUT),
    "exp past": lambda: signed(exp=NOW - 31),
    "exp a text": lambda: signed(exp=str(NOW + 300)),
    "exp true": lambda: signed(exp=True),
    "exp beyond all time": lambda: signed(exp=10**400),
    "exp null": lambda: signed(exp=None),
    "exp infinite": lambda: signed(exp=float("inf")),
    "nbf to come": lambda: signed(nbf=NOW + 31),
    "nbf a text": lambda: signed(nbf="now"),
    "iat to come": lambda: signed(iat=NOW + 31),
    "sub missing": lambda: signed(sub=LEFT_OUT),
    "sub empty": lambda: signed(sub=""),
    "sub a number": lambda: signed(sub=1),
    # roles
    "role missing": lambda: signed(role=LEFT_OUT),
    "role unknown": lambda: signed(role="root"),
    "role in capitals": lambda: signed(role="ANALYST"),
    "role an object": lambda: signed(role={"analyst": True}),
    "roles, two of ours": lambda: signed(role=["analyst", "ingest"]),
    "roles, none": lambda: signed(role=[]),
    "admin without a second factor": lambda: signed(role="admin"),
    "privacy officer without a second factor": lambda: signed(role="privacy_officer", amr=["pwd"]),
    "admin whose second factor is a word": lambda: signed(role="admin", amr="mfa"),
    "admin whose acr is a list": lambda: signed(role="admin", acr=["mfa"]),
}


def test_there_are_enough_of_them() -> None:
    assert len(FORGED) >= 60


@pytest.fixture(scope="module")
def client(guarded: Guarded, tokens: Tokens) -> TestClient:
    app = create_app(guarded.open.graph, terms=PATIENT, door=Door(guarded.file, tokens))
    return TestClient(app, raise_server_exceptions=False)


def ask(client: TestClient, text: str) -> Any:
    headers = {b"authorization": f"Bearer {text}".encode()}
    return client.post("/graphql", json={"query": "{ stats { persons } }"}, headers=headers)


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_or_broken_is_turned_away(client: TestClient, name: str) -> None:
    answer = ask(client, FORGED[name]())
    assert answer.status_code == 401, answer.text
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


GOOD: dict[str, Callable[[], str]] = {
    **{alg: lambda alg=alg: signed(alg) for alg in SIGNERS},  # type: ignore[misc]
    "an access token": lambda: signed(header={"typ": "at+jwt"}),
    "no typ": lambda: signed(header={"typ": LEFT_OUT}),
    "several audiences": lambda: signed(aud=["other", "identity-graph"]),
    "just expired": lambda: signed(exp=NOW - 29),
    "a clock that is ahead": lambda: signed(nbf=NOW + 29, iat=NOW + 29),
    "roles of others beside ours": lambda: signed(role=["staff", "analyst"]),
    "no nbf and iat": lambda: signed(nbf=LEFT_OUT, iat=LEFT_OUT),
    "admin by amr": lambda: signed(role="admin", amr=["pwd", "mfa"]),
    "privacy officer by acr": lambda: signed(role="privacy_officer", acr="mfa"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_let_in(client: TestClient, name: str) -> None:
    answer = ask(client, GOOD[name]())
    assert answer.status_code == 200 and "errors" not in answer.json(), answer.text


def test_keys_go_in_by_the_same_door(client: TestClient, guarded: Guarded) -> None:
    assert ask(client, guarded.keys[Role.ANALYST]).status_code == 200


def test_without_keys_nobody_is_let_in(tmp_path: Path) -> None:
    for content in (None, b"", b"{", b"[]", b'{"keys": 1}', b'{"keys": [{}]}'):
        path = tmp_path / "jwks.json"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(AccessError) as raised:
            Tokens(Issuer(str(path), "https://id.example.org", "identity-graph"), lambda: NOW).caller(signed())
        assert raised.value.code == "UNAUTHENTICATED"


def test_a_signature_is_checked_once_and_the_rest_each_time(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, seen = [NOW], list[str]()
    tokens = Tokens(Issuer(str(keys), "https://id.example.org", "identity-graph"), lambda: now[0])
    check = tokens_module._decoded

    def decoded(text: str, key: Any, alg: str) -> Any:
        seen.append(text)
        return check(text, key, alg)

    monkeypatch.setattr(tokens_module, "_decoded", decoded)
    monkeypatch.setattr(tokens_module, "REMEMBERED", 2)
    text = signed()
    forged = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    for _ in range(3):
        assert tokens.caller(text).role is Role.ANALYST
        with pytest.raises(AccessError):
            tokens.caller(forged)
    assert seen == [text, forged, forged, forged], "what is not right is never remembered"
    now[0] = NOW + 400
    with pytest.raises(AccessError, match="expired"):
        tokens.caller(text)
    now[0] = NOW
    others = [signed(sub=f"other {n}") for n in range(3)]
    for other in (*others, text):
        tokens.caller(other)
    assert seen[-4:] == [*others, text] and len(tokens._right) == 2


def test_settings_that_would_take_anything_are_refused() -> None:
    for wrong in (("keys.json", "", "us"), ("keys.json", "them", ""), ("http://id.example.org/jwks", "them", "us")):
        with pytest.raises(SettingError) as raised:
            Issuer(*wrong)
        assert raised.value.code == "SETTING_INVALID"
