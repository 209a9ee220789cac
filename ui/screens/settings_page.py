"""Settings of this machine: language, theme, shop texts, paper and printer. Saved by one button."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from app.settings import ReceiptSettings, Settings, ShopTexts
from ui.errors import words_of
from ui.kit import Kit
from ui.lanes import Lanes
from ui.tokens import theme_of
from ui.widgets.basics import Button, Label, Text, WrappedLabel, card, columns, rows
from ui.widgets.segments import Segment, Segments
from ui.widgets.text_fields import TextField, Tick

if TYPE_CHECKING:
    from ui.desk import Desk


class SettingsPage(QScrollArea):
    """Signals:
    saved(settings): they are in use from now on.
    """

    saved = Signal(object)

    def __init__(self, kit: Kit, lanes: Lanes, desk: Desk) -> None:
        super().__init__()
        self._kit, self._lanes, self._desk = kit, lanes, desk
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
                    (lambda: words.say("Printer"), self.printer),
                    (lambda: words.say("Languages"), self.bilingual),
                ),
                lambda: words.say("tcp://192.168.1.50:9100, or file:///folder; empty for none"),
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
        self.problem = WrappedLabel(role="strong", tone="danger")
        right.addWidget(self.problem)
        self.save = Button(kit, lambda: words.say("Save settings"), role="primary")
        self.save.clicked.connect(self.submit)
        right.addWidget(self.save)
        right.addStretch()
        outer.addLayout(left, 1)
        outer.addLayout(right, 1)
        self.setWidget(page)
        self.fill_anew()

    def _make_fields(self) -> None:
        kit, words = self._kit, self._kit.words
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

    def fill_anew(self) -> None:
        """On each visit: what is in use now. Language and theme are those on screen, which have
        keys of their own; saving must not turn them back.
        """
        settings, look = self._desk.settings(), self._kit.look
        language = self._kit.words.language
        self.problem.clear()
        self.show_settings(replace(settings, language=_language(language), theme=look.theme))

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

    def settings(self) -> Settings:
        """What the fields say, on top of what has no field."""
        before = self._desk.settings()
        tender = self.tender.code
        return replace(
            before,
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
        settings = self.settings()
        self.save.setEnabled(False)
        self._lanes.run(
            self,
            "db",
            lambda: self._desk.save_settings(settings),
            ok=lambda _: self._saved(settings),
            failed=self._refused,
        )

    def _saved(self, settings: Settings) -> None:
        self.save.setEnabled(True)
        self.problem.clear()
        self.saved.emit(settings)

    def _refused(self, error: Exception) -> None:
        self.save.setEnabled(True)
        self.problem.tell(lambda: words_of(self._kit, error))


def _language(code: str) -> Literal["zh_CN", "en"]:
    return "en" if code == "en" else "zh_CN"
