"""Records that name somebody are found without reading all: none that a full reading finds is missed."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import set_aside
from identity_graph.mentions import Mentions
from identity_graph.model import Identifier, Quarantined
from identity_graph.set_aside import SetAside
from tests.conftest import law

VALUES = st.sampled_from(
    [
        *(
            ("email", one)
            for one in ("ann.lee@example.org", "annlee@gmail.com", "a@b.co", "jörg@xn--bcher-kva.example")
        ),
        *(("phone", one) for one in ("+12025550143", "+442079460958;ext=12", "+390612345678")),
        *(("loyalty_id", one) for one in ("LC13833979", "AB1234")),
        ("ip", "2001:db8::1"),
        ("user_agent", "Mozilla/5.0 (X11; Linux)"),
        ("cookie", "8be66eec-41ee-1761-e5d1-bb2c469f8c83"),
        ("user_id", "Straße-Nr-7"),
        ("user_id", "abc"),
    ]
)
SPELLINGS = st.sampled_from(
    [
        lambda text: text,
        str.upper,
        str.title,
        lambda text: " ".join(text),
        lambda text: text.replace("LC", "LC ").replace("555", "-555 ").replace("79", "(79)").removeprefix("+1"),
        lambda text: quote(text, safe=""),
        lambda text: text.replace("@", "\\u0040"),
        lambda text: text.replace("annlee@gmail", "Ann.Lee+news@GoogleMail"),
        lambda text: text.replace("xn--bcher-kva", "bücher"),
        lambda text: text.replace("ö", "o\u0308"),
    ]
)
RECORDS = st.lists(
    st.tuples(VALUES, SPELLINGS, st.sampled_from(['{{"x": "{}", broken', "one,{},two", "x{}9"]), st.booleans()),
    max_size=12,
)


class Kept:
    """Records by number, some of which go."""

    def __init__(self) -> None:
        self.records: list[Quarantined] = []

    def quarantined(self, *, after: int = 0, limit: int = 100, code: str | None = None) -> list[Quarantined]:
        return [one for one in self.records if one.number > after][:limit]


@law(200)
@given(st.lists(RECORDS, max_size=3), VALUES, st.sets(st.integers(1, 30)), st.sampled_from([2, 1000]))
def test_nothing_is_missed(batches, value, gone, page):  # type: ignore[no-untyped-def]
    kept = Kept()
    aside = SetAside(kept)  # type: ignore[arg-type]
    identifier = Identifier(*value)
    mentions = Mentions([identifier])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(set_aside, "PAGE", page)
        patch.setattr(set_aside, "NEAR", page)
        number = 0
        for batch in batches:
            for (_, text), spell, form, wide in batch:
                number += 1
                record = form.format(spell(text)).encode("utf-16-le" if wide else "utf-8")
                kept.records.append(Quarantined(number, "r", "s", "l", 1, 0, "X", "", record))
            expected = [one.number for one in kept.records if mentions.found_in(one.record)]
            assert [one.number for one in aside.naming([identifier])] == expected
            kept.records = [one for one in kept.records if one.number not in gone]


def test_few_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    kept.records = [
        Quarantined(
            n, "r", "s", "l", n, 0, "X", "", b'{"user": "u-%d", "email": "ann%d at example.org", "broken' % (n, n)
        )
        for n in range(1, 3001)
    ]
    aside = SetAside(kept)  # type: ignore[arg-type]
    asked = [Identifier("user_id", "u-2025"), Identifier("phone", "+12025550143")]
    assert [one.number for one in aside.naming(asked)] == [2025]
    monkeypatch.setattr(Mentions, "found_in", lambda self, record: True)
    assert len(list(aside.naming(asked))) < 30
