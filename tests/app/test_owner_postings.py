"""Expiries and tier reviews as the ledger's owner posts them: in batches, once, and again after any kill."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import cached_fold, posting
from app.domain.business_day import BusinessDate
from app.domain.entries import EntryId, owner_event_id
from app.domain.errors import Refusal, Refused
from app.domain.tiers import upgrade_entry
from app.queries import members
from app.usecases import owner_postings
from app.usecases.enrol import ProfileInput
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import (
    Outlook,
    Progress,
    outlook,
    post_all,
    post_batch,
    posted_on,
    record,
)
from app.usecases.sell import sell
from app.usecases.tidy import tidy
from app.usecases.verify import verify
from db import due, people, rows, states
from tests.app.kiosk import Kiosk, sale_command
from tests.app.mending import codes, lose_log
from tests.app.test_verify import raw

TO_SILVER = 200000


def shut(kiosk: Kiosk) -> None:
    """Nobody sells any more: the shift is over."""
    kiosk.end_shift()


def members_who_bought(kiosk: Kiosk, count: int, minor: int = 36800) -> list[bytes]:
    """New members, each with one sale."""
    found = []
    for n in range(count):
        member_id = kiosk.enrol(ProfileInput(f"Ada {n}", f"1390000{n:04d}")).result.member_id
        sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member_id, minor))
        found.append(member_id)
    return found


def last_good_date(kiosk: Kiosk) -> BusinessDate:
    with kiosk.ctx.read() as conn:
        return BusinessDate(conn.execute("SELECT max(expires) FROM lot").fetchone()[0])


def total_points(kiosk: Kiosk) -> int:
    with kiosk.ctx.read() as conn:
        return int(conn.execute("SELECT sum(points) FROM member_state").fetchone()[0])


def kinds(kiosk: Kiosk) -> list[str]:
    with kiosk.ctx.read() as conn:
        return [row.kind for row in rows.events_after(conn, 0)]


def tier_of(kiosk: Kiosk, member_id: bytes) -> str:
    with kiosk.ctx.read() as conn:
        row = people.member(conn, member_id)
    assert row is not None
    return row.tier


# Expiry ---------------------------------------------------------------------------------------------


def test_points_are_booked_as_expired_at_the_close_of_their_last_date_and_not_before(
    kiosk: Kiosk,
) -> None:
    members_who_bought(kiosk, 3)
    on, before = last_good_date(kiosk), total_points(kiosk)
    assert before > 0
    shut(kiosk)
    assert post_all(kiosk.ctx, on.plus(-1), None).members == 0
    assert total_points(kiosk) == before
    assert outlook(kiosk.ctx, on) == Outlook(3, before)
    done = post_all(kiosk.ctx, on, None)
    assert (done.members, done.points) == (3, before)
    assert total_points(kiosk) == 0
    assert outlook(kiosk.ctx, on) == Outlook(0, 0)
    assert verify(kiosk.ctx).findings == []


def test_a_booking_names_its_date_member_and_programme_and_has_a_derived_id(kiosk: Kiosk) -> None:
    (member,) = members_who_bought(kiosk, 1)
    on = last_good_date(kiosk)
    shut(kiosk)
    post_all(kiosk.ctx, on, None)
    with kiosk.ctx.read() as conn:
        row = rows.event_by_id(conn, owner_event_id(member, f"expire:{on.iso()}"))
        assert row is not None
        event = posting.event_of(row)
        (entry,) = rows.ledger_of_event(conn, row.seq)
    assert (event.kind, event.doc, event.business_date) == ("expire", {"due": int(on)}, int(on))
    assert (event.member_id, event.staff_id, event.programme) == (member, None, 1)
    assert (entry.kind, entry.expires) == ("expire", int(on))


def test_a_booked_expiry_is_shown_at_its_own_instant_never_before_the_member_joined(
    kiosk: Kiosk,
) -> None:
    joined = kiosk.ctx.clock()
    (member,) = members_who_bought(kiosk, 1)
    on = last_good_date(kiosk)
    shut(kiosk)
    assert post_all(kiosk.ctx, on, None).members == 1
    lines = members.ledger(kiosk.ctx, member)
    assert lines[0].kind == "expire"
    assert all(joined < line.at < kiosk.ctx.clock() for line in lines)


def test_posting_again_adds_nothing(kiosk: Kiosk) -> None:
    members_who_bought(kiosk, 2)
    on = last_good_date(kiosk)
    shut(kiosk)
    post_all(kiosk.ctx, on, None)
    events = kiosk.events()
    assert post_all(kiosk.ctx, on, None).members == 0
    assert kiosk.events() == events


def test_a_batch_is_no_larger_than_its_bound_and_all_together_miss_nobody(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    members_who_bought(kiosk, 7)
    on = last_good_date(kiosk)
    shut(kiosk)
    monkeypatch.setattr(owner_postings, "BATCH_MEMBERS", 3)
    progress, sizes = Progress(on, None), []
    while not progress.finished:
        before = progress.members
        progress = post_batch(kiosk.ctx, progress)
        sizes.append(progress.members - before)
    assert sizes[:3] == [3, 3, 1]
    assert total_points(kiosk) == 0


def test_the_counter_sells_between_two_batches(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the next date, whose shift is open: those points are none of this close's business."""
    members = members_who_bought(kiosk, 4)
    on = last_good_date(kiosk)
    shut(kiosk)
    kiosk.clock.now += timedelta(days=int(on) + 1 - int(kiosk.ctx.business_date()))
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    monkeypatch.setattr(owner_postings, "BATCH_MEMBERS", 2)
    progress = post_batch(kiosk.ctx, Progress(on, None))
    assert progress.members == 2
    for member in members:
        sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, 5000))
    while not progress.finished:
        progress = post_batch(kiosk.ctx, progress)
    assert progress.members == 4
    assert total_points(kiosk) == 4 * 50
    assert verify(kiosk.ctx).findings == []


