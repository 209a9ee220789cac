"""The outbox of webhooks beside another process that sends the same messages."""

from __future__ import annotations

import contextlib
from pathlib import Path

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
            directory.heard(TENANT, till.device, later)
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
