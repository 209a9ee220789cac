"""The kiosk's shut store for the tests of this folder."""

from __future__ import annotations

from tests.app.kiosk import kiosk, made_template, template

__all__ = ["kiosk", "made_template", "template"]
