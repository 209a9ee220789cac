"""The second calculator: the rules once more, by Fraction and the plainest bookkeeping.

It imports nothing of app.domain. Objects are read by attribute or key only, so that the golden
writer can feed it JSON and the machine can feed it documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor
from typing import Any


def round_by(value: Fraction, mode: str) -> int:
    """Round a value that is not negative."""
    down = floor(value)
    rest = value - down
    if mode == "floor" or rest == 0:
        return down
    if mode == "ceiling" or rest > Fraction(1, 2):
        return down + 1
    if rest < Fraction(1, 2):
        return down
    return down + 1 if mode == "half_up" or down % 2 else down


def share_out(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Largest remainder; ties to the earlier one."""
    whole = sum(weights, Fraction(0))
    if whole == 0:
        return [0 for _ in weights]
    exact = [total * weight / whole for weight in weights]
    parts = [floor(value) for value in exact]
    while sum(parts) < total:
        best = max(
            range(len(parts)), key=lambda n: (exact[n] - parts[n] < 1, exact[n] - parts[n], -n)
        )
        parts[best] += 1
    return parts


def kept_points(
    lines: Iterable[tuple[int, int, int, Fraction]],
    rounding: str,
    cap_per_sale: int | None,
    day_room: int | None,
) -> int:
    """E of (base, kept, sold, points per minor unit) lines under stored terms."""
    raw = sum(
        (floor(Fraction(base * kept, sold)) * rate for base, kept, sold, rate in lines), Fraction(0)
    )
    points = round_by(raw, rounding)
    return min([points, *(cap for cap in (cap_per_sale, day_room) if cap is not None)])


def points_of_document(document: Any, kept: Sequence[int] | None = None) -> int:
    """What a sale document's stored figures earn while `kept` units are kept (all by default)."""
    terms = document.earn_terms
    units = [line.request.quantity for line in document.lines] if kept is None else kept
    return kept_points(
        [
            (
                line.earn_base_minor,
                units[n],
                line.request.quantity,
                Fraction(line.rate_points, line.rate_minor),
            )
            for n, line in enumerate(document.lines)
        ],
        terms.rounding,
        terms.cap_per_sale,
        terms.day_room,
    )


def given_back(document: Any, kept: Sequence[int]) -> tuple[int, int, int]:
    """(points taken back, points restored, money) once only `kept` units are kept."""

    def part(amount: int, n: int) -> int:
        return floor(Fraction(amount * kept[n], document.lines[n].request.quantity))

    taken = document.points_earned - points_of_document(document, kept)
    shares = [line.points_share_minor for line in document.lines]
    whole = sum(shares)
    returned = sum(share - part(share, n) for n, share in enumerate(shares))
    restored = floor(Fraction(document.points_spent * returned, whole)) if whole else 0
    money = sum(
        share - part(share, n) for row in document.tender_shares for n, share in enumerate(row)
    )
    return taken, restored, money


