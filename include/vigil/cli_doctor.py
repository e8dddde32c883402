"""`vigil doctor`: checks everything that a night needs, and prints how to repair it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.core.errors import VigilError
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.usecases.doctor import Check

app = typer.Typer()
out = Console(highlight=False)
STYLE = {"ok": "[green]ok[/]     ", "look": "[yellow]look[/]   ", "broken": "[bold red]BROKEN[/] "}


@app.command()
def doctor() -> None:
    """Check connections, folders, clocks, settings and versions. Exit code 1: the next night would fail."""
    from vigil.usecases.doctor import Grade

    worst: list[str] = []
    for check in examine(Settings()):
        out.print(f"{STYLE[check.grade.value]} {check.about:16} {escape(check.what)}", soft_wrap=True)
        if check.fix:
            out.print(f"{'':24} → {escape(check.fix)}", soft_wrap=True)
        worst.append(check.grade.value)
    broken, look = worst.count(Grade.BROKEN.value), worst.count(Grade.LOOK.value)
    if broken:
        out.print(f"[bold red]{broken} of {len(worst)} checks failed: the next night would fail[/]; {look} to look at")
    else:
        out.print(f"[green]no check failed[/] of {len(worst)}; {look} to look at")
    raise typer.Exit(1 if broken else 0)


def examine(settings: Settings) -> Iterator[Check]:
    """Every check, as soon as it is known."""
    from vigil.usecases import doctor as look

    yield from look.versions(_lock())
    yield from look.telemetry({**os.environ, **wiring.TELEMETRY_OFF})
    yield from look.folders(
        {"state": settings.state_dir, "predictions": settings.predictions_dir, "artifacts": settings.artifacts_dir}
    )
    loaded, broken = wiring.monitors(settings)
    yield from look.monitors(loaded, broken)
    try:
        ports = wiring.open_ports(settings)
    except (VigilError, OSError, _database_error()) as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        fix = "is the server of VIGIL_DATABASE_URL running, and are its user and password right?"
        yield look.Check(about="database", grade=look.Grade.BROKEN, what=said, fix=fix)
        return
    yield look.good("database", "opens, and its tables are up to date")
    yield from look.record(ports)
    now = datetime.now(UTC)
    for monitor in loaded.values():
        yield from look.watched(ports, monitor, now=now)
    api = wiring.airflow(settings)
    wanted = [m.dag_id for m in loaded.values()]
    yield from look.airflow(api.health, api.clock, lambda: api.dags(wanted), url=settings.airflow_url, wanted=wanted)
    yield from look.serving(ports, loaded, settings.gateway_url)
    yield from _slack(settings, sorted({p for m in loaded.values() for p in (m.people.owner, *m.people.on_call)}))


def _slack(settings: Settings, people: list[str]) -> Iterator[Check]:
    from vigil.adapters.slack_doctor import examine as ask
    from vigil.usecases import doctor as look

    if not settings.slack_token:
        fix = "set VIGIL_SLACK_TOKEN here, and the connection slack_api_default in Airflow"
        yield look.Check(about="slack", grade=look.Grade.BROKEN, what="no Slack token: nobody can be notified", fix=fix)
        return
    found = list(ask(settings.slack_token, settings.slack_base_url, people))
    for fatal, what, fix in found:
        yield look.Check(about="slack", grade=look.Grade.BROKEN if fatal else look.Grade.LOOK, what=what, fix=fix)
    if not found:
        yield look.good("slack", f"the token works, with all scopes; {len(people)} people are known")


def _database_error() -> type[Exception]:
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError


def _lock() -> Path | None:
    """The lock of the checkout that this file is in."""
    path = Path(__file__).resolve().parents[2] / "requirements.txt"
    return path if path.exists() else None
