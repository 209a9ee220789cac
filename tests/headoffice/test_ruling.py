"""An operator publishes the programme, reports lost cards and settles points, from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.programme_versions import CHAIN_FROM
from headoffice import lost_cards, programmes
from headoffice.__main__ import main
from tests.domain.test_programme import DEMO
from tests.headoffice.http_office import begin_chain, opened

FAR = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()
TOO_FAR = (datetime.now(UTC).date() + timedelta(days=400)).isoformat()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin_chain(tmp_path)
    return tmp_path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "programme.json"
    path.write_text(json.dumps(DEMO), encoding="utf-8")
    return path


def did(*arguments: object) -> int:
    return main(["--language", "en", *map(str, arguments)])


def test_a_version_is_published_from_a_file(
    folder: Path, document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert did("publish", document, "--data", folder, "--from", FAR) == 0
    assert f"Version {CHAIN_FROM} is in force from {FAR}" in capsys.readouterr().out
    with opened(folder) as (store, _), store.reading():
        (made,) = programmes.published(store)
    assert made.programme.starts.iso() == FAR


@pytest.mark.parametrize(
    ("changed", "starts", "sentence"),
    [
        ({}, "2020-01-01", "Its first date is over: 2020-01-01."),
        ({}, TOO_FAR, "is the last day that a programme can start on now. Check the year."),
        ({}, "soon", "soon is no date like 2026-11-30."),
        ({"pending_days": "x"}, FAR, "$.pending_days (not_an_integer)"),
        ({"currency": None}, FAR, "$.currency (not_an_object)"),
    ],
)
def test_what_cannot_be_published_is_one_sentence(
    folder: Path,
    document: Path,
    changed: dict[str, object],
    starts: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document.write_text(json.dumps(DEMO | changed), encoding="utf-8")
    assert did("publish", document, "--data", folder, "--from", starts) == 4
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.splitlines()) == 1


def test_a_start_that_is_taken_and_a_file_that_is_none_are_told(
    folder: Path, document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert did("publish", document, "--data", folder, "--from", FAR) == 0
    assert did("publish", document, "--data", folder, "--from", FAR) == 4
    assert f"Version {CHAIN_FROM} starts on {FAR}" in capsys.readouterr().err
    assert did("publish", folder / "gone", "--data", folder) == 4
    assert "can't be read" in capsys.readouterr().err


def test_a_card_is_reported_and_found_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert did("lost-card", "8800 0000 0017", "--data", folder) == 0
    with opened(folder) as (store, _), store.reading():
        assert lost_cards.lost(store) == {"880000000017"}
    assert did("lost-card", "880000000017", "--data", folder) == 4
    assert "Nothing to do" in capsys.readouterr().err
    assert did("lost-card", "880000000017", "--found", "--data", folder) == 0
    assert did("lost-card", "卡", "--data", folder) == 4
    assert "no card's number" in capsys.readouterr().err


def test_a_settlement_of_swapped_days_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert did("settlement", "2026-11-30", "2026-11-01", "--data", folder) == 4
    told = capsys.readouterr()
    assert (told.out, "after the last" in told.err) == ("", True)


def test_a_settlement_is_a_file_for_a_spreadsheet(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert did("settlement", "2026-11-01", "2026-11-30", "--data", folder) == 0
    assert capsys.readouterr().out.splitlines() == [
        "earned_in,spent_in,points,value_minor,documents"
    ]
