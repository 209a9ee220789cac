"""The letters that the manual has after F11 are those of actions."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ui.conftest import Rig

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = (*sorted(DOCS.glob("manual/*/*.md")), *sorted(DOCS.glob("operations/*.md")))


def test_the_letters_after_f11_are_those_of_an_action(rig: Rig) -> None:
    known = {action.initials for action in rig.shell.actions_.everything()}
    found = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        rows = re.findall(r"^\| `(\w\w)` \|", text, re.MULTILINE)
        letters = {*rows, *re.findall(r"F11 `(\w+)`", text)}
        assert letters <= known, page
        found |= letters
    assert len(found) > 10
