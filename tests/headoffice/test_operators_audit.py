"""What operators do from the command line is in the chain's audit, in the transaction that does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headoffice.__main__ import main
from headoffice.at_store import POSTGRESQL, Cannot
from headoffice.console.staff import Staff
from resources import programme_path
from tests.headoffice.http_office import Served, begin_chain, code_for, rows, served, wait_for
from tests.headoffice.serving_process import DSN_FILE
from tests.headoffice.test_console_sign_in import acts

pytestmark = pytest.mark.usefixtures("each_store")

CARD = "880000124471"


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A head office with a till, that still serves."""
    begin_chain(tmp_path)
    if (tmp_path / DSN_FILE).exists():
        monkeypatch.setenv(POSTGRESQL, (tmp_path / DSN_FILE).read_text())
    with served(tmp_path) as made:
        yield made


def did(at: Served, *arguments: str) -> int:
    return main(["--language", "en", *arguments, "--data", str(at.folder)])


def test_a_till_that_comes_in_is_noted_once(at: Served) -> None:
    till, code = at.stranger(1), code_for(at.folder, "North", "till 1")
    till.enrol(code)
    till.enrol(code)
    assert acts(at.folder) == [("till_let_in", f"North / till 1 {till.device.hex()[:8]}")]


@pytest.mark.parametrize(
    "act", ["till_code", "till_revoked", "published", "card_lost", "offline_lease"]
)
def test_an_operators_act_and_its_row_are_one_transaction(
    at: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    till = at.till(1)
    file = tmp_path / "programme.json"
    soon = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()
    plain = json.loads(programme_path("starter.json").read_text(encoding="utf-8"))
    file.write_text(json.dumps({**plain, "starts": soon}), encoding="utf-8")
    arguments, detail, table = {
        "till_code": (("enrol-code", "South", "till 2"), "South / till 2", "enrol_code"),
        "till_revoked": (("revoke", till.device.hex()), f"till 1 {till.device.hex()[:8]}: 0",
                         "device"),
        "published": (("publish", str(file)), "1001", "reference_set"),
        "card_lost": (("lost-card", CARD), "8800 **** 4471", "reference_set"),
        "offline_lease": (("offline-lease", "14"), "14", "reference_set"),
    }[act]  # fmt: skip
    wait_for(lambda: at.office.till(till.device) is not None)
    before = rows(tmp_path, f"SELECT * FROM {table}")

    def fail(*_: object, **__: object) -> None:
        raise Cannot("it can not be noted")

    with monkeypatch.context() as patched:
        patched.setattr(Staff, "note", fail)
        assert did(at, *arguments) == 4
    assert rows(tmp_path, f"SELECT * FROM {table}") == before
    assert did(at, *arguments) == 0
    assert rows(tmp_path, f"SELECT * FROM {table}") != before
    assert acts(tmp_path)[-1] == (act, detail)


def test_a_backup_that_was_put_back_is_noted(tmp_path: Path, each_store: str) -> None:
    begin_chain(tmp_path)
    named = (
        ["--postgresql", (tmp_path / DSN_FILE).read_text()] if each_store == "postgresql" else []
    )
    assert main(["restored", "--data", str(tmp_path), *named]) == 0
    ((act, timeline),) = acts(tmp_path)
    assert (act, [(int(timeline),)]) == ("restored", rows(tmp_path, "SELECT timeline FROM tenant"))
