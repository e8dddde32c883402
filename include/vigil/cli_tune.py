"""`vigil tune`: thresholds for a budget of false alarms, tuned on one half of the past and tried on the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil.cli_backtest import First, Last, Resume, budget_of, play, prepared
from vigil.cli_homes import Home, usage

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.usecases.backtest import Told
    from vigil.usecases.tune import Tuned

app = typer.Typer()
out = Console(highlight=False)


@app.command()
def tune(
    model: Annotated[str, typer.Argument(help="Name of the monitor, or its YAML file.", metavar="MONITOR")],
    budget: Annotated[str, typer.Option(help="Maximum rate of false incidents, such as 2/year.")],
    first: First = None,
    last: Last = None,
    home: Home = None,
    resume: Resume = True,
) -> None:
    """Propose thresholds that keep false incidents within a budget. Prints the lines to write; changes nothing.

    Exit code 1: the budget cannot be kept. 2: wrong usage, or too few past nights.
    """
    from vigil.config.load import document_of, load_changed
    from vigil.usecases.tune import halves
    from vigil.usecases.tune import tune as search

    with usage(), TemporaryDirectory(prefix="vigil-tune-") as folder:
        per = budget_of(budget)
        bench = prepared(model, home, first, last, Path(folder), resume=resume)
        halves(bench.nights, per)  # before hours of judging

        def make(settings: Sequence[str]) -> Monitor:
            return load_changed(bench.file, settings)

        def judge(monitor: Monitor, nights: Sequence[date]) -> Told:
            return play(bench, monitor, nights, f"{len(nights)} nights")[0]

        found = search(make, judge, document_of(bench.file), bench.nights, bench.truth, per)
    show(bench.monitor.model, found)
    raise typer.Exit(1 if found.unmet else 0)


def show(model: str, found: Tuned) -> None:
    """Both halves, the lines to write, and why the budget cannot be kept, if so."""
    table = Table("false incidents, a year", "now", "proposed", box=None)
    names = ("first half (tunes)", "second half (reports)")
    for name, was, will in zip(names, found.present, found.proposed, strict=True):
        span = f"{name}, {was.first} to {was.last}, {was.quiet} quiet nights"
        table.add_row(span, str(was.incidents_per_year), str(will.incidents_per_year))
    out.print(table)
    for name, will in zip(names, found.proposed, strict=True):
        for one in will.missed:
            out.print(f"[bold red]missed[/]     {name}: {escape(one.what)}", soft_wrap=True)
    if not found.knobs:
        out.print("propose    nothing: the thresholds stay as they are")
    for knob in found.knobs:
        where = knob.key.rpartition(".")[0]
        line = f"{knob.name}: {knob.written(knob.now)}  # was {knob.written(knob.was)}"
        out.print(f"propose    {where} ({knob.about}): {escape(line)}", soft_wrap=True)
    if found.knobs:
        words = " ".join(f'--set "{k.setting}"' for k in found.knobs)
        out.print(f"try        vigil backtest {model} {escape(words)}", soft_wrap=True)
    if found.unmet:
        out.print(f"[bold red]not kept[/]   {escape(found.unmet)}", soft_wrap=True)
    out.print("note       bounds that people set (breach, warn, holdout) are not tuned; the second half was not looked "
              "at while tuning, so its rate is the one to expect", soft_wrap=True)  # fmt: skip
