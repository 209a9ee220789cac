"""A programme document as a form: one field for each value, by its path; and as a list, to compare two of them.

What is added and taken away is programme_lists.py's; what a form can't say is said in the JSON view.
A wrong value is kept as it was typed: app/domain says what is wrong with it, and where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from app.domain.business_day import BusinessDate
from app.domain.money import ROUNDINGS
from app.domain.programme import (
    LEAP_DAYS,
    MEASURES,
    SPENT_POLICIES,
    TAX_BASES,
    VALIDITY_KINDS,
    WINDOW_KINDS,
)
from app.i18n import Words
from headoffice.console import programme_words as told
from headoffice.console.programme_lists import ITEM, MULTIPLIERS, REDEMPTION

_Named = tuple[tuple[str, str], ...]
Kind = Literal["number", "text", "date", "choice", "tick", "list", "rates"]
PARTS: Final = ("", "tiers", "earning", "redemption", "validity", "returns", "limits", "guard")
"""In which order the parts of a programme are shown; "": what belongs to none."""
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "leap_day": LEAP_DAYS,
    "measure": MEASURES,
    "window": WINDOW_KINDS,
    "tax": TAX_BASES,
    "rounding": ROUNDINGS,
    "kind": VALIDITY_KINDS,
    "spent_policy": SPENT_POLICIES,
}
_DATES: Final = frozenset(("starts", "from_date", "until_date"))
_MAPS: Final = frozenset(("category_rates", "item_rates"))
_HIDDEN: Final = frozenset(("$.format", "$.version", "$.currency.exponent"))
_MAYBE: Final = re.compile(
    r"\.(cap_per_sale|cap_per_day|from_minute|until_minute|from_date|until_date|negative_limit_points"
    r"|limits\.[a-z_]+\.[a-z]+)$"
)
"""What may be left empty."""
_GROUPS: Final = frozenset(("redemption", "birthday"))
_LISTS: Final = frozenset(("levels", "multipliers"))
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}")


class Field(NamedTuple):
    """One value. path: as app/domain names it, e.g. "$.earning.base.points"; text: as a form shows it."""

    path: str
    part: str
    label: str
    kind: Kind
    text: str
    choices: tuple[tuple[str, str], ...] = ()


class Group(NamedTuple):
    """Values that are shown together. path: of the level or multiplier that they are; "": of neither.

    without  what it could have and has not, e.g. "$.redemption"; having: what of it can be taken away
    """

    path: str
    label: str
    fields: tuple[Field, ...]
    having: tuple[tuple[str, str], ...] = ()
    without: tuple[tuple[str, str], ...] = ()


class Change(NamedTuple):
    """A value that differs between two documents; "–": it is not there."""

    label: str
    before: str
    after: str


def fields_of(document: Any, words: Words) -> list[Field]:
    """All values of a document, part by part."""
    found = [
        _field(path, value, words)
        for path, value in _leaves("$", document)
        if path not in _HIDDEN and not _is_gone(path, value)
    ]
    return sorted(found, key=lambda field: PARTS.index(field.part))


def groups_of(document: Any, words: Words) -> dict[str, list[Group]]:
    """The fields by part, a level and a multiplier by itself; parts in their order."""
    parts: dict[str, dict[str, list[Field]]] = {part: {"": []} for part in PARTS}
    for field in fields_of(document, words):
        item = ITEM.match(field.path)
        parts[field.part].setdefault(item[0] if item else "", []).append(field)
    return {
        part: [
            Group(
                path,
                _within(label_of(path, words), part, words) if path else "",
                tuple(
                    field._replace(label=_within(field.label, path or part, words))
                    for field in fields
                ),
                *_maybe(document, part, path, words),
            )
            for path, fields in groups.items()
        ]
        for part, groups in parts.items()
    }  # fmt: skip


def _within(label: str, path: str, words: Words) -> str:
    """A label under the heading of its part, level or multiplier, which has said the rest."""
    return label.removeprefix(f"{label_of(path.removeprefix('$.'), words)} · ")


def _maybe(document: Any, part: str, path: str, words: Words) -> tuple[_Named, _Named]:
    """What of a group is there and what is not, of that which may be missing."""
    wanted = REDEMPTION if part == "redemption" and not path else ""
    if path.startswith(MULTIPLIERS):
        wanted = f"{path}.birthday"
    if not wanted or not isinstance(document, dict):
        return (), ()
    named = ((wanted, words.say(told.NAMES[wanted.rpartition(".")[2]])),)
    there = any(each.startswith(f"{wanted}.") for each, _ in _leaves("$", document))
    return (named, ()) if there else ((), named)


def filled(document: Any, form: dict[str, str]) -> Any:
    """The document with what was typed into its fields."""
    return _filled("$", document, form)


def changes(before: Any, after: Any, words: Words) -> list[Change]:
    """What differs, in the order of the form."""
    old, new = _by_code(before, words), _by_code(after, words)
    return [
        Change(
            (new.get(path) or old[path]).label,
            _shown(old.get(path)),
            _shown(new.get(path)),
        )
        for path in dict.fromkeys((*new, *old))
        if _shown(old.get(path)) != _shown(new.get(path))
    ]


def _by_code(document: Any, words: Words) -> dict[str, Field]:
    """The fields; of a level or multiplier by its code, so that one more before it changes nothing of it."""
    fields = fields_of(document, words)
    codes = {
        field.path.removesuffix(".code"): field.text for field in fields
        if ITEM.fullmatch(field.path.removesuffix(".code")) and field.path.endswith(".code")
    }  # fmt: skip
    found = dict[str, Field]()
    for field in fields:
        item = ITEM.match(field.path)
        code = codes.get(item[0], "") if item else ""
        if item is None or not code or list(codes.values()).count(code) > 1:
            found[field.path] = field
            continue
        rest = field.path.removeprefix(item[0])
        where, after = label_of(item[1], words), label_of(f"${rest}", words)
        found[f"{item[1]} {code} {rest}"] = field._replace(label=f"{where} {code} · {after}")
    return found


def label_of(path: str, words: Words) -> str:
    """What a path is called."""
    names = list[str]()
    for name, number in re.findall(r"([a-z_]+)(?:\[(\d+)\])?", path.removeprefix("$")):
        names.append(words.say(told.NAMES[name]) if name in told.NAMES else name)
        if number:
            names[-1] += f" {int(number) + 1}"
    return " · ".join(names)


# Inside ------------------------------------------------------------------------------------------


def _is_gone(path: str, value: Any) -> bool:
    """A part that is not there: the JSON view brings it."""
    name = path.rpartition(".")[2]
    return (value is None and name in _GROUPS) or (value == [] and name in _LISTS)


def _shown(field: Field | None) -> str:
    if field is None or not field.text:
        return "–"
    return dict(field.choices).get(field.text, field.text)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    name = path.rpartition(".")[2]
    if isinstance(value, dict) and name not in _MAPS:
        for key, each in value.items():
            yield from _leaves(f"{path}.{key}", each)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, each in enumerate(value):
            yield from _leaves(f"{path}[{number}]", each)
    else:
        yield path, value


def _field(path: str, value: Any, words: Words) -> Field:
    name = path.rpartition(".")[2]
    part = path.removeprefix("$.").partition(".")[0]
    part = part if part in PARTS else ""
    choices = tuple((each, words.say(told.CHOICES[each])) for each in _CHOICES.get(name, ()))
    return Field(
        path, part, label_of(path, words), _kind(path, name, value), _text(name, value), choices
    )


def _kind(path: str, name: str, value: Any) -> Kind:
    if name in _CHOICES:
        return "choice"
    if name in _MAPS:
        return "rates"
    if name in _DATES:
        return "date"
    if isinstance(value, bool):
        return "tick"
    if isinstance(value, list):
        return "list"
    if isinstance(value, int) or _MAYBE.search(path):
        return "number"
    return "text"


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _MAPS and isinstance(value, dict):
        return "\n".join(
            f"{key} = {rate.get('points')}/{rate.get('per_minor')}" if isinstance(rate, dict) else str(key)
            for key, rate in value.items()
        )  # fmt: skip
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _filled(path: str, value: Any, form: dict[str, str]) -> Any:
    name = path.rpartition(".")[2]
    if isinstance(value, dict) and name not in _MAPS:
        return {key: _filled(f"{path}.{key}", each, form) for key, each in value.items()}
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [_filled(f"{path}[{number}]", each, form) for number, each in enumerate(value)]
    if isinstance(value, bool):
        # A box that is not ticked is not sent; the hidden field beside it says that it was shown.
        return path in form if f"{path}.shown" in form else value
    return _value(path, name, value, form[path].strip()) if path in form else value


def _value(path: str, name: str, before: Any, typed: str) -> Any:
    if name in _MAPS:
        return dict(_rates(typed))
    if name in _CHOICES:
        return typed
    if isinstance(before, list):
        parts = [each.strip() for each in re.split("[,，、]", typed) if each.strip()]
        return [_number(each) for each in parts] if name == "weekdays" else parts
    if not typed and (_MAYBE.search(path) or before is None):
        return None
    if name in _DATES or (isinstance(before, str) and not _is_number(path)):
        return typed
    return _number(typed)


def _is_number(path: str) -> bool:
    """Whether a value that was typed wrong before is a number all the same."""
    name = path.rpartition(".")[2]
    return name not in told.TEXTS


def _number(typed: str) -> int | str:
    return int(typed) if _INTEGER.fullmatch(typed) else typed


def _rates(typed: str) -> Iterator[tuple[str, Any]]:
    for line in typed.splitlines():
        name, equals, rate = line.rpartition("=")
        points, _, per = rate.partition("/")
        if equals and name.strip():
            yield (
                name.strip(),
                {"points": _number(points.strip()), "per_minor": _number(per.strip())},
            )
        elif line.strip():
            yield line.strip(), line.strip()


def date_or_none(text: str) -> BusinessDate | None:
    """A date as it is typed."""
    try:
        return BusinessDate.from_iso(text)
    except ValueError:
        return None
