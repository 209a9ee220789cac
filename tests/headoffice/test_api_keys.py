"""What an operator does with keys of the open API, and what a restored store means for their devices."""

from __future__ import annotations

import contextlib
from pathlib import Path

from headoffice.api.keys import ApiKeys
from tests.headoffice.api_office import key_for
from tests.headoffice.http_office import TENANT, begin_chain, database_of, opened, rows
from tests.headoffice.serving_process import run


def test_a_key_is_made_listed_and_ended(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    made = run(
        "new-key",
        "Chain T",
        "web shop",
        "--scopes",
        "members:read",
        "stores:read",
        "--data",
        tmp_path,
    )
    key = made.stdout.strip()
    assert (made.returncode, key[:4], len(key)) == (0, "rgk_", 60)
    assert "members:read, stores:read" in made.stderr
    listed = run("keys", "--data", tmp_path).stdout.strip().split("\t")
    assert listed == [
        key[4:16], "Chain T", "web shop", "members:read,stores:read", "600", "-", "-",
    ]  # fmt: skip
    assert run("end-key", key[4:16], "--data", tmp_path).returncode == 0
    assert run("keys", "--data", tmp_path).stdout.strip().split("\t")[-1] != "-"
    assert "no such key" in run("end-key", key[4:16], "--data", tmp_path).stderr
    acts = rows(tmp_path, "SELECT act, detail FROM console_audit ORDER BY number")
    assert acts == [
        ("api_key_made", f"web shop {key[4:16]}"),
        ("api_key_ended", f"web shop {key[4:16]}"),
    ]


def test_a_key_without_sense_is_not_made(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    for wrong in (["--scopes", "everything"], ["--scopes", "stores:read", "--per-minute", "0"]):
        assert run("new-key", "Chain T", "shop", *wrong, "--data", tmp_path).returncode in (2, 4)
    assert rows(tmp_path, "SELECT 1 FROM api_key") == []


def test_keys_of_one_name_write_as_one_device(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    for name in ("shop", "shop", "other"):
        key_for(tmp_path, name=name)
    with contextlib.closing(database_of(tmp_path)) as database, database.of(TENANT):
        keys = ApiKeys(database, TENANT).all()
    assert [key.name for key in keys] == ["other", "shop", "shop"]
    assert len({key.device for key in keys}) == 2


def test_nobody_waits_for_head_offices_own_devices_after_a_restore(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    key_for(tmp_path)
    assert run("restored", "--data", tmp_path).returncode == 0
    with opened(tmp_path) as (store, _), store.reading():
        assert not store.unreported(store.tenant().timeline)
