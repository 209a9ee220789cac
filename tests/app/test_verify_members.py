"""Members are folded anew in batches: whoever differs is named, wherever in a batch they stand."""

from __future__ import annotations

import pytest

from app import cached_fold
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import EMPTY
from app.usecases import verify_members
from app.usecases.enrol import ProfileInput
from app.usecases.sell import sell
from app.usecases.verify import verify
from db import people, states
from tests.app.kiosk import Kiosk, sale_command
from tests.app.test_verify import raw

ON = BusinessDate.on(2026, 11, 21)


def shoppers(kiosk: Kiosk, count: int) -> list[bytes]:
    """Members with a sale each, in the order of their ids."""
    for number in range(count):
        found = kiosk.enrol(ProfileInput(f"Ada {number}", f"1390000{number:04d}")).result
        sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, found.member_id, 36800))
    with kiosk.ctx.read() as conn:
        return list(people.all_members(conn))


@pytest.mark.parametrize("place", [0, 1, 2, 4, 6])
def test_the_one_who_differs_is_named_and_nobody_else(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(verify_members, "TOGETHER", 3)
    members = shoppers(kiosk, 6)
    with raw(kiosk) as conn:
        conn.execute(
            "INSERT INTO split SELECT ?, 900, 'points', zeroblob(16), 0, 'redeem', zeroblob(16), 0,"
            " 0, 0, 5, 0, NULL, NULL, NULL",
            (members[place],),
        )
    kiosk.open()
    report = verify(kiosk.ctx)
    assert report.members == len(members)
    (finding,) = report.findings
    assert members[place].hex() in finding.what
    assert "splits" in finding.what


def test_a_lot_that_came_back_with_a_later_expiry_stands_where_the_fold_has_it(
    kiosk: Kiosk,
) -> None:
    first, spent = EntryId(bytes(16), 0), EntryId(b"s" * 16, 0)
    state = fold(
        EMPTY,
        [
            Entry(first, POINTS, "earn", 100, ON, ON, ON.plus(10)),
            Entry(EntryId(b"b" * 16, 0), POINTS, "earn", 100, ON, ON, ON.plus(20)),
            Entry(spent, POINTS, "redeem", -60, ON),
            Entry(
                EntryId(b"r" * 16, 0), POINTS, "reverse", 60, ON.plus(9),
                minimum_expiry=ON.plus(30), refers_to=spent,
            ),
        ],
    )  # fmt: skip
    assert [int(lot.expires - ON) for lot in state.lots] == [10, 20, 30]
    with kiosk.ctx.write_rows() as conn:
        cached_fold.rewrite_state(conn, kiosk.member_id, seq=1, state=state)
    with kiosk.ctx.read() as conn:
        alone = cached_fold.load_state(conn, kiosk.member_id, None)
        among = states.cached_of(conn, [kiosk.member_id])[kiosk.member_id]
    assert cached_fold.states_equal(state, alone) == []
    assert cached_fold.states_equal(state, cached_fold.whole_state(among)) == []
