"""Cards of members with whom a till begins lie aside until all are there: they are theirs all the same."""

from __future__ import annotations

import pytest

from db import bulk, filling, people, search, wiping
from db.connection import Connection
from db.engine import Store
from db.migrate import migrate

ADA, BELA, CARL = (bytes([number]) * 16 for number in (1, 2, 3))
NUMBER = "880000000011"
OTHER = "880000000029"


@pytest.fixture
def filled(store: Store) -> Store:
    """Ada's card lies aside."""
    migrate(store, before=lambda found, wanted: None)
    with store.write() as conn:
        assert filling.begin(conn, 100)
        for member in (ADA, BELA, CARL):
            people.insert_member(conn, people.MemberRow(member, 20_000, "basic", None))
            bulk.add_people(conn, [(_profile(member), bytes(32))])
            people.mark_search_dirty(conn, member)
        search.refresh(conn)
        bulk.add_arriving_cards(conn, [(NUMBER, ADA)])
    return store


def _profile(member: bytes) -> people.ProfileRow:
    return people.ProfileRow(
        member_id=member, name="N", phone=None, email=None, name_py="n", name_ini="n",
        birth_calendar="solar", birth_year=None, birth_month=None, birth_day=None, note="", alert="",
        version=1,
    )  # fmt: skip


def _card(member: bytes, state: str = "active", number: str = NUMBER) -> people.CredentialRow:
    return people.CredentialRow("card", number, member, state)


def _kept(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("SELECT value, member_id, state FROM credential ORDER BY value").fetchall()


def test_a_card_that_lies_aside_is_found_by_its_number_and_by_its_member(filled: Store) -> None:
    with filled.read() as conn:
        assert _kept(conn) == []
        assert people.credential(conn, "card", NUMBER) == _card(ADA)
        assert people.credential(conn, "badge", NUMBER) is None
        assert people.credentials_of(conn, ADA, "card") == [_card(ADA)]
        assert people.credentials_of(conn, BELA, "card") == []
        found = people.person(conn, ADA)
        assert found is not None
        assert NUMBER in str(found)
        assert list(people.cards_beginning(conn, NUMBER[:4])) == [NUMBER]
        hit = search.search_members(conn, NUMBER).hits[0]
        assert (hit.member_id, hit.card_state) == (ADA, "active")


def test_cards_are_where_cards_are_once_all_are_there(filled: Store) -> None:
    """Of two members with one number the first has it, and who has one already keeps it."""
    with filled.write() as conn:
        people.put_credential(conn, _card(CARL, number=OTHER))
        bulk.add_arriving_cards(conn, [(NUMBER, CARL), (OTHER, BELA)])
        filling.end(conn)
        assert _kept(conn) == [(NUMBER, ADA, "active"), (OTHER, CARL, "active")]
        assert people.credentials_of(conn, BELA, "card") == []
        assert conn.execute("SELECT * FROM arriving_card").fetchall() == []
        filling.end(conn)


def test_a_card_that_lies_aside_is_lost_like_any(filled: Store) -> None:
    with filled.write() as conn:
        people.put_credential(conn, _card(ADA, "lost"))
        assert people.credentials_of(conn, ADA, "card") == [_card(ADA, "lost")]
        filling.end(conn)
        assert _kept(conn) == [(NUMBER, ADA, "lost")]


def test_a_number_that_lies_aside_is_not_given_to_somebody_else(filled: Store) -> None:
    with filled.write() as conn:
        people.put_credential(conn, _card(BELA))
        filling.end(conn)
        assert _kept(conn) == [(NUMBER, ADA, "active")]


def test_a_card_that_lies_aside_goes_where_its_member_goes(filled: Store) -> None:
    """Also to somebody whose own card lies aside; and back again, by its number."""
    with filled.write() as conn:
        bulk.add_arriving_cards(conn, [(OTHER, BELA)])
        people.move_cards(conn, ADA, BELA)
        assert people.credentials_of(conn, BELA, "card") == [_card(BELA), _card(BELA, number=OTHER)]
        people.move_card(conn, "card", OTHER, CARL)
        assert people.credential(conn, "card", OTHER) == _card(CARL, number=OTHER)
        filling.end(conn)
        assert _kept(conn) == [(NUMBER, BELA, "active"), (OTHER, CARL, "active")]


def test_a_card_that_lies_aside_goes_with_the_person(filled: Store) -> None:
    with filled.write() as conn:
        people.drop_person(conn, ADA)
        assert people.credential(conn, "card", NUMBER) is None
        filling.end(conn)
        assert _kept(conn) == []


def test_no_card_lies_aside_in_a_store_that_was_wiped(filled: Store) -> None:
    with filled.write() as conn:
        while wiping.wipe_some(conn):
            pass
        wiping.wipe_rest(conn)
        assert conn.execute("SELECT * FROM arriving_card").fetchall() == []
