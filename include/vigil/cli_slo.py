"""`vigil slo`: objectives, error budgets and their policy; `vigil prometheus`: the same as metrics."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from vigil import wiring
from vigil.core.errors import MonitorError
from vigil.verdicts.exhaustion import in_words

if TYPE_CHECKING:
    from vigil.usecases.budget_policy import Report
    from vigil.usecases.slo import Objective, Overview
    from vigil.verdicts.types import Budget

OWN = {"--help"}
STYLE = {"critical": "bold red", "fast": "bold red", "medium": "bold red", "slow": "yellow", "creep": "yellow",
         "normal": "green", "careful": "yellow", "frozen": "bold red", "exhausted": "bold red"}  # fmt: skip


class _ShowFirst(TyperGroup):
    """`vigil slo MONITOR` means `vigil slo show MONITOR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A first word that is not a command is a monitor."""
        if args and args[0] not in self.commands and args[0] not in OWN:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer()
slo_app = typer.Typer(cls=_ShowFirst, no_args_is_help=True, help="Objectives, error budgets and their policy.")
app.add_typer(slo_app, name="slo")
out, err = Console(highlight=False), Console(stderr=True, highlight=False)
Model = Annotated[str, typer.Argument(help="Name of the monitor.")]


@slo_app.command("show")
def show(
    model: Model,
    night: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Show the state after this night; default: the newest judged one."),
    ] = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(
            "--known-at", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Show what was known at this time (UTC)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each error budget: what is left, burn rate, date of exhaustion, policy. `vigil slo MONITOR` is the same."""
    from vigil.usecases.slo import overview

    when = known_at.replace(tzinfo=UTC) if known_at else None
    found = overview(wiring.open_ports(), wiring.monitor(model), night=night.date() if night else None, known_at=when)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=1))
        return
    print_overview(found)


def print_overview(found: Overview) -> None:
    """A table of the objectives, then when each ends, then the policy."""
    when = f"night of {found.night}" if found.night else "no night was judged yet"
    when += ", a day of rest: the budgets are as they were before it" if found.rest else ""
    out.print(f"{found.monitor} ({found.environment}), {when}")
    if not found.objectives:
        out.print("no objective is set; `slos:` in the monitor's file sets them (docs/slo.md)")
        return
    table = Table("objective", "target", "attained", "left", "burn", "level", box=None)
    for objective in found.objectives:
        table.add_row(*_row(objective))
    out.print(table)
    for objective in found.objectives:
        if objective.budget is not None:
            ends, nights = in_words(objective.budget.exhaustion), _nights(objective.budget)
            out.print(f"  {objective.slo.name}: {escape(ends)}; {nights}", soft_wrap=True)
    if found.policy is not None:
        print_policy(found.policy)


def _row(objective: Objective) -> tuple[str, ...]:
    slo, b = objective.slo, objective.budget
    target = f"{100 * slo.target:.10g} % of {slo.nights} nights"
    if b is None:
        return slo.name, target, "not counted yet", "", "", ""
    level = f"[{STYLE.get(b.level.value, 'green')}]{b.level.value}[/]"
    return (
        slo.name,
        target,
        "unknown" if b.attained is None else f"{b.attained:.3%}",
        "unknown" if b.left is None else f"{b.left:.0%}",
        "unknown" if b.burn is None else f"{b.burn:.1f}x",
        level,
    )


def _nights(b: Budget) -> str:
    told = f"{b.judged_nights} nights judged, {b.unjudged_nights} not"
    if b.waiting_nights:
        told += f", {b.waiting_nights} waiting for labels"
    return told if b.coverage_left is None else f"{told} ({b.coverage_left:.0%} of the coverage budget left)"


def print_policy(policy: Report) -> None:
    """The state of the policy, what it asks, and what was decided."""
    now = policy.standing
    because = f", because of {now.slo}" if now.slo and policy.asks else ""
    since = f" since the night of {policy.since}" if policy.since and policy.asks else ""
    out.print(f"policy     [{STYLE.get(now.state.value, 'magenta')}]{now.state.value}[/]{since}{because}")
    for words in policy.asks:
        out.print(f"  {escape(words)}", soft_wrap=True)
    if policy.review_due is not None:
        out.print(f"  review due by {policy.review_due}: `vigil slo decide` records it")
    if policy.post_mortem:
        out.print("  [bold red]post-mortem required[/], and no decision is recorded yet")
    for decision in policy.decisions:
        out.print(f"  decided {decision.at:%Y-%m-%d} by {escape(decision.by)}: {escape(decision.what)}", soft_wrap=True)


@slo_app.command("decide")
def decide(
    model: Model,
    decision: Annotated[str, typer.Option(help="What was decided; recorded in the ledger.")],
    by: Annotated[str, typer.Option(help="Who decided; recorded in the ledger.")],
) -> None:
    """Record the outcome of a budget review or of a post-mortem."""
    from vigil.usecases.budget_policy import decide as run

    print_policy(run(wiring.open_ports(), wiring.monitor(model), by=by, what=decision))


@slo_app.command("export")
def export(
    model: Model,
    form: Annotated[str, typer.Option("--format", help="Format; only openslo (OpenSLO v1) is supported.")] = "openslo",
) -> None:
    """Print the objectives of a monitor as OpenSLO documents."""
    from vigil.config.openslo.write import text

    if form != "openslo":
        raise MonitorError(f"--format {form!r} is not supported; use openslo")
    print(text(wiring.monitor(model)), end="")


@slo_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="OpenSLO v1 documents (YAML).")],
) -> None:
    """Convert OpenSLO documents to `slos:` of a monitor.

    What cannot be converted is listed on standard error, and the exit code is 1.
    """
    from vigil.config.openslo.read import read

    try:
        found = read(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise MonitorError(f"cannot read {file}: {error}") from None
    print(found.fragment(), end="")
    for missed in found.missed:
        err.print(f"[yellow]not said[/]  {escape(str(missed))}", soft_wrap=True)
    raise typer.Exit(1 if found.missed else 0)


@app.command()
def prometheus(
    file: Annotated[
        Path | None,
        typer.Option("--out", help="Write atomically to this file, for node_exporter's textfile collector."),
    ] = None,
) -> None:
    """Print budgets, verdicts and incidents of all models in the Prometheus text format."""
    from vigil.usecases.prometheus import exposition, watched

    good, _ = wiring.monitors()
    text = exposition(watched(wiring.open_ports(), [good[name] for name in sorted(good)]))
    if file is None:
        print(text, end="")
        return
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
    out.print(f"{file}: {len(good)} models")
