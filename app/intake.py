"""What a person typed → plain values, by libraries that the domain may not import.

Phones by phonenumbers, pinyin by pypinyin, lunar dates by borax; each is imported when first needed, because
the window must not wait for them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.birthday import BirthdayOn, solar_birthdays
from app.domain.business_day import BusinessDate
from app.domain.programme import LeapDay

DEFAULT_REGION: Final = "CN"

# 姓 that read differently as a surname than in ordinary words (普通话异读词 and the usual surname lists).
_SURNAMES: Final = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "朴": "piao", "任": "ren",
    "区": "ou", "华": "hua", "盖": "ge", "乐": "yue", "重": "chong", "缪": "miao", "宁": "ning",
    "那": "na", "翟": "zhai", "覃": "qin", "燕": "yan", "纪": "ji", "葛": "ge", "员": "yun",
    "冼": "xian", "洗": "xian", "繁": "po", "祭": "zhai", "秘": "bi", "黑": "he", "召": "shao",
    "牟": "mu", "卜": "bu", "车": "che", "折": "she", "种": "chong", "柏": "bai", "薄": "bo",
    "都": "du", "过": "guo", "哈": "ha", "谌": "chen", "隗": "wei", "逄": "pang", "尉": "wei",
    "佴": "nai", "郇": "xun", "幺": "yao", "阚": "kan", "瞿": "qu", "谷": "gu", "相": "xiang",
    "訾": "zi", "殷": "yin", "晁": "chao", "万": "wan", "石": "shi", "曲": "qu", "柳": "liu",
    "行": "xing", "应": "ying", "能": "nai", "於": "yu", "贾": "jia", "会": "gui", "宿": "su",
    "沈": "shen", "俞": "yu", "余": "yu", "尹": "yin", "臧": "zang", "藏": "zang", "芮": "rui",
    "曹": "cao", "令": "ling", "强": "qiang", "颉": "xie", "沓": "ta", "句": "gou", "适": "kuo",
    "黄": "huang", "钻": "zuan", "不": "fou", "眭": "sui", "撒": "sa", "么": "yao", "俱": "ju",
}  # fmt: skip
_DOUBLE_SURNAMES: Final = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"), "单于": ("chan", "yu"),
    "澹台": ("tan", "tai"), "令狐": ("ling", "hu"), "欧阳": ("ou", "yang"), "司马": ("si", "ma"),
    "上官": ("shang", "guan"), "诸葛": ("zhu", "ge"), "夏侯": ("xia", "hou"), "皇甫": ("huang", "fu"),
    "宇文": ("yu", "wen"), "慕容": ("mu", "rong"), "独孤": ("du", "gu"), "呼延": ("hu", "yan"),
    "公孙": ("gong", "sun"), "东方": ("dong", "fang"), "南宫": ("nan", "gong"), "西门": ("xi", "men"),
    "端木": ("duan", "mu"), "轩辕": ("xuan", "yuan"), "钟离": ("zhong", "li"), "宰父": ("zai", "fu"),
}  # fmt: skip
_OTHER_SURNAME_READINGS: Final = {
    "覃": ("tan",), "谌": ("shen",), "隗": ("kui",), "纪": ("ji",), "单": ("dan",), "朴": ("pu",),
    "乐": ("le",), "仇": ("chou",), "区": ("qu",), "盖": ("gai",), "尉": ("yu",), "宁": ("ning",),
    "曾": ("ceng",), "查": ("cha",), "解": ("jie",), "会": ("hui",), "能": ("neng",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that could exist: `e164` is how it is stored and compared."""

    e164: str
    national: str
    region: str


