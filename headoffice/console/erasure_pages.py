"""Who was erased, and whether every till has forgotten them: what is shown to whoever asks for proof of it."""

from __future__ import annotations

from typing import Final

from app.i18n import Words
from headoffice.console import lists, wording
from headoffice.console.desk import Asked, Desk
from headoffice.console.listing import Shown
from headoffice.console.lists import Field, Filters, Rows
from headoffice.erasures import DUE_MS, Erasures, Wanted

PLACE: Final = "/console/erasures"


def heads(words: Words) -> tuple[str, ...]:
    """Of the list of erasures."""
    say = words.say
    return say("Member"), say("Erased at"), say("Forgotten everywhere")


def fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What it is narrowed by; the dates are of when somebody was erased."""
    del desk
    words, say = asked.words, asked.words.say
    done = Field(
        "done",
        say("Forgotten everywhere"),
        [("no", say("Not yet")), ("yes", say("Yes, everywhere"))],
    )
    return *lists.dates(words), done


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Everybody who was erased, the last first."""
    say, now_ms = asked.words.say, desk.office.now_ms()
    with desk.reading(asked) as snapshot:
        offset, kept = snapshot.chain().offset_minutes, Erasures(snapshot.plain, asked.tenant)
        wanted = Wanted(*filters.instants(offset), {"no": False, "yes": True}.get(filters["done"]))
        for each in lists.portions(lambda behind, most: kept.newest(wanted, behind, most)):
            member, late = each.member.hex(), now_ms - each.at_ms > DUE_MS
            yield (
                Shown(member[:8], f"/console/members/{member}"),
                Shown(wording.instant(each.at_ms, offset)),
                Shown(say("Not yet"), tone="bad" if late else "warn")
                if each.done_ms is None
                else Shown(wording.instant(each.done_ms, offset)),
            )
