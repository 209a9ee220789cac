"""Who works at a till as head office says it: taken into the journal whole, and changed by nobody here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.context import Session
from app.domain.errors import Refusal, Refused
from app.protocol.pull import take_snapshot
from app.protocol.references import REFERENCE_BUCKET, key_for
from app.protocol.shop_staff import (
    CODE_GOOD_MS,
    STAFF,
    FirstCode,
    ShopPerson,
    StaffRequest,
    at_till,
    staff_body,
    stretched,
)
from app.protocol.wire import ReferenceRow, SnapshotRequest, request_of
from app.queries.staff import StaffLine, staff_list
from app.usecases import staff as staff_module
from app.usecases.sign_in import SignIn, check_code, sign_in
from app.usecases.staff import (
    AddStaff,
    ChoosePin,
    SetActive,
    SetPin,
    SetRole,
    add_staff,
    admit,
    choose_pin,
    set_active,
    set_pin,
    set_role,
)
from db import rows, staff_rows
from tests.app.chain import BUCKET, Chain, settle
from tests.app.joined import kept_database, put_back, sound
from tests.app.kiosk import PIN, Kiosk, kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]

NEW, BOSS = b"n" * 16, b"b" * 16
CODE, OWN = "482190375512", "730186"
SALT = b"s" * 16


def code_for(kiosk: Kiosk, number: int = 1, good_ms: int = CODE_GOOD_MS) -> FirstCode:
    verifier = at_till(stretched(CODE, SALT), kiosk.ctx.till.device)
    return FirstCode(number, SALT, verifier, int(kiosk.clock().timestamp() * 1000) + good_ms)


@pytest.fixture(autouse=True)
def boss(kiosk: Kiosk) -> Session:
    """The till's own manager, from before it joined."""
    row = staff_rows.StaffRow(BOSS, "bo", "老板", "manager", None, b"", b"", 1)
    admit(kiosk.ctx, row, PIN)
    return replace(kiosk.session, staff_id=BOSS)


def own(kiosk: Kiosk) -> staff_rows.StaffRow:
    """The till's own manager."""
    with kiosk.ctx.read() as conn:
        found = staff_rows.staff_by_id(conn, BOSS)
    assert found is not None
    return found


def taken_over(kiosk: Kiosk, **changes: Any) -> ShopPerson:
    row = own(kiosk)
    person = ShopPerson(row.id, row.initials, row.name, row.role, True)
    return person._replace(**changes)


def new(kiosk: Kiosk, **changes: Any) -> ShopPerson:
    return ShopPerson(NEW, "nn", "新人", "cashier", True, code_for(kiosk))._replace(**changes)


def publish(chain: Chain, kiosk: Kiosk, *people: ShopPerson, version: int = 1) -> None:
    key = key_for(STAFF, kiosk.ctx.till.device)
    chain.server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, version, staff_body(tuple(people))))


def lines(kiosk: Kiosk) -> dict[str, StaffLine]:
    return {
        each.staff.initials: each
        for each in staff_list(kiosk.ctx, replace(kiosk.session, staff_id=BOSS))
    }


def choose(kiosk: Kiosk, code: str = CODE, pin: str = OWN) -> None:
    choose_pin(kiosk.ctx, ChoosePin(kiosk.ctx.ids(), "nn", code, pin))


def sign(kiosk: Kiosk, pin: str, who: str = "nn") -> None:
    sign_in(kiosk.ctx, SignIn(kiosk.ctx.ids(), who, pin))


@contextmanager
def refused(code: Refusal) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code is code


def told(kiosk: Kiosk) -> list[str]:
    with kiosk.ctx.read() as conn:
        found = [
            json.loads(facts) for _, code, facts in rows.incidents(conn) if code == "staff_unfit"
        ]
    return [each["why"] for each in found]


