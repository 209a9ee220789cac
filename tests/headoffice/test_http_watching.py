"""What head office tells whoever watches over it: health, figures, and a log without personal values."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import httpx
import pytest

from headoffice import watching
from tests.headoffice.http_office import ANNA, HttpTill, Served, begin_chain, served, wait_for
from tests.headoffice.test_http_guards import chain, till

__all__ = ["chain", "till"]


def test_when_a_feed_moved_last_is_a_figure(chain: Served, till: HttpTill) -> None:
    def moved() -> float:
        text = httpx.get(f"{chain.url}/metrics").text
        found = re.search(r"^regulars_head_moved_\S+ (\S+)$", text, re.MULTILINE)
        assert found
        return float(found[1])

    till.earn(ANNA, 40)
    till.sync()
    at_first = chain.clock()
    wait_for(lambda: moved() >= at_first // 1000 - 60)
    chain.clock.stood_ms = at_first + 90_000
    till.sync()
    assert moved() < at_first // 1000 + 60, "a poll that changes nothing moves nothing"
    till.earn(ANNA, 40)
    till.sync()
    wait_for(lambda: moved() == chain.clock() // 1000)


def test_health_readiness_and_figures(chain: Served, till: HttpTill) -> None:
    till.earn(ANNA, 40)
    till.sync()
    chain.clock.stood_ms = chain.office.heard[till.device] + 90_000
    with httpx.Client(base_url=chain.url) as client:
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/readyz").text == "ready\n"
        text = client.get("/metrics").text
    name = (b"T" * 16).hex()
    assert f'regulars_budget_points{{chain="{name}"}} 100.0' in text
    assert f'regulars_left_points{{chain="{name}"}} 50.0' in text
    assert f'regulars_oldest_silent_till_seconds{{chain="{name}"}} 90.0' in text
    assert 'regulars_events_total{kind="sale"} 2.0' in text
    assert 'regulars_requests_total{path="/v1/sync",status="200"}' in text
    for figure in (
        "overdrawn_points", "lost_points", "written_off_points", "quarantined_events",
        "group_requests_count", "clock_skew_seconds_count", "request_seconds_bucket", "forks_total",
    ):  # fmt: skip
        assert f"regulars_{figure}" in text


def test_figures_are_for_this_machine_alone(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    far = {"x-forwarded-for": "10.1.2.3"}
    with served(tmp_path, proxy="127.0.0.1") as chain, httpx.Client(base_url=chain.url) as client:
        assert client.get("/metrics", headers=far).status_code == 404
        assert client.get("/metrics").status_code == 200


def test_the_log_has_ids_and_no_personal_value(
    chain: Served, till: HttpTill, caplog: pytest.LogCaptureFixture
) -> None:
    till.at.till.set_cell(ANNA, "name", "Zhang Wei 13800138000", till.clock())
    with caplog.at_level(logging.INFO, logger="headoffice"):
        request = till.ask()
        assert till.send(request).status == 200
        assert till.send(request).status == 409
    lines = [json.loads(watching.JsonLines().format(record)) for record in caplog.records]
    first, second = lines[-2:]
    assert (first["tenant"], first["device"]) == ((b"T" * 16).hex(), till.device.hex())
    assert (first["rid"], first["status"], second["code"]) == (request.rid.hex(), 200, "replayed")
    assert "Zhang" not in str(lines)
    assert "1380" not in str(lines)
