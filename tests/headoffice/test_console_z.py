"""One Z in the console: its paper, what proves it, the Zs beside it, and what came behind it."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from app.approvals import Ask
from app.domain.errors import Refused
from app.protocol import facts
from app.protocol.events import Event
from app.slips import slip_of
from app.sync.exchange import Exchange
from app.usecases.open_shift import OpenShift, open_shift
from headoffice import closes, late
from headoffice.console.snapshot import Snapshot
from headoffice.console.z_proofs import Known, prove
from printing.document import Pair, from_json
from tests.app.chain import settle
from tests.app.closing import closed, event_of, manager_of
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.console_browser import OWN, Person, let_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.counters import let_in as join_in
from tests.headoffice.counters import lines, office, till
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    database_of,
    opened,
    rows,
    wait_for,
)
from tests.headoffice.test_console_days import close, shown
from tests.headoffice.test_console_pages import rows_of
from tests.headoffice.test_console_people import page_of

__all__ = ["anna", "at", "kiosk", "lines", "made_template", "office", "template", "till"]

FITS = "The signature fits the figures."
WHOLE = "Head office has each event up to this Z"


@pytest.fixture
def both(till: Kiosk, office: Served, lines: list[Exchange]) -> list[Event]:
    """The closes of a real till that closed two days; the first, while it was not in a chain yet."""
    till.busy_morning()
    first = closed(till)
    exchange = join_in(till, office, lines)
    again = OpenShift(till.ctx.ids(), till.session, 50000)
    with pytest.raises(Refused) as caught:
        open_shift(till.ctx, again)
    assert isinstance(caught.value.offer, Ask)
    till.ctx.approvals.give(caught.value.offer, manager_of(till))
    open_shift(till.ctx, again)
    till.quote_and_sell(5000)
    second = closed(till)
    settle(exchange)
    wait_for(lambda: rows(office.folder, "SELECT count(*) FROM till_close") == [(2,)])
    return [event_of(till, each.event_id) for each in (first, second)]


@pytest.fixture
def olga(office: Served) -> Iterator[Person]:
    """Somebody of the real till's head office."""
    made = Person(office)
    made.begin(let_in(office.folder, "OL", "head_office"))
    yield made
    made.close()


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The slip's labels and values on a page."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text)
    return [(html.unescape(label), html.unescape(value)) for label, value in found]


NAMED = ("Till / cashier", "Shift of")
"""What head office calls otherwise: the till, and people whose initials stay there."""


def test_the_page_of_a_z_says_what_its_paper_says(
    both: list[Event], till: Kiosk, olga: Person
) -> None:
    for event in both:
        with till.ctx.read() as conn:
            printed = slip_of(till.ctx, conn, event)
        assert printed
        shown = pairs_of(olga.look(f"/console/days/{event.id.hex()}").text)
        paper = [block for block in from_json(printed.encode()).blocks if isinstance(block, Pair)]
        assert len(shown) == len(paper) > 15
        for block, (label, value) in zip(paper, shown, strict=True):
            assert label.partition(" ×")[0] == block.second
            assert value == block.value or label in NAMED
        in_file = rows_of(olga.look(f"/console/days/{event.id.hex()}.csv"))
        assert [row for row in in_file if row[0] == "TAKEN"] == [["TAKEN", dict(shown)["TAKEN"]]]


def test_signature_key_and_events_of_real_closes_are_found_whole(
    both: list[Event], olga: Person
) -> None:
    first, second = (olga.look(f"/console/days/{each.id.hex()}").text for each in both)
    for page in (first, second):
        assert FITS in page
        assert WHOLE in page
    assert "same key as the Z before" in second
    assert "the Z before" not in first
    assert f'After: <a href="/console/days/{both[1].id.hex()}">' in first
    assert f'Before: <a href="/console/days/{both[0].id.hex()}">' in second
    assert "Nothing of its date came after it." in second


def test_a_close_that_was_altered_is_told(both: list[Event], office: Served) -> None:
    """As its head office would tell, were the Z another one, or an event gone."""
    device = both[0].device
    with office.office.place.reading(TENANT) as plain:
        snapshot = Snapshot(plain, TENANT)
        found = [closes.one(plain, TENANT, each.id) for each in both]
        first, second = (
            Known(each, event) for each, event in zip(found, both, strict=True) if each
        )
        sums = {**second.event.doc["sums"], "paid": 1}
        altered = replace(second.event, doc={**second.event.doc, "sums": sums})
        assert prove(snapshot, second, first) == ("fits", "fits", "fits")
        assert prove(snapshot, second._replace(event=altered), first).signature == "differs"
        other = replace(first.event, doc={**first.event.doc, "key": "00" * 32})
        assert prove(snapshot, second, first._replace(event=other)).key == "differs"
        bodies = Snapshot.bodies

        class Lacking(Snapshot):
            def bodies(self, device: bytes, epoch: int, after: int, to: int) -> Sequence[bytes]:
                return [
                    each for each in bodies(self, device, epoch, after, to) if b'"sale"' not in each
                ]

        lacking = Lacking(plain, TENANT)
        assert prove(lacking, second, first).events == "differs"
        assert prove(lacking, first, None).events == "differs"
        assert lacking.bodies(device, 1, 0, 1)


