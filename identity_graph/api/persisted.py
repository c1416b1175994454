"""Documents that a client names by their SHA-256 instead of sending them: those of a folder that the service trusts,
and those that clients have sent before (automatic persisted queries, as Apollo's clients send them).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path

from graphql import parse, print_ast, strip_ignored_characters

from identity_graph.api.documents import Invalid
from identity_graph.api.request import GraphQLRequest
from identity_graph.errors import QueryError, SettingError

KEPT = 1_000


class Persisted:
    def __init__(self, trusted: Mapping[str, str], *, only: bool) -> None:
        """`trusted`: texts by their hashes, as `read_trusted` gives them; `only`: no others are answered."""
        self._trusted = trusted
        self._only = only
        self._sent: OrderedDict[str, str] = OrderedDict()

    def text(self, request: GraphQLRequest) -> str:
        """The document to run. Raises PERSISTED_QUERY_NOT_FOUND, DOCUMENT_UNTRUSTED, and BODY_INVALID of a text with
        the hash of another."""
        if request.query is None:
            assert request.sha256 is not None
            found = self._trusted.get(request.sha256) or self._sent.get(request.sha256)
            if found is None:
                # By this message and code clients know that they are to send the text, too.
                raise QueryError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
            return found
        if not self._only and request.sha256 is None:
            return request.query
        sha256 = hash_of(request.query)
        if request.sha256 not in (None, sha256):
            raise QueryError("BODY_INVALID", "the hash is not that of the document", help="Send SHA-256 of 'query'.")
        if self._only and sha256 not in self._trusted:
            raise QueryError("DOCUMENT_UNTRUSTED", "the document is not one that the service trusts")
        return request.query

    def keep(self, request: GraphQLRequest) -> None:
        """Once it is known to be valid, so that nobody fills this with nonsense. The last used are kept."""
        if request.sha256 is None or request.sha256 in self._trusted:
            return
        if request.query is not None:
            self._sent[request.sha256] = request.query
        if request.sha256 in self._sent:  # others may have pushed it out while it was being prepared
            self._sent.move_to_end(request.sha256)
        if len(self._sent) > KEPT:
            self._sent.popitem(last=False)


def read_trusted(folder: Path, check: Callable[[str], object]) -> dict[str, str]:
    """All `.graphql` files below the folder, by the SHA-256 of their text as it is, of it as the tools of GraphQL print
    it, and of it without what means nothing: clients send it so. Raises SETTING_INVALID of what `check` refuses."""
    files = sorted(folder.rglob("*.graphql")) if folder.is_dir() else []
    if not files:
        raise _invalid(folder, "there is no .graphql file in that folder")
    found: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            check(text)
            printed = print_ast(parse(text))
            short = strip_ignored_characters(text)
        except Invalid as invalid:
            raise _invalid(file, invalid.errors[0].message) from None
        except (OSError, UnicodeDecodeError, QueryError) as error:
            raise _invalid(file, str(error)) from None
        found |= {hash_of(form): text for form in (text, text.strip(), printed, short)}
    return found


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _invalid(path: Path, why: str) -> SettingError:
    return SettingError("SETTING_INVALID", f"{path}: {why}", help="Name a folder of GraphQL operations by --trusted.")
