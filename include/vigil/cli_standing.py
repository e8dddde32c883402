"""`vigil accept`: a person accepts a known bad result until a date of review."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.incidents.standing import standing_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vigil.incidents.types import Incident

app = typer.Typer()
out = Console(highlight=False)


@app.command()
def accept(
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    question: Annotated[str, typer.Argument(help="METRIC/SUBJECT, as printed by `vigil incidents show`.")],
    review: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Date of the review, on which it is a signal again.")
    ],
    by: Annotated[str, typer.Option(help="Who accepts it; recorded in the ledger.")],
    reason: Annotated[str, typer.Option(help="Why it is acceptable; recorded in the ledger.")],
) -> None:
    """Accept a bad result until a date of review, unless it gets worse. Takes effect with the next judged night."""
    from vigil.usecases.standing import accept as run

    stands = run(wiring.open_ports(), incident, question, review=review.date(), by=by, reason=reason)
    out.print(f"{escape(stands.question)}: accepted until {stands.review} by {escape(stands.by)}", soft_wrap=True)


def print_standing(known: Sequence[Incident], night: date) -> None:
    """Known bad results that keep no incident open, with their dates of review."""
    for model, environment in sorted({(i.monitor, i.environment) for i in known}):
        mine = [i for i in known if (i.monitor, i.environment) == (model, environment)]
        for s in sorted(standing_findings(mine, night).values(), key=lambda s: (s.review, s.question)):
            line = f"standing   {model} ({environment})  {s.question}  {s.basis.value} since {s.first_night}"
            out.print(f"{escape(line)}, review on {s.review}", soft_wrap=True)
