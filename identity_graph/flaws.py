"""What is wrong with a text that is no e-mail address, phone number, IP address or time: the code of its kind, by which
somebody knows what to mend. Asked only of texts that are refused."""

from __future__ import annotations

import ipaddress
import re

_PARTED = re.compile(r"[\s,;|/]+")
_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]|\*")
_LOCAL = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})(?!\d).*", re.ASCII | re.DOTALL)
_ISO = re.compile(
    r"\d{4}-?\d\d-?\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)
LONGEST_EMAIL = 254


def email_flaw(text: str) -> str:
    """
    >>> email_flaw("ann at home"), email_flaw("Ann <ann@example.org>"), email_flaw("a@b.example; c@d.example")
    ('EMAIL_NO_AT', 'EMAIL_NAMED', 'EMAIL_SEVERAL')
    """
    if "@" not in text:
        return "EMAIL_NO_AT"
    if text.count("@") > 1 and sum("@" in part.strip("@") for part in _PARTED.split(text)) > 1:
        return "EMAIL_SEVERAL"
    if text.endswith(">") and "<" in text:
        return "EMAIL_NAMED"
    if len(text) > LONGEST_EMAIL:
        return "EMAIL_TOO_LONG"
    from email_validator import EmailNotValidError, validate_email

    domain = text.rpartition("@")[2]
    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "EMAIL_DOMAIN"
    return "EMAIL_INVALID" if "." in (found.ascii_domain or "") else "EMAIL_DOMAIN"


def phone_flaw(digits: str, region: str | None) -> str:
    """
    >>> phone_flaw("555 1234", None), phone_flaw("+1 555 FLOWERS", None), phone_flaw("+44 20 7946", None)
    ('PHONE_NO_COUNTRY', 'PHONE_LETTERS', 'PHONE_TOO_SHORT')
    """
    if has_letter(digits):
        return "PHONE_LETTERS"
    import phonenumbers

    possible, refused = phonenumbers.ValidationResult, phonenumbers.NumberParseException
    try:
        length = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(digits, region))
    except refused as error:
        if error.error_type == refused.INVALID_COUNTRY_CODE and not region and not digits.startswith("+"):
            return "PHONE_NO_COUNTRY"
        if error.error_type == refused.TOO_LONG:
            return "PHONE_TOO_LONG"
        return "PHONE_TOO_SHORT" if error.error_type in _SHORT else "PHONE_INVALID"
    if length in (possible.TOO_SHORT, possible.IS_POSSIBLE_LOCAL_ONLY):
        return "PHONE_TOO_SHORT"
    return "PHONE_TOO_LONG" if length == possible.TOO_LONG else "PHONE_INVALID"


_SHORT = (2, 3)  # of NumberParseException: behind the prefix of international calls, and as a whole


def has_letter(digits: str) -> bool:
    """Whether somebody masked a number, or spelled a word by it."""
    return _LETTER.search(digits.replace(";ext=", "", 1)) is not None


def ip_flaw(text: str) -> str:
    """
    >>> ip_flaw("192.0.2.1:80"), ip_flaw("192.0.2.1, 10.0.0.1"), ip_flaw("10.0.0.0/8"), ip_flaw("10.0.0.256")
    ('IP_PORT', 'IP_SEVERAL', 'IP_NETWORK', 'IP_INVALID')
    """
    port = _PORT.fullmatch(text)
    if port and _is_ip(port[1] or port[2]):
        return "IP_PORT"
    parts = [part for part in re.split(r"[\s,;]+", text) if part]
    if len(parts) > 1 and all(map(_is_ip, parts)):
        return "IP_SEVERAL"
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "IP_INVALID"
    return "IP_NETWORK"


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def time_flaw(text: str) -> str:
    """
    >>> time_flaw("2025-02-30"), time_flaw("31/12/2025 10:00"), time_flaw("yesterday")
    ('TS_IMPOSSIBLE', 'TS_LOCAL', 'TS_INVALID')
    """
    if re.match(r"\+?\d{5,}-", text):
        return "TS_RANGE"
    if _ISO.fullmatch(text):
        return "TS_IMPOSSIBLE"
    return "TS_LOCAL" if _LOCAL.fullmatch(text) else "TS_INVALID"
