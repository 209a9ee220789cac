"""What every screen has: help, all actions, settings, slips, by real keys on a real store."""

from __future__ import annotations

import json
from functools import partial

import pytest
from PySide6.QtCore import Qt

from app.settings import load
from tests.ui.conftest import Rig
from tests.ui.flows.steps import one_back, sell_tea, shows
from tests.ui.keys import focus, press
from ui.dialogs.find_action import Help
from ui.dialogs.paper_list import PaperList
from ui.dialogs.slip import SlipSheet
from ui.pages import PAGES, SETTINGS
from ui.screens.settings_page import SettingsPage
from ui.sounds import DONE, REFUSED, UNKNOWN, Sounds
from ui.widgets.sheet import tab_stops


class TestEverywhere:
    def test_f1_shows_every_key_and_f2_comes_back(self, rig: Rig) -> None:
        press(Qt.Key.Key_F1)
        assert isinstance(rig.top, Help)
        press(Qt.Key.Key_F2)
        assert focus() is rig.counter.finder.box

    def test_every_chord_is_in_f11_and_every_entry_needs_none(self, rig: Rig) -> None:
        actions = rig.shell.actions_
        for action in actions.everything():
            assert action in actions.matching(action.initials)
            assert action in actions.matching(action.title.split()[0])

    def test_no_two_actions_share_initials(self, rig: Rig) -> None:
        initials = [action.initials for action in rig.shell.actions_.everything()]
        assert len(initials) == len(set(initials))

    def test_an_impossible_action_says_why(self, rig: Rig) -> None:
        press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
        assert "请先找会员" in rig.shell.strip.text

    def test_settings_are_saved_and_change_language_and_theme_at_once(self, rig: Rig) -> None:
        press(Qt.Key(Qt.Key.Key_1 + SETTINGS), Qt.KeyboardModifier.AltModifier)
        page = rig.shell.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        page.language.choose("en")
        page.theme.choose("dark")
        page.shop_name.setText("Harbour Tea")
        page.submit()
        rig.until(lambda: rig.shell.top_bar._title.text() == "Settings")
        assert rig.window._kit.look.theme == "dark"
        rig.settle()
        assert 'name = "Harbour Tea"' in (rig.shop.folder / "settings.toml").read_text("utf-8")

    def test_the_top_bar_names_the_shop_in_the_language_of_the_screen(self, rig: Rig) -> None:
        place = rig.shell.top_bar._place
        assert place.text() == "南山海岸店 · 1 号柜"
        rig.window.switch_language("en")
        assert rig.window.windowTitle() == "Regulars"
        assert place.text() == "Nanshan Coast · Till 1"
        press(Qt.Key(Qt.Key.Key_1 + SETTINGS), Qt.KeyboardModifier.AltModifier)
        page = rig.shell.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        page.shop_name_en.setText("Harbour Tea")
        page.submit()
        rig.until(lambda: place.text() == "Harbour Tea · Till 1")

    def test_f10_prints_a_marked_copy_of_the_last_slip(self, rig: Rig) -> None:
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        press(Qt.Key.Key_F10)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "补打第 1 份" in rig.shell.strip.text)
        press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "补打第 2 份" in rig.shell.strip.text)
        assert copies(rig) == [(1, "customer"), (2, "lost")]

    def test_f10_asks_a_manager_for_no_reason(self, manager: Rig) -> None:
        manager.amount("5")
        manager.open_pay()
        press(Qt.Key.Key_Return)
        manager.until(lambda: manager.top is None)
        press(Qt.Key.Key_F10)
        assert manager.top is None
        manager.until(lambda: "补打第 1 份" in manager.shell.strip.text)
        assert copies(manager) == [(1, "")]

    def test_f10_on_what_waits_for_paper_tries_again(self, rig: Rig) -> None:
        rig.shell.errands.print_list()
        rig.sheet(PaperList)
        press(Qt.Key.Key_F10)
        assert rig.top is None

    def test_f10_before_the_first_sale_says_that_there_is_no_slip(self, rig: Rig) -> None:
        press(Qt.Key.Key_F10)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "没有可补打" in rig.shell.strip.text)
        assert rig.top is None

    def test_f10_prints_the_last_slip_of_the_shift_also_after_a_return(self, rig: Rig) -> None:
        one_back(rig, sell_tea(rig))
        press(Qt.Key.Key_F12)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        press(Qt.Key.Key_F10)
        press(Qt.Key.Key_Return)
        rig.until(lambda: "补打第 1 份" in rig.shell.strip.text)
        desk = rig.window.desk
        assert desk is not None
        newest = desk.documents_of_shift()[0]
        assert newest.kind == "return"
        assert desk.slips.newest() == newest

    def test_the_last_slip_is_shown_as_the_printer_lays_it_out(self, rig: Rig) -> None:
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.act("xp")
        rig.until(partial(shows, rig, SlipSheet))
        sheet = rig.top
        assert isinstance(sheet, SlipSheet)
        assert rig.counter.charging.last_sale is not None
        said = sheet.preview.accessibleDescription()
        assert rig.counter.charging.last_sale.receipt_no in said
        assert "¥5.00" in said or "￥5.00" in said

    def test_the_member_card_is_saved_as_a_file(self, rig: Rig) -> None:
        rig.attach()
        rig.act("dk")
        rig.until(lambda: "卡片已存" in rig.shell.strip.text)
        assert [p.suffix for p in (rig.shop.folder / "cards").iterdir()] == [".pdf"]

    def test_a_journal_file_that_fails_is_said_and_stops_the_next_sale(self, rig: Rig) -> None:
        desk = rig.window.desk
        assert desk is not None

        def fails(*arguments: object, **named: object) -> None:
            raise OSError(5, "Input/output error")

        desk._ctx.journal.append = fails  # type: ignore[method-assign]
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: "副本写不了" in rig.shell.strip.text)
        before = rig.documents()
        rig.amount("6")
        pay = rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: "副本写不了" in pay.problem.text())
        assert rig.documents() == before
        assert rig.counter.sale.amount.text() == "6"

    def test_focus_goes_to_search_after_every_sheet(self, rig: Rig) -> None:
        for key in (Qt.Key.Key_F1, Qt.Key.Key_F3, Qt.Key.Key_F11):
            press(key)
            assert rig.top is not None
            press(Qt.Key.Key_Escape)
            assert focus() is rig.counter.finder.box

    @pytest.mark.parametrize("page", range(1, len(PAGES)))
    def test_a_page_has_its_focus_again_after_a_sheet_and_keeps_it_when_nobody_types(
        self, manager: Rig, page: int
    ) -> None:
        press(Qt.Key(Qt.Key.Key_1 + page), Qt.KeyboardModifier.AltModifier)
        manager.settle()
        stops = tab_stops(manager.shell.pages.page(page))
        stops[-1].setFocus()
        for key in (Qt.Key.Key_F1, Qt.Key.Key_Escape):
            press(key)
        assert manager.top is None
        assert stops[-1].hasFocus()
        manager.window.idle.touch()
        manager.clock.now += 25
        manager.window.idle.look()
        assert stops[-1].hasFocus()

    def test_the_theme_key_goes_through_all_three_and_comes_back(self, rig: Rig) -> None:
        seen = []
        for _ in range(3):
            rig.shell.theme_wanted.emit()
            seen.append(rig.window._kit.look.theme)
        assert seen == ["dark", "contrast", "light"]

    def test_the_contrast_theme_is_kept_by_the_settings(self, rig: Rig) -> None:
        press(Qt.Key(Qt.Key.Key_1 + SETTINGS), Qt.KeyboardModifier.AltModifier)
        page = rig.shell.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        page.theme.choose("contrast")
        page.sound.setChecked(False)
        page.submit()
        rig.settle()
        kept = load(rig.shop.folder)
        assert (kept.theme, kept.counter.sound) == ("contrast", False)


