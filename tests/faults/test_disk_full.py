"""R4 and R7: no room or a failing disk across one sale. No sale is said to be done that is not there.

A volume that is full at every 4 KiB step of a sale is made by a limit on file sizes, a really full one by a
small file system; a failing fsync by the call itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import Outage, Unavailable
from app.journal import JournalFile, Record
from app.usecases.enrol import ProfileInput
from app.usecases.sell import Sell, sell
from app.usecases.verify import verify
from db import people, rows
from tests.app.kiosk import Kiosk, Template, sale_command

PAGE = 4096
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
CLEAR = {Outage.STORE_FULL, Outage.STORE_FAILED, Outage.JOURNAL_FILE_FAILED}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes; a write there fails with EFBIG."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, NO_LIMIT)
        signal.signal(signal.SIGXFSZ, before)


@contextlib.contextmanager
def full(folder: Path, *, spare: int = 0) -> Iterator[None]:
    """The volume has `spare` bytes left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(PAGE))
    os.truncate(ballast, max(0, ballast.stat().st_size - spare))
    yield
    ballast.unlink()


def events_after_a_crash(kiosk: Kiosk) -> set[bytes]:
    """What a start finds after the process ended here."""
    kiosk.crash()
    kiosk.open()
    assert verify(kiosk.ctx).findings == []
    return {record.body for record in kiosk.events()}


def try_to_sell(kiosk: Kiosk, command: Sell) -> str:
    """ "done" when the sale was said to be done, "warned" when with a warning, else "refused"."""
    code = ""
    try:
        return "warned" if sell(kiosk.ctx, command).warning else "done"
    except Unavailable as error:
        code = error.code
    assert code in CLEAR
    return "refused"


def assert_sells(kiosk: Kiosk) -> None:
    done = kiosk.quote_and_sell()
    assert (done.again, done.warning) == (False, "")


def test_a_limit_at_every_page_of_a_sale_loses_nothing_that_was_said_to_be_done(
    kiosk: Kiosk,
) -> None:
    outcomes: Counter[str] = Counter()
    kiosk.quote_and_sell()
    kiosk.ctx.store.checkpoint_truncate()
    for pages in range(40):
        command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 1000)
        with file_size_limit(pages * PAGE):
            outcome = try_to_sell(kiosk, command)
        again = sell(kiosk.ctx, command)  # there is room again: the same command, done once
        assert again.again == (outcome != "refused")
        assert again.result.event_id in {row.event_id for row in documents(kiosk)}
        outcomes[outcome] += 1
        kiosk.ctx.store.checkpoint_truncate()
    assert outcomes["refused"] > 0
    assert outcomes["done"] > 0
    assert events_after_a_crash(kiosk) == {record.body for record in kiosk.events()}


def documents(kiosk: Kiosk) -> list[rows.DocumentRow]:
    with kiosk.ctx.read() as conn:
        return list(rows.all_documents(conn))


def test_a_full_disk_at_every_step_of_a_sale_is_told_and_selling_goes_on_after(
    template: Template, small_disk: Path
) -> None:
    outcomes: Counter[str] = Counter()
    for pages in range(36):
        kiosk = Kiosk(template.copy_to(small_disk / f"store-{pages}"), template)
        first = kiosk.quote_and_sell().result
        command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 1000)
        with full(small_disk, spare=pages * PAGE):
            outcome = try_to_sell(kiosk, command)
        again = sell(kiosk.ctx, command)
        assert (again.again, again.warning) == (outcome != "refused", "")
        assert_sells(kiosk)
        kept = {record.body for record in kiosk.events()}
        assert events_after_a_crash(kiosk) == kept
        assert first.event_id in {row.event_id for row in documents(kiosk)}
        outcomes[outcome] += 1
        kiosk.close()
        shutil.rmtree(kiosk.folder)
    assert outcomes["refused"] > 0
    assert outcomes["warned"] > 0, "the journal file met the end of the disk too"
    assert outcomes["done"] > 0


def test_a_journal_file_that_cannot_grow_warns_once_then_stops_selling_then_mends(
    kiosk: Kiosk,
) -> None:
    """The sale that met it stands: it is in the database, and typing it again would double it."""
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 1000)
    with journal_fails(errno.ENOSPC):
        done = sell(kiosk.ctx, command)
        assert done.warning == Outage.JOURNAL_FILE_FAILED
        with pytest.raises(Unavailable) as caught:
            kiosk.quote_and_sell()
        assert caught.value.code is Outage.JOURNAL_FILE_FAILED
    assert_sells(kiosk)
    assert list(kiosk.ctx.journal.scan().records) == kiosk.events()
    assert sell(kiosk.ctx, command).again


@contextlib.contextmanager
def journal_fails(number: int) -> Iterator[None]:
    """Every write or sync of the journal file and of the profile file fails."""

    def fail(handle: int, *rest: object) -> int:
        raise OSError(number, os.strerror(number))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        yield


def test_a_journal_file_whose_sync_fails_is_not_believed_when_the_log_is_lost_later(
    kiosk: Kiosk,
) -> None:
    with journal_fails(errno.EIO):
        kiosk.quote_and_sell()
    assert kiosk.ctx.journal.scan().records[-1].seq == kiosk.events()[-1].seq - 1
    kiosk.quote_and_sell()
    events = kiosk.events()
    kiosk.crash()
    kiosk.log.unlink()
    kiosk.open()
    assert kiosk.events() == events


def test_a_member_enrolled_while_the_files_failed_has_a_name_when_the_log_is_lost_later(
    kiosk: Kiosk,
) -> None:
    with journal_fails(errno.EIO):
        kiosk.enrol(ProfileInput("单雅文", "13900004321"))
    with contextlib.suppress(KeyError), kiosk.ctx.write(kiosk.ctx.ids()):
        raise KeyError  # the next command is refused: it mends the files and adds nothing
    kiosk.crash()
    kiosk.log.unlink()
    kiosk.open()
    with kiosk.ctx.read() as conn:
        (member_id,) = people.members_of_phone(conn, "+8613900004321")
        profile = people.profile(conn, member_id)
    assert profile is not None
    assert profile.name == "单雅文"


def test_a_journal_error_that_is_swallowed_shows_as_a_lost_sale(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: no warning, selling goes on, and the next lost log takes sales for good."""
    sound = JournalFile.append

    def careless(self: JournalFile, records: list[Record], *, day: str) -> None:
        with contextlib.suppress(OSError):
            sound(self, records, day=day)

    monkeypatch.setattr(JournalFile, "append", careless)
    with journal_fails(errno.ENOSPC):
        done = kiosk.quote_and_sell()
    assert done.warning == ""
    events = kiosk.events()
    kiosk.crash()
    kiosk.log.unlink()
    kiosk.open()
    assert kiosk.events() != events


def test_a_full_disk_at_the_start_is_told_and_the_store_opens_when_there_is_room(
    template: Template, small_disk: Path
) -> None:
    kiosk = Kiosk(template.copy_to(small_disk / "store"), template)
    kiosk.quote_and_sell()
    events = kiosk.events()
    kiosk.crash()
    code = None
    with full(small_disk):
        try:
            kiosk.open()
            kiosk.crash()
        except Unavailable as error:
            code = error.code
    assert code in {None, *CLEAR}
    kiosk.open()
    assert kiosk.events() == events
    assert_sells(kiosk)
    kiosk.close()
