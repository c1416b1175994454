"""How far destinations were told, and messages that did not arrive."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from identity_graph.copying import copy, pieces
from identity_graph.delivery import Delivery, Parcel, Place
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.store.building import NOW

PARCEL = Parcel("m1", "crm", "gold", Place(3, ""), Place(3, "p7"), NOW, 2, NOW + 9, "the answer was 503")
DELIVERY = Delivery("crm", "gold", Place(3, ""), PARCEL, 4, NOW)


def test_of_each_destination_the_latest(store: Store) -> None:
    assert store.deliveries.deliveries() == []
    store.deliveries.keep(DELIVERY)
    store.deliveries.keep(replace(DELIVERY, destination="ads ü", pending=None, latest=None))
    moved = replace(DELIVERY, reached=Place(8, None), pending=None, parcels=5)
    store.deliveries.keep(moved)
    assert store.deliveries.deliveries() == [replace(DELIVERY, destination="ads ü", pending=None, latest=None), moved]


def test_dead_letters_are_kept_found_and_discarded(store: Store) -> None:
    letters = [replace(PARCEL, id=f"m{n}") for n in range(5)]
    store.deliveries.set_aside(letters[3:])
    store.deliveries.set_aside(letters[:4])
    assert store.deliveries.dead_letters() == letters
    assert store.deliveries.dead_letters(after="m1", limit=2) == letters[2:4]
    again = replace(letters[1], attempts=9)
    store.deliveries.set_aside([again])
    assert store.deliveries.find_dead_letters(["m4", "none", "m1", "\ud800"]) == [letters[4], None, again, None]
    store.deliveries.discard(["m1", "none", "m4", "m1"])
    assert [one.id for one in store.deliveries.dead_letters()] == ["m0", "m2", "m3"]
    store.deliveries.discard([])
    assert store.deliveries.find_dead_letters([]) == []


def test_what_a_transaction_undoes_was_never_kept(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction():
        store.deliveries.keep(DELIVERY)
        store.deliveries.set_aside([PARCEL])
        raise KeyError
    assert (store.deliveries.deliveries(), store.deliveries.dead_letters()) == ([], [])


def test_they_are_copied_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_graph.copying.ROWS", 2)
    source = open_store("sqlite:///:memory:")
    letters = [replace(PARCEL, id=f"m{n}") for n in range(5)]
    source.deliveries.keep(DELIVERY)
    source.deliveries.set_aside(letters)
    copy(source, store)
    assert (store.deliveries.deliveries(), store.deliveries.dead_letters()) == ([DELIVERY], letters)
    assert [len(piece.dead_letters) for _, piece in islice(pieces(store), 20)].count(2) == 2
    source.close()
