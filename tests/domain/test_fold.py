"""The fold on entries of any kind: total, identical from parts, and generic over assets."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.business_day import BusinessDate
from app.domain.entries import KINDS, POINTS, Entry, EntryId, Kind, owner_event_id
from app.domain.expiry import as_good, expire_entries, unexpire_entries
from app.domain.fold import fold
from app.domain.state import EMPTY, MemberState, view
from app.domain.state_rows import changes, state_from_plain, state_to_plain
from tests.domain.laws import check_partial

DAY = BusinessDate.on(2026, 3, 10)
ids = st.builds(EntryId, st.integers(0, 12).map(lambda n: bytes([n]) * 16), st.integers(0, 2))
dates = st.integers(-3, 40).map(DAY.plus)
maybe = st.one_of(st.none(), dates)
entries = st.builds(
    Entry,
    id=ids,
    asset=st.sampled_from(["points", "points", "points", "value_principal", "spend", "sales",
                           "earned", "tier", "use:party"]),
    kind=st.sampled_from(KINDS),
    amount=st.integers(-60, 60),
    business_date=dates,
    available_from=maybe,
    expires=maybe,
    minimum_expiry=maybe,
    refers_to=st.one_of(st.none(), ids),
)  # fmt: skip


def numbered(drawn: list[Entry]) -> list[Entry]:
    """Give every entry an id of its own; references stay as drawn, found or not."""
    return [
        entry._replace(id=EntryId(bytes([n % 13]) * 16, n // 13)) for n, entry in enumerate(drawn)
    ]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(entries, max_size=36))
def test_no_stored_entry_makes_the_fold_fail(drawn: list[Entry]) -> None:
    ledger = numbered(drawn)
    state = fold(EMPTY, ledger)
    for asset in ("points", "value_principal"):
        total = sum(entry.amount for entry in ledger if entry.asset == asset)
        lots = sum(lot.remaining for lot in state.lots if lot.asset == asset)
        debts = sum(debt.amount for debt in state.debts if debt.asset == asset)
        assert total == state.balance(asset) == lots - debts
        assert not (lots and debts)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(entries, max_size=36), st.integers(1, 5))
def test_rows_from_a_partial_state_are_rows_from_the_full_one(
    drawn: list[Entry], size: int
) -> None:
    ledger = numbered(drawn)
    state = EMPTY
    for start in range(0, len(ledger), size):
        batch = ledger[start : start + size]
        after = fold(state, batch)
        check_partial(state, batch, after)
        state = after
    assert state == fold(EMPTY, ledger)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(entries, max_size=30))
def test_a_checkpoint_is_plain_json_and_comes_back_the_same(drawn: list[Entry]) -> None:
    state = fold(EMPTY, numbered(drawn))
    assert state_from_plain(json.loads(json.dumps(state_to_plain(state)))) == state


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(entries, max_size=30), st.integers(0, 30))
def test_changes_applied_to_the_rows_before_give_the_rows_after(
    drawn: list[Entry], at: int
) -> None:
    ledger = numbered(drawn)
    before = fold(EMPTY, ledger[:at])
    after = fold(before, ledger[at:])
    done = changes(before, after)
    lots = {(lot.origin, lot.expires): lot for lot in before.lots}
    lots.update({(lot.origin, lot.expires): lot for lot in done.lots})
    for key in done.lots_gone:
        del lots[key]
    assert set(lots.values()) == set(after.lots)
    debts = {debt.debit: debt for debt in before.debts}
    debts.update({debt.debit: debt for debt in done.debts})
    for debit in done.debts_gone:
        del debts[debit]
    assert set(debts.values()) == set(after.debts)
    splits = {split.order: split for split in before.splits}
    splits.update({split.order: split for split in done.splits})
    for order in done.splits_gone:
        del splits[order]
    assert tuple(splits[order] for order in sorted(splits)) == after.splits
    sums = {**dict(before.sums), **dict(done.sums)}
    assert tuple(sorted(sums.items())) == after.sums


def _entry(number: int, asset: str, kind: str, amount: int, **fields: object) -> Entry:
    plain = Entry(EntryId(bytes([number]) * 16, 0), asset, "earn", amount, DAY)
    return plain._replace(kind=kind, **fields)  # type: ignore[arg-type]  # kinds are drawn by name


def test_assets_have_lots_and_debts_of_their_own() -> None:
    state = fold(
        EMPTY,
        [
            _entry(1, "value_principal", "adjust", 5000),
            _entry(2, "points", "redeem", -30),
            _entry(3, "value_principal", "redeem", -1200),
        ],
    )
    assert view(state, DAY, asset="value_principal").available == 3800
    assert view(state, DAY).debt == 30


def test_of_two_tills_upgrades_the_higher_one_stands_in_any_order() -> None:
    silver, gold = _entry(1, "tier", "upgrade", 10), _entry(2, "tier", "upgrade", 20)
    for order in ([silver, gold], [gold, silver]):
        standing = fold(EMPTY, order).standing
        assert standing is not None
        assert standing.rank == 20


def test_an_upgrade_during_the_lock_of_a_manual_tier_is_ignored() -> None:
    manual = _entry(1, "tier", "manual", 10, expires=DAY.plus(5))
    upgrade = _entry(2, "tier", "upgrade", 20)
    later = _entry(3, "tier", "upgrade", 20, available_from=DAY.plus(6))
    standing = fold(EMPTY, [manual, upgrade]).standing
    assert standing is not None
    assert standing.rank == 10
    standing = fold(EMPTY, [manual, upgrade, later]).standing
    assert standing is not None
    assert standing.rank == 20


def test_what_others_reserved_is_not_available() -> None:
    state = fold(EMPTY, [_entry(1, "points", "opening", 100)])
    assert view(state, DAY, reserved=30).available == 70
    assert view(state, DAY, reserved=130).available == 0


def test_expiring_points_are_listed_by_date_without_the_lapsed() -> None:
    state = fold(
        EMPTY,
        [
            _entry(1, "points", "opening", 10, expires=DAY.plus(-1)),
            _entry(2, "points", "opening", 20, expires=DAY.plus(9)),
            _entry(3, "points", "opening", 30, expires=DAY.plus(2)),
            _entry(4, "points", "opening", 5, expires=DAY.plus(9)),
        ],
    )
    seen = view(state, DAY)
    assert seen.expiring == ((DAY.plus(2), 30), (DAY.plus(9), 25))
    assert (seen.lapsed, seen.negative) == (10, False)


def test_head_office_books_an_expiry_after_its_grace_only() -> None:
    state = fold(EMPTY, [_entry(1, "points", "opening", 10, expires=DAY)])
    late = DAY.plus(14)
    assert expire_entries(state, late.plus(-1), b"x" * 16, grace_days=14) == ()
    assert len(expire_entries(state, late, b"x" * 16, grace_days=14)) == 1


def test_a_restore_without_its_split_opens_a_provisional_lot() -> None:
    spend = _entry(1, "points", "redeem", -40)
    restore = _entry(2, "points", "reverse", 40, refers_to=spend.id, minimum_expiry=DAY.plus(7))
    full = fold(EMPTY, [_entry(0, "points", "opening", 40), spend])
    base = MemberState(full.sequence, full.sums, full.lots, full.debts)
    state = fold(base, [restore])
    assert state.balance() == 40
    assert [(lot.origin, lot.expires) for lot in state.lots] == [(restore.id, DAY.plus(7))]


def test_what_an_expiry_lacks_is_taken_of_other_lots_for_good() -> None:
    """A return gave back what had expired, that paid a debt, and the return is voided: the expiry takes the
    rest of a lot that is still good. That lot has not expired, so a quote has no more of it than is in it."""

    def named(event: int, kind: Kind, amount: int, ref: int | None = None) -> Entry:
        refers = None if ref is None else EntryId(bytes([ref]) * 16, 0)
        expires = DAY.plus(5) if kind == "earn" else None
        name = EntryId(bytes([event]) * 16, 0)
        return Entry(name, POINTS, kind, amount, DAY, expires=expires, refers_to=refers)

    old = named(1, "earn", 16)._replace(business_date=DAY.plus(-9), expires=DAY.plus(-2))
    ledger = [
        old,
        named(2, "expire", -16, 1)._replace(expires=DAY.plus(-2)),
        named(3, "redeem", -2),
        named(4, "unexpire", 16, 2),
        named(5, "earn", 12),
        named(6, "expire", -16, 4),
    ]
    state = fold(EMPTY, ledger)
    assert [lot.remaining for lot in state.lots] == [10]
    assert as_good(state, DAY) == state
    # A document of before the expiry comes late, and would have taken all 14 that lapsed: they come back first.
    earlier = DAY.plus(-3)
    late = [named(7, "redeem", -14)._replace(business_date=earlier)]
    given = unexpire_entries(state, late, DAY, bytes(16), on=earlier)
    assert [entry.amount for entry in given] == [14]
    after = fold(fold(state, given), late)
    assert [(lot.origin.event[0], lot.remaining) for lot in after.lots] == [(5, 10)]
    assert as_good(after, earlier) == after


def test_an_owners_event_has_the_same_id_for_the_same_cause() -> None:
    member, other = bytes(16), bytes([1]) * 16
    once = owner_event_id(member, "expire:2026-03-10")
    assert len(once) == 16
    assert once == owner_event_id(member, "expire:2026-03-10")
    assert once != owner_event_id(member, "expire:2026-03-11")
    assert once != owner_event_id(other, "expire:2026-03-10")
