"""The programme editor: drafts as a form, faults in words, publishing, going back; and trials on past weeks."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fraud.limits import LIMIT_NAMES
from app.domain.programme_plain import programme_from_plain
from app.i18n import Words
from app.protocol import facts
from app.protocol.events import Event
from app.protocol.facts import Facts, Posting
from app.sync.exchange import Exchange
from headoffice.console import trials
from headoffice.console.programme_form import changes, fields_of, filled
from headoffice.console.programme_words import FAULTS, NAMES
from headoffice.console.trials import Trials
from headoffice.simulating import Known, Trial, run
from headoffice.store.plain import Place
from resources import programme_path
from tests.app.chain import settle
from tests.app.joined import sell_to
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.bench.trial import measured
from tests.headoffice.console_browser import Person, let_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.counters import let_in as join_in
from tests.headoffice.counters import lines, office, till
from tests.headoffice.http_office import TENANT, Served, opened, rows, wait_for
from tests.headoffice.test_console_pages import rows_of
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at", "kiosk", "lines", "made_template", "office", "template", "till"]
DEMO: Any = json.loads(programme_path("demo.json").read_bytes())
ENGLISH = Words("en")


def test_what_the_form_shows_and_sends_back_is_the_same_document() -> None:
    sent = {field.path: field.text for field in fields_of(DEMO, ENGLISH) if field.kind != "tick"}
    sent |= {
        f"{field.path}.shown": "1" for field in fields_of(DEMO, ENGLISH) if field.kind == "tick"
    }
    sent |= {
        field.path: "1" for field in fields_of(DEMO, ENGLISH) if field.kind == "tick" and field.text
    }
    assert filled(DEMO, sent) == DEMO


def test_every_value_of_a_programme_has_a_name_or_is_the_guards() -> None:
    for field in fields_of(DEMO, ENGLISH):
        if field.part != "guard":
            assert not re.search("[a-z]_[a-z]", field.label), field.path


def test_a_box_that_is_not_ticked_says_no_and_one_that_was_not_shown_says_nothing() -> None:
    path = "$.earning.multipliers[0].stackable"
    document = {"earning": {"multipliers": [{"stackable": True}]}}
    assert (
        filled(document, {f"{path}.shown": "1"})["earning"]["multipliers"][0]["stackable"] is False
    )
    assert filled(document, {}) == document


def test_the_difference_names_what_changed_and_nothing_else() -> None:
    after = json.loads(json.dumps(DEMO))
    after["earning"]["base"]["points"] = 3
    after["redemption"] = None
    found = changes(DEMO, after, ENGLISH)
    assert ("Earning · Base rate · Points", "1", "3") in found
    assert {each.after for each in found if each.label.startswith("Paying")} == {"–"}
    assert changes(DEMO, DEMO, ENGLISH) == []


def begin_draft(anna: Person, **form: str) -> str:
    anna.look("/console/programme")
    page = anna.send("/console/programme/drafts", **form)
    assert page.status_code == 200
    return page.url.path


def test_a_draft_is_changed_published_and_gone_back_from(at: Served, anna: Person) -> None:
    place = begin_draft(anna, name="Spring")
    page = anna.send(place, **{"$.earning.base.points": "2"})
    assert "This can be published." in page.text
    first = anna.send(f"{place}/publish")
    assert first.url.path == "/console/programme/versions/1001"
    once_more = anna.send(f"{place}/publish")
    assert (once_more.status_code, once_more.url.path) == (200, "/console/programme")
    assert "/console/programme/versions/1001" in once_more.text
    assert "/console/programme/versions/1002" not in once_more.text
    with opened(at.folder) as (store, _), store.reading():
        row = store.reference("programme:1001")
        assert row is not None
        assert row.body is not None
        assert json.loads(row.body)["earning"]["base"]["points"] == 2
    assert anna.look(place).status_code == 404, "a published draft is none"
    again = begin_draft(anna, version="1001")
    anna.send(again, **{"$.earning.base.points": "5", "$.starts": day_of(at, 3)})
    assert 'data-head="Before">2<' in anna.look(again).text
    anna.send(f"{again}/publish")
    assert 'data-head="After">5<' in anna.look("/console/programme/versions/1002").text
    back = begin_draft(anna, version="1001")
    anna.send(back, **{"$.starts": day_of(at, 4)})
    anna.send(f"{back}/publish")
    last = anna.look("/console/programme/versions/1003").text
    assert 'data-head="Before">5<' in last
    assert 'data-head="After">2<' in last
    assert acts(at.folder).count(("published", "Spring")) == 1


@pytest.mark.parametrize(
    ("path", "typed", "fault"),
    [
        ("$.earning.base.points", "two", "not_an_integer"),
        ("$.earning.base.per_minor", "0", "out_of_range"),
        ("$.starts", "soon", "not_a_date"),
        ("$.tiers.levels[1].threshold", "0", "not_ascending"),
        ("$.tiers.levels[0].code", "Ä", "bad_code"),
    ],
)
def test_a_fault_is_told_at_its_field_and_what_was_typed_stays(
    anna: Person, path: str, typed: str, fault: str
) -> None:
    place = begin_draft(anna)
    anna.send(place, json=json.dumps({**DEMO, "starts": "2030-01-01"}))
    page = anna.send(place, **{path: typed}).text
    assert FAULTS[fault].replace("'", "&#39;") in page
    assert f'value="{typed}"' in page
    assert anna.send(f"{place}/publish").status_code == 422
    if fault != "not_ascending":
        field = re.search(rf'name="{re.escape(path)}"[^>]*aria-invalid="true"', page)
        assert field


def test_what_is_no_json_changes_nothing(anna: Person) -> None:
    place = begin_draft(anna)
    assert anna.send(place, json="{").status_code == 422
    assert anna.send(place, json='{"a": "\\ud800"}').status_code == 422
    assert anna.send(place, json='{"a":' * 900 + "1" + "}" * 900).status_code == 422
    assert "This can be published." in anna.look(place).text


def test_a_version_starts_tomorrow_unless_today_is_meant(at: Served, anna: Person) -> None:
    place = begin_draft(anna)
    anna.send(place, **{"$.starts": day_of(at, 0)})
    assert anna.send(f"{place}/publish").status_code == 422
    anna.look(place)
    assert anna.send(f"{place}/publish", urgent="1").url.path.endswith("/1001")
    late = begin_draft(anna)
    anna.send(late, **{"$.starts": day_of(at, -1)})
    assert anna.send(f"{late}/publish", urgent="1").status_code == 422


def test_where_it_takes_two_who_typed_last_does_not_publish(at: Served, anna: Person) -> None:
    anna.look("/console/programme")
    anna.send("/console/programme/choice", two="two")
    place = begin_draft(anna)
    assert anna.send(f"{place}/publish").status_code == 422
    bela = Person(at)
    bela.begin(let_in(at.folder, "BE", "head_office"))
    bela.look(place)
    assert bela.send(f"{place}/publish").url.path.endswith("/1001")
    bela.close()


def test_an_auditor_reads_and_changes_nothing(at: Served, anna: Person) -> None:
    place, auditor = begin_draft(anna), Person(at)
    auditor.begin(let_in(at.folder, "AU", "auditor"))
    assert auditor.look(place).status_code == 200
    for path in (place, f"{place}/publish", f"{place}/try", f"{place}/drop"):
        assert auditor.send(path).status_code == 403
    auditor.close()


def day_of(at: Served, days: int) -> str:
    today = at.office.chains[TENANT].server.today(at.clock())
    return today.plus(days).iso()


# Trials ------------------------------------------------------------------------------------------


@pytest.fixture
def trader(office: Served, till: Kiosk, lines: list[Exchange]) -> Iterator[Person]:
    """Somebody of head office of a chain whose till had a busy morning."""
    till.busy_morning()
    exchange = join_in(till, office, lines)
    sell_to(till, till.member_id, 100_000)
    settle(exchange)
    # The rules that it sold by, from its journal, which is read again in quiet moments.
    wait_for(lambda: rows(office.folder, "SELECT 1 FROM own_programme") != [])
    made = Person(office)
    made.begin(let_in(office.folder, "AN", "head_office"))
    yield made
    made.close()


def tried(trader: Person, place: str) -> tuple[str, dict[str, list[int]]]:
    """The page of a trial that is done, and its figures: by the rules then, by the draft, the difference."""
    trader.look(place)
    assert trader.send(f"{place}/try", weeks="4").status_code == 200
    wait_for(lambda: "How far it is" not in trader.look(f"{place}/trial").text)
    found = rows_of(trader.look(f"{place}/trial.csv"))[1:]
    return trader.look(f"{place}/trial").text, {
        row[0]: [int(each) for each in row[1:]] for row in found
    }


ISSUED, LEFT = "Points issued, less what returns took back", "Points of these members at the end"


def test_by_the_rules_that_were_a_trial_comes_to_what_is(office: Served, trader: Person) -> None:
    page, figures = tried(trader, begin_draft(trader))
    assert "worked out" in page
    assert 'role="alert"' not in page
    assert "left out." not in page
    assert "It ended before" not in page
    events = re.search(r"Read: (\d+) events of 1 members in \d+ s\.", page)
    assert events
    assert int(events[1]) > 3
    assert {difference for _, _, difference in figures.values()} == {0}, (
        "the draft is what is in force"
    )
    with opened(office.folder) as (store, _), store.reading():
        known = [store.member(each) for each in store.members()]
        assert figures[LEFT][0] == sum(each.state.balance() for each in known if each)


def test_a_return_that_was_voided_counts_no_more_when_more_is_brought_back(
    office: Served, till: Kiosk, trader: Person, lines: list[Exchange]
) -> None:
    sold = till.quote_and_sell(5000, quantity=3).result
    till.undo(till.take_back(sold.event_id, 2).result.event_id)
    till.take_back(sold.event_id, 3)
    settle(*lines)
    page, figures = tried(trader, begin_draft(trader))
    assert "left out." not in page
    assert {difference for _, _, difference in figures.values()} == {0}
    with opened(office.folder) as (store, _), store.reading():
        known = [store.member(each) for each in store.members()]
        assert figures[LEFT][0] == sum(each.state.balance() for each in known if each)


def test_a_draft_that_gives_more_issues_more_and_lifts_members(trader: Person) -> None:
    place = begin_draft(trader)
    base = re.search(r'name="\$\.earning\.base\.points" value="(\d+)"', trader.look(place).text)
    assert base
    changed = {"$.earning.base.points": str(int(base[1]) * 2)}
    for level in range(1, 4):
        changed[f"$.tiers.levels[{level}].threshold"] = str(level)
    trader.send(place, **changed)
    _, figures = tried(trader, place)
    assert figures[ISSUED][2] > 0
    assert figures[LEFT][2] > 0
    assert figures["Members up a tier"][1] == 1
    assert figures["Members down a tier"][1] == 0


def test_a_draft_without_paying_with_points_says_how_many_sales_did(trader: Person) -> None:
    place = begin_draft(trader)
    page = trader.look(place).text
    box = re.search(r'(?s)<textarea id="json"[^>]*>(.*?)</textarea>', page)
    assert box
    known = json.loads(html.unescape(box[1]))
    known |= {"redemption": None}
    known["returns"]["spent_policy"] = "negative"
    trader.send(place, json=json.dumps(known))
    _, figures = tried(trader, place)
    assert figures["Sales that could not spend the points they spent"][:2] == [0, 1]
    assert figures[LEFT][2] > 0, "the points are still there"


def test_a_trial_that_is_stopped_says_how_far_it_came() -> None:
    trial = Trial(4, stop=True)
    known = Known(lambda: [b"m" * 16], lambda _: [], lambda _: None, lambda *_: None)
    run(trial, known, programme_from_plain(DEMO), BusinessDate(0))
    assert (trial.done, trial.cut_short, trial.members) == (True, True, 0)


def test_a_member_whose_weeks_make_no_sense_is_left_out_and_counted() -> None:
    on = BusinessDate(20_000)
    entry = Entry(EntryId(b"e" * 16, 0), POINTS, "earn", 5, on, on, on.plus(300))
    body = Event(
        b"e" * 16, b"c" * 16, b"d" * 16, 1, 1, "sale", 0, 0, int(on), None, None, None, 1, [], {}
    ).to_bytes()
    bare = facts.write(Facts(b"e" * 16, "sale", b"m" * 16, on, (Posting(entry),)))
    own = facts.write(Facts(b"e" * 16, "merge", b"m" * 16, on, (Posting(entry),)))
    for each, left, balance in ((body, 1, 0), (bare, 1, 0), (own, 0, 5)):
        trial = Trial(4)
        run(trial, known_with(entry, each), programme_from_plain(DEMO), on)
        assert (trial.done, trial.left_out, trial.ours.liability) == (True, left, balance)


def known_with(entry: Entry, body: bytes) -> Known:
    """One member with one entry of this event."""
    return Known(lambda: [b"m" * 16], lambda _: [entry], lambda _: body, lambda *_: None)


def test_trials_of_all_chains_together_are_few_and_the_one_under_way_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "KEPT_MOST", 1)
    go = threading.Event()

    class Waiting:
        """A place whose trials take until `go`."""

        def reading(self, _: bytes) -> Any:
            go.wait()
            raise ZeroDivisionError

    made, programme, on = (
        Trials(cast(Place, Waiting())),
        programme_from_plain(DEMO),
        BusinessDate(0),
    )
    chains = [bytes([number]) * 16 for number in range(trials.RUNNING_MOST + 1)]
    begun = [made.begin(chain, b"d", programme, 4, on) for chain in chains]
    assert begun == [True] * trials.RUNNING_MOST + [False]
    running = [made.of(chain, b"d") for chain in chains[:-1]]
    assert None not in running, "what is under way can be stopped"
    go.set()
    wait_for(lambda: all(each is not None and each.done for each in running))
    assert made.begin(chains[-1], b"d", programme, 4, on)
    assert made.of(chains[0], b"d") is None, "the oldest that is done"


def test_a_trial_over_many_members_says_what_it_read_and_stops_where_it_is() -> None:
    found = measured(120)
    assert (found["events read"], found["members"]) == (120, 10)
    assert 5 <= found["members when stopped"] <= 10


def test_every_limit_of_the_guard_has_its_words() -> None:
    assert set(LIMIT_NAMES) <= set(NAMES)
