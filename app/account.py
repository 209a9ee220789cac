"""A member as the rules need one: state, birthdays, and what the slip will show of them after a document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import cached_fold
from app.domain.birthday import Birthday, BirthdayOn, solar_birthday
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.expiry import as_good, expire_event_id
from app.domain.programme import Programme
from app.domain.sale import MemberContext
from app.domain.state import MemberState, view
from app.domain.state_rows import Needs
from app.domain.tiers import tier_outlook, window_start
from app.intake import celebrations, lunar_birthday, lunar_day
from db import people

_NOTHING = Needs(frozenset(), frozenset(), frozenset())


def member_context(
    conn: Connection,
    member_id: bytes | None,
    programme: Programme,
    on: BusinessDate,
    needed: Needs | None = _NOTHING,
    *,
    person: people.Person | None = None,
) -> MemberContext | None:
    """The member for a quote, None without one; `needed` None loads every row.

    `person` is the member's where the caller has it at hand. Raises Refused(MEMBER_UNKNOWN)."""
    if member_id is None:
        return None
    profile, _ = person or person_of(conn, member_id)
    since = min(on, window_start(programme.tiers, on))
    state = cached_fold.load_state(conn, member_id, needed, days_since=since)
    if needed is not None:
        # What is good through a date is booked at the close of that very date, or later: no split of
        # another event can matter here.
        booked = cached_fold.splits_of_event(conn, expire_event_id(member_id, on))
        state = replace(state, splits=(*state.splits, *booked)) if booked else state
    good = as_good(state, on)
    birthdays = birthdays_of(profile, programme, on)
    return MemberContext(good, 0, birthdays, state if good is not state else None)


def person_of(conn: Connection, member_id: bytes) -> people.Person:
    """The person of an account. Raises Refused(MEMBER_UNKNOWN)."""
    known = people.person(conn, member_id)
    if known is None:
        raise Refused(Refusal.MEMBER_UNKNOWN)
    return known


def birthdays_of(
    profile: people.ProfileRow | None, programme: Programme, on: BusinessDate
) -> tuple[BirthdayOn, ...]:
    """The celebrations around a date; none without a birthday."""
    if profile is None or profile.birth_month is None or profile.birth_day is None:
        return ()
    month, day = profile.birth_month, profile.birth_day
    return celebrations(profile.birth_calendar, month, day, on, programme.leap_day)


def born_on(birthday: Birthday) -> BusinessDate | None:
    """The date of birth; None without a year, and for a lunar day outside the calendar's tables."""
    if birthday.year is None:
        return None
    if not birthday.lunar:
        return BusinessDate.on(birthday.year, birthday.month, birthday.day)
    solar = lunar_birthday(birthday.year, birthday.month, birthday.day)
    return None if solar is None else BusinessDate.of(solar)


def birthdays_on(programme: Programme, on: BusinessDate) -> tuple[tuple[str, int, int], ...]:
    """The birthdays that fall on a date, as profiles have them: (calendar, month, day).

    More than one where a day that the year doesn't have is kept on this one: 29 February, a lunar 30th.
    """
    day = on.to_date()
    solar = [
        ("solar", month, each)
        for month, each in {(day.month, day.day), (2, 29)}
        if solar_birthday(month, each, on.year, programme.leap_day) == on
    ]
    month, each = lunar_day(day)
    lunar = [
        ("lunar", month, kept)
        for kept in (each, 30)
        if any(lunar_birthday(year, month, kept) == day for year in (on.year - 1, on.year))
    ]
    return tuple(dict.fromkeys((*solar, *lunar)))


def shown_after(state: MemberState, programme: Programme, on: BusinessDate) -> dict[str, Any]:
    """What the slip shows of a member after a document, kept in its event so that it never changes.

    Keys: balance (without what has lapsed and is only not booked yet); expiring [last good date,
    points] or null; tier [zh, en]; progress [measure, target, zh, en of the next tier] or null
    (money measures only). `state` as for `as_good`.
    """
    state = as_good(state, on)
    outlook = tier_outlook(state, programme.tiers, on)
    points = view(state, on)
    ahead = sorted((lot.expires, lot.remaining) for lot in state.lots if lot.expires >= on)
    expiring = None
    if ahead:
        first = ahead[0][0]
        expiring = [int(first), sum(n for expires, n in ahead if expires == first)]
    progress = None
    if outlook.next_level is not None and programme.tiers.measure == "spend":
        higher = outlook.next_level
        progress = [outlook.qualifying, higher.threshold, higher.name_zh, higher.name_en]
    return {
        "balance": points.balance - points.lapsed,
        "expiring": expiring,
        "tier": [outlook.level.name_zh, outlook.level.name_en],
        "progress": progress,
    }
