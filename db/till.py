"""The till's own rows: shifts, catalogue, programme versions, print jobs, the open cart."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from sqlcipher3.dbapi2 import Connection


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A cashier's spell; open while `closed_seq` is None, its drawer counted by `counted_seq`."""

    id: bytes
    opened_seq: int
    staff_id: bytes
    business_date: int
    opened_us: int
    float_minor: int
    closed_seq: int | None
    counted_seq: int | None = None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """Something to sell; `price_minor` is for `per_quantity` units (1 piece, 1000 g …)."""

    id: bytes
    code: str
    name: str
    name_en: str
    category: str
    price_minor: int
    per_quantity: int
    tax_bp: int
    tax_included: int
    py: str
    ini: str


@dataclass(frozen=True, slots=True)
class PrintJobRow:
    """A slip to print; `copy_no` 0 is the original, n > 0 is marked COPY n."""

    id: int
    seq: int
    kind: str
    copy_no: int
    document: str
    state: str
    attempts: int
    problem: str | None
    created_us: int


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A slip that is not settled, without its document: many may wait."""

    id: int
    seq: int
    kind: str
    copy_no: int
    state: str
    problem: str | None
    created_us: int


_SHIFT = "id, opened_seq, staff_id, business_date, opened_us, float_minor, closed_seq, counted_seq"
_ITEM = (
    "id, code, name, name_en, category, price_minor, per_quantity, tax_bp, tax_included, py, ini"
)
_JOB = "id, seq, kind, copy_no, document, state, attempts, problem, created_us"


# Shifts -----------------------------------------------------------------------------------------


def insert_shift(conn: Connection, row: ShiftRow) -> None:
    """Open a shift; the unique index refuses a second open one."""
    conn.execute(f"INSERT INTO shift ({_SHIFT}) VALUES (?,?,?,?,?,?,?,?)", astuple(row))


def open_shift(conn: Connection) -> ShiftRow | None:
    """The open shift of this till."""
    row = conn.execute(f"SELECT {_SHIFT} FROM shift WHERE closed_seq IS NULL").fetchone()
    return ShiftRow(*row) if row else None


def shift(conn: Connection, shift_id: bytes) -> ShiftRow | None:
    """The shift of an id."""
    row = conn.execute(f"SELECT {_SHIFT} FROM shift WHERE id = ?", (shift_id,)).fetchone()
    return ShiftRow(*row) if row else None


def any_shift_closed(conn: Connection) -> bool:
    """Whether a shift has ever ended."""
    row = conn.execute("SELECT 1 FROM shift WHERE closed_seq IS NOT NULL LIMIT 1").fetchone()
    return row is not None


def close_shift(conn: Connection, shift_id: bytes, closed_seq: int) -> None:
    """Close a shift."""
    conn.execute("UPDATE shift SET closed_seq = ? WHERE id = ?", (closed_seq, shift_id))


def opened_before(conn: Connection, on: int) -> int:
    """The event that opened the last shift of a business date before this one, 0 without any: what came
    before it is older than that date."""
    row = conn.execute(
        "SELECT opened_seq FROM shift INDEXED BY shift_date WHERE business_date < ?"
        " ORDER BY business_date DESC, opened_seq DESC LIMIT 1",
        (on,),
    ).fetchone()
    return 0 if row is None else int(row[0])


def last_shift(conn: Connection) -> ShiftRow | None:
    """The newest shift, open or closed."""
    row = conn.execute(f"SELECT {_SHIFT} FROM shift ORDER BY opened_seq DESC LIMIT 1").fetchone()
    return ShiftRow(*row) if row else None


def first_opened_since(conn: Connection, business_date: int) -> int:
    """The opening event of the first shift of a date or a later one; of the newest shift where there is
    none, 0 before any."""
    row = conn.execute(
        "SELECT coalesce((SELECT min(opened_seq) FROM shift WHERE business_date >= ?),"
        " (SELECT max(opened_seq) FROM shift), 0)",
        (business_date,),
    ).fetchone()
    return int(row[0])


# Programme --------------------------------------------------------------------------------------


def insert_programme(conn: Connection, *, version: int, starts: int, body: str) -> None:
    """Keep a published version; the trigger refuses to change one."""
    conn.execute(
        "INSERT INTO programme (version, starts, body) VALUES (?,?,?)", (version, starts, body)
    )


def programmes(conn: Connection) -> list[tuple[int, int, str]]:
    """(version, first business date, JSON) of every version, oldest first."""
    return list(conn.execute("SELECT version, starts, body FROM programme ORDER BY version"))


def programme(conn: Connection, version: int) -> tuple[int, int, str] | None:
    """(version, first business date, JSON) of one version."""
    found: tuple[int, int, str] | None = conn.execute(
        "SELECT version, starts, body FROM programme WHERE version = ?", (version,)
    ).fetchone()
    return found


# Catalogue --------------------------------------------------------------------------------------


def put_item(conn: Connection, row: ItemRow, *, codes: tuple[str, ...]) -> None:
    """Add an item with every barcode that leads to it."""
    conn.execute(
        f"INSERT INTO item ({_ITEM}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        astuple(row),
    )
    conn.executemany(
        "INSERT INTO item_code (code, item_id) VALUES (?,?)", [(code, row.id) for code in codes]
    )


def replace_item(conn: Connection, row: ItemRow, *, codes: tuple[str, ...], active: bool) -> None:
    """Add or change an item with exactly these barcodes; a code that another item had moves here."""
    marks = ", ".join(f"{name} = excluded.{name}" for name in _ITEM.split(", ") if name != "id")
    conn.execute(
        f"INSERT INTO item ({_ITEM}, active) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
        f" ON CONFLICT (id) DO UPDATE SET {marks}, active = excluded.active",
        (*astuple(row), int(active)),
    )
    conn.execute("DELETE FROM item_code WHERE item_id = ?", (row.id,))
    conn.executemany(
        "INSERT OR REPLACE INTO item_code (code, item_id) VALUES (?,?)",
        [(code, row.id) for code in codes],
    )


def item_by_own_code(conn: Connection, code: str) -> ItemRow | None:
    """The item of its own code, withdrawn or not."""
    row = conn.execute(f"SELECT {_ITEM} FROM item WHERE code = ?", (code,)).fetchone()
    return ItemRow(*row) if row else None


def owner_of_code(conn: Connection, code: str) -> str | None:
    """The own code of the item that a barcode leads to."""
    row = conn.execute(
        "SELECT i.code FROM item_code c JOIN item i ON i.id = c.item_id WHERE c.code = ?", (code,)
    ).fetchone()
    return str(row[0]) if row else None


def codes_of_item(conn: Connection, item_id: bytes) -> tuple[str, ...]:
    """The barcodes of an item, sorted."""
    found = conn.execute("SELECT code FROM item_code WHERE item_id = ? ORDER BY code", (item_id,))
    return tuple(code for (code,) in found)


def item_is_active(conn: Connection, item_id: bytes) -> bool:
    """Whether an item is sold still."""
    row = conn.execute("SELECT active FROM item WHERE id = ?", (item_id,)).fetchone()
    return bool(row and row[0])


def item_by_code(conn: Connection, code: str) -> ItemRow | None:
    """The item of a barcode or of its own code."""
    row = conn.execute(
        f"SELECT {_ITEM} FROM item WHERE active = 1 AND"
        " id = coalesce((SELECT item_id FROM item_code WHERE code = ?1),"
        " (SELECT id FROM item WHERE code = ?1))",
        (code,),
    ).fetchone()
    return ItemRow(*row) if row else None


def item_codes(conn: Connection, item_id: bytes) -> tuple[str, ...]:
    """Every barcode that leads to an item."""
    rows = conn.execute("SELECT code FROM item_code WHERE item_id = ? ORDER BY code", (item_id,))
    return tuple(str(row[0]) for row in rows)


def find_items(conn: Connection, text: str, limit: int) -> list[ItemRow]:
    """Items whose name, pinyin, initials, code or barcode hold `text`; a catalogue is small enough to scan."""
    like = "%" + text.lower().replace("%", "").replace("_", "") + "%"
    rows = conn.execute(
        f"SELECT {_ITEM} FROM item WHERE active = 1 AND (lower(name) LIKE ?1"
        " OR lower(name_en) LIKE ?1 OR replace(py, ' ', '') LIKE replace(?1, ' ', '')"
        " OR ini LIKE ?1 OR code LIKE ?1"
        " OR EXISTS (SELECT 1 FROM item_code c WHERE c.item_id = item.id AND c.code LIKE ?1))"
        " ORDER BY ini NOT LIKE ?2, name LIMIT ?3",
        (like, like[1:], limit),
    )
    return [ItemRow(*row) for row in rows]


def catalogue(conn: Connection, text: str, limit: int) -> list[ItemRow]:
    """Items whose name, pinyin, initials, code or barcode hold `text`, those that are withdrawn last, by
    code. A limit below zero is none."""
    like = "%" + text.lower().replace("%", "").replace("_", "") + "%"
    found = conn.execute(
        f"SELECT {_ITEM} FROM item WHERE lower(name) LIKE ?1 OR lower(name_en) LIKE ?1"
        " OR replace(py, ' ', '') LIKE replace(?1, ' ', '') OR ini LIKE ?1 OR code LIKE ?1 OR EXISTS"
        " (SELECT 1 FROM item_code c WHERE c.item_id = item.id AND c.code LIKE ?1)"
        " ORDER BY active DESC, code LIMIT ?2",
        (like, limit),
    )
    return [ItemRow(*row) for row in found]


def item_count(conn: Connection) -> int:
    """How many items there are, withdrawn ones too."""
    return int(conn.execute("SELECT count(*) FROM item").fetchone()[0])


# Print jobs -------------------------------------------------------------------------------------


def insert_print_job(
    conn: Connection, *, seq: int, kind: str, copy_no: int, document: str, created_us: int
) -> int:
    """Queue a slip in the transaction of its event; returns the job's id."""
    if copy_no:
        note_copy(conn, seq, copy_no)
    cursor = conn.execute(
        "INSERT INTO print_job (seq, kind, copy_no, document, state, created_us)"
        " VALUES (?,?,?,?,'queued',?)",
        (seq, kind, copy_no, document, created_us),
    )
    return int(cursor.lastrowid or 0)


