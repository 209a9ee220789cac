"""The day closes of a made-up past: one Z for each business date, signed like a real one.

Sums come from the rows that the date's events have just added, not from the store, because a batch of dates is
written in one go. What a Z holds, and how it is signed, is app/usecases/close_day.py's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from app import statement
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS
from app.usecases.close_day import NO_BACKUP
from app.usecases.z_files import statement_of
from db import day, rows
from db.figures import FiguresRow, ShareRow

_REASON: Final = "other"


class Closes:
    """Numbers the closes of one till, and carries the sums that each builds on."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._number = 0
        self._entries = 0
        self._points = 0
        with ctx.read() as conn:
            seed = day.till_seed(conn)
        if seed is None:
            seed = statement.new_seed()
            with ctx.write_rows() as conn:
                day.put_till_seed(conn, seed)
        self._seed = seed

    def facts(
        self,
        on: BusinessDate,
        *,
        at_us: int,
        sums: Sequence[FiguresRow],
        shares: Sequence[ShareRow],
        ledger: Sequence[rows.LedgerRow],
        shift: dict[str, Any],
        events: int,
        head: bytes,
        members: int,
    ) -> dict[str, Any]:
        """`doc` of the day_close of a date: `sums`, `shares` and `ledger` are the rows that it added,
        `events` and `head` the journal's up to now, `members` how many there are."""
        self._number += 1
        self._entries += len(ledger)
        self._points += sum(row.amount for row in ledger if row.asset == POINTS)
        kinds = _by_kind(sums)
        booked = [row for row in ledger if row.kind == "expire"]
        doc = {
            "number": self._number,
            "date": int(on),
            "at": at_us,
            "sums": {
                "kinds": [[*each] for each in kinds],
                "paid": sum(each.paid for each in kinds),
                "issued": sum(each.issued for each in kinds),
                "redeemed": sum(each.redeemed for each in kinds),
                "expired": sum(each.expired for each in kinds),
                "tenders": [[key, amount] for key, amount, _ in _by_key(shares, "tender")],
                "tax": [[*each] for each in _by_key(shares, "tax")],
                "shifts": [shift],
            },
            "owner": {
                "members": len({row.member_id for row in booked}),
                "points": -sum(row.amount for row in booked),
                "raised": 0, "lowered": 0, "kept": 0,
            },
            # Nobody made a backup in a past that never was; the manager signed for it.
            "open": [[NO_BACKUP, 1]],
            "reason": _REASON,
            "unattended": 0,
            "proof": {
                "head": head.hex(), "events": events, "entries": self._entries,
                "points_at_end": self._points, "members": members,
                "verified": len({row.member_id for row in ledger}), "faults": 0, "backup": None,
            },
            "key": statement.public_of(self._seed).hex(),
            "approval": None,
        }  # fmt: skip
        signature = statement.sign(self._seed, statement_of(self._ctx, doc))
        return {**doc, "signature": signature.hex()}


def _by_kind(sums: Sequence[FiguresRow]) -> list[day.KindSums]:
    kinds: dict[str, list[int]] = defaultdict(lambda: [0] * 8)
    for row in sums:
        of_kind = kinds[row.kind]
        values = (
            1, row.gross_minor, row.discount_minor, row.points_value_minor, row.paid_minor,
            row.points_issued, row.points_redeemed, row.points_expired,
        )  # fmt: skip
        for place, value in enumerate(values):
            of_kind[place] += value
    return [day.KindSums(kind, *kinds[kind]) for kind in sorted(kinds)]


def _by_key(shares: Sequence[ShareRow], part: str) -> list[tuple[str, int, int]]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in shares:
        if row.part == part:
            found[row.key][0] += row.amount
            found[row.key][1] += row.extra
    return [(key, found[key][0], found[key][1]) for key in sorted(found) if any(found[key])]
