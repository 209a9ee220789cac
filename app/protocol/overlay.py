"""What a till shows of a member, and by which right it may spend: head office's row and the own events on top.

An own event stays on top until a row includes it. Being acknowledged is not enough: the row may be on the next
page; nor is it needed: the reply may have been lost (sync.md section 4).
"""

from __future__ import annotations

from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState, view
from app.protocol.cells import winner
from app.protocol.facts import LOCAL, Authority
from app.protocol.hlc import ms_of
from app.protocol.till_store import TillStore
from app.protocol.wire import Cell

RISKED: Final = frozenset({POINTS})
"""Assets that a grant may spend. Stored value is spent by holds and own rights alone."""


def survivor(store: TillStore, member: bytes) -> bytes:
    """The member that a merged one goes on as, as far as this till knows.

    Rows of two moments can name each other, after a merge that was undone and done the other way round: until
    the newer one has come, the smallest id speaks for the circle.
    """
    passed = list[bytes]()
    while (base := store.base(member)) is not None and base.row.alias is not None:
        passed.append(member)
        member = base.row.alias
        if member in passed:
            return min(passed[passed.index(member) :])
    return member


def shown(store: TillStore, member: bytes) -> MemberState:
    """fold(row, own events that the row doesn't include). Splits of the row's own debits are not in it."""
    member = survivor(store, member)
    base = store.base(member)
    state = EMPTY if base is None else base.row.state
    later = later_entries(store, member)
    return fold(state, later) if later else state


def later_entries(store: TillStore, member: bytes) -> list[Entry]:
    """Entries of the own events that the row of a survivor doesn't include, its merged members' too."""
    base = store.base(member)
    after = 0 if base is None else base.incl
    found = list(store.own_entries(member, after))
    waiting, seen = list(store.merged_into(member)), {member}
    while waiting:
        merged = waiting.pop()
        if merged not in seen:
            seen.add(merged)
            found += store.own_entries(merged, after)
            waiting += store.merged_into(merged)
    return [entry for _, entries in sorted(found) for entry in entries]


def free_to_spend(store: TillStore, member: bytes, asset: str, on: BusinessDate) -> int:
    """What is good on a date, less what others have reserved and what this till holds for sales under way."""
    member = survivor(store, member)
    control, base = store.control(), store.base(member)
    good = view(shown(store, member), on, asset=asset).available
    others = sum(
        each.amount
        for each in (() if base is None else base.row.reserved)
        if each.asset == asset and each.device != control.device
    )
    held = sum(
        hold.amount
        for hold in control.holds
        if hold.standing == "open" and hold.asset == asset and hold.member == member
    )
    return max(good - others - held, 0)


def right_to_spend(
    store: TillStore, member: bytes, asset: str, amount: int, on: BusinessDate, now_ms: int
) -> Authority | None:
    """The right to spend offline: own credits first, then the grant; None: refuse.

    A lease runs by the larger of the clock and the last stamp, so that turning the clock back gains nothing.
    """
    control = store.control()
    if control.nonce or amount > free_to_spend(store, member, asset, on):
        return None
    own = sum(
        right.left for right in control.rights if (right.member, right.asset) == (member, asset)
    )
    if amount <= own:
        return LOCAL
    grant = control.grant
    if (
        grant is None
        or asset not in RISKED
        or grant.lease_until_ms <= max(now_ms, ms_of(control.hlc))
    ):
        return None
    if amount > min(grant.left, grant.cap - grant.used_of(member)):
        return None
    return Authority("risk", grant.id)


def own_right(store: TillStore | None) -> Authority | None:
    """The right to a restore that is made now, without head office: it may be spent here until head office has
    it and the till has given the right up, and is kept there for this till meanwhile (sync.md section 3). None
    for a till of its own, and while a till may hold no rights."""
    if store is None:
        return None
    control = store.control()
    if control.nonce or control.revoked or control.settling is not None:
        return None
    return LOCAL


def profile(store: TillStore, member: bytes) -> dict[str, Cell]:
    """A member's fields: head office's, and what this till wrote and head office has not answered."""
    base = store.base(survivor(store, member))
    if base is not None and base.row.erased:
        return {}
    fields = {cell.field: cell for cell in (() if base is None else base.row.cells)}
    for cell in store.dirty_of(member):
        fields[cell.field] = winner(fields.get(cell.field), cell)
    return fields