def test_who_is_new_sets_an_own_pin_by_the_first_code_and_never_signs_in_by_it(
    kiosk: Kiosk,
) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk))
    settle(exchange)
    assert lines(kiosk)["nn"].above
    with refused(Refusal.PIN_WRONG):
        sign(kiosk, OWN)
    with refused(Refusal.PIN_TO_CHOOSE):
        sign(kiosk, CODE)
    with refused(Refusal.PIN_WEAK):
        choose(kiosk, pin="111111")
    with refused(Refusal.PIN_WEAK):
        choose(kiosk, pin=CODE)
    choose(kiosk)
    sign(kiosk, OWN)
    # Used up here: it is a wrong PIN now.
    with refused(Refusal.PIN_WRONG):
        sign(kiosk, CODE)
    with refused(Refusal.PIN_WRONG):
        choose(kiosk)
    sign(kiosk, OWN)
    sound(kiosk)


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"active": False, "code": None}, {"code": None}, {"code": 2}],
    ids=str,
)
def test_who_is_let_go_while_their_code_is_read_chooses_no_pin(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """A newer code, too, ends the one before."""
    before = set_amid(kiosk, monkeypatch, **change)
    with refused(Refusal.PIN_WRONG):
        choose(kiosk)
    with kiosk.ctx.read() as conn:
        after = staff_rows.staff_by_id(conn, NEW)
    assert after == replace(before, active=int(change.get("active", True)))
    sound(kiosk)


def test_who_is_made_another_while_their_code_is_read_stays_that(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_amid(kiosk, monkeypatch, role="cashier", name="新 人")
    choose(kiosk)
    sign(kiosk, OWN)
    found = lines(kiosk)["nn"].staff
    assert (found.role, found.name) == ("cashier", "新 人")
    sound(kiosk)


def test_of_two_who_type_the_same_code_at_once_one_chooses(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk))
    settle(exchange)

    def amid(*asked: Any) -> Any:
        found = check_code(*asked)
        monkeypatch.setattr(staff_module, "check_code", check_code)
        choose(kiosk)
        return found

    monkeypatch.setattr(staff_module, "check_code", amid)
    with refused(Refusal.PIN_WRONG):
        choose(kiosk, pin="481920")
    sign(kiosk, OWN)


def set_amid(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, **change: Any) -> staff_rows.StaffRow:
    """A supervisor, whom head office changes between the reading of their code and what it allows."""
    chain = Chain()
    exchange = chain.let_in(kiosk)
    person = new(kiosk, role="supervisor")
    publish(chain, kiosk, person)
    settle(exchange)
    with kiosk.ctx.read() as conn:
        before = staff_rows.staff_by_id(conn, NEW)
    assert before is not None
    if "code" in change:
        change["code"] = change["code"] and code_for(kiosk, change["code"])

    def amid(*asked: Any) -> Any:
        found = check_code(*asked)
        publish(chain, kiosk, person._replace(**change), version=2)
        settle(exchange)
        return found

    monkeypatch.setattr(staff_module, "check_code", amid)
    return before


def test_a_code_of_another_till_or_of_long_ago_is_none(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    elsewhere = code_for(kiosk)._replace(verifier=at_till(stretched(CODE, SALT), b"o" * 16))
    publish(chain, kiosk, new(kiosk, code=elsewhere))
    settle(exchange)
    with refused(Refusal.PIN_WRONG):
        choose(kiosk)
    publish(chain, kiosk, new(kiosk, code=code_for(kiosk, 2)), version=2)
    settle(exchange)
    assert lines(kiosk)["nn"].code_until is not None
    kiosk.clock.now += timedelta(milliseconds=CODE_GOOD_MS)
    assert lines(kiosk)["nn"].code_until is None
    with refused(Refusal.PIN_WRONG):
        choose(kiosk)


def test_wrong_codes_shut_out_as_wrong_pins_do(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk))
    settle(exchange)
    for _ in range(4):
        with refused(Refusal.PIN_WRONG):
            choose(kiosk, "000000000000")
    with refused(Refusal.PIN_LOCKED):
        sign(kiosk, "000000000000")
    with refused(Refusal.PIN_LOCKED):
        choose(kiosk)


def test_a_newer_code_stands_beside_the_pin_until_it_is_used(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk))
    settle(exchange)
    choose(kiosk)
    publish(chain, kiosk, new(kiosk, code=code_for(kiosk, 2)), version=2)
    settle(exchange)
    sign(kiosk, OWN)
    choose(kiosk, pin="481920")
    with refused(Refusal.PIN_WRONG):
        sign(kiosk, OWN)
    sign(kiosk, "481920")


def test_who_was_let_go_signs_in_no_more_and_old_events_keep_the_name(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk, role="manager"))
    settle(exchange)
    choose(kiosk)
    publish(chain, kiosk, new(kiosk, active=False, code=None), version=2)
    settle(exchange)
    with refused(Refusal.PIN_WRONG):
        sign(kiosk, OWN)
    found = lines(kiosk)["nn"]
    assert (found.staff.name, found.active, found.above) == ("新人", False, True)
    with kiosk.ctx.read() as conn:
        assert kiosk.ctx.initials(conn, NEW) == "NN"
    publish(chain, kiosk, new(kiosk, role="supervisor", code=None), version=3)
    settle(exchange)
    sign(kiosk, OWN)
    assert lines(kiosk)["nn"].staff.role == "supervisor"
    sound(kiosk)


