"""The kiosk's shut store for the tests of this folder."""

from __future__ import annotations

from tests.app.kiosk import made_template, template

__all__ = ["made_template", "template"]
