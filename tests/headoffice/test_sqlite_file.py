"""What only a store in a file can do: forget an erased person's bytes."""

from __future__ import annotations

from pathlib import Path

from tests.headoffice.office import BUCKET, NOW, Shop, opened, server


def test_of_an_erased_person_no_value_stays_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    shop = Shop(6)
    with opened(path) as store:
        shop.enrol(store)
        shop.sell()
        for value in ("Ouyang Xiaofeng", "Ouyang Xiaofang"):
            shop.at.till.set_cell(shop.members[0], "name", value, NOW)
            shop.sync(store)
    assert b"Ouyang" in path.read_bytes()
    with opened(path) as store:
        with store.writing():
            server(store).erase(shop.members[0], BUCKET)
        with store.reading():
            assert store.cells(shop.members[0]) == ()
    assert b"Ouyang" not in path.read_bytes()
    assert not path.with_name("office.db-wal").exists()
