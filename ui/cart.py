"""The open sale as the screen holds it: lines, member, points, and what stands in the amount field.

Plain values without Qt; every change makes a new Cart, so that undo is keeping the old one. Prices,
discounts and points are the domain's: a cart only says what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.domain.documents import LineRequest, SaleRequest
from app.queries.records import ItemView

REPEAT_SCAN_MS = 300
"""The same item again within this time is one scan (S50)."""


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line: goods or an amount, or a code that nobody knows (a red line)."""

    request: LineRequest
    code: str = ""
    unknown: bool = False
    name_en: str = ""
    """The item's name for the English screen; what is sold and printed is the request's."""


@dataclass(frozen=True, slots=True)
class Cart:
    """The newest line is the last one.

    Attributes:
        typed: the amounts that stand in the amount field, in minor units, not lines yet.
        typed_text: that field's text, so that nothing typed is lost.
        verified: how the cashier is sure of the member, "name" or "card"; never kept, so that it
            is asked again after a crash.
    """

    member_id: bytes | None = None
    lines: tuple[CartLine, ...] = ()
    redeem_points: int = 0
    typed: tuple[int, ...] = ()
    typed_text: str = ""
    removed: tuple[CartLine, ...] = field(default=(), compare=False)
    verified: str = field(default="", compare=False)

    @property
    def is_empty(self) -> bool:
        """No lines and no amount: nothing that Esc or a clear could lose."""
        return not self.lines and not self.typed

    @property
    def unknown_lines(self) -> list[int]:
        """The numbers of the red lines."""
        return [at for at, line in enumerate(self.lines) if line.unknown]

    def request(self) -> SaleRequest:
        """What to quote: known lines, then the typed amounts."""
        known = tuple(line.request for line in self.lines if not line.unknown)
        typed = tuple(LineRequest(unit_price_minor=minor) for minor in self.typed)
        return SaleRequest(known + typed, self.redeem_points)

    def with_member(self, member_id: bytes | None, proof: str = "") -> Cart:
        """Another member, or none: points belong to the one who had them. `proof` as `verified`."""
        if member_id == self.member_id:
            return self.with_proof(proof) if proof else self
        return replace(self, member_id=member_id, redeem_points=0, verified=proof)

    def with_proof(self, how: str) -> Cart:
        """The cashier made sure of the member, by "name" or "card"."""
        return replace(self, verified=how)

    def with_typed(self, text: str, amounts: tuple[int, ...]) -> Cart:
        return replace(self, typed=amounts, typed_text=text)

    def with_points(self, points: int) -> Cart:
        return replace(self, redeem_points=points)

    def with_item(self, item: ItemView, quantity: int = 1) -> Cart:
        """One more line, or more pieces of the newest line when it is the same item at the same price."""
        more = _line_of(item, quantity)
        newest = self.lines[-1].request if self.lines else None
        if newest is not None and newest == replace(more.request, quantity=newest.quantity):
            return self.with_quantity(
                len(self.lines) - 1, newest.quantity + quantity * item.per_quantity
            )
        return replace(self, lines=(*self.lines, more))

    def with_unknown(self, code: str, quantity: int = 1) -> Cart:
        """A red line for a code that no item has; scanning goes on."""
        line = CartLine(LineRequest(unit_price_minor=0, quantity=quantity), code, unknown=True)
        return replace(self, lines=(*self.lines, line))

    def with_known(self, code: str, item: ItemView) -> Cart:
        """The item that a code of red lines means: all of them become it, pieces kept."""
        lines = tuple(
            _line_of(item, line.request.quantity) if line.unknown and line.code == code else line
            for line in self.lines
        )
        return replace(self, lines=lines)

    def with_prices_of(self, items: Mapping[str, ItemView | None]) -> Cart:
        """The goods as the catalogue has them now, by their code; those that it has no more are red lines."""
        return replace(self, lines=tuple(_line_now(line, items) for line in self.lines))

    def with_quantity(self, at: int, quantity: int) -> Cart:
        """Another quantity of a line; none removes it."""
        if quantity <= 0:
            return self.without_line(at)
        line = self.lines[at]
        changed = replace(line, request=replace(line.request, quantity=quantity))
        return replace(self, lines=(*self.lines[:at], changed, *self.lines[at + 1 :]))

    def without_line(self, at: int) -> Cart:
        """Drop a line; `with_removed_line` brings it back."""
        return replace(
            self,
            lines=self.lines[:at] + self.lines[at + 1 :],
            removed=(*self.removed, self.lines[at]),
        )

    def with_removed_line(self) -> Cart:
        """Bring the line back that was removed last; the same cart where there is none."""
        if not self.removed:
            return self
        return replace(self, lines=(*self.lines, self.removed[-1]), removed=self.removed[:-1])


def _line_now(line: CartLine, items: Mapping[str, ItemView | None]) -> CartLine:
    asked = line.request
    if asked.item is None or line.unknown:
        return line
    item = items[asked.item]
    if item is None:
        pieces = max(asked.quantity // asked.per_quantity, 1)
        return CartLine(LineRequest(0, pieces), asked.item, unknown=True)
    now = _line_of(item, 1)
    return replace(now, request=replace(now.request, quantity=asked.quantity))


def _line_of(item: ItemView, quantity: int) -> CartLine:
    request = LineRequest(
        unit_price_minor=item.price_minor,
        quantity=quantity * item.per_quantity,
        per_quantity=item.per_quantity,
        item=item.code,
        category=item.category,
        name=item.name,
        tax_rate_bp=item.tax_bp,
        tax_included=item.tax_included,
    )
    return CartLine(request, item.code, name_en=item.name_en)
