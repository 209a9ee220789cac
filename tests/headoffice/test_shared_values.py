"""Two members with one phone or card: found when tills tell it, listed until somebody decides."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from app.protocol.profiles import erase, take_cells
from app.protocol.wire import Cell
from app.sync.exchange import Exchange
from headoffice import lost_cards, shared_values
from headoffice.console.same_pages import PLACE
from headoffice.shared_values import OTHERS_MOST, Look, note
from tests.app.chain import settle
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.console_browser import Person
from tests.headoffice.console_browser import let_in as let_person_in
from tests.headoffice.counters import let_in, lines, office, till, twin
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    rows,
    served,
    wait_for,
)

__all__ = ["kiosk", "lines", "made_template", "office", "template", "till", "twin"]

PAIRS: Final = "SELECT field, member_id, other_id FROM shared_value ORDER BY field"
ALARMS: Final = "SELECT kind, cleared_ms IS NULL FROM alarm WHERE kind = 'card.shared'"
PHONE: Final = "+8613912340077"


def person(at: Served, role: str = "head_office", initials: str = "HO") -> Person:
    made = Person(at)
    made.begin(let_person_in(at.folder, initials, role))  # type: ignore[arg-type]  # one of the roles
    return made


@pytest.mark.usefixtures("each_store")
def test_a_card_of_before_that_two_tills_gave_out_is_found_listed_and_alarmed(
    till: Kiosk, twin: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    """Both shops' first member has the same card, and the same phone."""
    one = let_in(till, office, lines)
    settle(one)
    assert rows(office.folder, PAIRS) == []
    two = let_in(twin, office, lines, "till 1", "South")
    settle(two)
    first, second = sorted((till.member_id, twin.member_id))
    found = [(field, bytes(a), bytes(b)) for field, a, b in rows(office.folder, PAIRS)]
    assert found == [("card", first, second), ("phone", first, second)]
    wait_for(lambda: [tuple(row) for row in rows(office.folder, ALARMS)] == [("card.shared", 1)])
    asks = person(office)
    listed = asks.look(PLACE).text
    assert listed.count(f"{PLACE}/{first.hex()}/{second.hex()}") == 2
    assert "13800006621" not in listed
    pair = asks.look(f"{PLACE}/{first.hex()}/{second.hex()}")
    assert "Two people with one card" in pair.text
    merged = asks.send(f"/console/members/{first.hex()}/merge/done", other=second.hex())
    assert merged.status_code == 200
    assert "Nothing here." in asks.look(PLACE).text
    wait_for(lambda: [tuple(row) for row in rows(office.folder, ALARMS)] == [("card.shared", 0)])
    asks.close()


class Told:
    """Fields of members as tills tell them."""

    def __init__(self, folder: Path) -> None:
        self.plain = database_of(folder)
        self.store = self.plain.store(TENANT)
        self._stamps = count(1)

    def __call__(self, *cells: tuple[bytes, str, str | None], at_ms: int = 5) -> None:
        made = [Cell(*each, next(self._stamps) << 16, b"d" * 16) for each in cells]
        with self.store.writing():
            taken = take_cells(self.store, made, "all", 1 << 40)
            note(self.plain, self.store, lambda: at_ms, taken)

    @property
    def pairs(self) -> list[tuple[str, bytes, bytes, int]]:
        with self.plain.of(TENANT):
            found = list(shared_values.unseen(self.plain, TENANT))
        return sorted((each.field, each.member, each.other, each.noted_ms) for each in found)


@pytest.fixture
def told(tmp_path: Path, each_store: str) -> Iterator[Told]:
    begin_chain(tmp_path)
    made = Told(tmp_path)
    yield made
    made.plain.close()


def test_who_shares_what_is_noted_once(told: Told) -> None:
    told((ANNA, "phone", PHONE), (ANNA, "name", "One Name"), (ANNA, "email", "an@example.com"))
    assert told.pairs == []
    told((BELA, "phone", PHONE), (BELA, "name", "One Name"), (BELA, "email", "An@Example.com"))
    both = [("email", *sorted((ANNA, BELA)), 5), ("phone", *sorted((ANNA, BELA)), 5)]
    assert told.pairs == both
    told((ANNA, "phone", PHONE), at_ms=9)
    assert told.pairs == both


