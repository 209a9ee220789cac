"""The window as a whole: tab order, names, sizes, clipped text."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import (
    QAbstractTableModel,
    Qt,
)
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Rig, build_rig, make_kit
from tests.ui.keys import focus, press
from tests.ui.shop import Shop
from ui.dialogs.health import HealthSheet
from ui.dialogs.points import WhyPoints
from ui.dialogs.staff import AddPerson
from ui.pages import HOME, SETTINGS, STAFF
from ui.widgets.basics import ElidedLabel, WrappedLabel
from ui.widgets.sheet import tab_stops


def test_tab_visits_the_counter_first_then_keys_then_bars_and_comes_round(rig: Rig) -> None:
    rig.attach()
    press(Qt.Key.Key_F2)
    start = focus()
    visited = []
    for _ in range(60):
        visited.append(focus())
        press(Qt.Key.Key_Tab)
        if focus() is start:
            break
    assert focus() is start
    places = [_place(rig, widget) for widget in visited]
    assert places == sorted(places), places
    assert set(places) == {0, 1, 2, 3, 4, 5}


def _place(rig: Rig, widget: QWidget) -> int:
    shell = rig.shell
    order = (
        shell.counter.finder,
        shell.counter.member,
        shell.counter.sale,
        shell.fkeys,
        shell.top_bar,
        shell.rail,
    )
    return next(at for at, part in enumerate(order) if part.isAncestorOf(widget))


def test_shift_tab_goes_the_same_way_back(rig: Rig) -> None:
    press(Qt.Key.Key_F2)
    forward = []
    for _ in range(5):
        forward.append(focus())
        press(Qt.Key.Key_Tab)
    back = []
    for _ in range(5):
        press(Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
        back.append(focus())
    assert back == forward[::-1]


Opener = Callable[[Rig], None]
SCENES: dict[str, Opener] = {
    "counter": lambda rig: None,
    "help": lambda rig: press(Qt.Key.Key_F1),
    "actions": lambda rig: press(Qt.Key.Key_F11),
    "enrol": lambda rig: press(Qt.Key.Key_F3),
    "return": lambda rig: press(Qt.Key.Key_F8),
    "settings": lambda rig: rig.shell.show_page(SETTINGS),
    "staff_not_allowed": lambda rig: _and_settle(rig, lambda: rig.shell.show_page(STAFF)),
    "home_not_allowed": lambda rig: _and_settle(rig, lambda: rig.shell.show_page(HOME)),
    "member": lambda rig: rig.attach(),
    "void": lambda rig: _and_settle(rig, rig.shell.errands.void),
    "pay": lambda rig: _pay(rig),  # noqa: PLW0108 (defined below)
    "points": lambda rig: _points(rig),  # noqa: PLW0108 (defined below)
    "edit": lambda rig: _with_member(rig, rig.shell.errands.edit_profile),
    "ledger": lambda rig: _with_member(rig, rig.shell.errands.ledger),
    "lots": lambda rig: _with_member(rig, rig.shell.errands.lots),
    "why": lambda rig: _with_member(rig, rig.shell.errands.why_last),
    "attention": lambda rig: _attention(rig),  # noqa: PLW0108 (defined below)
    "incidents": lambda rig: _and_settle(rig, rig.shell.attention._open_incidents),
    "proof": lambda rig: _proof(rig),  # noqa: PLW0108 (defined below)
    "new_person": lambda rig: _staff_sheet(rig, AddPerson),
    "long_name": lambda rig: _long_name(rig),  # noqa: PLW0108 (defined below)
    "long_notes": lambda rig: _and_settle(rig, lambda: _long_notes(rig)),
    "lock": lambda rig: rig.window.lock(),
}
LONG_NAME = "Maximiliana Theodorakopoulou-Featherstonehaugh de la Fuente y Montgomery-Smythe"
LONG_ALERT = "对花生、芝麻、牛奶严重过敏，请勿使用任何坚果类制品，每次都要和顾客确认。" * 2


WITHOUT_SHEET = (
    "counter",
    "settings",
    "staff_not_allowed",
    "home_not_allowed",
    "member",
    "points",
    "long_name",
    "lock",
)


def _and_settle(rig: Rig, act: Callable[[], None]) -> None:
    act()
    rig.settle()
    rig.settle()


def _with_member(rig: Rig, act: Callable[[], None]) -> None:
    rig.attach()
    _and_settle(rig, act)
    rig.until(lambda: rig.top is not None)


def _staff_sheet(rig: Rig, kind: type[AddPerson]) -> None:
    shell = rig.shell
    shell.sheets.open(kind(shell.kit, shell.lanes, shell.desk, shell.errands.who))


def _pay(rig: Rig) -> None:
    rig.attach()
    rig.amount("368")
    rig.open_pay()


def _points(rig: Rig) -> None:
    rig.attach()
    rig.amount("368")
    press(Qt.Key.Key_F6)
    rig.settle()


def _long_name(rig: Rig) -> None:
    rig.attach()
    rig.amount("368")
    member = rig.counter.attached
    assert member is not None
    rig.counter.member.show_member(replace(member, name=LONG_NAME, alert=LONG_ALERT))


def _long_notes(rig: Rig) -> None:
    rig.attach()
    member = rig.counter.attached
    assert member is not None
    rig.counter.member.show_member(replace(member, name=LONG_NAME))
    rig.shell.errands.notes()


def _attention(rig: Rig) -> None:
    rig.scan("6999999999999")
    rig.shell.attention.show()


def _proof(rig: Rig) -> None:
    rig.attach()
    member = rig.counter.attached
    assert member is not None
    rig.counter.member.show_member(replace(member, verify_identity=True))
    rig.amount("368")
    press(Qt.Key.Key_F6)


@pytest.fixture(
    params=[("zh_CN", 100), ("en", 100), ("zh_CN", 125), ("en", 125)],
    ids=lambda p: f"{p[0]}-{p[1]}",
)
def dressed(
    request: pytest.FixtureRequest, qtbot: QtBot, qapp: QApplication, shop: Shop
) -> Iterator[Rig]:
    """A signed-in window in a language and a scale, on the smallest screen that scale is for."""
    language, percent = request.param
    size = (1366, 768) if percent == 100 else (1600, 900)
    kit = make_kit(qapp, language=language, scale_percent=percent)
    rig = build_rig(qtbot, qapp, shop, kit=kit, size=size)
    rig.sign_in()
    rig.open_shift()
    rig.shell.strip.hide()
    yield rig
    rig.window.close()
    rig.window.deleteLater()


def test_every_scene_is_named_large_enough_and_not_clipped(dressed: Rig) -> None:
    rig = dressed
    faults: list[str] = []
    for name, scene in SCENES.items():
        if name == "lock":
            rig.shell.sheets.close_all()
        scene(rig)
        rig.until(partial(_is_open, rig, name))
        faults += [f"{name}: {fault}" for fault in _lasting_faults(rig)]
        rig.shell.sheets.close_all()
        rig.shell.show_page(0)
        rig.counter.clear_sale()
        rig.shell.strip.hide()
        rig.settle()
    assert faults == []


def _is_open(rig: Rig, name: str) -> bool:
    return (rig.top is None) == (name in WITHOUT_SHEET)


def _lasting_faults(rig: Rig) -> list[str]:
    """What is still wrong when the window has had time to lay itself out."""
    rig.qtbot.wait(10)
    with contextlib.suppress(rig.qtbot.TimeoutError):
        rig.qtbot.waitUntil(lambda: not _faults(rig), timeout=30_000)
    return _faults(rig)


def _faults(rig: Rig) -> list[str]:
    window = rig.window
    look = window._kit.look
    screen = (1366, 768) if look.scale_percent == 100 else (1600, 900)
    assert window.size().toTuple() == screen, "the window grew beyond its screen"
    shown = [w for w in window.findChildren(QWidget) if w.isVisible()]
    found = []
    for widget in shown:
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and widget.focusProxy() is None:
            inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QLineEdit)
            if not inner and not widget.accessibleName() and not _scrolls(widget):
                found.append(f"no name: {widget!r}")
        if isinstance(widget, QAbstractButton) and not isinstance(widget.parent(), QLineEdit):
            least = look.px(40)
            if widget.width() < least or widget.height() < least:
                found.append(f"small: {widget.text()!r} {widget.width()}x{widget.height()}")
        if isinstance(widget, QLabel) and widget.text():
            found += _clipped(widget)
    return found


def _scrolls(widget: QWidget) -> bool:
    return widget.metaObject().className() in ("QScrollArea", "SettingsPage", "QScrollBar")


def _clipped(label: QLabel) -> list[str]:
    if isinstance(label, WrappedLabel):
        needed = label.heightForWidth(label.width())
        if label.height() + 1 < needed:
            return [f"clipped: {label.text()!r} {label.height()} of {needed} high"]
        return []
    hint = label.sizeHint()
    if isinstance(label, ElidedLabel) and LONG_NAME in label.text():
        return [] if label.toolTip() == label.text() else [f"no hint: {label.text()!r}"]
    if label.width() + 1 < hint.width() or label.height() + 3 < hint.height():
        return [f"clipped: {label.text()!r} {label.size().toTuple()} of {hint.toTuple()}"]
    return []


def test_the_check_for_clipped_labels_sees_one(qtbot: QtBot, kit: object) -> None:
    label = QLabel("a long sentence")
    qtbot.addWidget(label)
    label.setFixedWidth(10)
    assert _clipped(label)


def test_a_language_switch_changes_every_word(dressed: Rig) -> None:
    rig = dressed
    rig.attach()
    for language in ("zh_CN", "en"):
        rig.window.switch_language(language)
        texts = [w.text() for w in rig.shell.findChildren(QLabel) if w.isVisible() and w.text()]
        names = {"陈", "陈思远", "南山海岸店", "林晓"}
        chinese = [t for t in texts if any("一" <= c <= "鿿" for c in t)]
        if language == "en":
            assert [t for t in chinese if not any(name in t for name in names)] == []
        else:
            assert len(chinese) > 20


NAMES = ("陈", "李敏", "单晓明", "王", "林晓", "南山", "铁观音", "手冲咖啡", "中文", "会员")
"""Of people, the shop, goods, the other language and what was typed: they are no words of ours."""


def _chinese(rig: Rig) -> list[str]:
    """Every Chinese word that is shown or spoken, names left out."""
    said: list[str] = []
    for widget in (rig.shell, *rig.shell.findChildren(QWidget)):
        if not widget.isVisible():
            continue
        said.append(widget.accessibleName())
        if isinstance(widget, QLabel | QAbstractButton):
            said.append(widget.text())
        if isinstance(widget, QAbstractItemView) and (model := widget.model()) is not None:
            columns = model.columnCount() if isinstance(model, QAbstractTableModel) else 1
            places = [
                model.index(row, column)
                for row in range(model.rowCount())
                for column in range(columns)
            ]
            said += [str(place.data() or "") for place in places]
            said += [str(place.data(Qt.ItemDataRole.AccessibleTextRole) or "") for place in places]
    chinese = [text for text in said if any("一" <= c <= "鿿" for c in text)]
    return [text for text in chinese if not any(name in text for name in NAMES)]


def test_a_switch_in_any_scene_leaves_no_word_of_the_language_before(rig: Rig) -> None:
    left: list[str] = []
    for name, scene in SCENES.items():
        if name.startswith(("long", "lock")):
            continue  # What somebody typed, and no sheet of the shell.
        scene(rig)
        rig.until(partial(_is_open, rig, name))
        rig.window.switch_language("en")
        left += [f"{name}: {text}" for text in _chinese(rig)]
        rig.window.switch_language("zh_CN")
        rig.shell.sheets.close_all()
        rig.shell.show_page(0)
        rig.counter.clear_sale()
        rig.settle()
    assert left == []


def test_a_switch_leaves_no_old_word_in_the_health_of_the_till(manager: Rig) -> None:
    manager.shell.audit.health()
    sheet = manager.sheet(HealthSheet)
    manager.window.switch_language("en")
    assert _chinese(manager) == []
    assert sheet.rows.record(0) is not None


def test_a_switch_leaves_no_old_word_in_why_these_points(rig: Rig) -> None:
    _with_member(rig, rig.shell.errands.why_last)
    sheet = rig.sheet(WhyPoints)
    rig.window.switch_language("en")
    said = [label.text() for label in sheet.findChildren(QLabel)]
    assert any("points" in text for text in said)
    assert _chinese(rig) == []
    assert _lasting_faults(rig) == []


def test_a_switch_leaves_no_old_word_in_the_strip_however_it_came_there(rig: Rig) -> None:
    strip = rig.shell.strip
    press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert strip.text == "请先找会员（F2）。"
    rig.window.switch_language("en")
    assert (strip.text, strip.accessibleName()) == ("Find a member first (F2).",) * 2
    rig.attach()
    rig.window.switch_language("zh_CN")
    assert strip.text == "", "it can be done now"
    strip.warn(lambda: rig.shell.kit.words.say("Open a shift first."))
    rig.window.switch_language("en")
    assert (strip.text, strip.accessibleName()) == ("Open a shift first.",) * 2


def test_every_sheet_keeps_tab_inside(rig: Rig) -> None:
    rig.attach()
    for opener in (rig.shell.help, rig.shell.errands.enrol, rig.shell.all_actions):
        opener()
        sheet = rig.top
        assert sheet is not None
        for _ in range(len(tab_stops(sheet)) + 2):
            press(Qt.Key.Key_Tab)
            assert sheet.isAncestorOf(focus())
        rig.shell.sheets.close_all()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_screen_reader_finds_a_name_and_a_role_wherever_the_focus_can_go(
    language: str, qtbot: QtBot, qapp: QApplication, shop: Shop
) -> None:
    rig = build_rig(qtbot, qapp, shop, kit=make_kit(qapp, language=language))
    try:
        faults = _spoken_faults(rig, "sign_in")
        rig.sign_in()
        rig.open_shift()
        for name, scene in SCENES.items():
            scene(rig)
            rig.settle()
            faults += _spoken_faults(rig, name)
            rig.shell.sheets.close_all()
            rig.shell.show_page(0)
            rig.counter.clear_sale()
        assert faults == []
    finally:
        rig.window.close()
        rig.window.deleteLater()


def _spoken_faults(rig: Rig, scene: str) -> list[str]:
    """What a screen reader would stumble over, from the accessibility tree itself."""
    found, reached, todo = [], 0, [QAccessible.queryAccessibleInterface(rig.window)]
    while todo:
        node = todo.pop()
        if not node.isValid() or node.state().invisible:
            continue
        todo += [node.child(at) for at in range(node.childCount())]
        widget = node.object()
        if not isinstance(widget, QWidget) or not widget.focusPolicy().value:
            continue
        if widget.focusProxy() is not None or _scrolls(widget):
            continue
        reached += 1
        name, role = node.text(QAccessible.Text.Name), node.role()
        if not name.strip() or role in (QAccessible.Role.NoRole, QAccessible.Role.Client):
            found.append(f"{scene}: {widget.metaObject().className()} {name!r} {role}")
    assert reached >= 2 or scene in ("sign_in", "lock"), "the tree was walked"
    return found
