"""Drafts of the chain's programme: kept as they were typed, right or wrong, until one is published.

Called inside the writer's transaction, but for the reading.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from headoffice.console.staff import Staff

_ALL: Final = """
SELECT draft_id, name, body, staff_id, at_ms FROM programme_draft
WHERE tenant_id = ? AND dist_key = ? ORDER BY at_ms DESC, draft_id
"""
_ONE: Final = """
SELECT draft_id, name, body, staff_id, at_ms FROM programme_draft
WHERE tenant_id = ? AND dist_key = ? AND draft_id = ?
"""
_PUT: Final = """
INSERT INTO programme_draft (tenant_id, dist_key, draft_id, name, body, staff_id, at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, draft_id) DO UPDATE SET name = excluded.name, body = excluded.body,
    staff_id = excluded.staff_id, at_ms = excluded.at_ms
"""
_DROP: Final = "DELETE FROM programme_draft WHERE tenant_id = ? AND dist_key = ? AND draft_id = ?"


class Draft(NamedTuple):
    """A draft. document: what was typed; it may be no programme yet. by: who changed it last."""

    id: bytes
    name: str
    document: Any
    by: bytes
    at_ms: int

    @property
    def mark(self) -> str:
        """Another one with each change: a form says by it what its reader saw."""
        body = json.dumps([self.document, self.by.hex(), self.at_ms], ensure_ascii=False)
        return sha256(body.encode(errors="surrogatepass")).hexdigest()[:32]


class Drafts:
    """A chain's drafts."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    def all(self) -> Sequence[Draft]:
        """All of them, the one that was changed last first."""
        return [_draft(*row) for row in self._staff.rows(_ALL)]

    def one(self, draft: bytes) -> Draft | None:
        rows = self._staff.rows(_ONE, draft)
        return _draft(*rows[0]) if rows else None

    def begin(self, by: bytes, name: str, document: Any, now_ms: int) -> bytes:
        """A new draft: its id."""
        made = secrets.token_bytes(16)
        self._put(Draft(made, name, document, by, now_ms))
        self._staff.note(now_ms, by, "draft_begun", detail=name)
        return made

    def change(
        self, by: bytes, draft: bytes, document: Any, now_ms: int, *, seen: str
    ) -> Draft | None:
        """Keep what was typed by somebody who saw `seen`. Else nothing is kept: the draft as it stands."""
        stands = self.one(draft)
        if stands is None or stands.mark != seen:
            return stands
        self._put(stands._replace(document=document, by=by, at_ms=now_ms))
        self._staff.note(now_ms, by, "draft_changed", detail=stands.name)
        return None

    def drop(self, by: bytes, draft: Draft, now_ms: int, act: str = "draft_dropped") -> None:
        """Forget a draft: it was published, or nobody wants it."""
        self._staff.run(_DROP, draft.id)
        self._staff.note(now_ms, by, act, detail=draft.name)

    def _put(self, draft: Draft) -> None:
        body = json.dumps(draft.document, ensure_ascii=False)
        self._staff.run(_PUT, draft.id, draft.name, body, draft.by, draft.at_ms)


def _draft(draft: bytes, name: str, body: str, by: bytes, at_ms: int) -> Draft:
    return Draft(draft, name, json.loads(body), by, at_ms)
