"""What crosses the wire while there is nothing to tell."""

from __future__ import annotations

from app.sync.exchange import POLL_S, Exchange
from app.sync.join import join
from tests.app.chain import settle
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import lines, office, till
from tests.headoffice.http_office import Served, code_for
from tests.headoffice.lossy import lossy

__all__ = ["kiosk", "lines", "made_template", "office", "template", "till"]

IDLE_BYTES_MOST = 1024
"""Both ways, heads and bodies (sync.md G14)."""


def test_a_quiet_poll_of_a_till_that_has_traded_is_small(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.busy_morning()
    with lossy(office.url, 1) as proxy:
        proxy.heal()
        join(till.ctx, proxy.url, code_for(office.folder, "North", "till 1"))
        lines.append(Exchange(till.ctx))
        settle(lines[0])
        proxy.bytes = 0
        heard = lines[0].once()
        assert heard is not None
        assert (heard.again_s, heard.why) == (POLL_S, "")
        assert 0 < proxy.bytes <= IDLE_BYTES_MOST
