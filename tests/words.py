"""`python -m tests.words`: is the catalogue complete, current, whole? `--update` merges new text.

Extraction and merging are Babel's; the product itself never imports it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import PoFileError, read_po, write_po

ROOT: Final = Path(__file__).resolve().parents[1]
SPEAKING: Final = ("app", "ui", "headoffice")
KEYWORDS: Final = {"say": None, "mark": None, "count": (1, 2)}
LANGUAGES: Final = ("zh_CN",)
HALF_WIDTH: Final = re.compile(r"[\u4e00-\u9fff）」”][,;:?!]|[,;:?!][\u4e00-\u9fff（「“]")
"""Punctuation of another script beside Chinese."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


class Unreadable(Exception):
    """A line of a catalogue that a merge or a slip of the hand left there."""

    def __init__(self, path: Path, line: int, text: str) -> None:
        super().__init__(f"{path}:{line} is no line of a catalogue, nothing was changed: {text!r}")


def po_path(language: str) -> Path:
    return ROOT / "resources" / "locale" / language / "LC_MESSAGES" / "regulars.po"


def sources() -> Catalog:
    """Every message that the sources say, with where they say it."""
    catalogue = Catalog(project="Regulars", charset="utf-8")
    for folder in SPEAKING:
        for found in extract_from_dir(
            ROOT / folder,
            method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
        ):
            path, line, message, comments, context = found
            catalogue.add(
                message,
                locations=[(f"{folder}/{path}", line)],
                auto_comments=comments,
                context=context,
            )
    return catalogue


def stored(language: str) -> Catalog:
    """The catalogue as it is written.

    Raises:
        Unreadable: a line is no catalogue's. Babel alone would warn and lose what stands there.
    """
    path = po_path(language)
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language, abort_invalid=True)
    except PoFileError as error:
        raise Unreadable(path, error.lineno + 1, error.line) from error


def faults(written: Catalog, said: Catalog) -> list[str]:
    """What is wrong with a catalogue, one sentence each; empty is good."""
    found = []
    ids = {_key(m) for m in said if m.id}
    kept = {_key(m) for m in written if m.id}
    found += [f"not in the catalogue: {key!r}" for key in sorted(ids - kept)]
    found += [f"no longer said: {key!r}" for key in sorted(kept - ids)]
    for message in written:
        if message.id:
            found += _message_faults(message, _key(message))
    return found


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _message_faults(message: Message, key: str) -> list[str]:
    found = []
    if message.fuzzy:
        found.append(f"fuzzy: {key!r}")
    texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if not texts or not all(texts):
        return [*found, f"not translated: {key!r}"]
    sources_ = [message.id] if isinstance(message.id, str) else list(message.id)
    wanted = set(_PLACEHOLDER.findall(sources_[-1]))
    found += [f"half-width: {key!r} -> {text!r}" for text in texts if HALF_WIDTH.search(text)]
    wrong = [text for text in texts if set(_PLACEHOLDER.findall(text)) != wanted]
    return [*found, *(f"placeholders differ: {key!r} -> {text!r}" for text in wrong)]


def update(language: str) -> None:
    """Merge what the sources say into the catalogue; new messages stay empty, old ones go."""
    path = po_path(language)
    catalogue = stored(language) if path.exists() else Catalog(locale=language)
    catalogue.update(sources(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with path.open("wb") as file:
        write_po(
            file, catalogue, width=110, sort_by_file=False, omit_header=False, no_location=True
        )


def main(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except Unreadable as error:
        print(error)
        return 1


def _run(arguments: list[str]) -> int:
    if arguments == ["--update"]:
        for language in LANGUAGES:
            update(language)
        return 0
    said = sources()
    bad = 0
    for language in LANGUAGES:
        for fault in faults(stored(language), said):
            print(f"{language}: {fault}")
            bad += 1
        if not bad:
            print(f"{language}: {len([m for m in said if m.id])} messages, all translated")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
