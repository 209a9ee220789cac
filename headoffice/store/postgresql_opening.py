"""Opens a head office store in PostgreSQL: its schema, by the owner, and connections of the application's role.

A step (steps.py) is recorded with its SHA-256. Nothing here knows what the tables mean.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from headoffice.store.errors import NotAStore, NotMigrated, RoleTooMighty
from headoffice.store.steps import POSTGRESQL, Step, compared, shipped


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection of head office's.

    tenant    whose rows the transaction under way sees
    told_s    when it last told the others, of the monotonic clock
    wrote     whether the transaction under way has written anything
    versions  of chains in the register, up to which all is known to whoever has this connection
    """

    tenant = b""
    told_s = 0.0
    wrote = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.versions: dict[bytes, int] = {}


CHANNEL: Final = "regulars_changed"
ROLE: Final = "regulars_app"
"""Who head office works as: neither the owner of the tables nor allowed to bypass row-level security."""
LOCK_WAIT_MS: Final = 2_000
"""So long a statement waits for a lock before it is refused."""
IDLE_MS: Final = 30_000
"""So long an open transaction may stand still before the database ends it: whose machine is gone, or stopped,
would keep a chain locked until TCP gives it up, two hours as systems come."""
CONNECT_S: Final = 3
"""So long a database that does not answer is waited for."""

_PATIENCE: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_S, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 3, "tcp_user_timeout": 15_000, "application_name": "regulars-headoffice",
}  # fmt: skip
"""A network that swallows what is sent is given up like a closed connection; the string may say otherwise."""
_RECORD: Final = """
CREATE TABLE IF NOT EXISTS schema_step (
    number bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    name text NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32)
)
"""
_HAD: Final = "SELECT number, sha256 FROM schema_step ORDER BY number"
_THERE: Final = "SELECT to_regclass('schema_step') IS NOT NULL, to_regclass('member') IS NOT NULL"
_POWERS: Final = """
SELECT current_user::text, rolsuper, rolbypassrls, EXISTS (
    SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
        AND pg_has_role(c.relowner, 'MEMBER')
) FROM pg_roles WHERE rolname = current_user
"""
_DURABLE: Final = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


def migrate(dsn: str, *, steps: tuple[Step, ...] | None = None) -> int:
    """Bring a database to the schema of this version, as the owner of its tables: how many steps were made.

    All of them or none. The role regulars_app must exist. Raises NotAStore, NewerSchema or MigrationChanged.
    """
    wanted = shipped(POSTGRESQL) if steps is None else steps
    with psycopg.connect(dsn) as owner:
        recorded, foreign = _there(owner)
        if foreign and not recorded:
            raise NotAStore(owner.info.dbname, "tables without a record of migrations")
        owner.execute(_RECORD)
        # Who migrates at the same time waits here, and then finds the steps made.
        owner.execute("LOCK TABLE schema_step IN EXCLUSIVE MODE")
        found = compared(owner.execute(_HAD).fetchall(), wanted, owner.info.dbname)
        for step in wanted[found:]:
            owner.execute(step.sql)
            owner.execute(
                "INSERT INTO schema_step (number, name, sha256) VALUES (%s, %s, %s)",
                (step.number, step.name, step.sha256),
            )
    return len(wanted) - found


def connect(dsn: str, *, lock_wait_ms: int = LOCK_WAIT_MS) -> Connection:
    """A connection for one thread, as the application's role.

    Raises NotMigrated, NewerSchema, MigrationChanged, or RoleTooMighty: row-level security must hold for it.
    """
    given = conninfo_to_dict(dsn)
    # A look-up in many partitions is reckoned so dear that it would be compiled first, for half a second.
    options = (
        f"{given.pop('options', '')} -c lock_timeout={lock_wait_ms} -c jit=off "
        f"-c idle_in_transaction_session_timeout={IDLE_MS}"
    )
    raw = Connection.connect(
        **{**_PATIENCE, **given}, options=options, autocommit=True, prepare_threshold=1
    )
    try:
        check_schema(raw)
        _check_role(raw)
        raw.execute(_DURABLE)
    except BaseException:
        raw.close()
        raise
    return raw


def _there(raw: psycopg.Connection[tuple[Any, ...]]) -> tuple[bool, bool]:
    found = raw.execute(_THERE).fetchone()
    assert found is not None
    return found[0], found[1]


def check_schema(raw: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Raises NotMigrated, NewerSchema or MigrationChanged where the database is not of this version."""
    known = shipped(POSTGRESQL)
    had = raw.execute(_HAD).fetchall() if _there(raw)[0] else []
    if compared(had, known, raw.info.dbname) < len(known):
        raise NotMigrated(len(had), len(known))


def _check_role(raw: Connection) -> None:
    found = raw.execute(_POWERS).fetchone()
    assert found is not None
    role, superuser, bypasses, owns = found
    if superuser or bypasses:
        raise RoleTooMighty(role, "it bypasses row-level security")
    if owns:
        raise RoleTooMighty(role, "it owns the tables")
