"""Machine settings: a wrong value is an error that names its key; what is saved is what is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import Outage, Unavailable
from app.settings import (
    FILE_NAME,
    BadSettings,
    CounterSettings,
    ReceiptSettings,
    Settings,
    ShopTexts,
    load,
    save,
)
from db import rows
from tests.app.kiosk import Kiosk


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    settings = Settings(
        language="en",
        theme="dark",
        scale_percent=125,
        shop=ShopTexts(name="云杉茶饮", footer='"谢谢"'),
        receipt=ReceiptSettings(printer="tcp://10.0.0.9:9100", paper_mm=58),
        counter=CounterSettings(default_tender="qr"),
    )
    save(tmp_path, settings)
    assert load(tmp_path) == settings
    save(tmp_path, replace(settings, theme="light"))
    assert load(tmp_path).theme == "light"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("language = 'de'", "language"),
        ("scale_percent = 110", "scale_percent"),
        ("[receipt]\npaper_mm = '58'", "receipt.paper_mm"),
        ("[counter]\nidle_lock_s = -1", "counter.idle_lock_s"),
        ("[counter]\nsound = 1", "counter.sound"),
        ("counter = 3", "counter"),
        ("language = ", FILE_NAME),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, "utf-8")
    with pytest.raises(BadSettings) as bad:
        load(tmp_path)
    assert bad.value.path == key


def test_a_key_of_another_version_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    text = "languge = 'en'\ntheme = 'dark'\n[receipt]\npaper = 58\n[drawer]\npin = 2"
    (tmp_path / FILE_NAME).write_text(text, "utf-8")
    told: list[str] = []
    assert load(tmp_path, unknown=told.append) == Settings(theme="dark")
    assert sorted(told) == ["drawer", "languge", "receipt.paper"]


def test_a_store_opens_with_a_key_of_another_version_and_names_it(kiosk: Kiosk) -> None:
    kiosk.close()
    path = kiosk.folder / FILE_NAME
    path.write_text("gone = 1\n" + path.read_text("utf-8"), "utf-8")
    found = kiosk.open().findings.found
    assert found == [("setting_unknown", {"key": "gone"})]
    with kiosk.ctx.read() as conn:
        assert [code for _, code, _ in rows.incidents(conn)] == ["setting_unknown"]


def test_a_store_with_a_wrong_value_stays_shut_and_names_the_key(kiosk: Kiosk) -> None:
    kiosk.close()
    (kiosk.folder / FILE_NAME).write_text("theme = 'blue'", "utf-8")
    with pytest.raises(Unavailable) as refused:
        kiosk.open()
    kiosk.running = False
    assert (refused.value.code, refused.value.facts["key"]) == (Outage.SETTINGS_BAD, "theme")
