"""What an edit of a profile leaves in the journal: every field that it changed by name, and only the consents
that were asked for anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import posting
from app.documents.notice import VERSION
from app.domain.member import MARKETING, SERVICE
from app.intake import Reading
from app.protocol.events import Event
from app.usecases.enrol import (
    BirthdayInput,
    EditProfile,
    ProfileInput,
    edit_profile,
)
from app.usecases.verify import verify
from db import people
from tests.app.kiosk import Kiosk

BORN = BirthdayInput("solar", 5, 21, 1990)
BEFORE = ProfileInput("单晓雯", "13900006699", birthday=BORN)


def edited(
    kiosk: Kiosk, after: ProfileInput, *, service: bool = True, marketing: bool = False
) -> Event:
    """The event of an edit of a member who was as in BEFORE."""
    member = kiosk.enrol(BEFORE).result.member_id
    command = EditProfile(kiosk.ctx.ids(), kiosk.session, member, 1, after, service, marketing)
    edit_profile(kiosk.ctx, command)
    return kiosk.last_event()


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (
            ProfileInput("单晓雯", "13900006699", birthday=BirthdayInput("solar", 5, 21, 1991)),
            ["birth_year"],
        ),
        (
            ProfileInput("单晓雯", "13900006699", birthday=BirthdayInput("lunar", 5, 21, 1990)),
            ["birth_calendar"],
        ),
        (
            ProfileInput(
                "单晓雯", "13900006699", birthday=BORN, reading=Reading(("dan", "xiao", "wen"))
            ),
            ["name_py"],
        ),
        (ProfileInput("李敏", "13900006688", birthday=BORN), ["name", "phone"]),
    ],
)
def test_an_edit_names_every_field_that_it_changes(
    kiosk: Kiosk, after: ProfileInput, changed: list[str]
) -> None:
    event = edited(kiosk, after)
    assert (event.kind, event.doc["changed"]) == (posting.PROFILE, changed)


def under_an_older_notice(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A member who agreed to the notice of last year."""
    with monkeypatch.context() as earlier:
        earlier.setattr("app.documents.notice.VERSION", "2025-01")
        return kiosk.enrol(BEFORE).result.member_id


def answers(kiosk: Kiosk, member: bytes) -> dict[str, tuple[str, int]]:
    """The notice and the answer that count, by purpose."""
    with kiosk.ctx.read() as conn:
        return {c.purpose: (c.notice_version, c.granted) for c in people.consents_of(conn, member)}


def save(kiosk: Kiosk, member: bytes, after: ProfileInput, *, marketing: bool = False) -> None:
    command = EditProfile(kiosk.ctx.ids(), kiosk.session, member, 1, after, True, marketing)
    edit_profile(kiosk.ctx, command)


def test_an_edit_renews_no_consent_that_was_not_asked_for(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = under_an_older_notice(kiosk, monkeypatch)
    with kiosk.ctx.read() as conn:
        before = people.consents_of(conn, member)
    save(kiosk, member, replace(BEFORE, note="少冰"))
    with kiosk.ctx.read() as conn:
        assert people.consents_of(conn, member) == before


def test_a_consent_that_is_given_now_is_under_todays_notice_and_the_other_as_it_was(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = under_an_older_notice(kiosk, monkeypatch)
    save(kiosk, member, BEFORE, marketing=True)
    event = kiosk.last_event()
    assert event.kind == posting.CONSENT
    assert event.doc["consents"] == [[MARKETING, "any", VERSION, 1]]
    assert answers(kiosk, member) == {SERVICE: ("2025-01", 1), MARKETING: (VERSION, 1)}


def test_a_change_of_the_phone_says_the_answers_again_under_their_own_notice(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = under_an_older_notice(kiosk, monkeypatch)
    save(kiosk, member, replace(BEFORE, phone="13900006688"))
    assert answers(kiosk, member) == {SERVICE: ("2025-01", 1), MARKETING: ("2025-01", 0)}
    assert verify(kiosk.ctx).findings == []


def test_a_save_that_changes_nothing_is_no_event(kiosk: Kiosk) -> None:
    member = kiosk.enrol(BEFORE).result.member_id
    before = kiosk.events()
    save(kiosk, member, BEFORE)
    assert kiosk.events() == before
