"""Staff accounts: who may change whom, what is never possible, and that it can be proven from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from app import posting
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.numbers import card_number
from app.queries.staff import StaffLine, staff_list
from app.usecases.adjust import Adjust, adjust, preview_adjust
from app.usecases.approve import Approve, approve
from app.usecases.exceptions import exceptions_of
from app.usecases.sign_in import SignIn, SignOut, is_weak, sign_in, sign_out
from app.usecases.staff import (
    AddStaff,
    LinkMember,
    ResetForgottenPin,
    SetActive,
    SetBadge,
    SetPin,
    SetRole,
    add_staff,
    link_member,
    reset_forgotten_pin,
    set_active,
    set_badge,
    set_pin,
    set_role,
)
from app.usecases.verify import verify
from app.usecases.verify_report import Fault
from db import rows
from tests.fakes import PINS
from tests.usecases.counter import Counter, asked

NEW_PIN = "730186"


@contextmanager
def refused(code: Refusal) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code is code


def line(counter: Counter, who: str) -> StaffLine:
    return next(
        each
        for each in staff_list(counter.ctx, counter.session("zg"))
        if each.staff.initials == who
    )


def adding(counter: Counter, by: str = "zg", **changes: str) -> AddStaff:
    fields = {"initials": "Nn", "name": "新人", "role": "cashier", "pin": NEW_PIN} | changes
    return AddStaff(counter.ctx.ids(), counter.session(by), **fields)  # type: ignore[arg-type]  # names of its fields


def disabling(counter: Counter, who: str, by: str = "zg") -> SetActive:
    return SetActive(counter.ctx.ids(), counter.session(by), counter.staff_id(who), False)


def test_a_new_person_signs_in_with_the_pin_that_they_typed(counter: Counter) -> None:
    command = adding(counter, badge="9100007", phone="13912345678")
    staff_id = add_staff(counter.ctx, command).result
    assert (
        sign_in(counter.ctx, SignIn(counter.ctx.ids(), "9100007", NEW_PIN)).result.staff_id
        == staff_id
    )
    found = line(counter, "nn")
    assert (found.staff.name, found.staff.role, found.active) == ("新人", "cashier", True)
    assert found.phone_masked == "139 **** 5678"
    assert add_staff(counter.ctx, command).again


@pytest.mark.parametrize("who", ["lx", "wm", "au"])
def test_only_managers_and_head_office_change_the_staff(counter: Counter, who: str) -> None:
    target, ctx = counter.staff_id("l2"), counter.ctx
    by = counter.session(who)
    acts: tuple[Callable[[], object], ...] = (
        lambda: add_staff(ctx, adding(counter, who)),
        lambda: set_active(ctx, SetActive(ctx.ids(), by, target, False)),
        lambda: set_role(ctx, SetRole(ctx.ids(), by, target, "cashier")),
        lambda: set_badge(ctx, SetBadge(ctx.ids(), by, target, "9100009")),
        lambda: set_pin(ctx, SetPin(ctx.ids(), by, target, NEW_PIN)),
        lambda: link_member(ctx, LinkMember(ctx.ids(), by, target, counter.member_id)),
    )
    for act in acts:
        with refused(Refusal.NOT_ALLOWED):
            act()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"initials": "x"}, Refusal.STAFF_INITIALS),
        ({"initials": "王敏"}, Refusal.STAFF_INITIALS),
        ({"initials": "LX"}, Refusal.STAFF_TAKEN),
        ({"name": "  "}, Refusal.NAME_NEEDED),
        ({"pin": "123456"}, Refusal.PIN_WEAK),
        ({"pin": "345678", "phone": "13912345678"}, Refusal.PIN_WEAK),
        ({"badge": "ab"}, Refusal.STAFF_BADGE),
        ({"badge": "abcdef"}, Refusal.STAFF_BADGE),
        ({"badge": "B100001"}, Refusal.STAFF_TAKEN),
        ({"badge": "6901234567892"}, Refusal.STAFF_BADGE_OVERLAPS),
        ({"badge": "P0001"}, Refusal.STAFF_BADGE_OVERLAPS),
        ({"badge": card_number("8800", 77)}, Refusal.STAFF_BADGE_OVERLAPS),
        ({"badge": "01-000012-ABCDE"}, Refusal.STAFF_BADGE_OVERLAPS),
        ({"phone": "138"}, Refusal.PHONE_INVALID),
        ({"role": "head_office"}, Refusal.STAFF_RANK),
    ],
)
def test_what_a_new_person_may_not_be(
    counter: Counter, changes: dict[str, str], code: Refusal
) -> None:
    with refused(code):
        add_staff(counter.ctx, adding(counter, **changes))


def test_another_badge_may_not_be_the_number_of_an_item(counter: Counter) -> None:
    command = SetBadge(
        counter.ctx.ids(), counter.session("zg"), counter.staff_id("lx"), "6901234567892"
    )
    with refused(Refusal.STAFF_BADGE_OVERLAPS):
        set_badge(counter.ctx, command)


def equal_acts(counter: Counter) -> list[Callable[[], object]]:
    """A manager adds a manager, promotes somebody to it, gives one a PIN, takes the role from one."""
    ctx, by, wm = counter.ctx, counter.session("zg"), counter.staff_id("wm")
    add = adding(counter, role="manager")
    acts: list[Callable[[], object]] = [partial(add_staff, ctx, add)]
    promote = SetRole(ctx.ids(), by, wm, "manager")
    return [
        *acts,
        partial(set_role, ctx, promote),
        partial(set_pin, ctx, SetPin(ctx.ids(), by, wm, NEW_PIN)),
        partial(set_role, ctx, SetRole(ctx.ids(), by, wm, "cashier")),
    ]


def test_ones_own_rank_takes_a_second_person_of_that_rank(counter: Counter) -> None:
    for act in equal_acts(counter):
        with pytest.raises(Refused) as asks:
            act()
        ask = asked(asks.value)
        assert ask.right is Right.STAFF
        with refused(Refusal.APPROVAL_RANK):
            counter.agree(ask, "au")
        counter.agree(ask, "ho")
        act()
    with counter.ctx.read() as conn:
        done = [posting.event_of(row) for row in rows.events_after(conn, 0) if row.kind == "staff"]
    ho = counter.staff_id("ho").hex()
    assert [event.doc["approval"]["by"] for event in done[-4:]] == [ho] * 4
    assert verify(counter.ctx).findings == []


def test_a_manager_alone_needs_the_passphrase_and_a_supervisor_cant_stand_in(
    counter: Counter,
) -> None:
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET active = 0 WHERE initials = 'ho'")
    command = adding(counter, role="manager")
    with refused(Refusal.STAFF_PASSPHRASE):
        add_staff(counter.ctx, command)
    add_staff(counter.ctx, replace(command, proof="passphrase"))
    with counter.ctx.read() as conn:
        last = [posting.event_of(row) for row in rows.events_after(conn, 0)][-1]
    assert (last.doc["proof"], last.doc["approval"]) == ("passphrase", None)


def test_who_was_made_a_manager_the_same_day_and_agrees_is_a_case(counter: Counter) -> None:
    add_staff(counter.ctx, adding(counter, role="manager", proof="passphrase"))
    shown = preview_adjust(counter.ctx, counter.session("zg"), counter.member_id, 10)
    command = Adjust(
        counter.ctx.ids(), counter.session("zg"), counter.member_id, 10, "goodwill",
        "顾客说上周三没给积分，小票看过了", shown.balance_after,
    )  # fmt: skip
    with pytest.raises(Refused) as asks:
        adjust(counter.ctx, command)
    approve(counter.ctx, Approve(asked(asks.value), "nn", NEW_PIN))
    adjust(counter.ctx, command)
    today = counter.ctx.business_date()
    found = exceptions_of(counter.ctx, counter.session("ho"), today, today).cases
    assert [(line.case.rule, line.case.what, len(line.case.seqs)) for line in found] == [
        ("F10", "fresh", 2)
    ]


def test_the_initials_of_somebody_disabled_are_not_given_out_again(counter: Counter) -> None:
    set_active(counter.ctx, disabling(counter, "l2"))
    with refused(Refusal.STAFF_TAKEN):
        add_staff(counter.ctx, adding(counter, initials="l2"))


def test_somebody_disabled_stays_in_the_list_and_gets_in_again_when_enabled(
    counter: Counter,
) -> None:
    ctx, who = counter.ctx, counter.staff_id("lx")
    set_active(ctx, disabling(counter, "lx"))
    with refused(Refusal.PIN_WRONG):
        sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"]))
    assert not line(counter, "lx").active
    set_active(ctx, SetActive(ctx.ids(), counter.session("zg"), who, True))
    sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"]))


def test_nobody_disables_or_promotes_themselves_or_sets_their_own_pin(counter: Counter) -> None:
    ctx, me = counter.ctx, counter.staff_id("zg")
    by = counter.session("zg")
    with refused(Refusal.STAFF_OWN):
        set_active(ctx, disabling(counter, "zg"))
    with refused(Refusal.STAFF_OWN):
        set_role(ctx, SetRole(ctx.ids(), by, me, "supervisor"))
    with refused(Refusal.STAFF_OWN):
        set_pin(ctx, SetPin(ctx.ids(), by, me, NEW_PIN))


def test_the_first_link_of_oneself_is_ones_own_to_make_and_anothers_to_change(
    counter: Counter,
) -> None:
    ctx, me, by = counter.ctx, counter.staff_id("zg"), counter.session("zg")
    link_member(ctx, LinkMember(ctx.ids(), by, me, counter.member_id))
    assert line(counter, "zg").member_name == "陈思远"
    with refused(Refusal.STAFF_OWN):
        link_member(ctx, LinkMember(ctx.ids(), by, me, None))
    link_member(ctx, LinkMember(ctx.ids(), counter.session("ho"), me, None))


def test_an_own_account_that_is_noted_leaves_the_own_phone(counter: Counter) -> None:
    """Nobody types the phone again to note an account, and by the phone F1 knows the household."""
    counter.link("lx", None, "13912345678")
    who, by = counter.staff_id("lx"), counter.session("zg")
    link_member(counter.ctx, LinkMember(counter.ctx.ids(), by, who, counter.member_id))
    assert line(counter, "lx").member_name == "陈思远"
    assert line(counter, "lx").phone_masked == "139 **** 5678"
    counter.link("lx", None, "")
    assert (line(counter, "lx").member_name, line(counter, "lx").phone_masked) == ("", "")


def test_a_manager_who_left_is_let_in_again_by_two(counter: Counter) -> None:
    """Whoever knows the PIN of somebody who left would be two people."""
    ctx, who = (
        counter.ctx,
        add_staff(counter.ctx, adding(counter, role="manager", proof="passphrase")).result,
    )
    set_active(ctx, SetActive(ctx.ids(), counter.session("zg"), who, False))
    command = SetActive(ctx.ids(), counter.session("zg"), who, True)
    with pytest.raises(Refused) as asks:
        set_active(ctx, command)
    assert asked(asks.value).act == "enable"
    assert not line(counter, "nn").active
    counter.agree(asked(asks.value), "ho")
    set_active(ctx, command)
    assert line(counter, "nn").active
    set_active(ctx, replace(command, command_id=ctx.ids(), active=False))
    set_active(ctx, replace(command, command_id=ctx.ids(), proof="passphrase"))
    assert verify(ctx).findings == []


def test_nobody_touches_somebody_above_their_own_rank(counter: Counter) -> None:
    ctx, above, by = counter.ctx, counter.staff_id("ho"), counter.session("zg")
    with refused(Refusal.STAFF_RANK):
        set_active(ctx, SetActive(ctx.ids(), by, above, False))
    with refused(Refusal.STAFF_RANK):
        set_role(ctx, SetRole(ctx.ids(), by, counter.staff_id("lx"), "head_office"))


def test_the_last_manager_is_neither_disabled_nor_given_another_role(counter: Counter) -> None:
    ctx, owner, by = counter.ctx, counter.staff_id("zg"), counter.session("ho")
    with refused(Refusal.STAFF_LAST_MANAGER):
        set_active(ctx, disabling(counter, "zg", "ho"))
    with refused(Refusal.STAFF_LAST_MANAGER):
        set_role(ctx, SetRole(ctx.ids(), by, owner, "supervisor"))
    set_role(ctx, SetRole(ctx.ids(), by, counter.staff_id("wm"), "manager"))
    set_active(ctx, disabling(counter, "zg", "ho"))


def test_a_role_given_is_the_role_that_holds(counter: Counter) -> None:
    ctx = counter.ctx
    set_role(ctx, SetRole(ctx.ids(), counter.session("zg"), counter.staff_id("lx"), "supervisor"))
    assert line(counter, "lx").staff.role == "supervisor"


def test_a_badge_is_taken_away_and_given_to_somebody_else(counter: Counter) -> None:
    ctx, by = counter.ctx, counter.session("zg")
    with refused(Refusal.STAFF_TAKEN):
        set_badge(ctx, SetBadge(ctx.ids(), by, counter.staff_id("l2"), "B100001"))
    set_badge(ctx, SetBadge(ctx.ids(), by, counter.staff_id("lx"), ""))
    set_badge(ctx, SetBadge(ctx.ids(), by, counter.staff_id("l2"), "B100001"))
    assert (line(counter, "lx").badge, line(counter, "l2").badge) == ("", "B100001")


def test_a_new_pin_ends_the_old_one_and_the_shutting_out(counter: Counter) -> None:
    ctx, who = counter.ctx, counter.staff_id("lx")
    for _ in range(5):
        with pytest.raises(Refused):
            sign_in(ctx, SignIn(ctx.ids(), "lx", "111222"))
    assert line(counter, "lx").wait_s > 0
    set_pin(ctx, SetPin(ctx.ids(), counter.session("zg"), who, NEW_PIN))
    with refused(Refusal.PIN_WRONG):
        sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"]))
    sign_in(ctx, SignIn(ctx.ids(), "lx", NEW_PIN))


def test_a_pin_is_not_the_birthday_or_phone_of_ones_own_account(counter: Counter) -> None:
    ctx, who, by = counter.ctx, counter.staff_id("lx"), counter.session("zg")
    link_member(ctx, LinkMember(ctx.ids(), by, who, counter.member_id))
    with ctx.write_rows() as conn:
        conn.execute("UPDATE profile SET birth_year = 1990, birth_month = 5, birth_day = 21")
    for pin in ("006621", "900521", "199005", "210590", "052190", "052119"):
        with refused(Refusal.PIN_WEAK):
            set_pin(ctx, SetPin(ctx.ids(), by, who, pin))


def test_a_forgotten_managers_pin_is_set_anew_and_nobody_elses(counter: Counter) -> None:
    ctx = counter.ctx
    assert reset_forgotten_pin(ctx, ResetForgottenPin(ctx.ids(), "zg", NEW_PIN)).result == "张国"
    sign_in(ctx, SignIn(ctx.ids(), "zg", NEW_PIN))
    for who in ("wm", "nobody"):
        with refused(Refusal.STAFF_UNKNOWN):
            reset_forgotten_pin(ctx, ResetForgottenPin(ctx.ids(), who, NEW_PIN))
    with refused(Refusal.PIN_WEAK):
        reset_forgotten_pin(ctx, ResetForgottenPin(ctx.ids(), "zg", "111111"))


@pytest.mark.parametrize(
    "pin", ["123456", "000000", "77777", "12a456", "654321", "345678", "112211", "１２３９４８"]
)
def test_a_pin_that_is_easy_to_guess_is_weak(pin: str) -> None:
    assert is_weak(pin)
    assert not is_weak("730186")


@pytest.mark.parametrize(("who", "may"), [("lx", False), ("wm", False), ("zg", True), ("au", True)])
def test_the_list_is_for_who_keeps_or_checks_the_staff(
    counter: Counter, who: str, may: bool
) -> None:
    if may:
        assert len(staff_list(counter.ctx, counter.session(who))) == 6
    else:
        with refused(Refusal.NOT_ALLOWED):
            staff_list(counter.ctx, counter.session(who))


def test_the_list_says_who_is_signed_in_where(counter: Counter) -> None:
    ctx = counter.ctx
    session = sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"])).result
    assert line(counter, "wm").till == "01"
    assert line(counter, "au").till == ""
    assert line(counter, "au").signed_at is None
    sign_out(ctx, SignOut(ctx.ids(), session, "lock"))
    after = line(counter, "wm")
    assert (after.till, after.signed_at is not None) == ("", True)
    assert verify(ctx).findings == []


def test_the_events_of_the_staff_hold_ids_and_no_names(counter: Counter) -> None:
    add_staff(
        counter.ctx, adding(counter, name="Quentin Qiu", badge="9177777", phone="13912345678")
    )
    with counter.ctx.read() as conn:
        bodies = b"".join(row.body for row in rows.events_after(conn, 0))
    for personal in (b"Quentin", b"9177777", b"13912345678", NEW_PIN.encode()):
        assert personal not in bodies


MUTATIONS = {
    "a cashier makes themselves manager": "UPDATE staff SET role = 'manager' WHERE initials = 'lx'",
    "somebody disabled gets in again": "UPDATE staff SET active = 1 WHERE initials = 'l2'",
    "one's own card is unlinked": "UPDATE staff SET member_id = NULL WHERE initials = 'wm'",
    "a person is deleted": "DELETE FROM staff WHERE initials = 'au'",
    "a person appears": "INSERT INTO staff (id, initials, name, role, pin_salt, pin_hash, active)"
    " VALUES (randomblob(16), 'gg', 'g', 'manager', x'', x'', 1)",
    "a sign-in disappears": "DELETE FROM staff_sign",
    "a sign-out was none": "UPDATE staff_sign SET signed_in = 1 - signed_in",
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_verify_finds_that(counter: Counter, what: str) -> None:
    ctx = counter.ctx
    sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"]))
    counter.link("wm", counter.member_id)
    set_active(ctx, disabling(counter, "l2"))
    assert verify(ctx).findings == []
    with ctx.write_rows() as conn:
        conn.execute(MUTATIONS[what])
    assert {finding.fault for finding in verify(ctx).findings} == {Fault.PROJECTION}


def test_a_person_added_survives_the_loss_of_the_log(counter: Counter) -> None:
    folder = counter.shop.till.folder
    counter.ctx.store.checkpoint_truncate()
    kept = (folder / "regulars.db").read_bytes()
    add_staff(counter.ctx, adding(counter))
    set_role(
        counter.ctx,
        SetRole(counter.ctx.ids(), counter.session("zg"), counter.staff_id("lx"), "supervisor"),
    )
    counter.shop.till.close()
    (folder / "regulars.db").write_bytes(kept)
    counter.shop.open()
    assert line(counter, "nn").staff.name == "新人"
    assert line(counter, "lx").staff.role == "supervisor"
    assert verify(counter.ctx).findings == []


def test_whoever_left_by_a_crash_is_not_here_once_somebody_else_signed_in(counter: Counter) -> None:
    ctx = counter.ctx
    sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"]))
    session = sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"])).result
    assert [(line(counter, who).till, line(counter, who).staff.initials) for who in ("lx", "wm")] == [
        ("", "lx"), ("01", "wm"),
    ]  # fmt: skip
    sign_out(ctx, SignOut(ctx.ids(), counter.session("lx"), "switch"))
    assert line(counter, "wm").till == "01", "who leaves by a switch is noted after who came"
    sign_out(ctx, SignOut(ctx.ids(), session, "switch"))
    assert [each.till for each in staff_list(ctx, counter.session("zg"))] == [""] * 6
