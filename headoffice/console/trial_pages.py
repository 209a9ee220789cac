"""The pages of trying a draft of the programme on past weeks: begin, watch, stop, read what it came to."""

from __future__ import annotations

from starlette.responses import Response

from app.formats import number
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Shown
from headoffice.console.programme_pages import (
    PLACE,
    WEEKS,
    asked_draft,
    checked,
    draft_page,
    today_of,
)
from headoffice.simulating import Trial


def try_out(desk: Desk, asked: Asked) -> Response:
    """Try a draft on the last weeks."""
    known, text = asked_draft(desk, asked), asked.form.get("weeks", "")
    if text not in map(str, WEEKS):
        raise NotFound
    programme, fault = checked(desk, asked, known)
    if programme is None:
        return draft_page(desk, asked, known, 422, fault[1])
    today = today_of(desk, asked)
    if not desk.trials.begin(asked.tenant, known.id, programme, int(text), today):
        no = asked.words.say("Another draft is being tried. Stop it, or wait for it.")
        return draft_page(desk, asked, known, 422, no)
    desk.note(asked, "tried", detail=f"{known.name} {text}")
    return go_to(f"{PLACE}/drafts/{known.id.hex()}/trial?live=1")


def trial(desk: Desk, asked: Asked) -> Response:
    """How far a trial is, or what it came to."""
    known = asked_draft(desk, asked)
    found = desk.trials.of(asked.tenant, known.id)
    if found is None:
        raise NotFound
    if found.done and "live" in asked.request.query_params:
        return go_to(asked.request.url.path)
    return desk.page(
        asked, "trial.html", id=known.id.hex(), name=known.name, trial=found,
        figures=_figures(asked, found), may_change=asked.person.role == "head_office",
    )  # fmt: skip


def stop(desk: Desk, asked: Asked) -> Response:
    """End a trial with what it has."""
    known = asked_draft(desk, asked)
    desk.trials.stop(asked.tenant, known.id)
    return go_to(f"{PLACE}/drafts/{known.id.hex()}/trial?live=1")


def trial_file(desk: Desk, asked: Asked) -> Response:
    """What a trial came to, as a file."""
    found = desk.trials.of(asked.tenant, asked_draft(desk, asked).id)
    if found is None:
        raise NotFound
    return desk.file(asked, _figures(asked, found))


def _figures(asked: Asked, found: Trial) -> Listing:
    say = asked.words.say
    rows = (
        (say("Points issued, less what returns took back"), found.ours.issued, found.drafts.issued),
        (say("Points of these members at the end"), found.ours.liability, found.drafts.liability),
        (
            say("Sales that could not spend the points they spent"),
            found.ours.refused,
            found.drafts.refused,
        ),
        (say("Members up a tier"), 0, found.up),
        (say("Members down a tier"), 0, found.down),
    )
    return Listing(
        "trial",
        (say("What"), say("By the rules that were"), say("By the draft"), say("Difference")),
        tuple(
            (
                Shown(name),
                *(Shown(number(each) if each >= 0 else f"−{number(-each)}", number=each)
                  for each in (ours, drafts, drafts - ours)),
            )
            for name, ours, drafts in rows
        ),
    )  # fmt: skip
