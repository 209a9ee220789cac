"""The trace of an earning, a return or a lot in words: the answer to "why these points?" in zh and en.

Rendered from what the event stored, with the version that it names; nothing is worked out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument, TraceStep
from app.domain.programme import Programme
from app.formats import Formats, number
from app.i18n import mark

ADJUST_REASONS: Final = {
    "goodwill": mark("Goodwill"),
    "missed_sale": mark("Points of a sale were missing"),
    "correction": mark("Correction of a mistake"),
    "other": mark("Other reason"),
}
"""Why points were changed by hand."""


def adjusted(formats: Formats, points: int) -> str:
    """What an adjustment did, in one sentence."""
    return formats.words.say("Changed by hand: {points}.", points=formats.points_change(points))


def adjust_working(
    formats: Formats, reason: str, note: str, made_by: str, agreed_by: str
) -> tuple[str, ...]:
    """Why, by whom and with whom; the note is "" once it is erased."""
    words = formats.words
    lines = [words.say("Reason: {reason}.", reason=words.say(ADJUST_REASONS[reason]))]
    if note:
        lines.append(words.say("Note: {note}", note=note))
    lines.append(words.say("Made by {who}, agreed by {second}.", who=made_by, second=agreed_by))
    return tuple(lines)


def expired(formats: Formats, points: int) -> str:
    """What a booking of lapsed points took."""
    return formats.words.say(
        "{points} expired: nobody used them in time.", points=formats.points(points)
    )


def lapsed_lot(formats: Formats, points: int, last: BusinessDate, receipt_no: str) -> str:
    """One lot that lapsed: how much was left, until when it was good, the receipt that it came from or ""."""
    words, left = formats.words, formats.points(points)
    if not receipt_no:
        return words.say("{points} were good through {date}.", points=left, date=last.iso())
    return words.say(
        "{points} of receipt {number} were good through {date}.",
        points=left,
        number=receipt_no,
        date=last.iso(),
    )


def unexpired(formats: Formats, points: int) -> str:
    """Why a booking of lapsed points was undone in part."""
    return formats.words.say(
        "{points} were booked as expired on a day that still took them: they are given back.",
        points=formats.points(points),
    )


def headline(formats: Formats, sale: SaleDocument) -> str:
    """One sentence where the working is simple (S44), else the sum and where to look."""
    rates = [step for step in sale.trace if step.code == "line_rate"]
    plain = {(s.facts["points"], s.facts["per_minor"]) for s in rates}
    caps = any(step.code in ("sale_cap", "day_cap", "multiplier") for step in sale.trace)
    base = sum(_whole(step, "base_minor") for step in rates)
    if len(plain) == 1 and not caps and sale.earn_terms.rounding == "floor":
        points, per_minor = _whole(rates[0], "points"), _whole(rates[0], "per_minor")
        return formats.words.say(
            "{total} = {base} × {points} per {per}, rounded down.",
            total=formats.points(sale.points_earned),
            base=formats.money(base),
            points=number(points),
            per=formats.money_short(per_minor),
        )
    return formats.words.say(
        "{total}: worked out line by line below.", total=formats.points(sale.points_earned)
    )


def working(formats: Formats, sale: SaleDocument, programme: Programme) -> tuple[str, ...]:
    """Every step of a sale's earning, one sentence each, in the order it was worked out."""
    lines = [_step(formats, sale, step, programme) for step in sale.trace]
    lines.append(
        formats.words.say(
            "Programme version {version}, in force since {date}.",
            version=programme.version,
            date=programme.starts.iso(),
        )
    )
    lines.append(
        formats.words.say(
            "Good from {start} through {end}.",
            start=sale.available_from.iso(),
            end=sale.expires.iso(),
        )
    )
    return tuple(line for line in lines if line)


