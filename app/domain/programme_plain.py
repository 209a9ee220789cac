"""The programme as JSON: a strict reader that names the path of every fault, and a canonical writer.

The reader takes an already decoded document. Structure is also described by
resources/programmes/programme.schema.json; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from app.domain.business_day import BusinessDate
from app.domain.fraud.limits import DEFAULT_GUARD, LIMIT_NAMES, MOST_LIMIT, GuardLimits
from app.domain.money import ROUNDINGS, Currency
from app.domain.programme import (
    LEAP_DAYS,
    MEASURES,
    ROLES,
    SPENT_POLICIES,
    TAX_BASES,
    VALIDITY_KINDS,
    WINDOW_KINDS,
    BirthdayWindow,
    EarnRules,
    Goods,
    Limits,
    Multiplier,
    Programme,
    Rate,
    RedeemRules,
    ReturnRules,
    Role,
    Tier,
    TierRules,
    Validity,
)
from app.domain.programme_checks import ProgrammeError, check_fields_together

FORMAT: Final = 1
MOST: Final = 1_000_000_000_000
"""Upper bound of every amount and count in a programme: far beyond any shop, far below 2**63."""
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_Value = TypeVar("_Value")


class _Reader:
    """Takes the keys of one JSON object; `done` refuses what nobody asked for."""

    def __init__(self, plain: object, path: str) -> None:
        if not isinstance(plain, dict):
            raise ProgrammeError(path, "not_an_object")
        self._left: dict[str, Any] = dict(plain)
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}"

    def take(self, key: str) -> Any:
        if key not in self._left:
            raise ProgrammeError(self.at(key), "missing_key")
        return self._left.pop(key)

    def has(self, key: str) -> bool:
        return key in self._left

    def integer(self, key: str, least: int, most: int = MOST) -> int:
        return _integer(self.take(key), self.at(key), least, most)

    def integer_or_none(self, key: str, least: int, most: int = MOST) -> int | None:
        value = self.take(key)
        return None if value is None else _integer(value, self.at(key), least, most)

    def text(self, key: str, longest: int = 60) -> str:
        value = self.take(key)
        if not isinstance(value, str):
            raise ProgrammeError(self.at(key), "not_a_text")
        if not 1 <= len(value) <= longest:
            raise ProgrammeError(self.at(key), "out_of_range")
        return value

    def code(self, key: str) -> str:
        return _code(self.take(key), self.at(key))

    def boolean(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise ProgrammeError(self.at(key), "not_a_boolean")
        return value

    def choice(self, key: str, choices: Sequence[_Value]) -> _Value:
        value = self.take(key)
        for choice in choices:
            if value == choice and isinstance(value, str):
                return choice
        raise ProgrammeError(self.at(key), "not_a_choice")

    def date(self, key: str) -> BusinessDate:
        return _date(self.take(key), self.at(key))

    def date_or_none(self, key: str) -> BusinessDate | None:
        value = self.take(key)
        return None if value is None else _date(value, self.at(key))

    def list_of(self, key: str, read: Callable[[Any, str], _Value]) -> list[_Value]:
        values = self.take(key)
        if not isinstance(values, list):
            raise ProgrammeError(self.at(key), "not_a_list")
        return [read(value, f"{self.at(key)}[{n}]") for n, value in enumerate(values)]

    def set_of(self, key: str, read: Callable[[Any, str], _Value]) -> frozenset[_Value]:
        values = self.list_of(key, read)
        if len(set(values)) != len(values):
            raise ProgrammeError(self.at(key), "duplicate")
        return frozenset(values)

    def map_of(self, key: str, read: Callable[[Any, str], _Value]) -> dict[str, _Value]:
        values = self.take(key)
        if not isinstance(values, dict):
            raise ProgrammeError(self.at(key), "not_an_object")
        found = {}
        for name, value in values.items():
            path = f"{self.at(key)}.{name}"
            found[_text(name, path)] = read(value, path)
        return found

    def child(self, key: str) -> _Reader:
        return _Reader(self.take(key), self.at(key))

    def done(self) -> None:
        for key in self._left:
            raise ProgrammeError(self.at(key), "unknown_key")


def _integer(value: Any, path: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProgrammeError(path, "not_an_integer")
    if not least <= value <= most:
        raise ProgrammeError(path, "out_of_range")
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise ProgrammeError(path, "not_a_text")
    if not 1 <= len(value) <= 60:
        raise ProgrammeError(path, "out_of_range")
    return value


def _code(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise ProgrammeError(path, "not_a_text")
    if not _CODE.fullmatch(value):
        raise ProgrammeError(path, "bad_code")
    return value


def _date(value: Any, path: str) -> BusinessDate:
    if not isinstance(value, str):
        raise ProgrammeError(path, "not_a_text")
    try:
        return BusinessDate.from_iso(value)
    except ValueError:
        raise ProgrammeError(path, "not_a_date") from None


def programme_from_plain(plain: object) -> Programme:
    """Read a decoded programme document. ProgrammeError names the first fault and its JSON path."""
    reader = _Reader(plain, "$")
    reader.integer("format", FORMAT, FORMAT)
    programme = Programme(
        code=reader.code("code"),
        version=reader.integer("version", 1, 1_000_000),
        starts=reader.date("starts"),
        currency=_currency(reader.child("currency")),
        cut_off_minute=reader.integer("cut_off_minute", 0, 719),
        leap_day=reader.choice("leap_day", LEAP_DAYS),
        tiers=_tiers(reader.child("tiers")),
        earning=_earning(reader.child("earning")),
        redemption=_redemption(reader.take("redemption"), reader.at("redemption")),
        validity=_validity(reader.child("validity")),
        pending_days=reader.integer("pending_days", 0, 366),
        returns=_returns(reader.child("returns")),
        limits=_limits(reader.child("limits")),
        guard=_guard(reader.child("guard")) if reader.has("guard") else DEFAULT_GUARD,
    )
    reader.done()
    check_fields_together(programme)
    return programme


def _currency(reader: _Reader) -> Currency:
    code = reader.text("code")
    if not _CURRENCY.fullmatch(code):
        raise ProgrammeError(reader.at("code"), "bad_code")
    exponent = reader.integer("exponent", 0, 3)
    if exponent == 1:
        raise ProgrammeError(reader.at("exponent"), "out_of_range")
    reader.done()
    return Currency(code, exponent)


def _goods(plain: Any, path: str) -> Goods:
    reader = _Reader(plain, path)
    goods = Goods(reader.set_of("categories", _text), reader.set_of("items", _text))
    reader.done()
    return goods


def _tier(plain: Any, path: str) -> Tier:
    reader = _Reader(plain, path)
    name = reader.child("name")
    tier = Tier(
        code=reader.code("code"),
        rank=reader.integer("rank", 0, 1_000_000),
        name_zh=name.text("zh"),
        name_en=name.text("en"),
        threshold=reader.integer("threshold", 0),
        discount_bp=reader.integer("discount_bp", 0, 10_000),
    )
    name.done()
    reader.done()
    return tier


def _tiers(reader: _Reader) -> TierRules:
    rules = TierRules(
        measure=reader.choice("measure", MEASURES),
        window=reader.choice("window", WINDOW_KINDS),
        window_days=reader.integer("window_days", 0, 3660),
        grace_days=reader.integer("grace_days", 0, 366),
        warning_days=reader.integer("warning_days", 0, 366),
        price_excludes=_goods(reader.take("price_excludes"), reader.at("price_excludes")),
        levels=tuple(reader.list_of("levels", _tier)),
    )
    reader.done()
    if not 1 <= len(rules.levels) <= 20:
        raise ProgrammeError(reader.at("levels"), "out_of_range")
    return rules


def _rate(plain: Any, path: str) -> Rate:
    reader = _Reader(plain, path)
    rate = Rate(reader.integer("points", 0, 1_000_000), reader.integer("per_minor", 1))
    reader.done()
    return rate


def _weekday(value: Any, path: str) -> int:
    return _integer(value, path, 1, 7)


def _birthday(plain: Any, path: str) -> BirthdayWindow | None:
    if plain is None:
        return None
    reader = _Reader(plain, path)
    window = BirthdayWindow(
        reader.integer("days_before", 0, 31), reader.integer("days_after", 0, 31)
    )
    reader.done()
    return window


def _multiplier(plain: Any, path: str) -> Multiplier:
    reader = _Reader(plain, path)
    multiplier = Multiplier(
        code=reader.code("code"),
        factor_bp=reader.integer("factor_bp", 0, 1_000_000),
        stackable=reader.boolean("stackable"),
        tiers=reader.set_of("tiers", _code),
        weekdays=reader.set_of("weekdays", _weekday),
        from_minute=reader.integer_or_none("from_minute", 0, 1440),
        until_minute=reader.integer_or_none("until_minute", 0, 1440),
        from_date=reader.date_or_none("from_date"),
        until_date=reader.date_or_none("until_date"),
        birthday=_birthday(reader.take("birthday"), reader.at("birthday")),
        goods=_goods(reader.take("goods"), reader.at("goods")),
    )
    reader.done()
    return multiplier


def _earning(reader: _Reader) -> EarnRules:
    rules = EarnRules(
        base=_rate(reader.take("base"), reader.at("base")),
        category_rates=reader.map_of("category_rates", _rate),
        item_rates=reader.map_of("item_rates", _rate),
        excludes=_goods(reader.take("excludes"), reader.at("excludes")),
        tax=reader.choice("tax", TAX_BASES),
        rounding=reader.choice("rounding", ROUNDINGS),
        cap_per_sale=reader.integer_or_none("cap_per_sale", 0),
        cap_per_day=reader.integer_or_none("cap_per_day", 0),
        multipliers=tuple(reader.list_of("multipliers", _multiplier)),
    )
    reader.done()
    if len(rules.multipliers) > 50:
        raise ProgrammeError(reader.at("multipliers"), "out_of_range")
    return rules


def _redemption(plain: Any, path: str) -> RedeemRules | None:
    if plain is None:
        return None
    reader = _Reader(plain, path)
    rules = RedeemRules(
        unit_points=reader.integer("unit_points", 1),
        unit_value_minor=reader.integer("unit_value_minor", 1),
        minimum_points=reader.integer("minimum_points", 0),
        max_share_bp=reader.integer("max_share_bp", 0, 10_000),
        excludes=_goods(reader.take("excludes"), reader.at("excludes")),
    )
    reader.done()
    return rules


def _validity(reader: _Reader) -> Validity:
    validity = Validity(reader.choice("kind", VALIDITY_KINDS), reader.integer("count", 0, 3660))
    reader.done()
    return validity


def _returns(reader: _Reader) -> ReturnRules:
    rules = ReturnRules(
        spent_policy=reader.choice("spent_policy", SPENT_POLICIES),
        negative_limit_points=reader.integer_or_none("negative_limit_points", 0),
        minimum_life_days=reader.integer("minimum_life_days", 0, 366),
    )
    reader.done()
    return rules


def _role_limits(reader: _Reader) -> Mapping[Role, int | None]:
    limits = {role: reader.integer_or_none(role, 0) for role in ROLES}
    reader.done()
    return limits


def _later_limits(reader: _Reader, key: str) -> Mapping[Role, int | None] | None:
    """Limits that an older programme hasn't got."""
    return _role_limits(reader.child(key)) if reader.has(key) else None


