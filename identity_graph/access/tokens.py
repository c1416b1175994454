"""JSON Web Tokens of people, as an identity provider signs them.

The key comes from the configured set alone, by its id, and the algorithm is one of three: what a token says of its own
key is a reason to refuse it.
"""

from __future__ import annotations

import time
import urllib.request
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from identity_graph.access.caller import Caller
from identity_graph.access.rules import Role
from identity_graph.errors import AccessError, SettingError

ALGORITHMS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
"""With the kind of key that each needs."""
MOST_BYTES = 8_192
MOST_KEYS_BYTES = 1 << 20
FRESH = 300.0  # seconds for which a set of keys is good
PAUSE = 30.0  # seconds between two attempts to get it, whatever tokens say
PATIENCE = 5.0
REMEMBERED = 10_000
"""Tokens whose signatures were right, by hashes of them: to check one by RSA takes as long as a fifth of a profile."""
_HEADER = {"alg", "kid", "typ"}
_TYPES = {None, "JWT", "at+jwt", "application/at+jwt"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken. `keys` is a file or an https address of a JWKS; one of `factors` must be in the claims
    `amr` or `acr` of who acts as one of `strict`; `leeway` is in seconds."""

    keys: str
    name: str
    audience: str
    role_claim: str = "role"
    leeway: int = 30
    factors: Set[str] = frozenset({"mfa"})
    strict: Set[Role] = frozenset({Role.PRIVACY_OFFICER, Role.ADMIN})

    def __post_init__(self) -> None:
        """Raises SETTING_INVALID."""
        if not self.name or not self.audience:
            raise SettingError(
                "SETTING_INVALID",
                "IDENTITY_GRAPH_JWT_KEYS is set without IDENTITY_GRAPH_JWT_ISSUER or IDENTITY_GRAPH_JWT_AUDIENCE",
                help="Say whose tokens are taken, and for whom they are meant.",
            )
        parts = urlsplit(self.keys)
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise SettingError(
                "SETTING_INVALID", "IDENTITY_GRAPH_JWT_KEYS: keys are not to be had over http", help="Use https."
            )


class Tokens:
    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._lock = Lock()
        self._keys: Mapping[str, Any] = {}
        self._tried = self._got = float("-inf")
        self._right: OrderedDict[bytes, tuple[str, Any, Mapping[str, Any]]] = OrderedDict()

    def caller(self, text: str) -> Caller:
        """May wait for the keys to arrive. Raises UNAUTHENTICATED."""
        name = sha256(text.encode("utf-8", "surrogatepass")).digest()
        kid, key, claims = self._right.get(name) or ("", None, {})
        if key is None or self._key(kid) is not key:  # each fetch of the keys makes them anew
            kid, key, claims = self._signed(text)
            self._right[name] = kid, key, claims
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
        return self._checked(claims)

    def _signed(self, text: str) -> tuple[str, Any, Mapping[str, Any]]:
        """What it says, and by which key that is signed."""
        header = self._header(text)
        key = self._key(header["kid"])
        if key is None or key.key_type != ALGORITHMS[header["alg"]]:
            raise _refused("it is signed by a key that is not known here")
        try:
            token = _decoded(text, key, header["alg"])
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _refused("its signature is not right") from None
        return header["kid"], key, token.claims

    def _header(self, text: str) -> Mapping[str, Any]:
        if len(text) > MOST_BYTES or not text.isascii() or text.count(".") != 2:
            raise _refused("it is not a signed token")
        try:
            header = jws.extract_compact(text.encode()).headers()
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _refused("it is not a signed token") from None
        if header.keys() - _HEADER or header.get("typ") not in _TYPES:
            raise _refused("its header says more than is taken here")
        if header.get("alg") not in list(ALGORITHMS) or not isinstance(header.get("kid"), str):
            raise _refused("it names no key, or an algorithm that is not taken here")
        return header

    def _checked(self, claims: Mapping[str, Any]) -> Caller:
        issuer, now = self._issuer, self._clock()
        audiences = claims.get("aud")
        audiences = audiences if isinstance(audiences, list) else [audiences]
        if claims.get("iss") != issuer.name or issuer.audience not in audiences:
            raise _refused("it is of another issuer, or for another audience")
        ends = _seconds(claims, "exp")
        if ends is None or ends + issuer.leeway <= now:
            raise _refused("it has expired, or never would")
        for name in ("nbf", "iat"):
            begins = _seconds(claims, name)
            if begins is not None and begins - issuer.leeway > now:
                raise _refused("it is not valid yet")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise _refused("it names nobody")
        role = self._role(claims)
        if role in issuer.strict and not issuer.factors & _factors(claims):
            raise _refused("who acts in this role must have shown a second factor")
        return Caller(role, f"subject {subject}")

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """Of one text, or of a list in which one text is a role of ours."""
        found = claims.get(self._issuer.role_claim)
        named = [name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str)]
        roles = {Role(name) for name in named if name in list(Role)}
        if len(roles) != 1:
            raise _refused("it names no role, or several")
        return roles.pop()

    # ---- the keys of the issuer

    def _key(self, kid: str) -> Any:
        with self._lock:
            now = time.monotonic()
            known = kid in self._keys and now - self._got < FRESH
            if not known and now - self._tried >= (PAUSE if self._keys else 1.0):
                self._tried = now
                try:
                    self._keys, self._got = self._read(), now
                except (OSError, HTTPException, ValueError, TypeError, KeyError, JoseError, AttributeError):
                    # With the keys of before for a while: an issuer that is away must not lock everybody out.
                    if now - self._got > 12 * FRESH:
                        self._keys = {}
            return self._keys.get(kid)

    def _read(self) -> Mapping[str, Any]:
        place = self._issuer.keys
        if urlsplit(place).scheme in ("http", "https"):
            with urllib.request.urlopen(place, timeout=PATIENCE) as response:
                if urlsplit(response.url).scheme != urlsplit(place).scheme:
                    raise ValueError
                content = response.read(MOST_KEYS_BYTES + 1)
        else:
            content = Path(place).read_bytes()
        if len(content) > MOST_KEYS_BYTES:
            raise ValueError
        found = orjson.loads(content)["keys"]
        keys: dict[str, Any] = {}
        for one in found:
            if isinstance(one, dict) and _usable(one):
                with suppress(JoseError, ValueError, TypeError, KeyError):  # such as a curve of tomorrow
                    keys[one["kid"]] = KeySet.import_key_set({"keys": [one]}).keys[0]
        return keys


def _decoded(text: str, key: Any, alg: str) -> jwt.Token:
    with warnings.catch_warnings():
        # The name EdDSA has a successor, and issuers that do not know it yet.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(text, key, algorithms=[alg])


def _usable(key: Mapping[str, Any]) -> bool:
    """Public, for signatures, and of a kind that is taken here. A symmetric key would let whoever knows it sign."""
    return (
        key.get("kty") in (RSAKey.key_type, ECKey.key_type, OKPKey.key_type)
        and isinstance(key.get("kid"), str)
        and key.get("use", "sig") == "sig"
        and "d" not in key
    )


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """None where it is not said. Raises UNAUTHENTICATED of what is no time."""
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 1e12:
        raise _refused(f"its {name} is not a time")
    return found


def _factors(claims: Mapping[str, Any]) -> Set[str]:
    shown = claims.get("amr")
    listed = shown if isinstance(shown, list) else []
    return {name for name in (*listed, claims.get("acr")) if isinstance(name, str)}


def _refused(why: str) -> AccessError:
    return AccessError("UNAUTHENTICATED", f"the token is not taken: {why}", help="Sign in again, and send the new one.")
