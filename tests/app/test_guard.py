"""The guard at the counter: real use-cases on a real store stop, ask a second person, and go on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import posting
from app.approvals import Ask
from app.build import open_till
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, SaleRequest
from app.domain.entries import POINTS
from app.domain.errors import Refusal, Refused
from app.domain.fraud.limits import DEFAULT_GUARD
from app.domain.programme_plain import programme_from_plain
from app.domain.rights import Right
from app.queries import counter, guard_facts
from app.queries.guard import sale_stops
from app.queries.guard_facts import Facts, SteadyClock
from app.queries.members import member_panel, profile
from app.usecases.approve import Approve, approve
from app.usecases.enrol import EditProfile, Enrol, ProfileInput, edit_profile, enrol
from app.usecases.sell import Payment, Sell, sell
from app.usecases.sign_in import find_staff
from app.usecases.void import Void, preview_void, void
from db import rows
from tests.fakes import PINS, ZONE_MIN, Shop, SteppedClock, demo_programme, make_shop

PHONE = "13800006621"


class Desk:
    """A shop whose programme leaves the guard's limits at their defaults, and a member."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.session = shop.start()
        self.member = self.enrol("陈思远", PHONE)

    @property
    def ctx(self) -> Any:
        return self.shop.till.context

    def enrol(self, name: str, phone: str = "") -> bytes:
        command = Enrol(self.ctx.ids(), self.session, ProfileInput(name, phone), True)
        return enrol(self.ctx, command).result.member_id

    def charge(self, minor: int = 20_000, *, redeem: int = 0, member: bytes | None = None) -> Sell:
        """The command of a cash sale as the pay sheet makes it."""
        request = SaleRequest((LineRequest(minor, name="茶"),), redeem)
        member = member or self.member
        shown = counter.quote(self.ctx, member, request)
        payment = Payment("cash", shown.key.to_pay_minor)
        return Sell(self.ctx.ids(), self.session, member, request, payment, shown.key)

    def change_phone(self, phone: str, name: str = "") -> None:
        shown = profile(self.ctx, self.member)
        command = EditProfile(
            self.ctx.ids(), self.session, self.member, shown.version,
            ProfileInput(name or shown.name, phone), True, False,
        )  # fmt: skip
        edit_profile(self.ctx, command)

    def refused(self, command: Sell) -> Ask:
        """The request that the second person would see."""
        before = self.documents()
        with pytest.raises(Refused) as refused:
            sell(self.ctx, command)
        assert refused.value.code is Refusal.APPROVAL_NEEDED
        assert self.documents() == before
        ask = refused.value.offer
        assert isinstance(ask, Ask)
        assert ask.right is Right.GUARD
        return ask

    def documents(self) -> int:
        return len(counter.documents_of_shift(self.ctx))

    def last(self) -> dict[str, Any]:
        """The newest event, decoded."""
        with self.ctx.read() as conn:
            head = rows.head(conn)
            row = rows.event_by_seq(conn, head[0] if head else 0)
        assert row is not None
        plain: dict[str, Any] = msgspec.json.decode(row.body)
        return plain


