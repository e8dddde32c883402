"""`vigil metrics`: what can be measured, and what each number means."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil.core.errors import MonitorError
from vigil.core.words import Family, Task
from vigil.metrics.catalog import CATALOG, suggest

if TYPE_CHECKING:
    from vigil.metrics.catalog import Entry

app = typer.Typer()
out = Console(highlight=False)


@app.command()
def metrics(
    name: Annotated[str | None, typer.Argument(help="Metric to explain; default: list all.")] = None,
    family: Annotated[Family | None, typer.Option(help="Only metrics of this family.")] = None,
    task: Annotated[Task | None, typer.Option(help="Only metrics for this kind of model.")] = None,
) -> None:
    """List the metrics that rules can use, or explain one: formula, unit, direction, source, example of a rule."""
    if name is not None:
        explain(name)
        return
    shown = [e for e in CATALOG.values() if family in (None, e.family) and (task is None or task in e.tasks)]
    for each in Family:
        mine = [e for e in shown if e.family is each]
        if mine:
            table = Table(
                "metric", "unit", "bad is", "labels", "says", title=each.value, title_justify="left", box=None
            )
            for e in mine:
                table.add_row(e.name, e.unit, e.worse.value, "needed" if e.needs_labels else "", escape(e.says))
            out.print(table, "")
    out.print(f"{len(shown)} metrics; `vigil metrics NAME` explains one")


def explain(name: str) -> None:
    """One metric in words. Raises MonitorError for a name that the catalogue does not have."""
    entry = CATALOG.get(name)
    if entry is None:
        near = suggest(name)
        hint = f"did you mean {near!r}?" if near else "`vigil metrics` lists them"
        raise MonitorError(f"unknown metric {name!r}; {hint}")
    out.print(f"[bold]{entry.name}[/]  {escape(entry.says)}")
    out.print(f"{described(entry)}\n", soft_wrap=True)
    out.print(escape(words(entry)), soft_wrap=True)
    out.print(f"\nIn a monitor, under `rules: {entry.family.value}:`")
    out.print(f"  - {escape(rule(entry))}")


def described(entry: Entry) -> str:
    """Family, unit, direction, labels and tasks in one line."""
    bad = {"higher": "higher is worse", "lower": "lower is worse", "away": "any move is bad"}[entry.worse.value]
    labels = "needs labels" if entry.needs_labels else "needs no labels"
    per = {"all": "one number a night", "feature": "one for each feature", "group": "one for each protected group"}
    parts = [entry.family.value, f"unit {entry.unit or 'as declared'}", bad, labels, per[entry.scope.value],
             ", ".join(entry.tasks)]  # fmt: skip
    return "; ".join(parts)


def words(entry: Entry) -> str:
    """The metric's own documentation, without its example."""
    from vigil.metrics.evaluate import load

    doc = inspect.getdoc(load(entry)) or ""
    return doc.split("\n>>> ")[0].rstrip()


def rule(entry: Entry) -> str:
    """A first rule on it.

    >>> rule(CATALOG["recall"])
    '{metric: recall, breach: "< 0.80"}'
    >>> rule(CATALOG["parity_difference"])
    '{metric: parity_difference, breach: "< -0.10"}'
    """
    if entry.worse.value == "away" or entry.kind.value in ("number", "count"):
        return f"{{metric: {entry.name}, sigma: 5, nights: 28}}"
    lower = entry.worse.value == "lower"
    if entry.kind.value == "difference":  # 0 is equal
        return f'{{metric: {entry.name}, breach: "{"< -" if lower else "> "}0.10"}}'
    return f'{{metric: {entry.name}, breach: "{"< 0.80" if lower else "> 0.05"}"}}'
