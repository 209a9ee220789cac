"""What screens ask of the product about the people who work here: second persons, accounts, PINs.

The calls block, so screens make them on the db lane (see ui.desk).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.approvals import Ask
from app.build import Till, prove_passphrase
from app.context import Session
from app.domain.rights import StaffRole
from app.queries.records import StaffView
from app.queries.staff import AskView, StaffLine, ask_view, staff_list
from app.usecases import staff
from app.usecases.approve import Approve, Refuse, approve, refuse
from app.usecases.sign_in import SignOut, SignOutWhy, sign_out


class StaffDesk:
    """The staff of one till. Every method may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._till, self._ctx = till, till.context

    # Second persons ---------------------------------------------------------------------------

    def ask_view(self, ask: Ask) -> AskView:
        """A request as its second person reads it."""
        return ask_view(self._ctx, ask)

    def approve(self, ask: Ask, who: str, pin: str) -> StaffView:
        """`who` agrees, with their own PIN, to exactly this."""
        return approve(self._ctx, Approve(ask, who, pin)).result

    def refuse(self, session: Session, ask: Ask) -> None:
        """Nobody agreed."""
        refuse(self._ctx, Refuse(self._ctx.ids(), session, ask))

    # Who is here ------------------------------------------------------------------------------

    def sign_out(self, session: Session, why: SignOutWhy) -> None:
        sign_out(self._ctx, SignOut(self._ctx.ids(), session, why))

    def begin_training(self, who: str, pin: str) -> tuple[Path, str]:
        """(folder, passphrase) of the store to practise in, ready for this person."""
        from app.commands.training import begin

        return begin(self._ctx, self._till.folder, who, pin)

    def people(self, session: Session) -> Sequence[StaffLine]:
        return staff_list(self._ctx, session)

    # Accounts ---------------------------------------------------------------------------------

    def add(
        self,
        command_id: bytes,
        session: Session,
        role: StaffRole,
        *,
        initials: str,
        name: str,
        pin: str,
        badge: str,
        phone: str,
        passphrase: str = "",
    ) -> bytes:
        proof = self._proof(passphrase)
        command = staff.AddStaff(
            command_id, session, initials, name, role, pin, badge, phone, proof
        )
        return staff.add_staff(self._ctx, command).result

    def set_active(
        self,
        command_id: bytes,
        session: Session,
        staff_id: bytes,
        *,
        active: bool,
        passphrase: str = "",
    ) -> None:
        proof = self._proof(passphrase)
        staff.set_active(self._ctx, staff.SetActive(command_id, session, staff_id, active, proof))

    def set_role(
        self,
        command_id: bytes,
        session: Session,
        staff_id: bytes,
        role: StaffRole,
        passphrase: str = "",
    ) -> None:
        proof = self._proof(passphrase)
        staff.set_role(self._ctx, staff.SetRole(command_id, session, staff_id, role, proof))

    def set_badge(self, command_id: bytes, session: Session, staff_id: bytes, badge: str) -> None:
        staff.set_badge(self._ctx, staff.SetBadge(command_id, session, staff_id, badge))

    def set_pin(
        self, command_id: bytes, session: Session, staff_id: bytes, pin: str, passphrase: str = ""
    ) -> None:
        proof = self._proof(passphrase)
        staff.set_pin(self._ctx, staff.SetPin(command_id, session, staff_id, pin, proof))

    def reset_forgotten_pin(self, command_id: bytes, who: str, passphrase: str, pin: str) -> str:
        """A new PIN for a manager who knows the store's passphrase; their name."""
        prove_passphrase(self._till.folder, passphrase)
        return staff.reset_forgotten_pin(
            self._ctx, staff.ResetForgottenPin(command_id, who, pin)
        ).result

    def choose_pin(self, command_id: bytes, who: str, code: str, pin: str) -> str:
        """An own PIN by a first code; the person's name."""
        return staff.choose_pin(self._ctx, staff.ChoosePin(command_id, who, code, pin)).result

    def _proof(self, passphrase: str) -> staff.Proof:
        if not passphrase:
            return ""
        prove_passphrase(self._till.folder, passphrase)
        return "passphrase"

    def link(
        self,
        command_id: bytes,
        session: Session,
        staff_id: bytes,
        member_id: bytes | None,
        phone: str | None,
    ) -> None:
        """Their own account, and their phone unless it is None."""
        command = staff.LinkMember(command_id, session, staff_id, member_id, phone)
        staff.link_member(self._ctx, command)
