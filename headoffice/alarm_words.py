"""Alarms in words, for mails and for the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.formats import number
from app.i18n import Words, mark
from headoffice.directory import Chain

NAMES: Final = {
    "till.silent": mark("A till was silent for two leases"),
    "quarantine": mark("Events wait in quarantine"),
    "lost": mark("Points were spent without a right to it"),
    "bound": mark("More than four fifths of the risk budget are in use"),
    "night.failed": mark("A night's work failed"),
    "second.needed": mark("Somebody's request waits for a second person of head office"),
    "return.over": mark("More came back of sales than was sold"),
    "card.shared": mark("Two members have one card"),
    "erasure.late": mark("A till has not forgotten an erased person for a month"),
    "recount": mark("Documents of tills differ from what head office works out"),
}


def subject(words: Words, chain: str, plain: Mapping[str, Any]) -> str:
    """The first line of a mail."""
    name = named(words, plain["data"]["alarm"])
    if plain["type"] == "alarm.cleared":
        return words.say("{chain}: over: {alarm}", chain=chain, alarm=name)
    return words.say("{chain}: {alarm}", chain=chain, alarm=name)


def text(words: Words, chain: Chain, plain: Mapping[str, Any]) -> str:
    """The mail."""
    told = plain["data"]
    lines = [
        named(words, told["alarm"]),
        words.say("Chain: {name}", name=chain.name),
        words.say("Since: {instant}", instant=_local(told["raised_ms"], chain.offset_minutes)),
        words.say("Figure: {figure}", figure=number(told["figure"])),
    ]
    if told["alarm"] == "till.silent":
        lines.append(words.say("Till: {till}", till=told["subject"][:8]))
    if told["alarm"] == "second.needed":
        lines.append(words.say("Sign in to the console: what waits is on its first page."))
    if told["alarm"] == "card.shared":
        lines.append(words.say("The console leads to them from Conflicts."))
    if told["alarm"] == "erasure.late":
        lines.append(words.say("The console leads to them from Audit."))
    if told["alarm"] in ("return.over", "recount"):
        lines.append(words.say("The console lists them under Recount."))
    if plain["type"] == "alarm.cleared":
        lines.append(words.say("It is over."))
    return "\n".join(lines) + "\n"


def named(words: Words, kind: str) -> str:
    """What an alarm is called."""
    return words.say(NAMES[kind]) if kind in NAMES else kind


def _local(at_ms: int, offset_minutes: int) -> str:
    local = datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(minutes=offset_minutes)
    return local.strftime("%Y-%m-%d %H:%M")
