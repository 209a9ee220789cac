"""The side file of the newest event: a whole image that is put back within a day is told at the next start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.build import JOURNAL
from app.witness import NEWEST_NAME
from db import rows
from tests.app.chain import Chain, settle
from tests.app.joined import sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]


def image_of(kiosk: Kiosk, folder: Path) -> Path:
    """The database and its journal as they are now; the till goes on."""
    kiosk.close()
    folder.mkdir()
    shutil.copyfile(kiosk.database, folder / "database")
    shutil.copytree(kiosk.folder / JOURNAL, folder / JOURNAL)
    kiosk.open()
    return folder


def put_image_back(kiosk: Kiosk, image: Path) -> None:
    """The till dies; its disk is an older one, but for the side files."""
    kiosk.crash()
    kiosk.log.unlink(missing_ok=True)
    shutil.copyfile(image / "database", kiosk.database)
    shutil.rmtree(kiosk.folder / JOURNAL)
    shutil.copytree(image / JOURNAL, kiosk.folder / JOURNAL)
    kiosk.open()


def ahead(kiosk: Kiosk) -> int:
    with kiosk.ctx.read() as conn:
        return sum(code == "witness_ahead" for _, code, _ in rows.incidents(conn))


def test_the_newest_event_is_in_the_side_file(kiosk: Kiosk) -> None:
    for _ in range(2):
        kiosk.quote_and_sell()
        last = kiosk.events()[-1]
        assert kiosk.ctx.witness.newest() == (last.seq, last.hash)
    kiosk.reopen()
    assert (kiosk.ctx.behind, ahead(kiosk)) == (False, 0)


def test_an_image_put_back_is_told_once_and_gives_its_rights_up(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    kiosk.quote_and_sell()
    chain = Chain()
    settle(chain.let_in(kiosk))
    image = image_of(kiosk, tmp_path / "image")
    settle(chain.exchange(kiosk))  # A grant that the image knows nothing of may be in hand now.
    kiosk.quote_and_sell()
    put_image_back(kiosk, image)
    assert (kiosk.ctx.behind, ahead(kiosk)) == (True, 1)
    kiosk.reopen()  # Nothing was recorded: it is as far behind as before.
    assert (kiosk.ctx.behind, ahead(kiosk)) == (True, 1)
    before = chain.server.store.device(kiosk.ctx.till.device)
    settle(chain.exchange(kiosk))
    after = chain.server.store.device(kiosk.ctx.till.device)
    assert before is not None
    assert after is not None
    assert after.place.epoch == before.place.epoch + 1
    kiosk.reopen()
    assert (kiosk.ctx.behind, ahead(kiosk)) == (False, 1)
    assert chain.server.store.tenant().lost == 0
    sound(kiosk)


def test_an_older_store_beside_a_newer_journal_is_not_behind_once_mended(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    image = image_of(kiosk, tmp_path / "image")
    kiosk.quote_and_sell()
    shutil.rmtree(image / JOURNAL)
    shutil.copytree(kiosk.folder / JOURNAL, image / JOURNAL)
    put_image_back(kiosk, image)
    assert (kiosk.ctx.behind, ahead(kiosk)) == (False, 0)


@pytest.mark.parametrize("left", [0, 1, 40])
def test_a_torn_side_file_tells_nothing(kiosk: Kiosk, left: int) -> None:
    kiosk.quote_and_sell()
    path = kiosk.folder / NEWEST_NAME
    path.write_bytes(path.read_bytes()[:left])
    kiosk.reopen()
    assert kiosk.ctx.witness.newest() is None
    assert (kiosk.ctx.behind, ahead(kiosk)) == (False, 0)
    kiosk.quote_and_sell()
    assert kiosk.ctx.witness.newest() is not None


def test_a_sale_stands_when_the_side_file_cannot_be_written(kiosk: Kiosk) -> None:
    (kiosk.folder / NEWEST_NAME).unlink()
    (kiosk.folder / NEWEST_NAME).mkdir()
    assert kiosk.quote_and_sell().warning == ""
    assert kiosk.ctx.witness.newest() is None
