"""Raw values to canonical identifiers, namespace by namespace: what makes two spellings one identifier.

This decides who is joined with whom, so every rule errs towards keeping two values apart:

- every value: text, or a whole number written in plain digits; Unicode NFC, never NFKC; white space and
  invisible marks around it removed; no control characters or lone surrogates; at most 512 characters.
- `email`: lower case, A-Z only; the domain in its ASCII form (IDNA). A plus tag and dots are removed at
  gmail.com and googlemail.com alone (which become gmail.com), because their provider documents that they reach one
  mailbox; anywhere else they are kept, since they may be another person's. Plain addresses, private domains
  (`.local`, `.test`) included, are judged by one expression; all else by `email-validator`.
- `phone`: E.164, of a possible length. Without `region` it needs its country (`+44 ...`). An extension is kept
  (`+442079460958;ext=12`): those are two telephones. Letters are refused, as `+1 555 XXX 1234` would dial 999.
- `user_id` and every namespace not named here: case kept.
- `anonymous_id`, `device_id`, `cookie`: lower case when written as a UUID, else as they are.
- `loyalty_id`: upper case, A-Z only, without spaces and hyphens.
- `ip`: the shortest form; IPv4 inside IPv6 becomes IPv4.

Case is changed for ASCII letters only, and a Kelvin sign (which NFC turns into `K`) is refused where case is
folded: `\\u212Aate@example.org` is not kate. Words that stand for "nobody" are kept in fields of e-mails, phones and
addresses, so that the event keeps what it said; the policy blocks them from joining.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from unicodedata import normalize

from identity_graph.errors import InputError
from identity_graph.flaws import email_flaw, has_letter, ip_flaw, phone_flaw
from identity_graph.model import Identifier

NORMALISER_VERSION = 1
"""Grows whenever any value would come out differently; stores remember it with what they hold. The rule of before then
goes into `former`, so that nobody who was erased comes back."""

MAX_LENGTH = 512

CHECKED = ("email", "phone", "ip")
"""Namespaces whose values have a form of their own; the codes of values without it begin with EMAIL_, PHONE_ or IP_."""

_WORDS = """
null, (null), nil, none, nan, undefined, unset, void, not_set, not-set, not set, (not set), n/a, na, n.a., not
provided, (not provided), not applicable, not available, not given, unknown, anonymous, anon, guest, nobody, visitor,
unidentified, identified, not_authenticated, unauthenticated, empty, blank, default, deleted, redacted, removed,
hidden, private, pending, invalid, error, false, true, no, yes, ?, 0, -1, tbd, object, string, [object object], id,
email, phone, user, userid, user_id, user-id, distinctid, distinct_id, anonymousid, anonymous_id, anonymous-id,
anonid, anon_id, anon-id, deviceid, device_id, device-id, your-user-id, your_user_id, my-user-id, my_user_id,
default-user-id, default-userid, default_user_id, default-anonymousid, identified user id, test, dummy, demo, example,
sample, temp, foo, abc, abc123, xxx, admin, no-email, noemail, no email, no phone, no-reply, noreply, 1234567890,
0123456789
"""
NOBODY = frozenset(" ".join(word.split()) for word in _WORDS.split(","))
"""Words that programs write where there is no value, in lower case. The default policy blocks every one, in any
namespace; a test keeps the two lists equal."""

_NOBODY = re.compile(r"[0-]+|[x*._?-]+|9{6,}")
_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_MARKS = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_EDGES = _SPACES + _MARKS
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KELVIN = "\u212a"
_FOLDED = frozenset({"email", "loyalty_id"})
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\."
_EMAIL = rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL})+[A-Za-z]{{2,}}"
_is_plain_email = re.compile(_EMAIL).fullmatch
_GMAIL = ("@gmail.com", "@googlemail.com")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_GAPS = re.compile(rf"[{re.escape(_SPACES)}\u2010-\u2015\u2212-]+")
_is_nanp = re.compile(r"\+1[2-9][0-9]{9}").fullmatch
_is_lower_email = re.compile(r"(?=.{1,64}\Z)(?!.*@(?:gmail|googlemail)\.com)" + _EMAIL.replace("A-Z", "")).fullmatch
_EXTENSION = re.compile(r"[\s;,]*(?:extension|extn|ext|x)[.=:]?\s*(?=[0-9]+$)", re.IGNORECASE | re.ASCII)


def normalise(namespace: str, raw: Any, *, region: str | None = None) -> Identifier:
    """The identifier that a raw value means; `region` (say "US") is for phone numbers without a country.

    Idempotent. A plain e-mail address costs under 2 microseconds, a phone number seen for the first time about 50.
    Raises InputError with the codes of namespaces and values, and those of `flaws`; no message holds the value.

    >>> normalise("email", " Ann.Lee+news@GoogleMail.com ").key
    'email:annlee@gmail.com'
    >>> normalise("phone", "(020) 7946 0958", region="GB").key
    'phone:+442079460958'
    >>> normalise("loyalty_id", "ab-12 34").key, normalise("user_id", 17.0).key
    ('loyalty_id:AB1234', 'user_id:17')
    """
    if namespace == "email" and type(raw) is str and len(raw) <= 64 and _is_plain_email(raw):
        return Identifier("email", _mailbox(raw.lower()))
    rule = _RULES.get(namespace)
    if rule is None:
        namespace = normalise_namespace(namespace)
        rule = _RULES.get(namespace, _as_it_is)
    text = _text(raw, namespace)
    if rule is _phone:
        return Identifier(namespace, _phone(text, region))
    return Identifier(namespace, rule(text))


def all_canonical(namespace: str, values: Sequence[str]) -> bool:
    """Whether `normalise` would change none of the values, in a fraction of its time; only True is certain.

    >>> all_canonical("email", ["ann@example.org"]), all_canonical("email", ["ann@example.org", "Ann@example.org"])
    (True, False)
    """
    rule = _RULES.get(namespace, _as_it_is)
    text, longest = "".join(values), max(map(len, values), default=0)
    if not (text.isascii() and text.isprintable()) or " " in text or longest > MAX_LENGTH or "" in values:
        return False
    if rule is _as_it_is:
        return _NAMESPACE.fullmatch(namespace) is not None
    if rule is _uuid_or_as_it_is:
        return text == text.lower()
    if rule is _email:
        plain = longest <= 64 and text == text.lower() and not any(domain in text for domain in _GMAIL)
        return plain and all(map(_is_plain_email, values))
    return rule is _phone and all(map(_is_nanp, values))


def uncertain(namespace: str, values: Sequence[str]) -> list[int]:
    """The places of values that `normalise` may change or refuse; it would change none of the others.

    >>> uncertain("email", ["ann@example.org", "Ann@example.org", "ann"]), uncertain("email", ["ann@example.org"])
    ([1, 2], [])
    """
    if all_canonical(namespace, values):
        return []
    is_plain = _PLAIN.get(_RULES.get(namespace, _as_it_is))
    if is_plain is None or not (namespace in _RULES or _NAMESPACE.fullmatch(namespace)):
        return list(range(len(values)))
    return [place for place, found in enumerate(map(is_plain, values)) if found is None]


def normalise_namespace(name: Any) -> str:
    """A namespace in lower case. Raises NAMESPACE_INVALID.

    >>> normalise_namespace("Braze_ID")
    'braze_id'
    """
    lowered = name.translate(_LOWER) if isinstance(name, str) else ""
    if not _NAMESPACE.fullmatch(lowered):
        raise InputError(
            "NAMESPACE_INVALID",
            f"{name!r:.80} is not a namespace",
            help="A namespace is 1 to 64 characters of a-z, 0-9, _, - and . and begins with a letter or digit.",
        )
    return lowered


def _text(raw: Any, namespace: str) -> str:
    """The value as canonical text of any namespace. Raises the codes of values."""
    if isinstance(raw, str):
        if raw.isascii() and raw.isprintable():
            text = raw.strip()
        else:
            text = raw.strip(_EDGES)
            if _KELVIN in text and namespace in _FOLDED:
                raise _refusal("VALUE_LOOKALIKE", namespace, "holds a Kelvin sign, which NFC would make a K")
            if len(text) <= MAX_LENGTH:
                text = normalize("NFC", text)
            if _UNFIT.search(text):
                raise _refusal("VALUE_CONTROL", namespace, "holds a control character or half of a surrogate pair")
    elif isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _refusal("VALUE_INVALID", namespace, f"is neither text nor a number but {type(raw).__name__}")
    elif isinstance(raw, int):
        text = str(raw) if raw.bit_length() <= 1024 else "9" * (MAX_LENGTH + 1)
    elif not raw.is_integer():
        raise _refusal("VALUE_FRACTION", namespace, "is a number that is not whole")
    elif abs(raw) > 2**53:
        raise _refusal("VALUE_ROUNDED", namespace, "is a number so large that its last digits are lost")
    else:
        text = str(int(raw))
    if not text:
        raise _refusal("VALUE_EMPTY", namespace, "is empty")
    if len(text) > MAX_LENGTH:
        raise _refusal("VALUE_TOO_LONG", namespace, f"is longer than {MAX_LENGTH} characters")
    return text


def _refusal(code: str, namespace: str, what: str) -> InputError:
    return InputError(code, f"the {namespace} {what}")


def _as_it_is(text: str) -> str:
    return text


def _uuid_or_as_it_is(text: str) -> str:
    return text.lower() if _UUID.fullmatch(text) else text


def _nobody(text: str) -> str | None:
    """The word in lower case if it stands for nobody."""
    lowered = text.translate(_LOWER)
    return lowered if lowered in NOBODY or _NOBODY.fullmatch(lowered) else None


def _mailbox(address: str) -> str:
    """One spelling of a Gmail address; any other as it is."""
    if not address.endswith(_GMAIL):
        return address
    local = address.rpartition("@")[0]
    if not local.startswith('"'):
        local = local.partition("+")[0].replace(".", "")
    if not local:
        raise _refusal("EMAIL_INVALID", "email", "has nothing before its plus tag")
    return local + "@gmail.com"


def _email(text: str) -> str:
    lowered = normalize("NFC", text.translate(_LOWER))
    if len(lowered) <= 64 and _is_plain_email(lowered):
        return _mailbox(lowered)
    if nobody := _nobody(text):
        return nobody
    address, *refusal = _validated(lowered)
    if refusal:
        raise _refusal(refusal[0], "email", refusal[1])
    return _mailbox(address)


@lru_cache(maxsize=4096)
def _validated(lowered: str) -> tuple[str, ...]:
    """The address; of what is none nothing, then the code and what is wrong: what is refused is asked for again."""
    if "@" not in lowered:  # most of what is none: not worth a tenth of a second for the library
        return "", email_flaw(lowered), "is not valid: An email address must have an @-sign."
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(lowered, check_deliverability=False, allow_quoted_local=True, test_environment=True)
    except EmailNotValidError as error:
        return "", email_flaw(lowered), f"is not valid: {error}"
    domain = found.ascii_domain
    if domain is None or "." not in domain:
        return "", "EMAIL_DOMAIN", "is not valid: its domain has no period"
    return (normalize("NFC", found.local_part.translate(_LOWER)) + "@" + domain.lower(),)


def _phone(text: str, region: str | None = None) -> str:
    if _is_nanp(text):
        return text
    if nobody := _nobody(text):
        return nobody
    found = _dialled(text, region and region.upper())
    if found is None:
        where = f"in {region}" if region else "without a region"
        code = phone_flaw(_with_extension(text), region and region.upper())
        raise _refusal(code, "phone", f"is not a possible number {where}")
    return found


def _with_extension(text: str) -> str:
    return _EXTENSION.sub(";ext=", text.removeprefix("tel:"))


@lru_cache(maxsize=65536)
def _dialled(text: str, region: str | None) -> str | None:
    """E.164 (with the extension), or None of what cannot be dialled."""
    import phonenumbers

    digits = _with_extension(text)
    if has_letter(digits):
        return None
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    extension = f";ext={number.extension}" if number.extension else ""
    number.extension = None
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension
    # Some made-up numbers lose a zero at each reading; those are no number.
    return found if found == text or _dialled(found, None) == found else None


def _loyalty_id(text: str) -> str:
    if nobody := _nobody(text):
        return nobody
    compact = normalize("NFC", _GAPS.sub("", text)).translate(_UPPER)
    return normalize("NFC", compact) or "-"


def _ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        if nobody := _nobody(text):
            return nobody
        raise _refusal(ip_flaw(text), "ip", "is neither an IPv4 nor an IPv6 address") from error
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


_RULES: dict[str, Callable[[str], str]] = {
    "email": _email,
    "phone": _phone,
    "user_id": _as_it_is,
    "anonymous_id": _uuid_or_as_it_is,
    "device_id": _uuid_or_as_it_is,
    "cookie": _uuid_or_as_it_is,
    "loyalty_id": _loyalty_id,
    "ip": _ip,
    "user_agent": _as_it_is,
}

_PLAIN: dict[Callable[[str], str], Callable[[str], object]] = {
    _as_it_is: re.compile(f"[!-~]{{1,{MAX_LENGTH}}}").fullmatch,
    _uuid_or_as_it_is: re.compile(f"[!-@[-~]{{1,{MAX_LENGTH}}}").fullmatch,
    _email: _is_lower_email,
    _phone: _is_nanp,
}
"""Of a rule, what matches values that it leaves as they are."""
