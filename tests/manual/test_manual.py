"""The manual keeps to the product: its table, its alarms, its words, its keys, its links, its pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.documents.event_codes import RULE_NAMES
from app.documents.z_slip import ITEM_WORDS
from app.domain.errors import Outage, Refusal
from app.domain.rights import Right
from app.error_words import PLAIN
from tests.manual.rights_table import NAMES, Language, lines, used_rights
from tests.words import HALF_WIDTH, stored
from ui.attention import _INCIDENTS
from ui.errors import CRASHED

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "manual"
LANGUAGES: tuple[Language, ...] = ("en", "zh")
WAITING = (
    "The open sale was kept when the till stopped.",
    "Slip {number} may have printed.",
    "{count} slips wait.",
    "{count} lines aren't recognised.",
    "There is no backup yet.",
    "The last backup is older than a day.",
    "All backups lie on the till's own disk.",
    "The disk is nearly full: {room} left.",
    "The till closed {date} itself (Z {number}).",
    "The till closed {count} dates itself, the last one {date} (Z {number}).",
    "Drawer not counted: {dates}.",
    CRASHED,
)
"""What the strip and the list say besides codes."""
NEED_A_HAND = (
    *("PIN_LOCKED", "PIN_BLOCKED", "NOT_ALLOWED", "SHIFT_UNCLOSED", "SHIFT_COUNTED"),
    *("APPROVAL_NEEDED", "APPROVAL_OWN", "APPROVAL_RANK", "APPROVAL_EXPIRED"),
    *(
        "VOID_OTHER_SHIFT",
        "VOID_DAY_CLOSED",
        "DAY_OPEN_ITEMS",
        "DAY_NOT_BEGUN",
        "CARDS_USED_UP",
        "PROGRAMME_INVALID",
    ),
    *("CLOCK_BEHIND", "CLOCK_FAR_FROM_HEAD_OFFICE", "BUSINESS_DATE_BACK", "BUSINESS_DATE_AHEAD"),
)
"""Refusals that another person, or another day's work, has to settle."""


def translations() -> dict[str, str]:
    """English sentence → Chinese, plural forms each on their own."""
    found: dict[str, str] = {}
    for message in stored("zh_CN"):
        sources = (message.id,) if isinstance(message.id, str) else message.id
        forms = message.string or ""
        said = forms if isinstance(forms, str) else forms[0]
        found |= dict.fromkeys(sources, said)
    return found


def in_words(message: str, language: Language) -> str:
    """The sentence as the manual writes it: … for what the till fills in."""
    said = message if language == "en" else translations()[message]
    return re.sub(r"\{\w+\}", "…", said)


def page(language: Language, name: str) -> str:
    return (MANUAL / language / name).read_text("utf-8")


def pages() -> Iterator[Path]:
    yield from sorted(MANUAL.glob("*/*.md"))
    yield from sorted((ROOT / "docs" / "operations").glob("*.md"))


def incident_codes() -> set[str]:
    """The codes that the sources of `app` note as incidents."""
    codes: set[str] = set()
    for path in (ROOT / "app").rglob("*.py"):
        text = path.read_text("utf-8")
        codes |= set(re.findall(r'findings\.add\(\s*"(\w+)"', text))
        if "add_incident(" in text:
            codes |= set(re.findall(r'\bcode="(\w+)"', text))
    return codes


