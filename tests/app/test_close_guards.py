"""Each look that a close of a day takes before it signs, and that its proof and its backup take, on its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app import posting
from app.approvals import Ask
from app.backup import Backup, make
from app.build import NewStaff, add_staff
from app.context import Session
from app.domain.entries import owner_event_id
from app.domain.errors import Refusal, Refused
from app.domain.rights import StaffRole
from app.queries.attention import needs
from app.usecases import close_day as closing_of_days
from app.usecases.approve import Approve, approve
from app.usecases.back_up import NoteBackup, note_backup
from app.usecases.close_day import (
    BeginClose,
    CloseDay,
    Closing,
    OpenItem,
    Proof,
    again,
    begin,
    close_day,
    closed_unseen,
    date_to_close,
    open_items,
    prove,
)
from app.usecases.close_unattended import close_all
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import post_all
from app.usecases.sign_in import new_verifier
from db import staff_rows, till
from tests.app.closing import (
    agreed,
    begun,
    closed,
    count_and_close,
    event_of,
    finished,
    next_day,
)
from tests.app.kiosk import Kiosk
from tests.app.mending import codes, lose_log, without_triggers
from tests.app.test_close_day import opened_as_it_lies
from tests.app.test_owner_postings import last_good_date, members_who_bought, shut, silver
from tests.app.test_verify import raw


def refusal(act: Callable[[], object]) -> Refusal:
    """Why an act was refused."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def ready(kiosk: Kiosk) -> CloseDay:
    """A close of which only the last step is missing; one event, the backup's, came after its proof."""
    closing = begun(kiosk)
    proof = prove(kiosk.ctx)
    made = note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), make(kiosk.ctx))).result
    return CloseDay(closing, proof, None, made)


# Who begins, over what ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["auditor", "head_office"])
def test_who_only_reads_begins_no_close(kiosk: Kiosk, role: StaffRole) -> None:
    count_and_close(kiosk)
    salt, hash_ = new_verifier(kiosk.ctx.data_key, "135791")
    reader = staff_rows.StaffRow(kiosk.ctx.ids(), "rd", "R", role, None, salt, hash_, 1)
    with kiosk.ctx.write_rows() as conn:
        staff_rows.put_staff(conn, reader)
    assert refusal(lambda: begun(kiosk, session=Session(reader.id, None))) is Refusal.NOT_ALLOWED


def test_a_slip_that_may_have_printed_is_open_with_a_printer_or_without(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    with kiosk.ctx.write_rows() as conn:
        (job, *_) = till.waiting_jobs(conn)
        till.set_job_state(conn, job.id, state="uncertain", problem=None, attempt=True)
    assert open_items(kiosk.ctx) == (OpenItem("slips_doubtful", 1),)


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_every_slip_that_is_not_on_paper_waits_where_there_is_a_printer(
    kiosk: Kiosk, state: str
) -> None:
    kiosk.quote_and_sell()
    kiosk.quote_and_sell()
    settings = kiosk.ctx.settings
    kiosk.ctx.settings = replace(settings, receipt=replace(settings.receipt, printer="file:/x"))
    with kiosk.ctx.write_rows() as conn:
        first, *others = till.waiting_jobs(conn)
        till.set_job_state(conn, first.id, state=state, problem=None, attempt=True)
    assert open_items(kiosk.ctx) == (OpenItem("slips_waiting", 1 + len(others)),)


# The last step ----------------------------------------------------------------------------------------


def test_a_fault_that_nobody_signed_for_stops_the_close(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    found = replace(step, proof=replace(step.proof, faults=1))
    assert refusal(lambda: close_day(kiosk.ctx, found)) is Refusal.DAY_OPEN_ITEMS
    assert close_day(kiosk.ctx, step).result.number == 1


def test_who_signed_for_one_fault_did_not_sign_for_two(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    command = replace(again(begun(kiosk), OpenItem("faults", 1)), reason="looked_into")
    agreed(kiosk, command)
    step = replace(ready(kiosk), closing=begin(kiosk.ctx, command))
    two, one = (replace(step, proof=replace(step.proof, faults=n)) for n in (2, 1))
    assert refusal(lambda: close_day(kiosk.ctx, two)) is Refusal.DAY_OPEN_ITEMS
    assert close_day(kiosk.ctx, one).result.number == 1


def over_a_cart(kiosk: Kiosk) -> tuple[CloseDay, bytes]:
    """A close of which only the last step is missing, over an open sale; and the manager who signed."""
    count_and_close(kiosk)
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(100),)))
    on = date_to_close(kiosk.ctx)
    assert on is not None
    command = BeginClose(kiosk.ctx.ids(), kiosk.session, on, "left_for_tomorrow")
    manager = agreed(kiosk, command)
    closing = begin(kiosk.ctx, command)
    return CloseDay(closing, prove(kiosk.ctx), None, None), manager


