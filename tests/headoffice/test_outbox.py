"""The outbox of webhooks beside another process that sends the same messages."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from headoffice.store.plain import Opened
from headoffice.webhooks import outbox as outboxes
from headoffice.webhooks.mail import Mailer
from headoffice.webhooks.outbox import GIVEN_UP_MS, Fact, Outbox, Webhook
from headoffice.webhooks.sender import Sender
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    begin_chain,
    database_of,
    opened,
    served,
    wait_for,
)

HOOK = b"h" * 16


def test_a_chain_that_moves_away_is_told_of_from_its_new_place(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        sending = Sender(at.office, at.writer, lambda _: b"", Mailer(None))
        hook = Webhook(TENANT, HOOK, "https://x.example/", frozenset({"points.changed"}), 1, 0, 0)
        at.office.telling.webhooks = {HOOK: hook}
        assert sending._receivers() == {(TENANT, HOOK)}
        at.office.moving = frozenset({TENANT})
        assert sending._receivers() == set()


def test_what_another_process_heard_of_a_till_counts(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        till = at.till()
        till.sync()
        later = at.clock() + 86_400_000
        with opened(tmp_path) as (store, directory), store.writing():
            directory.heard(TENANT, till.device, later, "")
        wait_for(lambda: at.office.heard[till.device] == later)


def test_a_message_is_settled_by_its_id_and_not_by_its_number(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with (
        contextlib.closing(database_of(tmp_path)) as database,
        database.store(TENANT).writing(),
    ):
        outbox = Outbox(database, TENANT)
        outbox.put(
            Webhook(TENANT, HOOK, "https://x.example/", frozenset({"points.changed"}), 1, 0, 0)
        )
        wanted = {HOOK: frozenset({"points.changed"})}
        facts = [Fact("points.changed", ANNA)]
        outbox.tell(wanted, facts, 1)
        old = outbox.next(HOOK, 1)
        assert old is not None
        outbox.delivered(HOOK, old)  # by another process
        outbox.tell(wanted, facts, 2)
        new = outbox.next(HOOK, 2)
        assert new is not None
        assert (new.number, new.id != old.id) == (old.number, True)
        outbox.delivered(HOOK, old)
        outbox.failed(HOOK, old, "late", GIVEN_UP_MS + 5, 9)
        assert outbox.next(HOOK, 2) == new


DAY = GIVEN_UP_MS
POINTS = frozenset({"points.changed"})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """A chain with a receiver that has ten messages to hear; three are a portion."""
    monkeypatch.setattr(outboxes, "PORTION", 3)
    begin_chain(tmp_path)
    with contextlib.closing(database_of(tmp_path)) as database:
        with database.store(TENANT).writing():
            outbox = Outbox(database, TENANT)
            outbox.put(Webhook(TENANT, HOOK, "https://x.example/", POINTS, 1, 0, 0))
            outbox.tell({HOOK: POINTS}, [Fact("points.changed", ANNA)] * 10, 1)
        yield database


def left(database: Opened) -> tuple[int, int]:
    """Messages of the receiver: all, and those that are parked."""
    with database.of(TENANT):
        text = "SELECT count(*), count(parked_ms) FROM webhook_message WHERE tenant_id = ?"
        found = database.rows(text, (TENANT,))[0]
    return found[0], found[1]


def test_what_waits_is_forgotten_in_portions_and_the_receiver_last(database: Opened) -> None:
    seen = []
    for whole in (False, False, False, True):
        with database.store(TENANT).writing():
            outbox = Outbox(database, TENANT)
            assert outbox.end(HOOK) == whole
            seen.append(len(outbox.webhooks()))
        seen.append(left(database)[0])
    assert seen == [1, 7, 1, 4, 1, 1, 0, 0]


def test_who_hears_nothing_for_a_day_has_a_portion_parked_by_one_try(database: Opened) -> None:
    with database.store(TENANT).writing():
        outbox = Outbox(database, TENANT)
        outbox.tell({HOOK: POINTS}, [Fact("points.changed", ANNA)], 2)
        first = outbox.next(HOOK, 1)
        assert first is not None
        assert not outbox.failed(HOOK, first, "late", DAY, DAY)
    assert left(database) == (11, 0), "not a day old yet"
    with database.store(TENANT).writing():
        assert Outbox(database, TENANT).failed(HOOK, first, "late", DAY + 1, DAY + 1)
    assert left(database) == (11, 4), "itself and three more"
    for parked in (8, 10):
        with database.store(TENANT).writing():
            following = Outbox(database, TENANT).next(HOOK, DAY + 1)
            assert following is not None
            Outbox(database, TENANT).failed(HOOK, following, "late", DAY + 1, DAY + 1)
        assert left(database) == (11, parked), "the last one is younger"


def test_parked_ones_are_taken_up_in_portions(database: Opened) -> None:
    with database.store(TENANT).writing():
        database.run("UPDATE webhook_message SET parked_ms = 5, tries = 9")
    counts = []
    for _ in range(4):
        with database.store(TENANT).writing():
            counts.append(Outbox(database, TENANT).again(HOOK, 7))
    assert counts == [3, 3, 3, 1]
    assert left(database) == (10, 0)


def test_a_message_that_we_cannot_send_is_settled_as_one_that_nobody_took(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        sending = Sender(at.office, at.writer, broken, Mailer(None), private=True)
        hook = Webhook(TENANT, HOOK, "http://127.0.0.1:9/", POINTS, 1, 0, 0)
        at.office.telling.webhooks = {HOOK: hook}
        with opened(tmp_path) as (store, directory), store.writing():
            outbox = Outbox(directory._plain, TENANT)
            outbox.put(hook)
            outbox.tell({HOOK: POINTS}, [Fact("points.changed", ANNA)], 1)
            message = outbox.next(HOOK, 1)
        assert message is not None
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        assert asyncio.run(sending._tried((TENANT, HOOK), message, tls)) == "internal"


def broken(_: object) -> bytes:
    raise ZeroDivisionError
