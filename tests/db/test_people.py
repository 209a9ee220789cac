"""Rows about people: a member's cards are found by the member, however many cards there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db import people
from db.connection import Connection
from db.engine import Store
from db.migrate import migrate

CARDS = 3000


@pytest.fixture
def crowd(store: Store) -> Store:
    """Three thousand members with a card each."""
    migrate(store, before=lambda found, wanted: None)
    with store.write() as conn:
        for number in range(CARDS):
            member_id = number.to_bytes(16, "big")
            people.insert_member(conn, people.MemberRow(member_id, 20000, "basic", None))
            card = people.CredentialRow("card", f"{88010000 + number}", member_id, "active")
            people.put_credential(conn, card)
    return store


def _cards(conn: Connection, member_id: bytes) -> object:
    return people.credentials_of(conn, member_id, "card")


@pytest.mark.parametrize("look", [people.person, _cards])
def test_a_members_card_is_found_without_reading_the_others(
    crowd: Store, look: Callable[[Connection, bytes], object]
) -> None:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with crowd.read() as conn:
        look(conn, bytes(16))  # the first statement of a connection also reads the schema
        conn.set_progress_handler(count, 100)
        found = look(conn, (CARDS - 1).to_bytes(16, "big"))
        conn.set_progress_handler(None, 0)
    assert str(88010000 + CARDS - 1) in str(found)
    assert steps < 5, "a hundred steps of SQLite each"
