"""A member's working copy during one step at head office: entries and rights change it, `save` writes it once.

The tenant's D follows every account that changes, so that the bound is right after each step.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.entries import Entry
from app.domain.fold import fold
from app.protocol.accounts import Account
from app.protocol.store import Member, Store


class OpenMember:
    """One member, open for changes. Not shared: whoever opens it saves it before another is opened."""

    def __init__(self, store: Store, member: Member) -> None:
        self.store = store
        self.member = member
        self.state = member.state
        self._accounts = dict(member.accounts)
        self._reserved = dict(member.reserved)
        self._local = dict(member.local)
        self._posted: list[Entry] = []

    def account(self, asset: str) -> Account:
        """The account of an asset; zeros where nothing happened."""
        return self._accounts.get(asset) or Account()

    def change(self, asset: str, account: Account) -> None:
        """Replace an account; D follows."""
        grown = account.overdrawn - self.account(asset).overdrawn
        self._accounts[asset] = account
        if grown:
            tenant = self.store.tenant()
            self.store.put_tenant(tenant._replace(overdrawn=tenant.overdrawn + grown))

    def fold(self, entries: Sequence[Entry]) -> None:
        """Post entries, in the owner's order. Their accounts are changed by the caller."""
        self.state = fold(self.state, entries)
        self._posted += entries

    def reserve(self, asset: str, device: bytes, amount: int) -> None:
        """Reserve for a device."""
        key = (asset, device)
        self._reserved[key] = self._reserved.get(key, 0) + amount
        self.change(asset, self.account(asset).held(amount))

    def free(self, asset: str, device: bytes, amount: int) -> None:
        """Free what was reserved for a device; what is free again repays."""
        key = (asset, device)
        left = self._reserved.get(key, 0) - amount
        assert left >= 0, "nobody frees more than is reserved"
        self._reserved[key] = left
        if not left:
            del self._reserved[key]
        self.change(asset, self.account(asset).freed(amount))

    def local(self, asset: str, device: bytes) -> int:
        """The till-local rights of a device."""
        return self._local.get((asset, device), 0)

    def change_local(self, asset: str, device: bytes, by: int) -> None:
        """More or less till-local rights, which are reserved."""
        key = (asset, device)
        left = self._local.get(key, 0) + by
        assert left >= 0, "rights are not below zero"
        self._local[key] = left
        if not left:
            del self._local[key]
        if by > 0:
            self.reserve(asset, device, by)
        else:
            self.free(asset, device, -by)

    def local_of(self, device: bytes) -> list[tuple[str, int]]:
        """All till-local rights of a device on this member."""
        return [(asset, left) for (asset, owner), left in self._local.items() if owner == device]

    def save(self) -> None:
        """Write the member and what was posted."""
        member = self.member
        changed = Member(
            member.id, member.bucket, member.feed, self.state, self._accounts, self._reserved,
            self._local, member.cells, member.alias, member.erased_at, member.merged,
            member.visited,
        )  # fmt: skip
        self.store.put_member(changed, self._posted)


def survivor(store: Store, member: bytes) -> bytes:
    """The member that a merged one goes on as; itself where it was not merged."""
    while (known := store.member(member)) is not None and known.alias is not None:
        member = known.alias
    return member


def way_to_survivor(store: Store, member: bytes) -> list[tuple[bytes, bytes]]:
    """Who goes on as whom, from a member to its survivor."""
    found = list[tuple[bytes, bytes]]()
    while (known := store.member(member)) is not None and known.alias is not None:
        found.append((member, known.alias))
        member = known.alias
    return found


def gone_into(store: Store, member: bytes) -> list[bytes]:
    """All members that go on as this one, those that were merged with them before too."""
    known = store.member(member)
    merged = () if known is None else known.merged
    return [found for each in merged for found in (each, *gone_into(store, each))]


def open_member(store: Store, member: bytes, home: str) -> OpenMember:
    """The opened of a member that was not merged; unknown ones begin in bucket `home`."""
    return OpenMember(store, store.member(member) or Member(member, home))
