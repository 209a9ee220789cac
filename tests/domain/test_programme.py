"""Programmes: reading, writing, publishing, and the schema that says the same as the reader."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

import resources
from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.programme import Programme
from app.domain.programme_checks import ProgrammeError
from app.domain.programme_plain import programme_from_plain, programme_to_plain
from app.domain.programme_versions import check_publish, programme_on
from tests.domain import golden_runner

DEMO = json.loads(resources.programme_path("demo.json").read_text("utf-8"))
SCHEMA = json.loads(resources.programme_path("programme.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
Change = Callable[[Any], object]


def put(*path: Any) -> Change:
    """Set the value at a path: put("earning", "base", "points", 3)."""

    def change(document: Any) -> None:
        for key in path[:-2]:
            document = document[key]
        document[path[-2]] = path[-1]

    return change


def drop(*path: Any) -> Change:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


def changed(*changes: Change) -> Any:
    document = copy.deepcopy(DEMO)
    for change in changes:
        change(document)
    return document


GOOD: list[Change] = [
    put("redemption", None),
    put("version", 7),
    put("starts", "2031-12-31"),
    put("currency", {"code": "JPY", "exponent": 0}),
    put("currency", {"code": "KWD", "exponent": 3}),
    put("earning", "multipliers", []),
    put("earning", "cap_per_day", None),
    put("earning", "item_rates", {"龙井 250g": {"points": 0, "per_minor": 1}}),
    put("validity", {"kind": "never", "count": 0}),
    put("earning", "rounding", "half_even"),
    put("limits", "adjust_points", {"cashier": 0, "supervisor": 0, "manager": None}),
    put("earning", "multipliers", 0, "until_date", "2026-01-01"),
    put("guard", {}),
    put("guard", {"earn_block_minutes": 0, "drawer_per_shift": 9}),
]
BAD: list[tuple[Change, str, str]] = [
    (put("colour", 1), "$.colour", "unknown_key"),
    (put("earning", "base", "bonus", 1), "$.earning.base.bonus", "unknown_key"),
    (drop("validity"), "$.validity", "missing_key"),
    (drop("tiers", "levels", 0, "name", "zh"), "$.tiers.levels[0].name.zh", "missing_key"),
    (put("format", 2), "$.format", "out_of_range"),
    (put("version", "1"), "$.version", "not_an_integer"),
    (put("version", 1.5), "$.version", "not_an_integer"),
    (put("version", True), "$.version", "not_an_integer"),
    (put("version", 0), "$.version", "out_of_range"),
    (put("code", "Demo"), "$.code", "bad_code"),
    (put("code", 3), "$.code", "not_a_text"),
    (put("starts", "2024-13-01"), "$.starts", "not_a_date"),
    (put("starts", "20240101"), "$.starts", "not_a_date"),
    (put("starts", None), "$.starts", "not_a_text"),
    (put("currency", "exponent", 1), "$.currency.exponent", "out_of_range"),
    (put("currency", "code", "cny"), "$.currency.code", "bad_code"),
    (put("leap_day", "feb29"), "$.leap_day", "not_a_choice"),
    (put("tiers", []), "$.tiers", "not_an_object"),
    (put("tiers", "levels", {}), "$.tiers.levels", "not_a_list"),
    (put("tiers", "levels", []), "$.tiers.levels", "out_of_range"),
    (put("tiers", "levels", 1, "discount_bp", 10_001), "$.tiers.levels[1].discount_bp",
     "out_of_range"),
    (put("tiers", "levels", 1, "name", "en", ""), "$.tiers.levels[1].name.en", "out_of_range"),
    (put("earning", "base", "per_minor", 0), "$.earning.base.per_minor", "out_of_range"),
    (put("earning", "category_rates", {"": {"points": 1, "per_minor": 1}}),
     "$.earning.category_rates.", "out_of_range"),
    (put("earning", "excludes", "items", ["a", "a"]), "$.earning.excludes.items", "duplicate"),
    (put("earning", "multipliers", 0, "weekdays", [0]), "$.earning.multipliers[0].weekdays[0]",
     "out_of_range"),
    (put("earning", "multipliers", 0, "stackable", 1), "$.earning.multipliers[0].stackable",
     "not_a_boolean"),
    (put("earning", "rounding", "up"), "$.earning.rounding", "not_a_choice"),
    (put("redemption", "max_share_bp", 20_000), "$.redemption.max_share_bp", "out_of_range"),
    (put("limits", "void_minor", "cashier", -1), "$.limits.void_minor.cashier", "out_of_range"),
    (put("guard", None), "$.guard", "not_an_object"),
    (put("guard", {"claim_days": -1}), "$.guard.claim_days", "out_of_range"),
    (put("guard", {"claim_days": "7"}), "$.guard.claim_days", "not_an_integer"),
    (put("guard", {"mute": 1}), "$.guard.mute", "unknown_key"),
]  # fmt: skip
CROSS: list[tuple[list[Change], str, str]] = [
    ([put("validity", {"kind": "days", "count": 10}), put("pending_days", 10)],
     "$.pending_days", "not_shorter_than_validity"),
    ([put("validity", {"kind": "days", "count": 0})], "$.validity.count", "out_of_range"),
    ([put("validity", {"kind": "never", "count": 3})], "$.validity.count", "out_of_range"),
    ([put("tiers", "window", "calendar_year")], "$.tiers.window_days", "out_of_range"),
    ([put("tiers", "window_days", 0)], "$.tiers.window_days", "out_of_range"),
    ([put("tiers", "levels", 0, "threshold", 1)], "$.tiers.levels[0].threshold",
     "first_level_is_everyones"),
    ([put("tiers", "levels", 2, "rank", 10)], "$.tiers.levels[2]", "not_ascending"),
    ([put("tiers", "levels", 2, "threshold", 5)], "$.tiers.levels[2]", "not_ascending"),
    ([put("tiers", "levels", 2, "code", "silver")], "$.tiers.levels", "duplicate"),
    ([put("earning", "multipliers", 1, "code", "tuesday_tea")], "$.earning.multipliers",
     "duplicate"),
    ([put("earning", "multipliers", 2, "tiers", ["platinum"])], "$.earning.multipliers[2].tiers",
     "no_such_tier"),
    ([put("earning", "multipliers", 0, "until_minute", None)],
     "$.earning.multipliers[0].until_minute", "half_a_window"),
    ([put("earning", "multipliers", 0, "until_minute", 840)],
     "$.earning.multipliers[0].until_minute", "empty_window"),
    ([put("earning", "multipliers", 0, "from_date", "2026-02-02"),
      put("earning", "multipliers", 0, "until_date", "2026-02-01")],
     "$.earning.multipliers[0].until_date", "empty_window"),
    ([put("redemption", None), put("returns", "spent_policy", "deduct")],
     "$.returns.spent_policy", "needs_redemption"),
    ([put("guard", {"earn_block_per_day": 2})], "$.guard.earn_block_per_day", "below_flag"),
]  # fmt: skip


def test_the_demo_programme_is_canonical_and_fits_the_schema() -> None:
    assert programme_to_plain(programme_from_plain(DEMO)) == DEMO
    VALIDATOR.validate(DEMO)


def test_the_golden_base_programme_fits_the_schema() -> None:
    VALIDATOR.validate(golden_runner.load("programme.json"))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_reader_and_schema_both_take_a_good_document(number: int) -> None:
    document = changed(GOOD[number])
    assert VALIDATOR.is_valid(document)
    programme = programme_from_plain(document)
    assert programme_from_plain(programme_to_plain(programme)) == programme


@pytest.mark.parametrize(("change", "path", "fault"), BAD, ids=[row[1] for row in BAD])
def test_reader_and_schema_both_refuse_a_bad_document(
    change: Change, path: str, fault: str
) -> None:
    document = changed(change)
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(ProgrammeError) as refused:
        programme_from_plain(document)
    assert (refused.value.path, refused.value.fault) == (path, fault)
    assert refused.value.code is Refusal.PROGRAMME_INVALID
    assert refused.value.facts == {"path": path, "fault": fault}


@pytest.mark.parametrize(("changes", "path", "fault"), CROSS, ids=[row[2] for row in CROSS])
def test_the_reader_refuses_what_several_fields_make_wrong(
    changes: list[Change], path: str, fault: str
) -> None:
    document = changed(*changes)
    assert VALIDATOR.is_valid(document)
    with pytest.raises(ProgrammeError) as refused:
        programme_from_plain(document)
    assert (refused.value.path, refused.value.fault) == (path, fault)


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_what_is_no_object_is_no_programme(document: object) -> None:
    with pytest.raises(ProgrammeError) as refused:
        programme_from_plain(document)
    assert (refused.value.path, refused.value.fault) == ("$", "not_an_object")


def version(number: int, starts: str, *changes: Change) -> Programme:
    return programme_from_plain(changed(put("version", number), put("starts", starts), *changes))


def test_a_date_has_the_latest_version_that_has_started() -> None:
    first, second = version(1, "2026-01-01"), version(2, "2026-02-01")
    on = BusinessDate.from_iso
    found = [programme_on([second, first], on(day)) for day in ("2026-01-31", "2026-02-01")]
    assert found == [first, second]
    assert programme_on([first, second], on("2025-12-31")) is None


def test_a_version_may_start_today_but_not_earlier() -> None:
    today = BusinessDate.from_iso("2026-03-01")
    check_publish(version(2, "2026-03-01"), [version(1, "2026-01-01")], today)
    with pytest.raises(Refused) as refused:
        check_publish(version(2, "2026-02-28"), [version(1, "2026-01-01")], today)
    assert refused.value.code is Refusal.PROGRAMME_STARTS_IN_PAST


def test_a_version_starts_within_a_year() -> None:
    """A mistyped year would stop every later version: none starts before it."""
    today = BusinessDate.from_iso("2026-03-01")
    check_publish(version(2, "2027-03-02"), [version(1, "2026-01-01")], today)
    with pytest.raises(Refused) as refused:
        check_publish(version(2, "2027-03-03"), [version(1, "2026-01-01")], today)
    assert refused.value.code is Refusal.PROGRAMME_STARTS_TOO_LATE
    assert refused.value.facts == {"last": "2027-03-02"}


@pytest.mark.parametrize(("number", "starts"), [(2, "2026-04-01"), (1, "2026-05-01")])
def test_one_date_has_one_version_and_numbers_rise(number: int, starts: str) -> None:
    today = BusinessDate.from_iso("2026-03-01")
    with pytest.raises(Refused) as refused:
        check_publish(version(number, starts), [version(1, "2026-04-01")], today)
    assert refused.value.code is Refusal.PROGRAMME_START_TAKEN


def test_a_rank_keeps_its_tier_for_ever() -> None:
    today = BusinessDate.from_iso("2026-03-01")
    other = version(2, "2026-03-02", put("tiers", "levels", 1, "code", "bronze"))
    with pytest.raises(ProgrammeError) as refused:
        check_publish(other, [version(1, "2026-01-01")], today)
    assert refused.value.fault == "rank_taken"
