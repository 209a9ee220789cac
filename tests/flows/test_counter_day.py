"""A day at the counter, headless: from sign-in to the durable entry, through the real store and files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.build import NewStaff, add_staff
from app.context import Context, Session
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Refusal, Refused, Unavailable
from app.i18n import Words
from app.queries import counter, members, search
from app.queries.why import why
from app.usecases.enrol import BirthdayInput, EditProfile, Enrol, ProfileInput, edit_profile, enrol
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart, kept_cart
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.reprint import Reprint, reprint
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, Sold, sell
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify import verify
from app.usecases.void import Void, preview_void, void
from db import rows, till
from tests.fakes import PINS, Shop, demo_programme, make_shop


def new_member(
    ctx: Context, session: Session, name: str = "陈思远", phone: str = "13800006621"
) -> bytes:
    command = Enrol(ctx.ids(), session, ProfileInput(name, phone), service_consent=True)
    return enrol(ctx, command).result.member_id


def sale(
    ctx: Context,
    session: Session,
    member: bytes | None,
    *lines: LineRequest,
    redeem: int = 0,
    kind: str = "qr",
) -> Sold:
    request = SaleRequest(lines, redeem)
    quote = counter.quote(ctx, member, request)
    payment = Payment(kind, quote.draft.to_pay_minor)
    return sell(ctx, Sell(ctx.ids(), session, member, request, payment, quote.key)).result


def balance(ctx: Context, member: bytes) -> int:
    return members.member_panel(ctx, member).points_balance


def give_back(ctx: Context, session: Session, sold: Sold, *lines: ReturnedLine) -> int:
    shown = preview_return(ctx, sold.event_id, lines)
    done = return_goods(
        ctx,
        ReturnGoods(
            ctx.ids(),
            session,
            sold.event_id,
            lines,
            "faulty",
            shown.refund_minor,
            shown.balance_after,
        ),
    )
    return done.result.refund_minor


def test_a_sale_earns_and_its_receipt_is_queued_in_the_same_transaction(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(36800))
    assert (sold.document.points_earned, sold.balance) == (368, 368)
    with ctx.read() as conn:
        (job,) = till.jobs_of_event(conn, sold.seq)
    assert job.state == "queued"
    assert sold.receipt_no in job.document
    assert verify(ctx).findings == []


def test_the_same_command_is_the_same_sale_however_often_it_is_sent(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    request = SaleRequest((LineRequest(10000),))
    quote = counter.quote(ctx, member, request)
    command = Sell(ctx.ids(), session, member, request, Payment("cash", 20000), quote.key)
    first = sell(ctx, command)
    again = sell(ctx, command)
    assert (first.again, again.again) == (False, True)
    assert first.result == again.result
    assert first.result.change_minor == 10000
    assert balance(ctx, member) == 100
    shop.reopen()
    assert sell(shop.till.context, command).result == first.result


def test_a_quote_that_no_longer_holds_is_refused_with_the_new_one(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    request = SaleRequest((LineRequest(10000),))
    quote = counter.quote(ctx, member, request)
    stale = quote.key._replace(points_earned=99)
    with pytest.raises(Refused) as refused:
        sell(ctx, Sell(ctx.ids(), session, member, request, Payment("qr", 10000), stale))
    assert refused.value.code is Refusal.QUOTE_CHANGED
    assert refused.value.offer == quote
    assert balance(ctx, member) == 0


def test_points_pay_and_what_the_sale_earns_cannot_pay_for_it(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(100000))
    most = counter.quote(ctx, member, SaleRequest((LineRequest(100000),))).most
    assert most.points == 1000
    with pytest.raises(Refused) as refused:
        counter.quote(ctx, member, SaleRequest((LineRequest(100000),), 1100))
    assert refused.value.code is Refusal.REDEEM_ABOVE_AVAILABLE
    sold = sale(ctx, session, member, LineRequest(10000), redeem=500)
    assert (sold.to_pay_minor, sold.document.points_earned, sold.balance) == (9500, 95, 595)


def test_three_bought_and_returned_one_by_one_leaves_everything_as_before(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(50000))
    before = members.lots(ctx, member)
    sold = sale(ctx, session, member, LineRequest(3333, 3, name="茶"), redeem=300)
    refunds = [give_back(ctx, session, sold, ReturnedLine(0, 1)) for _ in range(3)]
    assert sum(refunds) == sold.to_pay_minor
    assert balance(ctx, member) == 500
    assert members.lots(ctx, member) == before
    with pytest.raises(Refused) as refused:
        preview_return(ctx, sold.event_id, (ReturnedLine(0, 1),))
    assert refused.value.code is Refusal.RETURN_NOTHING_LEFT
    assert verify(ctx).findings == []


def test_a_void_leaves_the_member_as_before_and_only_once(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sale(ctx, session, member, LineRequest(50000))
    before = members.member_panel(ctx, member)
    sold = sale(ctx, session, member, LineRequest(20000), redeem=200)
    shown = preview_void(ctx, sold.event_id)[0]
    command = Void(ctx.ids(), session, sold.event_id, "test", shown.balance_after)
    assert void(ctx, command).result.voided_no == sold.receipt_no
    after = members.member_panel(ctx, member)
    assert (after.points_balance, after.tier, after.expiring) == (
        before.points_balance,
        before.tier,
        before.expiring,
    )
    with pytest.raises(Refused) as refused:
        preview_void(ctx, sold.event_id)
    assert refused.value.code is Refusal.VOID_ALREADY
    assert verify(ctx).findings == []


def test_a_sale_with_a_standing_return_is_not_voided_before_the_return_is(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(5000, 2))
    give_back(ctx, session, sold, ReturnedLine(0, 1))
    with pytest.raises(Refused) as refused:
        preview_void(ctx, sold.event_id)
    assert refused.value.code is Refusal.VOID_LATER_RETURN
    back = counter.documents_of_shift(ctx)[0]
    shown = preview_void(ctx, back.event_id)[0]
    void(ctx, Void(ctx.ids(), session, back.event_id, "other", shown.balance_after))
    shown = preview_void(ctx, sold.event_id)[0]
    void(ctx, Void(ctx.ids(), session, sold.event_id, "other", shown.balance_after))
    assert balance(ctx, member) == 0
    assert verify(ctx).findings == []


def test_a_void_or_return_without_a_reason_is_refused(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000))
    for attempt in (
        lambda: void(ctx, Void(ctx.ids(), session, sold.event_id, "", 0)),
        lambda: return_goods(
            ctx, ReturnGoods(ctx.ids(), session, sold.event_id, (ReturnedLine(0, 1),), "", 5000, 0)
        ),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code is Refusal.REASON_NEEDED


def test_a_void_belongs_to_the_shift_of_its_sale(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000))
    shop.clock.step(days=1)
    shop.start()
    with pytest.raises(Refused) as refused:
        preview_void(ctx, sold.event_id)
    assert refused.value.code is Refusal.VOID_OTHER_SHIFT


def test_selling_needs_an_open_shift(shop: Shop) -> None:
    ctx = shop.till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PINS["lx"])).result
    with pytest.raises(Refused) as refused:
        sale(ctx, session, None, LineRequest(5000))
    assert refused.value.code is Refusal.SHIFT_NEEDED


def test_a_shift_is_not_opened_while_the_clock_is_behind_the_last_event(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    shop.clock.step(hours=-3)
    with pytest.raises(Refused) as refused:
        open_shift(ctx, OpenShift(ctx.ids(), session, 0))
    assert refused.value.code is Refusal.CLOCK_BEHIND


def test_a_member_is_found_by_digits_initials_card_and_pinyin_right_after_enrolment(
    shop: Shop,
) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session, "单雄信")
    new_member(ctx, session, "李敏", "13912346621")
    search.index_visits(ctx)
    card = members.member_panel(ctx, member).card_no
    assert card is not None
    for text in ("6621 sx", "s6621", "6621s", "shanxiongxin", "雄信", card, "13800006621"):
        hits = search.search(ctx, text).hits
        assert [hit.member_id for hit in hits] == [member], text
    assert search.search(ctx, "6621").total == 2
    assert members.member_of_card(ctx, card) == member
    assert search.search(ctx, "13700000000").unknown_phone == "+8613700000000"


def test_enrolment_refuses_what_a_form_must_not_take(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    cases = [
        (ProfileInput(""), True, Refusal.NAME_NEEDED),
        (ProfileInput("李敏", "138000"), True, Refusal.PHONE_INVALID),
        (ProfileInput("李敏", email="x@y"), True, Refusal.EMAIL_INVALID),
        (
            ProfileInput("李敏", birthday=BirthdayInput("solar", 2, 30)),
            True,
            Refusal.BIRTHDAY_INVALID,
        ),
        (ProfileInput("李敏"), False, Refusal.CONSENT_NEEDED),
    ]
    tomorrow = ctx.business_date().plus(1).to_date()
    cases += [
        (ProfileInput("李敏", birthday=birthday), True, Refusal.BIRTHDAY_AHEAD)
        for birthday in (
            BirthdayInput("solar", tomorrow.month, tomorrow.day, tomorrow.year),
            # The twelfth month of a lunar year ends after New Year; no calendar table has 2150.
            BirthdayInput("lunar", 12, 29, tomorrow.year),
            BirthdayInput("lunar", 1, 1, 2150),
        )
    ]
    for profile, consent, code in cases:
        with pytest.raises(Refused) as refused:
            enrol(ctx, Enrol(ctx.ids(), session, profile, consent))
        assert refused.value.code is code
    with ctx.read() as conn:
        assert conn.execute("SELECT count(*) FROM profile").fetchone()[0] == 0


def test_money_for_a_bill_of_nothing_is_refused(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    request = SaleRequest((LineRequest(0),))
    shown = counter.quote(ctx, None, request)
    with pytest.raises(Refused) as refused:
        sell(ctx, Sell(ctx.ids(), session, None, request, Payment("cash", 5000), shown.key))
    assert refused.value.code is Refusal.NOTHING_TO_PAY
    sell(ctx, Sell(ctx.ids(), session, None, request, Payment("cash", 0), shown.key))


def test_an_edit_over_another_edit_is_refused(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    shown = members.profile(ctx, member)
    edit = EditProfile(
        ctx.ids(), session, member, shown.version, ProfileInput("陈思源", "13800006621"), True, True
    )
    edit_profile(ctx, edit)
    with pytest.raises(Refused) as refused:
        edit_profile(ctx, replace(edit, command_id=ctx.ids()))
    assert refused.value.code is Refusal.PROFILE_CHANGED
    after = members.profile(ctx, member)
    assert (after.name, after.marketing_consent) == ("陈思源", True)


def test_nothing_personal_is_in_the_journal(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    profile = ProfileInput("陈思远", "13800006621", "siyuan@example.cn", note="对花生过敏")
    member = enrol(ctx, Enrol(ctx.ids(), session, profile, service_consent=True)).result
    sale(ctx, session, member.member_id, LineRequest(5000))
    with ctx.read() as conn:
        bodies = b"".join(event.body for event in rows.events_after(conn, 0))
    canaries = ("陈思远", "13800006621", "siyuan", "花生", member.card_no, "chen si yuan")
    for canary in canaries:
        assert canary.encode() not in bodies, canary
        assert json.dumps(canary).strip('"').encode() not in bodies


def test_the_open_cart_is_there_after_a_restart_and_gone_with_its_sale(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    cart = OpenCart(member.hex(), (CartLine(2800, 2, name="茶"),), 100, "36")
    keep_cart(ctx, cart)
    ctx = shop.reopen().context
    assert kept_cart(ctx) == cart
    sale(ctx, session, member, LineRequest(2800, 2))
    assert kept_cart(ctx) is None


def test_a_reprint_is_a_marked_copy_with_the_same_number(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    sold = sale(ctx, session, None, LineRequest(5000))
    assert reprint(ctx, Reprint(ctx.ids(), session, sold.event_id, "lost")).result == 1
    assert reprint(ctx, Reprint(ctx.ids(), session, sold.event_id, "lost")).result == 2
    with ctx.read() as conn:
        jobs = till.jobs_of_event(conn, sold.seq)
    assert [("COPY" in job.document, sold.receipt_no in job.document) for job in jobs] == [
        (False, True),
        (True, True),
        (True, True),
    ]


def test_why_explains_in_both_languages_from_the_stored_working(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    member = new_member(ctx, session)
    sold = sale(ctx, session, member, LineRequest(30960))
    english = why(ctx, sold.event_id, Words("en"))
    assert english.headline == "309 pts = ¥309.60 × 1 per ¥1, rounded down."
    chinese = why(ctx, sold.event_id, Words("zh_CN"))
    assert chinese.headline == "309 分 = ¥309.60 × 1 分/¥1，舍去小数。"


def test_money_that_does_not_match_is_refused(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    request = SaleRequest((LineRequest(10000),))
    quote = counter.quote(ctx, None, request)
    for payment in (Payment("cash", 9999), Payment("qr", 10001), Payment("gold", 10000)):
        with pytest.raises(Refused) as refused:
            sell(ctx, Sell(ctx.ids(), session, None, request, payment, quote.key))
        assert refused.value.code is Refusal.TENDER_MISMATCH


def test_cash_for_more_change_than_a_whole_sale_may_be_is_refused(shop: Shop) -> None:
    ctx, session = shop.till.context, shop.start()
    request = SaleRequest((LineRequest(10000),))
    quote = counter.quote(ctx, None, request)
    limit = ctx.settings.counter.sale_limit_minor
    most = Payment("cash", 10000 + limit)
    too_much = Payment("cash", 10000 + limit + 1)
    with pytest.raises(Refused) as refused:
        sell(ctx, Sell(ctx.ids(), session, None, request, too_much, quote.key))
    assert refused.value.code is Refusal.CHANGE_ABOVE_LIMIT
    assert refused.value.facts == {"change_minor": limit + 1, "limit_minor": limit}
    sold = sell(ctx, Sell(ctx.ids(), session, None, request, most, quote.key)).result
    assert sold.change_minor == limit


def test_a_store_is_never_opened_with_a_wrong_passphrase_nor_made_over_another(shop: Shop) -> None:
    from app.build import create_store, open_till
    from tests.fakes import PASSPHRASE
    from tests.fakes import shop as new_shop

    folder = shop.till.folder
    before = (folder / "regulars.db").read_bytes()[:4096]
    shop.till.close()
    with pytest.raises(Unavailable) as unavailable:
        open_till(folder, passphrase="not the passphrase")
    assert unavailable.value.code.value == "passphrase_wrong"
    with pytest.raises(Unavailable):
        create_store(folder, new_shop(), passphrase=PASSPHRASE)
    assert (folder / "regulars.db").read_bytes()[:4096] == before
    shop.open()


def test_more_points_than_the_cashier_may_redeem_alone_are_refused(tmp_path: Path) -> None:
    programme = demo_programme()
    programme["limits"]["redeem_points"]["cashier"] = 400
    shop = make_shop(tmp_path / "store", programme)
    try:
        ctx, session = shop.till.context, shop.start()
        member = new_member(ctx, session)
        sale(ctx, session, member, LineRequest(100000))
        with pytest.raises(Refused) as refused:
            sale(ctx, session, member, LineRequest(100000), redeem=500)
        assert refused.value.code is Refusal.APPROVAL_NEEDED
        assert balance(ctx, member) == 1000
        supervisor = sign_in(ctx, SignIn(ctx.ids(), "wm", PINS["wm"])).result
        sale(ctx, supervisor, member, LineRequest(100000), redeem=500)
    finally:
        shop.till.close()


def test_a_pin_that_is_easy_to_guess_is_not_taken(shop: Shop) -> None:
    ctx = shop.till.context
    for pin in ("123456", "000000", "77777", "12a456"):
        with pytest.raises(Refused) as refused:
            add_staff(ctx, NewStaff("ab", "某人", "cashier", pin), today=ctx.business_date())
        assert refused.value.code is Refusal.PIN_WEAK