def test_nothing_is_posted_while_that_date_can_still_sell(kiosk: Kiosk) -> None:
    members_who_bought(kiosk, 1)
    before = kiosk.events()
    with pytest.raises(Refused) as caught:
        post_batch(kiosk.ctx, Progress(last_good_date(kiosk), None))
    assert caught.value.code is Refusal.SHIFT_OPEN
    assert kiosk.events() == before


def test_a_till_that_does_not_own_the_ledger_posts_nothing(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    members_who_bought(kiosk, 1)
    on = last_good_date(kiosk)
    shut(kiosk)
    monkeypatch.setattr(owner_postings, "owns_ledger", lambda ctx: False)
    before = kiosk.events()
    assert post_batch(kiosk.ctx, Progress(on, None)).finished
    assert kiosk.events() == before
    assert outlook(kiosk.ctx, on).members == 1


def test_thousands_of_bookings_leave_no_work_for_the_idle_till(kiosk: Kiosk) -> None:
    members_who_bought(kiosk, 2)
    tidy(kiosk.ctx)
    on = last_good_date(kiosk)
    shut(kiosk)
    post_all(kiosk.ctx, on, None)
    assert kiosk.ctx.touched() == frozenset()


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_till_that_ends_after_any_batch_goes_on_where_it_was(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The next start knows no place to go on from: it asks the rows."""
    members_who_bought(kiosk, 5)
    on, before = last_good_date(kiosk), total_points(kiosk)
    shut(kiosk)
    monkeypatch.setattr(owner_postings, "BATCH_MEMBERS", 2)
    progress = Progress(on, None)
    for _ in range(after):
        progress = post_batch(kiosk.ctx, progress)
    kiosk.crash()
    kiosk.open()
    again = post_all(kiosk.ctx, on, None)
    assert progress.members + again.members == 5
    assert progress.points + again.points == before
    assert kinds(kiosk).count("expire") == 5
    assert verify(kiosk.ctx).findings == []


# Tiers ----------------------------------------------------------------------------------------------


def silver(kiosk: Kiosk) -> tuple[bytes, BusinessDate]:
    """A member who reached a tier, and the last date of it."""
    (member,) = members_who_bought(kiosk, 1, TO_SILVER)
    assert tier_of(kiosk, member) == "silver"
    with kiosk.ctx.read() as conn:
        (until,) = conn.execute(
            "SELECT tier_until FROM member_state WHERE member_id = ?", (member,)
        ).fetchone()
    shut(kiosk)
    return member, BusinessDate(until)


def test_a_tier_falls_by_one_level_once_its_grace_is_over(kiosk: Kiosk) -> None:
    member, until = silver(kiosk)
    with kiosk.ctx.read() as conn:
        rules = kiosk.ctx.programme_on(conn, until).tiers
    last = until.plus(rules.grace_days)
    done = post_all(kiosk.ctx, last, None)
    assert (done.lowered, tier_of(kiosk, member)) == (0, "silver")
    done = post_all(kiosk.ctx, last.plus(1), None)
    assert (done.lowered, done.raised, done.kept) == (1, 0, 0)
    assert tier_of(kiosk, member) == "regular"
    assert verify(kiosk.ctx).findings == []


def test_a_tier_whose_measure_still_reaches_it_is_kept_for_another_period(kiosk: Kiosk) -> None:
    member, until = silver(kiosk)
    reaches_it_again(kiosk, member, until)
    done = post_all(kiosk.ctx, until.plus(1), None)
    assert (done.kept, done.lowered, done.raised) == (1, 0, 0)
    assert tier_of(kiosk, member) == "silver"
    with kiosk.ctx.read() as conn:
        row = states.state(conn, member)
    assert row is not None
    assert row.tier_until is not None
    assert row.tier_until > until


def reaches_it_again(kiosk: Kiosk, member: bytes, until: BusinessDate) -> None:
    """The member buys for the tier once more, some days before it ends."""
    kiosk.clock.now += timedelta(days=int(until) - 5 - int(kiosk.ctx.business_date()))
    open_shift(kiosk.ctx, OpenShift(kiosk.ctx.ids(), kiosk.session, 0))
    sell(kiosk.ctx, sale_command(kiosk.ctx, kiosk.session, member, TO_SILVER * 2))
    shut(kiosk)


def raise_by_review(kiosk: Kiosk, member: bytes, on: BusinessDate) -> None:
    """What a review posts when sales that were pending lift a member."""
    event_id = owner_event_id(member, f"review:{on.iso()}")
    with kiosk.ctx.write(event_id) as tx:
        programme = kiosk.ctx.programme_on(tx.conn, on)
        state = cached_fold.load_state(tx.conn, member, None)
        level = programme.tiers.levels[-1]
        entry = upgrade_entry(EntryId(event_id, 0), programme.tiers, on, level)
        record(
            tx, posting.TIER_REVIEW, event_id, member, programme, on, (entry,),
            {"tier_code": level.code}, state,
        )  # fmt: skip


@pytest.mark.parametrize("came_to", ["raised", "lowered", "kept"])
def test_what_the_reviews_of_a_date_came_to_is_known_when_they_come_back_from_the_journal_file(
    kiosk: Kiosk, came_to: str
) -> None:
    member, until = silver(kiosk)
    if came_to == "kept":
        reaches_it_again(kiosk, member, until)
    on = until.plus(1 if came_to == "kept" else 400)
    if came_to == "raised":
        raise_by_review(kiosk, member, on)
    else:
        post_all(kiosk.ctx, on, None)
    lose_log(kiosk)
    kiosk.open()
    assert "events_replayed" in codes(kiosk)
    again = post_all(kiosk.ctx, on, None)
    assert (again.raised, again.lowered, again.kept) == (0, 0, 0)
    with kiosk.ctx.read() as conn:
        posted = posted_on(conn, on)
        later = posted_on(conn, on.plus(1))
    reviews = {name: posted[name] for name in ("raised", "lowered", "kept")}
    assert reviews == {"raised": 0, "lowered": 0, "kept": 0, came_to: 1}
    assert set(later.values()) == {0}


def test_a_review_is_posted_once(kiosk: Kiosk) -> None:
    _, until = silver(kiosk)
    on = until.plus(400)
    assert post_all(kiosk.ctx, on, None).lowered == 1
    events = kiosk.events()
    assert post_all(kiosk.ctx, on, None).lowered == 0
    assert kiosk.events() == events


def test_the_lowest_tier_is_not_looked_at_night_after_night(kiosk: Kiosk) -> None:
    member, until = silver(kiosk)
    post_all(kiosk.ctx, until.plus(400), None)
    assert tier_of(kiosk, member) == "regular"
    later = until.plus(4000)
    with kiosk.ctx.read() as conn:
        assert due.tiers_past_end(
            conn, int(later), lowest="regular", after=due.FIRST, limit=9
        ) == []  # fmt: skip


def test_verify_names_an_altered_end_of_a_tier_and_rebuild_mends_it(kiosk: Kiosk) -> None:
    silver(kiosk)
    with raw(kiosk) as conn:
        conn.execute("UPDATE member_state SET tier_until = tier_until + 9 WHERE tier_until > 0")
    kiosk.open()
    (finding,) = verify(kiosk.ctx, rebuild=True).findings
    assert "the end of the tier differs" in finding.what
    assert verify(kiosk.ctx).findings == []
