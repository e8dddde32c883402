"""`vigil rebaseline`: a person chooses the reference nights of drift."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from vigil import wiring

app = typer.Typer()
Night = typer.Option(
    formats=["%Y-%m-%d"],
    help="Last reference night; default: as many nights as the monitor's `surprise: nights:` sets.",
)


@app.command()
def rebaseline(
    model: Annotated[str, typer.Argument(help="Name of the monitor.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First reference night.")],
    reason: Annotated[str, typer.Option(help="What has changed for good; recorded in the ledger.")],
    actor: Annotated[str, typer.Option(help="Who decided; recorded in the ledger.")],
    until: Annotated[datetime | None, Night] = None,
) -> None:
    """Choose the nights with which drift is compared from now on, after a lasting change. Vigil only proposes this."""
    from vigil.usecases.baseline import rebaseline as record

    last: date | None = until.date() if until else None
    monitor = wiring.monitor(model)
    typer.echo(record(wiring.open_ports(), monitor, since=since.date(), until=last, actor=actor, reason=reason))
