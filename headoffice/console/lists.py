"""Lists that may be long: pages, what they are narrowed by, and files, which have all that is meant.

Rows are read a portion at a time in one snapshot, and a file is written to the disk before any of it is sent:
so memory stays bounded, and the audit has how many rows left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from app.domain.business_day import BusinessDate
from app.i18n import Words
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.listing import Listing, Row

PAGE: Final = 100
AFTER_MOST: Final = 10_000
"""A page that begins behind so many rows is the last one: all rows before it are read for it."""
READ: Final = 500
"""So many rows are read at a time."""
_TEXT_MOST: Final = 40
_DAY_MS: Final = 86_400_000
FIRST, LAST = "first", "last"
Record = TypeVar("Record")
Rows = Generator[Row, None, None]


class Field(NamedTuple):
    """Something that a list is narrowed by. options: of a choice, value and text, which may be
    none at all; None: it is a date."""

    name: str
    label: str
    options: Sequence[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What was chosen of a list's fields, by name; what nobody chose is not in it."""

    chosen: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.chosen.get(name, "")

    @property
    def query(self) -> str:
        """The address of the same choice, behind the list's own."""
        return urlencode(self.chosen)

    def days(self) -> tuple[int, int]:
        """The first and the last date, as days since 1970; wide enough for all where none was chosen."""
        first, last = (_date(self[name]) for name in (FIRST, LAST))
        wide = 1 << 30
        return -wide if first is None else int(first), wide if last is None else int(last)

    def instants(self, offset_minutes: int) -> tuple[int, int]:
        """From when until before when, in a chain's local time."""
        first, last = self.days()
        offset_ms = offset_minutes * 60_000
        return first * _DAY_MS - offset_ms, (last + 1) * _DAY_MS - offset_ms

    def has(self, at_ms: int, offset_minutes: int) -> bool:
        """Whether an instant is in the chosen dates."""
        begin, end = self.instants(offset_minutes)
        return begin <= at_ms < end


@dataclass(frozen=True, slots=True)
class LongList:
    """A list of the console. name: what its file is called. rows: all that is meant, in its order; closed as
    soon as enough was taken of it. beside: where its page leads to, by address."""

    path: str
    name: str
    title: Callable[[Words], str]
    note: Callable[[Words], str]
    heads: Callable[[Words], tuple[str, ...]]
    rows: Callable[[Desk, Asked, Filters], Rows]
    fields: Callable[[Desk, Asked], tuple[Field, ...]] = lambda _, __: ()
    beside: Callable[[Words], Mapping[str, str]] = lambda _: {}

    def show(self, desk: Desk, asked: Asked) -> Response:
        """A page of it."""
        words, fields = asked.words, self.fields(desk, asked)
        filters, begin = chosen(asked.request.query_params, fields), min(asked.after(), AFTER_MOST)
        with closing(self.rows(desk, asked, filters)) as rows:
            shown = tuple(islice(rows, begin, begin + PAGE + 1))
        more = urlencode({**filters.chosen, "after": str(begin + PAGE)})
        return desk.page(
            asked, "list.html", title=self.title(words), note=self.note(words),
            listing=Listing(self.name, self.heads(words), shown[:PAGE]),
            fields=fields, chosen=filters, beside=self.beside(words),
            file=placed(f"{self.path}.csv", filters.query),
            older=f"{self.path}?{more}" if len(shown) > PAGE and begin < AFTER_MOST else None,
            too_many=len(shown) > PAGE and begin >= AFTER_MOST,
            here=placed(self.path, filters.query),
        )  # fmt: skip

    def choose(self, desk: Desk, asked: Asked) -> Response:
        """Something was chosen to narrow it by."""
        return go_to(placed(self.path, chosen(asked.form, self.fields(desk, asked)).query))

    def file(self, desk: Desk, asked: Asked) -> Response:
        """All that is meant, as a file."""
        filters = chosen(asked.request.query_params, self.fields(desk, asked))
        with closing(self.rows(desk, asked, filters)) as rows:
            return desk.export(asked, self.name, self.heads(asked.words), rows)


def chosen(given: Mapping[str, str], fields: Sequence[Field]) -> Filters:
    """What of a form or an address is something that can be chosen."""
    found = dict[str, str]()
    for field in fields:
        value = given.get(field.name, "").strip()[:_TEXT_MOST]
        if value and _is_choice(value, field):
            found[field.name] = value
    return Filters(found)


def told(filters: Filters, fields: Sequence[Field]) -> list[tuple[str, str]]:
    """What was chosen, in words: what it is called, and the value's text."""
    found = [(each, filters[each.name]) for each in fields if filters[each.name]]
    return [(each.label, dict(each.options or ()).get(value, value)) for each, value in found]


def placed(path: str, query: str) -> str:
    """A list's address with what was chosen."""
    return f"{path}?{query}" if query else path


def portions(read: Callable[[Record | None, int], Sequence[Record]]) -> Iterator[Record]:
    """All of what is read by the one that it comes behind (None: from the beginning) and how many to take,
    inside one snapshot. Not by how many to skip: the last portion would read all that were before it."""
    last, more = None, True
    while more:
        found = read(last, READ)
        yield from found
        last, more = found[-1] if found else None, len(found) == READ


def dates(words: Words) -> tuple[Field, Field]:
    """From when to when."""
    return Field(FIRST, words.say("From")), Field(LAST, words.say("to"))


def choice(words: Words, name: str, label: str, names: Mapping[str, str]) -> Field:
    """One of some codes, by what they are called."""
    return Field(name, label, [(code, words.say(text)) for code, text in names.items()])


def looked_at(words: Words) -> Field:
    """Whether somebody has looked at it."""
    say = words.say
    return Field(
        "seen", say("Somebody looked at it"), [("new", say("Not yet")), ("done", say("Done"))]
    )


def store_choice(desk: Desk, asked: Asked) -> Field:
    """One of the stores that who asks may see."""
    found = [
        (shop.id.hex(), shop.name)
        for shop in desk.office.shops.values()
        if shop.tenant == asked.tenant and (not asked.stores or shop.id in asked.stores)
    ]
    return Field("store", asked.words.say("Store name"), sorted(found, key=lambda each: each[1]))


def till_choice(desk: Desk, asked: Asked) -> Field:
    """One of the tills that who asks may see."""
    shops, tills = desk.office.shops, desk.office.tills_of(asked.tenant)
    found = [
        (till.device.hex(), f"{shops[till.shop].name} / {till.name}")
        for till in tills
        if till.shop in shops and (not asked.stores or till.shop in asked.stores)
    ]
    return Field("till", asked.words.say("Till"), sorted(found, key=lambda each: each[1]))


# Inside ------------------------------------------------------------------------------------------


def _is_choice(value: str, field: Field) -> bool:
    if field.options is None:
        return _date(value) is not None
    return any(value == each for each, _ in field.options)


def _date(text: str) -> BusinessDate | None:
    try:
        return BusinessDate.from_iso(text)
    except ValueError:
        return None
