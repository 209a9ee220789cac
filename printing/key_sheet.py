"""A key for the owner's safe as data: finished words and signs, for a page. No drawing, no library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeySheet:
    """The page in words.

    mark    DEMO and the like, "" on a live till
    facts   (name, value): whose key it is, of when
    lines   the key: groups of signs, a line each; the last group of all checks the others
    check   what stands below that last group
    code    what the QR code holds, and `code_says` below it
    parts   (heading, sentences)
    blanks  names of lines that a hand fills in
    """

    title: str
    mark: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, ...], ...]
    check: str
    code: str
    code_says: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    blanks: tuple[str, ...]
