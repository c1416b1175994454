"""Why bytes are no text: what is to be done differs."""

from __future__ import annotations


def why_undecodable(raw: bytes, encoding: str, what: str) -> tuple[str, str]:
    """Code and message of a line or row (`what`) that is not text of this encoding."""
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
        return "NOT_ENCODED", f"the {what} is not {encoding} text"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    else:
        return "NOT_UTF8", f"the {what} is not UTF-8"
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return "NOT_UTF8", f"byte {at + 1} of the {what} is not UTF-8"
    return "UTF8_SURROGATE", f"byte {at + 1} of the {what} begins half of a surrogate pair"
