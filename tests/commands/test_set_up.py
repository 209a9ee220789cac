"""Setting a store up without a window, and a forgotten PIN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import resources
from app.build import Till, open_till
from app.commands import run
from app.commands.set_up import (
    CURRENCIES,
    Answers,
    default_store,
    passphrase_problem,
    set_up,
    starter_programme,
)
from app.domain.errors import Outage, Refusal, Refused, Unavailable
from app.domain.programme_plain import programme_from_plain
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify import verify
from db import rows, staff_rows
from tests.fakes import MemoryKeystore

PASSPHRASE = "seven green kettles on a tuesday"


@pytest.fixture(autouse=True)
def _own_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("REGULARS_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(
        language="en", shop="Harbour Tea", currency="EUR", till_no=3, folder=tmp_path / "store",
        backup_folder=str(tmp_path / "stick"), passphrase=PASSPHRASE, initials="WM",
        name="Wang Min", pin="730186",
    )  # fmt: skip


@pytest.fixture
def till(answers: Answers) -> Iterator[Till]:
    keystore = MemoryKeystore()
    made = set_up(answers, find_keystore=lambda: keystore)
    yield made
    made.close()


def test_what_was_answered_is_what_the_store_holds(answers: Answers, till: Till) -> None:
    ctx = till.context
    assert (ctx.till.store, ctx.till.till, ctx.till.currency.code) == ("Harbour Tea", "03", "EUR")
    assert (ctx.settings.language, ctx.settings.shop.name) == ("en", "Harbour Tea")
    assert ctx.settings.backup.folder == answers.backup_folder
    assert Path(answers.backup_folder).is_dir()
    with ctx.read() as conn:
        (owner,) = staff_rows.all_staff(conn)
        assert rows.meta(conn, "demo") == "0"
    assert (owner.initials, owner.role) == ("wm", "manager")
    assert verify(ctx).findings == []


def test_only_the_owners_own_pin_opens_the_counter(till: Till) -> None:
    ctx = till.context
    for pin in ("123456", "000000", "246810", "135790"):
        with pytest.raises(Refused):
            sign_in(ctx, SignIn(ctx.ids(), "wm", pin))
    sign_in(ctx, SignIn(ctx.ids(), "wm", "730186"))


def test_a_folder_with_anything_in_it_is_left_alone(answers: Answers) -> None:
    answers.folder.mkdir()
    (answers.folder / "keyslots.json").write_text("{}")
    with pytest.raises(Unavailable) as caught:
        set_up(answers)
    assert caught.value.code is Outage.STORE_EXISTS
    assert [path.name for path in answers.folder.iterdir()] == ["keyslots.json"]


def test_a_set_up_that_is_cut_short_leaves_nothing_and_can_begin_again(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.folder.mkdir()
    keystore = MemoryKeystore()
    with monkeypatch.context() as patch:
        patch.setattr("app.build.publish", lambda *args, **more: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            set_up(answers, find_keystore=lambda: keystore)
    assert list(answers.folder.iterdir()) == []
    set_up(answers, find_keystore=lambda: keystore).close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pin": "123456"}, Refusal.PIN_WEAK),
        ({"name": " "}, Refusal.NAME_NEEDED),
        ({"initials": "王"}, Refusal.STAFF_INITIALS),
    ],
)
def test_what_an_owner_may_not_be_makes_no_store(
    answers: Answers, change: dict[str, str], code: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        set_up(replace(answers, **change))  # type: ignore[arg-type]  # texts all
    assert refused.value.code is code
    assert not answers.folder.exists()


def test_the_next_start_finds_the_folder_that_was_chosen(answers: Answers, till: Till) -> None:
    assert default_store() == answers.folder
    del till


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_rules_to_begin_with_are_whole_in_every_currency(currency: str) -> None:
    programme = programme_from_plain(starter_programme(currency))
    assert programme.currency.exponent == CURRENCIES[currency]


def test_the_rules_to_begin_with_have_no_goods_of_the_demo() -> None:
    plain = json.loads(resources.programme_path("starter.json").read_text("utf-8"))
    assert plain["earning"]["category_rates"] == {}
    assert [m["code"] for m in plain["earning"]["multipliers"]] == ["birthday"]


def test_a_passphrase_is_short_common_or_good() -> None:
    found = [passphrase_problem(text) for text in ("kettle", "passwordpassword", PASSPHRASE)]
    assert found == ["short", "common", ""]


# A forgotten PIN --------------------------------------------------------------------------------


def reset(folder: Path, who: str, monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    answers = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: next(answers))
    return run(["reset-pin", "--store", str(folder), "--who", who])


def test_a_forgotten_pin_is_set_anew_with_the_passphrase(
    answers: Answers,
    till: Till,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    till.close()
    assert reset(answers.folder, "wm", monkeypatch, "864209", "864209") == 0
    assert "Wang Min" in capsys.readouterr().out
    opened = open_till(answers.folder, passphrase=PASSPHRASE)
    ctx = opened.context
    with pytest.raises(Refused):
        sign_in(ctx, SignIn(ctx.ids(), "wm", "730186"))
    sign_in(ctx, SignIn(ctx.ids(), "wm", "864209"))
    assert verify(ctx).findings == []
    opened.close()


def test_without_the_passphrase_no_pin_is_set(
    answers: Answers, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.close()
    monkeypatch.setenv("REGULARS_PASSPHRASE", "another sentence entirely")
    assert reset(answers.folder, "wm", monkeypatch, "864209", "864209") == 4


@pytest.mark.parametrize(
    ("who", "typed"),
    [("zz", ("864209", "864209")), ("wm", ("864209", "864208")), ("wm", ("123456", "123456"))],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    answers: Answers, till: Till, monkeypatch: pytest.MonkeyPatch, who: str, typed: tuple[str, str]
) -> None:
    till.close()
    assert reset(answers.folder, who, monkeypatch, *typed) == 4
    opened = open_till(answers.folder, passphrase=PASSPHRASE)
    sign_in(opened.context, SignIn(opened.context.ids(), "wm", "730186"))
    opened.close()
