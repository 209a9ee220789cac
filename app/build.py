"""Construction and wiring: the only file that builds the product from its parts. Knows no widget.

A store is a folder: `regulars.db` (with its log), `keyslots.json` in two copies, `journal/`, `profiles.rpf`,
`settings.toml`, `head.rwf`, `logs/`. The journal may lie on another volume (settings, `journal_folder`).
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app import keyslots, log, posting, private, settings, statement, witness
from app.cells import staff_cell
from app.context import Context, TillFacts
from app.domain.business_day import BusinessDate
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.money import Currency
from app.domain.programme_plain import programme_from_plain
from app.ids import Uuid7
from app.journal import JournalFile, ProfileFile
from app.percent import Percent, quiet, unheard
from app.protocol.events import micros
from app.recovery import SETTING_UNKNOWN, Findings, mend, open_store
from app.translated import translated
from app.upgrading import fill, upgrade
from app.usecases.sign_in import is_weak, new_verifier
from app.usecases.staff import staff_facts
from app.witness import WitnessFile
from db import day, rows, staff_rows, till
from db.connection import StoreKey
from db.engine import Store
from db.lock import StoreLock

DATABASE: Final = "regulars.db"
PROFILES: Final = "profiles.rpf"
JOURNAL: Final = "journal"
Clock = Callable[[], datetime]
FindKeystore = Callable[[], keyslots.Keystore]


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A person to be signed in from the first day on."""

    initials: str
    name: str
    role: str
    pin: str
    badge: str | None = None


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item of the catalogue, with the barcodes that lead to it."""

    row: till.ItemRow
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewStore:
    """What a store is made of. `programme` is the decoded programme document."""

    store: str
    till: str
    programme: dict[str, Any]
    staff: Sequence[NewStaff]
    card_prefix: str
    card_first: int = 1
    card_last: int = 99_999_999
    items: Sequence[NewItem] = ()
    demo: bool = False
    training: bool = False
    settings: settings.Settings = field(default_factory=settings.Settings)


@dataclass(frozen=True, slots=True)
class Till:
    """The open product: a context for use-cases and queries, and what was mended at start."""

    context: Context
    findings: Findings
    folder: Path
    lock: StoreLock
    unattended: bool

    def close(self) -> None:
        """Empty the log into the file and let everything go."""
        self.context.journal.close()
        with translated():
            self.context.store.close()
        self.lock.release()


def now_utc() -> datetime:
    """The system's clock, aware."""
    return datetime.now(UTC)


def local_offset_min() -> int:
    """Minutes that local time is ahead of UTC, now."""
    return time.localtime().tm_gmtoff // 60


def machine_folder() -> Path:
    """Where this installation keeps its own id, apart from every store."""
    base = os.environ.get("REGULARS_MACHINE") or os.environ.get("XDG_DATA_HOME")
    return Path(base) / "regulars" if base else Path.home() / ".local" / "share" / "regulars"


def open_till(
    folder: Path,
    *,
    passphrase: str | None = None,
    find_keystore: FindKeystore = keyslots.SystemKeystore,
    clock: Clock = now_utc,
    offset_min: Callable[[], int] = local_offset_min,
    mending: bool = True,
    told: Callable[[int], None] = unheard,
) -> Till:
    """Open the store of a folder and mend what a crash left. Never makes or replaces a store.

    Without `passphrase` the key comes from the system's key store. Without `mending` journal and
    database stay as they lie and are not compared: for `verify`, which names what differs. `told` hears
    the percents of bringing an older store to this version, nothing where there is nothing to do.
    Raises Unavailable with the code of what is in the way: KEYSTORE_GONE (ask for the passphrase),
    PASSPHRASE_WRONG, KEYS_…, STORE_…, JOURNAL_…, SETTINGS_BAD.
    """
    path = folder / DATABASE
    if not path.exists():
        raise Unavailable(Outage.STORE_MISSING, {"folder": folder.name})
    findings, share = Findings(), Percent(told)
    chosen = _settings(folder, findings)
    private.shut(folder)
    with translated():
        lock = StoreLock(path)
    try:
        opened = _open_keys(folder, passphrase, find_keystore)
        if opened.mended:
            findings.add("keyslots_mended")
        key = StoreKey(opened.data_key, opened.salt)
        with translated():
            store = open_store(path, key, findings)
        try:
            with translated():
                upgraded = upgrade(store, share)
            context = _context(store, folder, opened, chosen, clock, offset_min)
            fill(context, share)
            if upgraded:
                share(1, 1)
            if mending:
                mend(context, findings)
        except BaseException:
            store.close()
            raise
    except BaseException:
        lock.release()
        raise
    give_memory_back()
    return Till(context, findings, folder, lock, opened.unattended)


