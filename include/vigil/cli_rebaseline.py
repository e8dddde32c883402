"""`vigil rebaseline`: a person says which nights teach what is usual from now on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from vigil import wiring

app = typer.Typer()
Night = typer.Option(formats=["%Y-%m-%d"], help="The last one; without it, as many as the monitor's `surprise:` says.")


@app.command()
def rebaseline(
    model: Annotated[str, typer.Argument(help="The monitor's name.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first night that teaches.")],
    reason: Annotated[str, typer.Option(help="What has changed for good; kept in the ledger.")],
    actor: Annotated[str, typer.Option(help="Who; kept in the ledger.")],
    until: Annotated[datetime | None, Night] = None,
) -> None:
    """Name the nights that teach what is usual for a model. Recorded in the ledger; Vigil proposes it, and never does
    it by itself."""
    from vigil.usecases.baseline import rebaseline as record

    last: date | None = until.date() if until else None
    monitor = wiring.monitor(model)
    typer.echo(record(wiring.open_ports(), monitor, since=since.date(), until=last, actor=actor, reason=reason))
