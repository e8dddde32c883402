"""Prints how `vigil init` understood a log, and why, for a person to check; and what the first nights came to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vigil.onboarding.roles import Word

if TYPE_CHECKING:
    from vigil.onboarding.draft import Draft
    from vigil.usecases.look import Looked
    from vigil.verdicts.types import NightResult, Verdict

out = Console(highlight=False)
LISTED = 12  # columns that are left out


def show(looked: Looked) -> None:
    """Columns and what they are taken for, the task, what is left out."""
    d = looked.draft
    files = f"{looked.files} files, " if looked.files > 1 else ""
    which = f" (one of {looked.every})" if looked.every > 1 else ""
    out.print(f"[bold]{escape(d.asked.log)}[/]: {files}{d.rows:,} rows looked at{which}, {d.nights} nights, "
              f"about {d.rows_a_night:,} rows a night")  # fmt: skip
    _columns(looked)
    _times(d)
    _task(d)
    _codes(looked)
    for name, why in list(d.left_out.items())[:LISTED]:
        out.print(f"left out   {escape(name)}: {escape(why)}", soft_wrap=True)
    if len(d.left_out) > LISTED:
        out.print(f"left out   and {len(d.left_out) - LISTED} more, listed in the YAML")
    for file in looked.unread[:5]:
        out.print(f"[yellow]not read[/]   {escape(file.origin)}: {escape(file.why)}", soft_wrap=True)
    if d.label:
        out.print(
            f"labels     known {d.delay_nights} {'night' if d.delay_nights == 1 else 'nights'} after the prediction"
        )
    else:
        out.print("labels     no column of outcomes found, so performance is not watched; name it with --label")


def _columns(looked: Looked) -> None:
    d = looked.draft
    table = Table("what", "column", "why", box=None, padding=(0, 2, 0, 0))
    for word, guess in d.roles.items():
        one = looked.looks[guess.column]
        more = f"; {one.time_format}" if one.time_format not in (None, "auto") else ""
        table.add_row(word.value, escape(guess.column), escape(guess.why + more))
    if d.apart and d.label:
        table.add_row("label", escape(d.label), escape(f"in {d.asked.outcomes}, joined by {d.label_id}"))
    out.print(table)


def _times(d: Draft) -> None:
    """How dates are read that can be read in two ways, and in which time zone."""
    by = "as you said" if d.asked.dates else "that way the rows are in order, or within the shortest time"
    for one in filter(None, (d.served_at, d.observed_at)):
        if one.ambiguous:
            out.print(f"dates      {escape(one.name)} is read as {one.time_format}, not as {one.ambiguous}: {by}")
    if not d.served_at.zoned:
        which = "some of the times carry" if d.served_at.partly_zoned else "the times carry"
        out.print(f"[yellow]time zone[/]  {d.asked.timezone}: {which} no offset; change it with --timezone")


def _task(d: Draft) -> None:
    kinds = Counter(kind.value for kind in d.features.values())
    counted = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    out.print(f"task       {d.task.value}; {len(d.features)} features ({counted})")
    if d.meaning and d.label:
        above = f"{d.meaning.decisions[0]!r} from {d.meaning.threshold:g} on" if Word.SCORE in d.roles else ""
        told = f"{d.meaning.positive!r}: {d.meaning.why}{f'; {above}' if above else ''}"
        out.print(f"predicts   {escape(told)}", soft_wrap=True)
    if d.score_scale != 1:
        what = "log-odds" if d.score_scale == "logit" else f"parts of {d.score_scale:g}"
        out.print(f"score      {escape(d.roles[Word.SCORE].column)} is read as {what}; change it with --score-scale")


def _codes(looked: Looked) -> None:
    """Whole numbers that are watched as a category, by why they are taken for codes."""
    names = {looked.draft.columns.get(f, f) for f, kind in looked.draft.features.items() if kind == "category"}
    reasons: dict[str, list[str]] = {}
    for one in looked.looks.values():
        if one.codes is not None and one.name in names:
            reasons.setdefault(one.codes.value, []).append(one.name)
    for why, columns in reasons.items():
        out.print(f"codes      {escape(', '.join(columns))}: {why}; use --numeric if it is a quantity", soft_wrap=True)


def summary(results: list[NightResult]) -> None:
    """How often which rules would have alarmed, and what an ok night could have seen."""
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
            said = "most nights have it, the reference does not: `vigil reference MODEL PATH` sets a better one"
            out.print(f"           {said}", soft_wrap=True)
        elif times > len(results) / 2:
            said = (
                "a property of the model rather than an event; settle it with the model's owner, then adjust the bound"
            )
            out.print(f"           on most nights: {said}", soft_wrap=True)
    why = Counter(v.cause.value for r in results for v in r.verdicts if v.cause)
    if why:
        out.print("  unknown  " + ", ".join(f"{n:,} {cause.replace('_', ' ')}" for cause, n in why.most_common()))
    seen = [v for v in results[-1].verdicts if v.would_see]
    for verdict in _one_of_each(seen):
        out.print(f"  ok       {escape(verdict.id)}: {escape(verdict.would_see)}", soft_wrap=True)


def _one_of_each(verdicts: list[Verdict]) -> list[Verdict]:
    """One verdict of each metric: what could have been seen is alike for its subjects."""
    first: dict[str, Verdict] = {}
    for verdict in verdicts:
        first.setdefault(verdict.metric, verdict)
    return list(first.values())[:8]
