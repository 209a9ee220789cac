"""Words: the one gettext catalogue of till, receipts and console, read by the standard library.

English is the source text and needs no catalogue; every other language is a compiled .mo under
resources/locale (`make setup` compiles it). Numbers, money and dates live in app.formats.
No Qt and no Babel here: the window imports this before its first paint.
"""

from __future__ import annotations

import gettext
from typing import Final

from resources import locale_dir

DOMAIN: Final = "regulars"
SOURCE_LANGUAGE: Final = "en"
LANGUAGES: Final = ("zh_CN", "en")


class MissingCatalogueError(Exception):
    """No compiled catalogue for a language that the product speaks.

    Attributes:
        language: the code that was asked for, one of LANGUAGES.
    """

    def __init__(self, language: str) -> None:
        path = locale_dir() / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        super().__init__(f"no words for {language}: {path} is missing. Run `make setup`.")
        self.language = language


def mark(message: str) -> str:
    """Mark a constant for extraction without translating it; give it to `Words.say` later."""
    return message


class Words:
    """Sentences in one language. A receipt makes its own, the window switches the one it has.

    Attributes:
        language: the code in use, one of LANGUAGES.
    """

    def __init__(self, language: str) -> None:
        self.language = SOURCE_LANGUAGE
        self._catalogue: gettext.NullTranslations = gettext.NullTranslations()
        self._said: dict[str, str] = {}
        self.switch(language)

    def switch(self, language: str) -> None:
        """Speak another language from now on.

        Raises:
            ValueError: the product doesn't speak it.
            MissingCatalogueError: its catalogue was not compiled.
        """
        if language not in LANGUAGES:
            raise ValueError(f"not a language of this product: {language}")
        if language == SOURCE_LANGUAGE:
            self._catalogue = gettext.NullTranslations()
        else:
            try:
                self._catalogue = gettext.translation(DOMAIN, locale_dir(), [language])
            except FileNotFoundError:
                raise MissingCatalogueError(language) from None
        self.language = language
        self._said = {}

    def say(self, message: str, /, **values: object) -> str:
        """The sentence in this language, its `{name}` placeholders filled.

        `message` is a literal (so that extraction sees it) or went through `mark`.
        """
        said = self._said.get(message)
        if said is None:
            said = self._said[message] = self._catalogue.gettext(message)
        return _filled(said, message, values) if values else said

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The sentence whose grammar depends on `number`."""
        source = one if number == 1 else many
        return _filled(self._catalogue.ngettext(one, many, number), source, values)


def _filled(sentence: str, source: str, values: dict[str, object]) -> str:
    # A catalogue must never break a sale: where a translation names a placeholder that the code
    # doesn't give, the source sentence is shown. The catalogue test keeps this from happening.
    try:
        return sentence.format(**values) if values else sentence
    except (KeyError, IndexError, ValueError):
        return source.format(**values)