def return_working(formats: Formats, trace: Sequence[TraceStep]) -> tuple[str, ...]:
    """Every step of a return's points."""
    words = formats.words
    lines = []
    for step in trace:
        facts = step.facts
        if step.code == "earned_kept" and facts["taken_back"]:
            lines.append(
                words.say(
                    "What is kept earns {after}, before it earned {before}: {taken} go back.",
                    after=formats.points(_whole(step, "after")),
                    before=formats.points(_whole(step, "before")),
                    taken=formats.points(_whole(step, "taken_back")),
                )
            )
        elif step.code == "restored" and facts["restored"]:
            lines.append(
                words.say(
                    "Of {spent} used, {restored} return to the lots they came from.",
                    spent=formats.points(_whole(step, "spent")),
                    restored=formats.points(_whole(step, "restored")),
                )
            )
        elif step.code == "already_spent" and facts["spent"]:
            lines.append(
                words.say(
                    "{spent} were already spent: {owed} owed, {charged} kept from the refund.",
                    spent=formats.points(_whole(step, "spent")),
                    owed=formats.points(_whole(step, "owed")),
                    charged=formats.money(_whole(step, "charged_minor")),
                )
            )
    return tuple(lines)


def _step(formats: Formats, sale: SaleDocument, step: TraceStep, programme: Programme) -> str:
    words, facts = formats.words, step.facts
    match step.code:
        case "line_rate":
            return words.say(
                "Line {line}, {name}: {base} at {points} per {per}.",
                line=_whole(step, "line") + 1,
                name=_name(formats, sale, step),
                base=formats.money(_whole(step, "base_minor")),
                points=formats.points(_whole(step, "points")),
                per=formats.money_short(_whole(step, "per_minor")),
            )
        case "line_excluded":
            return words.say(
                "Line {line}, {name}: earns nothing by the programme.",
                line=_whole(step, "line") + 1,
                name=_name(formats, sale, step),
            )
        case "multiplier":
            return words.say(
                'Line {line}: times {factor} by "{rule}".',
                line=_whole(step, "line") + 1,
                factor=_factor(_whole(step, "factor_bp")),
                rule=_rule(formats, programme, str(facts["rule"])),
            )
        case "rounded":
            return words.say(
                "Together {points}, {rounding} once for the whole sale.",
                points=formats.points(_whole(step, "points")),
                rounding=_rounding(formats, str(facts["rounding"])),
            )
        case "sale_cap":
            return words.say("At most {cap} for one sale.", cap=formats.points(_whole(step, "cap")))
        case "day_cap":
            return words.say(
                "At most {cap} a day; {room} were left.",
                cap=formats.points(_whole(step, "cap")),
                room=formats.points(_whole(step, "room")),
            )
        case "no_member":
            return words.say("No member was on this sale, so nothing was earned.")
        case _:
            return ""


def _rule(formats: Formats, programme: Programme, code: str) -> str:
    """What a multiplier is about, in a word or two; its code where nothing says it."""
    words = formats.words
    rule = next((each for each in programme.earning.multipliers if each.code == code), None)
    if rule is None:
        return code
    if rule.birthday is not None:
        return words.say("birthday")
    if rule.tiers:
        chinese = words.language == "zh_CN"
        levels = [level for level in programme.tiers.levels if level.code in rule.tiers]
        return "/".join(level.name_zh if chinese else level.name_en for level in levels)
    if rule.weekdays or rule.from_minute is not None:
        return words.say("weekday or hour")
    return words.say("days of the programme") if rule.from_date is not None else code


def _rounding(formats: Formats, code: str) -> str:
    words = formats.words
    return {
        "floor": words.say("rounded down"),
        "half_up": words.say("rounded to the nearest, halves up"),
        "half_even": words.say("rounded to the nearest, halves to even"),
        "ceiling": words.say("rounded up"),
    }[code]


def _name(formats: Formats, sale: SaleDocument, step: TraceStep) -> str:
    name = sale.lines[_whole(step, "line")].request.name
    return name or formats.words.say("amount entered")


def _factor(basis_points: int) -> str:
    whole, part = divmod(basis_points, 10_000)
    return str(whole) if not part else f"{whole}.{part:04d}".rstrip("0")


def _whole(step: TraceStep, key: str) -> int:
    value = step.facts[key]
    assert isinstance(value, int), f"{step.code}.{key} is a number"
    return value
