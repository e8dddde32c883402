"""Writes the draft as commented YAML."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vigil.core.spec import Spec
from vigil.core.words import Family, Task
from vigil.onboarding.columns import Look
from vigil.onboarding.draft import Draft
from vigil.onboarding.reference_window import WindowChoice
from vigil.onboarding.roles import Word
from vigil.onboarding.rules import Book
from vigil.onboarding.truth import time_of
from vigil.verdicts.defaults import drift_rules

LEAST_BINS, MOST_BINS, ROWS_A_BIN = 8, 31, 30  # of the reference
TEMPLATES = Path(__file__).parent / "templates"
NOTES = {
    "service": "",
    "quality": "",
    "performance": "                 # `holdout`: how much worse than on the reference is still allowed",
    "fairness": "",
}


class Answers(Spec):
    """What only people know. groups: protected attribute -> reference group."""

    owner: str
    description: str = ""
    favourable: str | None = None
    groups: Mapping[str, str] = {}


class Facts(Spec):
    """Facts about the nights of the log, beside the draft.

    serves: weekdays with rows, where others never have any. window: which nights teach drift, where that was tried.
    """

    book: Book = Book()
    slow_ms: float = 0.0
    serves: tuple[str, ...] | None = None
    window: WindowChoice | None = None


def document(draft: Draft, answers: Answers, facts: Facts, *, schema: str) -> str:
    """The YAML text. It is valid whatever names and values the log has."""
    page = Environment(  # noqa: S701 - YAML, not HTML: every value goes through `y`
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    ).get_template("monitor.yaml.j2")  # fmt: skip
    meaning = draft.meaning
    favourable = answers.favourable or (meaning.decisions[0] if meaning else None)
    groups = dict(answers.groups)
    return page.render(
        d=draft,
        y=flow,
        schema=schema,
        owner=flow(answers.owner),
        description=answers.description or f"{draft.task.value.capitalize()} model, onboarded from its log",
        served_at=_time(draft.served_at, draft.asked.timezone),
        observed_at=_time(draft.observed_at, draft.asked.timezone) if draft.observed_at else None,
        known={w.value for w in draft.roles},
        score=Word.SCORE in draft.roles and draft.task is Task.BINARY,
        favourable=favourable,
        deserving=meaning.deserving.get(favourable or "", meaning.negative) if meaning else None,
        groups=groups,
        protected=bool(groups),
        suite=draft.asked.name,
        bins=max(LEAST_BINS, min(MOST_BINS, draft.rows_a_night * max(1, draft.nights // 3) // ROWS_A_BIN)),
        slow=_round_up(facts.slow_ms),
        book=facts.book,
        families=[family.value for family in Family if family is not Family.DRIFT],
        serves=facts.serves,
        window=facts.window,
        reason_lines=wrap(facts.window.reason, 112) if facts.window else [],
        notes=NOTES,
        rule=rule_text,
        line=lambda text: str(text).replace("\n", " "),
        asked=wrap(", ".join(_asked(draft, facts.book, protected=bool(groups))) + ".", 112),
    )


def _asked(draft: Draft, book: Book, *, protected: bool) -> list[str]:
    """The metrics of the default drift rules of this model."""
    said: dict[str, Any] = {
        "task": draft.task.value, "features": draft.features, "protected": protected,
        "surprise": {"without": list(book.without)},
    }  # fmt: skip
    return [rule["metric"] for rule in drift_rules(said)]


def rule_text(rule: Mapping[str, Any]) -> str:
    """A rule on one line, as people write it.

    >>> rule_text({"metric": "missing", "subjects": ["a"], "breach": "> 0.05", "surprise": True})
    '{metric: missing, subjects: [a], breach: "> 0.05", surprise: true}'
    """
    bounds = {"breach", "warn", "hard"}
    parts = [f'{key}: "{value}"' if key in bounds else f"{key}: {flow(value)}" for key, value in rule.items()]
    return f"{{{', '.join(parts)}}}"


def flow(value: Any) -> str:
    """A value on one line of YAML, quoted where it must be.

    >>> flow("plain"), flow("no: really"), flow({"a": "yes"}), flow(["1", 2])
    ('plain', "'no: really'", "{a: 'yes'}", "['1', 2]")
    """
    how: dict[str, Any] = {"default_flow_style": True, "allow_unicode": True, "width": 10**9, "sort_keys": False}
    text: str = yaml.safe_dump(value, **how).removesuffix("\n").removesuffix("\n...").strip()
    if "\n" in text:  # a line break inside: only in double quotes does it stay on one line
        text = yaml.safe_dump(value, default_style='"', **how).strip()
    return text


def _time(one: Look, timezone: str) -> dict[str, str]:
    time = time_of(one, timezone)
    told = {"column": time.column}
    if time.format != "auto":
        told["format"] = time.format
    return {**told, **({} if one.zoned else {"timezone": time.timezone})}


def _round_up(ms: float) -> int:
    """A latency that people would write down: 12.3 -> 20, 180 -> 200.

    >>> _round_up(12.3), _round_up(180), _round_up(0)
    (20, 200, 1)
    """
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000, 30_000):
        if ms <= step:
            return step
    return round(ms)
