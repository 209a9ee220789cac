"""Levels, multipliers and groups that may be missing: added, changed and taken away in the form alone."""

from __future__ import annotations

import copy
import html
import json
import re
from typing import Any

import pytest

from app.domain.programme_plain import programme_from_plain
from headoffice.console.programme_form import changes
from headoffice.console.programme_lists import KINDS, LEVELS, MULTIPLIERS, REDEMPTION, changed
from tests.headoffice.console_browser import Person
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import Served
from tests.headoffice.test_console_programme import DEMO, ENGLISH, begin_draft, day_of

__all__ = ["anna", "at"]


def after(act: str, document: Any = DEMO, kind: str = "") -> Any:
    """The document after a button that did something, a programme still."""
    before = copy.deepcopy(document)
    made, place = changed(document, act, kind)
    assert place
    assert document == before, "what was typed before stays as it was"
    programme_from_plain(made)
    return made


@pytest.mark.parametrize("at_level", range(4))
def test_a_level_comes_behind_each_one_and_is_in_order_there(at_level: int) -> None:
    made = after(f"after {LEVELS}[{at_level}]")
    codes = [each["code"] for each in made["tiers"]["levels"]]
    assert codes.index("level") == at_level + 1
    assert len(codes) == 5


@pytest.mark.parametrize("kind", [*KINDS, "strange"])
def test_a_multiplier_of_each_kind_can_be_published_as_it_comes(kind: str) -> None:
    made = after(f"add {MULTIPLIERS}", kind=kind)
    again = after(f"add {MULTIPLIERS}", made, kind)
    codes = [each["code"] for each in again["earning"]["multipliers"]]
    assert len(set(codes)) == len(codes) == 5
    last = again["earning"]["multipliers"][-1]
    assert (last["birthday"] is not None, bool(last["weekdays"])) == (
        kind == "birthday",
        kind == "weekdays",
    )


def test_what_is_taken_away_is_gone_and_the_rest_stays() -> None:
    made = after(f"remove {LEVELS}[1]")
    assert [each["code"] for each in made["tiers"]["levels"]] == ["regular", "gold", "black"]
    made = after(f"remove {MULTIPLIERS}[1]")
    assert [each["code"] for each in made["earning"]["multipliers"]] == [
        "tuesday_tea",
        "black_bonus",
    ]
    made = after(f"unset {MULTIPLIERS}[1].birthday")
    assert made["earning"]["multipliers"][1]["birthday"] is None
    assert after(f"set {MULTIPLIERS}[1].birthday", made) == DEMO
    bare = {**DEMO, "redemption": None, "returns": {**DEMO["returns"], "spent_policy": "negative"}}
    assert after(f"set {REDEMPTION}", bare)["redemption"]["unit_points"] == 100


def test_the_last_level_stays() -> None:
    one = {"tiers": {"levels": [DEMO["tiers"]["levels"][0]]}}
    assert changed(one, f"remove {LEVELS}[0]", "") == (one, "")


@pytest.mark.parametrize(
    "act",
    ["", "after", "remove $.currency", f"remove {LEVELS}[9]", f"after {MULTIPLIERS}[0]", "set $.version",
     f"set {LEVELS}[0].birthday", f"add {LEVELS}", f"unset {MULTIPLIERS}[7].birthday"],
)  # fmt: skip
@pytest.mark.parametrize("document", [DEMO, None, [], {"tiers": 7}, {"tiers": {"levels": [7]}}])
def test_a_button_of_nobodys_does_nothing(act: str, document: Any) -> None:
    assert changed(document, act, "") == (document, "")


def test_one_level_more_or_less_is_told_as_that_alone() -> None:
    made = after(f"after {LEVELS}[0]")
    told = changes(DEMO, made, ENGLISH)
    assert {each.label.partition(" · ")[0] for each in told} == {"Tiers"}
    assert all(each.before == "–" and "Level level" in each.label for each in told)
    gone = changes(DEMO, after(f"remove {LEVELS}[1]"), ENGLISH)
    assert gone
    assert all(each.after == "–" and "silver" in each.label for each in gone)


def kept(anna: Person, place: str) -> Any:
    """The draft as it is kept."""
    box = re.search(r'(?s)<textarea id="json"[^>]*>(.*?)</textarea>', anna.look(place).text)
    assert box
    return json.loads(html.unescape(box[1]))


def test_a_level_and_a_birthday_are_added_changed_and_published_without_json(
    at: Served, anna: Person
) -> None:
    place = begin_draft(anna, name="Platinum")
    levels = len(kept(anna, place)["tiers"]["levels"])
    answer = anna.send(place, **{"$.starts": day_of(at, 3), "do": f"after {LEVELS}[{levels - 1}]"})
    assert answer.history[0].headers["location"].endswith(f"#tiers-levels-{levels}")
    assert f'id="tiers-levels-{levels}"' in answer.text
    level = f"{LEVELS}[{levels}]"
    anna.send(
        place,
        **{f"{level}.code": "platinum", f"{level}.name.zh": "白金", f"{level}.threshold": "x"},
    )
    page = anna.look(place).text
    found = re.search(
        rf'name="{re.escape(level)}.threshold" value="x"[^>]*aria-invalid="true"', page
    )
    assert found, "what is wrong is said at the field"
    anna.send(
        place, **{f"{level}.threshold": "9000000", "do": f"add {MULTIPLIERS}", "kind": "birthday"}
    )
    made = kept(anna, place)
    many = len(made["earning"]["multipliers"])
    anna.send(place, **{f"{MULTIPLIERS}[{many - 1}].birthday.days_after": "5"})
    made = kept(anna, place)
    assert made["starts"] == day_of(at, 3), "what was typed was kept with the button"
    assert made["tiers"]["levels"][-1]["name"]["zh"] == "白金"
    assert made["earning"]["multipliers"][-1]["birthday"] == {"days_before": 3, "days_after": 5}
    assert "This can be published." in anna.look(place).text
    assert anna.send(f"{place}/publish").url.path.startswith("/console/programme/versions/")
