"""The outbox of webhooks beside another process that sends the same messages."""

from __future__ import annotations

import contextlib
from pathlib import Path

from headoffice.webhooks.outbox import GIVEN_UP_MS, Fact, Outbox, Webhook
from tests.headoffice.http_office import ANNA, TENANT, begin_chain, database_of

HOOK = b"h" * 16


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
