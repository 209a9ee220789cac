"""Keys of the open API: which system of which chain may do what. Rows of one open database, and the keys' form.

A key is shown once, when it is made; what is kept is its digest. Its first part finds it and is no secret.
Who may be asked for what is said where the operations stand (headoffice/api/operations.py).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal, NamedTuple, get_args

from app.protocol.links import Place, genesis
from app.protocol.store import Device, Store
from headoffice.store.distribution import dist_key
from headoffice.store.plain import Plain

Scope = Literal[
    "stores:read",
    "members:read",
    "members:personal",
    "members:write",
    "points:write",
    "points:adjust",
    "sales:refund",
    "reports:read",
    "webhooks:write",
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PER_MINUTE: Final = 600
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"rgk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class ApiKey(NamedTuple):
    """A key as it is kept. `name` is the system that has it; keys of one name write as one device.

    per_minute  so many requests; a third of them at once       used_ms  0: never
    """

    tenant: bytes
    id: str
    name: str
    device: bytes
    digest: bytes
    scopes: frozenset[str]
    per_minute: int
    made_ms: int
    ended_ms: int | None = None
    used_ms: int = 0


_KEYS: Final = """
SELECT tenant_id, key_id, name, device_id, digest, scopes, per_minute, made_ms, ended_ms, used_ms
FROM api_key WHERE tenant_id = ? AND dist_key = ? ORDER BY name, made_ms, key_id
"""
_ADD: Final = """
INSERT INTO api_key (
    tenant_id, dist_key, key_id, name, device_id, digest, scopes, per_minute, made_ms, ended_ms, used_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END: Final = """
UPDATE api_key SET ended_ms = ?
WHERE tenant_id = ? AND dist_key = ? AND key_id = ? AND ended_ms IS NULL
"""
_USED: Final = "UPDATE api_key SET used_ms = ? WHERE tenant_id = ? AND dist_key = ? AND key_id = ?"


class ApiKeys:
    """One chain's keys, inside a transaction."""

    def __init__(self, plain: Plain, tenant: bytes) -> None:
        self._plain = plain
        self._own = (tenant, dist_key(tenant))

    def all(self) -> list[ApiKey]:
        """All keys, ended ones too, by name."""
        found = list[ApiKey]()
        for row in self._plain.rows(_KEYS, self._own):
            tenant, key_id, name, device, digest, scopes, *numbers = row
            found.append(
                ApiKey(tenant, key_id, name, device, digest, frozenset(scopes.split()), *numbers)
            )
        return found

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        scopes = " ".join(sorted(key.scopes))
        values = (key.id, key.name, key.device, key.digest, scopes, *key[6:])
        self._plain.run(_ADD, (*self._own, *values))

    def end(self, key_id: str, now_ms: int) -> None:
        """Nobody gets in with the key any more."""
        self._plain.run(_END, (now_ms, *self._own, key_id))

    def used(self, key_id: str, now_ms: int) -> None:
        """Somebody got in with the key."""
        self._plain.run(_USED, (now_ms, *self._own, key_id))


def new_key(
    keys: ApiKeys, store: Store, name: str, scopes: Sequence[str], per_minute: int, now_ms: int
) -> str:
    """Make a key, inside a writing transaction; returns it whole, this once.

    Its system writes as a device of head office's own, whose chain nobody else can write: keys of the same name
    go on with it, so that a system changes its key without losing its holds.
    """
    tenant = store.tenant()
    known = [key for key in keys.all() if key.name == name]
    device = known[0].device if known else secrets.token_bytes(16)
    if store.device(device) is None:
        place = Place(*genesis(tenant.id, device, 1))
        # No bucket is its own: it is told nothing, and no erasure waits for it.
        store.put_device(Device(device, "", (), place, tenant.timeline))
    key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    keys.add(
        ApiKey(
            tenant.id, key_id, name, device, _digest(secret), frozenset(scopes), per_minute, now_ms
        )
    )
    return f"rgk_{key_id}_{secret}"


def report_own_tills(keys: ApiKeys, store: Store) -> None:
    """After a restore: what head office's own devices had is what the store has, so nobody waits for them."""
    timeline = store.tenant().timeline
    for device in {key.device for key in keys.all()}:
        known = store.device(device)
        assert known is not None, "a key is made with its device"
        store.put_device(known._replace(reported=timeline))


def key_of(known: Mapping[str, ApiKey], authorization: str) -> ApiKey | None:
    """Whose key an Authorization header has; None: nobody's, or one that has ended."""
    kind, _, token = authorization.partition(" ")
    found = _FORM.fullmatch(token.strip()) if kind.lower() == "bearer" else None
    if found is None:
        return None
    key = known.get(found[1])
    right = hmac.compare_digest(_digest(found[2]), key.digest if key else bytes(32))
    return key if key is not None and right and key.ended_ms is None else None


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
