"""`vigil simulate`: synthetic prediction logs with labelled faults, to try rules and tools on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil import wiring
from vigil.core.errors import DataError
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.usecases.simulate import Past, Run

app = typer.Typer()
out = Console(highlight=False)
Day = datetime | None
FORMAT = ["%Y-%m-%d"]
ROWS, USUAL = 2000, "real"


class Source(NamedTuple):
    """A log that nights are resampled from, and what is said about its model."""

    monitor: Monitor
    text: str  # the monitor's file
    suite: Path | None
    root: Path  # of the prediction log
    yaml: Path


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - what a simulation is made of
    to: Annotated[
        Path | None, typer.Option("--out", help="New folder for the log, the monitor and truth.json.")
    ] = None,
    regime: Annotated[
        str | None, typer.Option(help="How much normal nights differ: iid, real (default), common, hard.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same rows.")] = 0,
    rows: Annotated[
        int | None, typer.Option(help="Rows of a usual night; default: 2000, or with --from-log those of the log.")
    ] = None,
    nights: Annotated[int, typer.Option(help="Number of nights.")] = 60,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Fault KIND[:FEATURE][:GROUP][:SIZE]@FIRST[-LAST], such as mean:amount:0.5@50. May be repeated."
        ),
    ] = None,
    start: Annotated[Day, typer.Option(formats=FORMAT, help="First night; default: 2026-01-05, a Monday.")] = None,
    name: Annotated[str, typer.Option(help="Name of the simulated model.")] = "simulated",
    from_log: Annotated[
        Path | None, typer.Option(help="HOME/MODEL: resample quiet nights of this prediction log instead of a regime.")
    ] = None,
    monitor: Annotated[
        Path | None, typer.Option(help="With --from-log: the monitor's YAML file, if it is not in HOME.")
    ] = None,
    first: Annotated[
        Day, typer.Option("--from", formats=FORMAT, help="With --from-log: first night to draw from.")
    ] = None,
    last: Annotated[Day, typer.Option("--to", formats=FORMAT, help="With --from-log: last night to draw from.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="If the folder is not empty, move its contents aside.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List regimes, faults and features, and exit.")] = False,
) -> None:
    """Write a synthetic prediction log with a monitor; truth.json says which faults it has, and when."""
    from vigil.simulation.monitor import document, relocated
    from vigil.simulation.nights import START, Simulation
    from vigil.simulation.resampled import Resampled

    if listed:
        show()
        return
    if to is None:
        raise DataError("--out is missing: name a new folder; `vigil simulate --list` lists regimes and faults")
    when = start.date() if start else START
    if from_log is None:
        if monitor or first or last:
            raise DataError("--monitor, --from and --to need --from-log")
        regime, rows, name = regime or USUAL, ROWS if rows is None else rows, _name(name)
        run = Simulation(regime, seed, rows=rows, nights=nights, faults=fault or (), start=when, model=name)
        make(run, document(run), to, force=force, origin={"regime": regime})
        return
    if regime is not None:
        raise DataError(f"--regime {regime} cannot be combined with --from-log: the nights are those of the log")
    source = find(from_log, monitor)
    past = quiet(source, first.date() if first else date.min, last.date() if last else date.max)
    resampled = Resampled(source.monitor, past.nights, seed, rows=rows, nights=nights, faults=fault or (), start=when)
    text = relocated(source.text, source.monitor.model)
    make(resampled, text, to, force=force, suite=source.suite, origin={"from_log": source.monitor.model})


def make(run: Run, text: str, to: Path, *, force: bool, origin: dict[str, str], suite: Path | None = None) -> None:
    """Builds the home beside its place and moves it there when it is whole."""
    from shutil import rmtree

    from vigil.usecases.simulate import TRUTH, describe, move_in, rehearse, room

    to = to.expanduser().absolute()
    with out.status("rehearsing the faults"):
        rehearse(run)
    draft, kept = room(to, force=force)
    try:
        describe(draft, run, text, suite, origin)
        rows, labels = _filled(run, draft, ", ".join(f"{k} {v}" for k, v in origin.items()))
        move_in(draft, to, kept)
    finally:
        rmtree(draft, ignore_errors=True)
    final = run.start + timedelta(days=run.nights - 1)
    if kept is not None:
        out.print(f"kept       what was there before is in {escape(str(kept))}", soft_wrap=True)
    out.print(f"[green]wrote[/]      {escape(str(to))}: {run.nights} nights of {run.model}, {run.start} to {final}; "
              f"{rows:,} rows, {labels:,} labels", soft_wrap=True)  # fmt: skip
    for one in run.truth:
        what = " ".join(str(one[k]) for k in ("fault", "feature", "group") if one[k])
        out.print(f"fault      {escape(what)} by {one['size']:g} {one['unit']} from {one['onset']}", soft_wrap=True)
    out.print(f"truth      {escape(str(to / TRUTH))}" + ("" if run.truth else ": nothing goes wrong"), soft_wrap=True)
    out.print(f"next       VIGIL_HOME={escape(str(to))} vigil backfill {run.model} --from {run.start} --to {final}",
              soft_wrap=True)  # fmt: skip


def _filled(run: Run, home: Path, said: str) -> tuple[int, int]:
    """(rows, labels) that were logged in a home."""
    from rich.progress import track

    from vigil.config.load import load_monitor
    from vigil.usecases.simulate import fill

    settings = wiring.own_settings(home)
    monitor = load_monitor(settings.monitors_dir / f"{run.model}.yaml", expectations=settings.expectations_dir)
    with out.status("opening the stores"):
        ports = wiring.open_ports(settings)
    rows = labels = 0
    nights = fill(ports, monitor, run, origin=f"simulated: {said}, seed {run.seed}")
    for night in track(nights, total=run.nights, description=run.model, console=out):
        rows += night.predictions.num_rows
        labels += night.outcomes.num_rows
    return rows, labels


def find(path: Path, given: Path | None) -> Source:
    """The log and the monitor that HOME/MODEL means; HOME may be a home, its state folder, or a prediction log."""
    from vigil.config.load import files, load_monitor

    path = path.expanduser().absolute()
    model = path.name.removeprefix("model=")
    near = path.parent.parent if path.parent.name == "predictions" and path.name.startswith("model=") else path.parent
    roots = [near / ".vigil" / "predictions", near / "predictions", near]
    root = next((r for r in roots if (r / "predictions" / f"model={model}").is_dir()), None)
    if root is None:
        raise DataError(f"--from-log {path}: no log of {model!r}; write HOME/MODEL, where HOME contains "
                        f".vigil/predictions/predictions/model={model}")  # fmt: skip
    homes = [near, near.parent, near.parent.parent, Settings().home]
    yamls = [given] if given else [f for h in homes for f in files(h / "monitors") if f.stem == model]
    if not yamls:
        raise DataError(f"--from-log {path}: no monitors/{model}.yaml found; give its path with --monitor")
    monitor = load_monitor(yamls[0])
    if monitor.model != model:
        raise DataError(f"{yamls[0]} watches {monitor.model!r}, but the log is of {model!r}")
    suite = yamls[0].absolute().parents[1] / "expectations" / f"{monitor.suite}.json"
    if monitor.suite and not suite.exists():
        raise DataError(f"{yamls[0]} names the suite {monitor.suite!r}, but {suite} does not exist")
    return Source(monitor, yamls[0].read_text(encoding="utf-8"), suite if monitor.suite else None, root, yamls[0])


def quiet(source: Source, first: date, last: date) -> Past:
    """The log's nights on which nothing was found, as far as somebody judged them; and says so."""
    from vigil.usecases.simulate import quiet_past

    log, days = wiring.prediction_log(source.root, source.monitor.model)
    state = source.root.parent
    judged_here = (state / "vigil.db").exists()
    ports = wiring.open_ports(wiring.own_settings(state.parent, state=state)) if judged_here else None
    with out.status(f"reading {source.monitor.model}"):
        past = quiet_past(log, source.monitor, [d for d in days if first <= d <= last], ports)
    out.print(f"drawn from {len(past.nights)} nights of {escape(str(source.root))}, "
              f"as {escape(str(source.yaml))} reads them", soft_wrap=True)  # fmt: skip
    if past.left_out:
        out.print(f"left out   {', '.join(map(str, past.left_out))}: something was found on them", soft_wrap=True)
    if past.judged < len(past.nights):
        rest = len(past.nights) - past.judged
        out.print(
            f"[yellow]unjudged[/]   {rest} of them count as quiet because nobody judged them; --from and --to narrow it"
        )
    return past


def show() -> None:
    """What can be drawn: regimes, faults, features and groups."""
    from vigil.simulation.faults import shape
    from vigil.simulation.regimes import load

    spec = load()
    regimes = Table("regime", "nights", box=None)
    for name, one in spec.regimes.items():
        regimes.add_row(name, one.says)
    faults = Table("fault", "usual size", "what happens", box=None)
    faults.columns[0].overflow = "fold"
    for kind, about in spec.faults.items():
        faults.add_row(escape(shape(kind)), f"{about.size:g} {about.unit}", about.says)
    features = Table("feature", "is", box=None)
    for name, numeric in spec.numeric.items():
        features.add_row(name, numeric.kind.value)
    for name, levels in spec.category.items():
        features.add_row(name, f"category of {len(levels)}")
    groups = ", ".join(f"{g} {share:.0%}" for g, share in spec.population.groups.items())
    out.print(regimes, "", faults, "", features, "", f"groups of {spec.population.attribute}: {groups}")


def _name(name: str) -> str:
    import re

    if not re.fullmatch(r"[a-z][a-z0-9_]{1,62}", name):
        raise DataError(f"--name {name}: use 2 to 63 small letters, digits and _, starting with a letter")
    return name
