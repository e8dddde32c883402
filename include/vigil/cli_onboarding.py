"""`vigil init`, `ingest`, `reference`, `schema`: from somebody's log to a monitor that is watched."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.cli_draft import show
from vigil.core.errors import DataError
from vigil.onboarding.columns import DayOrMonth
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.onboarding.document import Answers
    from vigil.onboarding.draft import Draft
    from vigil.usecases.ingest import Held, Ingested
    from vigil.usecases.onboard import Written
    from vigil.verdicts.types import NightResult

app = typer.Typer()
out = Console(highlight=False)
Column = Annotated[str | None, typer.Option(help="Your log's column; guessed where it is not given.")]


@app.command()
def init(  # noqa: PLR0913, PLR0917 - every answer is a flag
    name: Annotated[str, typer.Argument(help="The model's name: letters, digits and _.")],
    log: Annotated[str, typer.Option(help="Predictions: a file, a glob, or an address such as s3://bucket/*.parquet.")],
    outcomes: Annotated[str | None, typer.Option(help="Outcomes, where they are in a log of their own.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Rows that are good, such as a holdout; default: the log's first nights.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="E-mail of the model's owner.")] = None,
    favourable: Annotated[str | None, typer.Option(help="The answer that is good for the person.")] = None,
    positive: Annotated[str | None, typer.Option(help="The label that is predicted; guessed where not given.")] = None,
    protected: Annotated[
        list[str] | None, typer.Option(help="Protected attribute, or attribute=reference group. May be repeated.")
    ] = None,
    no_protected: Annotated[bool, typer.Option("--no-protected", help="Watch no fairness.")] = False,
    served_at: Column = None,
    prediction_id: Column = None,
    model_version: Column = None,
    score: Column = None,
    score_scale: Annotated[
        str | None, typer.Option(help="What the log calls certain: 1, 100 for per cent, or logit; guessed.")
    ] = None,
    prediction: Column = None,
    label: Column = None,
    observed_at: Column = None,
    latency_ms: Column = None,
    only: Annotated[
        list[str] | None, typer.Option(help="column=value of this model, where a log holds several.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A column that is no feature. May be repeated.")] = None,
    numeric: Annotated[
        list[str] | None, typer.Option(help="A feature whose whole numbers are a quantity. May be repeated.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="A feature whose whole numbers are codes. May be repeated.")
    ] = None,
    most_features: Annotated[int, typer.Option(help="Watch at most so many features.")] = 200,
    dates: Annotated[
        DayOrMonth | None,
        typer.Option(help="Of times such as 03/04/2026: which comes first, where the log does not tell."),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Of a night, and of times without an offset.")] = "UTC",
    environment: Annotated[str, typer.Option(help="production or staging.")] = "production",
    description: Annotated[str, typer.Option(help="One line on what the model does.")] = "",
    nights: Annotated[int, typer.Option(help="Judge at most so many past nights now.")] = 60,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a monitor that is there; its log is read anew.")
    ] = False,
) -> None:
    """Watch a model that you have a log of: looks at it, asks what it cannot know, writes monitor and suite, judges."""
    from vigil.onboarding.request import Asked
    from vigil.onboarding.roles import Word
    from vigil.usecases import onboard
    from vigil.usecases.look import look_at

    given = {
        Word.SERVED_AT: served_at, Word.PREDICTION_ID: prediction_id, Word.MODEL_VERSION: model_version,
        Word.SCORE: score, Word.PREDICTION: prediction, Word.LABEL: label, Word.OBSERVED_AT: observed_at,
        Word.LATENCY: latency_ms,
    }  # fmt: skip
    named, references = _pairs(protected or [])
    settings = Settings()
    _name(name)
    asked = Asked(
        name=name, log=_address(log, settings.home), outcomes=_address(outcomes, settings.home) if outcomes else None,
        columns={w: c for w, c in given.items() if c}, only=dict(_pair(o, "--only") for o in only or []),
        exclude=tuple(exclude or ()), numeric=tuple(numeric or ()), category=tuple(category or ()),
        positive=positive, score_scale=score_scale, dates=dates, protected=tuple(named), no_protected=no_protected,
        timezone=timezone, environment=environment, most_features=most_features,
    )  # fmt: skip
    with out.status("opening the stores"):
        ports = wiring.open_ports(settings)
    with out.status(f"looking at {log}"):
        looked = look_at(ports, asked)
    show(looked)
    answers = answer(looked.draft, owner=owner, favourable=favourable, references=references, description=description)
    with out.status("trying the rules on the first nights, taking the rows"):
        written = onboard.write(
            ports, looked, answers, home=settings.home, force=force, actor=getuser(),
            reference=_address(reference, settings.home) if reference else None,
        )  # fmt: skip
    _schema_file(settings)
    say_written(written)
    judge(ports, written, nights)


def _name(name: str) -> None:
    import re

    if not re.fullmatch(r"[a-z][a-z0-9_]{1,62}", name):
        raise DataError(f"{name!r} cannot name a model here: 2 to 63 small letters, digits and _, a letter first")


def _pair(text: str, flag: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals:
        raise DataError(f"{flag} {text}: write {flag} column=value")
    return left, right


def _pairs(texts: list[str]) -> tuple[list[str], dict[str, str]]:
    """Attributes, and the reference groups that were said with them."""
    named = [t.partition("=")[0] for t in texts]
    return named, {left: right for left, equals, right in (t.partition("=") for t in texts) if equals}


def _address(path: str, home: Path) -> str:
    """As the YAML says it: relative to the project where the file is inside it, else absolute."""
    if "://" in path:
        return path
    absolute = Path(path).expanduser().absolute()
    try:
        return absolute.relative_to(home).as_posix()
    except ValueError:
        return absolute.as_posix()


def answer(
    draft: Draft, *, owner: str | None, favourable: str | None, references: dict[str, str], description: str
) -> Answers:
    """What only people know: by flag, else at a prompt. Raises DataError with all flags where nobody can be asked."""
    from vigil.onboarding.document import Answers

    questions: list[tuple[str, str, str | None]] = []
    levels = draft.meaning.decisions if draft.meaning else ()
    if not owner:
        questions.append(("--owner", "Who owns the model (e-mail)?", None))
    if levels and not favourable and draft.protected:
        questions.append(("--favourable", f"Which answer is good for the person: {' or '.join(levels)}?", None))
    groups: dict[str, str] = {}
    for one in draft.protected:
        choices = one.band.labels if one.band else one.levels
        flag = f"--protected {one.column}="
        said = references.get(one.attribute) or references.get(one.column)
        if said is None:
            asked = f"Fairness by {one.attribute}: with which group are the others compared ({', '.join(choices[:8])})?"
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
    """The answers at the prompt; all flags at once where nobody is there."""
    if questions and not sys.stdin.isatty():
        missing = "\n".join(
            f"  {flag:32} {text}{f' (usual: {usual})' if usual else ''}" for flag, text, usual in questions
        )
        raise DataError(f"nobody is there to answer; say it with these flags (or --no-protected):\n{missing}")
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
    """Print the JSON schema of monitors/*.yaml, for editors."""
    typer.echo(schema_text(), nl=False)


def lint_data(settings: Settings) -> int:
    """Compares every monitor that loads with its rows; returns how many of them contradict theirs."""
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
            out.print(f"[green]ok[/]    {model}: its rows, reference and suite are as the monitor says")
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
    """Where the files are, what no rule asks or is allowed more than usual, and what was taken."""
    from vigil.onboarding.document import rule_text

    out.print(f"[green]wrote[/]      {escape(str(written.yaml))}")
    out.print(f"[green]wrote[/]      {escape(str(written.suite))}, fitted to {written.reference_rows:,} rows of "
              f"{escape(written.reference)}")  # fmt: skip
    for name in written.dropped:
        out.print(f"left out   {escape(name)}: it would fire on the reference itself")
    for one in written.book.left:
        out.print(f"no rule    {escape(one.what)}: {escape(one.why)}", soft_wrap=True)
    for name, why in written.book.without.items():
        out.print(f"no drift   {escape(name)}: {escape(why)}; its nulls are watched", soft_wrap=True)
    for line in written.book.lines:
        if line.moved:
            out.print(f"[yellow]allowed[/]    {escape(rule_text(line.rule))}: {escape(line.note)}", soft_wrap=True)
    if written.window is not None:
        out.print(f"[yellow]learns[/]     {escape(written.window.reason)}", soft_wrap=True)
    for said in written.odd[:5]:
        out.print(f"[yellow]odd[/]        {escape(said)}", soft_wrap=True)
    say_ingested(written.ingested)


def say_ingested(taken: Ingested) -> None:
    """Rows, new ones, labels; where the others are; and what could not be taken."""
    from vigil.usecases.intake_findings import account

    out.print(f"took       {taken.new:,} new of {taken.rows:,} rows, {taken.outcomes:,} labels")
    others = {
        "there already": taken.known, "there with other values": taken.conflicting, "another model's": taken.excluded,
        "without a time": taken.rejected, "with a time that can hardly be": taken.rows_held,
    }  # fmt: skip
    if any(others.values()):
        out.print(f"others     {', '.join(f'{n:,} {what}' for what, n in others.items() if n)}", soft_wrap=True)
    for line in account(taken):
        out.print(f"[yellow]not taken[/]  {escape(line)}", soft_wrap=True)


def judge(ports: object, written: Written, most: int) -> None:
    """The first backfill, and what it says."""
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
    out.print(f"next       read {escape(str(written.yaml))}; `vigil lint --data`; `vigil night {name} {written.last}`; "
              f"Airflow shows the DAG {monitor.dag_id}", soft_wrap=True)  # fmt: skip


def summary(results: list[NightResult]) -> None:
    """How often the rules would have spoken, which ones, and what an ok night could have seen."""
    if not results:
        out.print("[yellow]no night was judged[/]")
        return
    tally = Counter(v.state.value for r in results for v in r.verdicts)
    bad = [r for r in results if any(v.state.value == "breach" for v in r.verdicts)]
    out.print(f"judged     {len(results)} nights, {results[0].night} to {results[-1].night}: "
              + ", ".join(f"{n:,} {s}" for s, n in sorted(tally.items())))  # fmt: skip
    nights = "1 night" if len(bad) == 1 else f"{len(bad)} nights"
    out.print(f"           {nights} would have opened or joined an incident")
    by_question = Counter(v.id for r in results for v in r.verdicts if v.state.value == "breach")
    for question, times in by_question.most_common(5):
        last = next(v for r in reversed(results) for v in r.verdicts if v.id == question and v.state.value == "breach")
        out.print(f"  [bold red]breach[/]   {times} x {escape(last.reason)}", soft_wrap=True)
        if times > len(results) / 2 and last.metric == "new_category":
            said = "the reference has no such row and most nights have: `vigil reference MODEL PATH` takes a better one"
            out.print(f"           {said}", soft_wrap=True)
        elif times > len(results) / 2:
            said = "that is how the model is, not what happened; decide about it with its owner, then about the bound"
            out.print(f"           on most nights: {said}", soft_wrap=True)
    why = Counter(v.cause.value for r in results for v in r.verdicts if v.cause)
    if why:
        out.print("  unknown  " + ", ".join(f"{n:,} {cause.replace('_', ' ')}" for cause, n in why.most_common()))
    seen = [v for v in results[-1].verdicts if v.would_see]
    for verdict in _one_of_each(seen):
        out.print(f"  ok       {escape(verdict.id)}: {escape(verdict.would_see)}", soft_wrap=True)


def _one_of_each(verdicts: list) -> list:  # type: ignore[type-arg]
    """One verdict of each metric: what could have been seen is alike for its subjects."""
    first: dict[str, object] = {}
    for verdict in verdicts:
        first.setdefault(verdict.metric, verdict)
    return list(first.values())[:8]


@app.command()
def ingest(
    model: Annotated[str, typer.Argument(help="The monitor's `model:` name.")],
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First night (databases).")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last night (databases).")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also files that were read before.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take rows that are dated in the future or far from the others, too.")
    ] = False,
) -> None:
    """Take what is new in the log that `source:` names. Running it twice takes nothing twice."""
    from vigil.usecases.ingest import ingest as run

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    if monitor.source is None:
        raise DataError(f"{model} has no `source:`: its log is Vigil's own, there is nothing to take")
    last = (end or datetime.now(UTC)).date()
    first = start.date() if start else last - timedelta(days=monitor.labels.delay_nights + 7)
    out.print(f"reading    {escape(monitor.source.predictions)}")
    taken = run(ports, monitor, first, last, again=again, accept=lambda held: yes or _wanted(held))
    say_ingested(taken)
    if taken.unread or taken.held:
        raise typer.Exit(1)


def _wanted(held: Held) -> bool:
    """Whether a person takes rows whose times can hardly be right; nobody does where nobody is there."""
    from vigil.usecases.intake_findings import held_rows

    return sys.stdin.isatty() and typer.confirm(f"{held_rows(held)}. Take them?", default=False)


@app.command()
def reference(
    model: Annotated[str, typer.Argument(help="The monitor's `model:` name.")],
    path: Annotated[Path, typer.Argument(help="Rows that are good, in your log's or in Vigil's words.")],
) -> None:
    """Replace the reference that a model without registered versions is compared with."""
    from vigil.usecases.look import reference_from
    from vigil.usecases.reference import set_reference

    ports, monitor = wiring.open_ports(), wiring.monitor(model)
    rows = reference_from(ports, monitor, _address(str(path), Settings().home))
    done = set_reference(ports, monitor, rows, origin=path.name, actor=getuser())
    out.print(f"{model}: {done.rows:,} rows of {escape(path.name)} are the reference now")
