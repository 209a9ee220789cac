"""The part of fontTools that Regulars uses; the package ships no types."""

from pathlib import Path
from types import TracebackType
from typing import Self

class TTFont:
    def __init__(self, file: str | Path, *, lazy: bool | None = None) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def getBestCmap(self) -> dict[int, str]: ...