def test_who_is_let_go_amid_a_shift_sells_no_more_and_a_manager_counts_it(
    kiosk: Kiosk, boss: Session
) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    kiosk.quote_and_sell()
    with kiosk.ctx.read() as conn:
        cashier = staff_rows.staff_by_initials(conn, "lx")
    assert cashier is not None
    gone = ShopPerson(cashier.id, "lx", cashier.name, cashier.role, False)
    publish(chain, kiosk, taken_over(kiosk), gone)
    settle(exchange)
    with refused(Refusal.NOT_ALLOWED):
        kiosk.quote_and_sell()
    kiosk.template = replace(kiosk.template, session=boss)
    kiosk.end_shift()
    sound(kiosk)


def test_the_tills_own_people_are_taken_over_and_keep_their_pins(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    was = own(kiosk)
    with kiosk.ctx.read() as conn:
        assert kiosk.ctx.initials(conn, was.id) == "BO"
    publish(chain, kiosk, taken_over(kiosk, name="林 老板", initials="lb"), new(kiosk))
    settle(exchange)
    after = own(kiosk)
    assert replace(after, name=was.name, initials=was.initials) == was
    with kiosk.ctx.read() as conn:
        assert kiosk.ctx.initials(conn, was.id) == "LB"
    sign(kiosk, PIN, "lb")
    sound(kiosk)


def test_a_till_changes_nothing_that_is_head_offices(kiosk: Kiosk, boss: Session) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    session, ids = boss, kiosk.ctx.ids
    add_staff(kiosk.ctx, AddStaff(ids(), session, "zz", "自己", "cashier", OWN))
    local = lines(kiosk)["zz"].staff.staff_id
    publish(chain, kiosk, new(kiosk), taken_over(kiosk))
    settle(exchange)
    with refused(Refusal.STAFF_ABOVE):
        add_staff(kiosk.ctx, AddStaff(ids(), session, "yy", "另一个", "cashier", OWN))
    with refused(Refusal.STAFF_ABOVE):
        set_active(kiosk.ctx, SetActive(ids(), session, NEW, False))
    with refused(Refusal.STAFF_ABOVE):
        set_role(kiosk.ctx, SetRole(ids(), session, NEW, "supervisor"))
    # The PIN is the owner's, at this till; and who is the till's own still is.
    set_pin(kiosk.ctx, SetPin(ids(), session, NEW, OWN))
    sign(kiosk, OWN)
    assert not lines(kiosk)["zz"].above
    set_active(kiosk.ctx, SetActive(ids(), session, local, False))
    sound(kiosk)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"initials": "?"}, "strange"),
        ({"role": "king"}, "strange"),
        ({"initials": ""}, "strange"),
    ],
)
def test_a_list_that_does_not_fit_is_told_once_and_dams_nothing(
    kiosk: Kiosk, changed: dict[str, Any], why: str
) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk, **changed), taken_over(kiosk, name="别人"))
    settle(exchange)
    chain.server.restored(2_000_000_000_000)
    settle(exchange)
    assert told(kiosk) == [why]
    assert list(lines(kiosk)) == ["bo", "lx"]
    assert own(kiosk).name != "别人", "all of a list or nothing of it"
    kiosk.quote_and_sell()


def test_neither_the_same_initials_nor_no_manager_are_taken(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    publish(chain, kiosk, new(kiosk, initials=own(kiosk).initials))
    settle(exchange)
    publish(chain, kiosk, taken_over(kiosk, active=False), new(kiosk), version=2)
    settle(exchange)
    publish(chain, kiosk, taken_over(kiosk, role="cashier"), version=3)
    settle(exchange)
    assert told(kiosk) == ["initials", "no_manager", "no_manager"]
    publish(chain, kiosk, new(kiosk), new(kiosk, id=b"m" * 16), version=4)
    settle(exchange)
    assert told(kiosk)[3:] == ["initials"]
    assert own(kiosk).active
    publish(chain, kiosk, taken_over(kiosk, active=False), new(kiosk, role="manager"), version=5)
    settle(exchange)
    assert not own(kiosk).active


def test_a_body_that_is_none_is_told_and_dams_nothing(kiosk: Kiosk, boss: Session) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    key = key_for(STAFF, kiosk.ctx.till.device)
    chain.server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, 1, b"\xc1"))
    settle(exchange)
    assert len(told(kiosk)) == 1
    add_staff(kiosk.ctx, AddStaff(kiosk.ctx.ids(), boss, "zz", "自己", "cashier", OWN))


