"""A store that can't be opened or written says why, and nothing is made or changed over it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import wal
from db.check import check
from db.engine import Store, StoreKey
from db.errors import (
    Damaged,
    DiskFull,
    ForeignLog,
    IoFailed,
    ReadOnlyFolder,
    StoreError,
    WrongKey,
)

KEY = StoreKey(b"k" * 32, b"s" * 16)
OTHER_KEY = StoreKey(b"o" * 32, b"s" * 16)
OTHER_SALT = StoreKey(b"k" * 32, b"t" * 16)
PAGE = 4096


def make(folder: Path, key: StoreKey = KEY, *, rows: int = 2000) -> Path:
    folder.mkdir(exist_ok=True)
    store = Store.create(folder / "store.db", key)
    with store.write() as tx:
        tx.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        tx.executemany("INSERT INTO t VALUES (?, ?)", [(n, "x" * 300) for n in range(rows)])
    store.close()
    return store.path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.endswith("-shm")}


def flip(path: Path, *, page: int, byte: int = 100) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE + byte] ^= 0x10
    path.write_bytes(content)


def row_count(path: Path) -> int:
    store = Store.open(path, KEY)
    try:
        with store.read() as tx:
            return int(tx.execute("SELECT count(*), sum(length(text)) FROM t").fetchone()[0])
    finally:
        store.close()


def test_a_wrong_key_is_told_from_damage_and_changes_nothing(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(WrongKey):
        Store.open(path, OTHER_KEY)
    assert snapshot(tmp_path) == before
    assert row_count(path) == 2000


def test_a_damaged_first_page_is_told_from_a_wrong_key(tmp_path: Path) -> None:
    path = make(tmp_path)
    flip(path, page=1)
    before = snapshot(tmp_path)
    with pytest.raises(Damaged) as caught:
        Store.open(path, KEY)
    assert caught.value.pages == (1,)
    assert snapshot(tmp_path) == before


def test_a_damaged_header_salt_is_no_damage_with_the_kept_one(tmp_path: Path) -> None:
    path = make(tmp_path)
    flip(path, page=1, byte=3)
    assert row_count(path) == 2000


@pytest.mark.parametrize("page", [2, 57])
def test_another_damaged_page_shows_when_it_is_read_and_the_check_names_it(
    tmp_path: Path, page: int
) -> None:
    path = make(tmp_path)
    flip(path, page=page)
    store = None
    try:
        store = Store.open(path, KEY)
        with store.read() as tx:
            tx.execute("SELECT sum(length(text)) FROM t").fetchone()
        pytest.fail("the damaged page was read")
    except Damaged:
        pass
    assert store is not None
    assert check(store).pages == (page,)
    store.close()


def test_after_damage_was_met_the_sound_rows_are_still_read_and_written(tmp_path: Path) -> None:
    """SQLite poisons the connection that met it; the store takes a new one."""
    path = make(tmp_path)
    flip(path, page=100)
    store = Store.open(path, KEY)
    with pytest.raises(Damaged), store.write() as tx:
        tx.execute("UPDATE t SET text = 'y'")
    with store.write() as tx:
        tx.execute("UPDATE t SET text = 'z' WHERE id = 1")
    with store.read() as tx:
        assert tx.execute("SELECT text FROM t WHERE id = 1").fetchone() == ("z",)
    store.close()


def test_a_cut_file_is_damage(tmp_path: Path) -> None:
    path = make(tmp_path)
    os.truncate(path, path.stat().st_size - PAGE * 3 - 1000)
    with pytest.raises(Damaged) as caught:
        Store.open(path, KEY)
    assert caught.value.pages == (path.stat().st_size // PAGE + 1,)


def test_a_file_of_zeros_or_noise_is_never_opened(tmp_path: Path) -> None:
    for number, content in enumerate((bytes(PAGE * 4), os.urandom(PAGE * 4))):
        path = tmp_path / f"{number}.db"
        path.write_bytes(content)
        with pytest.raises(StoreError):
            Store.open(path, KEY)
        assert path.read_bytes() == content


def test_a_copied_file_opens_with_its_key_wherever_it_lies(tmp_path: Path) -> None:
    """What tells a copy from the original is the slot file (tests/keys), not the database."""
    path = make(tmp_path / "a")
    (tmp_path / "b").mkdir()
    copied = Path(shutil.copy(path, tmp_path / "b"))
    assert row_count(copied) == 2000


@contextlib.contextmanager
def leftover_log(folder: Path, key: StoreKey) -> Iterator[Path]:
    """The -wal of a store that was not closed."""
    path = make(folder, key, rows=10)
    store = Store.open(path, key)
    with store.write() as tx:
        tx.execute("UPDATE t SET text = 'y'")
    yield path.with_name("store.db-wal")
    store.close()


@pytest.mark.parametrize("key", [OTHER_KEY, OTHER_SALT])
def test_the_log_of_another_store_is_refused_before_it_can_reach_the_file(
    tmp_path: Path, key: StoreKey
) -> None:
    path = make(tmp_path / "mine")
    with leftover_log(tmp_path / "other", key) as log:
        shutil.copy(log, path.parent)
    before = snapshot(path.parent)
    with pytest.raises(ForeignLog):
        Store.open(path, KEY)
    assert snapshot(path.parent) == before
    (aside,) = wal.put_aside(path)
    assert aside.read_bytes() == before["store.db-wal"]
    assert row_count(path) == 2000


def test_without_the_look_the_foreign_log_destroys_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red twin: closing copies the log into the file, so the look must come before opening."""
    path = make(tmp_path / "mine")
    with leftover_log(tmp_path / "other", OTHER_KEY) as log:
        shutil.copy(log, path.parent)
    monkeypatch.setattr(StoreKey, "owns_log_of", lambda key, path: True)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        Store.open(path, KEY)
    assert path.read_bytes() != before


