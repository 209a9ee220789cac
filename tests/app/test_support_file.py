"""What the file for whoever helps says of the settings: never where a folder lies."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import pytest

from app.usecases.sign_in import SignIn, sign_in
from app.usecases.support_file import SaveSupportFile, save_support_file
from tests.fakes import PINS, Shop


@pytest.mark.parametrize(
    ("printer", "told"),
    [
        ("file:/home/lin.xiao/slips/", "file:"),
        ("file:///home/lin.xiao/slips.bin", "file:"),
        ("tcp://192.0.2.7:9100", "tcp://192.0.2.7:9100"),
        ("", ""),
    ],
)
def test_of_a_printer_that_is_a_folder_only_that_it_is_one(
    shop: Shop, printer: str, told: str
) -> None:
    ctx = shop.till.context
    was = ctx.settings
    ctx.keep_settings(
        replace(
            was,
            receipt=replace(was.receipt, printer=printer),
            backup=replace(was.backup, folder="/home/lin.xiao/backups"),
            reports=replace(was.reports, folder="/home/lin.xiao/reports"),
        )
    )
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    path = save_support_file(ctx, SaveSupportFile(ctx.ids(), manager)).result
    with zipfile.ZipFile(path) as file:
        assert json.loads(file.read("settings.json"))["receipt"]["printer"] == told
        assert not any(b"lin.xiao" in file.read(name) for name in file.namelist())
