"""S3: roles × rights × contexts on the service layer, generated from security.md's table as it stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app import posting
from app.approvals import LIFE_S, Ask
from app.domain.errors import Refusal, Refused
from app.domain.rights import MATRIX, RANK, ROLES, Right, StaffRole
from app.usecases.approve import Refuse, refuse
from app.usecases.enrol import EditProfile, Enrol, ProfileInput, edit_profile, enrol
from app.usecases.reprint import Reprint, reprint
from app.usecases.return_goods import return_goods
from app.usecases.rights import require
from app.usecases.sell import sell
from app.usecases.staff import SetActive, SetRole, set_active, set_role
from app.usecases.void import void
from db import rows
from tests.usecases.counter import INITIALS, PHONE, PINS_OF, Counter, asked

# Security.md section 3, a second time and by hand: what is compared with app.domain.rights.
# a alone, s with a second person, R needs a reason too, . never (reading is not doing)
TABLE = """
find aaa.. enrol aaa.. sell aaa.. own_card ssss. redeem aaa.. redeem_above saa..
return AAA.. return_above SAA.. void AAA.. void_above SAA.. write_off SSA..
adjust .SSS. unmask AAAA. reprint AAa.. replace_card saa.. drawer AAA.. cash_move AAA..
cash_move_above SAA.. shift aaa.. cash_difference SSA.. close_day aaa.. close_over_open SSA..
date_ahead saa.. consent aaaa. export_member ..AA. erase ..SS. bulk_export ...S. rules ...s.
guard sss.. catalogue ..as. staff ..aa. reports .aaaa audit .....
case .aaa. backup .aa.. restore ..as. settings .aa..
"""
_WORDS = TABLE.split()
WANTED = {
    (Right(name), role): cell
    for name, cells in zip(_WORDS[::2], _WORDS[1::2], strict=True)
    for role, cell in zip(ROLES, cells, strict=True)
}


def test_the_table_names_every_right_and_role() -> None:
    assert WANTED.keys() == {(right, role) for right in MATRIX for role in ROLES}
    assert set(MATRIX) == set(Right)


def outcome(act: Callable[[], object]) -> Refusal | object:
    """What came of it: the code of the refusal, or the answer."""
    try:
        return act()
    except Refused as refused:
        return refused.code


def ask_right(
    counter: Counter, who: str, right: Right, reason: str, command_id: bytes
) -> Callable[[], object]:
    def act() -> object:
        with counter.ctx.read() as conn:
            return require(
                counter.ctx, conn, counter_session, right, command_id=command_id,
                member_id=counter.member_id, amount=500, reason=reason,
            )  # fmt: skip

    counter_session = counter.session(who)
    return act


@pytest.mark.parametrize("role", ROLES)
def test_every_right_of_a_role_is_what_the_table_says(counter: Counter, role: StaffRole) -> None:
    for right in MATRIX:
        cell = WANTED[right, role]
        command_id = counter.ctx.ids()
        act = ask_right(counter, INITIALS[role], right, "other", command_id)
        without_reason = ask_right(counter, INITIALS[role], right, "", command_id)
        if cell == ".":
            assert outcome(act) is Refusal.NOT_ALLOWED, right
        elif cell in "aA":
            assert outcome(act) is None, right
        else:
            assert outcome(act) is Refusal.APPROVAL_NEEDED, right
        if cell.isupper():
            assert outcome(without_reason) is Refusal.REASON_NEEDED, right
        elif cell != ".":
            assert outcome(without_reason) == outcome(act), right


def may_say_yes(approver: StaffRole, asker: StaffRole, right: Right) -> bool:
    """Written down once more: never below the asker, never a cashier, and the right is theirs too."""
    if approver == "cashier" or RANK[approver] < RANK[asker]:
        return False
    return (
        WANTED[right, approver] in "aA"
        if right in (Right.WRITE_OFF, Right.CLOSE_OVER_OPEN)
        else WANTED[right, approver] != "."
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_second_person_lets_pass_exactly_what_their_own_role_carries(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, role: StaffRole
) -> None:
    # The PIN is another test's business, and 80 ms each.
    monkeypatch.setattr("app.usecases.sign_in.verifier", lambda key, salt, pin: pin.encode())
    with counter.ctx.write_rows() as conn:
        for who in (*INITIALS.values(), "l2"):
            conn.execute(
                "UPDATE staff SET pin_hash = ? WHERE initials = ?", (PINS_OF[who].encode(), who)
            )
    for right in MATRIX:
        if WANTED[right, role] not in "sS":
            continue
        for approver in ROLES:
            who = "l2" if approver == role == "cashier" else INITIALS[approver]
            if who == INITIALS[role]:
                continue
            act = ask_right(counter, INITIALS[role], right, "other", counter.ctx.ids())
            with pytest.raises(Refused) as refused:
                act()
            said = outcome(lambda: counter.agree(asked(refused.value), who))  # noqa: B023
            if may_say_yes(approver, role, right):
                assert said is None
                answer = act()
                assert answer == {"by": counter.staff_id(who).hex(), "right": right.value}
            else:
                assert said is Refusal.APPROVAL_RANK, (right, approver)
                assert outcome(act) is Refusal.APPROVAL_NEEDED


# A yes is for one request -----------------------------------------------------------------------


def redeeming(counter: Counter) -> tuple[Ask, Callable[[], object]]:
    """A cashier above the limit: the request, and the command that waits for it."""
    command = counter.sale_command("lx", 100000, redeem=500, member=counter.member_id)
    with pytest.raises(Refused) as refused:
        sell(counter.ctx, command)
    return asked(refused.value), lambda: sell(counter.ctx, command)


def test_up_to_the_limit_a_cashier_redeems_alone_and_above_it_with_a_second_person(
    counter: Counter,
) -> None:
    sell(counter.ctx, counter.sale_command("lx", 100000, redeem=400, member=counter.member_id))
    ask, again = redeeming(counter)
    assert (ask.right, ask.amount, ask.member_id) == (Right.REDEEM_ABOVE, 500, counter.member_id)
    counter.agree(ask, "wm")
    again()
    with counter.ctx.read() as conn:
        event = rows.event_by_command(conn, ask.command_id)
    assert event is not None
    assert f'"by":"{counter.staff_id("wm").hex()}"'.encode() in event.body


def test_a_supervisor_redeems_above_the_cashiers_limit_alone(counter: Counter) -> None:
    sell(counter.ctx, counter.sale_command("wm", 100000, redeem=500, member=counter.member_id))


def test_a_role_with_a_limit_of_its_own_needs_a_second_person_above_it(counter: Counter) -> None:
    session = counter.session("wm")
    with counter.ctx.read() as conn, pytest.raises(Refused) as refused:
        require(counter.ctx, conn, session, Right.REDEEM_ABOVE, command_id=bytes(16), alone=False)
    assert refused.value.code is Refusal.APPROVAL_NEEDED


def test_nobody_agrees_to_their_own_request(counter: Counter) -> None:
    command = counter.sale_command("wm", member=counter.member_id)
    counter.link("wm", counter.member_id)
    with pytest.raises(Refused) as refused:
        sell(counter.ctx, command)
    assert outcome(lambda: counter.agree(asked(refused.value), "wm")) is Refusal.APPROVAL_OWN


def test_nobody_is_the_second_person_of_their_own_request_without_an_account(
    counter: Counter,
) -> None:
    ask = Ask(counter.ctx.ids(), Right.GUARD, counter.staff_id("wm"), None, 1)
    assert outcome(lambda: counter.agree(ask, "wm")) is Refusal.APPROVAL_OWN


def test_nobody_agrees_to_what_concerns_their_own_account(counter: Counter) -> None:
    counter.link("wm", counter.member_id)
    ask, again = redeeming(counter)
    assert outcome(lambda: counter.agree(ask, "wm")) is Refusal.APPROVAL_OWN
    assert outcome(again) is Refusal.APPROVAL_NEEDED


def test_a_yes_to_one_command_is_none_to_another(counter: Counter) -> None:
    ask, _ = redeeming(counter)
    counter.agree(ask, "wm")
    _, other = redeeming(counter)
    assert outcome(other) is Refusal.APPROVAL_NEEDED


OTHER_FIGURES: dict[str, Callable[[Ask], Ask]] = {
    "amount": lambda ask: replace(ask, amount=600),
    "member": lambda ask: replace(ask, member_id=None),
    "reason": lambda ask: replace(ask, reason="test"),
    "right": lambda ask: replace(ask, right=Right.RETURN_ABOVE),
    "document": lambda ask: replace(ask, of=bytes(16)),
}


@pytest.mark.parametrize("other", OTHER_FIGURES)
def test_a_yes_is_for_exactly_the_figures_that_were_shown(counter: Counter, other: str) -> None:
    ask, again = redeeming(counter)
    counter.agree(OTHER_FIGURES[other](ask), "wm")
    assert outcome(again) is Refusal.APPROVAL_NEEDED


def test_a_yes_to_one_person_is_none_to_another(counter: Counter) -> None:
    ask, _ = redeeming(counter)
    counter.agree(ask, "wm")
    assert counter.ctx.approvals.of(replace(ask, staff_id=counter.staff_id("l2"))) is None


def test_a_yes_is_over_after_sixty_seconds_of_the_monotonic_clock(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(counter.ctx.approvals, "_monotonic", lambda: now[0])
    ask, again = redeeming(counter)
    counter.agree(ask, "wm")
    counter.shop.clock.step(days=1)
    now[0] += LIFE_S + 0.1
    assert outcome(again) is Refusal.APPROVAL_EXPIRED
    assert outcome(again) is Refusal.APPROVAL_NEEDED
    counter.agree(ask, "wm")
    now[0] += LIFE_S - 0.1
    counter.shop.clock.step(days=-1)
    again()


def test_a_yes_is_gone_once_its_command_is_done(counter: Counter) -> None:
    ask, again = redeeming(counter)
    counter.agree(ask, "wm")
    again()
    assert counter.ctx.approvals.of(ask) is None


def test_the_yes_of_somebody_disabled_since_counts_no_more(counter: Counter) -> None:
    ask, again = redeeming(counter)
    counter.agree(ask, "wm")
    ctx, supervisor = counter.ctx, counter.staff_id("wm")
    set_active(ctx, SetActive(ctx.ids(), counter.session("zg"), supervisor, False))
    assert outcome(again) is Refusal.APPROVAL_NEEDED
    assert outcome(lambda: counter.agree(ask, "wm")) is Refusal.PIN_WRONG


def test_the_yes_of_somebody_who_lost_the_role_since_counts_no_more(counter: Counter) -> None:
    ask, again = redeeming(counter)
    counter.agree(ask, "wm")
    ctx, supervisor = counter.ctx, counter.staff_id("wm")
    set_role(ctx, SetRole(ctx.ids(), counter.session("zg"), supervisor, "cashier"))
    assert outcome(again) is Refusal.APPROVAL_NEEDED


def test_a_person_disabled_while_signed_in_does_nothing_more(counter: Counter) -> None:
    command = counter.sale_command("l2")
    ctx = counter.ctx
    set_active(ctx, SetActive(ctx.ids(), counter.session("zg"), counter.staff_id("l2"), False))
    assert outcome(lambda: sell(ctx, command)) is Refusal.NOT_ALLOWED


def test_a_request_that_nobody_agreed_to_is_recorded(counter: Counter) -> None:
    ask, again = redeeming(counter)
    counter.agree(ask, "wm")
    command = Refuse(counter.ctx.ids(), counter.session("lx"), ask)
    refuse(counter.ctx, command)
    with counter.ctx.read() as conn:
        event = rows.event_by_command(conn, command.command_id)
    assert event is not None
    assert event.kind == "not_approved"
    assert outcome(again) is Refusal.APPROVAL_NEEDED


# Own card (F1) ----------------------------------------------------------------------------------


def test_selling_to_ones_own_account_takes_a_second_person(counter: Counter) -> None:
    for who in ("lx", "wm", "zg"):
        counter.link(who, counter.member_id)
        command = counter.sale_command(who, member=counter.member_id)
        with pytest.raises(Refused) as refused:
            sell(counter.ctx, command)
        ask = asked(refused.value)
        assert (ask.right, ask.amount) == (Right.OWN_CARD, 9800)
        counter.link(who, None)
        sell(counter.ctx, command)


def test_a_linked_account_without_a_phone_is_ones_own(counter: Counter) -> None:
    counter.link("lx", counter.member_id)
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE profile SET phone = NULL")
    command = counter.sale_command("lx", member=counter.member_id)
    assert outcome(lambda: sell(counter.ctx, command)) is Refusal.APPROVAL_NEEDED


def test_the_account_of_a_household_phone_is_ones_own(counter: Counter) -> None:
    own = counter.enrol("李敏", PHONE)
    counter.link("lx", own)
    for member in (own, counter.member_id):
        command = counter.sale_command("lx", member=member)
        assert outcome(lambda: sell(counter.ctx, command)) is Refusal.APPROVAL_NEEDED  # noqa: B023


def test_an_account_with_the_persons_own_phone_is_theirs_without_a_link(counter: Counter) -> None:
    counter.link("lx", None, PHONE)
    command = counter.sale_command("lx", member=counter.member_id)
    assert outcome(lambda: sell(counter.ctx, command)) is Refusal.APPROVAL_NEEDED
    sell(counter.ctx, counter.sale_command("l2", member=counter.member_id))
    sell(counter.ctx, counter.sale_command("lx"))


def test_returning_and_voiding_on_ones_own_account_takes_a_second_person(counter: Counter) -> None:
    sold = counter.sold("l2", member=counter.member_id)
    counter.link("lx", counter.member_id)
    back, undo = (
        counter.return_command("lx", sold.event_id),
        counter.void_command("lx", sold.event_id),
    )
    assert outcome(lambda: return_goods(counter.ctx, back)) is Refusal.APPROVAL_NEEDED
    with pytest.raises(Refused) as refused:
        void(counter.ctx, undo)
    ask = asked(refused.value)
    assert (ask.right, ask.of, ask.reason) == (Right.OWN_CARD, sold.event_id, "test")
    counter.agree(ask, "wm")
    void(counter.ctx, undo)


# The acts ---------------------------------------------------------------------------------------


def test_returns_and_voids_above_the_cashiers_limit_wait_for_a_second_person(
    counter: Counter,
) -> None:
    small, large = counter.sold("lx", 20000), counter.sold("lx", 20001)
    counter.returned(counter.return_command("lx", small.event_id))
    back = counter.return_command("lx", large.event_id)
    with pytest.raises(Refused) as refused:
        counter.returned(back)
    ask = asked(refused.value)
    assert (ask.right, ask.amount) == (Right.RETURN_ABOVE, 20001)
    undo = counter.void_command("lx", large.event_id)
    with pytest.raises(Refused) as refused:
        counter.voided(undo)
    assert asked(refused.value).right is Right.VOID_ABOVE
    counter.agree(ask, "wm")
    counter.returned(back)


def spent_and_written_off(counter: Counter) -> bytes:
    """A sale whose points are spent, in a shop whose programme writes such points off."""
    with counter.ctx.read() as conn:
        published = counter.ctx.programmes(conn)
    counter.ctx._programmes = tuple(
        replace(each, returns=replace(each.returns, spent_policy="write_off")) for each in published
    )
    member = counter.enrol("李敏", "13922226608")
    sold = counter.sold("lx", 20000, member=member)
    sell(counter.ctx, counter.sale_command("lx", 10000, redeem=200, member=member))
    return sold.event_id


@pytest.mark.parametrize("act", ["return", "void"])
def test_points_are_written_off_with_a_managers_yes_alone(counter: Counter, act: str) -> None:
    sale = spent_and_written_off(counter)

    def undo(who: str) -> object:
        if act == "void":
            return counter.voided(counter.void_command(who, sale))
        return counter.returned(counter.return_command(who, sale))

    for who in ("lx", "wm"):
        with pytest.raises(Refused) as refused:
            undo(who)
        ask = asked(refused.value)
        assert (ask.right, ask.act) == (Right.WRITE_OFF, act)
        assert dict(ask.facts)["written_off"] in range(1, 201)
        with pytest.raises(Refused, match="approval_rank"):
            counter.agree(ask, "wm" if who == "lx" else "lx")
    undo("zg")


def test_a_cashiers_return_goes_through_with_a_managers_yes(counter: Counter) -> None:
    command = counter.return_command("lx", spent_and_written_off(counter))
    with pytest.raises(Refused) as refused:
        counter.returned(command)
    counter.agree(asked(refused.value), "zg")
    counter.returned(command)
    with counter.ctx.read() as conn:
        event = posting.event_of(next(iter(rows.events_after(conn, rows.event_count(conn) - 1))))
    assert event.doc["approval"] == {"by": counter.staff_id("zg").hex(), "right": "write_off"}


@pytest.mark.parametrize("who", ["ho", "au"])
def test_who_only_reads_sells_returns_voids_enrols_and_reprints_nothing(
    counter: Counter, who: str
) -> None:
    ctx, sold = counter.ctx, counter.sold("lx")
    acts: tuple[Callable[[], object], ...] = (
        lambda: sell(ctx, counter.sale_command(who)),
        lambda: counter.returned(counter.return_command(who, sold.event_id)),
        lambda: counter.voided(counter.void_command(who, sold.event_id)),
        lambda: enrol(ctx, Enrol(ctx.ids(), counter.session(who), ProfileInput("某人"), True)),
        lambda: reprint(ctx, Reprint(ctx.ids(), counter.session(who), sold.event_id, "lost")),
    )
    assert [outcome(act) for act in acts] == [Refusal.NOT_ALLOWED] * len(acts)


def test_who_only_reads_edits_no_profile(counter: Counter) -> None:
    ctx = counter.ctx
    for who in (INITIALS["auditor"], INITIALS["head_office"]):
        command = EditProfile(
            ctx.ids(),
            counter.session(who),
            counter.member_id,
            1,
            ProfileInput("陈思", PHONE),
            True,
            False,
        )
        assert outcome(lambda: edit_profile(ctx, command)) is Refusal.NOT_ALLOWED  # noqa: B023


def test_a_reprint_needs_a_reason_of_everybody_but_the_manager(counter: Counter) -> None:
    ctx, sold = counter.ctx, counter.sold("lx")

    def again(who: str, reason: str) -> object:
        return outcome(
            lambda: reprint(ctx, Reprint(ctx.ids(), counter.session(who), sold.event_id, reason))
        )

    assert again("lx", "") is Refusal.REASON_NEEDED
    assert again("wm", "because") is Refusal.REASON_NEEDED
    assert not isinstance(again("lx", "lost"), Refusal)
    assert not isinstance(again("zg", ""), Refusal)


def test_a_shop_of_one_person_is_told_to_sell_without_the_own_account(counter: Counter) -> None:
    owner = INITIALS["manager"]
    counter.link(owner, counter.member_id)
    command = counter.sale_command(owner, member=counter.member_id)
    with pytest.raises(Refused) as refused:
        sell(counter.ctx, command)
    assert refused.value.code is Refusal.APPROVAL_NEEDED
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET active = 0 WHERE initials NOT IN (?, 'lx')", (owner,))
    with pytest.raises(Refused) as refused:
        sell(counter.ctx, command)
    assert refused.value.code is Refusal.OWN_CARD_ALONE
    counter.sold(owner)
