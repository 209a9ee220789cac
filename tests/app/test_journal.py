"""The journal file: what is written when, how a record is sealed, and what a reading of it finds."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.journal import Damage, JournalFile, ProfileFile, Record

KEY = bytes(range(32))
OWNER = b"d" * 16 + bytes(8)
DAY = "2026-11-21"


def journal(folder: Path, *, key: bytes = KEY, owner: bytes = OWNER) -> JournalFile:
    return JournalFile(folder, data_key=key, owner=owner)


def record(seq: int) -> Record:
    return Record(seq, b"event %d of the till" % seq, bytes([seq % 256]) * 32)


def records(first: int, last: int) -> list[Record]:
    return [record(seq) for seq in range(first, last + 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of three files: events 1-3, 4-6, 7-9."""
    file = journal(tmp_path / "journal")
    for number, day in enumerate(("2026-11-20", DAY, "2026-11-22")):
        for one in records(3 * number + 1, 3 * number + 3):
            file.append([one], day=day)
    file.close()
    return tmp_path / "journal"


def places(path: Path, *, number: int, key: bytes = KEY) -> list[int]:
    """Where each record begins, the header's first."""
    file = journal(path.parent, key=key)
    return [found[0] for found in file._sealer.records(path.read_bytes(), number)]


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_what_was_appended_is_read_back_in_order_from_a_file_for_each_day(folder: Path) -> None:
    scan = journal(folder).scan()
    assert list(scan.records) == records(1, 9)
    assert scan.damages == ()
    assert scan.missing == ()
    assert [path.name for path in scan.files] == [
        "000001-2026-11-20.rjl", "000002-2026-11-21.rjl", "000003-2026-11-22.rjl",
    ]  # fmt: skip


def test_the_clock_that_goes_back_a_day_starts_no_new_file(folder: Path) -> None:
    file = journal(folder)
    file.resume(head=record(9).hash)
    file.append([record(10)], day=DAY)
    file.close()
    assert len(file.files()) == 3
    assert [one.seq for one in file.read(file.files()[-1])] == [7, 8, 9, 10]


def test_nothing_of_an_event_can_be_read_without_the_key(folder: Path) -> None:
    for path in folder.iterdir():
        assert b"event" not in path.read_bytes()
    for other in (journal(folder, key=bytes(32)), journal(folder, owner=b"e" * 16 + bytes(8))):
        scan = other.scan()
        assert scan.records == ()
        assert {damage.file for damage in scan.damages} == {p.name for p in scan.files}


def test_a_record_moved_to_another_file_does_not_open_there(folder: Path) -> None:
    first, second, _ = sorted(folder.iterdir())
    start, end = places(first, number=1)[1:3]
    moved = first.read_bytes()[start:end]
    second.write_bytes(second.read_bytes() + moved)
    found, damages = journal(folder).read_checked(second, before=None)
    assert [one.seq for one in found] == [4, 5, 6]
    assert [damage.after for damage in damages] == [6]


def test_a_sequence_number_rewritten_in_the_open_part_does_not_open(folder: Path) -> None:
    path = sorted(folder.iterdir())[0]
    at = places(path, number=1)[2]
    flip(path, at + 12)  # the lowest byte of the sequence number
    found, damages = journal(folder).read_checked(path, before=None)
    assert [one.seq for one in found] == [1, 3]
    assert damages == [Damage(path.name, at, False, "unreadable record", 1)]


@pytest.mark.parametrize("part_bytes", [1, 64, 1 << 20])
def test_a_file_read_in_parts_has_the_records_of_the_whole_wherever_it_is_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    monkeypatch.setattr("app.journal._PART_BYTES", part_bytes)
    path, file = sorted(folder.iterdir())[1], journal(folder)
    sound = path.read_bytes()
    assert list(file.each_of(path)) == records(4, 6)
    for offset in range(0, len(sound), 11):
        flip(path, offset)
        assert list(file.each_of(path)) == file.read(path), offset
        path.write_bytes(sound[:offset])
        assert list(file.each_of(path)) == file.read(path), offset
        path.write_bytes(sound)


def test_a_file_says_with_which_event_it_begins_while_its_header_can_be_read(folder: Path) -> None:
    file = journal(folder)
    assert [file.first_in(path) for path in file.files()] == [1, 4, 7]
    flip(file.files()[1], 40)
    file.files()[2].unlink()
    assert file.first_in(sorted(folder.iterdir())[1]) is None
    assert file.first_in(folder / "000003-2026-11-22.rjl") is None
    path = sorted(folder.iterdir())[0]
    path.write_bytes(path.read_bytes()[places(path, number=1)[1] :])
    assert file.first_in(path) is None, "an event is no header"


