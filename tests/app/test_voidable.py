"""What of a shift can be voided: all of it however long the shift, and nothing that `void` would refuse."""

from __future__ import annotations

from app.queries.counter import document_by_number, voidable_of_shift
from app.usecases.void import preview_void
from tests.app.kiosk import Kiosk


def test_only_what_can_be_voided_is_listed(kiosk: Kiosk) -> None:
    plain = kiosk.quote_and_sell().result.event_id
    voided = kiosk.quote_and_sell().result.event_id
    kiosk.undo(voided)
    returned = kiosk.quote_and_sell(5000, quantity=3).result.event_id
    first = kiosk.take_back(returned).result.event_id
    second = kiosk.take_back(returned).result.event_id
    assert [each.event_id for each in voidable_of_shift(kiosk.ctx)] == [second, plain]
    kiosk.undo(second)
    assert [each.event_id for each in voidable_of_shift(kiosk.ctx)] == [first, plain]
    kiosk.undo(first)
    assert [each.event_id for each in voidable_of_shift(kiosk.ctx)] == [returned, plain]
    for each in voidable_of_shift(kiosk.ctx):
        preview_void(kiosk.ctx, each.event_id)


def test_a_long_shift_is_read_to_its_beginning(kiosk: Kiosk) -> None:
    sold = [kiosk.quote_and_sell(member=False).result.event_id for _ in range(55)]
    page = voidable_of_shift(kiosk.ctx)
    assert [each.event_id for each in page] == sold[:-51:-1]
    rest = voidable_of_shift(kiosk.ctx, older_than=page[-1].seq)
    assert [each.event_id for each in rest] == sold[4::-1]


def test_a_document_is_found_by_the_running_part_of_its_number(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    running = sold.receipt_no.split("-")[1]
    for typed in (running, str(int(running)), sold.receipt_no, f" {sold.receipt_no.lower()} "):
        assert document_by_number(kiosk.ctx, typed).event_id == sold.event_id
