"""What the outbox of webhooks asks and writes (headoffice/webhooks/outbox.py), for both databases."""

from __future__ import annotations

from typing import Final

WEBHOOKS: Final = """
SELECT tenant_id, webhook_id, url, kinds, secret_number, rotated_ms, made_ms
FROM webhook WHERE tenant_id = ? AND dist_key = ? ORDER BY made_ms, webhook_id
"""
PUT: Final = """
INSERT INTO webhook (
    tenant_id, dist_key, webhook_id, url, kinds, secret_number, rotated_ms, made_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, webhook_id) DO UPDATE SET secret_number = excluded.secret_number,
    rotated_ms = excluded.rotated_ms
"""
END: Final = "DELETE FROM webhook WHERE tenant_id = ? AND dist_key = ? AND webhook_id = ?"
OF_HOOK: Final = "tenant_id = ? AND dist_key = ? AND webhook_id = ?"
FORGET: Final = f"""
DELETE FROM webhook_message WHERE {OF_HOOK} AND number IN (
    SELECT number FROM webhook_message WHERE {OF_HOOK} ORDER BY number LIMIT ?
)
"""
LAST: Final = f"SELECT coalesce(max(number), 0) FROM webhook_message WHERE {OF_HOOK}"
ADD: Final = """
INSERT INTO webhook_message (
    tenant_id, dist_key, webhook_id, number, message_id, kind, member_id, body, at_ms, tries, due_ms, last,
    parked_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(NULL AS bigint))
"""
FIELDS: Final = "number, message_id, kind, member_id, body, at_ms, tries, due_ms, last, parked_ms"
NEXT: Final = f"""
SELECT {FIELDS} FROM webhook_message AS m
WHERE {OF_HOOK} AND parked_ms IS NULL AND due_ms <= ? AND NOT EXISTS (
    SELECT 1 FROM webhook_message AS before
    WHERE before.tenant_id = m.tenant_id AND before.dist_key = m.dist_key
        AND before.webhook_id = m.webhook_id AND before.member_id = m.member_id
        AND before.parked_ms IS NULL AND before.number < m.number
)
ORDER BY due_ms, number LIMIT 1
"""
# A number is given out again once its message is gone: another process may settle what it sent long ago.
DELIVERED: Final = f"DELETE FROM webhook_message WHERE {OF_HOOK} AND number = ? AND message_id = ?"
FAILED: Final = f"""
UPDATE webhook_message SET tries = tries + 1, due_ms = ?, last = ?, parked_ms = CAST(? AS bigint)
WHERE {OF_HOOK} AND number = ? AND message_id = ?
"""
PARKED: Final = f"""
SELECT {FIELDS} FROM webhook_message
WHERE {OF_HOOK} AND parked_ms IS NOT NULL AND number > ? ORDER BY number LIMIT ?
"""
AGAIN: Final = f"""
UPDATE webhook_message SET parked_ms = NULL, tries = 0, due_ms = ?, at_ms = ?
WHERE {OF_HOOK} AND number IN (
    SELECT number FROM webhook_message WHERE {OF_HOOK} AND parked_ms IS NOT NULL ORDER BY number LIMIT ?
)
"""
PARK: Final = f"""
UPDATE webhook_message SET last = ?, parked_ms = CAST(? AS bigint) WHERE {OF_HOOK} AND number IN (
    SELECT number FROM webhook_message
    WHERE {OF_HOOK} AND parked_ms IS NULL AND at_ms <= ? ORDER BY number LIMIT ?
)
"""
DROP: Final = f"""
DELETE FROM webhook_message WHERE {OF_HOOK} AND number IN (
    SELECT number FROM webhook_message WHERE {OF_HOOK} AND parked_ms < ? ORDER BY number LIMIT ?
)
"""
WAITING: Final = f"SELECT count(*) FROM webhook_message WHERE {OF_HOOK} AND parked_ms IS NULL"
