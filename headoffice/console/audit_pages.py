"""The console's audit: who did what, and the hashes that show whether somebody rewrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.formats import number
from app.i18n import Words
from headoffice import audit
from headoffice.console import erasure_pages, lists, wording
from headoffice.console.desk import Asked, Desk
from headoffice.console.listing import Shown
from headoffice.console.lists import Field, Filters, Rows
from headoffice.console.people import People
from headoffice.console.snapshot import AuditWanted
from headoffice.console.staff import IDLE_MS

PLACE: Final = "/console/audit"
ROOTS: Final = f"{PLACE}/roots"


def heads(words: Words) -> tuple[str, ...]:
    """Of the audit."""
    say = words.say
    return say("Number"), say("When"), say("Who"), say("What"), say("Member"), say("Detail")


def fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What it is narrowed by."""
    words, say = asked.words, asked.words.say
    with desk.reading(asked) as snapshot:
        people = [
            each.initials for each in People(snapshot.staff()).all(desk.office.now_ms(), IDLE_MS)
        ]
    who = Field("who", say("Who"), [(initials, initials) for initials in people])
    return *lists.dates(words), who, lists.choice(words, "what", say("What"), wording.ACTS)


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """What was done, the last first."""
    words = asked.words
    with desk.reading(asked) as snapshot:
        offset = snapshot.chain().offset_minutes
        wanted = AuditWanted(*filters.instants(offset), filters["what"], filters["who"])
        for row in snapshot.audit(wanted, lists.READ):
            member = "" if row.member is None else row.member.hex()
            yield (
                Shown(number(row.number), number=row.number),
                Shown(wording.instant(row.at_ms, offset)),
                Shown(row.initials or "–"),
                Shown(wording.named(words, wording.ACTS, row.act)),
                Shown(member[:8], f"/console/members/{member}" if member else ""),
                Shown(wording.named(words, wording.DETAILS, row.detail)),
            )


def beside(words: Words) -> Mapping[str, str]:
    """Where the audit's page leads to."""
    return {
        ROOTS: words.say("What shows that nobody rewrote it"),
        erasure_pages.PLACE: words.say("Who was erased"),
    }


def root_heads(words: Words) -> tuple[str, ...]:
    """Of the list of hashes."""
    say = words.say
    return say("Night"), say("Lines of the audit"), say("Hash over all of them"), say("Noted")


def roots(desk: Desk, asked: Asked, _: Filters) -> Rows:
    """How far the audit went on each night, with the hash over all of it, the last first."""
    with desk.reading(asked) as snapshot:
        offset = snapshot.chain().offset_minutes
        for each in audit.roots(snapshot.plain, asked.tenant):
            yield (
                Shown(each.date),
                Shown(number(each.number), number=each.number),
                Shown(each.chain.hex()),
                Shown(wording.instant(each.at_ms, offset)),
            )
