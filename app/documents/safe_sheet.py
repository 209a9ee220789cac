"""The sheet with the start key of the audit, for the owner's safe: on the receipt printer or as an A4 page.

It is never queued, stored or copied: whoever has it can tell a true journal from an altered one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.formats import number
from app.i18n import Words
from app.protocol.evolving import StartKey
from printing.document import Block, Cut, Doc, Feed, Rule, Text
from printing.key_sheet import KeySheet

KEY_LINE: Final = 20
"""Four groups of four to a line, blanks between."""


@dataclass(frozen=True, slots=True)
class SheetOf:
    """Whose key it is: the shop's name, its till, when the sheet was made (in its own time, as it is written),
    and the mark of a demo or training till."""

    shop: str
    till: str
    made: str
    mark: str


def key_lines(text: str) -> tuple[str, ...]:
    """The key's text as lines that a hand can copy."""
    return tuple(text[at : at + KEY_LINE].strip() for at in range(0, len(text), KEY_LINE))


def safe_sheet(words: Words, of: SheetOf, key: StartKey) -> Doc:
    """The sheet on the receipt printer."""
    blocks: list[Block] = [
        *([Text(of.mark, "banner", "center", "shrink")] if of.mark else []),
        Text(words.say("Key for the safe"), "title", "center"),
        Text(words.say("{store} · Till {till}", store=of.shop, till=of.till), "body", "center"),
        Text(of.made, "body", "center"),
        Rule("double"),
        *(Text(line, "title", "center") for line in key_lines(key.text())),
        Rule("double"),
        Text(
            words.say(
                "With these four lines anybody can prove that no past entry of this till was changed."
                " Keep the sheet in the safe, away from the till."
            )
        ),
        Feed(1),
        Cut(),
    ]
    return Doc("report", "", (words.language,), tuple(blocks))


def safe_page(words: Words, of: SheetOf, key: StartKey) -> KeySheet:
    """The sheet as a page: what the key is for, when it is needed, how it is read out and kept."""
    lines = key_lines(key.text())
    return KeySheet(
        title=words.say("Audit key of this till"),
        mark=of.mark,
        facts=(
            (words.say("Shop"), of.shop),
            (words.say("Till"), of.till),
            (words.say("Made on"), of.made),
            (
                words.say("Covers"),
                words.say("Entries from number {first} on", first=number(key.first_seq)),
            ),
        ),
        lines=tuple(tuple(line.split()) for line in lines),
        check=words.say("check group"),
        code="".join(key.text().split()),
        code_says=words.say("The same key, to be scanned"),
        parts=(_what_for(words), _when(words), _read_out(words), _kept(words)),
        blanks=(words.say("In the safe since"), words.say("Signature of the owner")),
    )


def _what_for(words: Words) -> tuple[str, tuple[str, ...]]:
    return words.say("What it is for"), (
        words.say(
            "With this key anybody can prove that no past entry of this till was changed or taken away."
        ),
        words.say(
            "The till forgets it once this sheet is in the safe, and nobody can make it anew."
        ),
    )


def _when(words: Words) -> tuple[str, tuple[str, ...]]:
    return words.say("When it is needed"), (
        words.say("Takings, points or what somebody did at the till are in dispute."),
        words.say("Somebody was at the till's computer who had no business there."),
        words.say("An auditor or an authority asks whether the journal is whole."),
        words.say("Then run {command} and type or scan the key.", command="regulars verify-audit"),
    )


def _read_out(words: Words) -> tuple[str, tuple[str, ...]]:
    return words.say("Reading it out"), (
        words.say("Line by line, each with four groups of four signs."),
        words.say(
            "There are only the letters A to Z and the digits 2 to 7: a zero is an O, a one is an I."
        ),
        words.say("The check group at the end shows a sign that was misheard or mistyped."),
    )


def _kept(words: Words) -> tuple[str, tuple[str, ...]]:
    return words.say("Keeping it"), (
        words.say("In the owner's safe, away from the till: no photo, no copy, no file."),
        words.say("It opens neither the till nor its data; the passphrase is another sheet."),
    )
