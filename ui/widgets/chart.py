"""A chart painted by hand: bars, a line with its comparison, a heat map. Arrows walk its points.

Its numbers stand in the table below it, too; what a point is worth is said to screen readers and written at
the point.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy

from printing.report import ChartData
from ui.keyboard import is_enter
from ui.kit import Kit

_BARS_MOST = 14


class ChartView(QLabel):
    """A label, so that a screen reader takes it for what it is: something to read.

    Signals:
    opened(n): Enter on point n.
    """

    opened = Signal(int)

    def __init__(self, kit: Kit, *, low: bool = False) -> None:
        """`low`: a small one, beside other things."""
        super().__init__()
        self._kit, self._low = kit, low
        self.chart: ChartData | None = None
        self.at = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_chart(self, chart: ChartData | None) -> None:
        """Paint another one; None hides the chart."""
        self.chart, self.at = chart, 0
        self.setVisible(chart is not None)
        self.updateGeometry()
        self._say()
        self.update()

    def restyle(self) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        look = self._kit.look
        return QSize(look.px(400), look.dense(150, 120) if self._low else look.dense(220, 190))

    @property
    def spoken(self) -> str:
        """The point under the cursor, as a screen reader says it."""
        chart = self.chart
        if chart is None or not chart.values:
            return ""
        row, column = divmod(self.at, len(chart.columns) or 1)
        label = chart.labels[row] if chart.columns else chart.labels[self.at]
        where = f"{label} {chart.columns[column]}" if chart.columns else label
        said = f"{where}: {chart.texts[self.at]}"
        if chart.before_texts:
            said += f" ({chart.before_title}: {chart.before_texts[self.at]})"
        return said

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chart = self.chart
        if chart is None:
            super().keyPressEvent(event)
            return
        wide = len(chart.columns) or 1
        lying = chart.kind == "bars"
        steps = {
            Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: wide, Qt.Key.Key_Up: -wide,
        }  # fmt: skip
        if event.key() in steps and not (lying and abs(steps[Qt.Key(event.key())]) != 1):
            self.at = max(0, min(self.at + steps[Qt.Key(event.key())], self._shown() - 1))
            self._say()
            self.update()
        elif is_enter(event) and not event.isAutoRepeat():
            self.opened.emit(self.at)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _shown(self) -> int:
        assert self.chart is not None
        count = len(self.chart.values)
        return min(count, _BARS_MOST) if self.chart.kind == "bars" else count

    def _say(self) -> None:
        title = self.chart.title if self.chart else ""
        self.setAccessibleName(f"{title}. {self.spoken}" if title else "")

    # Painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.chart is None or not self.chart.labels:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        px = self._kit.look.px
        room = QRectF(self.rect()).adjusted(px(10), px(8), -px(10), -px(8))
        if self.hasFocus():
            painter.setPen(QPen(self._kit.look.colour("focus"), px(2)))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), px(8), px(8))
        painter.setFont(self._kit.look.font(12))
        if self.chart.kind == "heat":
            self._heat(painter, self.chart, room)
        elif self.chart.kind == "lines" and len(self.chart.labels) > 1:
            self._lines(painter, self.chart, room)
        else:
            self._bars(painter, self.chart, room)
        painter.end()

    def _bars(self, painter: QPainter, chart: ChartData, room: QRectF) -> None:
        look = self._kit.look
        count = self._shown()
        if chart.before:
            foot = QRectF(room.left(), room.bottom() - look.px(18), room.width(), look.px(18))
            painter.setPen(look.colour("text2"))
            painter.drawText(
                foot, Qt.AlignmentFlag.AlignLeft, f"█ {chart.title}   │ {chart.before_title}"
            )
            room = room.adjusted(0, 0, 0, -look.px(18))
        step = min(float(look.px(26)), room.height() / max(count, 1))
        labels, texts = look.px(150), look.px(120)
        every = (*chart.values[:count], *chart.before[:count])
        least, most = min((0, *every)), max((1, *every))
        scale = (room.width() - labels - texts) / (most - least)
        zero = room.left() + labels - least * scale
        for n in range(count):
            top = room.top() + n * step
            long = chart.values[n] * scale
            bar = QRectF(min(zero, zero + long), top + step * 0.2, abs(long), step * 0.6)
            painter.fillRect(bar, look.colour("accent" if long >= 0 else "danger"))
            if chart.before:
                self._mark_before(painter, zero + chart.before[n] * scale, top, step)
            name = QRectF(room.left(), top, labels - look.px(10), step)
            painter.setPen(look.colour("text"))
            shown = painter.fontMetrics().elidedText(
                chart.labels[n], Qt.TextElideMode.ElideRight, int(name.width())
            )
            painter.drawText(
                name, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown
            )
            painter.setPen(look.colour("text2"))
            said_at = max(zero, zero + long)
            if (
                chart.before
                and said_at <= (mark := zero + chart.before[n] * scale) < said_at + texts / 2
            ):
                said_at = mark  # The mark would strike the value through.
            value = QRectF(said_at + look.px(6), top, texts, step)
            painter.drawText(
                value, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, chart.texts[n]
            )
            if self.hasFocus() and n == self.at:
                painter.setPen(QPen(look.colour("text"), look.px(2)))
                painter.drawRect(
                    QRectF(room.left(), top, room.width(), step).adjusted(1, 1, -1, -1)
                )

    def _lines(self, painter: QPainter, chart: ChartData, room: QRectF) -> None:
        look = self._kit.look
        foot, head = look.px(22), look.px(22)
        inner = room.adjusted(look.px(20), head, -look.px(20), -foot)
        every = (*chart.values, *chart.before)
        least, most = min(0, *every), max(1, *every)
        apart = inner.width() / (len(chart.labels) - 1)

        def place(n: int, value: int) -> QPointF:
            return QPointF(
                inner.left() + n * apart,
                inner.bottom() - inner.height() * (value - least) / (most - least),
            )

        painter.setPen(QPen(look.colour("border"), 1))
        for part in range(5):
            high = inner.bottom() - inner.height() * part / 4
            painter.drawLine(QPointF(inner.left(), high), QPointF(inner.right(), high))
        if chart.before:
            pen = QPen(look.colour("muted"), look.px(1), Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawPolyline([place(n, value) for n, value in enumerate(chart.before)])
        painter.setPen(QPen(look.colour("accent"), look.px(2)))
        painter.drawPolyline([place(n, value) for n, value in enumerate(chart.values)])
        if chart.values:
            painter.setBrush(look.colour("accent"))
            painter.drawEllipse(place(self.at, chart.values[self.at]), look.px(4), look.px(4))
        self._say_top(painter, chart, every, QRectF(room.left(), room.top(), room.width(), head))
        painter.setPen(look.colour("text2"))
        every_nth = -(-len(chart.labels) // 10)
        for n in range(0, len(chart.labels), every_nth):
            box = QRectF(place(n, 0).x() - look.px(40), inner.bottom() + 2, look.px(80), foot)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, chart.labels[n])
        said = f"━ {chart.title}   {self.spoken}"
        if chart.before:
            said += f"      ┅ {chart.before_title}"
        top = QRectF(room.left(), room.top(), room.width(), head)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)

    def _say_top(
        self, painter: QPainter, chart: ChartData, every: tuple[int, ...], head: QRectF
    ) -> None:
        """What the highest grid line is worth, where a point of the chart lies on it."""
        texts = (*chart.texts, *chart.before_texts)
        most = max(range(len(every)), key=every.__getitem__)
        if every[most] > 0 and most < len(texts):
            painter.setPen(self._kit.look.colour("text2"))
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(head, side, f"▔ {texts[most]}")

    def _mark_before(self, painter: QPainter, at: float, top: float, step: float) -> None:
        """A thin upright line across a bar: what it was in the earlier period."""
        painter.setPen(QPen(self._kit.look.colour("text"), self._kit.look.px(2)))
        painter.drawLine(QPointF(at, top + step * 0.1), QPointF(at, top + step * 0.9))

    def _heat(self, painter: QPainter, chart: ChartData, room: QRectF) -> None:
        look = self._kit.look
        left, head = look.px(90), look.px(20)
        wide = (room.width() - left) / len(chart.columns)
        high = min(float(look.px(28)), (room.height() - head) / len(chart.labels))
        most = max(1, *chart.values)
        centre = Qt.AlignmentFlag.AlignCenter
        painter.setPen(look.colour("text2"))
        for n, name in enumerate(chart.columns):
            painter.drawText(
                QRectF(room.left() + left + n * wide, room.top(), wide, head), centre, name
            )
        for row, label in enumerate(chart.labels):
            top = room.top() + head + row * high
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.setPen(look.colour("text"))
            painter.drawText(QRectF(room.left(), top, left, high), side, label)
            for column in range(len(chart.columns)):
                at = row * len(chart.columns) + column
                value = chart.values[at]
                cell = QRectF(room.left() + left + column * wide, top, wide - 2, high - 2)
                ground = self._warmth(value, most)
                painter.fillRect(cell, ground)
                if value:
                    painter.setPen(look.colour("text"))
                    painter.drawText(cell, centre, chart.texts[at])
                if self.hasFocus() and at == self.at:
                    painter.setPen(QPen(look.colour("text"), look.px(2)))
                    painter.drawRect(cell)

    def _warmth(self, value: int, most: int) -> QColor:
        # At most half: the number on it stays readable in every theme.
        alpha = 12 + (110 * max(value, 0) // most if value > 0 else 0)
        return self._kit.look.colour("accent", alpha=alpha)
