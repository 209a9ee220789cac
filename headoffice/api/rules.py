"""The chain's programmes for who only reads: beside the writer, and each read from its JSON once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.protocol.references import REFERENCE_BUCKET, is_programme
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

_SETS: Final = """
SELECT key, body FROM reference_set WHERE tenant_id = ? AND dist_key = ? AND bucket = ?
"""

_NEWEST: Final = """
SELECT body FROM reference_set
WHERE tenant_id = ? AND dist_key = ? AND key >= 'programme:' AND key < 'programme;'
ORDER BY version DESC LIMIT 1
"""


def newest(plain: Plain, tenant: bytes) -> Programme | None:
    """The last version, in force or not yet; None where none was published."""
    rows = plain.rows(_NEWEST, (tenant, dist_key(tenant)))
    return _read(bytes(rows[0][0])) if rows else None


def cut_off_minute(plain: Plain, tenant: bytes) -> int:
    """The minute of the local day when business days begin: the same in all versions, 0 before the first."""
    programme = newest(plain, tenant)
    return 0 if programme is None else programme.cut_off_minute


def programmes_of(plain: Plain, tenant: bytes) -> Sequence[Programme]:
    """All published versions."""
    rows = plain.rows(_SETS, (tenant, dist_key(tenant), REFERENCE_BUCKET))
    return [_read(bytes(body)) for key, body in rows if is_programme(key) and body is not None]


@lru_cache(maxsize=256)
def _read(body: bytes) -> Programme:
    return programme_from_plain(json.loads(body))
