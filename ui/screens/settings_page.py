"""Settings of this machine: language, theme, shop texts, paper and printer. Saved by one button."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from app.domain.errors import Outage, Unavailable
from app.settings import ReceiptSettings, Settings, ShopTexts
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes, Latest
from ui.screens.settings_folders import PATH_MOST, FolderFields, Problems
from ui.tokens import theme_of
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.text_fields import TextField, Tick

if TYPE_CHECKING:
    from ui.desk import Desk

_OF_THE_PRINTER: Final = (Outage.PRINTER_ADDRESS_BAD, Outage.PRINTER_FOLDER_GONE)


class SettingsPage(QScrollArea):
    """Signals:
    saved(settings): they are in use from now on.
    left_unsaved(): it is left with changes that nobody saved; they wait in the fields.
    """

    saved = Signal(object)
    left_unsaved = Signal()

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        super().__init__()
        self._kit, self._lanes, self._desk = kit, lanes, desk
        self._checking: Latest[None] = Latest(lanes, "print", interrupt=lambda: None)
        self._shown = desk.settings()
        words = kit.words
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._make_fields()
        page = QWidget()
        page.setObjectName("root")
        outer = columns(kit.look, page, margins=16, gap=16)
        left, right = rows(kit.look, gap=16), rows(kit.look, gap=16)
        left.addWidget(
            self._card(
                lambda: words.say("This till"),
                (
                    (lambda: words.say("Language"), self.language),
                    (lambda: words.say("Theme"), self.theme),
                    (lambda: words.say("Usual tender"), self.tender),
                    (lambda: words.say("Sounds"), self.sound),
                ),
            )
        )
        left.addWidget(
            self._card(
                lambda: words.say("Receipts"),
                (
                    (lambda: words.say("Paper"), self.paper),
                    (lambda: words.say("Printer"), self._printer_row()),
                    (lambda: words.say("Languages"), self.bilingual),
                ),
                lambda: words.say("tcp://192.168.1.50:9100, or file:///folder; empty for none"),
            )
        )
        left.addWidget(
            self._card(
                lambda: words.say("Backups and reports"),
                (
                    (lambda: words.say("Folder of the backups"), self.folders.row("backup")),
                    (lambda: words.say("Folder of the reports"), self.folders.row("reports")),
                    (lambda: words.say("After the close of a day"), self.folders.after),
                ),
                lambda: words.say("Empty: beside the data. Backups belong on another disk."),
            )
        )
        left.addStretch()
        right.addWidget(
            self._card(
                lambda: words.say("Shop texts on receipts"),
                (
                    (lambda: words.say("Shop name"), self.shop_name),
                    (lambda: words.say("English name"), self.shop_name_en),
                    (lambda: words.say("Address"), self.address),
                    (lambda: words.say("Telephone"), self.telephone),
                    (lambda: words.say("Closing line"), self.footer),
                    (lambda: words.say("Closing line in English"), self.footer_en),
                ),
            )
        )
        self.unsaved_said = WrappedLabel(role="strong", tone="warn")
        right.addWidget(self.unsaved_said)
        self.problem = WrappedLabel(role="strong", tone="danger")
        right.addWidget(self.problem)
        self.save = Button(kit, lambda: words.say("Save settings"), role="primary")
        self.save.clicked.connect(self.submit)
        right.addWidget(self.save)
        right.addStretch()
        outer.addLayout(left, 1)
        outer.addLayout(right, 1)
        self.setWidget(page)
        self.show_settings(self._used())

    def _make_fields(self) -> None:
        kit, words = self._kit, self._kit.words
        self.folders = FolderFields(kit, self._lanes, self._desk.folder_problem)
        self.language = Segments(
            kit,
            lambda: words.say("Language"),
            (Segment("zh_CN", lambda: "中文"), Segment("en", lambda: "English")),
        )
        self.theme = Segments(
            kit,
            lambda: words.say("Theme"),
            (
                Segment("light", lambda: words.say("Light"), "sun"),
                Segment("dark", lambda: words.say("Dark"), "moon"),
                Segment("contrast", lambda: words.say("Contrast"), "contrast"),
            ),
        )
        self.tender = Segments(
            kit,
            lambda: words.say("Usual tender"),
            (
                Segment("cash", lambda: words.say("Cash")),
                Segment("qr", lambda: words.say("QR")),
                Segment("card", lambda: words.say("Bank card")),
            ),
        )
        self.paper = Segments(
            kit,
            lambda: words.say("Paper"),
            (Segment("58", lambda: "58 mm"), Segment("80", lambda: "80 mm")),
        )
        self.sound = Tick(kit, lambda: words.say("Beep when done, refused or unknown"))
        self.bilingual = Tick(kit, lambda: words.say("Chinese and English"))
        self.printer = TextField(lambda: words.say("Printer"))
        self.printer.setMaxLength(PATH_MOST)
        self.shop_name = TextField(lambda: words.say("Shop name"))
        self.shop_name_en = TextField(lambda: words.say("English name"))
        self.address = TextField(lambda: words.say("Address"))
        self.telephone = TextField(lambda: words.say("Telephone"))
        self.footer = TextField(lambda: words.say("Closing line"))
        self.footer_en = TextField(lambda: words.say("Closing line in English"))

    def _card(
        self, title: Text, fields: tuple[tuple[Text, QWidget], ...], hint: Text | None = None
    ) -> QFrame:
        look = self._kit.look
        frame = card()
        column = rows(look, frame, margins=20, gap=12)
        column.addWidget(Label(title, role="title"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.px(16))
        grid.setVerticalSpacing(look.px(10))
        for at, (name, field) in enumerate(fields):
            grid.addWidget(Label(name, role="text2"), at, 0)
            grid.addWidget(field, at, 1)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        if hint is not None:
            column.addWidget(WrappedLabel(hint, role="caption"))
        return frame

    def _printer_row(self) -> QWidget:
        """The printer's address, checked when the field is left; what is wrong stands below it."""
        row = QWidget()
        column = rows(self._kit.look, row, gap=4)
        self.printer_said = WrappedLabel(role="strong", tone="danger")
        self.printer_said.hide()
        column.addWidget(self.printer)
        column.addWidget(self.printer_said)
        self.printer.editingFinished.connect(self._check_printer)
        self.printer.entered.connect(self._check_printer)
        self.printer.textEdited.connect(self._retyped)
        return row

    def _check_printer(self) -> None:
        text = self.printer.text()
        self._checking.ask(
            self.printer,
            lambda: self._desk.slips.check_printer(text),
            ok=lambda _: self._say_printer(None),
            failed=self._say_printer,
        )

    def _retyped(self) -> None:
        """What was found of an earlier address is of no use to this one."""
        self._checking.drop()
        self._say_printer(None)

    def _say_printer(self, error: Exception | None) -> None:
        self.printer.mark_wrong(error is not None)
        self.printer_said.setVisible(error is not None)
        self.printer_said.tell(lambda: words_of(self._kit, error) if error else "")

    def fill_anew(self) -> None:
        """On each visit: what is in use now; but what was changed and not saved waits, and is said."""
        if self.unsaved:
            self._follow_screen()
        else:
            self.problem.clear()
            self.show_settings(self._used())
        self._say_unsaved()

    @property
    def unsaved(self) -> bool:
        """Whether the fields say something else than they were filled with."""
        return self._on_top_of(self._shown) != self._shown

    def _say_unsaved(self) -> None:
        words, unsaved = self._kit.words, self.unsaved
        self.unsaved_said.setVisible(unsaved)
        self.unsaved_said.tell(lambda: words.say("These changes aren't saved yet."))

    def _used(self) -> Settings:
        """What is in use. Language and theme are those on screen, which have keys of their own."""
        language, theme = _language(self._kit.words.language), self._kit.look.theme
        return replace(self._desk.settings(), language=language, theme=theme)

    def _follow_screen(self) -> None:
        """Language and theme were changed by their keys: saving must not turn them back."""
        used, shown = self._used(), self._shown
        if self.language.code == shown.language:
            self.language.choose(used.language)
        if self.theme.code == shown.theme:
            self.theme.choose(used.theme)
        self._shown = replace(shown, language=used.language, theme=used.theme)

    def retranslate(self) -> None:
        self._follow_screen()

    def restyle(self) -> None:
        self._follow_screen()

    def show_settings(self, settings: Settings) -> None:
        self.language.choose(settings.language)
        self.theme.choose(settings.theme)
        self.tender.choose(settings.counter.default_tender)
        self.sound.setChecked(settings.counter.sound)
        self.paper.choose(str(settings.receipt.paper_mm))
        self.bilingual.setChecked(settings.receipt.bilingual)
        self.printer.setText(settings.receipt.printer)
        self.shop_name.setText(settings.shop.name)
        self.shop_name_en.setText(settings.shop.name_en)
        self.address.setText(settings.shop.address)
        self.telephone.setText(settings.shop.phone)
        self.footer.setText(settings.shop.footer)
        self.footer_en.setText(settings.shop.footer_en)
        self._say_printer(None)
        self.folders.show_settings(settings)
        self._shown = self._on_top_of(settings)

    def settings(self) -> Settings:
        """What the fields say, on top of what has no field."""
        return self._on_top_of(self._desk.settings())

    def _on_top_of(self, before: Settings) -> Settings:
        tender = self.tender.code
        return replace(
            self.folders.on_top_of(before),
            language=_language(self.language.code),
            theme=theme_of(self.theme.code),
            counter=replace(
                before.counter,
                sound=self.sound.isChecked(),
                default_tender="qr" if tender == "qr" else "card" if tender == "card" else "cash",
            ),
            receipt=self._receipt(before.receipt),
            shop=ShopTexts(
                name=self.shop_name.text().strip(),
                name_en=self.shop_name_en.text().strip(),
                address=self.address.text().strip(),
                phone=self.telephone.text().strip(),
                footer=self.footer.text().strip(),
                footer_en=self.footer_en.text().strip(),
            ),
        )

    def _receipt(self, before: ReceiptSettings) -> ReceiptSettings:
        return replace(
            before,
            printer=self.printer.text().strip(),
            paper_mm=58 if self.paper.code == "58" else 80,
            bilingual=self.bilingual.isChecked(),
        )

    def submit(self) -> None:
        """Try the printer and the folders that change, where it may take its time; then save."""
        settings, used = self.settings(), self._desk.settings()
        self.save.setEnabled(False)
        if settings.receipt.printer == used.receipt.printer:
            self._try_folders(settings, used)
            return
        self._lanes.run(
            self,
            "print",
            lambda: self._desk.slips.check_printer(settings.receipt.printer),
            ok=lambda _: self._try_folders(settings, used),
            failed=self._refused,
        )

    def _try_folders(self, settings: Settings, used: Settings) -> None:
        if (settings.backup, settings.reports) == (used.backup, used.reports):
            self._tried(settings, {})  # No save waits for a backup that is being made.
            return
        self._lanes.run(
            self,
            "backup",
            lambda: self.folders.problems(used, settings),
            ok=lambda problems: self._tried(settings, problems),
            failed=self._refused,
        )

    def _tried(self, settings: Settings, problems: Problems) -> None:
        if problems:
            self.save.setEnabled(True)
            # Its sentence takes room first: only then is it known where the field stands.
            QTimer.singleShot(
                0, self, partial(self._bring_into_view, self.folders.point_at(problems))
            )
            return
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.save_settings(settings),
            ok=lambda _: self._saved(settings),
            failed=self._refused,
        )

    def _bring_into_view(self, field: QWidget) -> None:
        """Focus that is set, not tabbed to, scrolls nothing by itself."""
        row = field.parentWidget()
        assert row is not None, "a field stands in its row"
        self.ensureWidgetVisible(row)

    def show_backup_folder(self) -> None:
        """Go to the field of the backups' folder."""
        field = self.folders.backup
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self, partial(self._bring_into_view, field))

    def _saved(self, settings: Settings) -> None:
        self.save.setEnabled(True)
        self.problem.clear()
        self.show_settings(settings)
        self._say_unsaved()
        self.saved.emit(settings)

    def _refused(self, error: Exception) -> None:
        self.save.setEnabled(True)
        if isinstance(error, Unavailable) and error.code in _OF_THE_PRINTER:
            self._say_printer(error)
            self.printer.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.problem.tell(lambda: words_of(self._kit, error))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.unsaved and not event.spontaneous():
            self.left_unsaved.emit()


def _language(code: str) -> Literal["zh_CN", "en"]:
    return "en" if code == "en" else "zh_CN"
