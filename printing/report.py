"""A report as data: finished words and figures, for a page or a picture. No drawing, no library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["bars", "lines", "heat"]
BARS_MOST: Final = 12
"""So many bars are drawn, the first ones; `more` says so where there are others."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """What a chart shows. `values` are integers of one unit, `texts` the same as people read them.

    `before` is the comparison, one for each value, or (); `before_texts` the same as people read it. A heat
    map has `columns`; its values run line by line, one for each column of each label. A line may end before
    its labels do: the rest hasn't come yet. `more` is said where bars are left out.
    """

    kind: Kind
    title: str
    labels: tuple[str, ...]
    values: tuple[int, ...]
    texts: tuple[str, ...]
    before: tuple[int, ...] = ()
    before_title: str = ""
    before_texts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """One report in words: `rows` have a label and then one cell for each further head."""

    title: str
    shop: str
    period: str
    filters: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...]
    notes: tuple[str, ...]
    chart: ChartData | None
    made: str
    empty: str
