"""Answers with frames that a till keeps in files while it begins: what is asked for comes from them, and
nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.protocol.links import Place
from app.protocol.wire import ReferenceRow, SnapshotReply, SnapshotRequest
from app.sync.shelf import Shelf
from app.usecases.tidy import ARRIVING
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]

NAME = b"Zzyxwater Quuxly"
FIRST = SnapshotRequest(b"r" * 16, b"d" * 16, 3, "all", 9, 0)


def reply(frame: int, *frames: bytes) -> SnapshotReply:
    return SnapshotReply(b"r" * 16, "all", 3, 9, 7, Place(1, 2, b"h" * 32), frame, 40, frames, ())


def asked(frame: int) -> SnapshotRequest:
    return msgspec.structs.replace(FIRST, frame=frame)


@pytest.fixture
def shelf(kiosk: Kiosk) -> Shelf:
    shelf = Shelf(kiosk.ctx)
    shelf.keep(reply(0, NAME, b"one", b"two"))
    shelf.keep(reply(3, b"three", b"four"))
    return shelf


def files(kiosk: Kiosk) -> list[Path]:
    return sorted((kiosk.folder / ARRIVING).iterdir())


@pytest.mark.parametrize(
    ("frame", "frames"),
    [(0, (NAME, b"one", b"two")), (2, (b"two",)), (3, (b"three", b"four")), (4, (b"four",))],
)
def test_what_is_asked_for_comes_from_there_also_after_a_start(
    kiosk: Kiosk, shelf: Shelf, frame: int, frames: tuple[bytes, ...]
) -> None:
    del shelf
    kiosk.close()
    kiosk.open()
    found = Shelf(kiosk.ctx).answer(asked(frame))
    assert found is not None
    assert (found.frame, found.frames, found.of) == (frame, frames, 40)


@pytest.mark.parametrize(
    "other",
    [{"frame": 5}, {"timeline": 4}, {"bucket": "north"}, {"snapshot": 10}],
)
def test_nothing_comes_of_another_snapshot_or_behind_what_is_here(
    shelf: Shelf, other: dict[str, object]
) -> None:
    assert shelf.answer(msgspec.structs.replace(FIRST, **other)) is None


def test_references_are_not_kept_for_another_answer(kiosk: Kiosk) -> None:
    row = ReferenceRow("k", "all", 0, 1, b"x")
    shelf = Shelf(kiosk.ctx)
    shelf.keep(msgspec.structs.replace(reply(0, b"zero"), references=(row,)))
    found = shelf.answer(FIRST)
    assert found is not None
    assert found.references == ()


def test_nobodys_name_can_be_read_in_it_nor_by_another(kiosk: Kiosk, shelf: Shelf) -> None:
    for path in files(kiosk):
        assert NAME not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    kiosk.ctx.till = replace(kiosk.ctx.till, epoch=kiosk.ctx.till.epoch + 1)
    assert Shelf(kiosk.ctx).answer(FIRST) is None
    del shelf


@pytest.mark.parametrize("harm", ["torn", "flipped", "renamed", "gone"])
def test_what_is_not_sound_is_fetched_again_and_lies_there_no_more(
    kiosk: Kiosk, shelf: Shelf, harm: str
) -> None:
    path = files(kiosk)[0]
    body = bytearray(path.read_bytes())
    if harm == "torn":
        path.write_bytes(body[:-1])
    elif harm == "flipped":
        body[-1] ^= 1
        path.write_bytes(body)
    elif harm == "renamed":
        second = files(kiosk)[1]
        os.replace(second, path)
    else:
        path.unlink()
    assert shelf.answer(FIRST) is None
    assert not path.exists()


def test_what_is_committed_is_let_go_and_so_are_other_snapshots(kiosk: Kiosk, shelf: Shelf) -> None:
    shelf.keep(msgspec.structs.replace(reply(0, b"old"), snapshot=8))
    shelf.let_go(asked(2))
    assert [path.name.split("-")[1:] for path in files(kiosk)] == [["0", "3"], ["3", "2"]]
    shelf.let_go(asked(3))
    assert [path.name.split("-")[1:] for path in files(kiosk)] == [["3", "2"]]
    shelf.let_go(None)
    assert files(kiosk) == []


def test_where_nothing_can_be_kept_the_till_goes_on(kiosk: Kiosk) -> None:
    (kiosk.folder / ARRIVING).write_text("no folder")
    shelf = Shelf(kiosk.ctx)
    shelf.keep(reply(0, NAME))
    assert shelf.answer(FIRST) is None
    shelf.let_go(FIRST)
    shelf.let_go(None)


def test_a_folder_that_somebody_put_there_goes_and_nothing_that_a_link_leads_to(
    kiosk: Kiosk, shelf: Shelf, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = kiosk.folder / ARRIVING / "0123456789abcdef-0-9"
    (folder / "in it").mkdir(parents=True)
    (folder / "in it" / "link").symlink_to(outside)
    (kiosk.folder / ARRIVING / "link").symlink_to(outside)
    assert shelf.answer(FIRST) is not None
    shelf.let_go(None)
    assert files(kiosk) == []
    assert (outside / "kept").exists()


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(
    kiosk: Kiosk, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(path: Path) -> Iterator[Path]:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "iterdir", faulty)
        assert shelf.answer(FIRST) is None
        shelf.let_go(None)
    assert len(files(kiosk)) == 2
    shelf.let_go(None)
    assert files(kiosk) == []


def test_what_could_not_be_let_go_is_let_go_the_next_time(
    kiosk: Kiosk, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as scanner:
        scanner.setattr(Path, "unlink", locked)
        shelf.let_go(None)
        files(kiosk)[0].write_bytes(b"harmed")
        assert shelf.answer(FIRST) is None
    assert len(files(kiosk)) == 2
    shelf.let_go(None)
    assert files(kiosk) == []


@pytest.mark.parametrize("name", ["a-b-c-d", "0123456789abcdef-0-3 (copy)", "x"])
def test_what_has_no_name_of_ours_is_nobodys_answer_and_goes(
    kiosk: Kiosk, shelf: Shelf, name: str
) -> None:
    (kiosk.folder / ARRIVING / name).touch()
    assert shelf.answer(FIRST) is not None
    shelf.let_go(asked(3))
    assert len(files(kiosk)) == 1


def test_what_is_kept_while_others_are_let_go_stays(
    kiosk: Kiosk, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads: one fetches, the other has committed."""
    look = Shelf._files

    def looked(self: Shelf) -> list[tuple[Path, str, int, int]]:
        found = look(self)
        self.keep(reply(5, b"five"))
        return found

    monkeypatch.setattr(Shelf, "_files", looked)
    shelf.let_go(asked(3))
    assert [path.name.split("-")[1] for path in files(kiosk)] == ["3", "5"]


def test_what_is_kept_while_all_is_let_go_is_let_go_the_next_time(
    kiosk: Kiosk, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Shelf._files

    def looked(self: Shelf) -> list[tuple[Path, str, int, int]]:
        found = look(self)
        self.keep(reply(5, b"five"))
        return found

    with monkeypatch.context() as fetching:
        fetching.setattr(Shelf, "_files", looked)
        shelf.let_go(None)
    assert len(files(kiosk)) == 1
    shelf.let_go(None)
    assert files(kiosk) == []