@contextmanager
def open_to_read(folder: Path, key: StoreKey) -> Iterator[Context]:
    """The context of a store that another process has open and holds the lock of, for reading alone.
    Raises Unavailable."""
    opened = keyslots.Opened(key.data_key, key.salt, False, None, False)
    with translated():
        store = Store(folder / DATABASE, key)
        chosen = _settings(folder, Findings())
        try:
            yield _context(store, folder, opened, chosen, now_utc, local_offset_min)
        finally:
            store.let_go()


def create_store(
    folder: Path,
    new: NewStore,
    *,
    passphrase: str,
    find_keystore: FindKeystore = keyslots.SystemKeystore,
    clock: Clock = now_utc,
    offset_min: Callable[[], int] = local_offset_min,
) -> Till:
    """Make a store in a folder that has none, and open it. Raises Unavailable; never overwrites."""
    folder.mkdir(mode=private.FOLDER_MODE, parents=True, exist_ok=True)
    private.shut(folder)
    path = folder / DATABASE
    programme = programme_from_plain(new.programme)
    with translated():
        lock = StoreLock(path)
    try:
        keys = _keyslots(folder, find_keystore)
        tenant = os.urandom(16)
        try:
            opened = keys.create(
                tenant=tenant.hex(), store=new.store, till=new.till, passphrase=passphrase
            )
        except keyslots.SlotError as error:
            raise _key_outage(error) from error
        settings.save(folder, new.settings)
        with translated():
            store = Store.create(path, StoreKey(opened.data_key, opened.salt))
            upgrade(store, quiet)
        facts = TillFacts(
            tenant,
            os.urandom(16),
            0,
            new.store,
            new.till,
            programme.currency,
            programme.cut_off_minute,
        )
        context = _wired(store, folder, facts, opened, new.settings, clock, offset_min)
        fill(context, quiet)
        _fill(context, new)
        with translated():
            # Into the file: a first day's log that is lost must not take the till's own id with it.
            store.checkpoint_truncate()
        private.shut(folder)
    except BaseException:
        lock.release()
        raise
    return Till(context, Findings(), folder, lock, opened.unattended)


def prove_passphrase(folder: Path, passphrase: str) -> None:
    """Whether this opens the store, which may be open. Raises Unavailable: PASSPHRASE_WRONG, …_WAIT."""
    try:
        _keyslots(folder, keyslots.SystemKeystore).prove(passphrase)
    except keyslots.SlotError as error:
        raise _key_outage(error) from error


def check_shut(folder: Path) -> None:
    """Whether there is a store here that nothing uses just now. Raises Unavailable: STORE_MISSING,
    STORE_IN_USE."""
    path = folder / DATABASE
    if not path.exists():
        raise Unavailable(Outage.STORE_MISSING, {"folder": folder.name})
    with translated(), StoreLock(path):
        pass


