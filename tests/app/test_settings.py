"""Machine settings: a wrong key or value is an error that names it; what is saved is what is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

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
        ("languge = 'en'", "languge"),
        ("language = 'de'", "language"),
        ("scale_percent = 110", "scale_percent"),
        ("[receipt]\npaper = 58", "receipt.paper"),
        ("[receipt]\npaper_mm = '58'", "receipt.paper_mm"),
        ("[counter]\nidle_lock_s = -1", "counter.idle_lock_s"),
        ("[counter]\nsound = 1", "counter.sound"),
        ("counter = 3", "counter"),
        ("language = ", FILE_NAME),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, "utf-8")
    with pytest.raises(BadSettings) as bad:
        load(tmp_path)
    assert bad.value.path == key
