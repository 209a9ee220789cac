"""The fold: facts in their order in, cases out. Memory holds the windows of the rules and nothing older."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from app.domain.fraud.facts import Case, Fact
from app.domain.fraud.limits import GuardLimits
from app.domain.fraud.members import AfterChange, LateMember, OwnCard, RepeatEarn, TopUp
from app.domain.fraud.staff import (
    Adjustments,
    ClockAndTraining,
    Drawer,
    Enrolments,
    Overrides,
    Views,
)
from app.domain.fraud.undone import Undone


class _Rule(Protocol):
    @property
    def kinds(self) -> tuple[str, ...]: ...

    def see(self, fact: Fact) -> Case | None: ...


_RULES: Final[tuple[Callable[[GuardLimits], _Rule], ...]] = (
    OwnCard, RepeatEarn, LateMember, Undone, Adjustments, Drawer, AfterChange, Enrolments, Views,
    Overrides, TopUp, ClockAndTraining,
)  # fmt: skip


class Guard:
    """All rules over one stream of facts. The facts of one till come in its order; several tills'
    facts may be merged by `at_s`, as head office does."""

    def __init__(self, limits: GuardLimits) -> None:
        self._by_kind: dict[str, list[Callable[[Fact], Case | None]]] = {}
        self._always: list[Callable[[Fact], Case | None]] = []
        for make in _RULES:
            rule = make(limits)
            for kind in rule.kinds:
                if kind == "*":
                    self._always.append(rule.see)
                else:
                    self._by_kind.setdefault(kind, []).append(rule.see)

    def see(self, fact: Fact) -> list[Case]:
        """The cases that this fact completes or makes larger."""
        found = []
        for see in self._by_kind.get(fact.kind, ()):
            case = see(fact)
            if case is not None:
                found.append(case)
        if fact.approver and fact.kind != "approval":
            found += self.see(fact._replace(kind="approval"))
        for see in self._always:
            case = see(fact)
            if case is not None:
                found.append(case)
        return found


def cases_of(facts: Iterable[Fact], limits: GuardLimits) -> dict[str, Case]:
    """Every case of a stream, each as it stood last."""
    guard = Guard(limits)
    found: dict[str, Case] = {}
    for fact in facts:
        for case in guard.see(fact):
            found[case.key] = case
    return found
