"""The open cart between the screen's form and the row that survives a crash. Loaded by the db lane."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.documents import LineRequest
from app.queries.records import ItemView
from app.usecases.keep_cart import CartLine as KeptLine
from app.usecases.keep_cart import OpenCart
from ui.cart import Cart, CartLine


def kept_of(cart: Cart) -> OpenCart:
    """What is saved of a cart: ids and amounts."""
    return OpenCart(
        member_id=cart.member_id.hex() if cart.member_id else None,
        lines=tuple(_kept_line(line) for line in cart.lines),
        redeem_points=cart.redeem_points,
        typed_amount=cart.typed_text,
    )


def cart_of(kept: OpenCart) -> Cart:
    """The cart as it was; the typed text is read again by its field."""
    return Cart(
        member_id=bytes.fromhex(kept.member_id) if kept.member_id else None,
        lines=tuple(_line(line) for line in kept.lines),
        redeem_points=kept.redeem_points,
        typed_text=kept.typed_amount,
    )


def at_new_prices(cart: Cart, item_of: Callable[[str], ItemView | None]) -> tuple[Cart, bool]:
    """The cart with its goods as the catalogue has them now, None for one that is withdrawn; whether that is
    another price or tax, or a line that can't be sold."""
    codes = {line.request.item for line in cart.lines if line.request.item}
    now = cart.with_prices_of({code: item_of(code) for code in codes})
    return now, [_price(line) for line in cart.lines] != [_price(line) for line in now.lines]


def _price(line: CartLine) -> tuple[int, int, int, bool, bool]:
    asked = line.request
    return (
        asked.unit_price_minor, asked.per_quantity, asked.tax_rate_bp, asked.tax_included, line.unknown,
    )  # fmt: skip


def _kept_line(line: CartLine) -> KeptLine:
    asked = line.request
    return KeptLine(
        unit_price_minor=asked.unit_price_minor,
        quantity=asked.quantity,
        per_quantity=asked.per_quantity,
        item=asked.item,
        category=asked.category,
        name=asked.name,
        tax_rate_bp=asked.tax_rate_bp,
        tax_included=asked.tax_included,
        unknown_code=line.code if line.unknown else "",
        name_en=line.name_en,
    )


def _line(kept: KeptLine) -> CartLine:
    request = LineRequest(
        unit_price_minor=kept.unit_price_minor,
        quantity=kept.quantity,
        per_quantity=kept.per_quantity,
        item=kept.item,
        category=kept.category,
        name=kept.name,
        tax_rate_bp=kept.tax_rate_bp,
        tax_included=kept.tax_included,
    )
    return CartLine(
        request, kept.unknown_code or kept.item or "", bool(kept.unknown_code), kept.name_en
    )
