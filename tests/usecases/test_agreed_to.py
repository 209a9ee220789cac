"""A yes is for one request whole: the same command with anything else in it is asked again.

What the sheet says of each is tests/ui/flows/test_approval.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from app.approvals import Ask
from app.domain.errors import Refused
from app.usecases.audit import KeepStartKey, keep_start_key, show_start_key
from app.usecases.cash_move import MoveCash, move_cash
from app.usecases.catalogue import ImportCatalogue, import_catalogue
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.return_goods import return_goods
from app.usecases.sell import sell
from app.usecases.staff import SetPin, SetRole, set_pin, set_role
from app.usecases.void import void
from db import till
from tests.usecases.counter import Counter, asked

Act = Callable[[], object]


def ask_of(act: Act) -> Ask:
    with pytest.raises(Refused) as refused:
        act()
    return asked(refused.value)


def cash(counter: Counter) -> tuple[Act, Act]:
    command = MoveCash(counter.ctx.ids(), counter.session("lx"), "in", 400_000, "other")
    moves = (command, replace(command, direction="out"))
    return partial(move_cash, counter.ctx, moves[0]), partial(move_cash, counter.ctx, moves[1])


def return_or_void(counter: Counter) -> tuple[Act, Act]:
    counter.link("lx", counter.member_id)
    sale = counter.sold("wm", member=counter.member_id)
    back = counter.return_command("lx", sale.event_id)
    undone = replace(
        counter.void_command("lx", sale.event_id), command_id=back.command_id, reason="other"
    )
    return (
        partial(return_goods, counter.ctx, replace(back, reason="other")),
        partial(void, counter.ctx, undone),
    )


def own_points(counter: Counter) -> tuple[Act, Act]:
    """The same bill to the cashier's own account: without points, and partly paid by them."""
    counter.link("lx", counter.member_id)
    plain = counter.sale_command("lx", member=counter.member_id)
    paid = counter.sale_command("lx", redeem=500, member=counter.member_id)
    paid = replace(paid, command_id=plain.command_id)
    return partial(sell, counter.ctx, plain), partial(sell, counter.ctx, paid)


def staff(counter: Counter) -> tuple[Act, Act]:
    by, whom = counter.session("ho"), counter.staff_id("l2")
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'head_office' WHERE initials = 'l2'")
    pin = SetPin(counter.ctx.ids(), by, whom, "730186")
    role = SetRole(pin.command_id, by, whom, "manager")
    return partial(set_pin, counter.ctx, pin), partial(set_role, counter.ctx, role)


def catalogue(counter: Counter) -> tuple[Act, Act]:
    ctx, by = counter.ctx, counter.session("ho")
    first = ImportCatalogue(ctx.ids(), by, b"code,name,price\nA1,Tea,1.00\n", dry_run=False)
    other = replace(first, content=b"code,name,price\nA1,Tea,9.00\n")
    return partial(import_catalogue, ctx, first), partial(import_catalogue, ctx, other)


def start_key(counter: Counter) -> tuple[Act, Act]:
    ctx, by, command_id = counter.ctx, counter.session("ho"), counter.ctx.ids()
    return (
        partial(show_start_key, ctx, by, command_id),
        partial(keep_start_key, ctx, KeepStartKey(command_id, by)),
    )


@pytest.mark.parametrize(
    "pair",
    [cash, return_or_void, own_points, staff, catalogue, start_key],
    ids=lambda p: p.__name__,
)
def test_a_yes_to_one_act_is_none_to_the_other(
    counter: Counter, pair: Callable[[Counter], tuple[Act, Act]]
) -> None:
    one, other = pair(counter)
    ask = ask_of(one)
    if ask.staff_id == counter.staff_id("ho"):
        with counter.ctx.write_rows() as conn:
            conn.execute("UPDATE staff SET role = 'head_office' WHERE initials = 'zg'")
    counter.agree(ask, "zg")
    assert ask_of(other) != ask
    one()


def test_an_uncounted_drawer_names_its_shift_date_and_person(counter: Counter) -> None:
    with counter.ctx.read() as conn:
        shift = till.open_shift(conn)
    assert shift is not None
    command = CloseShift(counter.ctx.ids(), counter.session("wm"), shift.id, "person_gone")
    ask = ask_of(partial(close_shift, counter.ctx, command))
    assert ask.of == shift.id
    assert dict(ask.facts) == {"act": "shift", "date": shift.business_date, "shift_of": "林晓"}
