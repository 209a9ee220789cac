"""A figure with its limit and its partner; the table that is printed and the file that is kept."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

BENCH_FILE: Final = Path("out") / "bench.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. It is met when `value` is not beyond `limit` in the direction of `better`.

    `partner` names what the same work was measured against in the same run, None where the limit
    is absolute.
    """

    name: str
    value: float
    unit: str
    limit: float
    better: Literal["lower", "higher"]
    samples: int
    partner: str | None = None
    partner_value: float | None = None

    @property
    def met(self) -> bool:
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; the nearest one, not a mean."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text; a missed limit says so."""
    width = max(len(figure.name) for figure in figures)
    return "\n".join(_line(figure, width) for figure in figures)


def keep(
    figures: Sequence[Figure],
    *,
    members: int,
    store: str = "",
    failed: Sequence[str] = (),
    path: Path = BENCH_FILE,
) -> None:
    """Write the figures for later comparison, with what they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {
        "members": members,
        "store": store,
        "not measured": list(failed),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
    }
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _line(figure: Figure, width: int) -> str:
    sign = "<=" if figure.better == "lower" else ">="
    beside = "" if figure.partner is None else f"  ({figure.partner}: {figure.partner_value:.3g})"
    verdict = "ok    " if figure.met else "MISSED"
    return (
        f"{verdict} {figure.name:{width}s} {figure.value:10.3f} {figure.unit:3s} {sign} "
        f"{figure.limit:g}  n={figure.samples}{beside}"
    )
