"""What a member card says (printing.card.Card), words through i18n; drawing is printing's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.documents.receipts import Shop
from app.domain.programme import Tier
from app.i18n import mark

if TYPE_CHECKING:
    from printing.card import Card

_COLOURS: Final = ("#0B766C", "#5B6B77", "#B8860B", "#1B2328")
"""By the tier's place in the programme: teal, steel, gold, black; the last one for all above."""


def member_card(
    shop: Shop, *, name: str, name_second: str, number: str, tier: Tier, place: int
) -> Card:
    """The card of a member; `place` is the tier's place among the programme's tiers, lowest 0."""
    from printing.card import Card

    label, label_second = shop.both(mark("Member no."))
    signature, signature_second = shop.both(mark("Signature"))
    chinese = shop.first.words.language == "zh_CN"
    terms = [shop.first.words.say(mark("For its holder only. Show it before you pay."))]
    terms += [line for line in (shop.address, shop.phone) if line]
    return Card(
        shop=shop.name,
        shop_second=shop.name_second,
        name=name,
        name_second=name_second,
        number=number,
        qr=number,
        tier=tier.name_zh if chinese else tier.name_en,
        tier_second=(tier.name_en if chinese else tier.name_zh) if shop.second else "",
        colour=_COLOURS[min(place, len(_COLOURS) - 1)],
        number_label=f"{label} {label_second}".strip(),
        signature_label=f"{signature} {signature_second}".strip(),
        terms=tuple(terms),
        mark=shop.mark,
    )
