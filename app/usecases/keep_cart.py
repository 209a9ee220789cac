"""The open cart, kept at each change by a small row, so that a crash, a lock or a power cut loses nothing."""

from __future__ import annotations

import msgspec

from app.context import Context
from app.protocol.events import micros
from db import till
from db.connection import Connection


class CartLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line as typed or scanned; `unknown_code` is a scan that no item has (a red line)."""

    unit_price_minor: int
    quantity: int = 1
    per_quantity: int = 1
    item: str | None = None
    category: str | None = None
    name: str = ""
    tax_rate_bp: int = 0
    tax_included: bool = True
    unknown_code: str = ""
    name_en: str = ""


class OpenCart(msgspec.Struct, frozen=True):
    """What stands on the counter: ids and amounts, nothing personal. A sale drops the row in its own
    transaction, so a cart that is found after a crash was not charged. Fields of other versions are
    passed over."""

    member_id: str | None = None
    lines: tuple[CartLine, ...] = ()
    redeem_points: int = 0
    typed_amount: str = ""


def keep_cart(ctx: Context, cart: OpenCart) -> None:
    """Save the cart, or drop the row when there is nothing on it. Raises Unavailable."""
    with ctx.write_rows() as conn:
        if cart == OpenCart():
            till.drop_cart(conn)
        else:
            body = msgspec.json.encode(cart).decode()
            till.save_cart(conn, body, updated_us=micros(ctx.clock()))


def kept_cart(ctx: Context) -> OpenCart | None:
    """The cart as it was last saved; None when there is none or it can't be read."""
    with ctx.read() as conn:
        body = till.saved_cart(conn)
    return None if body is None else _read(body)


def is_sale_open(conn: Connection) -> bool:
    """Whether the cart as last saved has anything to charge. A member who is attached and buys nothing is
    no sale; a cart that can't be read may be one."""
    body = till.saved_cart(conn)
    if body is None:
        return False
    cart = _read(body)
    return cart is None or bool(cart.lines or cart.typed_amount)


def _read(body: str) -> OpenCart | None:
    try:
        return msgspec.json.decode(body, type=OpenCart)
    except msgspec.DecodeError:
        return None
