"""Calls everything that the product can be asked, and looks for amounts in whatever comes back.

Functions are found by introspection and their arguments made from their types, so that what is added later is
asked too. `Walk.found` names who told a secret; `Walk.answered` who gave an answer at all.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlcipher3.dbapi2 import Connection

from app.build import Till
from app.context import Context, Session
from app.domain.business_day import BusinessDate
from app.domain.errors import Outage, Refused, Unavailable
from app.formats import plain_amount
from app.i18n import Words
from app.settings import Settings
from db.backup import Stop
from ui.desk import Desk
from ui.taking_out import TakingOut

PACKAGES: Final = ("app.queries", "app.usecases", "app.documents")
VARIANTS_MOST: Final = 40
DEPTH_MOST: Final = 12
UNITS_LEAST: Final = 10_000
_STRUCT: Final = "__struct_fields__"


class CannotMake(TypeError):
    """No value for a parameter: the makers below have to learn its type."""


class InsideTransaction(TypeError):
    """It wants the caller's transaction: a step of another function, which is asked itself."""


@dataclasses.dataclass(slots=True)
class Planted:
    """A till whose drawer holds a secret, and what arguments may name."""

    till: Till
    sessions: tuple[Session, ...]
    ids: Mapping[str, bytes]
    texts: Mapping[str, tuple[str, ...]]
    folder: Path


def doors(planted: Planted) -> dict[str, Callable[..., object]]:
    """Every public function that takes a context first, and every method of the desk and its parts."""
    found: dict[str, Callable[..., object]] = {}
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            found |= functions_of(importlib.import_module(module.name))
    desk = Desk(planted.till)
    parts = {"Desk": desk} | {
        type(part).__name__: part
        for part in vars(desk).values()
        if type(part).__module__.startswith("ui.desk")
    }
    for name, part in parts.items():
        for method, bound in inspect.getmembers(part, inspect.ismethod):
            if not method.startswith("_") and (name, method) != ("Desk", "close"):
                found[f"{name}.{method}"] = bound
    return found


def functions_of(module: types.ModuleType) -> dict[str, Callable[..., object]]:
    """The public functions of a module that are asked with a context."""
    return {
        f"{module.__name__}.{name}": function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "ctx"
    }


# Arguments --------------------------------------------------------------------------------------


def calls(planted: Planted, function: Callable[..., object]) -> Iterator[dict[str, object]]:
    """Arguments by name: the first value of each, then each other value in its turn."""
    hints = typing.get_type_hints(inspect.unwrap(function))
    names = [n for n in inspect.signature(function).parameters if n not in ("args", "kwargs")]
    values = {name: list(made(planted, hints[name], name)) for name in names}
    first = {name: each[0] for name, each in values.items()}
    yield first
    for name, each in values.items():
        for other in each[1:VARIANTS_MOST]:
            yield {**first, name: other}


def made(planted: Planted, hint: Any, name: str) -> Iterator[object]:
    """Values of a type, the most telling first. Raises CannotMake."""
    ctx = planted.till.context
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    fixed: dict[Any, Callable[[], list[object]]] = {
        Context: lambda: [ctx],
        Session: lambda: list(planted.sessions),
        Settings: lambda: [ctx.settings],
        Words: lambda: [ctx.words("en"), ctx.words("zh_CN")],
        Till: lambda: [planted.till],
        BusinessDate: lambda: [ctx.business_date(), ctx.business_date().plus(-1)],
        bytes: lambda: [_id(planted, name)],
        str: lambda: list(planted.texts.get(name, ("", "other"))),
        bool: lambda: [False, True],
        int: lambda: [50 if "limit" in name or "most" in name else 0, 1],
        float: lambda: [0.0],
        date: lambda: [ctx.business_date().to_date()],
        datetime: lambda: [ctx.clock()],
        timedelta: lambda: [timedelta(days=1)],
        Path: lambda: [planted.folder / "asked"],
        Unavailable: lambda: [Unavailable(Outage.STORE_FAILED)],
        type(None): lambda: [None],
        Any: lambda: [None],
        object: lambda: [None],
        Stop: lambda: [Stop()],
    }
    if hint is Connection:
        raise InsideTransaction
    if hint in fixed:
        yield from fixed[hint]()
    elif origin in (types.UnionType, typing.Union):
        for part in sorted(inner, key=lambda each: each is type(None)):
            yield from made(planted, part, name)
    elif origin is typing.Literal:
        yield from inner
    elif origin is not None and issubclass(origin, Mapping):
        yield {}
    elif origin is tuple and inner and inner[-1] is not Ellipsis:
        yield tuple(next(made(planted, part, name)) for part in inner)
    elif (
        origin is not None and origin.__module__ == "collections.abc" and "Callable" in str(origin)
    ):
        yield lambda *arguments, **named: None
    elif origin is not None:
        yield frozenset() if issubclass(origin, (set, frozenset)) else ()
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield from hint
    elif dataclasses.is_dataclass(hint) or hasattr(hint, "_fields") or hasattr(hint, _STRUCT):
        for arguments in calls(planted, typing.cast("Callable[..., object]", hint)):
            yield hint(**arguments)
    else:
        parts = [
            part for part in vars(ctx).values() if isinstance(hint, type) and type(part) is hint
        ]
        if not parts:
            raise CannotMake(f"{name}: {hint}")
        yield from parts


