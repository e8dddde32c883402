"""`vigil backtest`: judges past nights with what was known on each morning."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil import wiring
from vigil.cli_homes import Home, monitor_of, told_apart, usage
from vigil.core.errors import DataError
from vigil.core.ids import digest
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.usecases.backtest import Judged, Told
    from vigil.usecases.backtest_account import Account, Truth
    from vigil.usecases.backtest_difference import Difference

app = typer.Typer()
out = Console(highlight=False)
Day = datetime | None
FORMAT = ["%Y-%m-%d"]
STYLE = {"ok": "green", "warn": "yellow", "breach": "bold red", "unknown": "magenta"}
LINES = 40  # nights that are listed
REASONS = 3  # of a night
PER = {"year": 1.0, "month": 12.0, "week": 365.25 / 7, "night": 365.25}

First = Annotated[Day, typer.Option("--from", formats=FORMAT, help="First night; default: the first of the log.")]
Last = Annotated[
    Day, typer.Option("--to", formats=FORMAT, help="Last night (inclusive); default: the last of the log.")
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Reuse the scans of earlier runs, or scan every night again.")
]


class Run(NamedTuple):
    """One backtest: what was found, and what it comes to."""

    told: Told
    sums: Account
    kept: Path | None  # where scans are
    changed: tuple[Told, Account] | None = None
    diff: Difference | None = None


class Bench(NamedTuple):
    """What backtests of one model work on."""

    rehearsal: wiring.Rehearsal
    monitor: Monitor
    file: Path
    nights: list[date]
    truth: Truth


@app.command()
def backtest(  # noqa: PLR0913, PLR0917 - one check, with all that it can be asked
    models: Annotated[list[str], typer.Argument(help="Names of monitors, or YAML files.", metavar="MONITOR…")],
    first: First = None,
    last: Last = None,
    json_to: Annotated[
        Path | None, typer.Option("--json", help="Write all verdicts and the totals to this file.")
    ] = None,
    html_to: Annotated[Path | None, typer.Option("--html", help="Write a page with charts to this file.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Compare with a changed setting, such as rules.drift.0.sigma=5. May be repeated."),
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with another YAML file.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="Fail if there are more false incidents than this, such as 2/year.")
    ] = None,
    home: Home = None,
    resume: Resume = True,
) -> None:
    """Judge past nights with what was known on each morning. Nothing is stored, opened or sent.

    Exit code 1: the changed settings (--set, --against) miss a recorded incident, or --budget is exceeded. 2: wrong
    usage.
    """
    with usage():
        per = budget_of(budget) if budget else None
        if against is not None and len(models) > 1:
            raise DataError("--against compares one monitor at a time; name only one")
        runs = [_run(model, home, first, last, settings or [], against, resume=resume) for model in models]
        failed = [line for run in runs for line in _show(run, per)]
        for kept in dict.fromkeys(run.kept for run in runs if run.kept is not None):
            out.print(
                f"kept       scans in {escape(str(kept))} for the next run; the folder may be deleted", soft_wrap=True
            )
        if json_to is not None:
            _write_json(json_to, runs, per)
        if html_to is not None:
            _write_page(html_to, runs, per)
    for line in failed:
        out.print(f"[bold red]FAIL[/]       {escape(line)}", soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def budget_of(text: str) -> float:
    """Incidents a year.

    >>> budget_of("2/year"), budget_of("1/month")
    (2.0, 12.0)
    """
    number, slash, unit = text.partition("/")
    try:
        times = float(number)
    except ValueError:
        times = -1.0
    if times < 0 or not slash or unit.strip() not in PER:
        raise DataError(f"--budget {text}: write NUMBER/PERIOD, such as 2/year; periods: {', '.join(PER)}")
    return times * PER[unit.strip()]


def _run(
    model: str,
    home: Path | None,
    first: Day,
    last: Day,
    changes: Sequence[str],
    against: Path | None,
    *,
    resume: bool,
) -> Run:
    from vigil.config.load import load_changed
    from vigil.usecases.backtest_difference import difference

    with TemporaryDirectory(prefix="vigil-backtest-") as folder:
        bench = prepared(model, home, first, last, Path(folder), resume=resume)
        other = load_changed(against or bench.file, changes) if against or changes else None
        if other is not None and other.model != bench.monitor.model:
            raise DataError(f"{against} watches {other.model!r}, not {bench.monitor.model!r}")
        present = play(bench, bench.monitor, bench.nights, bench.monitor.model)
        if other is None:
            return Run(*present, bench.rehearsal.kept)
        changed = play(bench, other, bench.nights, "changed")
        return Run(*present, bench.rehearsal.kept, changed, difference(present, changed))


def prepared(model: str, home: Path | None, first: Day, last: Day, folder: Path, *, resume: bool) -> Bench:
    """Finds the home, its monitor, its log and the nights to judge, and says where scans are kept."""
    from vigil.usecases.backtest import nights_of

    settings, file, monitor = monitor_of(model, home)
    name = monitor.model
    keep = kept_at(settings, name) if resume else None
    rehearsal = wiring.rehearsal(settings, name, folder, keep=keep)
    nights = nights_of(rehearsal.fresh(), monitor, rehearsal.nights)
    asked = [n for n in nights if (not first or first.date() <= n) and (not last or n <= last.date())]
    if not asked:
        raise DataError(f"--from, --to: the log of {name} has nights from {nights[0]} to {nights[-1]}")
    return Bench(rehearsal, monitor, file, asked, truth(settings, rehearsal, monitor, asked[-1]))


def kept_at(settings: Settings, model: str) -> Path:
    """Where the scans of a log are kept: outside the home, in the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "vigil" / "backtest" / digest(str(settings.predictions_dir.absolute()), length=12) / model


