"""What a sale earns, and why (domain.md section 3, "Earn rounding", "Caps", "Earn base").

Multiply first, round once per sale, cap, then split to lines for show. `earned` is the E(kept) of
returns, too. Prices, taxes and shares come from sale.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd, lcm

from app.domain.birthday import BirthdayOn, celebrated
from app.domain.business_day import BusinessDate
from app.domain.documents import EarnTerms, LineRequest, TraceStep
from app.domain.money import BASIS, round_ratio, split_by_weight
from app.domain.programme import EarnRules, Multiplier, Rate
from app.domain.state import MemberState


@dataclass(frozen=True, slots=True)
class EarnMoment:
    """When a sale happens and for whom, as far as multipliers ask."""

    on: BusinessDate
    minute: int
    """Local minute of the day, 0 … 1439."""
    tier_code: str
    birthdays: tuple[BirthdayOn, ...] = ()


@dataclass(frozen=True, slots=True)
class Active:
    """A multiplier whose conditions hold, and the year that it would be used up for."""

    rule: Multiplier
    year: int | None


@dataclass(frozen=True, slots=True)
class LineEarning:
    """The exact rate of a line: rate_points points per rate_minor minor units."""

    base_minor: int
    rate_points: int
    rate_minor: int


@dataclass(frozen=True, slots=True)
class Earning:
    """What a sale earns, per line too, with what it used up and the working."""

    points: int
    lines: tuple[LineEarning, ...]
    line_points: tuple[int, ...]
    terms: EarnTerms
    used: tuple[tuple[str, int], ...]
    """(multiplier code, year) of once-a-year benefits that raised this earning."""
    trace: tuple[TraceStep, ...]


def active_multipliers(
    rules: EarnRules, moment: EarnMoment, state: MemberState
) -> tuple[Active, ...]:
    """The multipliers whose tier, weekday, hour, date and birthday conditions hold."""
    found = []
    for rule in rules.multipliers:
        if not _conditions_hold(rule, moment):
            continue
        year = None
        if rule.birthday is not None:
            birthday = celebrated(moment.birthdays, rule.birthday, moment.on)
            if birthday is None or state.times_used(rule.code, birthday.year) > 0:
                continue
            year = birthday.year
        found.append(Active(rule, year))
    return tuple(found)


def _conditions_hold(rule: Multiplier, moment: EarnMoment) -> bool:
    if rule.tiers and moment.tier_code not in rule.tiers:
        return False
    if rule.weekdays and moment.on.weekday not in rule.weekdays:
        return False
    if rule.from_date is not None and moment.on < rule.from_date:
        return False
    if rule.until_date is not None and moment.on > rule.until_date:
        return False
    start, end = rule.from_minute, rule.until_minute
    if start is None or end is None:
        return True
    if start < end:
        return start <= moment.minute < end
    return moment.minute >= start or moment.minute < end


def _line_rate(rules: EarnRules, line: LineRequest) -> tuple[Rate, str, str | None]:
    """Item before category before base."""
    if line.item is not None and line.item in rules.item_rates:
        return rules.item_rates[line.item], "item", line.item
    if line.category is not None and line.category in rules.category_rates:
        return rules.category_rates[line.category], "category", line.category
    return rules.base, "base", None


def earns(rules: EarnRules, line: LineRequest) -> bool:
    """Whether a line earns at all."""
    return not line.no_earn and not rules.excludes.has(line.category, line.item)


def _of_line(
    active: Sequence[Active], line: LineRequest
) -> tuple[Active | None, tuple[Active, ...]]:
    """The best of the others that match the line, and every stackable one."""
    best: Active | None = None
    stacked = []
    for each in active:
        rule = each.rule
        if rule.goods and not rule.goods.has(line.category, line.item):
            continue
        if rule.stackable:
            stacked.append(each)
        elif best is None or rule.factor_bp > best.rule.factor_bp:
            best = each
    return best, tuple(stacked)


def earned(lines: Iterable[LineEarning], terms: EarnTerms) -> int:
    """E: min(rounded raw points, sale cap, the day's room stored with the sale)."""
    numerator, denominator = _raw(tuple(lines))
    points = round_ratio(numerator, denominator, terms.rounding)
    if terms.cap_per_sale is not None:
        points = min(points, terms.cap_per_sale)
    if terms.day_room is not None:
        points = min(points, terms.day_room)
    return points


def _raw(lines: Sequence[LineEarning]) -> tuple[int, int]:
    denominator = lcm(*[line.rate_minor for line in lines])
    numerator = sum(
        line.base_minor * line.rate_points * (denominator // line.rate_minor) for line in lines
    )
    return numerator, denominator


def earn(
    rules: EarnRules,
    requests: Sequence[LineRequest],
    bases_minor: Sequence[int],
    moment: EarnMoment,
    state: MemberState,
) -> Earning:
    """What a sale with these earn bases per line earns its member, with the working."""
    active = active_multipliers(rules, moment, state)
    trace: list[TraceStep] = []
    lines: list[LineEarning] = []
    used: dict[str, int] = {}
    for number, (request, base) in enumerate(zip(requests, bases_minor, strict=True)):
        if not earns(rules, request):
            lines.append(LineEarning(0, 0, 1))
            trace.append(TraceStep("line_excluded", {"line": number}))
            continue
        lines.append(_line_earning(rules, number, request, base, active, used, trace))
    room = None
    if rules.cap_per_day is not None:
        room = max(rules.cap_per_day - state.day(moment.on).earned, 0)
    terms = EarnTerms(rules.rounding, rules.cap_per_sale, room)
    points, line_points = _total(lines, terms, rules.cap_per_day, trace)
    return Earning(
        points=points,
        lines=tuple(lines),
        line_points=line_points,
        terms=terms,
        used=tuple(sorted(used.items())) if points else (),
        trace=tuple(trace),
    )


def _line_earning(
    rules: EarnRules,
    number: int,
    request: LineRequest,
    base: int,
    active: Sequence[Active],
    used: dict[str, int],
    trace: list[TraceStep],
) -> LineEarning:
    rate, source, key = _line_rate(rules, request)
    trace.append(
        TraceStep(
            "line_rate",
            {
                "line": number,
                "base_minor": base,
                "points": rate.points,
                "per_minor": rate.per_minor,
                "source": source,
                "key": key,
            },
        )
    )
    points, per_minor = rate.points, rate.per_minor
    best, stacked = _of_line(active, request)
    for each in stacked if best is None else (best, *stacked):
        rule = each.rule
        points *= rule.factor_bp
        per_minor *= BASIS
        trace.append(
            TraceStep(
                "multiplier",
                {
                    "line": number,
                    "rule": rule.code,
                    "factor_bp": rule.factor_bp,
                    "stackable": rule.stackable,
                },
            )
        )
        if each.year is not None and base and rate.points:
            used[rule.code] = each.year
    common = gcd(points, per_minor)
    return LineEarning(base, points // common, per_minor // common)


def _total(
    lines: Sequence[LineEarning], terms: EarnTerms, cap_per_day: int | None, trace: list[TraceStep]
) -> tuple[int, tuple[int, ...]]:
    numerator, denominator = _raw(lines)
    points = round_ratio(numerator, denominator, terms.rounding)
    trace.append(
        TraceStep(
            "rounded",
            {
                "numerator": numerator,
                "denominator": denominator,
                "rounding": terms.rounding,
                "points": points,
            },
        )
    )
    if terms.cap_per_sale is not None and points > terms.cap_per_sale:
        facts = {"cap": terms.cap_per_sale, "before": points, "points": terms.cap_per_sale}
        trace.append(TraceStep("sale_cap", facts))
        points = terms.cap_per_sale
    if terms.day_room is not None and points > terms.day_room:
        trace.append(
            TraceStep(
                "day_cap",
                {
                    "cap": cap_per_day,
                    "room": terms.day_room,
                    "before": points,
                    "points": terms.day_room,
                },
            )
        )
        points = terms.day_room
    weights = [
        line.base_minor * line.rate_points * (denominator // line.rate_minor) for line in lines
    ]
    return points, split_by_weight(points, weights)