def test_another_tills_list_never_comes(kiosk: Kiosk) -> None:
    chain = Chain()
    key = key_for(STAFF, b"o" * 16)
    chain.server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, 1, staff_body((new(kiosk),))))
    exchange = chain.let_in(kiosk)
    settle(exchange)
    chain.server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, 2, staff_body(())))
    publish(chain, kiosk, new(kiosk))
    settle(exchange)
    assert b"o" * 16 not in sets(kiosk)
    assert "nn" in lines(kiosk)


def test_neither_does_it_come_with_a_snapshot_that_is_every_tills(kiosk: Kiosk) -> None:
    chain = Chain()
    server = chain.server
    key = key_for(STAFF, b"o" * 16)
    server.publish(ReferenceRow(key, REFERENCE_BUCKET, 0, 1, staff_body((new(kiosk),))))
    publish(chain, kiosk, new(kiosk))
    exchange = chain.begin(kiosk)
    for number, bucket in enumerate((BUCKET, REFERENCE_BUCKET), 1):
        take_snapshot(server.store, bucket, number, server.limits)
    settle(exchange)
    assert any(isinstance(request_of(each), SnapshotRequest) for each in chain.heard)
    assert sets(kiosk) == [kiosk.ctx.till.device]
    assert "nn" in lines(kiosk)


def sets(kiosk: Kiosk) -> list[bytes]:
    """Whose lists this till holds."""
    with kiosk.ctx.read() as conn:
        found = conn.execute("SELECT key FROM reference_set WHERE key LIKE 'staff@%'").fetchall()
    return [bytes.fromhex(key.partition("@")[2]) for (key,) in found]


def test_a_lost_reply_and_all_rows_anew_change_nothing_twice(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    publish(chain, kiosk, new(kiosk), taken_over(kiosk))
    chain.lost = 1
    exchange.once()
    settle(exchange)
    choose(kiosk)
    chain.server.restored(2_000_000_000_000)
    settle(exchange)
    sign(kiosk, OWN)
    with kiosk.ctx.read() as conn:
        kinds = [row.kind for row in rows.events_after(conn, 0)]
    # At set-up twice, by head office, by the first code.
    assert kinds.count("staff") == 4
    sound(kiosk)


def test_a_database_of_before_gets_people_and_pins_back(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    kept = kept_database(kiosk)
    exchange = chain.exchange(kiosk)
    publish(chain, kiosk, new(kiosk))
    settle(exchange)
    choose(kiosk)
    put_back(kiosk, kept)
    sign(kiosk, OWN)
    settle(chain.exchange(kiosk))
    with refused(Refusal.PIN_WRONG):
        choose(kiosk)
    sound(kiosk)


def asked(chain: Chain) -> list[StaffRequest]:
    found = [request_of(message) for message in chain.heard]
    return [each for each in found if isinstance(each, StaffRequest)]


def test_who_works_here_is_told_when_it_is_others_and_until_it_was_heard(
    kiosk: Kiosk, boss: Session
) -> None:
    chain = Chain()
    heard = list[StaffRequest]()
    chain.server = replace(chain.server, staff=heard.append)
    exchange = chain.let_in(kiosk)
    settle(exchange)
    assert [[each.initials for each in told.people] for told in heard] == [["bo", "lx"]]
    add_staff(kiosk.ctx, AddStaff(kiosk.ctx.ids(), boss, "zz", "自己", "cashier", OWN))
    chain.lost = 1
    exchange.once()
    kiosk.clock.now += timedelta(minutes=5)
    settle(exchange)
    settle(exchange)
    assert [len(told.people) for told in heard] == [2, 3, 3]
    assert OWN.encode() not in b"".join(chain.heard)
    chain.server.restored(2_000_000_000_000)
    settle(exchange)
    kiosk.clock.now += timedelta(minutes=5)
    settle(exchange)
    assert [len(told.people) for told in heard] == [2, 3, 3, 3], (
        "a restored head office is told anew"
    )