def _limits(reader: _Reader) -> Limits:
    limits = Limits(
        redeem_points=_role_limits(reader.child("redeem_points")),
        adjust_points=_role_limits(reader.child("adjust_points")),
        return_minor=_role_limits(reader.child("return_minor")),
        void_minor=_role_limits(reader.child("void_minor")),
        cash_move_minor=_later_limits(reader, "cash_move_minor"),
        cash_difference_minor=_later_limits(reader, "cash_difference_minor"),
    )
    reader.done()
    return limits


def _guard(reader: _Reader) -> GuardLimits:
    """The one optional object: a limit that isn't named has its default."""
    limits = {name: reader.integer(name, 0, MOST_LIMIT) for name in LIMIT_NAMES if reader.has(name)}
    reader.done()
    return replace(DEFAULT_GUARD, **limits)


def programme_to_plain(programme: Programme) -> dict[str, Any]:
    """The canonical document: every key present, sets sorted; reading it gives the same programme.

    `guard` is there when it differs from the defaults, and then whole.
    """
    guard = programme.guard
    guarded = {} if guard == DEFAULT_GUARD else {
        "guard": {name: getattr(guard, name) for name in LIMIT_NAMES}
    }  # fmt: skip
    tiers, earning, returns = programme.tiers, programme.earning, programme.returns
    redemption, validity, currency = programme.redemption, programme.validity, programme.currency
    return {
        "format": FORMAT,
        "code": programme.code,
        "version": programme.version,
        "starts": programme.starts.iso(),
        "currency": {"code": currency.code, "exponent": currency.exponent},
        "cut_off_minute": programme.cut_off_minute,
        "leap_day": programme.leap_day,
        "tiers": {
            "measure": tiers.measure,
            "window": tiers.window,
            "window_days": tiers.window_days,
            "grace_days": tiers.grace_days,
            "warning_days": tiers.warning_days,
            "price_excludes": _goods_to_plain(tiers.price_excludes),
            "levels": [_tier_to_plain(level) for level in tiers.levels],
        },
        "earning": {
            "base": _rate_to_plain(earning.base),
            "category_rates": _rates_to_plain(earning.category_rates),
            "item_rates": _rates_to_plain(earning.item_rates),
            "excludes": _goods_to_plain(earning.excludes),
            "tax": earning.tax,
            "rounding": earning.rounding,
            "cap_per_sale": earning.cap_per_sale,
            "cap_per_day": earning.cap_per_day,
            "multipliers": [_multiplier_to_plain(rule) for rule in earning.multipliers],
        },
        "redemption": None if redemption is None else {
            "unit_points": redemption.unit_points,
            "unit_value_minor": redemption.unit_value_minor,
            "minimum_points": redemption.minimum_points,
            "max_share_bp": redemption.max_share_bp,
            "excludes": _goods_to_plain(redemption.excludes),
        },
        "validity": {"kind": validity.kind, "count": validity.count},
        "pending_days": programme.pending_days,
        "returns": {
            "spent_policy": returns.spent_policy,
            "negative_limit_points": returns.negative_limit_points,
            "minimum_life_days": returns.minimum_life_days,
        },
        "limits": _limits_to_plain(programme.limits),
        **guarded,
    }  # fmt: skip