def truth(settings: Settings, rehearsal: wiring.Rehearsal, monitor: Monitor, last: date) -> Truth:
    """What is known to have gone wrong: the faults of a simulated home, else the incidents of the ledger."""
    from vigil.usecases.backtest_account import truth_in, truth_of
    from vigil.usecases.nights import incidents

    file = settings.home / "truth.json"
    if not file.exists():
        return truth_in(incidents(rehearsal.stored, monitor))
    try:
        return truth_of(json.loads(file.read_text(encoding="utf-8")), last)
    except ValueError as error:
        raise DataError(f"{file} is not JSON: {error}") from error


def play(bench: Bench, monitor: Monitor, nights: Sequence[date], said: str) -> tuple[Told, Account]:
    """Judges the nights, with a bar."""
    from rich.progress import track

    from vigil.usecases.backtest import judged, told, yardstick
    from vigil.usecases.backtest_account import account

    with out.status("making the baseline"):
        made = yardstick(bench.rehearsal.fresh(), monitor, nights)
    ports = bench.rehearsal.fresh()
    done = judged(ports, monitor, nights, made)
    for _ in track(done, total=len(nights), description=said, console=told_apart):
        pass
    found = told(ports, monitor, nights, made)
    return found, account(found, bench.truth)


def _show(run: Run, per: float | None) -> list[str]:
    """Prints a backtest; returns why a check should fail."""
    from vigil.usecases.backtest_account import failures

    told, sums = run.changed or (run.told, run.sums)
    m = told.monitor
    out.print(f"[bold]{m.model}[/] ({m.environment})  {sums.first} to {sums.last}: {sums.nights} nights, "
              f"{sums.judged} with rows, {sums.rows:,} rows; settings {sums.settings_digest}")  # fmt: skip
    nights = [d for d in told.nights if d.alarming or d.joined or d.night in sums.unjudged]
    if nights:
        out.print(_table(nights))
    print_sums(sums)
    if run.diff is not None:
        print_difference(run.diff)
    return [f"{m.model}: {why}" for why in failures(sums, per=per, present=run.sums if run.changed else None)]


def _table(nights: Sequence[Judged]) -> Table:
    """The nights that somebody should look at."""
    table = Table("night", "rows", "state", "what", "incident", box=None)
    for day in nights[:LINES]:
        bad = sorted((v for v in day.last.verdicts if v.state.value in ("warn", "breach")),
                     key=lambda v: (v.state.value != "breach", v.id))  # fmt: skip
        told = bad or [v for v in day.last.verdicts if v.overdue] or [v for v in day.first.verdicts if v.overdue]
        told = told or [v for v in day.last.verdicts if not day.last.rows]
        word = told[0].state.value if told else "warn"
        more = f" and {len(told) - REASONS} more" if len(told) > REASONS else ""
        what = ", ".join(f"{v.metric}({v.subject})" for v in told[:REASONS]) + more
        joined = f"{day.joined.severity} since {day.joined.opened}" if day.joined else ""
        table.add_row(str(day.night), f"{day.last.rows:,}", f"[{STYLE[word]}]{word}[/]",
                      escape(what or "warned on its morning, not any more"), joined)  # fmt: skip
    if len(nights) > LINES:
        table.add_row("…", "", "", f"{len(nights) - LINES} more nights; --json and --html have them all", "")
    return table