def backed_up(kiosk: Kiosk, step: CloseDay) -> CloseDay:
    made = note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), make(kiosk.ctx))).result
    return replace(step, backup=made)


def test_a_close_that_nobody_began_is_not_signed_for_by_saying_so(kiosk: Kiosk) -> None:
    """The items that are said to be signed for are looked up where the second person's yes is kept."""
    step, _ = over_a_cart(kiosk)
    command = replace(step.closing.command, command_id=kiosk.ctx.ids())
    forged = backed_up(kiosk, replace(step, closing=replace(step.closing, command=command)))
    assert refusal(lambda: close_day(kiosk.ctx, forged)) is Refusal.APPROVAL_NEEDED


def test_a_yes_for_one_thing_signs_for_no_other(kiosk: Kiosk) -> None:
    step, _ = over_a_cart(kiosk)
    other = (OpenItem("faults", 1),)
    keep_cart(kiosk.ctx, OpenCart())
    found = replace(step, proof=replace(step.proof, faults=1))
    forged = backed_up(kiosk, replace(found, closing=replace(step.closing, signed=other)))
    assert refusal(lambda: close_day(kiosk.ctx, forged)) is Refusal.APPROVAL_NEEDED


def test_who_signed_and_left_the_shop_before_the_end_has_not_signed(kiosk: Kiosk) -> None:
    step, manager = over_a_cart(kiosk)
    step = backed_up(kiosk, step)
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET active = 0 WHERE id = ?", (manager,))
    assert refusal(lambda: close_day(kiosk.ctx, step)) is Refusal.APPROVAL_NEEDED