def _limits_to_plain(limits: Limits) -> dict[str, Any]:
    rows = {
        "redeem_points": limits.redeem_points,
        "adjust_points": limits.adjust_points,
        "return_minor": limits.return_minor,
        "void_minor": limits.void_minor,
        "cash_move_minor": limits.cash_move_minor,
        "cash_difference_minor": limits.cash_difference_minor,
    }
    return {name: dict(row) for name, row in rows.items() if row is not None}


def _goods_to_plain(goods: Goods) -> dict[str, Any]:
    return {"categories": sorted(goods.categories), "items": sorted(goods.items)}


def _tier_to_plain(level: Tier) -> dict[str, Any]:
    return {
        "code": level.code,
        "rank": level.rank,
        "name": {"zh": level.name_zh, "en": level.name_en},
        "threshold": level.threshold,
        "discount_bp": level.discount_bp,
    }


def _rate_to_plain(rate: Rate) -> dict[str, int]:
    return {"points": rate.points, "per_minor": rate.per_minor}


def _rates_to_plain(rates: Mapping[str, Rate]) -> dict[str, Any]:
    return {name: _rate_to_plain(rates[name]) for name in sorted(rates)}


def _multiplier_to_plain(rule: Multiplier) -> dict[str, Any]:
    birthday = rule.birthday
    return {
        "code": rule.code,
        "factor_bp": rule.factor_bp,
        "stackable": rule.stackable,
        "tiers": sorted(rule.tiers),
        "weekdays": sorted(rule.weekdays),
        "from_minute": rule.from_minute,
        "until_minute": rule.until_minute,
        "from_date": None if rule.from_date is None else rule.from_date.iso(),
        "until_date": None if rule.until_date is None else rule.until_date.iso(),
        "birthday": None if birthday is None else {
            "days_before": birthday.days_before, "days_after": birthday.days_after,
        },
        "goods": _goods_to_plain(rule.goods),
    }  # fmt: skip
