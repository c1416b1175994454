"""What a service has agreed with its controllers: the TOML file that IDENTITY_GRAPH_OPENDSR names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from identity_graph.errors import InputError
from identity_graph.model import SharedRule
from identity_graph.normalise import normalise_namespace
from identity_graph.opendsr.seal import Seal, signing_request, wrong
from identity_graph.times import parse_duration

VERSION = "2.0"
PREFIX = "/opendsr/v2"
TYPES = (
    "controller_customer_id",
    "android_advertising_id",
    "android_id",
    "email",
    "fire_advertising_id",
    "ios_advertising_id",
    "ios_vendor_id",
    "microsoft_advertising_id",
    "microsoft_publisher_id",
    "roku_publisher_id",
    "roku_advertising_id",
)
"""Of the specification, 5.1; others are in the extension of the service's domain."""
RAW = "raw"
DIGESTS = ("sha256", "sha1", "md5")

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)


class Agreement(BaseModel):
    """`identities` and `extension` give the namespace of each type of identity. A request may be cancelled for as long
    as `pending`, is to be done within `expected` of its arrival, and what it found is shown for as long as `results`.
    `shared` is the rule for identifiers that other people have too; one that is refused by it waits for a decision.

    Callbacks to `callback_hosts` may go wherever webhooks may; where there are none, to any host of the internet, by
    https. One is tried `attempts` times: after `first_wait` seconds again, after that twice as long, and so on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    domain: str
    private_key: Path = Field(strict=False)
    certificate: Path = Field(strict=False)
    url: str = ""
    pending: int = 0
    expected: int = 0
    results: int = 0
    shared: Literal["detach", "refuse"] = "detach"
    identities: Mapping[str, str] = Field(min_length=1)
    extension: Mapping[str, str] = {}
    formats: tuple[str, ...] = Field(default=(RAW, *DIGESTS), strict=False, min_length=1)
    callback_hosts: tuple[str, ...] = Field(default=(), strict=False)
    attempts: int = Field(default=15, ge=1, le=100)
    first_wait: float = Field(default=1.0, gt=0, le=3600, strict=False)
    timeout: float = Field(default=10.0, gt=0, le=60, strict=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Its own paths begin at its folder. Raises OPENDSR_INVALID."""
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise wrong(f"{path}: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise wrong(f"{path}: {error}") from error
        found = {"pending": "1 hour", "expected": "1 day", "results": "30 days"} | found
        for name in ("private_key", "certificate"):
            if isinstance(found.get(name), str):
                found[name] = path.parent / found[name]
        try:
            made = cls(**found)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise wrong(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if made.expected < made.pending:
            raise wrong(f"{path}: expected is shorter than pending")
        return made

    @property
    def shared_rule(self) -> SharedRule:
        return SharedRule(self.shared.upper())

    @property
    def base(self) -> str:
        """What its addresses begin with."""
        return (self.url or f"https://{self.domain}") + PREFIX

    def seal(self) -> Seal:
        """Raises OPENDSR_INVALID."""
        return Seal(self.private_key, self.certificate, self.domain)

    def signing_request(self) -> str:
        """Raises OPENDSR_INVALID."""
        return signing_request(self.private_key, self.domain)

    def may_call(self, url: str) -> bool:
        """Whether a callback may go there, as far as its text tells."""
        try:
            parts = urlsplit(url)
            host, right = parts.hostname, parts.scheme in ("http", "https") and parts.port != 0
        except ValueError:
            return False
        plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
        if not right or not host or not plain or parts.username is not None or parts.password is not None:
            return False
        return host in self.callback_hosts if self.callback_hosts else parts.scheme == "https"

    @field_validator("domain")
    @classmethod
    def _named(cls, text: str) -> str:
        if not _DOMAIN.fullmatch(text):
            raise ValueError("that is no domain in lower case")
        return text

    @field_validator("url")
    @classmethod
    def _addressed(cls, text: str) -> str:
        parts = urlsplit(text)
        if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
            raise ValueError("write https:// and the domain, and nothing behind it")
        return text

    @field_validator("pending", "expected", "results", mode="before")
    @classmethod
    def _lasting(cls, text: object) -> int:
        if not isinstance(text, str):
            raise ValueError('write a duration such as "1 hour"')
        return parse_duration(text)

    @field_validator("identities")
    @classmethod
    def _standard(cls, found: Mapping[str, str]) -> Mapping[str, str]:
        for name in found:
            if name not in TYPES:
                raise ValueError(f"{name} is no type of the specification, but perhaps one of [extension]")
        return _spaces(found)

    @field_validator("extension")
    @classmethod
    def _own(cls, found: Mapping[str, str]) -> Mapping[str, str]:
        for name in found:
            if name in TYPES:
                raise ValueError(f"{name} is a type of the specification: [identities]")
        return _spaces(found)

    @field_validator("formats")
    @classmethod
    def _formed(cls, found: tuple[str, ...]) -> tuple[str, ...]:
        if not set(found) <= {RAW, *DIGESTS}:
            raise ValueError(f"formats are {', '.join((RAW, *DIGESTS))}")
        return found


def _spaces(found: Mapping[str, str]) -> Mapping[str, str]:
    try:
        return {name: normalise_namespace(space) for name, space in found.items()}
    except InputError as error:
        raise ValueError(error.message) from None
