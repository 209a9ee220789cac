"""Which incidents still wait for a person, and which one has read."""

from __future__ import annotations

from app.queries.attention import incidents_seen, needs
from db import rows
from tests.app.kiosk import Kiosk


def note(kiosk: Kiosk, code: str, at_us: int = 1) -> None:
    with kiosk.ctx.write_rows() as conn:
        rows.add_incident(conn, at_us=at_us, code=code, facts="{}")


def shown(kiosk: Kiosk) -> list[tuple[str, int]]:
    return [(need.code, need.place) for need in needs(kiosk.ctx) if need.kind == "incident"]


def test_incidents_that_are_marked_twice_hide_none_that_comes_after(kiosk: Kiosk) -> None:
    note(kiosk, "fold_differs")
    note(kiosk, "journal_missing")
    assert shown(kiosk) == [("fold_differs", 1), ("journal_missing", 2)]
    incidents_seen(kiosk.ctx, 2)
    incidents_seen(kiosk.ctx, 2)
    note(kiosk, "share_differs")
    assert shown(kiosk) == [("share_differs", 3)]


def test_a_mark_goes_no_further_than_the_incidents_that_there_are(kiosk: Kiosk) -> None:
    note(kiosk, "fold_differs")
    incidents_seen(kiosk.ctx, 9)
    note(kiosk, "share_differs")
    assert shown(kiosk) == [("share_differs", 2)]


def test_an_older_list_takes_no_mark_back(kiosk: Kiosk) -> None:
    note(kiosk, "fold_differs")
    note(kiosk, "journal_missing")
    incidents_seen(kiosk.ctx, 2)
    incidents_seen(kiosk.ctx, 1)
    assert shown(kiosk) == []


def test_the_place_is_that_of_the_store_whatever_is_shown_first(kiosk: Kiosk) -> None:
    note(kiosk, "fold_differs", at_us=2)
    note(kiosk, "journal_missing", at_us=1)
    assert shown(kiosk) == [("journal_missing", 2), ("fold_differs", 1)]