def note_copy(conn: Connection, seq: int, copy_no: int) -> None:
    """Keep that there is a marked copy of this number."""
    conn.execute(
        "INSERT INTO slip_copies (seq, copies) VALUES (?, ?)"
        " ON CONFLICT (seq) DO UPDATE SET copies = max(copies, excluded.copies)",
        (seq, copy_no),
    )


def next_copy(conn: Connection, seq: int) -> int:
    """The number of the next marked copy of an event's slip, 1 for the first."""
    row = conn.execute("SELECT copies FROM slip_copies WHERE seq = ?", (seq,)).fetchone()
    return 1 + (int(row[0]) if row else 0)


def waiting_jobs(conn: Connection) -> list[WaitingJob]:
    """What is not yet settled, in order."""
    rows = conn.execute(
        "SELECT id, seq, kind, copy_no, state, problem, created_us FROM print_job"
        " WHERE state IN ('queued', 'sending', 'uncertain') ORDER BY id"
    )
    return [WaitingJob(*row) for row in rows]


def first_waiting(conn: Connection, state: str) -> PrintJobRow | None:
    """The first job that is sent or to be sent, None unless it is in this state. Jobs are sent in order, so
    one that is being sent has none before it that waits; the others' documents are not read."""
    found = conn.execute(
        "SELECT id, state FROM print_job WHERE state IN ('queued', 'sending', 'uncertain') ORDER BY id"
    )
    for job_id, its_state in found:
        if its_state != "uncertain":
            return print_job(conn, job_id) if its_state == state else None
    return None


