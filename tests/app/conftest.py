"""The small shop for the tests of this folder."""

from __future__ import annotations

from tests.app.small_shop import shop, template

__all__ = ["shop", "template"]