def _id(planted: Planted, name: str) -> bytes:
    if name == "command_id":
        return planted.till.context.ids()
    return planted.ids.get(name, planted.ids["event_id"])


# Answers ----------------------------------------------------------------------------------------


@dataclasses.dataclass(slots=True)
class Walk:
    """Who told which of the `secrets` (minor units), and who answered."""

    secrets: tuple[int, ...]
    found: list[str] = dataclasses.field(default_factory=list)
    answered: set[str] = dataclasses.field(default_factory=set)
    unasked: list[str] = dataclasses.field(default_factory=list)

    def ask(
        self,
        planted: Planted,
        name: str,
        function: Callable[..., object],
        *,
        over: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Call it with every variant; False when a call ended what is blind (`over`)."""
        try:
            variants = list(calls(planted, function))
        except InsideTransaction:
            return True
        except (CannotMake, NameError, StopIteration, RuntimeError) as error:
            self.unasked.append(f"{name} ({error})")
            return True
        for arguments in variants:
            try:
                answer: object = function(**arguments)
                if inspect.isgenerator(answer):
                    answer = list(answer)
                if isinstance(answer, TakingOut):
                    read = answer.read()
                    taken = answer.record(read)
                    answer = (read, taken, answer.write(taken))
                self.answered.add(name)
            except (Refused, Unavailable) as error:
                answer = (dict(error.facts), getattr(error, "offer", None), str(error))
            except (
                Exception
            ) as error:  # arguments that nobody gives; what it says counts all the same
                answer = str(error)
            if over():
                return False
            self.search(name, answer)
        return True

    def search(self, name: str, answer: object) -> None:
        """Note `name` for each secret in an answer."""
        for value in values_in(answer):
            if any(tells(value, secret) for secret in self.secrets):
                self.found.append(f"{name}: {value!r}"[:200])
                return


def tells(value: object, secret: int) -> bool:
    """Whether a number is the secret or its whole units (points are given by the unit), or a text has it in any
    way that the product writes money or points. Few units are no secret: anything may be 42."""
    units = secret // 100 if secret >= UNITS_LEAST * 100 else None
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) in (secret, units)
    written, text = plain_amount(secret, 2), str(value)
    if any(each in text for each in (written, written.replace(",", ""), str(secret))):
        return True
    return units is not None and bool(
        re.search(
            rf"(?<![\w.,]){units:,}(?![\w,])|"
            rf"(?<![\w.,]){units}(?![\w,])",
            text,
        )
    )


def values_in(answer: object, depth: int = 0) -> Iterator[object]:
    """Every number and text in an answer, however deep."""
    if depth > DEPTH_MOST or isinstance(answer, (Context, Till, Desk)):
        return
    if isinstance(answer, (int, str)):
        yield answer
    elif isinstance(answer, (bytes, bytearray)):
        yield bytes(answer).decode("utf-8", "ignore")
    elif isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from values_in(key, depth + 1)
            yield from values_in(value, depth + 1)
    elif isinstance(answer, (list, tuple, set, frozenset)):
        for each in answer:
            yield from values_in(each, depth + 1)
    elif dataclasses.is_dataclass(answer):
        yield from _members(answer, [each.name for each in dataclasses.fields(answer)], depth)
    elif hasattr(answer, _STRUCT):
        yield from _members(answer, list(answer.__struct_fields__), depth)


def _members(answer: object, names: list[str], depth: int) -> Iterator[object]:
    """Fields, and what a record works out of them."""
    worked_out = [
        name
        for name, member in inspect.getmembers(type(answer))
        if isinstance(member, property) and not name.startswith("_")
    ]
    for name in (*names, *worked_out):
        yield from values_in(getattr(answer, name, None), depth + 1)
