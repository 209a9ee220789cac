"""Versions of a chain's programme: published once as reference data, which every till of the chain gets.

A version never changes; going back to an older one publishes it anew under the next number. Who may publish
is the console's and the operator's to decide. Called inside the store's `reading()` and `writing()`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.programme import Programme
from app.domain.programme_checks import ProgrammeError
from app.domain.programme_plain import programme_from_plain, programme_to_plain
from app.domain.programme_versions import CHAIN_FROM, check_publish
from app.protocol.events import encode
from app.protocol.references import REFERENCE_BUCKET, is_programme, programme_key
from app.protocol.store import Store
from app.protocol.wire import ReferenceRow

SETS_MOST: Final = 100_000
"""No chain has more sets of reference data."""


PARSED_MOST: Final = 500
"""Versions that are kept read, of all chains."""


class Published(NamedTuple):
    """A version as tills get it; `body` is its JSON."""

    programme: Programme
    body: bytes

    @property
    def version(self) -> int:
        """Its number, CHAIN_FROM or higher."""
        return self.programme.version


def published(store: Store) -> tuple[Published, ...]:
    """All versions of the chain, oldest first."""
    rows = store.rows(REFERENCE_BUCKET, 0, SETS_MOST)
    found = [
        Published(_parsed(row.body), row.body)
        for row in rows
        if isinstance(row, ReferenceRow) and row.body is not None and is_programme(row.key)
    ]
    return tuple(sorted(found, key=lambda each: each.version))


@lru_cache(maxsize=PARSED_MOST)
def _parsed(body: bytes) -> Programme:
    """A version never changes, and every order asks for all of them."""
    return programme_from_plain(json.loads(body))


def check(document: object, known: Sequence[Published], today: BusinessDate) -> Programme:
    """`document` as the chain's next version, whatever number it names.

    Raises ProgrammeError, with the field's path, and Refused(PROGRAMME_STARTS_IN_PAST | PROGRAMME_START_TAKEN).
    """
    version = max([CHAIN_FROM - 1, *(each.version for each in known)]) + 1
    numbered: Any = {**document, "version": version} if isinstance(document, dict) else document
    programme = programme_from_plain(numbered)
    check_publish(programme, [each.programme for each in known], today)
    if known:
        _same_money_and_days(programme, known[-1].programme)
    return programme


def publish(store: Store, document: object, today: BusinessDate) -> Published:
    """Publish the chain's next version; tills have it with their next poll. Raises what `check` raises."""
    programme = check(document, published(store), today)
    body = encode(programme_to_plain(programme))
    row = ReferenceRow(
        programme_key(programme.version), REFERENCE_BUCKET, 0, programme.version, body
    )
    store.put_reference(row)
    return Published(programme, body)


def again(old: Published, starts: BusinessDate) -> dict[str, Any]:
    """The document that goes back to an older version on a date."""
    document: dict[str, Any] = json.loads(old.body)
    return {**document, "starts": starts.iso()}


def _same_money_and_days(new: Programme, last: Programme) -> None:
    """Balances are counted in one currency, and a business date is the same day at every till."""
    if new.currency != last.currency:
        raise ProgrammeError("$.currency", "changed")
    if new.cut_off_minute != last.cut_off_minute:
        raise ProgrammeError("$.cut_off_minute", "changed")