def cancel_queued(conn: Connection) -> int:
    """Nothing that waits is sent any more; how many that were."""
    cursor = conn.execute(
        "UPDATE print_job SET state = 'cancelled', problem = NULL"
        " WHERE state IN ('queued', 'sending', 'uncertain') AND state = 'queued'"
    )
    return int(cursor.rowcount)


def waiting_counts(conn: Connection) -> dict[str, int]:
    """How many jobs are not yet settled, by state; their documents are not read."""
    rows = conn.execute(
        "SELECT state, count(*) FROM print_job"
        " WHERE state IN ('queued', 'sending', 'uncertain') GROUP BY state ORDER BY state"
    )
    return dict(rows.fetchall())


def print_job(conn: Connection, job_id: int) -> PrintJobRow | None:
    """The job of an id."""
    row = conn.execute(f"SELECT {_JOB} FROM print_job WHERE id = ?", (job_id,)).fetchone()
    return PrintJobRow(*row) if row else None


def jobs_of_event(conn: Connection, seq: int) -> list[PrintJobRow]:
    """All jobs of one event, original first."""
    rows = conn.execute(f"SELECT {_JOB} FROM print_job WHERE seq = ? ORDER BY copy_no, id", (seq,))
    return [PrintJobRow(*row) for row in rows]