def test_the_rollback_journal_of_another_database_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "mine")
    other = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
    other.execute("CREATE TABLE t AS SELECT hex(randomblob(3000)) AS a")
    other.execute("PRAGMA cache_size=1")
    other.execute("BEGIN")
    other.execute("UPDATE t SET a = hex(randomblob(30000))")
    shutil.copy(tmp_path / "other.db-journal", path.with_name("store.db-journal"))
    other.close()
    before = snapshot(path.parent)
    with pytest.raises(ForeignLog):
        Store.open(path, KEY)
    assert snapshot(path.parent) == before
    assert len(wal.put_aside(path)) == 1
    assert row_count(path) == 2000


def test_a_log_of_its_own_is_replayed(tmp_path: Path) -> None:
    with leftover_log(tmp_path / "mine", KEY) as log:
        shutil.copytree(log.parent, tmp_path / "crashed")
    store = Store.open(tmp_path / "crashed" / "store.db", KEY)
    with store.read() as tx:
        assert tx.execute("SELECT DISTINCT text FROM t").fetchall() == [("y",)]
    store.close()


@pytest.mark.parametrize("harm", ["cut", "flipped", "zeroed", "empty", "noise"])
def test_a_log_that_sqlite_passes_over_does_not_keep_the_store_shut(
    tmp_path: Path, harm: str
) -> None:
    """Its commits are lost without a word from SQLite: the journal file finds and replays them."""
    with leftover_log(tmp_path / "mine", KEY) as log:
        shutil.copytree(log.parent, tmp_path / "crashed")
    broken = tmp_path / "crashed" / "store.db-wal"
    good = broken.read_bytes()
    broken.write_bytes(
        {
            "cut": good[:3000],
            "flipped": good[:500] + bytes([good[500] ^ 1]) + good[501:],
            "zeroed": bytes(len(good)),
            "empty": b"",
            "noise": os.urandom(len(good)),
        }[harm]
    )
    store = Store.open(tmp_path / "crashed" / "store.db", KEY)
    with store.read() as tx:
        assert tx.execute("SELECT DISTINCT length(text) FROM t").fetchall() == [(300,)]
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB. Tests run as root, who ignores permission bits but not room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_disk_is_told_at_start_and_on_creating(small_disk: Path) -> None:
    path = make(small_disk, rows=100)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    before = snapshot(small_disk)
    with pytest.raises(ReadOnlyFolder):
        Store.open(path, KEY)
    with pytest.raises(ReadOnlyFolder):
        Store.create(small_disk / "new.db", KEY)
    assert snapshot(small_disk) == before


@pytest.mark.parametrize("log_is_there", [False, True])
def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path, log_is_there: bool) -> None:
    """Root may write anywhere, so an ordinary user tries, in a child.

    With log and index in place and writable SQLite would open it, and fail at some later moment.
    """
    path = make(tmp_path, rows=10)
    if log_is_there:
        keep_open = Store.open(path, KEY)
        with keep_open.write() as tx:
            tx.execute("DELETE FROM t WHERE id = 1")
        for file in path.parent.iterdir():
            file.chmod(0o666)
    for folder in path.parents:
        with contextlib.suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            Store.open(path, KEY)
        except ReadOnlyFolder:
            code = 7
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def fill_up(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_is_told_nothing_is_lost_and_selling_goes_on_after(small_disk: Path) -> None:
    path = make(small_disk, rows=100)
    store = Store.open(path, KEY)
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (1000, 'before')")
    ballast = fill_up(small_disk)
    with pytest.raises(DiskFull), store.write() as tx:
        tx.executemany("INSERT INTO t VALUES (?, ?)", [(n, "x" * 300) for n in range(2000, 2400)])
    with store.read() as tx:  # reads go on
        assert tx.execute("SELECT count(*), max(id) FROM t").fetchone() == (101, 1000)
    ballast.unlink()
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (1001, 'after')")
    store.close()
    assert row_count(path) == 102


def test_making_a_store_on_a_full_disk_leaves_none(small_disk: Path) -> None:
    ballast = fill_up(small_disk)
    with pytest.raises((DiskFull, IoFailed)):
        Store.create(small_disk / "store.db", KEY)
    assert not (small_disk / "store.db").exists()
    ballast.unlink()
    Store.create(small_disk / "store.db", KEY).close()


LIMITED = """
import resource, signal, sys
from pathlib import Path
from db.engine import Store, StoreKey
from db.errors import IoFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, pages = Path(sys.argv[1]), int(sys.argv[2])
store = Store.open(path, StoreKey(b"k" * 32, b"s" * 16))
resource.setrlimit(resource.RLIMIT_FSIZE, (pages * 4096, resource.RLIM_INFINITY))
done = 0
try:
    for number in range(5000, 6000):
        with store.write() as tx:
            tx.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 300))
        done += 1
except IoFailed:
    print(done)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with store.write() as tx:
        tx.execute("INSERT INTO t VALUES (9999, 'after')")
    store.close()
    sys.exit(7)
"""


@pytest.mark.parametrize("pages", [3, 10, 37])
def test_a_limit_on_file_size_loses_nothing_that_was_committed(tmp_path: Path, pages: int) -> None:
    path = make(tmp_path, rows=5)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(pages)],
        check=False, capture_output=True, text=True, cwd=os.getcwd(),
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert row_count(path) == 5 + int(done.stdout) + 1
