"""Words of the member search: what a member is found by, and what a typed text asks for. Pure.

One table serves every key (storage.md section 5): `name`, `py` (pinyin or the words of a Latin name),
`ini` (initials), `phone`, `email`. Substring search is prefix search over suffixes, so a name is
stored with all its tails. Pinyin comes from the caller: nothing here reads Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

Item = TypeVar("Item")

TEXT_MOST: Final = 80
TERMS_MOST: Final = 6
TAILS_MOST: Final = 8
LAST_DIGITS: Final = 4
_CHARS_KEPT: Final = 8192
"""Characters that are looked at once: a chain's names have some thousand of them."""
CARD_LEAST: Final = 12

# E.164 country codes of one and two digits; every other code has three (ITU-T E.164 annex).
_SHORT_CODES: Final = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
# Letters to us that the tokenizer takes for separators (its tables are of an older Unicode).
_UNKNOWN_LETTERS: Final = frozenset([*range(0x19B0, 0x19C1), 0x19C8, 0x19C9, 0x1CF2, 0x1CF3])


class IndexRow(NamedTuple):
    """What the search table holds for one member: blank-separated words for each column."""

    name: str
    py: str
    ini: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Term:
    """One word asked for, in any of `columns`. `kind`: digits, letters, name or email."""

    kind: str
    columns: str
    text: str

    def match(self, *, prefix: bool) -> str:
        """The FTS5 expression. The text is one word of the tokenizer's, so it is never a phrase
        (which `detail=column` refuses with an error)."""
        return f'{{{self.columns}}} : "{self.text}"{" *" if prefix else ""}'


@dataclass(frozen=True, slots=True)
class Question:
    """A typed text, read. `readings` are tried in order; `card` is a whole card number or None."""

    readings: tuple[tuple[Term, ...], ...]
    card: str | None


def index_row(
    *, name: str, phone: str | None, email: str | None, name_py: str, name_ini: str
) -> IndexRow:
    """The words of a member. `phone` is E.164, `name_py` syllables with blanks between."""
    return IndexRow(
        name=" ".join(_unique(_name_words(name))),
        py=" ".join(_unique(_pinyin_words(name_py))),
        ini=" ".join(_unique(_initial_words(name_ini))),
        phone=" ".join(_unique(_phone_words(phone))) if phone else "",
        email=_folded(email) if email else "",
    )


def ask(typed: str) -> Question:
    """Read what was typed, an input method's open composition included.

    Letters and digits part without a blank (`c6621`, `6621c`), an apostrophe between syllables
    vanishes (`zhang'san`), full-width characters count as narrow ones, and digits with blanks or
    hyphens between them are one number. Never raises; nothing to ask gives no readings.
    """
    text = _folded(typed[:TEXT_MOST]).strip()
    digits = re.sub(r"[\s+()./-]", "", text)
    if digits.isascii() and digits.isdigit():
        card = digits if len(digits) >= CARD_LEAST else None
        return Question(((_term(digits),),), card)
    chunks = [c for c in _clean(re.sub(r"['’‘`]", "", text)).split() if re.search(r"\w", c)]
    parted = [part for chunk in chunks for part in _parts(chunk)][:TERMS_MOST]
    whole = [_email_term(c) if _may_be_email(c) else None for c in chunks[:TERMS_MOST]]
    readings = [tuple(_term(part) for part in parted)] if parted else []
    if any(whole):
        mixed = [
            term if term is not None else _term(chunk)
            for chunk, term in zip(chunks, whole, strict=False)
        ]
        # A dot or a low line is in addresses and hardly ever in names, so it is read as one first.
        readings.insert(0 if re.search(r"[._]", text) else len(readings), tuple(mixed))
    return Question(tuple(_unique(readings)), None)


def nearest_begun(typed: str, words: Iterable[str]) -> str | None:
    """The beginning of a word from which `typed` differs by one slip: a letter left out, put in,
    changed, or swapped with its neighbour. None when no word begins so."""
    for word in words:
        for size in (len(typed), len(typed) + 1, len(typed) - 1):
            begun = word[:size]
            if len(begun) == size and _one_slip(typed, begun):
                return begun
    return None


def spans_in_name(
    terms: Iterable[Term], *, name: str, name_ini: str, name_py: str
) -> list[tuple[int, int]]:
    """Where the terms match in the name as it is written: (start, end) of characters, merged."""
    found: list[tuple[int, int]] = []
    folded = [_folded(char) for char in name]
    flat = "".join(folded)
    starts = [at for at, char in enumerate(folded) for _ in char]  # place in flat → place in name
    syllables = name_py.split()
    for term in terms:
        if term.kind in ("name", "letters") and (at := _word_start(flat, term.text)) is not None:
            found.append((starts[at], starts[at + len(term.text) - 1] + 1))
        elif term.kind == "letters" and len(syllables) == len(name) == len(name_ini):
            span = _spelled(term.text, name_ini) or _sounded(term.text, syllables)
            if span:
                found.append(span)
    return _merged(found)


def sounds_like(text: str, name_py: str) -> bool:
    """Whether letters begin at a syllable and go on through the next ones, v and u alike."""
    text = text.replace("v", "u")
    syllables = name_py.replace("v", "u").split()
    return any("".join(syllables[at:]).startswith(text) for at in range(len(syllables)))


