"""The items of the catalogue, and the faults of a file, as tables."""

from __future__ import annotations

from typing import ClassVar

from app.catalogue_file import CatalogueItem, RowFault, percent
from app.catalogue_words import fault_sentence
from app.formats import number
from app.i18n import mark
from ui.models.record_rows import RecordColumns


class ItemRows(RecordColumns[CatalogueItem]):
    """Items as they are sold, withdrawn ones in grey."""

    heads = (
        mark("Code"),
        mark("Item name"),
        mark("English name"),
        mark("Category"),
        mark("Price"),
        mark("Tax"),
        mark("State"),
    )
    right: ClassVar[tuple[int, ...]] = (4, 5)

    def cells(self, record: CatalogueItem) -> tuple[str, ...]:
        words, money = self._kit.words, self._kit.formats.money(record.price_minor)
        per = record.per_quantity
        rate = f"{percent(record.tax_bp)}%"
        return (
            record.code,
            record.name,
            record.name_en,
            record.category,
            money if per == 1 else words.say("{money} for {count}", money=money, count=number(per)),
            rate if record.tax_included or not record.tax_bp else f"+{rate}",
            words.say("Withdrawn") if record.withdrawn else words.say("On sale"),
        )

    def tone(self, record: CatalogueItem, column: int) -> str:
        return "muted" if record.withdrawn else ""


class FaultRows(RecordColumns[RowFault]):
    """What is wrong with a file, by line."""

    heads = (mark("Line"), mark("Problem"))
    right: ClassVar[tuple[int, ...]] = (0,)

    def cells(self, record: RowFault) -> tuple[str, ...]:
        return (number(record.line), fault_sentence(self._kit.words, record))
