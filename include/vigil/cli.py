"""Watch deployed machine-learning models: draft monitors, judge nights, handle incidents and promotions."""

from __future__ import annotations

import errno
import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil import (
    cli_backtest,
    cli_doctor,
    cli_incidents,
    cli_metrics,
    cli_onboarding,
    cli_rebaseline,
    cli_rows,
    cli_simulate,
    cli_slo,
    cli_standing,
    cli_tune,
    cli_why,
    wiring,
)
from vigil.core.errors import DataError, VigilError
from vigil.core.stages import JUDGING, Stage
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.ports import Ports
    from vigil.usecases.night.run import AfterStage, NightProgress
    from vigil.verdicts.types import NightResult

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
ledger_app = typer.Typer(no_args_is_help=True, help="Read and verify the append-only ledger.")
app.add_typer(cli_onboarding.app)
app.add_typer(cli_doctor.app)
app.add_typer(cli_metrics.app)
app.add_typer(cli_simulate.app)
app.add_typer(cli_rebaseline.app)
app.add_typer(cli_rows.app)
app.add_typer(cli_backtest.app)
app.add_typer(cli_tune.app)
app.add_typer(cli_slo.app)
app.add_typer(cli_why.app)
app.add_typer(cli_standing.app)
app.add_typer(cli_incidents.app, name="incidents")
app.add_typer(ledger_app, name="ledger")
out = Console(highlight=False)

STYLE = {"ok": "green", "warn": "yellow", "breach": "bold red", "unknown": "magenta"}
Model = Annotated[str, typer.Argument(help="Name of the monitor.")]
CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)  # why a file cannot be written
NightDay = Annotated[
    datetime, typer.Argument(formats=["%Y-%m-%d"], help="Calendar day in the monitor's time zone, YYYY-MM-DD.")
]


@app.command()
def lint(
    data: Annotated[
        bool, typer.Option("--data", help="Also compare the monitors with their rows, references and suites.")
    ] = False,
) -> None:
    """Check every file in monitors/, and print all errors with line and suggestion."""
    from vigil.config.load import lint as check

    settings = Settings()
    found = check(settings.monitors_dir, expectations_dir=settings.expectations_dir)
    for name, problem in found.items():
        if problem is None:
            out.print(f"[green]ok[/]    monitors/{escape(name)}")
        else:
            out.print(f"[bold red]FAIL[/]  {escape(problem)}", soft_wrap=True)
    failed = sum(problem is not None for problem in found.values())
    if data:
        failed += cli_onboarding.lint_data(settings)
    out.print(f"{failed} of {len(found)} monitors invalid" if failed else f"{len(found)} monitors are valid")
    raise typer.Exit(1 if failed else 0)


@app.command()
def night(
    model: Model,
    day: NightDay,
    respond: Annotated[
        bool,
        typer.Option(
            help="Run all stages of the nightly DAG: also render the report, open or join incidents, replay, "
            "plan the response and record the night. Sends nothing."
        ),
    ] = False,
) -> None:
    """Judge one night without Airflow, and print its verdicts. Exit code 2: a breach."""
    from vigil.usecases.night.run import run_night

    ports, monitor, when = wiring.open_ports(), wiring.monitor(model), day.date()
    _has_begun(monitor, when)
    stages = tuple(Stage) if respond else (Stage.INTAKE, *JUDGING)
    run_night(ports, monitor, when, stages=stages, after=_after_stage(ports, monitor))
    result = ports.results.latest(monitor.model, monitor.environment, when)
    assert result is not None  # it was judged just now
    raise typer.Exit(2 if any(v.state.value == "breach" for v in result.verdicts) else 0)


def _after_stage(ports: Ports, monitor: Monitor) -> AfterStage:
    """Prints what each stage of a night produced, as soon as it has ended."""

    def after(stage: Stage, progress: NightProgress) -> None:
        match stage:
            case Stage.INTAKE if monitor.source is not None and progress.intake is not None:
                cli_onboarding.say_ingested(progress.intake)
            case Stage.PROFILE:
                out.print(f"profiled   {', '.join(map(str, progress.profiled)) or 'nothing'}")
            case Stage.JUDGE if judged := ports.results.latest(monitor.model, monitor.environment, progress.night):
                print_night(judged)
            case Stage.REPORT if progress.report_url:
                out.print(f"report     {escape(progress.report_url)}", soft_wrap=True)
            case Stage.CORRELATE:
                out.print(f"incident   {progress.incident or 'none'}")
            case Stage.REPLAY if progress.replay is not None:
                out.print(f"replayed   {escape(progress.replay.why)}", soft_wrap=True)
            case Stage.PLAN if progress.response is not None and progress.response.actions:
                actions = ", ".join(progress.response.actions)
                out.print(f"planned    {actions}: the DAG vigil_watchdog starts them within the hour", soft_wrap=True)

    return after