def test_two_in_one_message_are_found(told: Told) -> None:
    told((ANNA, "card", "890010000007"), (BELA, "card", "890010000007"))
    assert [each[:3] for each in told.pairs] == [("card", *sorted((ANNA, BELA)))]


def test_what_stands_no_more_is_no_reason(told: Told) -> None:
    carl = b"C" * 16
    told((ANNA, "phone", PHONE))
    told((ANNA, "phone", "+8613912340078"))
    told((BELA, "phone", PHONE))
    assert told.pairs == []
    with told.store.writing():
        erase(told.store, BELA, "all")
    told((carl, "phone", PHONE), (carl, "email", ""))
    assert told.pairs == []


def test_pairs_that_share_a_card_no_more_hide_none_that_do(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_values, "LOOKED_MOST", 3)
    for n in range(1, 7):
        told((bytes([n]) * 16, "card", "8801"), at_ms=10 + n)
    for n in range(2, 7):
        told((bytes([n]) * 16, "card", f"88{n}0"))

    def look() -> Look:
        with told.plain.of(TENANT):
            found = shared_values.look(told.plain, TENANT)
        shared_values.settled(told.plain, told.store, TENANT, found, 20)
        return found

    told((ANNA, "card", "8802"), (BELA, "card", "8802"), at_ms=1)
    looks = [look() for _ in range(8)]
    assert looks[-1] == Look(1, 1, ())
    told((bytes([6]) * 16, "card", "8801"), at_ms=30)
    assert look().newest_ms == 30, "what was over has begun anew"


def test_all_pairs_are_listed(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_values, "PORTION", 7)
    told(*[(bytes([n]) * 16, "phone", PHONE) for n in range(1, 11)])
    assert len(set(told.pairs)) == len(told.pairs) == 45


def test_of_hundreds_with_one_phone_a_new_one_is_paired_with_some(told: Told) -> None:
    told(*[(bytes([n]) * 16, "phone", PHONE) for n in range(1, OTHERS_MOST + 11)])
    before = len(told.pairs)
    told((b"z" * 16, "phone", PHONE))
    assert len(told.pairs) == before + OTHERS_MOST


@pytest.mark.usefixtures("each_store")
def test_families_are_two_people_and_no_two_have_one_card(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    told = Told(tmp_path)
    first, second = sorted((ANNA, BELA))
    told(
        *[
            (each, *field)
            for each in (first, second)
            for field in (("phone", PHONE), ("card", "8800"))
        ]
    )
    with served(tmp_path) as at:
        asks, looks = person(at), person(at, "auditor", "AU")
        place = f"{PLACE}/{first.hex()}/{second.hex()}"
        listed = looks.look(f"{PLACE}.csv").content.decode("utf-8-sig")
        assert len(list(csv.reader(io.StringIO(listed)))) == 3
        assert "They are two people" not in looks.look(place).text
        assert looks.send(place).status_code == 403
        assert "They are two people" in asks.look(place).text
        assert asks.send(place).status_code == 200
        assert [each[0] for each in told.pairs] == ["card"]
        page = asks.look(place).text
        assert "HO said that they are two people" in page
        assert "Two people with one card" in page
        with told.store.writing():
            lost_cards.report(told.store, "8800")
        assert "They have nothing in common" not in page
        assert "Two people with one card" not in asks.look(place).text
        assert "Nothing here." in asks.look(PLACE).text
        acts = rows(tmp_path, "SELECT act, member_id FROM console_audit WHERE act = 'two_people'")
        assert [(act, bytes(member)) for act, member in acts] == [("two_people", first)]
        assert asks.look(f"{PLACE}/{first.hex()}/{'00' * 16}").status_code == 404
        asks.close()
        looks.close()
    told.plain.close()
