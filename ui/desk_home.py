"""What the home page asks of the product. The call blocks: it is made on the report lane."""

from __future__ import annotations

from app.build import Till
from app.context import Session
from app.usecases.read_home import Home, read_home


class HomeDesk:
    """The home of one till. It may raise Refused or Unavailable."""

    def __init__(self, till: Till) -> None:
        self._ctx = till.context

    def read(self, session: Session) -> Home:
        return read_home(self._ctx, session)
