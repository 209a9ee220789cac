"""Pairs of members that have one phone, e-mail address or card: perhaps one person. They are merged, or
somebody says that they are two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from app.i18n import Words, mark
from app.protocol.store import Member
from headoffice import shared_values
from headoffice.console import lists, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Shown, Tone
from headoffice.console.lists import Field, Filters, Rows
from headoffice.console.member_pages import may_see, personal_value
from headoffice.console.snapshot import Snapshot
from headoffice.console.staff import Staff
from headoffice.shared_values import Pair

PLACE: Final = "/console/same"
FIELDS: Final = {"card": mark("Card"), "phone": mark("Phone"), "email": mark("E-mail")}


def heads(words: Words) -> tuple[str, ...]:
    """Of the list of pairs."""
    say = words.say
    return say("Both have"), say("One"), say("The other"), say("Noted"), say("To do")


def beside(words: Words) -> Mapping[str, str]:
    """Where the page of conflicts leads to."""
    return {PLACE: words.say("Members that may be the same person")}


def fields(_: Desk, asked: Asked) -> tuple[Field, ...]:
    """What pairs are narrowed by: when they were noted, and what both have."""
    words = asked.words
    return *lists.dates(words), lists.choice(words, "field", words.say("Both have"), FIELDS)


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Pairs of whom nobody has said that they are two people, the last first."""
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        offset, lost = snapshot.chain().offset_minutes, snapshot.lost_cards()
        for pair in shared_values.unseen(snapshot.plain, asked.tenant):
            if filters["field"] not in ("", pair.field) or not filters.has(pair.noted_ms, offset):
                continue
            one, other = _both(snapshot, asked, pair)
            if one is None or not shared_values.stands(one, other, pair.field, lost):
                continue
            assert other is not None, "they share something"
            value = personal_value(one, pair.field, wording.masked)
            tone: Tone = "bad" if pair.field == "card" else ""
            yield (
                Shown(f"{say(FIELDS[pair.field])} {value}", tone=tone),
                _member(one),
                _member(other),
                Shown(wording.instant(pair.noted_ms, offset)),
                Shown(say("Decide"), f"{PLACE}/{pair.member.hex()}/{pair.other.hex()}"),
            )


def one(desk: Desk, asked: Asked) -> Response:
    """A pair, and what can be done."""
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        offset, lost = snapshot.chain().offset_minutes, snapshot.lost_cards()
        pairs, members = _asked(snapshot, asked)
    for each in members:
        desk.note(asked, "member_seen", member=each.id)
    standing = [each for each in pairs if shared_values.stands(*members, each.field, lost)]
    seen = next((each for each in pairs if each.seen_ms is not None), None)
    rows = tuple(
        (
            Shown(say(FIELDS[each.field])),
            Shown(personal_value(members[0], each.field, wording.masked)),
            Shown(wording.instant(each.noted_ms, offset)),
        )
        for each in standing
    )
    said = say(
        "{initials} said that they are two people, {time}.", initials=seen.seen_by or "–",
        time=wording.instant(seen.seen_ms, offset),
    ) if seen is not None and seen.seen_ms is not None else ""  # fmt: skip
    return desk.page(
        asked, "same.html",
        sides=[_side(each) for each in members], said=said, standing=bool(standing),
        card=any(each.field == "card" for each in standing),
        may_do=asked.person.role == "head_office",
        may_say=any(each.field != "card" and each.seen_ms is None for each in standing),
        listing=Listing("same", (say("Both have"), say("Value"), say("Noted")), rows),
    )  # fmt: skip


def say_two(desk: Desk, asked: Asked) -> Response:
    """Somebody says that they are two people."""
    with desk.reading(asked) as snapshot:
        _, (one, other) = _asked(snapshot, asked)
    now_ms, by = desk.office.now_ms(), asked.person.staff

    def act(staff: Staff) -> None:
        if shared_values.say_two(desk.office.plain, asked.tenant, one.id, other.id, by, now_ms):
            staff.note(now_ms, by, "two_people", member=one.id, detail=other.id.hex())

    desk.act(asked, act)
    return go_to(PLACE)


# Inside


def _asked(snapshot: Snapshot, asked: Asked) -> tuple[list[Pair], tuple[Member, Member]]:
    found = shared_values.of(snapshot.plain, asked.tenant, asked.id("member"), asked.id("other"))
    members = _both(snapshot, asked, found[0]) if found else (None, None)
    if members[0] is None or members[1] is None:
        raise NotFound
    return found, (members[0], members[1])


def _both(snapshot: Snapshot, asked: Asked, pair: Pair) -> tuple[Member | None, Member | None]:
    found = [snapshot.member(each) for each in (pair.member, pair.other)]
    seen = [each if each is not None and may_see(snapshot, asked, each) else None for each in found]
    return seen[0], seen[1]


def _member(known: Member) -> Shown:
    name = personal_value(known, "name", wording.masked) or known.id.hex()[:8]
    return Shown(name, f"/console/members/{known.id.hex()}")


def _side(known: Member) -> dict[str, object]:
    return {
        "id": known.id.hex(),
        "name": personal_value(known, "name", wording.masked) or known.id.hex()[:8],
        "points": known.state.balance(),
    }
