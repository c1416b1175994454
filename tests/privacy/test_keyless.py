"""An erasure while the key of the tombstones is missing or another one: nothing goes, nobody sees the person, and it is
finished when the key is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.erasing import ErasureState
from identity_graph.errors import StoreError
from identity_graph.store.keyring import VARIABLE
from tests.story.worlds import event, key, new_graph, person, tell, town

ZOE, YAN = "email:zoe@example.org", "email:yan@example.org"
HERS = [event("z1", 0, ZOE, "cookie:z-one"), event("z2", 1, "cookie:z-one", "user_id:zoe", "ip:203.0.113.7")]

pytestmark = [pytest.mark.usefixtures("each_store"), pytest.mark.parametrize("amiss", ["missing", "another"])]


@pytest.fixture
def url(shared_url: str) -> str:
    """Of a store with a tombstone: before the first one there need be no key."""
    with new_graph(url=shared_url) as graph:
        tell(graph, [*town(), *HERS, event("y1", 2, YAN)])
        preview = graph.forget.preview(person(graph, YAN))
        assert preview
        graph.forget.erase(preview.token)
    return shared_url


@contextmanager
def without_key(url: str, amiss: str) -> Iterator[IdentityGraph]:
    """Opened by somebody who has it not."""
    with IdentityGraph.open(url) as graph:
        place = graph.store.transfer.key_place()
        assert place is not None and place.exists()
    kept, patch = place.rename(place.with_name("kept")), pytest.MonkeyPatch()
    if amiss == "another":
        patch.setenv(VARIABLE, "0c" * 32)
    try:
        with IdentityGraph.open(url) as graph:
            yield graph
        assert not place.exists(), "none is made in its place"
    finally:
        patch.undo()
        Path(kept).rename(place)


def is_whole(graph: IdentityGraph, digest: str) -> None:
    """Hidden, with all that was known of her."""
    assert graph.digest() == digest
    assert graph.people.find_by_identifier([key(ZOE)]) == [None]
    assert all(graph.store.evidence.events([one.id for one in HERS]))
    (request,) = graph.store.erasures.open()
    assert request.state is ErasureState.RESTRICTED


def finished(url: str, id: str) -> None:
    with IdentityGraph.open(url) as graph:
        (done,) = graph.forget.resume()
        assert (done.person_id, done.state, done.code) == (id, ErasureState.SCRUBBED, "")
        assert done.document["verified"] and graph.store.erasures.open() == []
        assert graph.people.find_by_identifier([key(ZOE)]) == [None] and graph.restrictions.all() == []
        assert graph.ingest.events(HERS).suppressed == len(HERS)
        with new_graph(url="sqlite:///:memory:") as without:
            tell(without, town())
            assert graph.digest() == without.digest()


def test_an_erasure_without_the_key(amiss: str, url: str) -> None:
    with without_key(url, amiss) as graph:
        digest, id = graph.digest(), person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        with pytest.raises(StoreError) as caught:
            graph.forget.erase(preview.token)
        assert caught.value.code == "STORE_KEY" and ZOE not in str(caught.value)
        is_whole(graph, digest)
        (waiting,) = graph.forget.resume()
        assert (waiting.state, waiting.code) == (ErasureState.RESTRICTED, "STORE_KEY")
        is_whole(graph, digest)
    finished(url, id)


def test_an_erasure_that_was_killed_and_lost_its_key(amiss: str, url: str) -> None:
    with IdentityGraph.open(url) as graph:
        digest, id = graph.digest(), person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        graph.forget._request(preview.token)  # and then it was killed
    with without_key(url, amiss) as graph:
        (waiting,) = graph.forget.resume()
        assert (waiting.state, waiting.code) == (ErasureState.RESTRICTED, "STORE_KEY")
        is_whole(graph, digest)
    finished(url, id)
