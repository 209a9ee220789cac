"""What a member consents to is a text that exists, and a version that stands for that text alone."""

from __future__ import annotations

from hashlib import sha256

from app.documents.notice import VERSION, notice
from app.i18n import LANGUAGES, Words

TEXTS = {
    "2026-11": {
        "zh_CN": "b7ddd78542e4bd3f36756672e38cc4da4d4dd7eed1e0bb766ebe277f723f38d0",
        "en": "b8d0a54173a1f3a5261e3c3256f5c80a152e6dd2a85a2bd30051398c96fe031a",
    },
}
"""SHA-256 of each version's text. A text that changes gets another version here, and this one stays."""


def test_every_version_has_the_text_that_members_consented_to() -> None:
    said = {code: sha256(notice(Words(code)).encode()).hexdigest() for code in LANGUAGES}
    assert said == TEXTS[VERSION]


def test_it_is_said_in_the_language_of_the_screen() -> None:
    assert "erase" in notice(Words("en"))
    assert "删除" in notice(Words("zh_CN"))
