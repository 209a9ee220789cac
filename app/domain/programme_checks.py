"""What no single field of a programme can tell: its fields together, and the error for all faults.

Reading the fields themselves is programme_plain.py's work.
"""

from __future__ import annotations

from app.domain.errors import Refusal, Refused
from app.domain.programme import Multiplier, Programme, TierRules


class ProgrammeError(Refused):
    """A programme document that cannot be one. `path` is the JSON path, `fault` what is wrong there.

    Faults: unknown_key, missing_key, not_an_object, not_a_list, not_an_integer, not_a_text,
    not_a_boolean, not_a_date, out_of_range, not_a_choice, bad_code, duplicate, changed (a later version of
    a chain's), and the cross-field ones of this module.
    """

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(Refusal.PROGRAMME_INVALID, {"path": path, "fault": fault})
        self.path = path
        self.fault = fault


def check_fields_together(programme: Programme) -> None:
    """What one field alone cannot tell; checked whenever a programme is read."""
    _check_tiers(programme.tiers)
    validity = programme.validity
    if (validity.kind == "never") != (validity.count == 0):
        raise ProgrammeError("$.validity.count", "out_of_range")
    shortest_days = validity.count * (1 if validity.kind == "days" else 28)
    if validity.kind != "never" and programme.pending_days >= shortest_days:
        raise ProgrammeError("$.pending_days", "not_shorter_than_validity")
    codes = [multiplier.code for multiplier in programme.earning.multipliers]
    if len(set(codes)) != len(codes):
        raise ProgrammeError("$.earning.multipliers", "duplicate")
    tier_codes = {level.code for level in programme.tiers.levels}
    for n, multiplier in enumerate(programme.earning.multipliers):
        _check_multiplier(multiplier, f"$.earning.multipliers[{n}]", tier_codes)
    redemption = programme.redemption
    if programme.returns.spent_policy == "deduct" and redemption is None:
        raise ProgrammeError("$.returns.spent_policy", "needs_redemption")
    guard = programme.guard
    if 0 < guard.earn_block_per_day < guard.earn_flag_per_day:
        raise ProgrammeError("$.guard.earn_block_per_day", "below_flag")


def _check_tiers(rules: TierRules) -> None:
    if (rules.window == "rolling_days") != (rules.window_days > 0):
        raise ProgrammeError("$.tiers.window_days", "out_of_range")
    if rules.levels[0].threshold != 0:
        raise ProgrammeError("$.tiers.levels[0].threshold", "first_level_is_everyones")
    if len({level.code for level in rules.levels}) != len(rules.levels):
        raise ProgrammeError("$.tiers.levels", "duplicate")
    for n, (lower, higher) in enumerate(zip(rules.levels, rules.levels[1:], strict=False), 1):
        if higher.rank <= lower.rank or higher.threshold <= lower.threshold:
            raise ProgrammeError(f"$.tiers.levels[{n}]", "not_ascending")


def _check_multiplier(multiplier: Multiplier, path: str, tier_codes: set[str]) -> None:
    if not multiplier.tiers <= tier_codes:
        raise ProgrammeError(f"{path}.tiers", "no_such_tier")
    if (multiplier.from_minute is None) != (multiplier.until_minute is None):
        raise ProgrammeError(f"{path}.until_minute", "half_a_window")
    if multiplier.from_minute is not None and multiplier.from_minute == multiplier.until_minute:
        raise ProgrammeError(f"{path}.until_minute", "empty_window")
    if (
        multiplier.from_date is not None
        and multiplier.until_date is not None
        and multiplier.until_date < multiplier.from_date
    ):
        raise ProgrammeError(f"{path}.until_date", "empty_window")
