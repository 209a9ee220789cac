"""What screens ask of the product about the drawer and the shift (counter-flows.md flows 16 and 17).

The calls block, so screens make them on the db lane; `kick` talks to the printer and belongs on the print lane.
"""

from __future__ import annotations

from typing import Literal

from app.build import Till
from app.context import Session
from app.queries import drawer
from app.queries.counter import is_training
from app.queries.drawer import OpenDrawer, XReport
from app.spool import kick
from app.usecases.cash_move import CashMoved, MoveCash, move_cash
from app.usecases.close_shift import ClosedShift, CloseShift, NextPerson, close_shift
from app.usecases.count import CountDrawer, Counted, count_drawer
from app.usecases.drawer import OpenDrawer as OpenTheDrawer
from app.usecases.drawer import open_drawer
from app.usecases.print_x import PrintX, print_x


class CashDesk:
    """The drawer of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context
        self._training = is_training(till.context)

    def drawer(self) -> OpenDrawer | None:
        """The open shift's drawer, None without a shift."""
        return drawer.open_drawer(self._ctx)

    def x_report(self) -> XReport:
        return drawer.x_report(self._ctx)

    def print_x(self, command_id: bytes, session: Session) -> None:
        print_x(self._ctx, PrintX(command_id, session))

    def move(
        self,
        command_id: bytes,
        session: Session,
        direction: Literal["in", "out"],
        amount_minor: int,
        reason: str,
    ) -> CashMoved:
        command = MoveCash(command_id, session, direction, amount_minor, reason)
        return move_cash(self._ctx, command).result

    def open(self, command_id: bytes, session: Session, reason: str) -> None:
        open_drawer(self._ctx, OpenTheDrawer(command_id, session, reason))

    def count(
        self,
        command_id: bytes,
        session: Session,
        shift_id: bytes,
        counted: tuple[tuple[int, int], ...],
    ) -> Counted:
        return count_drawer(self._ctx, CountDrawer(command_id, session, shift_id, counted)).result

    def close(
        self, command_id: bytes, session: Session, shift_id: bytes, reason: str, to: tuple[str, str]
    ) -> ClosedShift:
        """`to` is (initials or badge, PIN) of who takes over, ("", "") for nobody."""
        next_person = NextPerson(*to) if to[0] else None
        command = CloseShift(command_id, session, shift_id, reason, next_person)
        return close_shift(self._ctx, command).result

    def kick(self, asked_s: float) -> bool:
        """Open the drawer, if a printer is set and it wasn't asked too long ago (print lane). Never in
        training: the money in it is real."""
        if self._training:
            return False
        return kick(self._ctx.settings.receipt, asked_s=asked_s)
