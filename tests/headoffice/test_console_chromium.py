"""The console in a real Chromium: walked through, by keyboard alone, on a phone, in both themes and languages.

Pictures of its pages go to out/console/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from app.protocol.profiles import take_cells
from app.protocol.shop_staff import StaffReply, StaffRequest, WorksHere
from app.protocol.store import StoredEvent
from app.protocol.wire import Cell
from headoffice import shared_values
from headoffice.console import erasure_pages, recount_pages, same_pages
from tests.headoffice.api_office import publish
from tests.headoffice.chromium import chromium, enter, faults_of, follow, leaving, window
from tests.headoffice.cluster import Cluster
from tests.headoffice.console_browser import OWN, Person, let_in, write_profile
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    DAY,
    TENANT,
    Served,
    begin_chain,
    database_of,
    opened,
    served,
)
from tests.headoffice.serving_process import DSN_FILE
from tests.headoffice.test_console_outbox import file_of, revoke
from tests.headoffice.test_console_prices import CUP, HEAD, TEA, published, send, today
from tests.headoffice.test_console_programme import DEMO, begin_draft, day_of
from tests.headoffice.test_console_second_factor import set_up

PICTURES: Final = Path(__file__).resolve().parents[2] / "out" / "console"
STRANGE: Final = b"q" * 16
WIDTHS: Final = {"1366": {"width": 1366, "height": 768}, "390": {"width": 390, "height": 844}}


class Shop(NamedTuple):
    """A head office with something on each page, and who is signed in there."""

    at: Served
    anna: Person
    secret: str
    draft: str
    pages: dict[str, str]

    def cookies(self) -> Any:
        """The session of who is signed in, for a browser."""
        return [
            {"name": each.name, "value": each.value or "", "url": self.at.url}
            for each in self.anna.http.cookies.jar
        ]


@pytest.fixture(scope="module", params=["sqlite"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("office")
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("_cluster")
        cluster.empty()
        (folder / DSN_FILE).write_text(cluster.app)
    begin_chain(folder, shops=("North", "South"))
    publish(folder, **{**DEMO, "starts": "2024-01-01"})
    with served(folder) as at:
        for seed, name in ((1, "North"), (2, "South")):
            till = at.till(seed, name)
            till.client.headers["host"] = f"headoffice-{seed}.teahouse-of-the-north.example:8440"
            till.earn(ANNA, 70, sales=6)
            till.earn(BELA, 5, sales=2)
            till.sync()
        write_profile(folder, ANNA, name="陈思远", phone="+8613800006621", card="880000124471")
        write_profile(folder, ANNA, device=b"e" * 16, name="陈思源")
        write_profile(
            folder, BELA, name="Bela Baker", phone="+8613911112222", email="b@example.com"
        )
        with opened(folder) as (store, directory), store.writing():
            erased = directory.erasures(TENANT)
            for each, days in ((ANNA, 40), (BELA, 2)):
                erased.put(each, at.clock() - days * DAY)
            erased.say_done(BELA, at.clock())
            store.put_event(
                StoredEvent(STRANGE, json.dumps({"v": 99, "kind": "sale"}).encode(), "quarantined")
            )
        anna = Person(at)
        anna.begin(let_in(folder, "AN", "head_office"))
        let_in(folder, "MA", "manager")
        person_of_north = work_in_north(at, anna)
        anna.look("/console/address")
        anna.send("/console/address", address="https://headoffice.teahouse-of-the-north.example")
        phone, _ = set_up(at, anna)
        draft = begin_draft(anna, name="Spring", version="1001")
        anna.send(draft, **{"$.starts": day_of(at, 9), "$.earning.base.points": "2"})
        annas = f"/console/members/{ANNA.hex()}"
        why = re.search(rf'href="({annas}/events/[0-9a-f]+)"', anna.look(annas).text)
        person = re.search(
            r'href="(/console/staff/[0-9a-f]+)">MA<', anna.look("/console/staff").text
        )
        assert why
        assert person
        asked = {"points": "5000", "reason": "goodwill", "note": NOTE}
        anna.send(f"{annas}/adjust/done", id="ab" * 16, **asked)
        published(anna, PRICE_LIST, today(at).plus(1))
        prices = send(anna, PRICE_LIST.replace("88.50", "92"), today(at).plus(9)).url.path
        pages = {
            "overview": "/console/", "tills": "/console/tills", "member": annas, "why": why[1],
            "days": "/console/days", "alarms": "/console/alarms",
            "erase": f"{annas}/erase", "programme": "/console/programme", "draft": draft,
            "version": "/console/programme/versions/1001", "staff": "/console/staff",
            "shop-staff": "/console/shop-staff", "shop-person": person_of_north,
            "staff-one": person[1], "factor": "/console/factor", "conflicts": "/console/conflicts",
            "quarantine": "/console/quarantine", "event": f"/console/quarantine/{STRANGE.hex()}",
            "audit": "/console/audit", "find": "/console/find", "confirm": "/console/confirm",
            "hashes": "/console/audit/roots", "recount": "/console/recount",
            "prices": "/console/prices", "price-list": prices,
            "outbox": "/console/outbox", "address": "/console/address",
            "adjustment": f"/console/adjustments/{'ab' * 16}",
            "erasures": erasure_pages.PLACE, "recount-all": recount_pages.ALL,
            "same": same_pages.PLACE, "same-pair": two_with_one_card(folder),
        }  # fmt: skip
        yield Shop(at, anna, phone.secret, draft, pages)
        anna.close()


PRICE_LIST = HEAD + TEA + CUP
NOTE = "The parcel came a week late."
BOTH = pytest.mark.parametrize("shop", ["sqlite", "postgresql"], indirect=True)
"""What changes something is walked through on either database; how pages look does not depend on it."""


def two_with_one_card(folder: Path) -> str:
    """Two members enrolled at two tills with one card and one phone: their page."""
    one, other = b"d" * 16, b"e" * 16
    with closing(database_of(folder)) as plain:
        store = plain.store(TENANT)
        fields = {"name": "王小美", "phone": "+8613700001188", "card": "880000990017"}
        cells = [
            Cell(member, field, value, (at + 1) << 16, member)
            for at, (member, (field, value)) in enumerate(product((one, other), fields.items()))
        ]
        with store.writing():
            shared_values.note(plain, store, lambda: 1, take_cells(store, cells, "all", 1))
    return f"{same_pages.PLACE}/{one.hex()}/{other.hex()}"


def work_in_north(at: Served, anna: Person) -> str:
    """Somebody of a till's own, and somebody whom head office added: that one's page."""
    till = at.till(3, "North")
    till.sync()
    who = (
        WorksHere(b"l" * 16, "lx", "林晓", "cashier", True),
        WorksHere(b"w" * 16, "wm", "吴敏", "manager", True),
    )
    control = till.at.store.control()
    told = till.reply(StaffRequest(b"r" * 16, till.device, control.epoch, control.timeline, 1, who))
    assert isinstance(told, StaffReply)
    assert told.kept
    anna.look("/console/shop-staff")
    north = f"store-{(TENANT[:15] + bytes(1)).hex()}"
    fields = {"initials": "nn", "name": "倪娜", "role": "supervisor", north: "1"}
    page = anna.send("/console/shop-staff", **fields)
    found = re.search(r'href="(/console/shop-staff/[0-9a-f]{32})"', page.text)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as made:
        yield made


def type_change(page: Page, points: str) -> None:
    """Points by hand on a member's page, until what they would do is shown."""
    page.click("details.acts summary")
    page.fill("#points", points)
    page.select_option("#because", "correction")
    page.fill("#note", NOTE)
    page.focus("#note")
    enter(page)
    page.wait_for_url("**/adjust")


