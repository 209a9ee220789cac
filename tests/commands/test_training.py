"""Training: a day of practice reaches nothing of the live store, byte for byte, and says so on every slip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app import backup, spool
from app.build import open_till, publish
from app.commands.demo_data import no_keystore
from app.commands.training import FOLDER, begin
from app.context import Context, Session
from app.domain.documents import LineRequest
from app.domain.errors import Refusal, Refused, Unavailable
from app.queries.counter import find_items, is_training
from app.settings import Settings, save
from app.usecases.after_day import follow_close
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify import verify
from db import people, staff_rows, till
from tests.fakes import PINS, ZONE_MIN, Shop, demo_programme
from tests.flows.test_counter_day import new_member, sale


def live_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of the live store by its path, the training folder left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != FOLDER
    }


def practise(shop: Shop, who: str = "lx") -> tuple[Path, str]:
    ctx, folder = shop.till.context, shop.till.folder
    return begin(ctx, folder, who, PINS[who], clock=shop.clock, offset_min=lambda: ZONE_MIN)


def signed_in(ctx: Context) -> Session:
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"])).result
    return open_shift(ctx, OpenShift(ctx.ids(), session, 0)).result


def test_a_day_of_practice_changes_no_byte_of_the_live_store(shop: Shop) -> None:
    live = shop.start()
    sale(shop.till.context, live, new_member(shop.till.context, live), LineRequest(5000))
    folder, passphrase = practise(shop)
    shop.till.close()
    before = live_bytes(shop.till.folder)
    practice = open_till(
        folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock,
        offset_min=lambda: ZONE_MIN,
    )  # fmt: skip
    ctx = practice.context
    session = signed_in(ctx)
    member = new_member(ctx, session, "练习", "13900000000")
    for _ in range(20):
        sale(ctx, session, member, LineRequest(12345))
    assert verify(ctx).findings == []
    practice.close()
    after = live_bytes(shop.till.folder)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []
    assert verify(shop.open().context).findings == []


def test_every_slip_says_training_and_the_store_knows_it(shop: Shop) -> None:
    folder, passphrase = practise(shop)
    practice = open_till(folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock)
    ctx = practice.context
    sold = sale(ctx, signed_in(ctx), None, LineRequest(5000))
    with ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, sold.seq)
    assert "TRAINING 练习" in job.document
    assert is_training(ctx)
    assert not is_training(shop.till.context)
    practice.close()


def test_the_shops_items_are_there_and_nobody_elses_data(shop: Shop) -> None:
    live = shop.start()
    new_member(shop.till.context, live)
    folder, passphrase = practise(shop)
    practice = open_till(folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock)
    with practice.context.read() as conn:
        assert people.member_count(conn) == 0
        assert [person.initials for person in staff_rows.all_staff(conn)] == ["lx"]
        found = till.item_by_code(conn, "6901234567892")
    assert found is not None
    assert len(find_items(practice.context, "")) == 2
    practice.close()


def test_its_key_is_its_own(shop: Shop) -> None:
    folder, passphrase = practise(shop)
    practice = open_till(folder, passphrase=passphrase, find_keystore=no_keystore)
    assert practice.context.data_key != shop.till.context.data_key
    practice.close()
    with pytest.raises(Unavailable):
        open_till(folder, passphrase="correct horse battery staple", find_keystore=no_keystore)


def test_only_ones_own_pin_opens_the_practice_and_a_second_visit_goes_on(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        begin(shop.till.context, shop.till.folder, "lx", "111222")
    assert refused.value.code is Refusal.PIN_WRONG
    practise(shop)
    folder, passphrase = practise(shop, "wm")
    practice = open_till(folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock)
    ctx = practice.context
    for who in ("lx", "wm"):
        sign_in(ctx, SignIn(ctx.ids(), who, PINS[who]))
    assert verify(ctx).findings == []
    practice.close()


def in_live_folders(settings: Settings, folder: Path) -> Settings:
    """The settings of a till that keeps everything somewhere else than beside its store."""
    for name in ("reports", "backups", "paper"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return replace(
        settings,
        reports=replace(settings.reports, folder=str(folder / "reports"), after_close="csv"),
        backup=replace(settings.backup, folder=str(folder / "backups")),
        receipt=replace(settings.receipt, printer=f"file:{folder / 'paper'}/"),
    )


def sell_save_print_and_back_up(ctx: Context) -> None:
    """A day's doings that leave something in each folder of the settings."""
    sale(ctx, signed_in(ctx), None, LineRequest(12345))
    follow_close(ctx, ctx.business_date())
    while (job := spool.claim(ctx)) is not None:
        spool.settle(ctx, spool.deliver(job, ctx.settings.receipt))
    backup.make(ctx)


@pytest.mark.parametrize("before", ["nothing", "a training store of an older version"])
def test_training_writes_into_no_folder_of_the_live_till(
    shop: Shop, tmp_path: Path, before: str
) -> None:
    live, outside = shop.till.context, tmp_path / "outside"
    live.keep_settings(in_live_folders(live.settings, outside))
    if before != "nothing":
        save(practise(shop)[0], live.settings)
    sell_save_print_and_back_up(live)
    there = live_bytes(outside)
    assert {Path(name).parts[0] for name in there} == {"reports", "backups", "paper"}
    folder, passphrase = practise(shop)
    practice = open_till(
        folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock,
        offset_min=lambda: ZONE_MIN,
    )  # fmt: skip
    sell_save_print_and_back_up(practice.context)
    practice.close()
    assert live_bytes(outside) == there
    assert {path.name for path in folder.iterdir()} >= {"reports", "backups", "papers"}
    assert len(list((folder / "papers").iterdir())) == 1


@pytest.mark.parametrize("printer", ["tcp://192.0.2.7", "file:/dev/null", "no address at all"])
def test_training_prints_on_the_shops_printer(shop: Shop, printer: str) -> None:
    live = shop.till.context
    receipt = replace(live.settings.receipt, printer=printer)
    live.keep_settings(replace(live.settings, receipt=receipt))
    folder, passphrase = practise(shop)
    practice = open_till(folder, passphrase=passphrase, find_keystore=no_keystore)
    assert practice.context.settings.receipt.printer == printer
    practice.close()


def test_each_start_has_the_rules_and_items_of_now(shop: Shop) -> None:
    ctx = shop.till.context
    practise(shop)
    rules = demo_programme(version=2, starts=ctx.business_date().iso())
    publish(ctx, rules, today=ctx.business_date())
    with ctx.write_rows() as conn:
        tea, latte = till.find_items(conn, "", 10)
        dearer = replace(tea, price_minor=tea.price_minor + 100)
        till.replace_item(conn, dearer, codes=("6900000000017",), active=True)
        till.replace_item(conn, latte, codes=(), active=False)
        cup = replace(tea, id=bytes(15) + b"9", code="P0009", name="茶杯")
        till.replace_item(conn, cup, codes=(), active=True)
    folder, passphrase = practise(shop)
    practice = open_till(
        folder, passphrase=passphrase, find_keystore=no_keystore, clock=shop.clock,
        offset_min=lambda: ZONE_MIN,
    )  # fmt: skip
    with practice.context.read() as conn:
        found = {row.code: row.price_minor for row in till.find_items(conn, "", 10)}
        by_code = till.item_by_code(conn, "6900000000017")
    assert found == {dearer.code: dearer.price_minor, "P0009": tea.price_minor}
    assert by_code is not None
    assert by_code.code == tea.code
    with practice.context.read() as conn:
        today = practice.context.business_date()
        assert practice.context.programme_on(conn, today).version == 2
    assert verify(practice.context).findings == []
    practice.close()