@pytest.mark.parametrize("language", LANGUAGES)
class TestAlarms:
    def test_every_incident_that_the_app_notes_has_its_line(self, language: Language) -> None:
        assert len(incident_codes()) > 5
        assert incident_codes() <= set(_INCIDENTS)
        text = page(language, "alarms.md")
        for message in _INCIDENTS.values():
            assert f"| {in_words(message, language)} |" in text

    def test_every_outage_has_its_line(self, language: Language) -> None:
        text = page(language, "alarms.md")
        for code in Outage:
            assert f"| {in_words(PLAIN[code], language)} |" in text, code

    def test_everything_that_waits_for_a_person_has_its_line(self, language: Language) -> None:
        text = page(language, "alarms.md")
        for message in (*WAITING, *ITEM_WORDS.values()):
            assert f"| {in_words(message, language)} |" in text, message

    def test_every_refusal_that_needs_somebody_else_has_its_line(self, language: Language) -> None:
        text = page(language, "alarms.md")
        for name in NEED_A_HAND:
            assert f"| {in_words(PLAIN[Refusal[name]], language)} |" in text, name

    def test_every_rule_of_the_guard_has_its_line(self, language: Language) -> None:
        text = page(language, "alarms.md")
        for rule, message in RULE_NAMES.items():
            assert f"| {rule} {in_words(message, language)} |" in text, rule

    def test_each_line_says_what_to_do(self, language: Language) -> None:
        rows = [line for line in page(language, "alarms.md").splitlines() if line.startswith("| ")]
        assert all(len(line.split(" | ")[1]) >= 5 for line in rows if "---" not in line)


@pytest.mark.parametrize("language", LANGUAGES)
class TestTable:
    def test_who_may_what_is_the_matrix(self, language: Language) -> None:
        assert "\n".join(lines(language)) in page(language, "approving.md")

    def test_every_right_that_the_till_asks_for_is_in_it(self, language: Language) -> None:
        assert used_rights() == set(NAMES)
        assert list(NAMES) == [right for right in Right if right in NAMES]


class TestWords:
    def test_bold_words_stand_on_the_screen(self) -> None:
        known = translations()
        for path in sorted(MANUAL.glob("*/*.md")):
            said = known.keys() if path.parent.name == "en" else known.values()
            sentences = {re.sub(r"\{\w+\}", "…", sentence) for sentence in said}
            text = re.sub(r"\s*\n\s*", " ", path.read_text("utf-8"))
            unknown = set(re.findall(r"\*\*(.+?)\*\*", text)) - sentences
            unknown = {words for words in unknown if not _asked(words, sentences)}
            assert not unknown, f"{path.parent.name}/{path.name}: {unknown}"

    def test_both_languages_have_the_same_pages_headings_and_pictures(self) -> None:
        for path in sorted((MANUAL / "en").glob("*.md")):
            other = MANUAL / "zh" / path.name
            assert _shape(path) == _shape(other), path.name
        assert len(list((MANUAL / "zh").iterdir())) == len(list((MANUAL / "en").iterdir()))


class TestPicturesAndLinks:
    def test_what_a_page_points_at_is_there(self) -> None:
        for path in (*pages(), ROOT / "README.md"):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
                assert (path.parent / target).exists(), f"{path.name}: {target}"

    def test_every_picture_is_small_and_shown(self) -> None:
        pictures = sorted((ROOT / "docs" / "pictures" / "manual").iterdir())
        text = "".join(path.read_text("utf-8") for path in pages())
        assert 0 < len(pictures) <= 36
        for picture in pictures:
            assert picture.stat().st_size <= 60_000, picture.name
            assert picture.name in text, picture.name


def _asked(words: str, sentences: set[str]) -> bool:
    """A sentence that is asked with its act in it: "Supervisor needed: return …" is one of the catalogue's."""
    heads = {sentence.partition("…")[0] for sentence in sentences if "…" in sentence}
    return any(len(head) > 4 and words.startswith(head) for head in heads)


def _shape(path: Path) -> list[str]:
    """Headings by depth, pictures by name, numbered steps: what both languages share."""
    found = re.findall(r"^(#+) |_(\w+)\.png|^(\d)\. ", path.read_text("utf-8"), re.MULTILINE)
    return ["".join(parts) for parts in found]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs").rglob("zh/*.md")), ids=lambda path: path.name
)
def test_chinese_pages_have_chinese_punctuation(path: Path) -> None:
    found = [line for line in path.read_text("utf-8").splitlines() if HALF_WIDTH.search(line)]
    assert found == []
