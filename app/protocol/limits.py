"""What a tenant sets for its tills and its head office. Plain figures."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """What the tenant sets. Amounts in points, times in milliseconds.

    grant_most   g_max        cap   c, of one member under one grant     lease_ms  for so long a grant is good
    visited_days  so long a store's tills hold a member of another bucket whom they saw
    grace_days   head office books an expiry so much later; at least the longest lease
    """

    grant_most: int = 100
    cap: int = 100
    lease_ms: int = 24 * 3_600_000
    grace_days: int = 3
    rebases_a_day: int = 3
    page_rows: int = 200
    frame_rows: int = 200
    """A till that has these members writes some 1,500 rows a second, a page at once; a sale waits for it."""
    visited_days: int = 90
