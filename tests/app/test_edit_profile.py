"""What an edit of a profile leaves in the journal: every field that it changed, by name."""

from __future__ import annotations

import pytest

from app import posting
from app.intake import Reading
from app.protocol.events import Event
from app.usecases.enrol import BirthdayInput, EditProfile, ProfileInput, edit_profile
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
    return Event.from_bytes(kiosk.events()[-1].body)


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
