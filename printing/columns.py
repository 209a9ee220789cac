"""The column rule of paper: how wide a text is in printer columns, and where a line may be
broken.

A column is one narrow character of the printer. Width is the length in the printer's own encoding
(GB18030: one byte is one column, two bytes are two), not what a terminal would say: `×`, `·` and
`①` take two. No fonts, no blocks.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Every one of these is one or two bytes in GB18030, so most texts are measured without looking at
# each character.
_COMMON = re.compile(r"[\x20-\x7e\u4e00-\u9fa5，。：；！？（）、￥×·“”…—《》■□→]*")
# The yen sign and the true minus are four bytes in GB18030; shops' printers have the full-width
# yen and the hyphen.
_PAPER_FORM = str.maketrans({"¥": "￥", "−": "-", "\u3000": "  ", "\t": " ", "\n": " "})
_DROPPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_BOXED = {"Co", "Cn"}

_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
    "\U0001f000-\U0001faff\U00020000-\U0003ffff]"
)
_NEVER_FIRST = frozenset("，。、：；！？）》」』】〉”’…·—％℃,.:;!?)]}%")
_NEVER_LAST = frozenset("（《「『【〈“‘￥$€£([{-+#№")
_BREAK_AFTER = frozenset("/-_.?&=")


@lru_cache(maxsize=8192)
def _character(character: str) -> tuple[int, bool]:
    """(columns, whether the printer's code page carries it). A character it does not carry is
    drawn, so it takes two columns when it is a wide one or has no known shape, else one.
    """
    category = unicodedata.category(character)
    length = len(character.encode("gb18030"))
    if category in _BOXED:
        return 2, False
    if length == 2 and character.isalpha() and unicodedata.east_asian_width(character) in "AN":
        return 1, False  # printers set é and Я as wide as 会: a name full of holes
    if length <= 2:
        return length, True
    return (2 if unicodedata.east_asian_width(character) in "WF" else 1), False


def paper_text(text: str) -> str:
    """The text as paper can say it: composed, without control and invisible characters, blanks as
    plain spaces.
    """
    if _COMMON.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", text).translate(_PAPER_FORM)
    if text.isprintable():
        return (
            "".join(c for c in text if not 0xFE00 <= ord(c) <= 0xFE0F)
            if max(text) >= "\ufe00"
            else text
        )
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Zs":
            kept.append(" ")
        elif category not in _DROPPED and not 0xFE00 <= ord(character) <= 0xFE0F:
            kept.append(character)
    return "".join(kept)


def columns_of(text: str) -> int:
    """The width in columns of a text that `paper_text` has made."""
    if text.isascii():
        return len(text)
    if _COMMON.fullmatch(text):
        return len(text.encode("gb18030"))
    return sum(_character(character)[0] for character in text)


def character_columns(character: str) -> int:
    """The width in columns of one character."""
    return _character(character)[0]


def carried(text: str) -> bool:
    """Whether the printer's GB18030 two-byte code page can print every character of it."""
    if text.isascii() or _COMMON.fullmatch(text):
        return True
    return all(_character(character)[1] for character in text)


def clip(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` columns."""
    if columns_of(text) <= limit:
        return text
    used = 0
    for place, character in enumerate(text):
        used += _character(character)[0]
        if used > limit:
            return text[:place]
    return text


@lru_cache(maxsize=8192)
def _is_wide(character: str) -> bool:
    return _WIDE.match(character) is not None


def _may_break(left: str, right: str) -> bool:
    if right in _NEVER_FIRST or left in _NEVER_LAST:
        return False
    left_wide, right_wide = _is_wide(left), _is_wide(right)
    if (left.isdecimal() and right_wide) or (left in "年月时" and right.isdecimal()):
        return False  # 12 and its 元 stay together, and so does a whole date
    return left_wide or right_wide


@dataclass(frozen=True, slots=True)
class _Run:
    """What a reader wants to see together: atoms of one script as (spaces before, columns, text)."""

    wide: bool
    atoms: list[tuple[int, int, str]]

    @property
    def columns(self) -> int:
        """Without the spaces before the first atom."""
        return sum(spaces + columns for spaces, columns, _ in self.atoms) - self.atoms[0][0]


def _atoms(word: str) -> list[str]:
    """A word without spaces, cut at every place where a line may be broken."""
    if word.isascii():
        return [word]
    atoms, start = [], 0
    for place in range(1, len(word)):
        if _may_break(word[place - 1], word[place]):
            atoms.append(word[start:place])
            start = place
    atoms.append(word[start:])
    return atoms


@lru_cache(maxsize=512)
def _runs(text: str) -> tuple[_Run, ...]:
    """The text as runs. A wide run ends at a space or after punctuation, a narrow one (an English
    phrase) goes on over spaces. Kept for a while: a row asks for several widths, a shop repeats
    its labels.
    """
    runs: list[_Run] = []
    ended = True
    for match in re.finditer(r"( *)([^ ]+)", text):
        spaces = len(match[1])
        for atom in _atoms(match[2]):
            wide = _WIDE.search(atom) is not None
            if ended or wide != runs[-1].wide or (wide and spaces):
                runs.append(_Run(wide, []))
            runs[-1].atoms.append((spaces, columns_of(atom), atom))
            ended = wide and atom[-1] in _NEVER_FIRST
            spaces = 0
    return tuple(runs)


def _split_long(atom: str, limit: int) -> list[str]:
    """An atom that no line can hold, in pieces; after a separator where there is one in the second
    half.
    """
    pieces = []
    while columns_of(atom) > limit:
        head = clip(atom, limit) or atom[0]
        for place in range(len(head) - 1, len(head) // 2, -1):
            if head[place] in _BREAK_AFTER and not atom[place + 1 : place + 2].isdecimal():
                head = head[: place + 1]
                break
        pieces.append(head)
        atom = atom[len(head) :]
    return [*pieces, atom] if atom else pieces


def _fill(runs: tuple[_Run, ...], limit: int) -> list[str]:
    """The runs on lines of at most `limit` columns."""
    lines: list[str] = []
    line, used = "", 0
    for run in runs:
        width = run.columns
        together = not run.wide or width <= limit // 2
        if used and together and used + run.atoms[0][0] + width > limit:
            lines.append(line)
            line, used = "", 0
        for spaces, columns, atom in run.atoms:
            if used and used + spaces + min(columns, limit) > limit:
                lines.append(line)
                line, used = "", 0
            if columns > limit:
                *whole, atom = _split_long(atom, limit)
                lines += whole
                columns = columns_of(atom)
            gap = spaces if used else 0
            line, used = line + " " * gap + atom, used + gap + columns
    if line or not lines:
        lines.append(line)
    return lines


def wrap(text: str, limit: int) -> list[str]:
    """The text on lines of at most `limit` columns, at least one line.

    Broken at spaces and where the script changes, between wide characters when it must be, never
    inside a number and never so that a line starts with closing punctuation. A phrase that would be
    torn starts on the next line (printing.md section 7.3).
    """
    return [text] if columns_of(text) <= limit else _fill(_runs(text), limit)


def wrap_evenly(text: str, limit: int) -> list[str]:
    """Like `wrap`, on as many lines, but of about one length: without a lone last word."""
    taken = columns_of(text)
    if taken <= limit:
        return [text]
    runs = _runs(text)
    lines = _fill(runs, limit)
    tries = (_fill(runs, narrower) for narrower in range(-(-taken // len(lines)), limit))
    return next((tried for tried in tries if len(tried) == len(lines)), lines)
