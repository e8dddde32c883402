"""`vigil rows`: where every row of a night went, and what is missing in the judged ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil import wiring
from vigil.cli_homes import Home, monitor_of, usage
from vigil.core.errors import DataError

if TYPE_CHECKING:
    from vigil.verdicts.row_words import Line
    from vigil.verdicts.types import NightResult

app = typer.Typer()
out = Console(highlight=False)
Night = Annotated[
    datetime, typer.Argument(formats=["%Y-%m-%d"], help="Calendar day in the monitor's time zone, YYYY-MM-DD.")
]


@app.command()
def rows(
    model: Annotated[str, typer.Argument(help="Name of the monitor, or its YAML file.", metavar="MONITOR")],
    night: Night,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where every row of a night went (judged, or left out and why), and what is missing in the judged rows.

    Exit code 2: wrong usage, or the rows of that night were not counted.
    """
    from vigil.usecases.night.notes import IntakeNote
    from vigil.verdicts.row_words import doors, lacks, places

    with usage(), TemporaryDirectory(prefix="vigil-rows-") as folder:
        settings, _, monitor = monitor_of(model, home)
        ports = wiring.reading(settings, Path(folder))
        result: NightResult | None = ports.results.latest(monitor.model, monitor.environment, night.date())
        if result is None or result.row_ledger is None:
            what = "was not judged" if result is None else "was judged by a release that did not count its rows"
            raise DataError(f"{monitor.model}: the night of {night.date()} {what}. Run `vigil night` to judge it")
        note: IntakeNote | None = ports.notes.get(monitor.model, night.date(), IntakeNote)
    seen = note.content.model_dump(mode="json") if note else {}
    if as_json:
        told = {**result.row_ledger.model_dump(mode="json"), "intake": seen}
        print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201 - JSON for a program, without line breaks
        return
    out.print(f"[bold]{result.monitor}[/] {result.night} ({result.environment})")
    show(places(result.row_ledger), "rows of the night's files")
    show(lacks(result.row_ledger), "judged rows without")
    show(doors(seen), "rows that the last intake saw")


def show(lines: tuple[Line, ...], title: str) -> None:
    """A table of counts; nothing where there is nothing to count."""
    if not lines:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(title)
    table.add_column("rows", justify="right")
    table.add_column("share", justify="right")
    if any(line.reference for line in lines):
        table.add_column("reference", justify="right")
    for line in lines:
        table.add_row(*map(escape, (line.says, line.rows, line.share, line.reference)[: len(table.columns)]))
    out.print(table)