def copies(rig: Rig) -> list[tuple[int, str]]:
    """(number, reason) of each copy in the journal, oldest first."""
    desk = rig.window.desk
    assert desk is not None
    with desk.context.read() as conn:
        found = conn.execute(
            "SELECT body FROM event WHERE kind = 'reprint' ORDER BY seq"
        ).fetchall()
    docs = [json.loads(body)["doc"] for (body,) in found]
    return [(doc["copy_no"], doc["reason"]) for doc in docs]


class TestSounds:
    @pytest.fixture
    def beeps(self, rig: Rig) -> list[int]:
        """What is asked of the speaker, as counts of beeps."""
        heard: list[int] = []
        rig.counter.sounds.play = heard.append  # type: ignore[method-assign, assignment]  # no speaker
        return heard

    def test_done_refused_and_unknown_sound_different(self, rig: Rig, beeps: list[int]) -> None:
        rig.scan("6999999999999")
        press(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
        rig.counter.clear_sale()
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert beeps == [UNKNOWN, REFUSED, DONE]
        assert len(set(beeps)) == 3

    def test_so_many_beeps_come_one_after_another(self, rig: Rig) -> None:
        heard: list[int] = []
        sounds = Sounds(rig.window, lambda: True, beep=lambda: heard.append(1))
        sounds.play(UNKNOWN)
        assert len(heard) == 1
        rig.until(lambda: not sounds._timer.isActive())
        assert len(heard) == UNKNOWN

    def test_a_shop_can_have_silence(self, rig: Rig) -> None:
        heard: list[int] = []
        Sounds(rig.window, lambda: False, beep=lambda: heard.append(1)).play(UNKNOWN)
        assert heard == []
