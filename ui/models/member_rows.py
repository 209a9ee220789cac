"""Search results as rows: name, masked phone, tier, last visit. Never a balance (law 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.business_day import BusinessDate
from app.queries.records import MemberHit, Tier
from ui.kit import Kit

Index = QModelIndex | QPersistentModelIndex
HIT_ROLE = int(Qt.ItemDataRole.UserRole)
ROW_HEIGHT = 68


class MemberRows(QAbstractListModel):
    """The rows of one answer, in its order."""

    def __init__(self, kit: Kit, today: Callable[[], BusinessDate]) -> None:
        super().__init__()
        self._kit = kit
        self._today = today
        self._hits: tuple[MemberHit, ...] = ()
        self._tiers: Mapping[str, Tier] = {}

    def use_tiers(self, tiers: Sequence[Tier]) -> None:
        """The programme's tiers from below, which rows name and colour."""
        self._tiers = {tier.code: tier for tier in tiers}

    def show(self, hits: Sequence[MemberHit]) -> None:
        self.beginResetModel()
        self._hits = tuple(hits)
        self.endResetModel()

    def hit(self, row: int) -> MemberHit | None:
        return self._hits[row] if 0 <= row < len(self._hits) else None

    def row_of(self, member_id: bytes) -> int:
        """The row of a member; -1 where the answer doesn't have it."""
        ids = [hit.member_id for hit in self._hits]
        return ids.index(member_id) if member_id in ids else -1

    def tier_name(self, hit: MemberHit) -> str:
        tier = self._tiers.get(hit.tier_code)
        if tier is None:
            return ""
        return tier.name_zh if self._kit.words.language == "zh_CN" else tier.name_en

    def tier_tones(self, hit: MemberHit) -> tuple[str, str]:
        codes = list(self._tiers)
        step = codes.index(hit.tier_code) if hit.tier_code in self._tiers else 0
        return self._kit.look.tier_tones(step, len(codes))

    def last_visit(self, hit: MemberHit) -> str:
        if hit.where is not None:
            return hit.where
        if hit.last_visit is None:
            return self._kit.words.say("New")
        today = self._today().to_date()
        return self._kit.formats.day_named(hit.last_visit.to_date(), today=today)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        hit = self.hit(index.row())
        if hit is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(
                part
                for part in (hit.name, hit.phone_masked, self.tier_name(hit), self.last_visit(hit))
                if part
            )
        return hit if role == HIT_ROLE else None


class MemberRowDelegate(QStyledItemDelegate):
    """Paints a MemberHit: avatar, name with the match in bold colour, tier, phone, last visit."""

    def __init__(self, kit: Kit, rows: MemberRows) -> None:
        super().__init__()
        self._kit = kit
        self._rows = rows

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._kit.look.px(200), self._kit.look.px(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit = self._rows.hit(index.row())
        if hit is None:
            return
        look = self._kit.look
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(look.px(8), look.px(2), -look.px(8), -look.px(2))
        state: QStyle.StateFlag = option.state
        self._ground(painter, rect, state)
        self._avatar(painter, rect, hit)
        left = rect.left() + look.px(64)
        right = rect.right() - look.px(12)
        top = QRectF(left, rect.top() + look.px(9), right - left, look.px(24))
        foot = QRectF(left, top.bottom() + look.px(2), right - left, look.px(20))
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        quiet = "text2" if chosen else "muted"
        painter.setFont(look.font(12))
        painter.setPen(look.colour(quiet))
        visit = self._rows.last_visit(hit)
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, visit)
        visit_wide = QFontMetricsF(painter.font()).horizontalAdvance(visit)
        foot.setRight(right - visit_wide - look.px(8))
        self._spans(painter, foot, hit.phone_masked, hit.phone_spans, size=13, tone=quiet)
        chip_wide = self._chip_width(hit)
        top.setRight(right - chip_wide - look.px(8))
        used = self._spans(painter, top, hit.name, hit.name_spans, size=15, tone="text", bold=True)
        self._chip(painter, QRectF(used + look.px(8), top.top(), chip_wide, top.height()), hit)
        painter.restore()

    def _ground(self, painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
        look = self._kit.look
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(look.colour("accent_soft"))
            painter.drawRoundedRect(rect, look.px(8), look.px(8))
            painter.setBrush(look.colour("accent"))
            mark = QRectF(
                rect.left(), rect.top() + look.px(12), look.px(4), rect.height() - look.px(24)
            )
            painter.drawRoundedRect(mark, 2, 2)
            if state & QStyle.StateFlag.State_HasFocus:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look.colour("focus"), 2))
                painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), look.px(8), look.px(8))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(look.colour("sunken"))
            painter.drawRoundedRect(rect, look.px(8), look.px(8))

    def _avatar(self, painter: QPainter, rect: QRectF, hit: MemberHit) -> None:
        look = self._kit.look
        ground, ink = self._rows.tier_tones(hit)
        size = look.px(38)
        circle = QRectF(rect.left() + look.px(14), rect.center().y() - size / 2, size, size)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour(ground))
        painter.drawEllipse(circle)
        painter.setPen(look.colour(ink))
        painter.setFont(look.font(15, bold=True))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, hit.name[:1].upper())

    def _spans(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        spans: Sequence[tuple[int, int]],
        *,
        size: int,
        tone: str,
        bold: bool = False,
    ) -> float:
        """Draw `text` with `spans` of it in accent; returns where it ended, elided if need be."""
        look = self._kit.look
        left = rect.left()
        for start, end, marked in _pieces(text, spans):
            painter.setFont(look.font(size, bold=bold or marked))
            painter.setPen(look.colour("accent_text" if marked else tone))
            metrics = QFontMetricsF(painter.font())
            piece = text[start:end]
            room = rect.right() - left
            if metrics.horizontalAdvance(piece) > room:
                piece = metrics.elidedText(piece, Qt.TextElideMode.ElideRight, room)
            place = QRectF(left, rect.top(), max(0.0, room), rect.height())
            painter.drawText(
                place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, piece
            )
            left += metrics.horizontalAdvance(piece)
        return left

    def _chip_width(self, hit: MemberHit) -> float:
        look = self._kit.look
        name = self._rows.tier_name(hit)
        if not name:
            return 0
        return QFontMetricsF(look.font(12, bold=True)).horizontalAdvance(name) + look.px(12)

    def _chip(self, painter: QPainter, rect: QRectF, hit: MemberHit) -> None:
        look = self._kit.look
        if rect.width() <= 0:
            return
        ground, ink = self._rows.tier_tones(hit)
        high = look.px(20)
        chip = QRectF(rect.left(), rect.center().y() - high / 2, rect.width(), high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour(ground))
        painter.drawRoundedRect(chip, look.px(4), look.px(4))
        painter.setPen(look.colour(ink))
        painter.setFont(look.font(12, bold=True))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self._rows.tier_name(hit))


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """The text cut at the spans: (start, end, marked), in order, without empty pieces."""
    cuts = [(max(0, a), min(len(text), b)) for a, b in sorted(spans)]
    found, at = [], 0
    for start, end in cuts:
        if end <= at:
            continue
        start = max(start, at)
        found += [(at, start, False), (start, end, True)]
        at = end
    return [piece for piece in [*found, (at, len(text), False)] if piece[0] < piece[1]]
