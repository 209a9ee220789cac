"""A staffed shop for tests about rights: one person of every role, a member, and acts as commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.approvals import Ask
from app.context import Context, Session
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Refused
from app.domain.rights import ROLES, StaffRole
from app.queries import counter
from app.usecases.approve import Approve, approve
from app.usecases.enrol import Enrol, ProfileInput, enrol
from app.usecases.return_goods import Returned, ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, Sold, sell
from app.usecases.staff import AddStaff, LinkMember, add_staff, link_member
from app.usecases.void import Void, Voided, preview_void, void
from db import staff_rows
from tests.fakes import PINS, Shop, demo_programme, make_shop

PHONE = "13800006621"
INITIALS: dict[StaffRole, str] = {
    "cashier": "lx", "supervisor": "wm", "manager": "zg", "head_office": "ho", "auditor": "au",
}  # fmt: skip
PINS_OF: dict[str, str] = {**PINS, "ho": "864209", "au": "190837", "l2": "508264"}


def with_limits(**limits: int) -> dict[str, Any]:
    """The demo programme with lower limits for cashiers."""
    programme = demo_programme()
    for name, limit in limits.items():
        programme["limits"][name]["cashier"] = limit
    return programme


@dataclass(slots=True)
class Counter:
    """An open till where everybody can act, and a member with points."""

    shop: Shop
    member_id: bytes = b""

    @property
    def ctx(self) -> Context:
        return self.shop.till.context

    def staff_id(self, who: str) -> bytes:
        with self.ctx.read() as conn:
            row = staff_rows.staff_by_initials(conn, who)
        assert row is not None
        return row.id

    def session(self, who: str) -> Session:
        """As if this person had signed in."""
        shift = counter.open_shift(self.ctx)
        return Session(self.staff_id(who), shift.shift_id if shift else None)

    def sale_command(
        self, who: str, minor: int = 10000, *, redeem: int = 0, member: bytes | None = None
    ) -> Sell:
        request = SaleRequest((LineRequest(minor),), redeem)
        quote = counter.quote(self.ctx, member, request)
        payment = Payment("qr", quote.draft.to_pay_minor)
        return Sell(self.ctx.ids(), self.session(who), member, request, payment, quote.key)

    def sold(self, who: str = "lx", minor: int = 10000, *, member: bytes | None = None) -> Sold:
        return sell(self.ctx, self.sale_command(who, minor, member=member)).result

    def return_command(self, who: str, sale_id: bytes) -> ReturnGoods:
        lines = (ReturnedLine(0, 1),)
        shown = preview_return(self.ctx, sale_id, lines)
        return ReturnGoods(
            self.ctx.ids(), self.session(who), sale_id, lines, "faulty", shown.refund_minor,
            shown.balance_after,
        )  # fmt: skip

    def returned(self, command: ReturnGoods) -> Returned:
        return return_goods(self.ctx, command).result

    def void_command(self, who: str, event_id: bytes) -> Void:
        shown = preview_void(self.ctx, event_id)[0]
        return Void(self.ctx.ids(), self.session(who), event_id, "test", shown.balance_after)

    def voided(self, command: Void) -> Voided:
        return void(self.ctx, command).result

    def agree(self, ask: Ask, who: str) -> None:
        """The second person types their own PIN."""
        approve(self.ctx, Approve(ask, who, PINS_OF[who]))

    def link(self, who: str, member_id: bytes | None, phone: str = "") -> None:
        """The person's own account, as another manager notes it."""
        helper = "ho" if who == "zg" else "zg"
        link_member(
            self.ctx,
            LinkMember(self.ctx.ids(), self.session(helper), self.staff_id(who), member_id, phone),
        )

    def enrol(self, name: str, phone: str) -> bytes:
        command = Enrol(self.ctx.ids(), self.session("lx"), ProfileInput(name, phone), True)
        return enrol(self.ctx, command).result.member_id


def asked(refused: Refused) -> Ask:
    """The request that waits for a second person."""
    assert isinstance(refused.offer, Ask), refused.code
    return refused.offer


def make_counter(folder: Path, programme: dict[str, Any] | None = None) -> Counter:
    """A shop with somebody of every role, a second cashier, an open shift and a member of 2,000 points."""
    made = Counter(make_shop(folder, programme))
    staffed(made)
    return made


def staffed(made: Counter) -> None:
    """Everybody, the shift and the member."""
    made.shop.start("lx")
    ctx = made.ctx
    with ctx.write_rows() as conn:
        # Head office's own people come from head office; here a row is made one.
        conn.execute("UPDATE staff SET role = 'head_office' WHERE initials = 'zg'")
    for role, who in [(r, INITIALS[r]) for r in ROLES] + [("cashier", "l2")]:
        if who not in PINS:
            command = AddStaff(
                ctx.ids(), made.session("zg"), who, who.upper(), role, PINS_OF[who],
                proof="passphrase",
            )  # fmt: skip
            add_staff(ctx, command)
    with ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'manager' WHERE initials = 'zg'")
    made.member_id = made.enrol("陈思远", PHONE)
    made.sold("lx", 200000, member=made.member_id)