def sold(sender: HttpTill, days_ago: int, paid: int, issued: int, number: int) -> Event:
    """A till sells to a member, on a date."""
    on = int(sender.today.plus(-days_ago))
    sale = {
        "lines": [], "tier_rank": None, "gross_minor": paid, "discount_minor": 0,
        "points_value_minor": 0, "to_pay_minor": paid, "tenders": [["cash", paid, paid]], "tax": [],
    }  # fmt: skip
    entry = [0, "points", "earn", issued, on, on, on + 300]
    event = Event(
        bytes([number]) * 16, b"c" * 16, sender.device, 1, 1, "sale", 1_790_000_000_000_000 + number, 480,
        on, None, None, ANNA, None, [entry], {"sale": sale, "receipt_no": f"R{number}"},
    )  # fmt: skip
    body = event.to_bytes()
    sender.at.commit(facts.read(body), body)
    sender.sync()
    return event


def count_late(at: Served) -> list[tuple[int]]:
    return rows(at.folder, "SELECT count(*) FROM late_event")


def test_what_comes_behind_a_z_is_marked_with_what_it_changes(at: Served, anna: Person) -> None:
    sender = at.till(1)
    sold(sender, 3, 900, 9, 1)
    first = close(sender, 1, 3)
    sold(sender, 2, 5_000, 50, 2)
    close(sender, 2, 2)
    sold(sender, 3, 1_250, 12, 3)
    sold(sender, 2, 100, 1, 4)
    sold(sender, 3, 750, 7, 5)
    sold(sender, 1, 9_999, 99, 6)
    wait_for(lambda: count_late(at) == [(3,)])
    told = "1 document came behind it: sales ¥1.00, points out 1, points in 0"
    newest, older = (
        shown(at, anna, 2)[1:] if shown(at, anna, 2)[0][0] == "–" else shown(at, anna, 2)
    )
    assert newest[4] == told
    assert older[4] == "2 documents came behind it: sales ¥20.00, points out 19, points in 0"
    page = anna.look(f"/console/days/{first.hex()}").text
    assert "Together: sales ¥20.00, points out 19, points in 0." in page
    (_, *found) = rows_of(anna.look(f"/console/days/{first.hex()}/late.csv"))
    assert [(row[0], row[1], row[3], row[4]) for row in found] == [
        ("Sale", "R3", "¥12.50", "12"), ("Sale", "R5", "¥7.50", "7"),
    ]  # fmt: skip


def test_what_a_till_sends_again_in_a_new_epoch_is_not_late(at: Served) -> None:
    sender = at.till(1)
    before = sold(sender, 3, 900, 9, 1)
    close(sender, 1, 3)
    after = sold(sender, 3, 100, 1, 2)
    wait_for(lambda: count_late(at) == [(1,)])
    with contextlib.closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        late.take(database, TENANT, sender.device, replace(before, epoch=1, seq=1))
        for seq, each in enumerate((before, after), 1):
            late.take(database, TENANT, sender.device, replace(each, epoch=2, seq=seq))
    assert rows(at.folder, "SELECT event_id FROM late_event") == [(after.id,)]
    other = sold(at.till(2), 3, 100, 1, 7)
    with contextlib.closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        late.take(database, TENANT, sender.device, replace(other, epoch=2, seq=3))
    assert count_late(at) == [(2,)]


def test_a_z_of_another_store_or_chain_is_nowhere(at: Served, anna: Person) -> None:
    event = close(at.till(1, "North"), 1, 1)
    shown(at, anna, 1)
    with opened(at.folder) as (_, directory):
        south = next(shop for shop in directory.shops() if shop.name == "South")
    mara = Person(at)
    mara.begin(let_in(at.folder, "MA", "manager"))
    path = f"/console/days/{event.hex()}"
    paths = (path, f"{path}.csv", f"{path}/late.csv")
    assert [mara.look(each).status_code for each in paths] == [200, 200, 200]
    place = page_of(anna, "MA")
    anna.look(place)
    anna.send(f"{place}/role", role="manager", **{f"store-{south.id.hex()}": "1"})
    mara.sign_in("MA", OWN)
    assert [mara.look(each).status_code for each in paths] == [404, 404, 404]
    mara.close()
