"""Bringing an older store to this version: the copy beside it, its check, the steps, the sums that they need.

On a big store that takes minutes, so each part tells how far all of it is. What the steps do is db/migrate.py's
and the migrations' own.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Final

from app.context import Context
from app.journal import fsync_folder
from app.percent import Share, part
from app.projections import fill_figures, fill_sums
from db.backup import check_copy, copy_into
from db.engine import Store
from db.migrate import migrate

_COPIED: Final = 45
_CHECKED: Final = 60
_STEPPED: Final = 80
_FIGURED: Final = 96
_ALL: Final = 100
"""Percent after each part, a rough share of the time that it takes; the rest are the sums."""


def upgrade(store: Store, share: Share) -> bool:
    """Apply the steps that the store lacks; returns whether there were any.

    Raises the errors of db/errors.py; a step that fails is undone.
    """
    before = partial(_keep_copy, store, share)
    return bool(migrate(store, before=before, stepped=part(share, _CHECKED, _STEPPED)))


def fill(ctx: Context, share: Share) -> None:
    """The sums that steps left to be filled. Raises Unavailable; goes on where it was stopped."""
    fill_figures(ctx, part(share, _STEPPED, _FIGURED))
    fill_sums(ctx, part(share, _FIGURED, _ALL))


def _keep_copy(store: Store, share: Share, found: int, wanted: int) -> None:
    """Before a migration: the whole store as it is, beside it, opened and checked. It stays there."""
    del wanted
    share(0, _ALL)
    target = store.path.with_name(f"{store.path.name}.schema-{found}")
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)  # of a crash in this very place
    had = copy_into(store.path, store.key, fresh, None, part(share, 0, _COPIED))
    check_copy(fresh, store.key, had, progress=part(share, _COPIED, _CHECKED))
    os.replace(fresh, target)
    fsync_folder(target.parent)
