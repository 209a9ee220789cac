"""What can be done at the counter's window, with keys and words: the shell's part of the actions.

Tables only: what an action does is the shell's, its errands' and the counter's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.i18n import mark
from ui.actions import Action, always
from ui.pages import PAGES, key_of

if TYPE_CHECKING:
    from ui.shell import Shell


def shell_actions(shell: Shell) -> tuple[Action, ...]:
    """All of them, in the order of the F-bar and of F11's list."""
    return (*_fkey_actions(shell), *_member_actions(shell), *_window_actions(shell))


def _fkey_actions(shell: Shell) -> tuple[Action, ...]:
    free = shell.refusals.sheet
    return (
        _fkey("F1", "help", mark("Keys of this screen"), "bz", mark("Help"), shell.help),
        _fkey("F2", "find", mark("Find member"), "cz", mark("Find"), shell.find_member),
        _fkey("F3", "enrol", mark("New member"), "bk", mark("New"), shell.errands.enrol_next, free),
        _fkey(
            "F5",
            "items",
            mark("Amount or items"),
            "sp",
            mark("Items"),
            shell.amount_or_items,
            free,
        ),
        _fkey(
            "F6",
            "points",
            mark("Use points"),
            "jf",
            mark("Points"),
            shell.counter.redeeming.open,
            shell.refusals.points,
        ),
        _fkey(
            "F8",
            "return",
            mark("Return goods"),
            "th",
            mark("Return"),
            shell.errands.return_goods,
            shell.refusals.return_goods,
        ),
        _fkey(
            "F10",
            "print",
            mark("Print the last slip again"),
            "bd",
            mark("Print"),
            shell.print_page,
            chord="Ctrl+P",
        ),
        _fkey("F11", "actions", mark("All actions"), "gn", mark("All"), shell.all_actions),
        _fkey("F12", "charge", mark("Charge"), "sk", mark("Charge"), shell.charge),
    )


def _member_actions(shell: Shell) -> tuple[Action, ...]:
    needs, counter = shell.refusals.member, shell.counter
    return (
        Action(
            "why",
            mark("Why these points?"),
            "ws",
            shell.errands.why_last,
            "Ctrl+W",
            refusal=needs,
        ),
        Action(
            "profile",
            mark("Edit profile"),
            "xg",
            shell.errands.edit_profile,
            refusal=needs,
        ),
        Action("notes", mark("Member notes"), "hb", shell.errands.notes, "Ctrl+I", refusal=needs),
        Action(
            "unmask",
            mark("Show phone or birthday"),
            "xs",
            shell.errands.show_in_full,
            refusal=needs,
        ),
        Action("ledger", mark("Whole ledger"), "ls", shell.errands.ledger, refusal=needs),
        Action("lots", mark("Points by lot"), "pc", shell.errands.lots, refusal=needs),
        Action("adjust", mark("Change points by hand"), "tz", shell.errands.adjust, refusal=needs),
        Action(
            "member_card",
            mark("Member card as a file"),
            "dk",
            shell.errands.member_card,
            refusal=needs,
        ),
        Action(
            "switch",
            mark("Switch the sale to the member found"),
            "hm",
            counter.switching.switch,
            refusal=counter.switching.refusal,
        ),
        Action("detach", mark("Sell without this member"), "bh", counter.detach, refusal=needs),
    )


def _window_actions(shell: Shell) -> tuple[Action, ...]:
    free, in_pay, counter = shell.refusals.sheet, shell.refusals.pay, shell.counter
    cash, qr, card = (partial(shell.tender, code) for code in ("cash", "qr", "card"))
    back = counter.bring_back_line
    return (
        Action(
            "slip",
            mark("Show the last slip"),
            "xp",
            shell.errands.show_slip,
            refusal=shell.refusals.slip,
        ),
        Action("void", mark("Void a sale"), "zf", shell.errands.void, refusal=shell.refusals.void),
        Action("clear", mark("Clear the sale"), "qk", counter.clear_sale, "Ctrl+N", refusal=free),
        Action("back", mark("Bring back the removed line"), "hy", back, "Ctrl+B", refusal=free),
        Action("cash", mark("Tender: cash"), "xj", cash, "Ctrl+1", refusal=in_pay),
        Action("qr", mark("Tender: QR"), "sm", qr, "Ctrl+2", refusal=in_pay),
        Action("card", mark("Tender: card"), "yh", card, "Ctrl+3", refusal=in_pay),
        Action(
            "shift", mark("Open shift"), "kb", shell.open_shift, refusal=shell.refusals.no_shift
        ),
        Action("close_day", mark("Close the day"), "rj", shell.day.close_day, refusal=free),
        Action("backup", mark("Back up now"), "bf", shell.day.back_up, refusal=free),
        Action("attention", mark("Needs attention"), "zt", shell.attention.show, refusal=free),
        Action("start_key", mark("Key for the safe"), "my", shell.audit.start_key, refusal=free),
        Action("health", mark("Health of the till"), "zk", shell.audit.health, refusal=free),
        Action("head_office", mark("Head office"), "zb", shell.exchange.show, refusal=free),
        Action("support", mark("Save a support file"), "wj", shell.audit.save_support_file),
        Action("exceptions", mark("Exceptions"), "yc", shell.audit.exceptions, refusal=free),
        Action("lock", mark("Lock or switch person"), "sd", shell.lock_wanted.emit, "Ctrl+L"),
        *_page_actions(shell),
        *_export_actions(shell),
        Action("training", mark("Training: begin or end"), "lx", shell.training, refusal=free),
        Action("language", mark("Switch language"), "yy", shell.language_wanted.emit),
        Action("theme", mark("Switch theme"), "pf", shell.theme_wanted.emit),
    )


def _export_actions(shell: Shell) -> tuple[Action, ...]:
    pdf, xlsx, csv = (partial(shell.export_page, form) for form in ("pdf", "xlsx", "csv"))
    refusal = shell.refusals.export
    return (
        Action("pdf", mark("Save the report as PDF"), "cp", pdf, refusal=refusal),
        Action("xlsx", mark("Save the report as a spreadsheet"), "cb", xlsx, refusal=refusal),
        Action("csv", mark("Save the report as CSV"), "cc", csv, refusal=refusal),
    )


def _page_actions(shell: Shell) -> tuple[Action, ...]:
    return tuple(
        Action(page.code, page.go, page.initials, partial(shell.show_page, at), key_of(page.code))
        for at, page in enumerate(PAGES)
    )


def _fkey(
    key: str,
    code: str,
    title: str,
    initials: str,
    label: str,
    run: Callable[[], None],
    refusal: Callable[[], str] = always,
    *,
    chord: str = "",
) -> Action:
    return Action(code, title, initials, run, key, label, refusal, chord)
