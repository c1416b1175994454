"""What a controller asks for, read from the body of its request. No message names what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from identity_graph.errors import InputError
from identity_graph.former import forms
from identity_graph.opendsr.agreement import DIGESTS, RAW, Agreement
from identity_graph.subject_request import Identity, RequestKind
from identity_graph.times import parse_time

MOST_IDENTITIES = 100
MOST_CALLBACKS = 10
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LENGTHS = {"sha256": 64, "sha1": 40, "md5": 32}


class Asked(NamedTuple):
    id: str
    kind: RequestKind
    identities: tuple[Identity, ...]
    callbacks: tuple[str, ...]


class _Identity(BaseModel):
    model_config = ConfigDict(strict=True)
    identity_type: str
    identity_value: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    identity_format: str


class _Extended(_Identity):
    identity_format: str = RAW


class _Extension(BaseModel):
    model_config = ConfigDict(strict=True)
    identities: list[_Extended] = []


class _Request(BaseModel):
    """Members that are not named here are left alone."""

    model_config = ConfigDict(strict=True)
    regulation: Literal["gdpr", "ccpa"]
    subject_request_id: str
    subject_request_type: Literal["access", "portability", "erasure"]
    submitted_time: str
    subject_identities: list[_Identity] = []
    api_version: str = "2.0"
    status_callback_urls: Annotated[list[str], Field(max_length=MOST_CALLBACKS)] = []
    extensions: Mapping[str, Any] = {}


def read(found: Any, agreement: Agreement) -> Asked:
    """Raises SUBJECT_REQUEST_INVALID and IDENTITY_UNSUPPORTED."""
    try:
        sent = _Request.model_validate(found)
        own = _Extension.model_validate(sent.extensions.get(agreement.domain, {}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        what = "is required" if first["type"] == "missing" else f"is not allowed: {first['msg']}"
        raise invalid(f"{place} {what}") from None
    if not ID.fullmatch(sent.subject_request_id):
        raise invalid("subject_request_id is not a UUID of version 4 in lower case")
    if not re.fullmatch(r"[12](\.\d+){0,2}", sent.api_version, re.ASCII):
        raise invalid("api_version is not one that is served here: 2.0")
    _check_time(sent.submitted_time)
    for n, url in enumerate(sent.status_callback_urls):
        if len(url) > 2_000 or not agreement.may_call(url):
            raise invalid(f"status_callback_urls.{n} is not an address that is called from here")
    identities = [
        *_identities("subject_identities", sent.subject_identities, agreement.identities, agreement),
        *_identities(f"extensions.{agreement.domain}.identities", own.identities, agreement.extension, agreement),
    ]
    if not identities:
        raise invalid("subject_identities is required")
    if len(identities) > MOST_IDENTITIES:
        raise invalid(f"subject_identities has more than {MOST_IDENTITIES}")
    callbacks = tuple(dict.fromkeys(sent.status_callback_urls))
    kind = RequestKind(sent.subject_request_type)
    return Asked(sent.subject_request_id, kind, tuple(dict.fromkeys(identities)), callbacks)


def _identities(
    where: str, sent: list[_Identity] | list[_Extended], spaces: Mapping[str, str], agreement: Agreement
) -> Iterator[Identity]:
    for n, one in enumerate(sent):
        space = spaces.get(one.identity_type)
        if space is None:
            raise InputError("IDENTITY_UNSUPPORTED", f"{where}.{n}.identity_type is not supported")
        if one.identity_format not in agreement.formats:
            raise InputError("IDENTITY_UNSUPPORTED", f"{where}.{n}.identity_format is not supported")
        if one.identity_format in DIGESTS:
            value = one.identity_value.lower()
            if not re.fullmatch("[0-9a-f]+", value) or len(value) != _LENGTHS[one.identity_format]:
                raise invalid(f"{where}.{n}.identity_value is not the digest that identity_format says, in hexadecimal")
            yield Identity(space, value, one.identity_format)
            continue
        try:
            found = forms(space, one.identity_value)
        except InputError as error:
            raise invalid(f"{where}.{n}.identity_value is not one of its type: {error.code}") from None
        for identifier in found:
            yield Identity(identifier.namespace, identifier.value)


def _check_time(text: str) -> None:
    """As RFC 3339 writes it."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        parse_time(text.upper())
    except (InputError, ValueError):
        raise invalid("submitted_time is not a time as RFC 3339 writes it, with its zone") from None


def invalid(message: str) -> InputError:
    return InputError("SUBJECT_REQUEST_INVALID", message)
