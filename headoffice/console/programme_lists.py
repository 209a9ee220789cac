"""What a programme's form adds and takes away: levels, multipliers, and groups of values that may be missing.

A draft may be anything that was typed: what is not where it should be is left as it is.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Final

LEVELS: Final = "$.tiers.levels"
MULTIPLIERS: Final = "$.earning.multipliers"
REDEMPTION: Final = "$.redemption"
KINDS: Final = ("birthday", "weekdays", "goods", "tiers")
"""By what a new multiplier is meant to be limited."""
ITEM: Final = re.compile(r"(\$\.tiers\.levels|\$\.earning\.multipliers)\[([0-9]{1,3})\]")
_ACT: Final = re.compile(r"(after|remove|add|set|unset) (\$[a-z_.\[\]0-9]{1,60})")
_BIRTHDAY: Final = re.compile(r"(\$\.earning\.multipliers)\[([0-9]{1,3})\]\.birthday")
_WINDOW: Final = {"days_before": 3, "days_after": 3}
_NO_GOODS: Final[dict[str, list[str]]] = {"categories": [], "items": []}
_PAYING: Final = {
    "unit_points": 100, "unit_value_minor": 100, "minimum_points": 100, "max_share_bp": 5_000,
    "excludes": _NO_GOODS,
}  # fmt: skip


def changed(document: Any, act: str, kind: str) -> tuple[Any, str]:
    """The document after what a button says, and the path where its reader goes on; "": nothing was done."""
    found = _ACT.fullmatch(act)
    if found is None:
        return document, ""
    made: Any = copy.deepcopy(document)
    do, path = found.groups()
    try:
        return made, _done(made, do, path, kind)
    except (KeyError, IndexError, TypeError):
        return document, ""


def _done(made: Any, do: str, path: str, kind: str) -> str:
    if path == REDEMPTION and do in ("set", "unset"):
        made["redemption"] = copy.deepcopy(_PAYING) if do == "set" else None
        return path
    birthday = _BIRTHDAY.fullmatch(path)
    if birthday and do in ("set", "unset"):
        items = made["earning"]["multipliers"]
        items[int(birthday[2])]["birthday"] = dict(_WINDOW) if do == "set" else None
        return f"{birthday[1]}[{birthday[2]}]"
    if path == MULTIPLIERS and do == "add":
        items = made["earning"]["multipliers"]
        items.append(_multiplier(items, kind if kind in KINDS else ""))
        return f"{path}[{len(items) - 1}]"
    item = ITEM.fullmatch(path)
    if item is None:
        return ""
    where, at = item[1], int(item[2])
    items = made["tiers"]["levels"] if where == LEVELS else made["earning"]["multipliers"]
    if do == "remove" and (where == MULTIPLIERS or len(items) > 1):
        del items[at]
        return f"{where}[{max(at - 1, 0)}]"
    if do == "after" and where == LEVELS:
        items.insert(at + 1, _level(items, at))
        return f"{where}[{at + 1}]"
    return ""


def _level(levels: Any, at: int) -> dict[str, Any]:
    """A level between one and the next; behind the last one ten ranks and twice the threshold on."""
    before, following = levels[at], levels[at + 1] if at + 1 < len(levels) else None
    return {
        "code": _free(levels, "level"),
        "rank": _between(before["rank"], following and following["rank"], before["rank"] + 10),
        "name": {"zh": "新等级", "en": "New level"},
        "threshold": _between(
            before["threshold"], following and following["threshold"],
            max(before["threshold"] * 2, 100_000),
        ),
        "discount_bp": before["discount_bp"],
    }  # fmt: skip


def _between(low: int, high: int | None, otherwise: int) -> int:
    return otherwise if high is None else (low + high) // 2


def _multiplier(items: Any, kind: str) -> dict[str, Any]:
    """Twice the points, at first under no condition but that of its kind."""
    return {
        "code": _free(items, kind or "multiplier"),
        "factor_bp": 20_000,
        "stackable": False,
        "tiers": [],
        "weekdays": [6, 7] if kind == "weekdays" else [],
        "from_minute": None,
        "until_minute": None,
        "from_date": None,
        "until_date": None,
        "birthday": dict(_WINDOW) if kind == "birthday" else None,
        "goods": copy.deepcopy(_NO_GOODS),
    }


def _free(items: Any, name: str) -> str:
    """A code that none of them has."""
    taken = {each.get("code") for each in items}
    return next(
        code
        for n in range(1, len(taken) + 2)
        if (code := name if n == 1 else f"{name}_{n}") not in taken
    )
