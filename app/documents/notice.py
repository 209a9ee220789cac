"""The notices that a member consents to, as they are read out and shown; one version for both.

An event names the version, so a text never changes under its version: another text is another version
(tests/app/test_notice.py holds each version to its text).
"""

from __future__ import annotations

from typing import Final

from app.i18n import Words, mark

VERSION: Final = "2026-11"
SERVICE: Final = mark(
    "We keep your name, phone, birthday and purchases to count your points. They stay in this shop."
    " You may see them, correct them, or ask us to erase them."
)
MARKETING: Final = mark(
    "Offers and news come only if you want them, and stop as soon as you say so."
)


def notice(words: Words) -> str:
    """Both texts with their version, in one language."""
    return words.say(
        "Notice {version}: {service} {marketing}",
        version=VERSION,
        service=words.say(SERVICE),
        marketing=words.say(MARKETING),
    )
