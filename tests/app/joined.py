"""Steps at a till that has joined, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from app.domain.business_day import BusinessDate
from app.protocol.limits import Limits
from app.queries.members import member_panel, profile
from app.usecases.enrol import EditProfile, ProfileInput, edit_profile
from app.usecases.sell import sell
from app.usecases.verify import verify
from tests.app.kiosk import Kiosk, Template, other_till, sale_command

GENEROUS: Final = Limits(grant_most=1000, cap=500)


@pytest.fixture
def second(template: Template, tmp_path: Path) -> Iterator[Kiosk]:
    """Another till of the shop."""
    found = other_till(template, tmp_path / "second")
    yield found
    found.close()


def balance(at: Kiosk, member: bytes) -> int:
    return member_panel(at.ctx, member).points_balance


def sell_to(
    at: Kiosk, member: bytes, minor: int = 36800, redeem: int = 0, hold: bytes | None = None
) -> bytes:
    """A cash sale at this till to a member of the chain."""
    command = sale_command(at.ctx, at.session, member, minor, redeem=redeem)
    return sell(at.ctx, replace(command, hold=hold)).result.event_id


def today(at: Kiosk) -> BusinessDate:
    return at.ctx.business_date()


def sound(*tills: Kiosk) -> None:
    for each in tills:
        found = verify(each.ctx).findings
        assert found == [], found


def edit(at: Kiosk, member: bytes, name: str) -> None:
    seen = profile(at.ctx, member)
    edit_profile(
        at.ctx,
        EditProfile(
            at.ctx.ids(), at.session, member, seen.version, ProfileInput(name),
            True, False, frozenset({"phone", "email", "birthday"}),
        ),
    )  # fmt: skip


def answer(at: Kiosk, member: bytes, marketing: bool) -> None:
    """A member's yes or no to marketing."""
    seen = profile(at.ctx, member)
    edit_profile(
        at.ctx,
        EditProfile(
            at.ctx.ids(), at.session, member, seen.version, ProfileInput(seen.name),
            True, marketing, frozenset({"phone", "email", "birthday"}),
        ),
    )  # fmt: skip


def kept_database(at: Kiosk) -> bytes:
    """The database as it is now; the till goes on."""
    at.close()
    kept = at.database.read_bytes()
    at.open()
    return kept


def put_back(at: Kiosk, kept: bytes) -> None:
    """The till dies and starts with an older database; its journal file has what came after."""
    at.crash()
    at.log.unlink(missing_ok=True)
    at.database.write_bytes(kept)
    at.open()