def _has_begun(monitor: Monitor, night: date) -> None:
    """Raises DataError for a night in the future, which has no rows to judge."""
    today = datetime.now(ZoneInfo(monitor.timezone)).date()
    if night > today:
        raise DataError(f"the night of {night} has not happened yet: it is {today} in {monitor.timezone}")


def print_night(result: NightResult) -> None:
    """The verdicts that are not ok, and how many are."""
    from collections import Counter

    tally = Counter(v.state.value for v in result.verdicts)
    parts = [f"[{STYLE[s]}]{tally[s]} {s}[/]" for s in ("ok", "warn", "breach", "unknown")]
    versions = ", ".join(f"version {v}: {n:,}" for v, n in sorted(result.versions.items()))
    out.print(f"judged     {result.monitor} {result.night} ({result.environment})  {result.rows:,} rows ({versions})")
    out.print("           " + ("a day of rest" if result.rest and not result.verdicts else "  ".join(parts)))
    for one in result.coverage:
        out.print(f"  judged   {one.family.value}: {one.judged:,} of {one.due:,} questions that were due")
    for note in result.notes:
        out.print(f"  note     {escape(str(note))}", soft_wrap=True)
    for verdict in sorted(result.verdicts, key=lambda v: v.state.value):
        if verdict.state.value != "ok":
            word = f"[{STYLE[verdict.state.value]}]{verdict.state.value.upper():8}[/]"
            out.print(f"  {word} {escape(verdict.reason)}", soft_wrap=True)
    for made in result.budgets:
        left = "unknown" if made.left is None else f"{max(made.left, 0):.0%} left"
        out.print(f"  budget   {made.slo}: {left} of {made.nights} nights, burn {made.level.value}")


@app.command()
def backfill(
    model: Model,
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First night.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last night (inclusive).")],
) -> None:
    """Judge past nights in date order. Opens no incident and sends nothing."""
    from rich.progress import track

    from vigil.usecases.backfill import backfill as run

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    if end < start:
        raise DataError(f"--from {start:%Y-%m-%d} lies after --to {end:%Y-%m-%d}: there is no night between them")
    _has_begun(monitor, end.date())
    days = [start.date() + timedelta(days=n) for n in range((end - start).days + 1)]
    tally: dict[str, int] = {}
    for result in track(run(ports, monitor, days), total=len(days), description=model, console=out):
        for verdict in result.verdicts:
            tally[verdict.state.value] = tally.get(verdict.state.value, 0) + 1
    out.print(f"{model}: {len(days)} nights judged; " + ", ".join(f"{n} {s}" for s, n in sorted(tally.items())))


@app.command()
def promote(
    model: Model,
    version: Annotated[str, typer.Argument(help="Registered version to promote.")],
    reason: Annotated[str, typer.Option(help="Reason; recorded in the ledger.")],
    actor: Annotated[str, typer.Option(help="Who does it; recorded in the ledger.")],
    alias: Annotated[str, typer.Option(help="Alias: champion, challenger or fallback.")] = "champion",
    despite_freeze: Annotated[
        bool,
        typer.Option("--despite-freeze", help="Promote although an incident or a spent budget freezes promotions."),
    ] = False,
    approved_by: Annotated[
        str | None, typer.Option("--approved-by", help="Approver, if the budget policy requires one.")
    ] = None,
) -> None:
    """Give a version an alias, after checking its files and profiling its holdout; recorded in the ledger."""
    from vigil.usecases.promote import promote as run

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    state = run(ports, monitor, version, actor=actor, reason=reason, alias=alias, despite_freeze=despite_freeze,
                approved_by=approved_by)  # fmt: skip
    out.print(f"{model}: champion {state.champion}, fallback {state.fallback}, serving {state.serve.value}")


@app.command()
def restore(
    model: Model,
    reason: Annotated[str, typer.Option(help="Why the cause is gone; recorded in the ledger.")],
    actor: Annotated[str, typer.Option(help="Who does it; recorded in the ledger.")],
) -> None:
    """Let the champion serve again after a fallback."""
    from vigil.usecases.promote import restore as run

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    state = run(ports, monitor, actor=actor, reason=reason)
    out.print(f"{model}: version {state.champion} serves again in the champion's role")


@app.command()
def lift(
    model: Model,
    version: Annotated[str, typer.Argument(help="Version in quarantine.")],
    reason: Annotated[str, typer.Option(help="Why it may serve again; recorded in the ledger.")],
    actor: Annotated[str, typer.Option(help="Who does it; recorded in the ledger.")],
) -> None:
    """Lift the quarantine of a version that was rolled back; it can then be promoted again."""
    from vigil.usecases.promote import lift_quarantine

    lift_quarantine(wiring.open_ports(), wiring.monitor(model), version, actor=actor, reason=reason)
    out.print(f"{model}: version {version} is not quarantined; `vigil promote` gives it an alias")


