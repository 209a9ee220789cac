"""Errors of the ground floor as those of the product: the one place where a store's error becomes an outage."""

from __future__ import annotations

from typing import Final

from app.domain.errors import Outage, Unavailable
from db import errors as db_errors

_OUTAGES: Final = {
    db_errors.Busy: Outage.STORE_BUSY,
    db_errors.DiskFull: Outage.STORE_FULL,
    db_errors.ReadOnlyFolder: Outage.STORE_READ_ONLY,
    db_errors.Damaged: Outage.STORE_DAMAGED,
    db_errors.ForeignLog: Outage.STORE_DAMAGED,
    db_errors.NotAStore: Outage.STORE_DAMAGED,
    db_errors.WrongKey: Outage.STORE_KEY_WRONG,
    db_errors.AlreadyExists: Outage.STORE_EXISTS,
    db_errors.StoreMissing: Outage.STORE_MISSING,
    db_errors.NewerSchema: Outage.STORE_TOO_NEW,
    db_errors.MigrationChanged: Outage.STORE_TOO_NEW,  # of another build than this one
    db_errors.AlreadyRunning: Outage.STORE_IN_USE,
}


class translated:  # noqa: N801  it reads as a word of the `with` line, like contextlib's own
    """Errors of the ground floor leave as Unavailable; a called-off read leaves as it is."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare: every command passes here, so this is no generator."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        if isinstance(error, db_errors.StoreError) and not isinstance(error, db_errors.Interrupted):
            code = _OUTAGES.get(type(error), Outage.STORE_FAILED)
            raise Unavailable(code, {"why": str(error)}) from error