def change_passphrase(
    folder: Path,
    old: str,
    new: str,
    *,
    find_keystore: FindKeystore = keyslots.SystemKeystore,
) -> None:
    """Another passphrase for a store that is shut; the data key and the database stay as they are.

    Each copy of the slot file is replaced whole, one after the other: a kill in between leaves a store that
    opens by the old passphrase, the new one, or either. Raises Unavailable: STORE_MISSING, STORE_IN_USE,
    PASSPHRASE_…, KEYS_…; OSError.
    """
    path = folder / DATABASE
    if not path.exists():
        raise Unavailable(Outage.STORE_MISSING, {"folder": folder.name})
    with translated(), StoreLock(path):
        try:
            _keyslots(folder, find_keystore).change_passphrase(old, new)
        except keyslots.SlotError as error:
            raise _key_outage(error) from error


def _fill(ctx: Context, new: NewStore) -> None:
    """The first events: the till itself, its staff, its programme; and the catalogue's rows."""
    today = ctx.business_date()
    facts = ctx.till
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            posting.SETUP,
            event_id=ctx.ids(),
            session=None,
            business_date=today,
            doc={
                "tenant": facts.tenant.hex(), "device": facts.device.hex(), "store": facts.store,
                "till": facts.till, "currency": facts.currency.code,
                "exponent": facts.currency.exponent, "cut_off_minute": facts.cut_off_minute,
                "cards": [new.card_prefix, new.card_first, new.card_last],
            },
        )  # fmt: skip
        rows.set_meta(tx.conn, "demo", "1" if new.demo else "0")
        rows.set_meta(tx.conn, "training", "1" if new.training else "0")
        day.put_till_seed(tx.conn, statement.new_seed())
        for item in new.items:
            till.put_item(tx.conn, item.row, codes=item.codes)
    publish(ctx, new.programme, today=today)
    for person in new.staff:
        add_staff(ctx, person, today=today)


def publish(ctx: Context, programme: dict[str, Any], *, today: BusinessDate) -> None:
    """Take a programme version into the journal."""
    parsed = programme_from_plain(programme)
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            posting.PROGRAMME,
            event_id=ctx.ids(),
            session=None,
            business_date=today,
            programme=parsed.version,
            doc={
                "version": parsed.version,
                "starts": int(parsed.starts),
                "programme": programme,
            },
        )
    ctx.forget_references()


def add_staff(ctx: Context, person: NewStaff, *, today: BusinessDate) -> bytes:
    """Add a person who works at the till; returns their id. Raises Refused(PIN_WEAK)."""
    if is_weak(person.pin):
        raise Refused(Refusal.PIN_WEAK)
    staff_id = ctx.ids()
    salt, hash_ = new_verifier(ctx.data_key, person.pin)
    with ctx.write(ctx.ids()) as tx:
        tx.record(
            posting.STAFF,
            event_id=ctx.ids(),
            session=None,
            business_date=today,
            doc=staff_facts(staff_id, person.role, "add"),
            cells=(
                staff_cell(
                    staff_rows.StaffRow(
                        staff_id, person.initials.lower(), person.name, person.role, person.badge,
                        salt, hash_, 1,
                    )
                ),
            ),
        )  # fmt: skip
    return staff_id


# Wiring -----------------------------------------------------------------------------------------


def _context(
    store: Store,
    folder: Path,
    opened: keyslots.Opened,
    chosen: settings.Settings,
    clock: Clock,
    offset_min: Callable[[], int],
) -> Context:
    with translated(), store.read() as conn:
        facts = _facts(conn)
    return _wired(store, folder, facts, opened, chosen, clock, offset_min)


def _facts(conn: Connection) -> TillFacts:
    """Who this till is, from the store. Raises Unavailable for a store whose set-up was cut short."""
    found = {
        key: rows.meta(conn, key)
        for key in ("tenant", "device", "store", "till", "currency", "exponent", "cut_off_minute")
    }
    if any(value is None for value in found.values()):
        raise Unavailable(Outage.STORE_DAMAGED, {"why": "set-up was not finished"})
    known = {key: str(value) for key, value in found.items()}
    return TillFacts(
        bytes.fromhex(known["tenant"]),
        bytes.fromhex(known["device"]),
        0,
        known["store"],
        known["till"],
        Currency(known["currency"], int(known["exponent"])),
        int(known["cut_off_minute"]),
    )


