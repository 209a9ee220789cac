"""The sheet with the start key of the audit, for the owner's safe: on the receipt printer or as a page.

It is never queued, stored or copied: whoever has it can tell a true journal from an altered one.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.i18n import Words
from printing.document import Block, Cut, Doc, Feed, Rule, Text

KEY_LINE = 20
"""Four groups of four to a line, blanks between."""


def key_lines(text: str) -> tuple[str, ...]:
    """The key's text as lines that a hand can copy."""
    return tuple(text[at : at + KEY_LINE].strip() for at in range(0, len(text), KEY_LINE))


def safe_sheet(words: Words, store: str, till: str, lines: Sequence[str]) -> Doc:
    """The sheet on paper."""
    blocks: list[Block] = [
        Text(words.say("Key for the safe"), "title", "center"),
        Text(words.say("{store} · Till {till}", store=store, till=till), "body", "center"),
        Rule("double"),
        *(Text(line, "title", "center") for line in lines),
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
