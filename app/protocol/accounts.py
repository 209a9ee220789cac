"""One asset of one member in numbers: what is there, reserved and receivable, and what a spend overdraws.

Pure arithmetic of sync.md section 3. Which lots pay is the fold's subject, not this one's.
"""

from __future__ import annotations

from typing import NamedTuple

from app.domain.entries import CARRIED, EARNED, SALES, SPEND, TIER, USE


class Account(NamedTuple):
    """`owned` Σ entries (P), `reserved` for holds and till-local rights (Q), `receivable` (C): debits that
    were no spends and that nothing covered."""

    owned: int = 0
    reserved: int = 0
    receivable: int = 0

    @property
    def avail(self) -> int:
        """P + C - Q: what a hold may still reserve."""
        return self.owned + self.receivable - self.reserved

    @property
    def overdrawn(self) -> int:
        """The spend debt: its sum over a tenant is D."""
        return max(-self.avail, 0)

    def credited(self, amount: int) -> Account:
        """After a credit: it repays spend debt first, then what is receivable."""
        return Account(self.owned + amount, self.reserved, self.receivable)._settled()

    def spent(self, amount: int) -> Account:
        """After a spend that nothing was reserved for."""
        return self._replace(owned=self.owned - amount)

    def taken(self, amount: int) -> Account:
        """After a debit that is no spend: posted in full, and the uncovered part becomes receivable."""
        uncovered = amount - min(max(self.avail, 0), amount)
        return self._replace(
            owned=self.owned - amount, receivable=self.receivable + uncovered
        )._settled()

    def held(self, amount: int) -> Account:
        """With more reserved."""
        return self._replace(reserved=self.reserved + amount)

    def freed(self, amount: int) -> Account:
        """With less reserved; what is free again repays like a credit."""
        return self._replace(reserved=self.reserved - amount)._settled()

    def forgiven(self, amount: int) -> Account:
        """With spend debt turned into what the member alone owes: an operator's write-off."""
        return self._replace(receivable=self.receivable + amount)

    def joined(self, other: Account) -> Account:
        """With all that a merged member had: neither side has anything reserved."""
        assert not self.reserved + other.reserved, "a merge waits for what is reserved"
        return Account(self.owned + other.owned, 0, self.receivable + other.receivable)._settled()

    def parted(self, amount: int) -> tuple[Account, Account]:
        """What stays and what goes of an account with nothing reserved when `amount` of it is another's: a part
        of what is owned, or of what is owed (below zero). What is receivable goes along as far as it can, so
        the spend debt of both together is what it was."""
        assert not self.reserved, "an un-merge waits for what is reserved"
        receivable = min(self.receivable, max(-amount, 0))
        stays = Account(self.owned - amount, 0, self.receivable - receivable)
        return stays, Account(amount, 0, receivable)

    def _settled(self) -> Account:
        if self.receivable and self.avail > 0:
            return self._replace(receivable=self.receivable - min(self.receivable, self.avail))
        return self


_NO_ACCOUNT = frozenset((TIER, SPEND, SALES, EARNED))


def has_account(asset: str) -> bool:
    """Whether an asset is owned and spent; measures, benefits used, tiers and what a merge says are not."""
    return asset not in _NO_ACCOUNT and not asset.startswith((USE, CARRIED))