def sign_in(page: Page, shop: Shop) -> None:
    """With password and code, by form."""
    shop.at.clock.moved_ms += 30_000
    page.goto("/console/")
    page.fill("#initials", "AN")
    page.fill("#password", OWN)
    follow(page, "button.main")
    assert faults_of(page) == []
    page.fill("#code", pyotp.TOTP(shop.secret).at(shop.at.clock() // 1000))
    follow(page, "button.main")
    page.wait_for_url("**/console/")


@BOTH
def test_somebody_walks_from_signing_in_to_why_a_member_has_points(
    shop: Shop, browser: Browser
) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        assert page.locator(".figures").count() == 1
        page.fill("#q", "6621")
        page.focus("#q")
        enter(page)
        follow(page, "table[aria-label='Members found'] a")
        assert "陈思" not in page.content()
        page.select_option("#reason", "customer")
        follow(page, "text=Show")
        assert page.locator("h1").inner_text() == "陈思源"
        # Not the newest: another test may have merged and parted him in this chain before.
        earned = page.locator("table[aria-label='Ledger'] tr:has(td:text-is('Earned'))")
        with leaving(page):
            earned.locator("td[data-head=Event] a").first.click()
        assert page.locator("h1").inner_text() == "Sale"
        assert complaints == []


@BOTH
def test_two_members_are_looked_at_merged_and_parted(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.goto(shop.pages["member"])
        page.click("summary:has-text('Change')")
        page.fill("#other", "2222")
        follow(page, "text=Look at both")
        assert page.locator("h1").inner_text() == "Merge two members"
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "merge.png", full_page=True)
        follow(page, "text=Merge them")
        follow(page, f"a:has-text('{BELA.hex()}')")
        page.click("summary:has-text('Change')")
        follow(page, "text=Take the merge back")
        assert page.locator("text=This member was merged").count() == 0
        assert complaints == []


@BOTH
def test_points_are_changed_by_hand_and_more_of_them_wait_for_somebody_else(
    shop: Shop, browser: Browser
) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        page.context.add_cookies(shop.cookies())
        page.goto(f"/console/members/{BELA.hex()}")
        type_change(page, "12")
        follow(page, "button.main")
        page.wait_for_url(f"**/{BELA.hex()}")
        assert NOTE in page.inner_text("main")
        type_change(page, "2500")
        follow(page, "button.main")
        page.wait_for_url("**/adjustments/*")
        assert "You asked for this" in page.inner_text("main")
        page.goto("/console/")
        follow(page, "text=Change points by hand >> nth=-1")
        page.wait_for_url("**/adjustments/*")
        follow(page, "text=Don't change them")
        page.wait_for_url("**/members/*")
        assert complaints == []


@BOTH
def test_a_list_is_narrowed_by_keyboard_and_its_file_has_what_was_chosen(
    shop: Shop, browser: Browser
) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.goto("/console/audit")
        rows = page.locator("table tbody tr")
        every = rows.count()
        page.select_option("#by-what", "signed_in")
        page.focus("#by-last")
        enter(page)
        page.wait_for_url("**/console/audit?what=signed_in")
        assert 0 < rows.count() < every
        assert set(page.locator("td[data-head=What]").all_inner_texts()) == {"Signed in"}
        assert faults_of(page) == []
        with page.expect_download() as coming:
            page.click("text=As a file (CSV)")
        lines = Path(coming.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert len(lines) == 1 + rows.count()
        assert all("Signed in" in line for line in lines[1:])
        assert complaints == []


@BOTH
def test_a_draft_is_typed_tried_and_published(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.goto("/console/programme")
        page.fill("#name", "Summer")
        follow(page, "text=Begin a draft")
        page.fill("[name='$.earning.base.points']", "many")
        follow(page, ".keep button")
        assert page.locator("[aria-invalid=true]").input_value() == "many"
        page.screenshot(path=PICTURES / "draft-fault.png", full_page=True)
        page.fill("[name='$.earning.base.points']", "3")
        page.fill("[name='$.starts']", day_of(shop.at, 5))
        # Enter in a field keeps what is typed; it neither adds nor removes anything.
        page.focus("[name='$.earning.base.points']")
        enter(page)
        page.wait_for_selector("text=This can be published.")
        levels = page.locator("fieldset[id^=tiers-levels-]").count()
        page.locator("text=Add a level behind this one").last.focus()
        with leaving(page):
            page.keyboard.press("Space")
        page.wait_for_url(f"**#tiers-levels-{levels}")
        page.fill(f"[name='$.tiers.levels[{levels}].name.en']", "Platinum")
        page.select_option("#kind", "weekdays")
        follow(page, "button:has-text('Add it')")
        assert (
            page.locator(f"[name='$.tiers.levels[{levels}].name.en']").input_value() == "Platinum"
        )
        with leaving(page):
            page.locator("button:has-text('Remove Level')").last.click()
        page.wait_for_url(f"**#tiers-levels-{levels - 1}")
        assert page.locator("fieldset[id^=tiers-levels-]").count() == levels
        follow(page, ".keep button")
        follow(page, "button:has-text('Try it')")
        page.wait_for_selector("text=What it comes to", timeout=40_000)
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "trial.png", full_page=True)
        follow(page, "text=To the draft")
        follow(page, "button:has-text('Publish it')")
        assert page.locator("h1").inner_text() == "Version 1002"
        assert complaints == []


def test_a_lost_tills_events_are_looked_at_proved_and_taken_in(
    shop: Shop, browser: Browser
) -> None:
    till = shop.at.till(9, "North")
    till.earn(ANNA, 3, sales=2)
    revoke(shop.at, till)
    blob = file_of(till, b"odd")
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.goto("/console/tills")
        follow(page, "text=Take in the events of a lost till")
        page.set_input_files("#file", {"name": "o", "mimeType": "x/y", "buffer": blob})
        follow(page, "text=Look into it")
        for language in ("中文", "English"):
            follow(page, f"button:has-text('{language}')")
            assert faults_of(page) == []
            page.screenshot(path=PICTURES / f"outbox-{language}.png", full_page=True)
        assert "Nothing of it was taken in yet" in page.inner_text("main")
        follow(page, "text=Take them in")
        page.wait_for_selector("#proof")
        shop.at.clock.moved_ms += 30_000
        page.fill("#proof", pyotp.TOTP(shop.secret).at(shop.at.clock() // 1000))
        follow(page, "button.main")
        page.wait_for_selector("text=Take them in")
        other = page.context.new_page()  # As where the next request reaches another process.
        other.goto("/console/outbox")
        follow(other, "text=Leave it")
        other.close()
        follow(page, "text=Take them in")
        page.wait_for_selector("text=The same file once more")
        complaints.clear()  # That it is not there is an answer of 409.
        for wide in (390, 1366):
            page.set_viewport_size({"width": wide, "height": 800})
            assert faults_of(page) == []
            page.screenshot(path=PICTURES / f"outbox-again-{wide}.png", full_page=True)
        page.set_input_files("#file", {"name": "o", "mimeType": "x/y", "buffer": blob})
        follow(page, "text=Take them in")
        assert "The events of till 9 were taken in." in page.inner_text("main")
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "outbox-done.png", full_page=True)
        assert complaints == []


def test_somebody_is_invited_and_sets_password_and_second_factor(
    shop: Shop, browser: Browser
) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.goto("/console/staff")
        page.fill("#initials", "NE")
        page.select_option("#role", "auditor")
        follow(page, "button:has-text('Invite')")
        shop.at.clock.moved_ms += 30_000
        page.fill("#proof", pyotp.TOTP(shop.secret).at(shop.at.clock() // 1000))
        follow(page, "button.main")
        page.fill("#initials", "NE")
        page.select_option("#role", "auditor")
        follow(page, "button:has-text('Invite')")
        link = page.inner_text(".secret")
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "invited.png", full_page=True)
        follow(page, "text=To the person")
        assert "Invited until" in page.inner_text("main")
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "invited-person.png", full_page=True)
        assert complaints == []
    with window(browser, shop.at.url, locale="zh-CN") as (page, complaints):
        page.goto(link)
        assert faults_of(page) == []
        page.screenshot(path=PICTURES / "invitation.png", full_page=True)
        for field in ("#password", "#again"):
            page.fill(field, OWN)
        enter(page)
        page.wait_for_url("**/factor")
        secret = re.search(r">([A-Z2-7]{32})<", page.content())
        assert secret
        page.fill("#code", pyotp.TOTP(secret[1]).at(shop.at.clock() // 1000))
        enter(page)
        page.wait_for_selector(".codes")
        assert complaints == []


def test_everything_is_reached_by_keyboard_and_shows_where_one_is(
    shop: Shop, browser: Browser
) -> None:
    with window(browser, shop.at.url, locale="en-GB") as (page, complaints):
        sign_in(page, shop)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reached = set[str]()
        for _ in range(60):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            name = page.evaluate("document.activeElement.textContent || document.activeElement.id")
            if page.evaluate("document.activeElement === document.body"):
                break
            assert outline == "solid", name
            reached.add(name.strip())
        assert {"Tills", "Programme", "Staff", "q", "Find", "Sign out", "Dark"} <= reached
        page.focus("#q")
        page.keyboard.type("Bela")
        enter(page)
        page.wait_for_selector("text=Members found")
        page.focus("table[aria-label='Members found'] a")
        enter(page)
        page.wait_for_url(f"**/{BELA.hex()}")
        assert complaints == []


LOOKS: Final = (
    ("en-GB", "light", "1366"), ("en-GB", "dark", "390"),
    ("zh-CN", "light", "390"), ("zh-CN", "dark", "1366"),
)  # fmt: skip
"""Each language in each width and theme, and each theme in each width: a theme is colours alone."""


@pytest.mark.parametrize(("locale", "theme", "width"), LOOKS)
def test_every_page_can_be_read_and_used_by_everybody(
    shop: Shop, browser: Browser, locale: str, theme: str, width: str
) -> None:
    folder = PICTURES / f"{locale[:2]}-{theme}-{width}"
    options = {"locale": locale, "color_scheme": theme, "viewport": WIDTHS[width]}
    faults = dict[str, list[str]]()
    with window(browser, shop.at.url, **options) as (page, complaints):
        page.goto("/console/sign-in")
        faults["sign-in"] = faults_of(page)
        page.screenshot(path=folder / "sign-in.png", full_page=True)
        page.context.add_cookies(shop.cookies())
        for name, path in shop.pages.items():
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((e) => (e.open = true))")
            faults[name] = faults_of(page)
            page.screenshot(path=folder / f"{name}.png", full_page=True)
            if width == "1366":
                bar = page.evaluate("document.querySelector('header').offsetHeight")
                assert bar < 70, "the bar takes one row"
                wide = "[...document.querySelectorAll('section.narrow')].map((e) => e.offsetWidth)"
                assert max(page.evaluate(wide), default=0) <= 440, "a question is no banner"
                cards = "[...document.querySelectorAll('.card')].map((e) => e.scrollWidth - e.clientWidth)"
                assert max(page.evaluate(cards), default=0) == 0, f"{name}: a table leaves its card"
        page.goto(shop.pages["member"])
        type_change(page, "-7")
        faults["adjust"] = faults_of(page)
        page.screenshot(path=folder / "adjust.png", full_page=True)
        assert {name: found for name, found in faults.items() if found} == {}
        assert complaints == []
