"""The programme: one versioned, immutable rule document, as typed records.

Reading it from JSON is programme_plain.py's work; applying it is earning.py's, redemption.py's,
tiers.py's and so on. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from app.domain.business_day import BusinessDate
from app.domain.fraud.limits import DEFAULT_GUARD, GuardLimits
from app.domain.money import Currency, Rounding

Measure = Literal["spend", "visits"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
WindowKind = Literal["rolling_days", "calendar_year"]
WINDOW_KINDS: Final[tuple[WindowKind, ...]] = get_args(WindowKind)
ValidityKind = Literal["never", "days", "months", "months_to_month_end"]
VALIDITY_KINDS: Final[tuple[ValidityKind, ...]] = get_args(ValidityKind)
SpentPolicy = Literal["negative", "deduct", "write_off"]
SPENT_POLICIES: Final[tuple[SpentPolicy, ...]] = get_args(SpentPolicy)
TaxBase = Literal["included", "excluded"]
TAX_BASES: Final[tuple[TaxBase, ...]] = get_args(TaxBase)
LeapDay = Literal["feb28", "mar1"]
LEAP_DAYS: Final[tuple[LeapDay, ...]] = get_args(LeapDay)
Role = Literal["cashier", "supervisor", "manager"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Goods:
    """A set of goods by category and item id; empty means none (or, in a condition, no limit)."""

    categories: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.categories or self.items)

    def has(self, category: str | None, item: str | None) -> bool:
        """Whether goods of this category and item belong to the set."""
        return category in self.categories or item in self.items


@dataclass(frozen=True, slots=True)
class Tier:
    """A status level. `rank` is its permanent number: entries store it, so it never changes."""

    code: str
    rank: int
    name_zh: str
    name_en: str
    threshold: int
    """Qualifying spend in minor units, or visits, needed to reach it."""
    discount_bp: int
    """Off the price, in basis points: 500 is 95 折."""


@dataclass(frozen=True, slots=True)
class TierRules:
    """How tiers are reached, kept and lost (domain.md section 3, "Tier")."""

    measure: Measure
    window: WindowKind
    window_days: int
    """Length of a rolling window; 0 for calendar years."""
    grace_days: int
    warning_days: int
    price_excludes: Goods
    levels: tuple[Tier, ...]
    """Ascending in rank and threshold; the first has threshold 0 and is everyone's."""

    def at(self, rank: int) -> Tier:
        """The level with this rank, or the highest one below it where a version dropped it."""
        found = self.levels[0]
        for level in self.levels:
            if level.rank <= rank:
                found = level
        return found


@dataclass(frozen=True, slots=True)
class Rate:
    """`points` for every `per_minor` minor units, as an exact ratio."""

    points: int
    per_minor: int


@dataclass(frozen=True, slots=True)
class BirthdayWindow:
    """Days around a birthday, both ends included."""

    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Points times `factor_bp` / 10_000 where every condition that is set holds.

    tiers     codes; empty: any           weekdays  ISO 1-7; empty: any
    from_minute ≤ local minute < until_minute (they may span midnight); both None: any hour
    from_date ≤ business date ≤ until_date    birthday  once per year and member
    goods     lines of these only; empty: all
    """

    code: str
    factor_bp: int
    stackable: bool
    tiers: frozenset[str]
    weekdays: frozenset[int]
    from_minute: int | None
    until_minute: int | None
    from_date: BusinessDate | None
    until_date: BusinessDate | None
    birthday: BirthdayWindow | None
    goods: Goods


@dataclass(frozen=True, slots=True)
class EarnRules:
    """How a sale earns (domain.md section 3, "Earn rounding", "Caps", "Earn base")."""

    base: Rate
    category_rates: Mapping[str, Rate]
    item_rates: Mapping[str, Rate]
    excludes: Goods
    tax: TaxBase
    rounding: Rounding
    cap_per_sale: int | None
    cap_per_day: int | None
    multipliers: tuple[Multiplier, ...]


@dataclass(frozen=True, slots=True)
class RedeemRules:
    """How points pay: `unit_points` are worth `unit_value_minor`, in whole units."""

    unit_points: int
    unit_value_minor: int
    minimum_points: int
    max_share_bp: int
    excludes: Goods


@dataclass(frozen=True, slots=True)
class Validity:
    """How long points are good: `count` days or months from the date they are posted on."""

    kind: ValidityKind
    count: int


@dataclass(frozen=True, slots=True)
class ReturnRules:
    """What a return does (domain.md section 3, "Return" rows)."""

    spent_policy: SpentPolicy
    negative_limit_points: int | None
    """How far below zero policy `negative` goes; None: any distance."""
    minimum_life_days: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a role may do alone; None: no limit, 0: never alone (security.md section 3).

    The limits of the drawer came later: a programme without them has None for the whole row, and
    then nobody but a manager does it alone (app.domain.drawer.above_limit).
    """

    redeem_points: Mapping[Role, int | None]
    adjust_points: Mapping[Role, int | None]
    return_minor: Mapping[Role, int | None]
    void_minor: Mapping[Role, int | None]
    cash_move_minor: Mapping[Role, int | None] | None = None
    cash_difference_minor: Mapping[Role, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """One version of a shop's rules, valid from the business date `starts` until the next one."""

    code: str
    version: int
    starts: BusinessDate
    currency: Currency
    cut_off_minute: int
    leap_day: LeapDay
    tiers: TierRules
    earning: EarnRules
    redemption: RedeemRules | None
    """None: points cannot be redeemed."""
    validity: Validity
    pending_days: int
    returns: ReturnRules
    limits: Limits
    guard: GuardLimits = DEFAULT_GUARD
    """The limits of the guard against fraud; a programme without a `guard` has the defaults."""
