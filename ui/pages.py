"""The pages of the rail, in its order: what each is called, its picture, and how it is built when first shown.

A page has `fill_anew()`, called at each visit; the counter is built by the shell itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from PySide6.QtWidgets import QWidget

from app.i18n import mark

if TYPE_CHECKING:
    from app.domain.business_day import BusinessDate
    from app.usecases.export_report import Form
    from ui.screens.rail_page import Surroundings
    from ui.shell import Shell


class Page(Protocol):
    """What the shell asks of a page."""

    def fill_anew(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PageKind:
    """One page of the rail. `word` stands under its picture, `go` is its action in F11."""

    code: str
    icon: str
    word: str
    title: str
    go: str
    initials: str
    build: Callable[[Shell], QWidget]


def _around(shell: Shell, today: Callable[[], BusinessDate]) -> Surroundings:
    from ui.screens.rail_page import Surroundings

    return Surroundings(
        shell.kit, shell.lanes, shell.desk, shell.errands.who, shell.sheets, shell.strip, today
    )


def _counter(shell: Shell) -> QWidget:
    return shell.counter


def _home(shell: Shell) -> QWidget:
    from ui.screens.home_page import HomePage, Openers

    return HomePage(
        _around(shell, lambda: shell.till.worked_on), shell.attention,
        Openers(shell.open_report, shell.open_figure, shell.open_member),
    )  # fmt: skip


def _reports(shell: Shell) -> QWidget:
    from ui.screens.reports_page import ReportsPage

    page = ReportsPage(_around(shell, lambda: shell.till.worked_on))
    page.printing.connect(shell.paper.print_waiting)
    return page


def _staff(shell: Shell) -> QWidget:
    from ui.screens.staff_page import StaffPage

    return StaffPage(_around(shell, lambda: shell.till.calendar))


def _catalogue(shell: Shell) -> QWidget:
    from ui.screens.catalogue_page import CataloguePage

    return CataloguePage(_around(shell, lambda: shell.till.calendar))


def _audit(shell: Shell) -> QWidget:
    from ui.screens.audit_page import AuditPageView

    return AuditPageView(_around(shell, lambda: shell.till.calendar))


def _settings(shell: Shell) -> QWidget:
    from ui.screens.settings_page import SettingsPage

    page = SettingsPage(shell.kit, shell.lanes, shell.desk)
    page.saved.connect(shell.use_settings)
    page.left_unsaved.connect(shell.say_unsaved)
    return page


PAGES: Final = (
    PageKind(
        "counter", "shopping-bag", mark("Counter"), mark("Member counter"),
        mark("Go to the counter"), "qs", _counter,
    ),
    PageKind("home", "calendar", mark("Home"), mark("Home"), mark("Go to the home page"), "sy", _home),
    PageKind(
        "staff", "user", mark("Staff"), mark("Staff"), mark("Go to the staff"), "yg", _staff,
    ),
    PageKind(
        "reports", "chart-column", mark("Reports"), mark("Reports"), mark("Go to the reports"),
        "rb", _reports,
    ),
    PageKind(
        "audit", "search", mark("Journal"), mark("Journal"), mark("Go to the journal"), "sj", _audit,
    ),
    PageKind(
        "catalogue", "tag", mark("Items"), mark("Goods and prices"), mark("Go to the goods"),
        "ml", _catalogue,
    ),
    PageKind(
        "settings", "settings", mark("Settings"), mark("Settings"), mark("Go to the settings"),
        "sz", _settings,
    ),
)  # fmt: skip
COUNTER: Final = 0
HOME: Final = 1
STAFF: Final = 2
REPORTS: Final = 3
SETTINGS: Final = len(PAGES) - 1


class Exporting(Protocol):
    """A page whose content can leave the house; the forms are those of app.usecases.export_report."""

    def export(self, form: Form) -> None: ...


def key_of(code: str) -> str:
    """The chord that goes to a page: Alt and its place on the rail."""
    return f"Alt+{1 + [page.code for page in PAGES].index(code)}"


def exporting(widget: QWidget | None) -> Exporting | None:
    """The page as one that can be printed and saved, None when it isn't one."""
    return cast(Exporting, widget) if hasattr(widget, "export") else None


def fill_anew(widget: QWidget) -> None:
    """A page is visited."""
    cast(Page, widget).fill_anew()