@ledger_app.command("verify")
def verify_ledger() -> None:
    """Recompute all hash chains, and compare them with the checkpoints outside the database."""
    ports = wiring.open_ports()
    problems = ports.ledger.verify()
    for problem in problems:
        out.print(f"[bold red]BROKEN[/]  {escape(problem)}", soft_wrap=True)
    streams = ports.ledger.streams()
    events = sum(len(ports.ledger.read(s)) for s in streams)
    if not problems:
        out.print(f"[green]ok[/]  {events} events in {len(streams)} streams; every chain holds")
    raise typer.Exit(1 if problems else 0)


@ledger_app.command("show")
def show_ledger(stream: Annotated[str, typer.Argument(help="Stream: incident/<id>, model/<name> or system.")]) -> None:
    """Print the events of one stream as JSON lines."""
    for event in wiring.open_ports().ledger.read(stream):
        print(json.dumps(event.model_dump(mode="json"), ensure_ascii=False))


@app.command()
def trace(
    prediction_id: Annotated[str, typer.Argument(help="Id of the prediction, from the gateway's response or the log.")],
) -> None:
    """Show version, run, commit, data, night, verdicts and incident of one prediction."""
    from vigil.usecases.trace import trace as run

    good, _ = wiring.monitors()
    found = run(wiring.open_ports(), good, prediction_id)
    version = found.version
    table = Table(show_header=False, box=None)
    table.add_row("prediction", escape(found.prediction_id))
    for name in ("prediction", "score", "status", "latency_ms", "pipeline_version", "role"):
        if found.row.get(name) is not None:
            table.add_row(f"  {name}", escape(str(found.row[name])))
    if version is not None:
        table.add_row(
            "version", f"{version.model} {version.version} (aliases now: {', '.join(version.aliases) or 'none'})"
        )
        table.add_row("mlflow run", str(version.run_id))
        table.add_row("git commit", str(version.git_commit or "not recorded"))
        table.add_row("dataset sha256", str(version.dataset_sha256 or "not recorded"))
    table.add_row("night", f"{found.night} in {found.model}'s time zone")
    for reason in found.not_ok or ("every verdict of that night was ok",):
        table.add_row("verdict", escape(reason))
    table.add_row("incident", found.incident or "none")
    for finding in found.findings:
        table.add_row("finding", escape(finding))
    out.print(table)


@app.command(hidden=True)
def blind(
    model: Model,
    reason: Annotated[str, typer.Option(help="What failed.")],
    night: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Which night; default: yesterday.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="What Airflow knows of the run, as JSON, instead of a night.")] = None,
) -> None:
    """Record that a night could not be judged (called by the listener when a run dies)."""
    from vigil.core.run_night import BACKFILL, NightlyRun, night_of
    from vigil.usecases.watch import blind as record

    monitor = wiring.monitor(model)
    day = night.date() if night else yesterday(monitor)
    if run is not None:
        facts = NightlyRun.model_validate_json(run)
        if facts.run_type == BACKFILL:  # history pages nobody, and a run that overtook another was refused
            out.print("nothing is recorded: a backfill failed, which is no night that went unseen")
            return
        try:
            day = night_of(facts, timezone=monitor.timezone, now=datetime.now(UTC))
        except DataError as error:  # refused before it began: no night went unseen
            out.print(f"nothing is recorded: {escape(str(error))}", soft_wrap=True)
            return
    out.print(record(wiring.open_ports(), monitor, day, reason=reason))


@app.command()
def heartbeat(
    alert: Annotated[bool, typer.Option(help="Notify Slack, or only print.")] = True,
) -> None:
    """Check from outside Airflow that it runs and that every model's newest night is judged. Exit code 1: not so."""
    from vigil.usecases.heartbeat import check, tell

    settings = Settings()
    good, broken = wiring.monitors(settings)
    ports = wiring.open_ports(settings)
    problems = check(ports, good, broken, health=wiring.airflow(settings).health, now=datetime.now(UTC))
    for problem in problems:
        out.print(f"[bold red]DOWN[/]  {escape(str(problem))}", soft_wrap=True)
    if not problems:
        out.print(f"[green]ok[/]    Airflow answers, {len(good)} monitors are fresh")
    elif alert:
        receipt = tell(ports, good, problems, now=datetime.now(UTC))
        out.print(f"told {receipt.reference.get('name') or receipt.reference.get('channel')}")
    raise typer.Exit(1 if problems else 0)


def yesterday(monitor: Monitor) -> date:
    """The monitor-local day before today."""
    return datetime.now(ZoneInfo(monitor.timezone)).date() - timedelta(days=1)


def main() -> None:
    """The console script: VigilErrors are answers, not tracebacks, and so is a disk that is full or closed."""
    try:
        app()
    except VigilError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno not in CLOSED:
            raise
        where = f" {error.filename}" if error.filename else ""
        state = Settings().state_dir
        _fail(f"cannot write{where}: {error.strerror}. Vigil writes below {state} (VIGIL_STATE), monitors/ and "
              "expectations/ (VIGIL_HOME): make room there, or let this user write")  # fmt: skip


def _fail(why: str) -> None:
    Console(stderr=True, highlight=False).print(f"[bold red]error[/] {escape(why)}", soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