@dataclass(frozen=True, slots=True)
class PhoneProblem:
    """Why a text is no phone number: "short", "long" or "invalid"; `digits` is how many it has,
    `expected` how many a mobile number of the region has."""

    code: str
    digits: int
    expected: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How a name is read: syllables in small letters, and their initials."""

    syllables: tuple[str, ...]

    @property
    def pinyin(self) -> str:
        """Syllables with blanks between, as the store keeps them."""
        return " ".join(self.syllables)

    @property
    def initials(self) -> str:
        """First letters of the syllables."""
        return "".join(s[0] for s in self.syllables if s)


def plain_text(text: str) -> str:
    """Full-width letters and digits made narrow (an input method types them), blanks trimmed."""
    return unicodedata.normalize("NFKC", text).strip()


def parse_phone(text: str, region: str = DEFAULT_REGION) -> Phone | PhoneProblem:
    """A typed phone number of a region, or with + of any country."""
    import phonenumbers

    cleaned = plain_text(text)
    digits = sum(c.isdigit() for c in cleaned)
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    expected = len(str(example.national_number)) if example else 0
    try:
        number = phonenumbers.parse(cleaned, region)
    except phonenumbers.NumberParseException:
        return PhoneProblem("short" if digits < expected else "invalid", digits, expected)
    if not phonenumbers.is_valid_number(number):
        typed_abroad = cleaned.startswith("+")
        code = "invalid"
        if not typed_abroad and digits != expected:
            code = "short" if digits < expected else "long"
        return PhoneProblem(code, digits, expected)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(
        e164, str(number.national_number), phonenumbers.region_code_for_number(number) or ""
    )


def phone_text(e164: str) -> str:
    """A number as people of its country write it; one from abroad with its country code."""
    import phonenumbers

    number = phonenumbers.parse(e164)
    home = phonenumbers.region_code_for_number(number) == DEFAULT_REGION
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if home else form.INTERNATIONAL)


def readings(name: str, limit: int = 6) -> tuple[Reading, ...]:
    """The likely readings of a name, the likeliest first; Latin names read as their words."""
    cleaned = plain_text(name)
    if not any(_is_hanzi(c) for c in cleaned):
        words = _latin(cleaned).split()
        return (Reading(tuple(words)),)
    given_at, surnames = _surname_readings(cleaned)
    rest = cleaned[given_at:]
    givens = _given_readings(rest)
    found: list[Reading] = []
    for surname in surnames:
        for given in givens:
            reading = Reading(surname + given)
            if reading not in found:
                found.append(reading)
    return tuple(found[:limit])


def parse_day(text: str, today: date) -> date | None:
    """A day as a person types it: 2026-11-21, 20261121, 11-21 or 1121 (then the newest one that isn't after
    `today`); None where there is no such day."""
    parts = re.findall(r"\d+", plain_text(text))
    digits = "".join(parts)
    if len(parts) == 1 and len(digits) in (4, 8):
        parts = [*([digits[:4]] if len(digits) == 8 else []), digits[-4:-2], digits[-2:]]
    if len(parts) not in (2, 3) or (len(parts) == 3 and len(parts[0]) != 4):
        return None
    *year, month, day = (int(part) for part in parts)
    years = year or [today.year, today.year - 1]
    for each in years:
        try:
            found = date(each, month, day)
        except ValueError:
            continue
        if year or found <= today:
            return found
    return None


def lunar_birthday(year: int, month: int, day: int) -> date | None:
    """The solar date of a lunar day (农历) whose lunar year begins in `year`; the 30th of a month
    that has 29 days is kept on the 29th; None outside the calendar's tables (1900-2100)."""
    from borax.calendars.lunardate import InvalidLunarDateError, LCalendars, LunarDate

    try:
        days = LCalendars.ndays(year, month)
        return LunarDate(year, month, min(day, days), 0).to_solar_date()
    except (InvalidLunarDateError, ValueError):
        return None


def celebrations(
    calendar: str, month: int, day: int, on: BusinessDate, leap_day: LeapDay
) -> tuple[BirthdayOn, ...]:
    """The celebrations around a date of a birthday in the solar or the lunar calendar."""
    if calendar == "solar":
        return solar_birthdays(month, day, on, leap_day)
    found = []
    for year in (on.year - 1, on.year, on.year + 1):
        solar = lunar_birthday(year, month, day)
        if solar is not None:
            found.append(BirthdayOn(BusinessDate.of(solar), year))
    return tuple(found)


def lunar_day(on: date) -> tuple[int, int]:
    """Month and day of a solar date in the lunar calendar; a leap month has the number of the one before."""
    from borax.calendars.lunardate import LunarDate

    found = LunarDate.from_solar_date(on.year, on.month, on.day)
    return found.month, found.day


def _surname_readings(name: str) -> tuple[int, list[tuple[str, ...]]]:
    double = _DOUBLE_SURNAMES.get(name[:2])
    if double and len(name) > 2:
        return 2, [double]
    first = name[0]
    if not _is_hanzi(first):
        return 0, [()]
    read = _SURNAMES.get(first) or "".join(_pinyin(first))
    if not read:  # rarer than any reading list; search then goes by the characters alone
        return 1, [()]
    usual = read
    others = [o for o in _OTHER_SURNAME_READINGS.get(first, ()) if o != usual]
    return 1, [(usual,), *((o,) for o in others)]


def _given_readings(rest: str) -> list[tuple[str, ...]]:
    _without_phrases()
    from pypinyin import Style, pinyin

    if not rest:
        return [()]
    usual = tuple(_pinyin(rest))
    found = [usual]
    each = pinyin(rest, style=Style.NORMAL, heteronym=True, errors=_other)
    for at, choices in enumerate(each[: len(usual)]):
        for choice in choices[1:3]:
            other = (*usual[:at], choice, *usual[at + 1 :])
            if other not in found:
                found.append(other)
    return found


def _pinyin(text: str) -> list[str]:
    _without_phrases()
    from pypinyin import Style, lazy_pinyin

    return [s for s in lazy_pinyin(text, style=Style.NORMAL, errors=_other) if s]


def _without_phrases() -> None:
    """The dictionary of phrases costs 45 MB of a till's memory and knows no names."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")


def _other(text: str) -> str:
    return "".join(_latin(text).split())


def _latin(text: str) -> str:
    split = unicodedata.normalize("NFD", text)
    letters = (
        c if c.isalnum() and c.isascii() else " " for c in split if not unicodedata.combining(c)
    )
    return "".join(letters).lower()


def _is_hanzi(c: str) -> bool:
    return "\u3400" <= c <= "\u9fff" or "\U00020000" <= c <= "\U0003ffff" or c == "〇"
