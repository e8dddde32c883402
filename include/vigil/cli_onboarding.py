"""`vigil init`, `ingest`, `reference`, `schema`: from an existing log to a watched model."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.cli_draft import show, summary
from vigil.cli_init_options import InitOptions, address
from vigil.cli_options import grouped
from vigil.core.errors import DataError
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.onboarding.document import Answers
    from vigil.onboarding.draft import Draft
    from vigil.usecases.ingest import Held, Ingested
    from vigil.usecases.onboard import Written

app = typer.Typer()
out = Console(highlight=False)


@app.command()
@grouped
def init(
    name: Annotated[str, typer.Argument(help="Name of the model: small letters, digits and _.")], options: InitOptions
) -> None:
    """Start watching a model from its prediction log: write a monitor and a suite, and judge the past nights.

    What the log cannot tell (owner, favourable answer, reference groups) is asked at the terminal or given as options.
    """
    from vigil.usecases import onboard
    from vigil.usecases.look import look_at

    settings = Settings()
    _name(name)
    request = options.request(name, settings.home)
    with out.status("opening the stores"):
        ports = wiring.open_ports(settings)
    with out.status(f"reading {options.log}"):
        looked = look_at(ports, request)
    show(looked)
    answers = answer(
        looked.draft, owner=options.owner, favourable=options.favourable, references=options.reference_groups,
        description=options.description,
    )  # fmt: skip
    with out.status("trying the rules on the first nights, storing the rows"):
        written = onboard.write(
            ports, looked, answers, home=settings.home, force=options.force, actor=getuser(),
            reference=address(options.reference, settings.home) if options.reference else None,
        )  # fmt: skip
    _schema_file(settings)
    say_written(written)
    judge(ports, written, options.nights)


def _name(name: str) -> None:
    import re

    if not re.fullmatch(r"[a-z][a-z0-9_]{1,62}", name):
        raise DataError(
            f"{name!r} is not a valid model name: use 2 to 63 small letters, digits and _, starting with a letter"
        )


def answer(
    draft: Draft, *, owner: str | None, favourable: str | None, references: dict[str, str], description: str
) -> Answers:
    """What only people know: from options, else from a prompt. Raises DataError with all options without a terminal."""
    from vigil.onboarding.document import Answers

    questions: list[tuple[str, str, str | None]] = []
    levels = draft.meaning.decisions if draft.meaning else ()
    if not owner:
        questions.append(("--owner", "E-mail of the model's owner?", None))
    if levels and not favourable and draft.protected:
        questions.append(("--favourable", f"Which answer is favourable for the person: {' or '.join(levels)}?", None))
    groups: dict[str, str] = {}
    for one in draft.protected:
        choices = one.band.labels if one.band else one.levels
        flag = f"--protected {one.column}="
        said = references.get(one.attribute) or references.get(one.column)
        if said is None:
            asked = (
                f"Reference group of {one.attribute}, with which the others are compared ({', '.join(choices[:8])})?"
            )
            questions.append((flag, asked, one.usual))
        elif said not in choices:
            raise DataError(f"{flag}{said}: the groups are {', '.join(choices)}")
        groups[one.attribute] = said or one.usual
    told = _asked(questions)
    chosen = favourable or told.get("--favourable") or (levels[0] if levels else None)  # of no weight where nobody is
    if levels and chosen not in levels:
        raise DataError(f"--favourable {chosen}: the answers are {', '.join(levels)}")
    by_flag = {one.attribute: told.get(f"--protected {one.column}=") for one in draft.protected}
    groups |= {attribute: group for attribute, group in by_flag.items() if group}
    return Answers(
        owner=owner or told["--owner"], description=description, favourable=chosen if levels else None, groups=groups
    )


def _asked(questions: list[tuple[str, str, str | None]]) -> dict[str, str]:
    """The answers at the prompt. Raises DataError with all missing options if standard input is not a terminal."""
    if questions and not sys.stdin.isatty():
        missing = "\n".join(
            f"  {flag:32} {text}{f' (suggested: {usual})' if usual else ''}" for flag, text, usual in questions
        )
        raise DataError(
            f"not a terminal: pass these options (or --no-protected) instead of answering questions:\n{missing}"
        )
    return {flag: str(typer.prompt(text, default=usual)) for flag, text, usual in questions}


def _schema_file(settings: Settings) -> None:
    path = settings.home / ".vigil" / "monitor.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema_text(), encoding="utf-8")


def schema_text() -> str:
    """The JSON schema of a monitor, for editors."""
    from vigil.config.schema import Monitor

    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Monitor.model_json_schema()}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


@app.command()
def schema() -> None:
    """Print the JSON schema of a monitor's YAML, for completion and checks in editors."""
    typer.echo(schema_text(), nl=False)


def lint_data(settings: Settings) -> int:
    """Compares every valid monitor with its rows; returns how many contradict them."""
    from vigil.config.load import place
    from vigil.usecases.lint_data import findings

    loaded, _ = wiring.monitors(settings)
    ports = wiring.open_ports(settings) if loaded else None
    wrong = 0
    for model, monitor in loaded.items():
        asked = _suite_of(settings, monitor)
        with out.status(f"comparing {model} with its rows"):
            found = list(findings(ports, monitor, asked, today=datetime.now(UTC).date()))  # type: ignore[arg-type]
        for line in place(settings.monitors_dir, model, found):
            out.print(f"[bold red]DATA[/]  {escape(line)}", soft_wrap=True)
        if not found:
            out.print(f"[green]ok[/]    {model}: the monitor agrees with its rows, reference and suite")
        wrong += bool(found)
    return wrong


