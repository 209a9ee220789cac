"""Versions of the programme: which may be published, and which is in force (domain.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.programme import Programme
from app.domain.programme_checks import ProgrammeError

CHAIN_FROM: Final = 1001
"""Versions from here on are head office's; those below are a till's own, of before it joined."""
AHEAD_MOST: Final = 366
"""Days. A version is for ever and the next one starts after it: a mistyped year would stop all others."""


def check_publish(new: Programme, published: Sequence[Programme], today: BusinessDate) -> None:
    """Whether `new` may be published (domain.md section 2, "Programme versions").

    Versions rise, each starts on a date of its own that no published one has, and none starts in
    the past or more than AHEAD_MOST days ahead; an urgent one may name today. Ranks keep their tier
    codes for ever.
    """
    if new.starts < today:
        raise Refused(Refusal.PROGRAMME_STARTS_IN_PAST, {"starts": new.starts.iso()})
    if new.starts > (last := today.plus(AHEAD_MOST)):
        raise Refused(Refusal.PROGRAMME_STARTS_TOO_LATE, {"last": last.iso()})
    ranks: dict[int, str] = {}
    for version in published:
        if version.starts >= new.starts or version.version >= new.version:
            raise Refused(
                Refusal.PROGRAMME_START_TAKEN,
                {"starts": version.starts.iso(), "version": version.version},
            )
        ranks.update((level.rank, level.code) for level in version.tiers.levels)
    for n, level in enumerate(new.tiers.levels):
        if ranks.get(level.rank, level.code) != level.code:
            raise ProgrammeError(f"$.tiers.levels[{n}].rank", "rank_taken")


def programme_on(published: Sequence[Programme], on: BusinessDate) -> Programme | None:
    """The version in force on a business date: the latest that has started; a chain's before a till's own."""
    started = [version for version in published if version.starts <= on]
    return max(started, key=lambda each: (is_chains(each), each.starts)) if started else None


def is_chains(programme: Programme) -> bool:
    """Whether head office published it."""
    return programme.version >= CHAIN_FROM
