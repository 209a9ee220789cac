"""The members' part of `verify`: every member's entries folded anew, compared with what is cached of them.

Members are taken some hundred at a time, by one question a table: what bounds the check is reading rows and
folding them, not asking. A member is always folded by the one fold there is; nothing is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from app import bases, cached_fold
from app.domain.state import EMPTY, MemberState
from app.usecases.verify_report import Fault, Progress, Report
from db import people, rows, states
from db.connection import Connection

TOGETHER: Final = 200
_TOLD_EVERY: Final = 2000


def check_members(
    conn: Connection,
    members: Iterable[bytes],
    report: Report,
    tiers: Mapping[int, str],
    *,
    progress: Progress,
    total: int,
) -> None:
    """Fold these members anew and note in the report what the cache has otherwise, and of whom.

    `tiers` is the tier's code by rank; `total` is how many members the progress speaks of.
    """
    coming = iter(members)
    while batch := list(islice(coming, TOGETHER)):
        ledger = rows.ledger_of_members(conn, batch)
        cached = states.cached_of(conn, batch)
        accounts = people.tiers_of(conn, batch)
        started = bases.all_started(conn, batch)
        for member_id in batch:
            differs = _differences(
                cached_fold.fold_rows(
                    ledger[member_id], started.get(member_id, (EMPTY, 0))
                ),
                cached[member_id], accounts.get(member_id), tiers,
            )  # fmt: skip
            if differs:
                seq = ledger[member_id][-1].seq if ledger[member_id] else 0
                report.add(Fault.CACHE, seq, f"member {member_id.hex()}: {differs}")
                report.wrong.append(member_id)
        before, report.members = report.members, report.members + len(batch)
        if before // _TOLD_EVERY != report.members // _TOLD_EVERY:
            progress("members", report.members, max(total, report.members))


def _differences(
    folded: MemberState,
    cached: states.CachedRows,
    tier: str | None,
    tiers: Mapping[int, str],
) -> str:
    """What is otherwise than the fold has it, "" when nothing is. `tier` is None where no account is."""
    found = []
    different = cached_fold.states_equal(folded, cached_fold.whole_state(cached))
    if different:
        found.append(f"{', '.join(different)} differ from the fold")
    standing = folded.standing
    until = None if standing is None else int(standing.until)
    if cached.state is not None and cached.state.tier_until != until:
        found.append("the end of the tier differs")
    code = code_of(folded, tiers)
    if tier is not None and tier != code:
        found.append(f"tier {tier}, not {code}")
    return "; ".join(found)


def code_of(state: MemberState, tiers: Mapping[int, str]) -> str | None:
    """The code of the tier that a state stands at, None for a rank that no programme has."""
    return tiers.get(state.standing.rank if state.standing else min(tiers))
