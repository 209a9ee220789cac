"""The ways in which a printer fails its caller. What matters to a caller is whether paper may
have been printed on: only after DeliveryUncertain may some of the job be on paper, so only then
is a further try a copy.
"""

from __future__ import annotations

from typing import Literal

# The cause that a person can mend, as far as the printer tells.
Problem = Literal["paper_out", "cover_open", "offline", "error"]


class PrinterError(Exception):
    """The job was not printed, or nobody can say whether it was. `address` is the printer's, as
    in the settings.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


class PrinterUnreachable(PrinterError):  # a state of the world, named as people say it
    """No connection: refused, no route, unknown name, no such folder. Nothing was sent."""


class PrinterSilent(PrinterError):
    """Connected, but the printer did not answer its status request. Nothing of the job was sent."""


class PrinterNotReady(PrinterError):
    """The printer says that it cannot print now, and why. Nothing of the job was sent."""

    def __init__(self, address: str, problem: Problem) -> None:
        super().__init__(address, problem.replace("_", " "))
        self.problem: Problem = problem


class DeliveryUncertain(PrinterError):
    """Some bytes have left and the printer did not confirm them: nothing, a part or all may be on
    paper. `problem` is the cause if the printer still told one. Never send the same bytes again
    unmarked.
    """

    def __init__(self, address: str, reason: str, problem: Problem | None = None) -> None:
        super().__init__(address, reason)
        self.problem: Problem | None = problem
