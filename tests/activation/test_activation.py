"""What webhooks are told, on both stores: members, then changes, in order, at least once, and nothing of the erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from identity_graph.activation import Activation
from identity_graph.errors import InputError, NotFound, SettingError
from identity_graph.model import ConsentStatus
from identity_graph.webhook import Sent
from tests.activation.conftest import PRO, Town, pros
from tests.activation.receiver import SECRET, resets
from tests.story.worlds import key


def test_first_the_members_then_the_changes(town: Town) -> None:
    town.tell(pros(*range(250)))
    town.tell(pros(0, plan="free", minute=1))
    hook = town.hook()
    outcome = hook.run("hook")
    assert (outcome.delivered, outcome.parcels, outcome.trouble) == (249, 3, "")
    assert sorted(town.receiver.told()) == sorted(f"MEMBER {town.id(n)}" for n in range(1, 250))
    assert hook.run("hook").delivered == 0
    town.tell([*pros(300), *pros(1, plan="free", minute=1)])
    assert hook.run("hook").delivered == 2
    assert set(town.receiver.told()[249:]) == {f"ENTERED {town.id(300)}", f"LEFT {town.id(1)}"}
    assert len(set(town.receiver.ids)) == len(town.receiver.ids) == 4 and not town.receiver.forged
    assert hook.deliveries()["hook"].parcels == 4


def test_only_what_is_named_is_told(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook(identifiers=["email"], traits=["plan", "none"])
    hook.run("hook")
    town.tell([*pros(2), *pros(1, plan="free", minute=1)])
    hook.run("hook")
    (_, first), (_, second) = town.receiver.got
    assert first["type"] == "segment.members" and first["data"]["segment"] == "pros"
    known = {"identifiers": {"email": ["u1@example.org"]}, "traits": {"plan": "pro"}}
    assert first["data"]["members"] == [{"personId": town.id(1), **known}]
    changes = {row["kind"]: row for row in second["data"]["changes"]}
    assert changes["ENTERED"]["identifiers"] == {"email": ["u2@example.org"]}
    assert changes["LEFT"].keys() == {"cursor", "time", "kind", "personId"}


def test_an_attempt_that_fails_is_made_again_under_its_id(town: Town) -> None:
    town.tell(pros(1, 2))
    hook = town.hook()
    town.receiver.next += [503, resets]
    outcome = hook.run("hook", patient=True)
    assert (outcome.delivered, outcome.set_aside, outcome.trouble) == (2, 0, "")
    assert len(town.receiver.ids) == 3 and len(set(town.receiver.ids)) == 1
    assert hook.dead_letters() == []


def test_without_patience_it_ends_where_it_had_to_wait(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook(first_wait=3600)
    town.receiver.next.append(500)
    outcome = hook.run("hook")
    assert outcome.trouble == "the answer was 500" and outcome.due
    pending = hook.deliveries()["hook"].pending
    assert pending and pending.attempts == 1
    assert 0.49 * 600 <= (pending.due - pending.made) / 1e6 <= 660  # half of it at least, and never over ten minutes
    assert hook.run("hook").trouble and len(town.receiver.got) == 1


def test_a_receiver_that_asks_for_peace_gets_it(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook()
    town.receiver.next.append(429)
    outcome = hook.run("hook")
    assert outcome.due and outcome.due - hook.deliveries()["hook"].pending.made >= 70e6  # type: ignore[union-attr]


def test_what_never_arrives_is_set_aside_and_can_be_sent_again(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook()
    town.receiver.next += [500, resets, 404]
    outcome = hook.run("hook", patient=True)
    assert (outcome.delivered, outcome.set_aside, outcome.trouble) == (0, 1, "the answer was 404")
    (letter,) = hook.dead_letters()
    assert (letter.attempts, letter.trouble) == (3, "the answer was 404")
    town.tell(pros(2))
    assert hook.run("hook").parcels == 2  # what comes after it is not held up: a member, and that it entered
    town.receiver.next.append(500)
    assert hook.send_again([letter.id]).set_aside == 1
    assert [one.attempts for one in hook.dead_letters()] == [4]
    assert hook.send_again().delivered == 1
    assert hook.dead_letters() == []
    assert {id for id in town.receiver.ids if id == letter.id} == {letter.id} and town.receiver.ids.count(
        letter.id
    ) == 5
    with pytest.raises(NotFound) as unknown:
        hook.send_again([letter.id])
    assert unknown.value.code == "DEAD_LETTER_UNKNOWN"


def test_it_goes_on_where_it_was_when_it_ended_between_sending_and_noting(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.tell(pros(*range(150)))
    hook = town.hook()
    monkeypatch.setattr(Activation, "_arrived", _dies)
    with pytest.raises(KeyboardInterrupt):
        hook.run("hook")
    monkeypatch.undo()
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    assert town.hook().run("hook").delivered == 150
    assert len(town.receiver.ids) == 3 and len(set(town.receiver.ids)) == 2
    assert len(town.receiver.told()) == 150


def _dies(self: Activation, parcel: object) -> None:
    raise KeyboardInterrupt


def test_two_at_once_send_twice_and_note_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process delivers the same parcel between an attempt and its note."""
    town.tell(pros(1))
    hook, other = town.hook(), town.hook()
    attempt = hook._attempt

    def slowly(*arguments: object) -> tuple[int, Sent]:
        found = attempt(*arguments)  # type: ignore[arg-type]
        if other.deliveries()["hook"].pending:
            other.run("hook")
        return found

    monkeypatch.setattr(hook, "_attempt", slowly)
    hook.run("hook")
    assert len(town.receiver.ids) == 2 and len(set(town.receiver.ids)) == 1
    assert hook.deliveries()["hook"].parcels == 1
    assert hook.run("hook").delivered == 0


