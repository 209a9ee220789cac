"""Folders that somebody typed: whether one is there, and whether anything can be written into it.

The answer may take its time (a stick, a share on the network): never asked on the counter's lane.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

Problem = Literal["", "gone", "read_only"]


def folder_problem(text: str) -> Problem:
    """What keeps files out of a folder; "" for a good one, and for none at all. It is tried, since rights
    alone don't say it: a stick may be write-protected."""
    if not text:
        return ""
    folder = Path(text)
    if not folder.is_absolute() or not folder.is_dir():
        return "gone"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError:
        return "read_only"
