"""Requests of controllers, as a store keeps them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from identity_graph.copying import copy, pieces
from identity_graph.model import SharedRule
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from identity_graph.subject_request import Call, Identity, RequestKind, RequestStatus, SubjectRequest
from tests.store.building import NOW

REQUEST = SubjectRequest(
    "r1",
    "key abc",
    RequestKind.ERASURE,
    RequestStatus.PENDING,
    received=NOW,
    expected=NOW + 90,
    begins=NOW + 9,
    digest="d",
    due=NOW + 9,
    identities=(Identity("email", "zoe@example.org"), Identity("email", "ab" * 32, "sha256")),
    hidden=(3, 4),
    trouble="IDENTIFIERS_SHARED",
    shared=SharedRule.DETACH,
    calls=(
        Call("https://example.org/a", (RequestStatus.PENDING,), 2, NOW + 5, "the answer was 503"),
        Call("https://example.org/b", dead=(RequestStatus.PENDING,)),
    ),
)


def test_what_is_kept_is_found_as_it_was(store: Store) -> None:
    assert store.subject_requests.find(["r1"]) == [None] and store.subject_requests.find([]) == []
    other = replace(REQUEST, id="r0", due=None, calls=(), results=7, persons=("p1",), erasures=("e1",), ended=NOW)
    store.subject_requests.keep([REQUEST, other])
    assert store.subject_requests.find(["r1", "none", "r0", "\ud800"]) == [REQUEST, None, other, None]
    assert store.subject_requests.requests() == [other, REQUEST]
    assert store.subject_requests.requests(after="r0", limit=1) == [REQUEST]
    done = REQUEST.moved(RequestStatus.COMPLETED, NOW, due=None, identities=())
    store.subject_requests.keep([done])
    store.subject_requests.keep([])
    assert store.subject_requests.find(["r1"]) == [done]
    assert [call.waiting for call in done.calls] == [("pending", "completed"), ("completed",)]


def test_the_first_due_first(store: Store) -> None:
    late = replace(REQUEST, id="a", due=NOW + 20, calls=())
    never = replace(REQUEST, id="b", due=None, calls=())
    store.subject_requests.keep([late, never, REQUEST])
    assert store.subject_requests.due(NOW + 8) == []
    assert store.subject_requests.due(NOW + 20) == [REQUEST, late]
    assert store.subject_requests.due(NOW + 20, limit=1) == [REQUEST]
    assert store.subject_requests.calling(NOW + 4) == []
    assert store.subject_requests.calling(NOW + 5) == [REQUEST]
    store.subject_requests.keep([replace(REQUEST, due=None, calls=())])
    assert store.subject_requests.due(NOW + 19) == [] == store.subject_requests.calling(NOW + 99)


def test_what_a_transaction_undoes_was_never_kept(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction():
        store.subject_requests.keep([REQUEST])
        raise KeyError
    assert store.subject_requests.requests() == []


def test_they_are_copied_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_graph.copying.ROWS", 2)
    source = open_store("sqlite:///:memory:")
    asked = [replace(REQUEST, id=f"r{n}") for n in range(5)]
    source.subject_requests.keep(asked)
    copy(source, store)
    assert store.subject_requests.requests() == asked == store.subject_requests.due(NOW + 9)
    assert [len(piece.subject_requests) for _, piece in islice(pieces(store), 30)].count(2) == 2
    source.close()
