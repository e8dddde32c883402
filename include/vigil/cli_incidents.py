"""`vigil incidents`: list, show, acknowledge and hold incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil import cli_standing, wiring

if TYPE_CHECKING:
    from vigil.incidents.types import Incident

app = typer.Typer(no_args_is_help=True, help="List, show, acknowledge and hold incidents.")
out = Console(highlight=False)


@app.command("list")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Include closed incidents.")] = False,
) -> None:
    """List open incidents, newest first, and known problems that keep no incident open."""
    from vigil.usecases.incidents import all_incidents

    table = Table("incident", "severity", "status", "model", "findings", "mitigation", box=None)
    known = all_incidents(wiring.open_ports())
    for incident in known:
        if everything or incident.is_open:
            found = ", ".join(f.named for f in incident.findings)
            model = f"{incident.monitor} ({incident.environment})"
            table.add_row(
                incident.id,
                incident.severity.name,
                incident.status.value,
                model,
                escape(found),
                incident.mitigation.value,
            )
    out.print(table if table.row_count else "No incidents.")
    cli_standing.print_standing(known, datetime.now(UTC).date())


@app.command("show")
def show_incident(incident: Annotated[str, typer.Argument(help="Id of the incident.")]) -> None:
    """Show one incident: severity, findings, replay and timeline."""
    from vigil.usecases.incidents import get

    found, events = get(wiring.open_ports(), incident)
    print_incident(found)
    for event in events:
        out.print(f"  {event.at:%Y-%m-%d %H:%M:%S}Z  {event.sequence:3}  {event.type}")


def print_incident(incident: Incident) -> None:
    """Headline, findings and replay."""
    out.print(f"{incident.severity.name} · {incident.status.value} · {incident.monitor} ({incident.environment})")
    for reason in incident.assessment.reasons if incident.assessment else ():
        out.print(f"  {escape(reason)}")
    for finding in incident.findings:
        for signal in finding.signals:
            line = f"{finding.id:22} {signal.night}  {signal.verdict.id}: {signal.verdict.reason}"
            out.print(f"  {escape(line)}", soft_wrap=True)
    if incident.replay:
        for version in incident.replay.versions:
            out.print(f"  replay       {version.role} {version.version}: {escape(version.why)}", soft_wrap=True)
        out.print(f"  mitigation   {incident.replay.mitigation.value}: {escape(incident.replay.why)}", soft_wrap=True)


@app.command("ack")
def acknowledge(
    incident: Annotated[str, typer.Argument(help="Id of the incident.")],
    by: Annotated[str, typer.Option(help="Who acknowledges it.")],
) -> None:
    """Acknowledge an incident: say that you work on it."""
    from vigil.usecases.incidents import acknowledge as run

    run(wiring.open_ports(), incident, by=by)
    out.print(f"{incident}: acknowledged by {escape(by)}")


@app.command("hold")
def hold(
    incident: Annotated[str, typer.Argument(help="Id of the incident.")],
    by: Annotated[str, typer.Option(help="Who holds it.")],
    why: Annotated[str, typer.Option(help="Reason; recorded in the ledger.")],
) -> None:
    """Forbid automatic changes for an incident, for example to secure evidence first."""
    from vigil.usecases.incidents import hold as run

    run(wiring.open_ports(), incident, by=by, why=why)
    out.print(f"{incident}: held by {escape(by)}")


@app.command("release")
def release(
    incident: Annotated[str, typer.Argument(help="Id of the incident.")],
    by: Annotated[str, typer.Option(help="Who releases it.")],
    why: Annotated[str, typer.Option(help="Reason; recorded in the ledger.")],
) -> None:
    """Allow automatic changes again."""
    from vigil.usecases.incidents import release as run

    run(wiring.open_ports(), incident, by=by, why=why)
    out.print(f"{incident}: released by {escape(by)}")