def test_a_file_that_was_written_anew_empty_does_not_say_with_which_event_it_begins(
    folder: Path,
) -> None:
    first, second, third = sorted(folder.iterdir())
    journal(folder).rewrite(third, [], previous=second, head=record(6).hash)
    assert journal(folder).first_in(third) is None
    assert journal(folder).first_in(first) == 1


def test_every_flipped_byte_is_found_at_its_record(folder: Path) -> None:
    path = sorted(folder.iterdir())[0]
    sound = path.read_bytes()
    starts = [*places(path, number=1), len(sound)]
    for offset in range(0, len(sound), 7):
        flip(path, offset)
        _, damages = journal(folder).read_checked(path, before=None)
        number = max(n for n, start in enumerate(starts) if start <= offset)
        assert any(damage.offset == starts[number] for damage in damages), offset
        path.write_bytes(sound)


def test_a_cut_anywhere_but_between_records_is_a_damaged_tail(folder: Path) -> None:
    path = sorted(folder.iterdir())[2]
    sound = path.read_bytes()
    starts = places(path, number=3)
    for size in range(starts[1], len(sound)):
        path.write_bytes(sound[:size])
        scan = journal(folder).scan()
        whole = sum(start <= size for start in [*starts[2:], len(sound)])
        assert len(scan.records) == 6 + whole
        assert bool(scan.damages) == (size not in starts)
        assert all(damage.tail for damage in scan.damages)


def test_a_missing_file_is_named_by_its_number(folder: Path) -> None:
    sorted(folder.iterdir())[1].unlink()
    assert journal(folder).scan(newest=1).missing == (2,)
    sorted(folder.iterdir())[0].unlink()
    assert journal(folder).scan(newest=1).missing == (1, 2)


def test_an_older_file_that_lost_its_last_record_is_told_by_its_successor(folder: Path) -> None:
    path = sorted(folder.iterdir())[1]
    path.write_bytes(path.read_bytes()[: places(path, number=2)[-1]])
    (damage,) = journal(folder).scan(newest=1).damages
    assert (damage.file, damage.why) == (path.name, "not the size its successor saw")


def test_a_file_with_another_end_of_the_same_size_is_told_by_its_successor(folder: Path) -> None:
    path = sorted(folder.iterdir())[1]
    file = journal(folder)
    others = [*records(4, 5), Record(6, record(6).body, b"x" * 32)]
    file.rewrite(path, others, previous=sorted(folder.iterdir())[0], head=record(3).hash)
    (damage,) = file.scan().damages
    assert (damage.file, damage.why) == (path.name, "not what its successor saw")


def test_a_failed_sync_leaves_no_record_that_a_later_reading_would_trust(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fsync the kernel may drop the bytes and still show them until it does."""
    file = journal(folder)
    file.resume(head=record(9).hash)

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output error"):
            file.append([record(10)], day=DAY)
    assert file.scan().records[-1].seq == 9
    file.append([record(10)], day=DAY)
    assert list(file.scan().records) == records(1, 10)
    assert file.scan().damages == ()
    file.close()


def test_a_new_file_that_got_no_header_does_not_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = journal(folder)
    file.resume(head=record(9).hash)

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            file.append([record(10)], day="2026-11-23")
    assert len(file.files()) == 3
    file.append([record(10)], day="2026-11-23")
    assert list(file.scan().records) == records(1, 10)
    file.close()


def test_the_profile_file_gives_back_its_cells_past_a_torn_one(tmp_path: Path) -> None:
    file = ProfileFile(tmp_path / "profiles.rpf", data_key=KEY, owner=OWNER)
    assert file.cells() == []
    file.append(3, b"first")
    file.path.write_bytes(file.path.read_bytes() + b"\x1eRJ1 torn by a crash")
    file.append(4, b"second")
    assert file.cells() == [(3, b"first"), (4, b"second")]
    assert b"first" not in file.path.read_bytes()


def test_a_rewritten_profile_file_holds_only_what_it_was_given(tmp_path: Path) -> None:
    file = ProfileFile(tmp_path / "profiles.rpf", data_key=KEY, owner=OWNER)
    file.append(3, b"first")
    file.append(4, b"second")
    file.rewrite([(4, b"second")])
    assert file.cells() == [(4, b"second")]
