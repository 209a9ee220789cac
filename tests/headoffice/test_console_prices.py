"""Price lists of the console: a file with its faults, a draft with what it changes, one that tills get."""

from __future__ import annotations

import re
import threading
from html import unescape

import httpx
import pytest

from app.domain.business_day import BusinessDate
from app.price_list import PriceList, body_of, price_list_of
from app.protocol.references import NEXT_PRICES, PRICES
from headoffice import price_lists
from tests.headoffice.console_browser import OWN, Person
from tests.headoffice.console_fixtures import anna, at, bela
from tests.headoffice.http_office import Served, opened
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at", "bela"]
PLACE = "/console/prices"
HEAD = "code,name,price,barcodes\n"
TEA = "A1,龙井,88.50,6900000000112\n"
CUP = "A2,杯,10,\n"


def send(person: Person, text: str, starts: BusinessDate | str) -> httpx.Response:
    person.look(PLACE)
    on = starts if isinstance(starts, str) else starts.iso()
    answer = person.http.post(
        PLACE,
        data={"token": person.token, "starts": on},
        files={"file": ("prices.csv", text.encode())},
    )
    return person._seen(answer)


def said(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", unescape(page.text)))


def figures(page: httpx.Response) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", unescape(page.text))
    return {name: re.sub("<[^>]+>", "", value) for name, value in found}


def today(at: Served) -> BusinessDate:
    server = next(iter(at.office.chains.values())).server
    return server.today(at.clock())


def fetched(at: Served, key: str) -> tuple[int, int] | None:
    """(first business date, items) of the list that tills fetch under a key."""
    with opened(at.folder) as (store, _), store.reading():
        row = store.reference(key)
    if row is None or row.body is None:
        return None
    prices = price_list_of(row.body)
    return int(prices.starts), prices.content.count(b"\r\n") - 1


def published(person: Person, text: str, starts: BusinessDate, **more: str) -> httpx.Response:
    draft = send(person, text, starts)
    return person.send(f"{draft.url.path}/publish", **more)


def test_a_list_is_looked_at_published_and_fetched(at: Served, anna: Person) -> None:
    on = today(at).plus(1)
    draft = send(anna, HEAD + TEA + CUP, on)
    assert figures(draft)["Standing"] == "Draft"
    assert (figures(draft)["New items"], figures(draft)["Compared with"]) == ("2", "no list before")
    assert "龙井 not sold 88.50" in said(draft)
    assert fetched(at, NEXT_PRICES) is None, "nothing is told to tills yet"
    done = anna.send(f"{draft.url.path}/publish")
    assert figures(done)["Standing"] == "Begins later"
    assert "Forget this draft" not in done.text
    assert (fetched(at, NEXT_PRICES), fetched(at, PRICES)) == ((int(on), 2), None)
    assert acts(at.folder)[-2:] == [("prices_begun", on.iso()), ("prices_published", on.iso())]
    file = anna.look(f"{draft.url.path}.csv")
    assert "龙井" in file.content.decode("utf-8-sig")
    again = send(anna, file.content.decode("utf-8-sig"), on)
    assert figures(again)["New items"] == "2", "no till sells by the one that is to come"


def test_what_is_wrong_in_a_file_is_said_by_line_and_nothing_is_kept(
    at: Served, anna: Person
) -> None:
    page = send(anna, HEAD + TEA + "A1,Cup,much,\n", today(at))
    assert page.status_code == 422
    assert "3 Price can't be read. Correct it." in said(page)
    assert "3 Code stands there twice." in said(page)
    assert "The chain has no price list" in said(anna.look(PLACE))


@pytest.mark.parametrize("starts", ["", "tomorrow", "2026-13-01"])
def test_a_list_begins_on_a_date(at: Served, anna: Person, starts: str) -> None:
    page = send(anna, HEAD + TEA, starts)
    assert page.status_code == 422
    assert "first business date" in said(page)


@pytest.mark.parametrize("bound", ["BODY_BYTES_MOST", "CONTENT_BYTES_MOST"])
def test_one_that_tills_could_not_fetch_is_refused(
    anna: Person, at: Served, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(price_lists, bound, 100)
    page = send(anna, HEAD + TEA, today(at))
    assert page.status_code == 422
    assert "too large for the tills" in said(page)


def test_a_list_of_today_is_ticked_and_one_of_yesterday_is_not_published(
    at: Served, anna: Person
) -> None:
    on = today(at)
    assert "Tick the box" in said(published(anna, HEAD + TEA, on))
    assert fetched(at, PRICES) is None
    assert figures(published(anna, HEAD + TEA, on, urgent="yes"))["Standing"] == "In force"
    assert "Nothing differs." in said(send(anna, HEAD + TEA, on.plus(1)))
    assert fetched(at, PRICES) == (int(on), 1)
    assert "is over" in said(published(anna, HEAD + TEA, on.plus(-1), urgent="yes"))


def test_the_list_that_has_begun_stays_for_new_tills_when_the_next_one_comes(
    at: Served, anna: Person
) -> None:
    on = today(at)
    published(anna, HEAD + TEA, on.plus(1))
    at.clock.moved_ms += 24 * 3_600_000
    anna.sign_in("AN", OWN)
    second = send(anna, HEAD + TEA.replace("88.50", "90") + CUP, on.plus(2))
    assert "龙井 88.50 90.00" in said(second), "compared with the one in force by then"
    anna.send(f"{second.url.path}/publish")
    assert fetched(at, PRICES) == (int(on.plus(1)), 1)
    assert fetched(at, NEXT_PRICES) == (int(on.plus(2)), 2)
    third = send(anna, HEAD + CUP, on.plus(3))
    assert f"the list that was to begin on {on.plus(2).iso()}" in said(third)


def test_where_publishing_takes_two_who_sent_it_does_not_publish_it(
    at: Served, anna: Person, bela: Person
) -> None:
    anna.send("/console/programme/choice", two="two")
    on = today(at).plus(1)
    draft = send(anna, HEAD + TEA, on)
    no = anna.send(f"{draft.url.path}/publish")
    assert "Somebody else of head office has to publish it." in said(no)
    assert fetched(at, NEXT_PRICES) is None
    assert figures(bela.send(f"{draft.url.path}/publish"))["Standing"] == "Begins later"
    assert fetched(at, NEXT_PRICES) == (int(on), 1)


def test_a_draft_is_forgotten_and_a_published_list_is_not(at: Served, anna: Person) -> None:
    on = today(at).plus(1)
    draft = send(anna, HEAD + TEA, on).url.path
    anna.send(f"{draft}/drop")
    assert anna.look(draft).status_code == 404
    kept = published(anna, HEAD + TEA, on).url.path
    anna.send(f"{kept}/drop")
    assert anna.look(kept).status_code == 200
    anna.send(f"{kept}/publish")
    done = [act for act, _ in acts(at.folder)]
    assert (done.count("prices_published"), done.count("prices_dropped")) == (1, 1)


def test_a_list_that_another_one_takes_the_place_of_is_a_draft_again(
    at: Served, anna: Person
) -> None:
    on = today(at)
    published(anna, HEAD + TEA, on, urgent="yes")
    first = published(anna, HEAD + TEA.replace("88.50", "90"), on.plus(10)).url.path
    second = send(anna, HEAD + TEA.replace("88.50", "95"), on.plus(12))
    assert "龙井 88.50 95.00" in said(second), "compared with what tills will have until then"
    anna.send(f"{second.url.path}/publish")
    assert fetched(at, NEXT_PRICES) == (int(on.plus(12)), 1)
    assert figures(anna.look(first))["Standing"] == "Draft"


def test_a_large_list_is_packed_before_the_writer_has_to_wait(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, threads = body_of, list[str]()

    def noted(prices: PriceList) -> bytes:
        threads.append(threading.current_thread().name)
        return packed(prices)

    monkeypatch.setattr(price_lists, "body_of", noted)
    assert send(anna, HEAD + TEA, today(at)).status_code == 200
    assert len(threads) == 1
    assert "writer" not in threads[0]
