"""Random days of a small shop: sales of many kinds, returns, voids, several people, a clock that goes back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from app.build import Till
from app.context import Session
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Refused
from app.queries import counter
from app.queries.counter import quote
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.enrol import Enrol, ProfileInput, enrol
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, sell
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.void import Void, preview_void, void
from tests.fakes import PINS, Shop

GOODS = ("tea", "coffee", "ware", None)


@dataclass
class Days:
    """What happens at the counter, drawn from one seed."""

    shop: Shop
    seed: int
    members: list[bytes] = field(default_factory=list)
    people: list[Session] = field(default_factory=list)
    today: list[tuple[bytes, str, int]] = field(default_factory=list)
    """(event, kind, quantity of the first line) of this shift's documents that may be undone."""
    done: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    @property
    def till(self) -> Till:
        return self.shop.till

    def live(self, days: int, a_day: int) -> None:
        """So many business dates with so many happenings each."""
        for day in range(days):
            self.open_day()
            for n in range(a_day):
                self.shop.clock.step(minutes=self.rng.randint(1, 45))
                if day == 1 and n == a_day // 2:
                    # The device's clock is set back amid the shift: what follows comes "late".
                    self.shop.clock.now -= timedelta(hours=3)
                self._happen()
            self.shop.clock.step(days=1)
            self.shop.clock.now = self.shop.clock.now.replace(hour=self.rng.randint(1, 4))

    def open_day(self) -> None:
        ctx = self.till.context
        sessions = [sign_in(ctx, SignIn(ctx.ids(), who, pin)).result for who, pin in PINS.items()]
        self._close_shift(sessions[-1])
        first = open_shift(ctx, OpenShift(ctx.ids(), self.rng.choice(sessions), 50000)).result
        self.people = [Session(each.staff_id, first.shift_id) for each in sessions]
        self.today = []

    def _close_shift(self, manager: Session) -> None:
        """What yesterday left open: counted, or closed by the manager over no count."""
        ctx = self.till.context
        left = counter.open_shift(ctx)
        if left is None:
            return
        if self.rng.random() < 0.5:
            counted = ((100, 3),)
            count_drawer(ctx, CountDrawer(ctx.ids(), manager, left.shift_id, counted))
            close_shift(ctx, CloseShift(ctx.ids(), manager, left.shift_id, "unknown"))
        else:
            close_shift(ctx, CloseShift(ctx.ids(), manager, left.shift_id, "person_gone"))

    def _happen(self) -> None:
        acts = (self._sell, self._return, self._void, self._enrol)
        act = self.rng.choices(acts, (60, 15, 12, 8))[0]
        try:
            act()
        except Refused:
            return  # The rules say no now and then; the day goes on.
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def _enrol(self) -> None:
        ctx = self.till.context
        profile = ProfileInput(f"陈{len(self.members)}", f"138{self.rng.randrange(10**8):08d}")
        found = enrol(ctx, Enrol(ctx.ids(), self._who(), profile, service_consent=True))
        self.members.append(found.result.member_id)

    def _sell(self) -> None:
        ctx, rng = self.till.context, self.rng
        member = rng.choice(self.members) if self.members and rng.random() < 0.7 else None
        lines = tuple(self._line() for _ in range(rng.randint(1, 3)))
        points = 100 * rng.randint(1, 6) if member and rng.random() < 0.5 else 0
        request = SaleRequest(lines, points)
        try:
            shown = quote(ctx, member, request)
        except Refused:
            request = SaleRequest(lines)
            shown = quote(ctx, member, request)
        kind = rng.choice(("cash", "qr", "card"))
        given = shown.key.to_pay_minor + (rng.randint(0, 500) if kind == "cash" else 0)
        command = Sell(ctx.ids(), self._who(), member, request, Payment(kind, given), shown.key)
        sold = sell(ctx, command).result
        self.today.append((sold.event_id, "sale", lines[0].quantity))

    def _line(self) -> LineRequest:
        rng = self.rng
        category = rng.choice(GOODS)
        weighed = category == "ware"
        return LineRequest(
            unit_price_minor=rng.choice((333, 2800, 9999, 120000)),
            quantity=rng.randint(100, 1500) if weighed else rng.randint(1, 4),
            per_quantity=1000 if weighed else 1,
            category=category,
            name="x",
            tax_rate_bp=rng.choice((0, 600, 1300)),
            tax_included=rng.random() < 0.7,
        )

    def _return(self) -> None:
        ctx = self.till.context
        sales = [(event, n) for event, kind, n in self.today if kind == "sale"]
        sale, quantity = self.rng.choice(sales or [(bytes(16), 1)])
        lines = (ReturnedLine(0, self.rng.randint(1, quantity)),)
        shown = preview_return(ctx, sale, lines)
        command = ReturnGoods(
            ctx.ids(), self._manager(), sale, lines, "faulty", shown.refund_minor,
            shown.balance_after,
        )  # fmt: skip
        self.today.append((return_goods(ctx, command).result.event_id, "return", 1))

    def _void(self) -> None:
        ctx = self.till.context
        event = self.rng.choice([event for event, _, _ in self.today] or [bytes(16)])
        shown = preview_void(ctx, event)[0]
        command = Void(ctx.ids(), self._manager(), event, "test", shown.balance_after)
        void(ctx, command)

    def _who(self) -> Session:
        return self.rng.choice(self.people)

    def _manager(self) -> Session:
        """The last of the three: limits would stop most large returns of a cashier."""
        return self.people[-1]
