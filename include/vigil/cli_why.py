"""`vigil why`: repeats a stored judgement from its inputs, and explains it step by step."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.cli_homes import Home, monitor_of, usage

if TYPE_CHECKING:
    from vigil.usecases.why import Rebuilt
    from vigil.verdicts.explained import Step
    from vigil.verdicts.types import Verdict

app = typer.Typer()
out = Console(highlight=False)
STYLE = {"ok": "green", "warn": "yellow", "breach": "bold red", "unknown": "magenta"}
Night = Annotated[
    datetime, typer.Argument(formats=["%Y-%m-%d"], help="Calendar day in the monitor's time zone, YYYY-MM-DD.")
]
MOMENTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%z"]


@app.command()
def why(
    model: Annotated[str, typer.Argument(help="Name of the monitor, or its YAML file.", metavar="MONITOR")],
    night: Night,
    subject: Annotated[
        str | None,
        typer.Option(help="What to explain: METRIC/SUBJECT, a metric, or a subject; default: all that is not ok."),
    ] = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(formats=MOMENTS, help="Explain the judgement as of this time (UTC); default: the latest."),
    ] = None,
    home: Home = None,
    json_to: Annotated[
        Path | None,
        typer.Option("--json", help="Write the stored and the repeated judgement, and the steps, to this file."),
    ] = None,
) -> None:
    """Repeat the judgement of a night from its stored inputs, compare, and explain each verdict step by step.

    Exit code 0: the same judgement, byte for byte. 1: it differs (the output says where). 2: wrong usage.
    """
    from vigil.usecases.why import asked, rebuild, steps

    moment = known_at.replace(tzinfo=known_at.tzinfo or UTC) if known_at else None
    with usage(), TemporaryDirectory(prefix="vigil-why-") as folder:
        settings, _, monitor = monitor_of(model, home)
        stored = wiring.reading(settings, Path(folder) / "stored")
        then = wiring.as_of_then(settings, stored, Path(folder))
        made, ports, used = rebuild(stored, then, monitor, night.date(), known_at=moment)
        verdicts = asked(made.stored, subject)
        told = steps(ports, used, made.stored, verdicts)
    show(made)
    for verdict, each in zip(verdicts, told, strict=True):
        show_steps(verdict, each)
    if not verdicts:
        out.print("Every verdict of the night is ok. Use --subject METRIC/SUBJECT to explain one.")
    if json_to is not None:
        explained = [
            {"id": v.id, "steps": [s.model_dump() for s in each]} for v, each in zip(verdicts, told, strict=True)
        ]
        text = json.dumps({**made.model_dump(mode="json"), "explained": explained}, indent=1, ensure_ascii=False)
        json_to.write_text(text + "\n", encoding="utf-8")
    raise typer.Exit(0 if made.identical else 1)


def show(made: Rebuilt) -> None:
    """When it was judged, with which settings, and whether the judgement is the same."""
    r = made.stored
    out.print(f"[bold]{r.monitor}[/] {r.night} ({r.environment})  judged {made.evaluated_at:%Y-%m-%d %H:%M:%S}Z, "
              f"as of the night of {made.as_of}", soft_wrap=True)  # fmt: skip
    out.print(f"settings   {escape(made.settings)}", soft_wrap=True)
    for c in r.coverage:
        out.print(f"judged     {c.family.value}: {c.judged:,} of {c.due:,} questions that were due")
    for note in made.notes:
        out.print(f"note       {escape(note)}", soft_wrap=True)
    if made.identical:
        out.print("rebuilt    [green]the same, byte for byte[/]")
    for line in made.differs:
        out.print(f"[bold red]differs[/]    {escape(line)}", soft_wrap=True)


def show_steps(verdict: Verdict, steps: tuple[Step, ...]) -> None:
    """One verdict, from the rows to what would have been seen."""
    word = verdict.state.value
    out.print(f"\n[{STYLE[word]}]{word.upper()}[/] [bold]{escape(verdict.metric)}({escape(verdict.subject)})[/]")
    for number, step in enumerate(steps, 1):
        out.print(f"  {number:2} {step.title:13} {escape(step.says)}", soft_wrap=True)
