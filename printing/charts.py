"""Charts on a PDF page: bars, a line with its comparison, a heat map. Painted by hand on reportlab's canvas.

Sizes are PDF points, from the lower left. Colours say nothing that words or shape don't.
"""

from __future__ import annotations

from typing import Final

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas

from printing.report import BARS_MOST, ChartData
from printing.writing import width_of, write

INK: Final = HexColor("#12202B")
MUTED: Final = HexColor("#627280")
RULE: Final = HexColor("#DFE5EA")
ACCENT: Final = HexColor("#0B766C")
LESS: Final = HexColor("#C0322B")
_SMALL: Final = 7.5
_LABEL_WIDE: Final = 110
_LABEL_MOST: Final = 0.35
"""Part of a chart that labels may take before they are cut."""
_LEGEND_HIGH: Final = 14.0
_VALUE_WIDE: Final = 50.0


def chart_height(chart: ChartData, most: float) -> float:
    """How high a chart wants to be: a few bars need little."""
    if chart.kind == "bars":
        legend = _LEGEND_HIGH if _legend(chart) else 0
        return min(most, 22.0 * min(len(chart.values), BARS_MOST) + 6 + legend)
    return most


def draw(canvas: Canvas, chart: ChartData, x: float, y: float, width: float, height: float) -> None:
    """Draw a chart into a box."""
    if chart.kind == "heat":
        _heat(canvas, chart, x, y, width, height)
    elif chart.kind == "lines" and len(chart.labels) > 1:
        _lines(canvas, chart, x, y, width, height)
    else:
        _bars(canvas, chart, x, y, width, height)


def _bars(
    canvas: Canvas, chart: ChartData, x: float, y: float, width: float, height: float
) -> None:
    """Lying bars, the label left and the value at the end; the first dozen."""
    shown = min(len(chart.values), BARS_MOST)
    if legend := _legend(chart):
        _text(canvas, legend, x, y + 2, INK)
        y, height = y + _LEGEND_HIGH, height - _LEGEND_HIGH
    step = min(22.0, height / max(shown, 1))
    every = (*chart.values[:shown], *chart.before[:shown])
    least, most = min((0, *every)), max((1, *every))
    longest = max((width_of(label, _SMALL) for label in chart.labels[:shown]), default=0.0) + 8
    wide = min(max(longest, _LABEL_WIDE), width * _LABEL_MOST)
    room = width - wide - 80
    zero = x + wide - room * least / (most - least)
    for n in range(shown):
        top = y + height - (n + 1) * step
        value = chart.values[n]
        long = room * value / (most - least)
        canvas.setFillColor(ACCENT if value >= 0 else LESS)
        canvas.rect(
            min(zero, zero + long), top + step * 0.2, abs(long), step * 0.6, stroke=0, fill=1
        )
        said_at = max(zero, zero + long) + 4
        if chart.before:
            mark = zero + room * chart.before[n] / (most - least)
            canvas.setStrokeColor(INK)
            canvas.setLineWidth(1.4)
            canvas.line(mark, top + step * 0.1, mark, top + step * 0.9)
            canvas.setLineWidth(0.5)
            if said_at - 4 <= mark < said_at + _VALUE_WIDE:
                said_at = mark + 4  # The mark would strike the value through.
        _text(canvas, _cut(chart.labels[n], wide - 8), x, top + step * 0.35, INK)
        _text(canvas, chart.texts[n], said_at, top + step * 0.35, MUTED)


def _legend(chart: ChartData) -> str:
    """What stands below bars, "" where they say all by themselves."""
    parts = [f"█ {chart.title}", f"│ {chart.before_title}"] if chart.before else []
    return "   ".join([*parts, *([chart.more] if chart.more else [])])


def _lines(
    canvas: Canvas, chart: ChartData, x: float, y: float, width: float, height: float
) -> None:
    """A line over time; the comparison thin and dashed."""
    bottom, left = y + 26, x + 64
    inner_wide, inner_high = width - 74, height - 40
    every = (*chart.values, *chart.before)
    least, most = min((0, *every)), max((1, *every))

    def place(n: int, value: int) -> tuple[float, float]:
        across = left + inner_wide * n / (len(chart.labels) - 1)
        return across, bottom + inner_high * (value - least) / (most - least)

    canvas.setLineWidth(0.5)
    canvas.setStrokeColor(RULE)
    for part in range(5):
        high = bottom + inner_high * part / 4
        canvas.line(left, high, left + inner_wide, high)
    texts = (*chart.texts, *chart.before_texts)
    peak = max(range(min(len(every), len(texts))), key=every.__getitem__)
    _text(canvas, texts[peak], x, place(0, every[peak])[1] - 3, MUTED)
    if chart.before:
        canvas.setStrokeColor(MUTED)
        canvas.setDash(3, 2)
        _polyline(canvas, [place(n, value) for n, value in enumerate(chart.before)])
        canvas.setDash()
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.6)
    _polyline(canvas, [place(n, value) for n, value in enumerate(chart.values)])
    canvas.setLineWidth(0.5)
    every_nth = -(-len(chart.labels) // 10)
    for n in range(0, len(chart.labels), every_nth):
        across, _ = place(n, 0)
        _text(canvas, chart.labels[n], across - 12, y + 12, MUTED)
    legend = f"━ {chart.title}" + (f"   ┅ {chart.before_title}" if chart.before else "")
    _text(canvas, legend, left, y, INK)


def _heat(
    canvas: Canvas, chart: ChartData, x: float, y: float, width: float, height: float
) -> None:
    """Cells of one colour from pale to full, each with its number."""
    wide = (width - 60) / max(len(chart.columns), 1)
    high = min(26.0, (height - 14) / max(len(chart.labels), 1))
    most = max(1, *chart.values)
    for n, head in enumerate(chart.columns):
        _text(canvas, head, x + 60 + n * wide + wide / 2 - 4, y + height - 9, MUTED)
    for row, label in enumerate(chart.labels):
        top = y + height - 14 - (row + 1) * high
        _text(canvas, label, x, top + high * 0.35, INK)
        for column in range(len(chart.columns)):
            value = chart.values[row * len(chart.columns) + column]
            strength = 0.08 + 0.92 * max(value, 0) / most if value > 0 else 0.03
            canvas.setFillColor(Color(ACCENT.red, ACCENT.green, ACCENT.blue, alpha=strength))
            canvas.rect(x + 60 + column * wide, top, wide - 1.5, high - 1.5, stroke=0, fill=1)
            if value:
                ink = HexColor("#FFFFFF") if strength > 0.5 else INK
                text = chart.texts[row * len(chart.columns) + column]
                middle = x + 60 + column * wide + wide / 2 - width_of(text, _SMALL) / 2
                _text(canvas, text, middle, top + high * 0.35, ink)


def _polyline(canvas: Canvas, points: list[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.drawPath(path, stroke=1, fill=0)


def _text(canvas: Canvas, text: str, x: float, y: float, colour: Color) -> None:
    canvas.setFillColor(colour)
    write(canvas, text, x, y, _SMALL)


def _cut(text: str, room: float) -> str:
    """The text as far as it fits, with an ellipsis where it doesn't."""
    if width_of(text, _SMALL) <= room:
        return text
    while text and width_of(f"{text}…", _SMALL) > room:
        text = text[:-1]
    return f"{text}…"
