"""The journal says no raw code: every kind, fact and reason that the product writes has words."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import app
import app.usecases
from app import posting
from app.build import NewStaff, add_staff
from app.context import Session
from app.documents.audit_words import KINDS
from app.documents.event_codes import FAMILIES, REASONS, code_name
from app.documents.event_fields import FIELDS, fact_name, fact_value, field_of, is_hidden
from app.domain.rights import ROLES, Right
from app.formats import YUAN, Formats
from app.i18n import Words
from app.queries.audit import audit_facts
from app.queries.event_facts import Fact
from app.usecases.enrol import EDITED
from app.usecases.export_report import Form
from app.usecases.sign_in import SignOutWhy
from app.usecases.staff import Act, SetRole, set_role
from db import rows
from tests.app.kiosk import Kiosk
from tests.fakes import Shop
from tests.reports.days import Days

ROOT = Path(app.__path__[0])
LANGUAGES = ("zh_CN", "en")
PLAINS = {"sale_to_plain", "return_to_plain", "money_to_plain", "x_plain", "asdict", "_facts"}
"""Calls whose answer is checked by the events of a real store, below."""


def formats(language: str) -> Formats:
    return Formats(Words(language), YUAN, ZoneInfo("Asia/Shanghai"))


# What the sources write ------------------------------------------------------------------------


@cache
def trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py")))


@cache
def functions() -> dict[str, list[ast.FunctionDef]]:
    found: dict[str, list[ast.FunctionDef]] = {}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
    return found


def recorded() -> Iterator[tuple[str, ast.expr, ast.FunctionDef]]:
    """(kind, its facts, the function around) of each event that the sources record."""
    for tree in trees():
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
                named = {word.arg: word.value for word in call.keywords}
                if getattr(call.func, "attr", "") == "record" and "doc" in named:
                    for kind in kinds_in(call.args[0]):
                        yield kind, named["doc"], function


def kinds_in(expression: ast.expr) -> list[str]:
    names = [n.attr for n in ast.walk(expression) if isinstance(n, ast.Attribute)]
    return [getattr(posting, name) for name in names if name.isupper()]


def paths(value: ast.expr, inside: ast.FunctionDef, path: str = "") -> Iterator[str]:
    """The paths of the facts that an expression makes, as far as the sources say them."""
    if isinstance(value, ast.Dict):
        for key, inner in zip(value.keys, value.values, strict=True):
            if key is None:
                yield from paths(inner, inside, path)
            elif isinstance(key, ast.Constant):
                yield from paths(inner, inside, ".".join(filter(None, (path, str(key.value)))))
    elif isinstance(value, ast.BinOp):
        for side in (value.left, value.right):
            yield from paths(side, inside, path)
    elif isinstance(value, ast.IfExp):
        yield from paths(value.body, inside, path)
    elif isinstance(value, ast.Call) and getattr(value.func, "id", "") in functions():
        name = getattr(value.func, "id", "")
        for keyword in value.keywords if name == "staff_facts" else ():
            yield str(keyword.arg) if keyword.arg else "was"
        for function in functions()[name] if name not in PLAINS else ():
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict | ast.BinOp):
                    yield from paths(node.value, function, path)
    elif isinstance(value, ast.Name) and not path:
        for node in (n for n in ast.walk(inside) if isinstance(n, ast.Assign)):
            target = node.targets[0]
            if getattr(target, "id", "") == value.id:
                yield from paths(node.value, inside, path)
            elif isinstance(target, ast.Subscript) and getattr(target.value, "id", "") == value.id:
                yield str(getattr(target.slice, "value", ""))
    elif path:
        yield path


def is_said(kind: str, path: str) -> bool:
    """Whether a path has words, is hidden on purpose, or holds paths that have."""
    inner = any(name.startswith(f"{path}.") for name in FIELDS)
    return is_hidden(path) or inner or field_of(kind, path) is not None


def test_every_fact_that_the_sources_write_has_words() -> None:
    found = {(kind, path) for kind, doc, inside in recorded() for path in paths(doc, inside)}
    assert {("cash", "direction"), ("sale", "verified"), ("restored", "from.name")} <= found
    assert len(found) > 100
    assert {each for each in found if not is_said(*each)} == set()
    assert {kind for kind, _ in found} <= set(KINDS)


def test_every_reason_of_every_use_case_has_words() -> None:
    codes: set[str] = set()
    for module in pkgutil.iter_modules(app.usecases.__path__):
        for name, value in vars(importlib.import_module(f"app.usecases.{module.name}")).items():
            if re.fullmatch(r"[A-Z_]*REASONS", name):
                codes |= set(value)
    assert {"wrong_change", "left_for_tomorrow", "unreadable", "campaign"} <= codes
    assert codes - set(REASONS) == set()


def test_every_code_of_the_other_families_has_words() -> None:
    written = {
        "act": get_args(Act), "why": get_args(SignOutWhy), "form": get_args(Form),
        "right": tuple(Right), "role": ROLES,
        "column": EDITED,
    }  # fmt: skip
    for family, codes in written.items():
        assert codes, family
        assert set(codes) - set(FAMILIES[family]) == set(), family
    whats = re.compile(r'(?:"what": |record_taken_out\([^)]*?)"(\w+)"', re.DOTALL)
    said = {
        w
        for path in (ROOT / "usecases").rglob("*.py")
        for w in whats.findall(path.read_text("utf-8"))
    }
    assert {"audit", "x"} <= said <= set(FAMILIES["what"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_is_written_and_no_words_are_empty(language: str) -> None:
    words = Words(language)
    for path, field in FIELDS.items():
        assert words.say(field.words), path
        units = [unit for _, unit in field.columns] if field.unit == "list" else [field.unit]
        for unit in units:
            assert unit in FAMILIES or unit in UNITS, path
    for family, codes in FAMILIES.items():
        for code in codes:
            assert code_name(words, family, code), (family, code)
            assert language == "en" or words.say(codes[code]) not in (code, ""), (family, code)


UNITS = {
    "text", "money", "points", "count", "date", "instant", "yes", "share", "both", "person",
    "event", "shift", "member", "place", "kind",
}  # fmt: skip


def test_the_rules_of_the_guard_are_said_where_they_are_a_reason() -> None:
    said = code_name(Words("en"), "reason", "F2.minutes+F7.after_change")
    assert said == "Earns too often · Used after a change"


# What a real store holds -----------------------------------------------------------------------


def assert_readable(facts: tuple[Fact, ...], kind: str) -> None:
    for language in LANGUAGES:
        for fact in facts:
            assert field_of(kind, fact.name) is not None, (kind, fact.name)
            said = fact_value(formats(language), kind, fact.name, fact.after)
            raw = re.search(r"[{}\[\]']|\b[0-9a-f]{32}\b|[a-z]_[a-z]", said)
            assert raw is None or is_plain_text(kind, fact.name), (kind, fact.name, said)
            assert fact_name(Words(language), kind, fact.name) != fact.name


def is_plain_text(kind: str, path: str) -> bool:
    """Digests, keys and numbers of tills are long by nature."""
    field = field_of(kind, path)
    return field is not None and field.unit == "text"


def test_every_event_of_busy_days_is_readable(shop: Shop) -> None:
    days = Days(shop, 7)
    days.live(4, 12)
    ctx = shop.till.context
    boss = days.people[-1]
    with ctx.read() as conn:
        kinds = {row.seq: row.kind for row in rows.events_after(conn, 0)}
    assert {"sale", "return", "void", "enrol", "count", "shift_close"} <= set(kinds.values())
    for seq, kind in kinds.items():
        assert_readable(audit_facts(ctx, boss, seq), kind)


def test_names_stand_in_the_place_of_ids(kiosk: Kiosk) -> None:
    new = NewStaff("xx", "王敏", "manager", "246813")
    boss = Session(add_staff(kiosk.ctx, new, today=kiosk.ctx.business_date()), None)
    set_role(kiosk.ctx, SetRole(kiosk.ctx.ids(), boss, kiosk.session.staff_id, "supervisor"))
    facts = {fact.name: fact for fact in audit_facts(kiosk.ctx, boss, len(kiosk.events()))}
    assert facts["staff"].after == "LX 林晓"
    assert (facts["person.role"].before, facts["person.role"].after) == ("cashier", "supervisor")
    zh = formats("zh_CN")
    assert fact_value(zh, "staff", "person.role", "supervisor") == "主管"
    assert fact_name(zh.words, "staff", "person.role") == "角色"
