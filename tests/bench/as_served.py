"""Python's collector as in the process that serves (headoffice/serving.py), for the time of a measurement."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from headoffice.serving import collect_seldom


@contextlib.contextmanager
def as_served() -> Iterator[None]:
    """Seldom collected inside, as before after it."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