def test_who_is_erased_is_in_no_later_attempt_nor_dead_letter(town: Town) -> None:
    town.tell(pros(1, 2))
    hook = town.hook(identifiers=["email"], attempts=1)
    town.receiver.next.append(500)
    assert hook.run("hook").set_aside == 1
    town.tell(pros(3, 4))
    town.receiver.next.append(500)
    assert hook.run("hook").set_aside == 1
    town.tell(pros(5))
    town.receiver.next.append(500)
    assert town.hook(identifiers=["email"], first_wait=3600).run("hook").due  # on its way
    waiting = hook.deliveries()["hook"]
    assert waiting.pending
    town.graph.store.deliveries.keep(replace(waiting, pending=replace(waiting.pending, due=0)))  # time passes
    erased = [town.id(n) for n in (1, 3, 5)]
    for number in (1, 3, 5):
        town.forget(number)
    before = len(town.receiver.got)
    again = town.hook(identifiers=["email"])
    again.send_again()
    again.run("hook", patient=True)
    later = str(town.receiver.got[before:])
    assert not any(f"u{number}@example.org" in later for number in (1, 3, 5))
    assert "u2@example.org" in later and "u4@example.org" in later
    told = [row for _, body in town.receiver.got[before:] for row in body["data"].get("changes", ())]
    about = [row["kind"] for row in told if row["personId"] in erased]
    assert about == ["ERASED"] * 3  # that the receiver erases them, too
    kept = "".join(one.pack() for one in again.dead_letters()) + again.deliveries()["hook"].pack()
    assert "example.org" not in kept


def test_a_parcel_of_which_nothing_is_left_is_not_sent(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook(attempts=1)
    town.receiver.next.append(500)
    hook.run("hook")
    town.forget(1)
    before = len(town.receiver.got)
    assert hook.send_again().delivered == 0
    assert (len(town.receiver.got), hook.dead_letters()) == (before, [])


def test_a_segment_that_is_deleted_tells_that_all_left(town: Town) -> None:
    town.tell(pros(1))
    hook = town.hook()
    hook.run("hook")
    town.graph.segments.delete("pros")
    assert hook.run("hook").delivered == 1
    assert town.receiver.told()[1:] == [f"LEFT {town.id(1)}"]
    with pytest.raises(NotFound) as unknown:
        town.hook(segment="nobody").run("hook")
    assert unknown.value.code == "SEGMENT_UNKNOWN"
    with pytest.raises(NotFound) as unknown:
        hook.run("other")
    assert unknown.value.code == "DESTINATION_UNKNOWN"


def test_another_segment_begins_with_its_members(town: Town) -> None:
    town.tell([*pros(1), *pros(2, plan="free")])
    town.hook().run("hook")
    town.graph.segments.save("free", "", {"trait": {"name": "plan", "is": {"equals": "free"}}})
    town.hook(segment="free").run("hook")
    assert town.receiver.told() == [f"MEMBER {town.id(1)}", f"MEMBER {town.id(2)}"]


def test_changes_of_others_are_not_looked_through_again_and_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_graph.activation._SCANNED", 5)
    town.tell(pros(1))
    hook = town.hook()
    hook.run("hook")
    before = hook.deliveries()["hook"].reached.change
    town.tell(pros(*range(10, 20), plan="free"))  # ten persons are created
    assert hook.run("hook").delivered == 0
    assert hook.deliveries()["hook"].reached.change >= before + 10
    town.tell(pros(2))
    assert hook.run("hook").delivered == 1


def test_for_a_purpose_only_who_said_yes_is_told_of_until_it_is_taken_back(town: Town) -> None:
    said = {"consent": {"purpose": "ads", "is": {"equals": "GRANTED"}}}
    town.tell(pros(*range(5)))
    with pytest.raises(SettingError) as error:
        town.hook(purpose="ads").run("hook")
    assert error.value.code == "DESTINATION_INVALID" and "does not ask for consent to ads" in error.value.message
    town.graph.segments.save("pros", "", {"all": [PRO, said]})
    with pytest.raises(InputError) as unknown:
        town.hook(purpose="adz", url="", file="x.csv", secret_env="").run("hook")
    assert unknown.value.code == "PURPOSE_UNKNOWN"
    hook = town.hook(purpose="ads", identifiers=["email"])

    def state(number: int, status: ConsentStatus) -> None:
        assert town.graph.stating.consent(key(f"email:u{number}@example.org"), "ads", status)

    for number in (1, 2):
        state(number, ConsentStatus.GRANTED)
    assert hook.run("hook").delivered == 2
    state(3, ConsentStatus.GRANTED)
    state(1, ConsentStatus.REVOKED)
    assert hook.run("hook").delivered == 2
    told = [f"MEMBER {town.id(n)}" for n in (1, 2)]
    assert sorted(town.receiver.told()[:2]) == sorted(told)
    assert sorted(town.receiver.told()[2:]) == sorted([f"ENTERED {town.id(3)}", f"LEFT {town.id(1)}"])
    # Who says no while a message waits is not in it when it is sent again.
    state(4, ConsentStatus.GRANTED)
    town.receiver.next.append(503)
    hook = town.hook(purpose="ads", identifiers=["email"], attempts=1)
    assert hook.run("hook").set_aside == 1 and "u4@" in str(town.receiver.got[-1])
    before = len(town.receiver.got)
    state(4, ConsentStatus.REVOKED)
    assert hook.send_again().delivered == 0 and hook.dead_letters() == []
    hook.run("hook")
    assert all("u4@" not in str(body) for _, body in town.receiver.got[before:])