def spans_in_phone(terms: Iterable[Term], phone: str) -> list[tuple[int, int]]:
    """Where the digits match in the E.164 text, the + counted: (start, end) of characters."""
    found = []
    code = len(_country_code(phone)) + 1
    for term in terms:
        if term.kind != "digits":
            continue
        if len(term.text) <= LAST_DIGITS and phone[-LAST_DIGITS:].startswith(term.text):
            at = len(phone) - LAST_DIGITS
        else:
            at = next((at for at in (code, code + 3, 1) if phone[at:].startswith(term.text)), -1)
        if at >= 0:
            found.append((at, at + len(term.text)))
    return _merged(found)


# Words of a member ------------------------------------------------------------------------------


def _name_words(name: str) -> Iterable[str]:
    for run in _runs(_clean(_folded(name))):
        if _is_whole_word_script(run[0]):
            yield run[0]  # the surname alone is an exact match for one character
            for at in range(min(len(run), TAILS_MOST)):
                yield run[at:]
        elif not run.isascii():
            yield run  # what pinyin can't carry: Cyrillic, Greek, Arabic …


def _pinyin_words(name_py: str) -> Iterable[str]:
    syllables = _clean(_folded(name_py)).split()[:TAILS_MOST]
    if not syllables:
        return
    words = [syllables[0]] + ["".join(syllables[at:]) for at in range(len(syllables))]
    for word in words:
        yield word
        if "v" in word:
            yield word.replace("v", "u")  # 吕: typed lv, lu or lü


def _initial_words(name_ini: str) -> Iterable[str]:
    initials = _clean(_folded(name_ini)).replace(" ", "")
    yield initials
    for at in range(1, min(len(initials) - 1, TAILS_MOST)):
        yield initials[at:]


def _phone_words(phone: str) -> Iterable[str]:
    digits = phone.removeprefix("+")
    national = digits[len(_country_code(phone)) :]
    yield digits
    yield national
    if len(national) > LAST_DIGITS + 3:
        yield national[3:]
    yield digits[-LAST_DIGITS:]


def _country_code(phone: str) -> str:
    digits = phone.removeprefix("+")
    found = _SHORT_CODES.match(digits)
    return found.group() if found else digits[:3]


# What was typed ---------------------------------------------------------------------------------


def _term(text: str) -> Term:
    if text.isascii() and text.isdigit():
        return Term("digits", "phone", text)
    plain = _without_marks(text)
    if not plain.isascii():
        return Term("name", "name", text)
    if "@" in plain:
        return _email_term(plain)
    # Few letters are initials or the start of a syllable. A long e-mail list for them is noise.
    columns = "py ini" if len(plain) < 4 else "py ini email" if len(plain) == 4 else "py email"
    return Term("letters", columns, plain)


def _email_term(text: str) -> Term:
    return Term("email", "email", _without_marks(text))


def _may_be_email(chunk: str) -> bool:
    joined = re.search(r"[@._-]", chunk) or re.search(r"[a-z]\d|\d[a-z]", chunk)
    return bool(joined) and chunk.isascii()


def _parts(chunk: str) -> list[str]:
    """Runs of digits, of letters and of characters; an address with @ stays whole."""
    if "@" in chunk:
        return [chunk]
    return _runs(re.sub(r"[._-]", " ", chunk))


def _runs(text: str) -> list[str]:
    """Split where the script changes: digits, characters without blanks, other letters."""
    return ["".join(run) for kind, run in groupby(text, _script) if kind != "blank"]


@lru_cache(_CHARS_KEPT)
def _script(char: str) -> str:
    if char == " ":
        return "blank"
    if char.isascii() and char.isdigit():
        return "digits"
    return "whole" if _is_whole_word_script(char) else "letters"


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold()


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _clean(text: str) -> str:
    """Everything that the tokenizer would part at becomes a blank, so both part alike."""
    return "".join(map(_word_char, text))


@lru_cache(_CHARS_KEPT)
def _word_char(char: str) -> str:
    if char in "@._-":
        return char
    is_known = unicodedata.category(char)[0] in "LN" and ord(char) not in _UNKNOWN_LETTERS
    return char if is_known else " "


def _is_whole_word_script(char: str) -> bool:
    """Scripts written without blanks between words: Hanzi, kana, Hangul."""
    return (
        "\u3400" <= char <= "\u9fff"
        or "\U00020000" <= char <= "\U0003ffff"
        or "\u3040" <= char <= "\u30ff"
        or "\uac00" <= char <= "\ud7a3"
        or char == "〇"
    )


# Highlighting -----------------------------------------------------------------------------------


def _one_slip(one: str, other: str) -> bool:
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if same is None:
        return abs(len(one) - len(other)) == 1
    left, right = one[same:], other[same:]
    if len(left) != len(right):
        return left[1:] == right or left == right[1:]
    return left[1:] == right[1:] or (left[1::-1] == right[:2] and left[2:] == right[2:])


def _word_start(flat: str, text: str) -> int | None:
    """Where `text` begins a word of a Latin name, or stands anywhere in a Chinese one."""
    if not text.isascii():
        at = flat.find(text)
        return at if at >= 0 else None
    found = re.search(rf"(?<![a-z0-9]){re.escape(text)}", flat)
    return found.start() if found else None


def _spelled(text: str, initials: str) -> tuple[int, int] | None:
    at = initials.find(text)
    return (at, at + len(text)) if at >= 0 else None


def _sounded(text: str, syllables: list[str]) -> tuple[int, int] | None:
    for at in range(len(syllables)):
        rest, end = text, at
        while rest and end < len(syllables):
            syllable = syllables[end]
            if not (rest.startswith(syllable) or syllable.startswith(rest)):
                break
            rest, end = rest[len(syllable) :], end + 1
        if not rest:
            return at, end
    return None


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _unique(items: Iterable[Item]) -> list[Item]:
    return list(dict.fromkeys(items))
