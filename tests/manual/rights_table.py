"""`python -m tests.manual.rights_table`: the manual's table of who may what, written from app.domain.rights.

The names of the rows are the manual's own: the interface names few of them. What no act at the till asks for
yet isn't in the table; a test holds both against the matrix and the sources.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from app.documents.event_codes import ROLES as ROLE_NAMES
from app.domain.rights import MATRIX, ROLES, Grant, Right, Rule
from app.i18n import Words

Language = Literal["en", "zh"]
ROOT: Final = Path(__file__).resolve().parents[2]
_SIGNS: Final = {Grant.ALONE: "✓", Grant.SECOND: "2", Grant.READ: "R", Grant.NO: "–"}
NAMES: Final[dict[Right, tuple[str, str]]] = {
    Right.FIND: ("find a member", "查会员"),
    Right.ENROL: ("enrol a member", "办卡"),
    Right.SELL: ("sell", "收款"),
    Right.OWN_CARD: ("serve one's own or the household's account", "给自己或家人办理"),
    Right.GUARD: ("go on where the guard asks", "异常消费继续"),
    Right.REDEEM: ("use a member's points", "用积分"),
    Right.REDEEM_ABOVE: ("use points above the limit", "用积分，超过上限"),
    Right.RETURN: ("return goods", "退货"),
    Right.RETURN_ABOVE: ("return above the limit", "退货，超过上限"),
    Right.VOID: ("void in the same shift", "本班作废"),
    Right.VOID_ABOVE: ("void above the limit", "作废，超过上限"),
    Right.WRITE_OFF: ("write off points that are owed", "核销欠分"),
    Right.ADJUST: ("change points by hand", "调整积分"),
    Right.UNMASK: ("see a phone or birthday whole", "完整看手机号或生日"),
    Right.REPRINT: ("print again", "补打"),
    Right.DRAWER: ("open the drawer without a sale", "无单开钱箱"),
    Right.CASH_MOVE: ("cash in, cash out", "现金存入、支出"),
    Right.CASH_MOVE_ABOVE: ("cash in, cash out above the limit", "现金存入、支出，超过上限"),
    Right.SHIFT: ("open, count and close a shift; X report", "开班、盘点、结班、X 报表"),
    Right.CASH_DIFFERENCE: ("close with a difference above the limit", "差额超过上限结班"),
    Right.CLOSE_DAY: ("close the day", "日结"),
    Right.CLOSE_OVER_OPEN: ("close over something open or uncounted", "有未结或未盘点仍结"),
    Right.DATE_AHEAD: ("open a shift for a date that is ahead", "营业日提前开班"),
    Right.CATALOGUE: ("change goods and prices", "改商品和价格"),
    Right.STAFF: ("people, roles, new PINs", "员工、角色、新密码"),
    Right.REPORTS: ("reports", "报表"),
    Right.AUDIT: ("journal, exceptions", "流水、异常"),
    Right.CASE: ("say that an exception was seen or explained", "异常标为已看、说明"),
    Right.BACKUP: ("back up now", "立即备份"),
    Right.RESTORE: ("put the key into the safe", "密钥入柜"),
    Right.SETTINGS: ("save a support file", "存支持文件"),
}
"""Right → (English, Chinese), in the order of the matrix."""


def used_rights() -> frozenset[Right]:
    """The rights that a use-case or a query of the till asks for, read from the sources."""
    found: set[Right] = set()
    for folder in ("usecases", "queries"):
        for path in (ROOT / "app" / folder).rglob("*.py"):
            found |= {
                Right[name] for name in re.findall(r"\bRight\.([A-Z_]+)", path.read_text("utf-8"))
            }
    return frozenset(found)


def lines(language: Language) -> Iterator[str]:
    """The table's lines; a star says that a reason is asked for."""
    words = Words("en" if language == "en" else "zh_CN")
    roles = [words.say(ROLE_NAMES[role]) for role in ROLES]
    yield f"| | {' | '.join(roles)} |"
    yield "|---|" + "---|" * len(roles)
    for right, names in NAMES.items():
        cells = [_cell(MATRIX[right][role]) for role in ROLES]
        yield f"| {names[0 if language == 'en' else 1]} | {' | '.join(cells)} |"


def _cell(rule: Rule) -> str:
    return _SIGNS[rule.grant] + ("*" if rule.reason else "")


def main() -> int:
    """Write the table into both pages, in the place of the one that is there."""
    for language in ("en", "zh"):
        page = ROOT / "docs" / "manual" / language / "approving.md"
        before, _, after = re.split(
            r"((?:^\|.*\n)+)", page.read_text("utf-8"), maxsplit=1, flags=re.M
        )
        page.write_text(before + "\n".join(lines(language)) + "\n" + after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