def test_who_lost_the_right_before_the_end_closes_nothing(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'auditor' WHERE id = ?", (kiosk.session.staff_id,))
    assert refusal(lambda: close_day(kiosk.ctx, step)) is Refusal.NOT_ALLOWED


def test_a_yes_in_time_lasts_through_steps_that_take_minutes(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, manager = over_a_cart(kiosk)
    step = backed_up(kiosk, step)
    later = time.monotonic() + 600
    monkeypatch.setattr(kiosk.ctx.approvals, "_monotonic", lambda: later)
    doc = event_of(kiosk, close_day(kiosk.ctx, step).result.event_id).doc
    assert doc["approval"] == {"by": manager.hex(), "right": "close_over_open"}
    assert doc["open"] == [["cart", 1]]


def test_events_that_do_not_join_the_proof_stop_the_close(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    elsewhere = replace(step, proof=replace(step.proof, head=bytes(32)))
    assert refusal(lambda: close_day(kiosk.ctx, elsewhere)) is Refusal.DAY_PROOF_OLD


def test_a_gap_after_the_proof_stops_the_close(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    with without_triggers(kiosk) as conn:
        conn.execute("UPDATE event SET seq = seq + 5 WHERE seq = (SELECT max(seq) FROM event)")
        conn.execute(
            "UPDATE event_mac SET seq = seq + 5 WHERE seq = (SELECT max(seq) FROM event_mac)"
        )
    assert refusal(lambda: close_day(kiosk.ctx, step)) is Refusal.DAY_PROOF_OLD


def test_more_events_after_the_proof_than_are_walked_ask_for_another(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    monkeypatch.setattr(closing_of_days, "TAIL_MOST", 0)
    assert refusal(lambda: close_day(kiosk.ctx, step)) is Refusal.DAY_PROOF_OLD
    monkeypatch.setattr(closing_of_days, "TAIL_MOST", 1)
    assert close_day(kiosk.ctx, step).result.number == 1


def test_a_member_who_is_attached_and_buys_nothing_is_no_unfinished_sale(kiosk: Kiosk) -> None:
    keep_cart(kiosk.ctx, OpenCart(member_id=kiosk.member_id.hex()))
    assert open_items(kiosk.ctx) == ()
    keep_cart(kiosk.ctx, OpenCart(member_id=kiosk.member_id.hex(), typed_amount="12"))
    assert open_items(kiosk.ctx) == (OpenItem("cart", 1),)
    with kiosk.ctx.write_rows() as conn:
        till.save_cart(conn, "of another version", updated_us=0)
    assert open_items(kiosk.ctx) == (OpenItem("cart", 1),)


def test_two_who_began_the_same_date_close_it_once(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    late = ready(kiosk)
    finished(kiosk, begun(kiosk))
    assert refusal(lambda: close_day(kiosk.ctx, late)) is Refusal.DAY_NOTHING_TO_CLOSE


def test_a_shift_that_opened_since_the_beginning_stops_the_close(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    step = ready(kiosk)
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    assert refusal(lambda: close_day(kiosk.ctx, step)) is Refusal.SHIFT_OPEN


# By itself ----------------------------------------------------------------------------------------------


def test_a_missed_date_is_closed_while_the_shift_of_today_stays_open(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    next_day(kiosk)
    (done,) = close_all(kiosk.ctx).closed
    assert done.on.iso() == "2026-11-21"
    assert kiosk.quote_and_sell().result.seq > 0


def test_a_close_by_itself_is_told_once_and_one_with_somebody_never(kiosk: Kiosk) -> None:
    closed(kiosk)
    assert closed_unseen(kiosk.ctx) == ()
    next_day(kiosk)
    kiosk.clock.now += timedelta(days=1)
    (done,) = close_all(kiosk.ctx).closed
    assert closed_unseen(kiosk.ctx) == (done,)
    assert closed_unseen(kiosk.ctx) == ()


def test_each_close_by_itself_is_told_whatever_was_closed_since(kiosk: Kiosk) -> None:
    """Nobody signed in between: an uncounted drawer, a whole close by somebody, and one by itself again."""
    kiosk.clock.now += timedelta(days=1)
    (first,) = close_all(kiosk.ctx).closed
    assert first.uncounted == 1
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    closed(kiosk)
    next_day(kiosk)
    count_and_close(kiosk)
    kiosk.clock.now += timedelta(days=1)
    (last,) = close_all(kiosk.ctx).closed
    assert last.uncounted == 0
    assert closed_unseen(kiosk.ctx) == (first, last)


# The owner's postings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ["expire", "review"])
def test_what_lapses_after_the_booking_of_its_date_waits_for_the_next(
    kiosk: Kiosk, cause: str
) -> None:
    if cause == "expire":
        (member,) = members_who_bought(kiosk, 1)
        on = last_good_date(kiosk)
        shut(kiosk)
    else:
        member, until = silver(kiosk)
        on = until.plus(400)
        owed = owner_event_id(member, f"expire:{on.iso()}")
        _book(kiosk, posting.EXPIRE, owed, member, int(on))
    kind = posting.EXPIRE if cause == "expire" else posting.TIER_REVIEW
    _book(kiosk, kind, owner_event_id(member, f"{cause}:{on.iso()}"), member, int(on))
    done = post_all(kiosk.ctx, on, None)
    assert (done.members, done.lowered) == (0, 0)
    after = post_all(kiosk.ctx, on.plus(1), on)
    assert (after.members, after.lowered) == ((1, 0) if cause == "expire" else (1, 1))


def _book(kiosk: Kiosk, kind: str, event_id: bytes, member: bytes, on: int) -> None:
    """A booking of its date that found nothing to move."""
    with kiosk.ctx.write(event_id) as tx:
        tx.record(
            kind, event_id=event_id, session=None, business_date=kiosk.ctx.business_date(),
            member_id=member, doc={"due": on, "tier_code": "silver"},
        )  # fmt: skip


def test_what_is_open_is_signed_for_by_a_manager_and_by_no_two_below(kiosk: Kiosk) -> None:
    count_and_close(kiosk)
    command = replace(again(begun(kiosk), OpenItem("faults", 1)), reason="looked_into")
    today = kiosk.ctx.business_date()
    supervisor = add_staff(kiosk.ctx, NewStaff("sv", "苏微", "supervisor", "864209"), today=today)
    with pytest.raises(Refused) as caught:
        begin(kiosk.ctx, command)
    ask = caught.value.offer
    assert isinstance(ask, Ask)
    kiosk.ctx.approvals.give(ask, supervisor)
    assert refusal(lambda: begin(kiosk.ctx, command)) is Refusal.APPROVAL_NEEDED
    assert (
        refusal(lambda: approve(kiosk.ctx, Approve(ask, "sv", "864209"))) is Refusal.APPROVAL_RANK
    )
    agreed(kiosk, command)
    begin(kiosk.ctx, command)


def test_a_date_whose_journal_lost_an_event_is_closed_over_a_signature(kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.quote_and_sell()
    count_and_close(kiosk)
    lost = len(kiosk.events()) - 6
    with raw(kiosk) as conn:
        conn.execute("DELETE FROM event WHERE seq = ?", (lost,))
    kiosk.till = opened_as_it_lies(kiosk)
    proof = prove(kiosk.ctx)
    assert proof.faults > 0
    command = replace(again(begun(kiosk), OpenItem("faults", proof.faults)), reason="looked_into")
    agreed(kiosk, command)
    step = backed_up_over_faults(kiosk, begin(kiosk.ctx, command), proof)
    doc = event_of(kiosk, close_day(kiosk.ctx, step).result.event_id).doc
    assert ["faults", proof.faults] in doc["open"]
    assert doc["proof"]["events"] == kiosk.events()[-1].seq - 1


def backed_up_over_faults(kiosk: Kiosk, closing: Closing, proof: Proof) -> CloseDay:
    """No backup counts that has such a fault: it is as if one had been made."""
    made = Backup(kiosk.folder / "backups" / "none", 1, bytes(32), bytes(32))
    return CloseDay(closing, proof, None, made)


def test_a_till_that_closes_by_itself_over_differences_says_so_until_it_is_read(
    kiosk: Kiosk,
) -> None:
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(days=1)
    with kiosk.ctx.write_rows() as conn:
        conn.execute("UPDATE document SET total_minor = total_minor + 1 WHERE kind = 'sale'")
    (closed_alone,) = close_all(kiosk.ctx).closed
    (found,) = [need for need in needs(kiosk.ctx) if need.kind == "incident"]
    assert (found.code, found.facts) == (
        "close_differs",
        {"number": f"{closed_alone.number:06d}", "date": closed_alone.on.iso(), "count": 1},
    )


@pytest.mark.parametrize("is_log_lost", [False, True])
def test_a_z_says_what_all_runs_of_its_postings_came_to(kiosk: Kiosk, is_log_lost: bool) -> None:
    """The first run was broken off after its postings, by a proof that failed or a kill; where the log is lost
    too, they come back from the journal file."""
    sold = kiosk.quote_and_sell(40000).result
    kiosk.end_shift()
    kiosk.clock.now += timedelta(days=sold.document.expires - kiosk.ctx.business_date())
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    kiosk.end_shift()
    finished(kiosk, begun(kiosk))
    closing = begun(kiosk)
    first = post_all(kiosk.ctx, closing.command.on, closing.since)
    assert (first.members, first.points) == (1, 400)
    if is_log_lost:
        lose_log(kiosk)
        kiosk.open()
        assert "events_replayed" in codes(kiosk)
    doc = event_of(kiosk, finished(kiosk, closing).event_id).doc
    assert (doc["owner"]["members"], doc["owner"]["points"]) == (1, 400)
    assert doc["sums"]["expired"] == 400
    next_day(kiosk)
    doc = event_of(kiosk, closed(kiosk).event_id).doc
    assert doc["owner"] == {"members": 0, "points": 0, "raised": 0, "lowered": 0, "kept": 0}