@pytest.fixture(scope="session")
def strict_store(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A closed store with the guard's defaults, made once and copied for each test."""
    programme = demo_programme()
    del programme["guard"]
    made = make_shop(tmp_path_factory.mktemp("strict") / "store", programme)
    made.till.close()
    return made


@pytest.fixture
def desk(strict_store: Shop, tmp_path: Path) -> Iterator[Desk]:
    folder = Path(shutil.copytree(strict_store.till.folder, tmp_path / "store"))
    clock, keystore = SteppedClock(strict_store.clock.now), strict_store.keystore
    till = open_till(
        folder, find_keystore=lambda: keystore, clock=clock, offset_min=lambda: ZONE_MIN
    )
    yield Desk(Shop(till, clock, keystore))
    till.close()


def test_a_programme_without_a_guard_has_its_defaults() -> None:
    programme = demo_programme()
    del programme["guard"]
    assert programme_from_plain(programme).guard == DEFAULT_GUARD


def test_a_second_earning_sale_within_half_an_hour_waits_for_a_second_person(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    ask = desk.refused(desk.charge())
    assert (ask.reason, ask.member_id) == ("F2.minutes", desk.member)
    desk.shop.clock.step(minutes=31)
    sell(desk.ctx, desk.charge())
    assert desk.last()["doc"]["guard"] is None


def test_a_second_person_lets_exactly_that_sale_pass_and_is_named_in_its_event(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    command = desk.charge()
    ask = desk.refused(command)
    who = approve(desk.ctx, Approve(ask, "wm", PINS["wm"])).result
    done = sell(desk.ctx, command)
    assert done.result.document.points_earned == ask.amount
    assert desk.last()["doc"]["guard"] == {"rules": ["F2.minutes"], "by": who.staff_id.hex()}
    assert desk.refused(desk.charge()).command_id != ask.command_id
    slip = counter.slip_preview(desk.ctx, done.result.event_id)
    assert slip is not None
    assert "手机号变更后不久" not in slip


def test_nobody_lets_their_own_sale_pass(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    ask = desk.refused(desk.charge())
    with pytest.raises(Refused) as refused:
        approve(desk.ctx, Approve(ask, "lx", PINS["lx"]))
    assert refused.value.code is Refusal.APPROVAL_OWN


@pytest.mark.parametrize("initials", ["wm", "zg"])
def test_supervisors_and_managers_need_a_second_person_too(desk: Desk, initials: str) -> None:
    staff = counter_staff(desk, initials)
    sell(desk.ctx, desk.charge())
    desk.session = Session(staff, desk.session.shift_id)
    desk.refused(desk.charge())


def counter_staff(desk: Desk, initials: str) -> bytes:
    found = find_staff(desk.ctx, initials)
    assert found is not None
    return found.staff_id


def test_the_fifth_earning_sale_of_a_day_waits(desk: Desk) -> None:
    for _ in range(4):
        sell(desk.ctx, desk.charge())
        desk.shop.clock.step(minutes=40)
    assert desk.refused(desk.charge()).reason == "F2.per_day"


def test_a_voided_sale_may_be_rung_up_again_at_once(desk: Desk) -> None:
    sold = sell(desk.ctx, desk.charge()).result
    shown = preview_void(desk.ctx, sold.event_id)[0]
    void(
        desk.ctx,
        Void(desk.ctx.ids(), desk.session, sold.event_id, "wrong_item", shown.balance_after),
    )
    assert sell(desk.ctx, desk.charge()).result.document.points_earned > 0


def test_another_member_does_not_wait(desk: Desk) -> None:
    sell(desk.ctx, desk.charge())
    other = sell(desk.ctx, desk.charge(member=desk.enrol("李敏"))).result
    assert other.document.points_earned > 0


def test_points_used_within_a_day_of_a_new_phone_wait(desk: Desk) -> None:
    sell(desk.ctx, desk.charge(100_000))
    desk.shop.clock.step(minutes=31)
    desk.change_phone("13800009999")
    assert desk.refused(desk.charge(redeem=200)).reason == "F7.after_change"
    desk.shop.clock.step(hours=23)
    assert desk.refused(desk.charge(redeem=200)).reason == "F7.after_change"
    desk.shop.clock.step(hours=1)
    sell(desk.ctx, desk.charge(redeem=200))


def test_the_slip_tells_the_member_that_points_were_used_after_the_change(desk: Desk) -> None:
    sell(desk.ctx, desk.charge(100_000))
    desk.shop.clock.step(minutes=31)
    desk.change_phone("13800009999")
    command = desk.charge(redeem=200)
    approve(desk.ctx, Approve(desk.refused(command), "wm", PINS["wm"]))
    sold = sell(desk.ctx, command).result
    assert "手机号变更后不久" in (counter.slip_preview(desk.ctx, sold.event_id) or "")
    desk.shop.clock.step(hours=25)
    sold = sell(desk.ctx, desk.charge(redeem=200)).result
    assert "手机号变更后不久" not in (counter.slip_preview(desk.ctx, sold.event_id) or "")


def test_a_change_of_yesterday_is_seen_in_the_shift_of_today(desk: Desk) -> None:
    sell(desk.ctx, desk.charge(100_000))
    desk.change_phone("13800009999")
    desk.shop.clock.step(hours=20)
    desk.session = desk.shop.start()
    assert desk.refused(desk.charge(redeem=200)).reason == "F7.after_change"


def test_points_used_after_another_change_of_the_profile_do_not_wait(desk: Desk) -> None:
    sell(desk.ctx, desk.charge(100_000))
    desk.shop.clock.step(minutes=31)
    desk.change_phone(PHONE, name="陈思源")
    assert desk.last()["doc"]["changed"] == ["name"]
    sell(desk.ctx, desk.charge(redeem=200))


def test_what_was_earned_on_another_date_does_not_count(desk: Desk) -> None:
    for _ in range(4):
        sell(desk.ctx, desk.charge())
        desk.shop.clock.step(minutes=40)
    today = BusinessDate(desk.last()["bd"])
    with desk.ctx.read() as conn:
        stops = [
            sale_stops(conn, DEFAULT_GUARD, desk.member, on=on, now_s=2**40, earned=1, spent=0)
            for on in (today, today.plus(1))
        ]
    assert [len(found) for found in stops] == [1, 0]


def test_both_rules_at_once_are_one_request(desk: Desk) -> None:
    sell(desk.ctx, desk.charge(100_000))
    desk.change_phone("13800009999")
    assert desk.refused(desk.charge(redeem=200)).reason == "F2.minutes+F7.after_change"


def test_a_shop_may_turn_the_blocks_off(tmp_path: Path) -> None:
    off = {"earn_block_per_day": 0, "earn_block_minutes": 0, "redeem_wait_hours": 0}
    shop = make_shop(tmp_path / "store", demo_programme(guard=off))
    desk = Desk(shop)
    sell(desk.ctx, desk.charge(100_000))
    desk.change_phone("13800009999")
    spent = [sell(desk.ctx, desk.charge(redeem=200)).result for _ in range(6)]
    assert [each.document.points_spent for each in spent] == [200] * 6
    shop.till.close()


@contextmanager
def statements(desk: Desk) -> Iterator[list[str]]:
    """What the counter's reader is asked in the block, with its values."""
    asked: list[str] = []
    for trace in (asked.append, None):
        with desk.ctx.read() as conn:
            conn.set_trace_callback(trace)
        if trace is not None:
            yield asked


def test_the_counter_reads_what_it_needs_in_a_moment(desk: Desk) -> None:
    """The bench has the figure (a millisecond); this is the guard against a scan of the store, and against a
    question for each sale."""
    questions = []
    for _ in range(2):
        for _ in range(2):
            sell(desk.ctx, desk.charge())
            desk.shop.clock.step(minutes=40)
        on = BusinessDate(desk.last()["bd"])
        with statements(desk) as asked, desk.ctx.read() as conn:
            sale_stops(conn, DEFAULT_GUARD, desk.member, on=on, now_s=0, earned=1, spent=1)
        questions.append(len(asked))
    with desk.ctx.read() as conn:
        plans = [str(conn.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()) for sql in asked]
    assert questions[0] == questions[1]
    assert any("document" in plan for plan in plans)
    assert any("consent" in plan for plan in plans)
    assert all("SCAN" not in plan for plan in plans), plans


def test_what_the_guard_asks_was_read_when_the_member_was_attached(desk: Desk) -> None:
    """So that no disk is waited for while the customer waits: the same rows of the same indexes."""
    on = desk.ctx.business_date()
    with statements(desk) as attaching:
        member_panel(desk.ctx, desk.member)
    with statements(desk) as selling, desk.ctx.read() as conn:
        sale_stops(conn, DEFAULT_GUARD, desk.member, on=on, now_s=0, earned=1, spent=1)
    ledger, consent = (sql for sql in selling if desk.member.hex() in sql.lower())
    by_entries = f"INDEXED BY ledger_member WHERE member_id = X'{desk.member.hex()}'".lower()
    assert by_entries in ledger.lower()
    assert any(by_entries in sql.lower() for sql in attaching)
    assert consent in attaching


@pytest.mark.parametrize("of", ["sale", "void"])
def test_only_what_earned_or_took_back_is_read_of_a_member(desk: Desk, of: str) -> None:
    sold = sell(desk.ctx, desk.charge()).result
    if of == "void":
        shown = preview_void(desk.ctx, sold.event_id)[0]
        void(
            desk.ctx,
            Void(desk.ctx.ids(), desk.session, sold.event_id, "test", shown.balance_after),
        )
    with desk.ctx.read() as conn:
        found = rows.documents_that_earned(conn, desk.member, POINTS, 9, after=0)
        newer = rows.documents_that_earned(conn, desk.member, POINTS, 9, after=found[0].seq)
        newest = rows.documents_that_earned(conn, desk.member, POINTS, 1, after=0)
    assert [row.kind for row in found] == ["void", "sale"][of == "sale" :]
    assert newer == []
    assert newest == found[:1]


# Facts ------------------------------------------------------------------------------------------


def test_facts_name_the_kinds_of_events_as_the_journal_does() -> None:
    """Spelled out there, because what names them takes long to import."""
    waiting = {"claim", "top_up", "card", "merge", "drawer_shut"}
    written = {value for name, value in vars(posting).items() if name.isupper()}
    assert set(guard_facts._READERS) - waiting <= written
    assert not waiting & written
    assert (posting.SALE, posting.CASE) == ("sale", "case")


def test_every_act_of_a_day_is_read_as_its_fact(desk: Desk) -> None:
    sold = sell(desk.ctx, desk.charge()).result
    shown = preview_void(desk.ctx, sold.event_id)[0]
    void(desk.ctx, Void(desk.ctx.ids(), desk.session, sold.event_id, "test", shown.balance_after))
    desk.change_phone("13800009999")
    facts = Facts()
    with desk.ctx.read() as conn:
        read = [
            facts.of(row.seq, msgspec.json.decode(row.body)) for row in rows.events_after(conn, 0)
        ]
    found = [fact for fact in read if fact is not None]
    assert [fact.kind for fact in found] == ["sign_in", "enrol", "sale", "void", "phone"]
    sale, undone = found[2:4]
    assert (sale.earned, sale.amount, sale.member) == (
        sold.document.points_earned, sold.to_pay_minor, desk.member.hex(),
    )  # fmt: skip
    assert (undone.refers, undone.earned) == (sale.id, -sale.earned)
    assert all(fact.kind in posting.__dict__.values() or fact.kind == "phone" for fact in found)


def test_a_fact_read_from_bytes_is_the_fact_of_the_whole_event(desk: Desk) -> None:
    sold = sell(desk.ctx, desk.charge(100_000)).result
    desk.change_phone("13800009999")
    command = desk.charge(redeem=200)
    approve(desk.ctx, Approve(desk.refused(command), "wm", PINS["wm"]))
    second = sell(desk.ctx, command).result.event_id
    shown = preview_void(desk.ctx, second)[0]
    void(desk.ctx, Void(desk.ctx.ids(), desk.session, second, "test", shown.balance_after))
    whole, lean = Facts(), Facts()
    with desk.ctx.read() as conn:
        for row in rows.events_after(conn, 0):
            fact = whole.of(row.seq, msgspec.json.decode(row.body))
            assert lean.of_bytes(row.seq, row.kind, row.body) == fact
            if fact is not None and fact.kind == "sale" and fact.id != sold.event_id.hex():
                assert fact.approver, "what a second person let pass is in the fewer bytes too"


def test_steady_seconds_never_go_back_and_never_jump_together() -> None:
    clock = SteadyClock()
    read = [clock.read(wall, shift) for wall, shift in (
        (100, "a"), (160, "a"), (40, "a"), (100, "a"), (100, ""), (90, "b"), (500, "c"),
    )]  # fmt: skip
    assert read == [100, 160, 160, 220, 220, 220, 500]