def print_sums(sums: Account) -> None:
    """Incidents, what was found and missed, and alarms a year."""
    for one in sums.incidents:
        word = "[yellow]false[/]" if one.false else "[green]recorded[/]"
        end = f"last bad night {one.last}, {'closed' if one.closed else 'open'}"
        out.print(f"incident   {one.opened} {one.severity} {word}, told on the morning after {one.found}, {end}: "
                  f"{escape(', '.join(one.findings[:REASONS]))}", soft_wrap=True)  # fmt: skip
    for r in sums.recorded:
        said = f"found on {r.incident}" if r.incident else "[bold red]missed[/]"
        out.print(f"recorded   {r.first} to {r.last} {escape(r.what)}: {said}", soft_wrap=True)
    for since, says in sums.yardsticks:
        out.print(f"yardstick  from {since}: {escape(says)}", soft_wrap=True)
    table = Table("questions", "due", "judged", "share", box=None)
    for c in sums.coverage:
        table.add_row(c.family.value, f"{c.due:,}", f"{c.judged:,}", f"{c.judged / c.due:.0%}")
    out.print(table)
    if sums.rest:
        out.print(f"rest       {len(sums.rest)} days without service, which are no nights")
    out.print(f"quiet      {sums.quiet} nights; warn or worse on {sums.false_alarm_nights}: {sums.alarms} a year")
    out.print(f"false      {sums.false_incidents} incidents: {sums.incidents_per_year} a year")
    for note in sums.notes:
        out.print(f"note       {escape(note)}", soft_wrap=True)


def print_difference(diff: Difference) -> None:
    """What the change would change."""
    table = Table("", "now", "changed", box=None)
    table.add_row("settings", diff.present, diff.changed)
    table.add_row("nights with an alarm, a year", *map(str, diff.alarms))
    table.add_row("false incidents, a year", *map(str, diff.incidents))
    table.add_row("recorded incidents missed", str(len(diff.missed_now)), str(len(diff.missed)))
    out.print(table)
    for word, days in (("added", diff.added), ("gone", diff.gone)):
        if days:
            out.print(f"{word:10} incidents of {', '.join(map(str, days))}", soft_wrap=True)
    if diff.subjects:
        shown = [f"{q} on {n} night{'s' * (n > 1)}" for q, n in list(diff.subjects.items())[:8]]
        rest = f", and {len(diff.subjects) - 8} more" if len(diff.subjects) > 8 else ""
        out.print(f"differs    {escape(', '.join(shown))}{rest}", soft_wrap=True)
    out.print(f"groups     {escape(', '.join(diff.groups)) or 'no protected group is affected'}", soft_wrap=True)


def _documents(runs: Sequence[Run], per: float | None) -> list[dict[str, Any]]:
    from vigil.usecases.backtest_account import failures
    from vigil.usecases.backtest_document import document

    made = []
    for run in runs:
        told, sums = run.changed or (run.told, run.sums)
        more: dict[str, Any] = {"budget_per_year": per}
        more["failures"] = list(failures(sums, per=per, present=run.sums if run.changed else None))
        more["difference"] = run.diff.model_dump(mode="json") if run.diff else None
        made.append(document(told, sums, **more))
    return made


def _write_json(to: Path, runs: Sequence[Run], per: float | None) -> None:
    made = _documents(runs, per)
    whole = made[0] if len(made) == 1 else made
    to.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    out.print(f"[green]wrote[/]      {escape(str(to))}", soft_wrap=True)


def _write_page(to: Path, runs: Sequence[Run], per: float | None) -> None:
    to.write_text(wiring.backtest_page(_documents(runs, per)), encoding="utf-8")
    out.print(f"[green]wrote[/]      {escape(str(to))}", soft_wrap=True)