def _wired(
    store: Store,
    folder: Path,
    facts: TillFacts,
    opened: keyslots.Opened,
    chosen: settings.Settings,
    clock: Clock,
    offset_min: Callable[[], int],
) -> Context:
    owner = facts.device + facts.epoch.to_bytes(8, "big")
    journal = Path(chosen.journal_folder) if chosen.journal_folder else folder / JOURNAL
    return Context(
        store=store,
        facts=facts,
        journal=JournalFile(journal, data_key=opened.data_key, owner=owner),
        profiles=ProfileFile(folder / PROFILES, data_key=opened.data_key, owner=owner),
        witness=WitnessFile(folder / witness.FILE_NAME, data_key=opened.data_key, owner=owner),
        clock=clock,
        ids=Uuid7(lambda: micros(clock())),
        settings=chosen,
        offset_min=offset_min,
        data_key=opened.data_key,
        folder=folder,
    )


def _settings(folder: Path, findings: Findings) -> settings.Settings:
    try:
        return settings.load(folder, unknown=lambda key: findings.add(SETTING_UNKNOWN, key=key))
    except settings.BadSettings as error:
        raise Unavailable(Outage.SETTINGS_BAD, {"key": error.path, "why": error.why}) from error
    except OSError as error:
        raise Unavailable(Outage.STORE_FAILED, {"why": error.strerror or ""}) from error


def _keyslots(folder: Path, find_keystore: FindKeystore) -> keyslots.Keyslots:
    return keyslots.Keyslots(
        folder, install=keyslots.install_id(machine_folder()), keystore=find_keystore
    )


def _open_keys(
    folder: Path, passphrase: str | None, find_keystore: FindKeystore
) -> keyslots.Opened:
    keys = _keyslots(folder, find_keystore)
    try:
        if passphrase is None:
            return keys.open_unattended()
        return keys.open_with_passphrase(passphrase)
    except keyslots.SlotError as error:
        raise _key_outage(error) from error


def adopt_keys(
    folder: Path, passphrase: str, find_keystore: FindKeystore = keyslots.SystemKeystore
) -> keyslots.Opened:
    """Bind the key slots of a store that was brought here to this computer. Raises Unavailable."""
    try:
        return _keyslots(folder, find_keystore).adopt(passphrase)
    except keyslots.SlotError as error:
        raise _key_outage(error) from error


def _key_outage(error: keyslots.SlotError) -> Unavailable:
    match error:
        case keyslots.WrongPassphrase():
            return Unavailable(Outage.PASSPHRASE_WRONG, {"wait_s": error.wait_s}, error.wait_s)
        case keyslots.TooSoon():
            return Unavailable(Outage.PASSPHRASE_WAIT, {"wait_s": error.wait_s}, error.wait_s)
        case keyslots.WeakPassphrase():
            return Unavailable(Outage.PASSPHRASE_WEAK, {"why": error.reason})
        case keyslots.KeystoreUnavailable():
            return Unavailable(Outage.KEYSTORE_GONE, {"why": error.reason})
        case keyslots.CopiedStore():
            return Unavailable(Outage.KEYS_COPIED)
        case keyslots.SlotFileMissing():
            return Unavailable(Outage.KEYS_MISSING)
        case keyslots.SlotFileNewer():
            return Unavailable(Outage.KEYS_NEWER)
        case keyslots.SlotFileExists():
            return Unavailable(Outage.STORE_EXISTS)
        case _:
            return Unavailable(Outage.KEYS_DAMAGED)


def give_memory_back() -> None:
    """Opening took memory for the passphrase and the newest journal files; glibc keeps it until asked."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def start_log(folder: Path) -> None:
    """Write the technical log beside the store, and no longer beside another one."""
    log.stop()
    log.start(folder)