def set_job_state(
    conn: Connection, job_id: int, *, state: str, problem: str | None, attempt: bool
) -> None:
    """Move a job on; `attempt` counts one more try."""
    conn.execute(
        "UPDATE print_job SET state = ?, problem = ?, attempts = attempts + ? WHERE id = ?",
        (state, problem, int(attempt), job_id),
    )


def oldest_job_us(conn: Connection) -> int | None:
    """When the oldest job was made; None without any."""
    row = conn.execute("SELECT created_us FROM print_job ORDER BY id LIMIT 1").fetchone()
    return None if row is None else int(row[0])


def purge_jobs(conn: Connection, *, before_us: int, limit: int) -> int:
    """Drop the oldest jobs that are older than an instant, whatever became of them: they hold personal text
    (domain.md section 2). Only as many are looked at as may go at once."""
    cursor = conn.execute(
        "DELETE FROM print_job WHERE created_us < ? AND id IN"
        " (SELECT id FROM print_job ORDER BY id LIMIT ?)",
        (before_us, limit),
    )
    return int(cursor.rowcount)


def drop_jobs_of(conn: Connection, member_id: bytes) -> None:
    """Drop the jobs of an erased member's documents, but for those that nobody has on paper yet. A copy is
    drawn from the event, so none is needed for one."""
    conn.execute(
        "DELETE FROM print_job WHERE state IN ('printed', 'cancelled')"
        " AND seq IN (SELECT seq FROM document WHERE member_id = ?)",
        (member_id,),
    )


# The open cart ----------------------------------------------------------------------------------


def save_cart(conn: Connection, body: str, *, updated_us: int) -> None:
    """Keep the open cart as it is on the screen."""
    conn.execute(
        "INSERT INTO cart (id, body, updated_us) VALUES (1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_us = excluded.updated_us",
        (body, updated_us),
    )


def saved_cart(conn: Connection) -> str | None:
    """The cart as it was last saved, None when there is none."""
    row = conn.execute("SELECT body FROM cart WHERE id = 1").fetchone()
    return str(row[0]) if row else None


def drop_cart(conn: Connection) -> None:
    """Forget the cart: it became a sale, in the same transaction."""
    conn.execute("DELETE FROM cart WHERE id = 1")
