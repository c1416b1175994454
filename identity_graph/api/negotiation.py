"""Media types: what a client takes and what it sends."""

from __future__ import annotations

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"


def chosen(accept: str | None) -> str | None:
    """The type to answer with, or None where the client takes neither. Without a wish it is JSON.

    >>> chosen(None), chosen("*/*"), chosen("text/html")
    ('application/json', 'application/json', None)
    >>> chosen("application/json;q=0.9, application/graphql-response+json")
    'application/graphql-response+json'
    """
    if not accept:
        return JSON
    best, weight = None, 0.0
    for media, quality in _ranges(accept):
        type_ = GRAPHQL if media == GRAPHQL else JSON if media in (JSON, "application/*", "*/*") else None
        if type_ and (quality > weight or (quality == weight and type_ == GRAPHQL)):
            best, weight = type_, quality
    return best


def wants_page(accept: str | None) -> bool:
    """Whether this is a browser that somebody points at the endpoint.

    >>> wants_page("text/html,application/xhtml+xml,*/*;q=0.8"), wants_page("*/*")
    (True, False)
    """
    return any(media == "text/html" and quality > 0 for media, quality in _ranges(accept or ""))


def wants_stream(accept: str | None) -> bool:
    """Whether the answers are wanted as they come, by server-sent events.

    >>> wants_stream("text/event-stream"), wants_stream("*/*")
    (True, False)
    """
    return any(media == EVENTS and quality > 0 for media, quality in _ranges(accept or ""))


def sends_json(content_type: str | None) -> bool:
    """JSON in UTF-8, which is what it means without a charset.

    >>> sends_json("application/json; charset=UTF-8"), sends_json("text/plain"), sends_json(None)
    (True, False, False)
    """
    media, *parameters = (part.strip().lower() for part in (content_type or "").split(";"))
    charsets = [value.strip(' "') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    return media == JSON and all(charset in ("utf-8", "utf8") for charset in charsets)


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        found.append((media, quality))
    return found
