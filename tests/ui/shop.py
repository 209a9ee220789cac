"""A real store for real windows: staff, items and a few members, made once and copied for each test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import resources
from app.build import NewItem, NewStaff, NewStore, Till, create_store, open_till
from app.context import Session
from app.domain.documents import LineRequest, SaleRequest
from app.percent import unheard
from app.queries import counter
from app.settings import CounterSettings, Settings, ShopTexts
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.enrol import BirthdayInput, Enrol, ProfileInput, enrol
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sell import Payment, Sell, sell
from app.usecases.sign_in import SignIn, sign_in
from db import till as till_rows
from tests.keys.conftest import FakeKeystore
from ui.desk import Desk

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
PASSPHRASE = "green kettle 老板 on tuesday"
PIN = "246135"
BADGE = "9100001"
TEA = "6901234567892"
COFFEE = "6909876543215"


class Clock:
    """The till's clock: a second passes with every look, more when a test says so."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=50)
        return self.now


@dataclass(frozen=True)
class Shop:
    """A folder with a store in it, and how to open it."""

    folder: Path
    keystore: FakeKeystore
    clock: Clock

    def open(self, told: Callable[[int], None] = unheard) -> Till:
        return open_till(
            self.folder, find_keystore=self.keystore, clock=self.clock, offset_min=lambda: 480,
            told=told,
        )  # fmt: skip

    def open_desk(self, passphrase: str | None, told: Callable[[int], None]) -> Desk:
        return Desk(self.open(told))


def items() -> tuple[NewItem, ...]:
    def item(n: int, code: str, name: str, en: str, category: str, price: int, ini: str) -> NewItem:
        row = till_rows.ItemRow(
            n.to_bytes(16, "big"), code, name, en, category, price, 1, 1300, 1, "", ini
        )
        return NewItem(row, (code,))

    return (
        item(1, TEA, "铁观音 250 克", "Tieguanyin 250 g", "茶 Tea", 8800, "tgy"),
        item(2, COFFEE, "手冲咖啡", "Pour-over coffee", "咖啡 Coffee", 3200, "sckf"),
        item(3, "6900000000014", "南山礼盒", "Nanshan gift box", "gift", 16800, "nslh"),
    )


MEMBERS = (
    ("陈思远", "13812346621", "1990-05-21"),
    ("陈思琪", "13812346605", ""),
    ("李敏", "13922226608", ""),
    ("单晓明", "13687656612", ""),
    ("Sylvia Chen", "15012346677", ""),
    ("王小明", "18612346690", ""),
)


def make_shop(folder: Path, *, demo: bool = False) -> Shop:
    """A store with a cashier (lx), a manager (wm), three items and six members with some history."""
    shop = Shop(folder, FakeKeystore(), Clock(START - timedelta(days=3)))
    programme = json.loads(resources.programme_path("demo.json").read_text("utf-8"))
    new = NewStore(
        store="南山海岸店",
        till="1",
        programme=programme,
        staff=(
            NewStaff("lx", "林晓", "cashier", PIN, BADGE),
            NewStaff("wm", "王敏", "manager", PIN, "9100002"),
        ),
        card_prefix="8800",
        items=items(),
        demo=demo,
        settings=Settings(
            shop=ShopTexts(name="南山海岸店", name_en="Nanshan Coast"),
            counter=CounterSettings(idle_lock_s=600),
        ),
    )
    till = create_store(
        folder,
        new,
        passphrase=PASSPHRASE,
        find_keystore=shop.keystore,
        clock=shop.clock,
        offset_min=lambda: 480,
    )
    ctx = till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PIN)).result
    session = open_shift(ctx, OpenShift(ctx.ids(), session, 50000)).result
    for name, phone, birthday in MEMBERS:
        born = birthday.split("-")
        given = (
            BirthdayInput("solar", int(born[1]), int(born[2]), int(born[0])) if birthday else None
        )
        profile = ProfileInput(name=name, phone=phone, birthday=given)
        command = Enrol(ctx.ids(), session, profile, service_consent=True)
        enrol(ctx, command)
    Desk(till).settle_down()
    first = Desk(till).search("6621").hits[0].member_id
    for minor in (360000, 168000, 9600, 130000):
        charge(till, session, first, minor)
    Desk(till).settle_down()
    assert session.shift_id is not None
    manager = sign_in(ctx, SignIn(ctx.ids(), "wm", PIN)).result
    close_shift(ctx, CloseShift(ctx.ids(), manager, session.shift_id, "other"))
    till.close()
    return shop


def sign_in_and_open(till: Till) -> Session:
    """The cashier with a shift."""
    ctx = till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PIN)).result
    return open_shift(ctx, OpenShift(ctx.ids(), session, 50000)).result


def charge(till: Till, session: Session, member_id: bytes | None, minor: int) -> None:
    """A sale of one amount, paid by QR."""
    ctx = till.context
    request = SaleRequest((LineRequest(unit_price_minor=minor),))
    quote = counter.quote(ctx, member_id, request)
    payment = Payment("qr", quote.draft.to_pay_minor)
    sell(ctx, Sell(ctx.ids(), session, member_id, request, payment, quote.key))


def copied(shop: Shop, folder: Path, *, now: datetime = START) -> Shop:
    """The same shop in another folder, for one test."""
    shutil.copytree(shop.folder, folder)
    return replace(shop, folder=folder, clock=Clock(now))