def _suite_of(settings: Settings, monitor: Monitor) -> dict[str, Any] | None:
    """The parsed file of a monitor's suite; None where there is none that can be parsed, which `vigil lint` says."""
    try:
        raw = json.loads((settings.expectations_dir / f"{monitor.suite}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def say_written(written: Written) -> None:
    """Where the files are, which rules were left out or widened and why, and what was stored."""
    from vigil.onboarding.document import rule_text

    out.print(f"[green]wrote[/]      {escape(str(written.yaml))}")
    out.print(f"[green]wrote[/]      {escape(str(written.suite))}, fitted to {written.reference_rows:,} rows of "
              f"{escape(written.reference)}")  # fmt: skip
    for name in written.dropped:
        out.print(f"left out   {escape(name)}: it would alarm on the reference itself")
    for one in written.book.left:
        out.print(f"no rule    {escape(one.what)}: {escape(one.why)}", soft_wrap=True)
    for name, why in written.book.without.items():
        out.print(f"no drift   {escape(name)}: {escape(why)}; only its nulls are watched", soft_wrap=True)
    for line in written.book.lines:
        if line.moved:
            out.print(f"[yellow]allowed[/]    {escape(rule_text(line.rule))}: {escape(line.note)}", soft_wrap=True)
    if written.window is not None:
        out.print(f"[yellow]learns[/]     {escape(written.window.reason)}", soft_wrap=True)
    for said in written.odd[:5]:
        out.print(f"[yellow]odd[/]        {escape(said)}", soft_wrap=True)
    say_ingested(written.ingested)


def say_ingested(taken: Ingested) -> None:
    """How many rows and labels were stored, what the other rows are, and what could not be stored."""
    from vigil.usecases.intake_findings import account

    out.print(f"took       {taken.new:,} new of {taken.rows:,} rows, {taken.outcomes:,} labels")
    others = {
        "already stored": taken.known, "stored with other values": taken.conflicting, "another model's": taken.excluded,
        "without a time": taken.rejected, "with an implausible time": taken.rows_held,
    }  # fmt: skip
    if any(others.values()):
        out.print(f"others     {', '.join(f'{n:,} {what}' for what, n in others.items() if n)}", soft_wrap=True)
    for line in account(taken):
        out.print(f"[yellow]not taken[/]  {escape(line)}", soft_wrap=True)


def judge(ports: object, written: Written, most: int) -> None:
    """Judges the past nights, and prints a summary."""
    from rich.progress import track

    from vigil.usecases.backfill import backfill
    from vigil.usecases.onboard import nights_of

    monitor: Monitor = written.monitor
    days = nights_of(written.first, written.last, most=most)
    results = list(
        track(backfill(ports, monitor, days), total=len(days), description="judging past nights", console=out)  # type: ignore[arg-type]
    )
    summary(results)
    name = monitor.model
    out.print(f"next       read {escape(str(written.yaml))}; run `vigil lint --data`, then "
              f"`vigil night {name} {written.last}`; Airflow shows the DAG {monitor.dag_id}",
              soft_wrap=True)  # fmt: skip


@app.command()
def ingest(
    model: Annotated[str, typer.Argument(help="The monitor's `model:` name.")],
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First night to read (databases only).")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last night to read (databases only).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read files again that were read before.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also store rows dated in the future or far from the others, without asking.")
    ] = False,
) -> None:
    """Store the new rows of the log that `source:` names. Running it again stores nothing twice."""
    from vigil.usecases.ingest import ingest as run

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    if monitor.source is None:
        raise DataError(
            f"{model} has no `source:`: its rows are written to Vigil's own log, so there is nothing to ingest"
        )
    last = (end or datetime.now(UTC)).date()
    first = start.date() if start else last - timedelta(days=monitor.labels.delay_nights + 7)
    out.print(f"reading    {escape(monitor.source.predictions)}")
    taken = run(ports, monitor, first, last, again=again, accept=lambda held: yes or _wanted(held))
    say_ingested(taken)
    if taken.unread or taken.held:
        raise typer.Exit(1)


def _wanted(held: Held) -> bool:
    """Whether a person accepts rows with implausible times; without a terminal nobody does."""
    from vigil.usecases.intake_findings import held_rows

    return sys.stdin.isatty() and typer.confirm(f"{held_rows(held)}. Store them?", default=False)


@app.command()
def reference(
    model: Annotated[str, typer.Argument(help="The monitor's `model:` name.")],
    path: Annotated[
        Path, typer.Argument(help="File of the reference rows, with the columns of your log or of Vigil's.")
    ],
) -> None:
    """Replace the reference rows with which a model without registered versions is compared."""
    from vigil.usecases.look import reference_from
    from vigil.usecases.reference import set_reference

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    rows = reference_from(ports, monitor, address(str(path), Settings().home))
    done = set_reference(ports, monitor, rows, origin=path.name, actor=getuser())
    out.print(f"{model}: {done.rows:,} rows of {escape(path.name)} are now the reference")
