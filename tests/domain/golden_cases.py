"""The golden cases' inputs, and figures worked by hand. `python -m tests.domain.golden_cases`
writes tests/data/golden/cases_*.json: expected values and working by the second calculator.

Nothing here imports app.domain, so a fault of the domain cannot leak into what is expected of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.domain import second_shop

GOLDEN = Path(__file__).resolve().parent.parent / "data" / "golden"
NO_GOODS: dict[str, list[str]] = {"categories": [], "items": []}
Case = dict[str, Any]
Step = dict[str, Any]


def goods(*categories: str) -> dict[str, list[str]]:
    return {"categories": list(categories), "items": []}


def earning(**fields: Any) -> Case:
    return {"earning": fields}


def multiplier(code: str, factor_bp: int, **fields: Any) -> dict[str, Any]:
    return {
        "code": code, "factor_bp": factor_bp, "stackable": False, "tiers": [], "weekdays": [],
        "from_minute": None, "until_minute": None, "from_date": None, "until_date": None,
        "birthday": None, "goods": NO_GOODS, **fields,
    }  # fmt: skip


def multipliers(*rules: dict[str, Any]) -> Case:
    return earning(multipliers=list(rules))


def sell(on: str, *lines: Any, **fields: Any) -> Step:
    """A sale; a line is a price in minor units or a dict of line fields."""
    full = [line if isinstance(line, dict) else {"price": line} for line in lines]
    return {"do": "sell", "on": on, "lines": full, **fields}


def give_back(on: str, sale: int, *lines: list[int], **fields: Any) -> Step:
    return {"do": "return", "on": on, "sale": sale, "lines": list(lines), **fields}


def opened(on: str, *lots: Any) -> Step:
    return {"do": "open", "on": on, "lots": [list(lot) for lot in lots]}


def adjust(on: str, points: int, **fields: Any) -> Step:
    return {"do": "adjust", "on": on, "points": points, **fields}


def void(on: str, step: int, **fields: Any) -> Step:
    return {"do": "void", "on": on, "step": step, **fields}


def close(on: str) -> Step:
    return {"do": "close", "on": on}


def review(on: str) -> Step:
    return {"do": "review", "on": on}


def late(on: str, booked_on: str, points: int) -> Step:
    return {"do": "late", "on": on, "booked_on": booked_on, "points": points}


def exchange(on: str, sale: int, lines: list[list[int]], *new: Any, **fields: Any) -> Step:
    inner = sell(on, *new, **fields)
    step = {"do": "exchange", "on": on, "sale": sale, "lines": lines}
    return {**step, "sell": {key: inner[key] for key in inner if key not in ("do", "on")}}


def case(
    name: str,
    *steps: Step,
    programme: Any = None,
    on: str | None = None,
    hand: dict[str, Any] | None = None,
    birthday: list[int] | None = None,
) -> Case:
    """A case; `hand` maps paths like "0.earned" or "state.balance" to figures worked by hand."""
    found: Case = {"name": name, "programme": programme or {}, "steps": list(steps)}
    found["on"] = on or steps[-1]["on"]
    if birthday:
        found["birthday"] = birthday
    found["hand"] = hand or {}
    return found


def by_name() -> dict[str, list[Case]]:
    """The cases by file topic."""
    from tests.domain import golden_counter, golden_ledger, golden_prices

    return {**golden_counter.topics(), **golden_prices.topics(), **golden_ledger.topics()}


def worked(inputs: Case, base: Any) -> Case:
    """A case with the second calculator's expectation and working."""
    expect, state, words = second_shop.run(inputs, base)
    return {**inputs, "working": words, "expect": expect, "state": state}


def dumped(cases: list[Case]) -> str:
    """One case a line, so that a change is a readable difference."""
    rows = [json.dumps(each, ensure_ascii=False, sort_keys=True) for each in cases]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def main() -> None:
    base = json.loads((GOLDEN / "programme.json").read_text(encoding="utf-8"))
    for topic, cases in by_name().items():
        text = dumped([worked(each, base) for each in cases])
        (GOLDEN / f"cases_{topic}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