class Book:
    """The fold once more: every point is its own coin, told apart by lot, debit and owner's order.

    Slow and plain: a coin is [origin, expires, available_from, place, where], where `where` is None
    in a lot or the debit that took it. Debts are coins owed, listed oldest first.
    """

    def __init__(self) -> None:
        self.coins: list[list[Any]] = []
        self.taken: dict[Any, list[list[Any]]] = {}
        self.owed: list[Any] = []
        self.undo: dict[Any, list[tuple[Any, list[Any] | None, Any]]] = {}
        self.place = 0

    def post(self, entry: Any) -> None:
        """Apply one points entry."""
        self.place += 1
        refers, back = entry.refers_to, entry.kind
        if entry.amount > 0 and back in ("reverse", "unexpire") and refers is not None:
            for _ in range(entry.amount):
                self._restore_one(entry)
        elif entry.amount > 0:
            start = entry.business_date if entry.available_from is None else entry.available_from
            for _ in range(entry.amount):
                self._settle([entry.id, entry.expires, start, self.place], refers)
        elif back in ("reverse", "expire") and refers is not None:
            for _ in range(-entry.amount - self._take_back_own(entry)):
                self._take_back_one(entry)
            self._finish_undo(entry)
        else:
            self._spend(entry.id, -entry.amount, entry.business_date)

    def _settle(self, coin: list[Any], named: Any = None) -> None:
        """A coin pays the named debt, else the oldest, else lies in its lot."""
        if named in self.owed:
            debit = named
        elif self.owed:
            debit = self.owed[0]
        else:
            self.coins.append(coin)
            return
        self.owed.remove(debit)
        self.taken.setdefault(debit, []).append(coin)

    def _spend(self, debit: Any, amount: int, on: Any) -> None:
        def rank(coin: list[Any]) -> tuple[int, Any, Any, int]:
            if coin[2] > on:
                return (1, coin[2], coin[1], coin[3])
            return (0 if coin[1] >= on else 2, coin[1], 0, coin[3])

        self.coins.sort(key=rank)
        gone, self.coins = self.coins[:amount], self.coins[amount:]
        self.taken.setdefault(debit, []).extend(gone)
        missing = amount - len(gone)
        at = next((n for n, each in enumerate(self.owed) if each == debit), None)
        if at is None:
            self.owed.extend([debit] * missing)
        else:
            self.owed[at:at] = [debit] * missing

    def _restore_one(self, entry: Any) -> None:
        debit, log = entry.refers_to, self.undo.setdefault(entry.id, [])
        if debit in self.owed:
            self.owed.remove(debit)
            log.append((debit, None, None))
            return
        taken = self.taken.get(debit)
        if not taken:
            own = entry.expires
            if own is None:
                own = entry.business_date if entry.minimum_expiry is None else entry.minimum_expiry
            self._settle([entry.id, own, entry.business_date, self.place])
            return
        coin = taken.pop()
        later = coin[1] if entry.minimum_expiry is None else max(coin[1], entry.minimum_expiry)
        log.append((debit, coin, later))
        self._settle([coin[0], later, coin[2], coin[3]])

    def _take_back_own(self, entry: Any) -> int:
        """The credit's own coins go first, those of the lot that an expire names before others."""
        own = [coin for coin in self.coins if coin[0] == entry.refers_to]
        own.sort(key=lambda c: (entry.kind != "expire" or c[1] != entry.expires, c[1]))
        first = own[: -entry.amount]
        gone = {id(coin) for coin in first}
        self.coins = [coin for coin in self.coins if id(coin) not in gone]
        self.taken.setdefault(entry.id, []).extend(first)
        return len(first)

    def _take_back_one(self, entry: Any) -> None:
        log = self.undo.get(entry.refers_to)
        if log:
            self.undo.setdefault(("again", entry.id), []).append(log.pop())
            return
        self.undo.setdefault(("rest", entry.id), []).append((None, None, None))

    def _finish_undo(self, entry: Any) -> None:
        """First the coins that still lie where the restore put them, then the rest is spent anew."""
        again = self.undo.pop(("again", entry.id), [])
        anew: list[Any] = []
        for debit, coin, later in again:
            lying = None
            if coin is not None:
                lying = next((c for c in self.coins if c[0] == coin[0] and c[1] == later), None)
            if lying is None or coin is None:
                anew.append(debit)
                continue
            self._remove(lying)
            self.taken.setdefault(debit, []).append(coin)
        if anew:
            self._spend(anew[0], len(anew), entry.business_date)
        rest = len(self.undo.pop(("rest", entry.id), []))
        if rest:
            self._spend(entry.id, rest, entry.business_date)

    def _remove(self, coin: list[Any]) -> None:
        """Take away one coin that is this very object."""
        at = next(n for n, each in enumerate(self.coins) if each is coin)
        del self.coins[at]

    def lots(self) -> dict[tuple[Any, Any], int]:
        """Coins in lots by (origin, expires)."""
        found: dict[tuple[Any, Any], int] = {}
        for coin in self.coins:
            found[coin[0], coin[1]] = found.get((coin[0], coin[1]), 0) + 1
        return found

    def debts(self) -> dict[Any, int]:
        """Coins owed by debit."""
        found: dict[Any, int] = {}
        for debit in self.owed:
            found[debit] = found.get(debit, 0) + 1
        return found


LARGEST_BOOK = 6_000
"""Coins are slow; ledgers that move more points are left to the other checks."""


def check_ledger(entries: Sequence[Any], state: Any) -> bool:
    """The coins of a whole ledger lie where the fold's lots and debts say. False: too many coins."""
    points = [entry for entry in entries if entry.asset == "points"]
    if sum(abs(entry.amount) for entry in points) > LARGEST_BOOK:
        return False
    book = Book()
    for entry in points:
        book.post(entry)
    assert book.lots() == {(lot.origin, lot.expires): lot.remaining for lot in state.lots}
    assert book.debts() == {debt.debit: debt.amount for debt in state.debts}
    return True
