"""Tiers: what qualifies, upgrades at once, reviews by the owner (domain.md section 3, "Tier")."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.business_day import BusinessDate, year_end
from app.domain.entries import TIER, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.programme import Tier, TierRules
from app.domain.state import MemberState, TierChange


def window_start(rules: TierRules, on: BusinessDate) -> BusinessDate:
    """The first business date whose sales qualify on a date. Load the day counters from here on."""
    if rules.window == "calendar_year":
        return BusinessDate.on(on.year, 1, 1)
    return on.plus(1 - rules.window_days)


def measure(state: MemberState, rules: TierRules, on: BusinessDate) -> int:
    """Qualifying spend in minor units, or visits, of the window that ends on a date.

    A sale counts from its own date, or from when its pending points are available. A visit is a
    business date with a kept sale.
    """
    first = window_start(rules, on)
    days = (day for day in state.days if first <= day.on <= on and day.counts_from <= on)
    if rules.measure == "spend":
        return sum(day.spend for day in days)
    return sum(1 for day in days if day.sales > 0)


def current_tier(state: MemberState, rules: TierRules) -> Tier:
    """The level that the member has: what stands, whatever today's measure is."""
    standing = state.standing
    return rules.levels[0] if standing is None else rules.at(standing.rank)


def reached(rules: TierRules, qualifying: int) -> Tier:
    """The highest level whose threshold a measure reaches."""
    found = rules.levels[0]
    for level in rules.levels:
        if level.threshold <= qualifying:
            found = level
    return found


def period_end(rules: TierRules, on: BusinessDate) -> BusinessDate:
    """Until when a tier given on a date is kept: the end of the next period."""
    if rules.window == "calendar_year":
        return year_end(on, 1)
    return on.plus(rules.window_days)


def upgrade_due(
    state: MemberState, rules: TierRules, on: BusinessDate, qualifying: int
) -> Tier | None:
    """The level that a measure lifts the member to at once, if any; a locked tier stays."""
    standing = state.standing
    if standing is not None and standing.locked and on <= standing.until:
        return None
    level = reached(rules, qualifying)
    return level if level.rank > current_tier(state, rules).rank else None


def upgrade_entry(entry_id: EntryId, rules: TierRules, on: BusinessDate, level: Tier) -> Entry:
    """The entry of an upgrade."""
    return Entry(entry_id, TIER, "upgrade", level.rank, on, on, period_end(rules, on))


def change_of(entry: Entry) -> TierChange:
    """The tier change that a TIER entry with both dates brings, for showing it beforehand."""
    assert entry.available_from is not None
    assert entry.expires is not None
    return TierChange(entry.id, entry.kind, entry.amount, entry.available_from, entry.expires)


def review_entries(
    state: MemberState, rules: TierRules, on: BusinessDate, event_id: bytes
) -> tuple[Entry, ...]:
    """What the ledger's owner posts for a member's tier on a date: nothing, or one entry.

    An upgrade that became due by date alone (pending sales) is given. After `until` a tier that its
    measure still reaches is renewed; otherwise it falls by one level once the grace is over. The
    measure counts as of `until` or of today, whichever is better, so a new calendar year doesn't
    empty it.
    """
    entry_id = EntryId(event_id, 0)
    upgrade = upgrade_due(state, rules, on, measure(state, rules, on))
    if upgrade is not None:
        return (upgrade_entry(entry_id, rules, on, upgrade),)
    standing = state.standing
    current = current_tier(state, rules)
    if standing is None or current is rules.levels[0] or on <= standing.until:
        return ()
    best = max(measure(state, rules, standing.until), measure(state, rules, on))
    if best >= current.threshold:
        rank = current.rank
    elif on <= standing.until + rules.grace_days:
        return ()
    else:
        rank = rules.levels[rules.levels.index(current) - 1].rank
    return (Entry(entry_id, TIER, "review", rank, on, on, period_end(rules, on)),)


def manual_tier_entry(
    entry_id: EntryId, rules: TierRules, on: BusinessDate, *, code: str, until: BusinessDate | None
) -> Entry:
    """A tier given by hand: locked until its end date, which it must have."""
    if until is None or until < on:
        raise Refused(Refusal.TIER_END_NEEDED)
    for level in rules.levels:
        if level.code == code:
            return Entry(entry_id, TIER, "manual", level.rank, on, on, until)
    raise Refused(Refusal.TIER_UNKNOWN, {"tier": code})


@dataclass(frozen=True, slots=True)
class TierOutlook:
    """A member's tier as the panel shows it.

    missing  how much of the measure the next level still needs; None at the top
    at_risk  the end is near or past and today's measure doesn't reach the level
    """

    level: Tier
    next_level: Tier | None
    qualifying: int
    missing: int | None
    until: BusinessDate | None
    locked: bool
    at_risk: bool


def tier_outlook(state: MemberState, rules: TierRules, on: BusinessDate) -> TierOutlook:
    """Tier, progress and warning on a date."""
    standing = state.standing
    level = current_tier(state, rules)
    qualifying = measure(state, rules, on)
    position = rules.levels.index(level)
    higher = rules.levels[position + 1] if position + 1 < len(rules.levels) else None
    until = None if standing is None or position == 0 else standing.until
    near = until is not None and on >= until - rules.warning_days
    return TierOutlook(
        level=level,
        next_level=higher,
        qualifying=qualifying,
        missing=None if higher is None else max(higher.threshold - qualifying, 0),
        until=until,
        locked=standing is not None and standing.locked and on <= standing.until,
        at_risk=near and qualifying < level.threshold,
    )
